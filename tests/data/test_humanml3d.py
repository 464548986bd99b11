"""Sets in HumanML3D's layout: the published sample, sub-clips, mirrors, and what may be wrong with a folder."""

import logging
from pathlib import Path

import numpy as np
import pytest

from remogpt.data.humanml3d import Caption, MotionTextSet
from remogpt.data.writer import SetItem, finish_set, write_item
from remogpt.motion.facts import Fact
from remogpt.motion.feature_body import HUMANML3D
from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.runtime.text import reading_as


@pytest.fixture
def published(data_dir: Path, tmp_path: Path) -> Path:
    """The files that HumanML3D publishes, linked into its own layout; captions of the two motions are borrowed."""
    sample, folder = data_dir / "humanml3d_sample", tmp_path / "HumanML3D"
    for kind in ("new_joint_vecs", "new_joints", "texts"):
        (folder / kind).mkdir(parents=True)
    for name in ("Mean.npy", "Std.npy"):
        (folder / name).symlink_to(sample / name)
    for path in sample.glob("new_joint*.npy"):
        kind, _, clip = path.stem.rpartition("_")
        (folder / kind / f"{clip}.npy").symlink_to(path)
    for path in (sample / "texts").glob("*.txt"):
        (folder / "texts" / path.name).symlink_to(path)
    for clip, text in (("012314", "000000"), ("000612", "000001")):
        (folder / "texts" / f"{clip}.txt").symlink_to(sample / "texts" / f"{text}.txt")
    (folder / "train.txt").write_text("012314\n000612\n")
    return folder


def test_the_published_sample_opens(published: Path, caplog: pytest.LogCaptureFixture) -> None:
    motions = MotionTextSet.open(published)
    clips = {clip.id: clip for clip in motions.clips("train")}
    assert clips["012314"].num_frames == 170 and not caplog.records
    assert motions.features(clips["012314"]).shape == (170, 263) == motions.features("012314").shape
    assert motions.joints("012314").shape == (170, 22, 3) and motions.joints("000612") is None
    assert motions.mean.shape == motions.std.shape == (263,) and (motions.std > 0).all()
    assert (motions.name, motions.licence, motions.splits()) == ("HumanML3D", "unknown", ["train"])
    assert motions.facts("012314") == [] and clips["012314"].tags == {} and clips["012314"].mirror_of is None


def test_every_published_caption_parses(published: Path) -> None:
    motions = MotionTextSet.open(published)
    files = sorted((published / "texts").glob("*.txt"))
    assert len(files) == 13
    for path in files:
        captions = motions.captions(path.stem)
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        assert len(captions) == len(lines) >= 1
        for caption, line in zip(captions, lines, strict=True):
            assert caption.text and line.startswith(caption.text)
            assert all("/" in token for token in caption.tokens)
            assert Caption.from_line(caption.to_line()) == caption


def test_statistics_are_those_of_the_published_set(published: Path) -> None:
    """The published deviations are equal within each channel group, as ours are made."""
    from remogpt.data.analysis.statistics import channel_groups

    std = MotionTextSet.open(published).std
    assert all(np.allclose(std[group], std[group][0], rtol=1e-4) for group in channel_groups(263))


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """Four motions: one described in stretches, a mirror image, a short and a long one."""
    rng, folder = np.random.default_rng(0), tmp_path / "set"
    captions = {
        "000001": [
            Caption("walks", ("walk/VERB",)),
            Caption("sits", ("sit/VERB",), 1.5, 4.0),
            Caption("x", (), 0.2, 0.9),
        ],
        "M000001": [Caption("walks left", ("walk/VERB",)), Caption("sits", ("sit/VERB",), 1.5, 4.0)],
        "000002": [Caption("hops"), Caption("jumps")],
        "000003": [Caption("runs", (), float("nan"), float("nan"))],
    }
    lengths = {"000001": 120, "M000001": 120, "000002": 20, "000003": 300}
    for name, described in captions.items():
        features = rng.normal(size=(lengths[name], 263)).astype(np.float32)
        fact = Fact("walks", {"direction": "forward"})
        write_item(folder, SetItem(name, features, described, tags={"style": "old"}, facts=[fact.to_json()]))
    finish_set(folder, "made", "CC0", {"train": list(captions)}, seed=3)
    return folder


