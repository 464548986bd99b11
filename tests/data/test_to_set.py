"""Turning recordings into a set."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from remogpt.data.humanml3d import MotionTextSet
from remogpt.data.importers import IMPORTERS, ImportedClip
from remogpt.data.importers.to_set import import_set, split_of
from remogpt.motion import Motion, features_to_joints, joints_to_features, mirror_joints
from remogpt.runtime.errors import RemogptError


@pytest.fixture
def recordings(tiny_set: Path, monkeypatch: pytest.MonkeyPatch) -> list[ImportedClip]:
    """Thirty windows of ten recordings, one of them too short."""
    joints = np.load(tiny_set / "new_joints" / "000003.npy")
    clips = [
        ImportedClip(f"r{number // 3}_w{number % 3}", f"r{number // 3}", Motion.from_joints(joints[: 40 + number]),
                     ("a person moves",), "nobody", "CC0", {"number": str(number)})
        for number in range(30)
    ]  # fmt: skip
    clips[7] = ImportedClip("short", "r2", Motion.from_joints(joints[:8]), ("a twitch",), "nobody", "CC0")

    def fake(path: Path) -> Iterator[ImportedClip]:
        yield from clips

    monkeypatch.setitem(IMPORTERS, "fake", fake)
    return clips


def test_windows_of_a_recording_stay_in_one_split(recordings: list[ImportedClip], tmp_path: Path) -> None:
    counts = import_set("fake", tmp_path, tmp_path / "set")
    assert counts == {"clips": 29, "too short": 1}
    motions = MotionTextSet.open(tmp_path / "set")
    homes: dict[str, set[str]] = {}
    for split in ("train", "val", "test"):
        for name in motions.ids(split):
            homes.setdefault(name.split("_")[0], set()).add(split)
    assert len(homes) == 10 and all(len(splits) == 1 for splits in homes.values())
    assert motions.info["too_short"] == 1 and motions.licence == "CC0"


def test_what_is_known_of_a_recording_is_kept(recordings: list[ImportedClip], tmp_path: Path) -> None:
    import_set("fake", tmp_path, tmp_path / "set")
    motions = MotionTextSet.open(tmp_path / "set")
    clip = next(clip for clip in motions.clips("all") if clip.id == "r4_w1")
    assert (clip.source_id, clip.tags, clip.captions) == ("r4", {"number": "13"}, ("a person moves",))
    assert np.array_equal(motions.features(clip), joints_to_features(recordings[13].motion.joints))


def test_another_source_of_a_clip_is_taken_over(recordings: list[ImportedClip], tmp_path: Path) -> None:
    import_set("fake", tmp_path, tmp_path / "set")
    recordings[:] = [replace(clip, source_id="one take") for clip in recordings]
    import_set("fake", tmp_path, tmp_path / "set")
    assert {clip.source_id for clip in MotionTextSet.open(tmp_path / "set").clips("all")} == {"one take"}


def test_shares_of_the_splits_are_about_right() -> None:
    splits = [split_of(f"recording {number}") for number in range(4000)]
    shares = {name: splits.count(name) / len(splits) for name in ("train", "val", "test")}
    assert shares["train"] == pytest.approx(0.80, abs=0.03) and shares["test"] == pytest.approx(0.15, abs=0.03)


def test_a_set_is_not_overwritten_by_another_source(
    recordings: list[ImportedClip], tiny_set: Path, tmp_path: Path
) -> None:
    before = (tiny_set / "train.txt").read_bytes()
    with pytest.raises(RemogptError, match="holds another set already"):
        import_set("fake", tmp_path, tiny_set)
    assert (tiny_set / "train.txt").read_bytes() == before


def test_nothing_usable_is_said(recordings: list[ImportedClip], tmp_path: Path) -> None:
    del recordings[:]
    with pytest.raises(RemogptError, match="no usable fake recording"):
        import_set("fake", tmp_path, tmp_path / "set")
    assert not (tmp_path / "set").exists()
    with pytest.raises(RemogptError, match="no importer for 'amass'"):
        import_set("amass", tmp_path, tmp_path / "set")


def test_training_clips_get_mirror_images_with_the_other_side(recordings: list[ImportedClip], tmp_path: Path) -> None:
    recordings[:] = [
        replace(clip, captions=("waves the left hand", "waves"), tags={"content": "wave-left-hand"})
        for clip in recordings
    ]
    plain = import_set("fake", tmp_path, tmp_path / "plain")
    counts = import_set("fake", tmp_path, tmp_path / "set", mirror=True)
    motions, without = MotionTextSet.open(tmp_path / "set"), MotionTextSet.open(tmp_path / "plain")
    added = sorted(set(motions.ids("all")) - set(without.ids("all")))
    assert added == sorted(f"M{name}" for name in without.ids("train"))
    assert counts["clips"] == plain["clips"] + len(added) and motions.info["mirrored"] is True
    assert all(motions.ids(split) == without.ids(split) for split in ("val", "test"))
    by_id = {clip.id: clip for clip in motions.clips("train")}
    for name in without.ids("train"):
        image, own = by_id[f"M{name}"], by_id[name]
        assert (image.mirror_of, image.source_id) == (name, own.source_id)
        assert image.captions == ("waves the right hand", "waves") and image.tags == {"content": "wave-right-hand"}
        joints = [features_to_joints(motions.features(clip)) for clip in (image, own)]
        assert len(joints[0]) == len(joints[1])
        assert np.abs(mirror_joints(joints[0])[:-1] - joints[1][:-1]).max() < 0.02
    # Again, nothing is written anew; without mirror images they leave the lists.
    written = (tmp_path / "set" / "new_joint_vecs" / f"{added[0]}.npy").stat().st_mtime_ns
    import_set("fake", tmp_path, tmp_path / "set", mirror=True)
    assert (tmp_path / "set" / "new_joint_vecs" / f"{added[0]}.npy").stat().st_mtime_ns == written
    import_set("fake", tmp_path, tmp_path / "set")
    assert MotionTextSet.open(tmp_path / "set").ids("all") == without.ids("all")
