"""Own recordings with a table of captions."""

import logging
from pathlib import Path

import numpy as np
import pytest

from remogpt.data.humanml3d import MotionTextSet
from remogpt.data.importers.caption_table import read_table
from remogpt.data.importers.recordings import Recordings, clip_names
from remogpt.data.importers.to_set import import_recordings, shared_splits
from remogpt.motion import Motion, joints_to_features
from remogpt.runtime.errors import MissingPathError, RemogptError


@pytest.fixture
def joints(tiny_set: Path) -> np.ndarray:
    """(T, 22, 3), about 100 frames."""
    return np.load(tiny_set / "new_joints" / "000004.npy")


@pytest.fixture
def folder(tmp_path: Path, joints: np.ndarray) -> Path:
    """Five recordings: joints in two formats, a long one, given features, a broken one."""
    folder = tmp_path / "recordings"
    (folder / "day 1").mkdir(parents=True)
    np.save(folder / "wave.npy", joints)
    Motion.from_joints(joints[:60]).save(folder / "day 1" / "kick.bvh")
    np.save(folder / "long.npy", np.concatenate([joints] * 6)[:450])
    np.save(folder / "features.npy", joints_to_features(joints))
    (folder / "broken.bvh").write_text("HIERARCHY")
    return folder


def table(tmp_path: Path, *rows: str, header: str = "file,caption,start,end") -> Path:
    path = tmp_path / "captions.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def test_stretches_windows_and_several_captions(folder: Path, joints: np.ndarray, tmp_path: Path) -> None:
    captions = table(
        tmp_path, "wave.npy,a person waves,,", 'wave.npy,"someone waves, slowly",,', "day 1/kick.bvh,a kick,0.5,2.5",
        "day 1/kick.bvh,a person stands,2.5,", "long.npy,a person walks a long way,,", "features.npy,as given,,",
    )  # fmt: skip
    recordings = Recordings.open(folder, captions, "CC0")
    clips = {clip.id: clip for clip in recordings.clips()}
    assert not recordings.failed
    assert list(clips) == ["wave", "day_1_kick_s0", "day_1_kick_s1", "long_w0", "long_w1", "long_w2", "features"]
    assert clips["wave"].captions == ("a person waves", "someone waves, slowly")
    assert clips["day_1_kick_s0"].motion.num_frames == 40 and clips["day_1_kick_s1"].motion.num_frames == 10
    assert {clips[name].source_id for name in ("long_w0", "long_w2")} == {"long"}
    assert sum(clips[f"long_w{number}"].motion.num_frames for number in range(3)) == 450
    assert np.array_equal(clips["features"].motion.features, joints_to_features(joints))
    assert clips["wave"].licence == "CC0" and clips["wave"].tags["file"] == "wave.npy"


def test_given_features_are_cut_and_not_computed_anew(folder: Path, joints: np.ndarray, tmp_path: Path) -> None:
    recordings = Recordings.open(folder, table(tmp_path, "features.npy,a part,1,3"))
    (clip,) = recordings.clips()
    assert np.array_equal(clip.motion.features, joints_to_features(joints)[20:60])


def test_what_cannot_be_read_is_told_and_the_rest_is_a_set(folder: Path, tmp_path: Path, caplog) -> None:
    captions = table(tmp_path, "wave.npy,waves,,", "broken.bvh,x,,", "gone.npy,x,,", "wave.npy,late,99,")
    recordings = Recordings.open(folder, captions)
    with caplog.at_level(logging.WARNING):
        counts = import_recordings(recordings, tmp_path / "set")
    assert counts == {"clips": 1, "too short": 0}
    assert set(recordings.failed) == {"broken.bvh", "gone.npy", "wave.npy from 99 s"}
    assert "3 recordings have no caption" in caplog.text
    motions = MotionTextSet.open(tmp_path / "set")
    assert (motions.name, motions.licence, motions.ids("train")) == ("set", "unknown", ["wave_s0"])


def test_a_corrected_caption_and_a_changed_recording_are_taken_over(folder: Path, joints, tmp_path: Path) -> None:
    def done(*rows: str) -> MotionTextSet:
        import_recordings(Recordings.open(folder, table(tmp_path, *rows)), tmp_path / "set", name="mine")
        return MotionTextSet.open(tmp_path / "set")

    motions = done("wave.npy,a person wvaes,,", "features.npy,given,,")
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / "set" / "new_joint_vecs").iterdir()}
    motions = done("wave.npy,a person waves,,", "features.npy,given,,")
    assert [clip.captions for clip in motions.clips("all") if clip.id == "wave"] == [("a person waves",)]
    given = tmp_path / "set" / "new_joint_vecs" / "features.npy"
    assert given.stat().st_mtime_ns == files[given]  # this one was not touched
    np.save(folder / "wave.npy", joints[::-1])
    motions = done("wave.npy,a person waves,,", "features.npy,given,,")
    assert np.array_equal(motions.features("wave"), joints_to_features(joints[::-1]))


def test_another_folders_set_is_not_overwritten(folder: Path, tmp_path: Path, tiny_set: Path) -> None:
    captions = table(tmp_path, "wave.npy,waves,,")
    import_recordings(Recordings.open(folder, captions), tmp_path / "set")
    other = folder.rename(tmp_path / "others")
    for held in (tmp_path / "set", tiny_set):
        with pytest.raises(RemogptError, match="import the recordings into a folder of its own"):
            import_recordings(Recordings.open(other, captions), held)


