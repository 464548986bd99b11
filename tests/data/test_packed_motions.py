"""Motions in shards are those of the files; a set reads from them while they are current."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from remogpt import cli
from remogpt.data import packed_motions
from remogpt.data.humanml3d import MotionTextSet
from remogpt.data.packed_motions import PackedMotions
from remogpt.runtime.errors import RemogptError
from tests.data.doctor.made_sets import motion_x


@pytest.fixture
def made(tiny_set: Path, tmp_path: Path) -> Path:
    shutil.copytree(tiny_set, tmp_path / "set")
    return tmp_path / "set"


def test_a_set_reads_its_packed_motions(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed_motions, "SHARD_BYTES", 300_000)
    before = MotionTextSet.open(made)
    clips = before.clips("all", 0, 10**9)
    expected = [before.features(clip) for clip in clips]
    packed = PackedMotions.build(made / "new_joint_vecs", made / "packed")
    assert 3 < packed.num_shards < 12 and len(packed.ids) == 15 and not packed.left_out

    after = MotionTextSet.open(made)
    monkeypatch.setattr(after, "_read_features", None)  # nothing is read from the files
    assert after.clips("all", 0, 10**9) == clips and after.identity(clips) == before.identity(clips)
    for clip, features in zip(clips, expected, strict=True):
        found = after.features(clip)
        assert found.dtype == np.float32 and np.array_equal(found, features)
        found[:] = 0  # an array of its own
        assert np.array_equal(after.features(clip), features)


def test_parts_of_a_motion(made: Path) -> None:
    packed = PackedMotions.build(made / "new_joint_vecs", made / "packed")
    whole = np.load(made / "new_joint_vecs" / "000003.npy")
    assert packed.num_frames("000003") == len(whole)
    for first, stop in ((0, None), (5, 20), (len(whole) - 3, len(whole) + 50), (10, 10), (20, 10), (10**6, None)):
        assert np.array_equal(packed.read("000003", first, stop), whole[first:stop])
    with pytest.raises(KeyError):
        packed.read("nothing")


def test_a_motion_that_changed_is_read_from_its_file(made: Path) -> None:
    PackedMotions.build(made / "new_joint_vecs", made / "packed")
    path = made / "new_joint_vecs" / "000003.npy"
    np.save(path, np.load(path)[:30] + 1)
    os.utime(path, ns=(1, 1))
    motions = MotionTextSet.open(made)
    assert np.array_equal(motions.features("000003"), np.load(path))
    assert {clip.id: clip.num_frames for clip in motions.clips("all", 0, 10**9)}["000003"] == 30


def test_the_command(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (made / "new_joint_vecs" / "000001.npy").write_bytes(b"nothing")
    np.save(made / "new_joint_vecs" / "000002.npy", np.zeros((9, 251), dtype=np.float32))
    assert cli.main(["data", "pack", str(made)]) == 1
    told = capsys.readouterr()
    assert "packed: 13 motions" in told.out and "000001.npy is not a readable numeric .npy array" in told.err
    assert "251 channels, the first motion has 263" in told.err
    assert cli.main(["data", "pack", str(motion_x(made.parent / "x"))]) == 0
    assert len(PackedMotions.open(made.parent / "x" / "packed").ids) == 6


def test_damage_is_named(made: Path) -> None:
    PackedMotions.build(made / "new_joint_vecs", made / "packed")
    shard = made / "packed" / "000.safetensors"
    shard.write_bytes(shard.read_bytes()[:1000])
    with pytest.raises(RemogptError, match=r"000.safetensors is damaged .* run 'remogpt data pack' again"):
        MotionTextSet.open(made).features("000003")
    (made / "packed" / "index.json").write_text('{"schema": 1}')
    with pytest.raises(RemogptError, match=r"index\.json"):
        MotionTextSet.open(made).features("000003")
    with pytest.raises(RemogptError, match="found none that can be used"):
        PackedMotions.build(made / "texts", made / "nowhere")
    assert not (made / "nowhere").exists()
