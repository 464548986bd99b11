"""Long recordings: several steps in a row, described in stretches, written beside the clips."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from remogpt.data.humanml3d import MotionTextSet
from remogpt.data.procedural.captions import wordings
from remogpt.data.procedural.clip import ProceduralClip
from remogpt.data.procedural.facts import facts_of
from remogpt.data.procedural.long import make_recording, ways_to_cut
from remogpt.data.procedural.make import make_procedural_set, split_of
from remogpt.data.procedural.script import Action, Script, Step
from remogpt.data.procedural.validate import validate_set
from remogpt.data.procedural.vocabularies import CORE, WIDE, get_vocabulary
from remogpt.finder.train import LabelledMotion
from remogpt.motion.facts import facts_correct, facts_of_claims
from remogpt.motion.features import features_to_joints
from remogpt.retriever.training.pairs import TrainingPairs
from remogpt.runtime.errors import RemogptError
from remogpt.stages.training_data import labelled_motions

SPLITS = ("train", "val", "test", "test_unseen")
SIT, RISE, WAVE = (
    Step((Action("sit"),)), Step((Action("stand_up"),)), Step((Action("wave", side="left", count=2),)),
)  # fmt: skip


@pytest.fixture(scope="module")
def recordings() -> list[ProceduralClip]:
    return [make_recording(0, index, vocabulary=(CORE, WIDE)[index % 2]) for index in range(24)]


@pytest.fixture(scope="module")
def long_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve clips, variants of one of them, and ten long recordings."""
    folder = tmp_path_factory.mktemp("long") / "set"
    make_procedural_set(folder, 12, seed=3, workers=1, unseen_share=0.3, families=1, long=10)
    return folder


def test_recordings_last_ten_to_twenty_seconds(recordings: list[ProceduralClip]) -> None:
    seconds = [len(one.features) / 20.0 for one in recordings]
    assert 10.0 <= min(seconds) < 12.0 and 18.0 < max(seconds) <= 20.0
    assert {len(one.script.steps) for one in recordings} == {3, 4, 5, 6}
    assert all(np.isfinite(one.features).all() and np.isfinite(one.take.joints).all() for one in recordings)


def test_a_recording_follows_from_seed_and_index(recordings: list[ProceduralClip]) -> None:
    again = make_recording(0, 3, vocabulary=WIDE)
    assert again.captions == recordings[3].captions
    np.testing.assert_array_equal(again.features, recordings[3].features)
    assert make_recording(1, 3, vocabulary=WIDE).captions != again.captions


def test_facts_of_the_whole_hold_on_its_features(recordings: list[ProceduralClip]) -> None:
    for one in recordings:
        assert all(facts_correct(one.facts, features_to_joints(one.features))), one.script.combination()
    assert sum(len(one.facts) for one in recordings) > 0.95 * sum(len(facts_of(one.script)) for one in recordings)


def test_stretches_hold_whole_steps_and_all_of_them(recordings: list[ProceduralClip]) -> None:
    for one in recordings:
        seen: list[list[int]] = []
        for times, tags in one.stretches.items():
            start, end = (round(20.0 * float(value)) for value in times.split("-"))
            assert 40 <= end - start <= 196 and 2 <= len(tags["timeline"]) <= 3
            frames = [(first + start, last + start) for first, last in tags["timeline"]]
            steps = [one.take.timeline.index(step) for step in frames]  # whole steps
            assert all(start <= first and last <= end + 1 for first, last in frames)
            assert tags["script"] == Script(tuple(one.script.steps[index] for index in steps)).to_json()
            seen.append(steps)
            others = [span for index, span in enumerate(one.take.timeline) if index not in steps]
            assert all(last <= start or end <= first for first, last in others)
        assert {index for steps in seen for index in steps} == set(range(len(one.script.steps)))
        assert all(before[0] < after[0] and before[-1] < after[-1] for before, after in pairwise(seen))
        assert len(one.captions) == len(one.claims) == 3 * len(one.stretches)
        assert [caption.times for caption in one.captions[::3]] == list(one.stretches)


def test_what_a_stretch_is_said_to_show_it_shows(recordings: list[ProceduralClip]) -> None:
    held = []
    for one in recordings:
        for times, tags in one.stretches.items():
            start, end = (round(20.0 * float(value)) for value in times.split("-"))
            joints = features_to_joints(one.features[start:end])
            held += facts_correct(facts_of(Script.from_json(tags["script"])), joints)
    assert np.mean(held) > 0.97


def test_no_stretch_begins_with_a_gesture_of_somebody_who_sits() -> None:
    timeline = [(5, 65), (66, 116), (117, 180), (181, 231), (232, 282)]
    script = Script((SIT, WAVE, RISE, WAVE, Step((Action("clap", count=3),))))
    ways = list(ways_to_cut(script, timeline, np.zeros(290), get_vocabulary(CORE)))
    firsts = {piece.steps[0] for way in ways for piece in way}
    assert ways and firsts == {0, 2, 3}
    on_stairs = np.where(np.arange(290) < 66, 0.0, 1.0)
    assert not list(ways_to_cut(script, timeline, on_stairs, get_vocabulary(CORE)))