def test_splits_have_their_shares_and_keep_to_them() -> None:
    names = [f"recording {number}" for number in range(40)]
    shares = {"test": 0.2, "val": 0.1}
    first = shared_splits(names, shares)
    assert [list(first.values()).count(split) for split in ("train", "val", "test")] == [28, 4, 8]
    assert shared_splits(names[::-1], shares) == first != shared_splits(names, shares, seed=1)
    longer = shared_splits([*names, "one more"], shares)
    assert sum(first[name] != longer[name] for name in names) <= 3
    assert sorted(shared_splits(names[:3], shares).values()) == ["test", "train", "val"]
    assert set(shared_splits(names[:2], shares).values()) == {"train"}
    assert set(shared_splits(names, {"test": 0.0, "val": 0.0}).values()) == {"train"}


def test_names_are_plain_and_different() -> None:
    files = ["a b/c.bvh", "x.npy", "x.bvh", "M0012.npy", "Å.npy", "...npy"]
    names = clip_names(files)
    assert list(names.values())[:4] == ["a_b_c", "x_npy", "x_bvh", "r_M0012"]
    assert len(set(names.values())) == 6 and all(names.values())
    alike = clip_names(["take 1.bvh", "take_1.bvh", "x.bvh", "x.npy", "x_bvh.npy"])
    assert len(set(alike.values())) == 5 and alike["x.npy"] == "x_npy" and alike["take_1.bvh"].startswith("take_1_bvh_")


def test_a_table_of_captions_as_the_caption_command_writes_it(tmp_path: Path) -> None:
    path = table(tmp_path, "rec/a.npy,a person waves,2.1,", "rec/b.npy,,,no file", header="file,caption,seconds,error")
    assert read_table(path, {}) == {"rec/a.npy": {(0.0, None): ["a person waves"]}}
    path.write_text("File; Caption\na.npy;walks, then runs\n", encoding="utf-8-sig")
    assert read_table(path, {}) == {"a.npy": {(0.0, None): ["walks, then runs"]}}


def test_a_path_from_elsewhere_is_named_inside_the_folder(folder: Path, tmp_path: Path, monkeypatch) -> None:
    outside = tmp_path / "outside.npy"
    outside.write_bytes((folder / "wave.npy").read_bytes())
    monkeypatch.chdir(tmp_path)
    captions = table(
        tmp_path, f"{folder / 'wave.npy'},absolute,,", "recordings/wave.npy,from here,,", "wave.npy,inside,,",
        f"{outside},elsewhere,,", f"{folder / 'gone.npy'},gone,,",
    )  # fmt: skip
    recordings = Recordings.open("recordings", captions)
    assert list(recordings.texts) == ["wave.npy", outside.as_posix(), "gone.npy"]
    clips = {clip.id: clip.captions for clip in recordings.clips()}
    assert clips["wave"] == ("absolute", "from here", "inside")
    assert sorted(clips.values()) == [("absolute", "from here", "inside"), ("elsewhere",)]
    assert list(recordings.failed) == ["gone.npy"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "has no rows"),
        (["a.npy,"], "line 2: wanted a file and its caption"),
        (["a.npy,#,,"], "line 2: wanted a file and its caption"),
        (["b.npy,walks,soon,"], "line 2: wanted seconds"),
        (["a.npy,walks,3,2"], "wanted 0 <= start < end"),
        (["a.npy,walks,-1,"], "wanted 0 <= start < end"),
        (["a.npy,walks,nan,"], "wanted 0 <= start < end"),
        (["a.npy,walks,1,2,3"], "put a caption with commas in quotes"),
    ],
)
def test_a_row_that_cannot_be_used_is_named(rows: list[str], message: str, tmp_path: Path) -> None:
    with pytest.raises(RemogptError, match=message):
        read_table(table(tmp_path, *rows), {})
    left_out: dict[str, str] = {}
    assert list(read_table(table(tmp_path, "good.npy,waves,,", *rows), left_out)) == ["good.npy"]
    assert list(left_out) == [f"{tmp_path / 'captions.csv'}, line 3"] * len(rows)


def test_a_quote_that_is_never_closed_is_named(tmp_path: Path) -> None:
    with pytest.raises(RemogptError, match=r"line .*is a quotation mark missing"):
        read_table(table(tmp_path, 'a.npy,"waves,,', *["b.npy,a person walks on,,"] * 9000), {})


def test_what_may_be_wrong_with_the_table(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(RemogptError, match="without caption; add it as the first line"):
        read_table(table(tmp_path, "a.npy,walks", header="file,text"), {})
    with pytest.raises(MissingPathError, match=r"nowhere\.csv"):
        read_table(tmp_path / "nowhere.csv", {})
    (tmp_path / "latin.csv").write_bytes("file,caption\na,gr\xfc\xdf".encode("latin-1"))
    with pytest.raises(RemogptError, match=r"latin.csv is not UTF-8 text: byte 0xfc at 17 \(line 2\)"):
        read_table(tmp_path / "latin.csv", {})
    captions = table(tmp_path, "broken.bvh,x,,")
    with pytest.raises(MissingPathError, match="name the folder that holds the recordings"):
        Recordings.open(tmp_path / "nowhere", captions)
    recordings = Recordings.open(folder, captions)
    with pytest.raises(RemogptError, match="no usable captioned recording"):
        import_recordings(recordings, tmp_path / "set")
    with pytest.raises(RemogptError, match="leave something to train on"):
        import_recordings(recordings, tmp_path / "set", test_share=0.6, val_share=0.4)
    (folder / "wave_s0.npy").write_bytes((folder / "wave.npy").read_bytes())
    captions = table(tmp_path, "wave.npy,waves,1,2", "wave_s0.npy,waves,,")
    with pytest.raises(RemogptError, match="two clips would be called 'wave_s0'"):
        import_recordings(Recordings.open(folder, captions), tmp_path / "set")
