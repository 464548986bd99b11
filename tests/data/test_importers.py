"""Importers: from folders as people have them and from packed sets, with captions that say where they come from."""

from __future__ import annotations

import json
import logging
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from remogpt.data.importers import IMPORTERS, ImportedClip, cut_windows, import_bandai, import_cmu, import_utd_mhad
from remogpt.data.importers.bandai import captions_from_labels
from remogpt.data.importers.clip import choose
from remogpt.data.importers.cmu_captions import read_captions, trial_key
from remogpt.data.importers.cmu_phrases import sentences_from_description, third_person
from remogpt.runtime.errors import MissingPathError, RemogptError


def _copy(data_dir: Path, folder: Path, pattern: str) -> Path:
    folder.mkdir(parents=True)
    for file in (data_dir / "raw").glob(pattern):
        shutil.copy(file, folder)
    return folder


def test_windows_are_even_and_lose_nothing() -> None:
    assert cut_windows(196) == [(0, 196)]
    assert cut_windows(5000, None) == [(0, 5000)]
    windows = cut_windows(787)
    assert [start for start, _ in windows[1:]] == [end for _, end in windows[:-1]]
    assert (windows[0][0], windows[-1][1]) == (0, 787)
    lengths = [end - start for start, end in windows]
    assert max(lengths) <= 196 and max(lengths) - min(lengths) <= 1


def test_phrasings_differ_between_clips_but_not_between_runs() -> None:
    phrases = [f"phrase {number}" for number in range(9)]
    assert choose(phrases, "a") == choose(phrases, "a")
    assert len({choose(phrases, key) for key in "abcdefgh"}) > 4
    assert len(set(choose(phrases, "a"))) == 3


def test_bandai_files_become_captioned_clips(data_dir: Path, tmp_path: Path) -> None:
    folder = _copy(data_dir, tmp_path / "Bandai/dataset/data", "*.bvh")
    clips = {clip.id: clip for clip in import_bandai(tmp_path / "Bandai")}
    assert set(clips) == {
        "dataset-1_kick_normal_001_w0", "dataset-1_kick_normal_001_w1",
        "dataset-2_walk-turn-left_elderly_001", "dataset-2_wave-left-hand_active_001",
    }  # fmt: skip
    turn = clips["dataset-2_walk-turn-left_elderly_001"]
    assert turn.tags == {"dataset": "dataset-2", "content": "walk-turn-left", "style": "elderly"}
    assert len(turn.captions) == 3
    for caption in turn.captions:
        assert "left" in caption and ("elderly" in caption or "old" in caption)
    assert "derived from its content and style labels" in turn.provenance
    assert turn.licence == "CC BY-NC 4.0"
    assert turn.motion.features.shape == (turn.motion.num_frames - 1, 263)
    kick = clips["dataset-1_kick_normal_001_w1"]
    assert (kick.source_id, kick.tags["window"]) == ("dataset-1_kick_normal_001", "2 of 2")
    assert len(list(import_bandai(folder / "dataset-1_kick_normal_001.bvh", max_frames=None))) == 1


def test_bandai_labels_make_english_sentences() -> None:
    styles = ("normal", "elderly", "masculinity", "musical", "not-confident")
    for content in ("walk", "bow", "raise-up-both-hands", "walk-back"):
        for style in styles:
            captions = captions_from_labels(content, style, f"{content}{style}")
            assert len(set(captions)) == 3
            for caption in captions:
                assert caption.split()[0] in ("a", "an", "someone", "the")
                assert "{" not in caption and "-" not in caption
    assert "an elderly person walks and turns left" in {
        caption for key in range(40) for caption in captions_from_labels("walk-turn-left", "elderly", str(key))
    }
    assert captions_from_labels("juggle-balls", "icy", "x") == (
        "a person performs the action juggle balls in the style icy",
    )