def test_captions_of_a_whole_recording_are_refused(recordings: list[ProceduralClip]) -> None:
    script = next(one.script for one in recordings if len(one.script.steps) > 3)
    with pytest.raises(ValueError, match="captions tell up to 3 steps, the script has"):
        wordings(script, np.random.default_rng(0))
    with pytest.raises(ValueError, match="a script has one to 6 steps, got 7"):
        Script((WAVE,) * 7)


def test_a_set_reads_stretches_with_their_captions_claims_and_tags(long_set: Path) -> None:
    motions = MotionTextSet.open(long_set)
    found = [clip for clip in motions.clips("all") if clip.file_id.startswith("L")]
    assert {clip.file_id for clip in found} == {f"L{index:06d}" for index in range(10)}
    for clip in found:
        assert clip.id.startswith(f"{clip.file_id}:") and 40 <= clip.num_frames <= 196
        assert clip.source_id == clip.file_id and len(clip.captions) == 3
        assert motions.features(clip).shape == (clip.num_frames, 263)
        made = make_recording(3, int(clip.file_id[1:]))
        times = clip.id.removeprefix(f"{clip.file_id}:")
        assert clip.tags == made.stretches[times] and clip.tags["num_actions"] < len(made.script.actions) + 1
        of_clip = [index for index, caption in enumerate(made.captions) if caption.times == times]
        assert clip.captions == tuple(made.captions[index].text for index in of_clip)
        assert motions.claims(clip) == [made.claims[index] for index in of_clip]
        assert motions.facts(clip) == [] and motions.facts(clip.file_id) == made.facts
    short = motions.clips("train")[0]
    assert motions.facts(short) == motions.facts(short.id) != [] and motions.claims(short) == motions.claims(short.id)


def test_training_labels_stretches_by_their_own_claims(long_set: Path) -> None:
    motions = MotionTextSet.open(long_set)
    clips = motions.clips("train")
    labelled = labelled_motions(motions, ["train"])
    assert len(labelled) == len(clips) and any(":" in clip.id for clip in clips)
    for clip, one in zip(clips, labelled, strict=True):
        assert isinstance(one, LabelledMotion) and all(end <= clip.num_frames + 1 for _, end, _ in one.spans)
    assert sum(":" in clip.id and bool(one.spans) for clip, one in zip(clips, labelled, strict=True)) > 3
    pairs = TrainingPairs.from_set(motions, "train", "combination", family_split="families", reads_claims=True)
    statements = pairs.statements
    assert statements is not None
    for index, clip in enumerate(clips):
        claimed = {fact.name for steps in motions.claims(clip) for fact in facts_of_claims(steps)}
        names = " ".join(statements.names[number] for number in statements.shown[index])
        assert all(f'"{name}"' in names for name in claimed)


def test_what_training_never_sees_stands_in_no_stretch_of_it(long_set: Path) -> None:
    motions = MotionTextSet.open(long_set)
    held_out = 0
    for split in SPLITS:
        for file_id in (name for name in motions.ids(split) if name.startswith("L")):
            stretches = motions.item(file_id)["stretches"].values()
            kept = any(split_of(one["combination"], one["num_actions"], "", 0.3) == "test_unseen" for one in stretches)
            held_out += kept
            assert split == ("test" if kept else split_of("", 0, file_id, 0.3))
    assert held_out and not any(name.startswith("L") for name in motions.ids("families"))


def test_facts_of_a_set_with_recordings_hold(long_set: Path) -> None:
    report = validate_set(MotionTextSet.open(long_set), 100)
    assert report.num_clips > 10 and report.rates["own"] > 0.99


def test_a_set_keeps_its_recordings_and_other_sets_stay_as_they_were(long_set: Path, tmp_path: Path) -> None:
    def files() -> dict[str, bytes]:
        return {str(path.relative_to(tmp_path)): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    make_procedural_set(tmp_path, 6, seed=3, workers=1, unseen_share=0.3)
    plain = files()
    assert "long" not in MotionTextSet.open(tmp_path).info
    make_procedural_set(tmp_path, 6, seed=3, workers=1, unseen_share=0.3, long=2)
    assert MotionTextSet.open(tmp_path).info["long"] == 2
    of_clips = {name for name in plain if name.startswith(("items", "texts", "new_joint"))}
    begun = files()
    assert all(begun[name] == plain[name] for name in of_clips)
    (tmp_path / "items" / "L000001.json").unlink()  # as if killed while writing it
    make_procedural_set(tmp_path, 6, seed=3, workers=1, unseen_share=0.3)
    assert files() == begun
    make_procedural_set(tmp_path, 12, seed=3, workers=1, unseen_share=0.3, families=1, long=10)
    whole = {str(path.relative_to(long_set)): path.read_bytes() for path in long_set.rglob("*") if path.is_file()}
    assert files() == whole


def test_a_negative_number_of_recordings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RemogptError, match="--families and --long must be 0 or more, got 0 and -1"):
        make_procedural_set(tmp_path / "set", 2, long=-1)
