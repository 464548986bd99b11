"""Motions in 16 bits: what comes back, and what a whole database keeps of them."""

import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from remogpt import stages
from remogpt.motion import features_to_joints
from remogpt.motion.features import CONTACTS
from remogpt.motion.found_facts import find_facts
from remogpt.retriever import MotionDatabase
from remogpt.retriever.database import version_writer
from remogpt.retriever.database.packed_motion import PackedMotion


def motions(tiny_set: Path) -> list[np.ndarray]:
    return [np.load(path) for path in sorted((tiny_set / "new_joint_vecs").glob("*.npy"))[:8]]


def test_a_packed_motion_is_the_same_to_a_millimetre(tiny_set: Path) -> None:
    for features in motions(tiny_set):
        packed = PackedMotion.pack(features)
        back = packed.unpack()
        assert packed.joints.dtype == np.int16 and packed.joints.nbytes < features.nbytes / 7
        assert back.shape == features.shape and back.dtype == np.float32
        assert np.abs(features_to_joints(back) - features_to_joints(features)).max() < 1e-3
        assert (back[:, CONTACTS] == features[:, CONTACTS]).mean() > 0.99
        assert np.array_equal(find_facts(features_to_joints(back)).rows, find_facts(features_to_joints(features)).rows)


def test_a_motion_that_hovers_still_does(tiny_set: Path) -> None:
    """A window that was cut from a leap has no frame on the floor."""
    features = motions(tiny_set)[0].copy()
    features[:, 3] += 0.3
    features[:, 5:67:3] += 0.3
    back = PackedMotion.pack(features).unpack()
    assert features_to_joints(back)[..., 1].min() == pytest.approx(0.3, abs=0.02)
    assert np.abs(features_to_joints(back) - features_to_joints(features)).max() < 1e-3


def test_a_long_way_is_packed_too(tiny_set: Path) -> None:
    features = motions(tiny_set)[0].copy()
    features[:, 2] = 3.5  # 70 m/s
    back = PackedMotion.pack(features).unpack()
    far = features_to_joints(features)
    assert np.abs(far).max() > 100 and np.abs(features_to_joints(back) - far).max() < 0.05


def test_steps_compress_and_give_the_motion_back(tiny_set: Path) -> None:
    packed = [PackedMotion.pack(features) for features in motions(tiny_set)]
    for one in packed:
        assert one.steps.dtype == np.int16 and one.steps.shape == one.joints.shape
        assert np.array_equal(PackedMotion.of_steps(one.steps, one.unit).joints, one.joints)
    sizes = [
        len(zlib.compress(b"".join(rows.tobytes() for rows in kind)))
        for kind in zip(*((one.joints, one.steps) for one in packed), strict=True)
    ]
    assert sizes[1] < 0.8 * sizes[0]


def test_steps_may_overflow() -> None:
    joints = np.zeros((3, 22, 3), np.int16)
    joints[1], joints[2] = 32767, -32767
    assert np.array_equal(PackedMotion.of_steps(PackedMotion(joints, 1.0).steps, 1.0).joints, joints)


def test_a_compact_database_of_an_earlier_version_is_read(
    tiny_set: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its joints.npy held the positions themselves."""

    def built(name: str) -> MotionDatabase:
        return stages.build_database(tiny_set, out=tmp_path / name, model=tiny_model, compact=True, split="train")

    new = built("new")
    appender = version_writer.RowAppender
    with monkeypatch.context() as patch:
        patch.setattr(PackedMotion, "steps", property(lambda motion: motion.joints))
        patch.setattr(
            version_writer,
            "RowAppender",
            lambda path, *rest: appender(path.with_name(path.name.replace("joint_steps", "joints")), *rest),
        )
        old = built("old")
    assert list((tmp_path / "old").rglob("joints.npy")) and not list((tmp_path / "old").rglob("joint_steps.npy"))
    for row in range(len(new)):
        assert np.array_equal(old.features(row), new.features(row))


def test_compact_databases_are_filtered_merged_and_embedded_again(
    tiny_set: Path, tiny_model: Path, tmp_path: Path
) -> None:
    def built(name: str, **options: Any) -> MotionDatabase:
        return stages.build_database(tiny_set, out=tmp_path / name, model=tiny_model, **options)

    compact, full = built("compact", compact=True, split="train"), built("full", split="val")
    half = compact.filter(lambda info: info.id < "000008", tmp_path / "half")
    assert half.motions_kept == "joints"
    assert all(np.array_equal(half.features(row), compact.features(compact.rows[id])) for id, row in half.rows.items())
    both = MotionDatabase.merge([half, full], tmp_path / "both")
    assert both.motions_kept == "joints" and len(both) == len(half) + len(full)
    for name, row in full.rows.items():
        near, exact = both.features(both.rows[name]), full.features(row)
        assert np.abs(features_to_joints(near) - features_to_joints(exact)).max() < 1e-3
    entries = list(compact.entries())
    assert len(entries) == len(compact) and all(len(one.features) == one.info.num_frames for one in entries)