def test_parts_of_a_motion_are_clips_of_their_own(made: Path) -> None:
    motions = MotionTextSet.open(made)
    clips = {clip.id: clip for clip in motions.clips("train")}
    assert list(clips) == ["000001", "000001:1.5-4", "M000001", "M000001:1.5-4"]
    clip = clips["000001:1.5-4"]
    assert (clip.first, clip.num_frames, clip.captions, clip.tokens) == (30, 50, ("sits",), (("sit/VERB",),))
    assert np.array_equal(motions.features(clip), motions.features("000001")[30:80])
    assert clips["M000001"].mirror_of == "000001" and clips["M000001:1.5-4"].mirror_of == "000001:1.5-4"
    assert clips["M000001"].source_id == "M000001"  # what the writer recorded; a foreign set's is the file behind the M


def test_the_length_window_is_the_callers(made: Path) -> None:
    motions = MotionTextSet.open(made)
    assert "000002" in {clip.id for clip in motions.clips("train", 20, 20)}
    assert "000003" in {clip.id for clip in motions.clips("train", 1, 10**9)}
    with pytest.raises(RemogptError, match=r"has no clip of 500 to 600 frames \(7 in all\)"):
        motions.clips("train", 500, 600)


def test_what_the_writer_knew_is_read_back(made: Path) -> None:
    motions = MotionTextSet.open(made)
    assert (motions.name, motions.licence, motions.info["seed"]) == ("made", "CC0", 3)
    assert motions.facts("000001") == [Fact("walks", {"direction": "forward"})]
    assert motions.clips("train")[0].tags == {"style": "old"}


def test_a_foreign_mirror_shares_its_source(made: Path) -> None:
    for path in (made / "items").iterdir():
        path.unlink()
    clips = {clip.id: clip for clip in MotionTextSet.open(made).clips("train")}
    assert clips["M000001"].source_id == clips["000001"].source_id == "000001"


def test_ids_without_a_file_are_left_out_with_a_warning(made: Path, caplog: pytest.LogCaptureFixture) -> None:
    (made / "new_joint_vecs" / "000003.npy").unlink()
    with caplog.at_level(logging.WARNING):
        clips = MotionTextSet.open(made).clips("train", 1, 10**9)
    assert "000003" not in {clip.id for clip in clips}
    assert "1 of 4 motions of split train have no feature file and are left out (000003)" in caplog.text
    for path in (made / "new_joint_vecs").iterdir():
        path.unlink()
    with pytest.raises(MissingPathError, match="none of the 4 motions of split 'train'"):
        MotionTextSet.open(made).clips("train")


def test_statistics_tell_whose_features_a_set_holds(made: Path) -> None:
    assert MotionTextSet.open(made).body is HUMANML3D
    np.save(made / "Mean.npy", np.zeros(251, dtype=np.float32))
    motions = MotionTextSet.open(made)
    assert (motions.num_features, motions.fps, motions.min_frames) == (251, 12.5, 24)
    with pytest.raises(RemogptError, match=r"wanted \(T, 251\) features, .* holds \(\d+, 263\)"):
        motions.features("000001")


def test_what_may_be_wrong_with_a_folder(made: Path, tmp_path: Path) -> None:
    motions = MotionTextSet.open(made)
    with pytest.raises(MissingPathError, match=r"no split 'tset' in .*; it has all, train"):
        motions.clips("tset")
    with pytest.raises(MissingPathError, match=r"did you mean .*000001"):
        motions.captions("000011")
    with pytest.raises(MissingPathError, match=r"layout: new_joint_vecs, texts, Mean\.npy, Std\.npy missing"):
        MotionTextSet.open(tmp_path / "nowhere")
    np.save(made / "new_joint_vecs" / "000001.npy", np.zeros((60, 251), dtype=np.float32))
    with pytest.raises(RemogptError, match="KIT-ML's 251 channels"):
        motions.features("000001")
    (made / "texts" / "000001.txt").write_text("walks#walk/VERB\n")
    with pytest.raises(RemogptError, match=r"000001.txt holds no caption that can be used"):
        motions.captions("000001")
    assert "000001.txt, line 1, got 2 fields" in motions.left_out["000001, line 1"]