@pytest.fixture(scope="module")
def bandai_clips(data_dir: Path) -> dict[str, ImportedClip]:
    return {clip.id: clip for clip in import_bandai(data_dir / "mocap/bandai.npz")}


@pytest.mark.slow
def test_packed_and_raw_bandai_clips_are_the_same_motion(data_dir: Path, bandai_clips: dict[str, ImportedClip]) -> None:
    """Tolerance 0.2 mm: the packed positions are rounded to a tenth of a millimetre."""
    packed = bandai_clips["dataset-2_wave-left-hand_active_001"]
    raw = next(import_bandai(data_dir / "raw/dataset-2_wave-left-hand_active_001.bvh"))
    assert packed.captions == raw.captions and packed.tags == raw.tags
    assert np.abs(packed.motion.joints - raw.motion.joints).max() < 2e-4


def test_whole_bandai_set_has_three_captions_each(bandai_clips: dict[str, ImportedClip]) -> None:
    clips = list(bandai_clips.values())
    assert len(clips) == 2816  # with the windows of the long ones: no two share an id
    assert {len(set(clip.captions)) for clip in clips} == {3}
    assert max(clip.motion.num_frames for clip in clips) <= 196
    assert not [clip.id for clip in clips if any("performs the action" in caption for caption in clip.captions)]


def test_bandai_files_of_one_take_have_one_source(bandai_clips: dict[str, ImportedClip]) -> None:
    """Which files touch was found on the recordings at their own rate, 30 poses a second."""
    takes: dict[str, set[str]] = {}
    for clip in bandai_clips.values():
        takes.setdefault(clip.source_id, set()).add(re.sub(r"_w\d$", "", clip.id))
    assert len(takes) == 1070 and sum(map(len, takes.values())) == 2775
    assert all(source in files for source, files in takes.items())
    long = [files for files in takes.values() if len(files) > 1]
    assert (len(long), sum(map(len, long))) == (46, 1751)
    assert {len({file.rpartition("_")[0] for file in files}) for files in long} == {1}


def test_utd_actions_are_sentences(data_dir: Path) -> None:
    raw = next(import_utd_mhad(data_dir / "raw"))
    clips = {clip.id: clip for clip in import_utd_mhad(data_dir / "mocap/utd_mhad.npz")}
    assert len(clips) == 861
    same = clips["a1_s1_t1"]
    assert raw.id == "a1_s1_t1" and raw.captions == same.captions
    assert clips["a27_s2_t3"].tags == {"action": "a27", "subject": "s2"}
    np.testing.assert_allclose(raw.motion.joints, same.motion.joints, atol=1e-5)
    assert all("right" in caption for caption in raw.captions)
    actions = json.loads((data_dir / "mocap/utd_mhad_actions.json").read_text())
    for action, name in actions.items():
        captions = " ".join(clips[f"{action}_s2_t2"].captions)
        words = [
            word
            for word in name.split()
            if word in ("squat", "sit", "stand", "tennis", "clockwise", "triangle", "knock")
        ]
        assert all(word in captions for word in words), (action, captions)