HOSTILE = ("../secret", "/etc/passwd", "a/../../secret", ".", "a\\b", "a\x1b[2J", "x" * 300, "a\x00b")


def test_what_cannot_be_used_is_left_out_and_named(made: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Ids that lead elsewhere, times that are none, an empty caption, a cut file: the others are read."""
    whole = {clip.id for clip in MotionTextSet.open(made).clips("train", 1)}
    names = sorted({clip.file_id for clip in MotionTextSet.open(made).clips("train", 1)})
    np.save(made.parent / "secret.npy", np.zeros((60, 263), dtype=np.float32))
    for number, line in enumerate(["walks#x#0#inf", "walks#x#-1#2", "##0.0#0.0", "walks#x#3#2", "walks#x#900#901"]):
        file_id = f"bad{number}"
        np.save(made / "new_joint_vecs" / f"{file_id}.npy", np.zeros((60, 263), dtype=np.float32))
        (made / "texts" / f"{file_id}.txt").write_text(f"someone waves##0.0#0.0\n{line}\n")
        names.append(file_id)
    (made / "new_joint_vecs" / "cut.npy").write_bytes(b"\x93NUMPY")
    np.save(made / "new_joint_vecs" / "empty.npy", np.zeros((0, 263), dtype=np.float32))
    for name in ("cut", "empty"):
        (made / "texts" / f"{name}.txt").write_text("walks##0.0#0.0\n")
    np.save(made / "new_joint_vecs" / "latin.npy", np.zeros((60, 263), dtype=np.float32))
    (made / "texts" / "latin.txt").write_bytes("gr\xfc\xdft##0.0#0.0\n".encode("latin-1"))
    lines = ["\ufeff" + names[0], *names[1:], "cut", "empty", "latin", *HOSTILE]
    (made / "train.txt").write_bytes("\n".join(lines).encode())
    (made / ".train.x1y2z3.txt").write_text("ghost\n")
    motions = MotionTextSet.open(made)
    assert {clip.id for clip in motions.clips("train", 1)} == whole | {f"bad{number}" for number in range(5)}
    assert all(clip.captions == ("someone waves",) for clip in motions.clips("train", 1) if "bad" in clip.id)
    assert set(HOSTILE) <= motions.left_out.keys() and {"cut", "latin", "bad0, line 2"} <= motions.left_out.keys()
    assert "empty.npy holds (0, 263), wanted (T, 263)" in motions.left_out["empty"]
    assert "bad1.txt, line 2" in motions.left_out["bad1, line 2"] and "cut.npy" in motions.left_out["cut"]
    assert "latin.txt is not UTF-8 text: byte 0xfc at 2 (line 1)" in motions.left_out["latin"]
    assert "left out" in caplog.text and ".train" not in str(motions.splits())
    with reading_as("latin-1"):
        assert MotionTextSet.open(made).captions("latin")[0].text == "gr\xfc\xdft"


def test_values_that_are_none_are_found_before_work_begins(made: Path, caplog: pytest.LogCaptureFixture) -> None:
    names = [clip.file_id for clip in MotionTextSet.open(made).clips("train", 1)]
    np.save(made / "new_joint_vecs" / "000900.npy", np.zeros((60, 263), dtype=np.float32))
    (made / "texts" / "000900.txt").write_text("walks##0.0#0.0\n")
    (made / "train.txt").write_text("\n".join([*names, "000900"]))
    for value in (np.nan, np.inf, 1e30):
        rows = np.zeros((60, 263), dtype=np.float32)
        rows[17, 3] = value
        np.save(made / "new_joint_vecs" / "000900.npy", rows)
        motions = MotionTextSet.open(made)
        assert "000900" in {clip.id for clip in motions.clips("train", 1)}
        motions.check_values("train")
        assert "000900" not in {clip.id for clip in motions.clips("train", 1)}
        assert "000900.npy holds" in motions.left_out["000900"] and "in frame 17" in motions.left_out["000900"]
    assert caplog.text.count("000900.npy holds") == 3