def test_cmu_folder_with_its_list_of_descriptions(
    data_dir: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = _copy(data_dir, tmp_path / "subjects/02", "02*")
    shutil.copy(data_dir / "raw/39_01.amc", folder)
    with pytest.raises(RemogptError, match="CMU's recordings come without captions"):
        list(import_cmu(tmp_path / "subjects"))
    table = tmp_path / "subjects/list.csv"
    table.write_text('"Subject","Trial #","Motion Description","framerate"\n2,1,"walk",120\n2,3,"run/jog",60\n')
    with caplog.at_level(logging.WARNING):
        clips = {clip.id: clip for clip in import_cmu(tmp_path / "subjects")}
    assert "1 trials have no caption" in caplog.text
    assert set(clips) == {"02_01", "02_03"}
    assert clips["02_01"].captions[0] == "a person walks"
    assert clips["02_03"].captions[0] == "a person runs or jogs"
    assert clips["02_03"].motion.num_frames == (173 - 1) // 3 + 1  # the list says 60 fps
    assert "derived from its trial description" in clips["02_01"].provenance


def test_cmu_sentences_with_times_become_clips_of_one_source(data_dir: Path, tmp_path: Path) -> None:
    folder = _copy(data_dir, tmp_path / "cmu", "02*")
    sentences = [
        {"text": "a person starts", "start_s": 0.0, "end_s": 1.0, "from": "us"},
        {"text": "someone starts", "start_s": 0.0, "end_s": 1.1, "from": "them"},
        {"text": "a person starts", "start_s": 0.0, "end_s": 1.0, "from": "us"},
    ]
    whole = [
        {"text": "he runs", "start_s": 0.0, "end_s": 1.4, "from": "us"},
        {"text": "he runs away", "start_s": 0.4, "end_s": 9.0, "from": "us"},
    ]
    content = {
        "2_1": {"description": "slow walk", "sentences": sentences},
        "2_3": {"description": "", "sentences": whole},
    }
    (folder / "cmu_captions.json").write_text(json.dumps(content))
    clips = {clip.id: clip for clip in import_cmu(folder)}
    assert set(clips) == {"02_01_s0", "02_03_s0", "02_03_s1"}
    first = clips["02_01_s0"]
    assert first.captions == ("a person starts", "someone starts")
    assert (first.source_id, first.motion.num_frames) == ("02_01", 22)
    assert first.provenance.endswith("sentences from us, them")
    content["2_1"]["sentences"] = sentences[:1]
    content["2_1"]["sentences"][0]["end_s"] = 0.5
    (folder / "cmu_captions.json").write_text(json.dumps(content))
    clips = {clip.id: clip for clip in import_cmu(folder) if clip.source_id == "02_01"}
    assert [clip.motion.num_frames for clip in clips.values()] == [10, 48]
    assert clips["02_01_g0"].captions[0] == "a person walks slowly"
    np.testing.assert_allclose(
        clips["02_01_g0"].motion.joints[0],
        next(import_cmu(folder, [_description(tmp_path)])).motion.joints[10],
    )


def _description(folder: Path) -> Path:
    path = folder / "only.json"
    path.write_text(json.dumps({"2_1": {"description": "walk"}}))
    return path


def test_cmu_trials_in_another_conversion_pass_the_same_door(data_dir: Path, tmp_path: Path) -> None:
    """cgspeed's .bvh names joints as DAZ does, measures in other units, and begins with a rest pose."""
    shutil.copy(data_dir / "raw/foreign/cmu_daz_10_03.bvh", tmp_path / "10_03.bvh")
    (tmp_path / "captions.json").write_text(json.dumps({"10_3": {"description": "kick soccer ball"}}))
    (clip,) = import_cmu(tmp_path, [tmp_path / "captions.json"])
    assert clip.source_id == "10_03" and clip.tags["captions"] == "description"
    height = clip.motion.joints[..., 1].max(axis=1) - clip.motion.joints[..., 1].min(axis=1)
    assert 1.4 < height.max() < 1.9
    assert np.linalg.norm(np.diff(clip.motion.joints[:, 0], axis=0), axis=-1).max() < 0.3, "no jump from a rest pose"


def test_packed_cmu_sets_keep_people_s_sentences_and_times(data_dir: Path) -> None:
    clips = {clip.id: clip for name in ("cmu", "cmu_bvh") for clip in import_cmu(data_dir / f"mocap/{name}.npz")}
    assert len({clip.source_id for clip in clips.values()}) == 147
    assert clips["05_10"].captions[0] == "person is doing a ballet dance"
    assert abs(clips["01_05_s0_w0"].motion.num_frames + clips["01_05_s0_w1"].motion.num_frames - 200) <= 1
    assert clips["01_05_g0_w0"].captions[0] == "a person climbs and goes under on a playground"
    assert max(clip.motion.num_frames for clip in clips.values()) <= 196


def test_trimmed_recordings_keep_their_clock(data_dir: Path, tmp_path: Path) -> None:
    """Trial 32_1 was packed from frame 120 on: a sentence about seconds 1 to 2 is about its first second."""
    text = {"32_1": {"sentences": [{"text": "he walks", "start_s": 0.99, "end_s": 2.0}]}}
    (tmp_path / "c.json").write_text(json.dumps(text))
    clips = list(import_cmu(data_dir / "mocap/cmu.npz", [tmp_path / "c.json"]))
    assert [(clip.id, clip.motion.num_frames) for clip in clips] == [("32_01_s0", 20)]


@pytest.mark.parametrize(
    ("description", "sentence"),
    [
        ("walk", "a person walks"),
        ("playground - climb, hang, swing", "a person climbs, hangs and swings on a playground"),
        ("brisk walk", "a person walks briskly"),
        ("soccer - kick ball", "a person kicks ball while playing soccer"),
        ("basketball - forward dribble", "a person plays basketball: forward dribble"),
        ("walk forward, turn around, walk back", "a person walks forward, turns around and walks back"),
        ("walk and turn (repeated)", "a person walks and turns repeatedly"),
        ("Jump Turn", "Jump Turn"),
        ("salsa dance", "salsa dance"),
        ("navigate - walk forward, backward, sideways", "a person walks forward, backward and sideways"),
    ],
)
def test_descriptions_become_sentences_only_where_sure(description: str, sentence: str) -> None:
    assert sentences_from_description(description)[0] == sentence


def test_descriptions_without_words_say_nothing() -> None:
    assert sentences_from_description("") == sentences_from_description("180") == ()
    assert [third_person(verb) for verb in ("go", "push", "carry", "play", "walk")] == [
        "goes", "pushes", "carries", "plays", "walks",
    ]  # fmt: skip


def test_whole_cmu_list_can_be_read(data_dir: Path) -> None:
    trials = read_captions(data_dir / "text/CMU_trial_descriptions.csv", data_dir / "mocap/cmu_captions.json")
    assert len(trials) >= 2435
    assert trials["5_10"].spans[0].texts[0] == "person is doing a ballet dance"
    assert {text.fps for text in trials.values()} == {60.0, 120.0}
    for text in trials.values():
        for sentence in sentences_from_description(text.description):
            assert sentence.strip() == sentence and sentence


def test_wrong_folders_are_explained(data_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingPathError, match=r"no folder .*expected the Bandai-Namco"):
        list(import_bandai(tmp_path / "nowhere"))
    (tmp_path / "video.mp4").write_bytes(b"")
    for name, importer in IMPORTERS.items():
        options = {"captions": [data_dir / "mocap/cmu_captions.json"]} if name == "cmu" else {}
        with pytest.raises(RemogptError, match=r"found 1 \.mp4"):
            list(importer(tmp_path, **options))
    shutil.copy(data_dir / "raw/dataset-1_kick_normal_001.bvh", tmp_path / "kick.bvh")
    with pytest.raises(RemogptError, match="'kick' is not named like a file of this dataset"):
        list(import_bandai(tmp_path))
    np.savez(tmp_path / "other.npz", joints=np.zeros((3, 20, 3)))
    with pytest.raises(RemogptError, match="without fps, ids, offsets"):
        list(import_utd_mhad(tmp_path / "other.npz"))
    (tmp_path / "bad.csv").write_text("Subject,Trial #,Motion Description\nx,1,walk\n")
    with pytest.raises(RemogptError, match=r"bad\.csv, line 2: expected the columns"):
        list(import_cmu(tmp_path, [tmp_path / "bad.csv"]))


def test_trial_names_lose_their_zeros() -> None:
    assert [trial_key(name) for name in ("02_01", "2_1", "131_10", "clip")] == ["2_1", "2_1", "131_10", "clip"]
