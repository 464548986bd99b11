"""Bodies after the cleanup: bones keep their length, resting feet stand, everything else stays what it was."""

from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from remogpt import Motion, load_motion
from remogpt.data.importers.packed import read_packed
from remogpt.eval.physical import foot_slide, penetration
from remogpt.motion import clean_features, features_to_joints
from remogpt.motion.cleanup.bones import hold_bones_like
from remogpt.motion.cleanup.clean import clean_joints
from remogpt.motion.cleanup.contacts import FEET, find_rests
from remogpt.motion.cleanup.feet import bend_leg, hold_still, plant_feet
from remogpt.motion.cleanup.rewrite import with_joints
from remogpt.motion.files.read import motion_from_source
from remogpt.motion.kinematics import bone_offsets
from remogpt.motion.skeleton import BONE_LENGTHS, TARGET_OFFSETS
from tests.motion.made_motions import made_motion

MILLIMETRE = 1e-3


def bone_range(joints: np.ndarray) -> float:
    """Return by how much the length of a bone differs between frames, at most, in metres."""
    return float(np.ptp(np.linalg.norm(bone_offsets(joints.astype(np.float64)), axis=-1), axis=0).max())


def as_decoded(joints: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return joints with a decoder's faults: each is off by itself, by 1 cm, and the body drifts by 12 cm a second."""
    noise = gaussian_filter1d(np.random.default_rng(seed).normal(size=joints.shape), 3, axis=0)
    drift = np.arange(len(joints))[:, None, None] * np.array([0.006, 0.0, 0.0])
    return joints + 0.01 * noise / noise.std() + drift


@pytest.fixture(scope="module")
def recorded(tiny_set: Path) -> dict[str, np.ndarray]:
    """Features of the tiny set's motions that last a second at least."""
    found = {path.stem: np.load(path) for path in sorted((tiny_set / "new_joint_vecs").glob("*.npy"))}
    return {name: features for name, features in found.items() if len(features) > 20}


@pytest.fixture(scope="module")
def decoded(recorded: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The same motions as a decoder would write them, joints (T, 22, 3)."""
    return {name: as_decoded(features_to_joints(features)) for name, features in recorded.items()}


@pytest.fixture(scope="module")
def cleaned(decoded: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: clean_joints(joints) for name, joints in decoded.items()}


def test_bones_keep_the_lengths_of_the_format(cleaned: dict[str, np.ndarray]) -> None:
    for joints in cleaned.values():
        assert bone_range(joints) < 1e-9
        assert np.allclose(np.linalg.norm(bone_offsets(joints)[0], axis=-1), BONE_LENGTHS, atol=1e-6)


def test_standing_feet_do_not_slide(decoded: dict[str, np.ndarray], cleaned: dict[str, np.ndarray]) -> None:
    before, after = ([foot_slide(joints) for joints in motions.values()] for motions in (decoded, cleaned))
    assert np.median(before) > 8 and np.median(after) < 0.5 and max(after) < max(before)


def test_the_pose_stays_near_what_it_was(recorded: dict[str, np.ndarray], cleaned: dict[str, np.ndarray]) -> None:
    for name, features in recorded.items():
        true, decoded = features_to_joints(features), as_decoded(features_to_joints(features))
        errors = [
            np.linalg.norm((joints - joints[:, :1]) - (true - true[:, :1]), axis=-1).mean()
            for joints in (decoded, cleaned[name])
        ]
        assert errors[1] < errors[0] + 15 * MILLIMETRE


def test_no_foot_is_under_the_floor(cleaned: dict[str, np.ndarray]) -> None:
    assert max(penetration(joints) for joints in cleaned.values()) < 1.0


def test_features_tell_of_the_cleaned_joints(recorded: dict[str, np.ndarray], decoded: dict[str, np.ndarray]) -> None:
    for name, features in recorded.items():
        given = with_joints(features, decoded[name] - decoded[name][0, 0] * [1.0, 0.0, 1.0])
        written = clean_features(given)
        joints = features_to_joints(written)
        assert written.shape == features.shape and written.dtype == np.float32 and bone_range(joints) < 1e-4
        assert np.abs(joints - clean_joints(features_to_joints(given))).max() < 1e-5
        assert np.array_equal(written[:, 0], given[:, 0]), "headings stay"
        assert np.abs(written[0, [193, 195]]).max() > 0 or foot_slide(joints) == 0


def test_rewriting_what_did_not_move_changes_nothing(recorded: dict[str, np.ndarray]) -> None:
    alike = []
    for features in recorded.values():
        again = with_joints(features, features_to_joints(features).astype(np.float64))
        assert np.abs(again[:, :67] - features[:, :67]).max() < 1e-5
        alike.append(np.abs(again[:-1, 67:259] - features[:-1, 67:259]).max() < 1e-3)
    assert np.mean(alike) > 0.9, "where a fast turn hides the heading, the format's rotations cannot be written again"


def test_a_recording_that_stands_already_is_left_alone(recorded: dict[str, np.ndarray]) -> None:
    away = [
        np.linalg.norm(clean_joints(joints) - joints, axis=-1).mean()
        for joints in map(features_to_joints, recorded.values())
    ]
    assert np.median(away) < 2 * MILLIMETRE


def test_what_is_written_has_the_same_bones_and_feet(cleaned: dict[str, np.ndarray], tmp_path: Path) -> None:
    joints = next(iter(cleaned.values()))
    motion = Motion(joints)
    for suffix in (".bvh", ".glb", ".npy", ".npz"):
        read = load_motion(motion.save(tmp_path / f"motion{suffix}"))
        assert bone_range(read.joints) < 1e-4, suffix
        same = read.joints - read.joints[0, 0] + motion.joints[0, 0]
        assert np.abs(same - motion.joints).max() < MILLIMETRE, suffix


@pytest.mark.parametrize("fps", [30.0, 60.0])
def test_bones_keep_their_length_at_another_rate(cleaned: dict[str, np.ndarray], tmp_path: Path, fps: float) -> None:
    for name, joints in list(cleaned.items())[:4]:
        again = np.load(Motion(joints).save(tmp_path / f"{name}.npy", fps=fps))
        assert len(again) > 1.4 * len(joints) and bone_range(again) < 1e-4


def test_bones_that_vary_are_left_alone_at_another_rate(decoded: dict[str, np.ndarray]) -> None:
    joints = next(iter(decoded.values()))
    assert hold_bones_like(joints, joints[::2]) is not joints and np.array_equal(
        hold_bones_like(joints, joints[::2]), joints[::2]
    )


def standing(frames: int) -> np.ndarray:
    """Return a person who stands still on the floor."""
    pose = np.zeros((22, 3))
    parents = (0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19)
    for joint in range(1, 22):
        pose[joint] = pose[parents[joint]] + TARGET_OFFSETS[joint]
    pose[:, 1] -= pose[[10, 11], 1].mean()
    return np.repeat(pose[None], frames, axis=0)


def test_a_foot_in_the_air_does_not_rest() -> None:
    jump = standing(40)
    height = np.maximum(0.0, 0.4 - 4.9 * ((np.arange(40) - 20) / 20.0) ** 2)
    jump[..., 1] += height[:, None]
    for rest in find_rests(jump):
        assert [stop > 30 or first < 10 for first, stop in rest.toe] == [True, True]
        assert not any(first <= 20 < stop for first, stop in rest.toe)
    raised = standing(40)
    raised[:, [4, 7, 10], 1] += 0.3
    left, right = find_rests(raised)
    assert left.toe == [] and right.toe == [(0, 40)]


def test_feet_that_shuffle_round_do_not_rest_and_those_that_drift_do() -> None:
    angle = np.radians(np.arange(40) * 4.5)
    turning = standing(40) @ np.stack(
        [[[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]] for a in angle]
    )
    drifting = standing(100) + np.arange(100)[:, None, None] * np.array([0.002, 0.0, 0.0])
    assert not any(rest.toe for rest in find_rests(turning))
    assert all(rest.toe == [(0, 100)] and rest.flat == [(0, 100)] for rest in find_rests(drifting))
    planted = plant_feet(drifting)
    assert np.ptp(planted[:, [7, 8, 10, 11]], axis=0).max() < 1e-9, "feet stand"
    assert np.ptp(planted[:, 0, 0]) < 0.1, "and the pelvis comes along"


def test_a_foot_out_of_reach_lowers_the_body() -> None:
    body = standing(60)
    swaying = body + 0.25 * np.sin(np.arange(60) / 12.0)[:, None, None] * np.array([1.0, 0.0, 0.0])
    swaying[:, [7, 8, 10, 11]] = body[:, [7, 8, 10, 11]]  # feet stay behind, legs stretch
    lengths = np.linalg.norm(bone_offsets(body)[0], axis=-1)
    joints = swaying.copy()
    for side, (ankle, toe) in enumerate(FEET):
        knee, reached = bend_leg(swaying[:, [1 + side, 4 + side, ankle, toe]], swaying[:, 1 + side], body[:, ankle])
        joints[:, toe] += reached - joints[:, ankle]
        joints[:, 4 + side], joints[:, ankle] = knee, reached
    planted = plant_feet(hold_bones_like(body, joints))
    assert np.allclose(np.linalg.norm(bone_offsets(planted), axis=-1), lengths, atol=1e-9)


def test_a_straight_knee_keeps_its_bones() -> None:
    leg = np.array([[[0.0, 1.0, 0.0], [0.0, 0.6, 0.0], [0.0, 0.2, 0.0], [0.0, 0.1, 0.1]]])
    knee, ankle = bend_leg(leg, leg[:, 0], np.array([[0.0, 0.4, 0.0]]))
    assert np.linalg.norm(knee - leg[:, 0]) == pytest.approx(0.4)
    assert np.linalg.norm(ankle - knee) == pytest.approx(0.4) and knee[0, 2] > 0.2, "it bends to the toe"
    _, short = bend_leg(leg, leg[:, 0], np.array([[0.0, -1.0, 0.0]]))
    assert 0.99 * 0.8 < np.linalg.norm(short - leg[:, 0]) <= 0.8


def test_values_are_constant_within_intervals_and_near_the_given_ones() -> None:
    values = np.cumsum(np.random.default_rng(0).normal(size=(50, 2)), axis=0)
    held = hold_still(values, [(5, 15), (15, 20), (30, 31)])
    assert np.ptp(held[5:15], axis=0).max() < 1e-9 and np.ptp(held[15:20], axis=0).max() < 1e-9
    assert np.abs(held[5] - values[5:15].mean(axis=0)).max() < 1.5 and np.abs(held[40:] - values[40:]).max() < 0.05
    assert np.allclose(hold_still(values, []), values)
    at = hold_still(values, [(5, 15), (20, 30)], at=2.0)
    assert np.abs(at[[5, 14, 20, 29]] - 2.0).max() < 1e-4
    assert np.allclose(hold_still(values[:2], [(0, 2)]), values[:2].mean(axis=0))


@pytest.mark.parametrize("frames", [1, 2, 4, 8])
def test_short_motions_are_cleaned_too(frames: int) -> None:
    features = np.zeros((frames, 263), dtype=np.float32)
    cleaned = clean_features(with_joints(features, as_decoded(standing(frames))))
    assert cleaned.shape == features.shape and bone_range(features_to_joints(cleaned)) < 1e-4


def test_a_body_without_extent_stays_as_it_is() -> None:
    features = np.zeros((20, 263), dtype=np.float32)
    assert np.array_equal(clean_features(features), features)


def test_rotating_bodies_keep_their_pose() -> None:
    joints, _ = made_motion("turns 540 degrees")
    assert np.linalg.norm(clean_joints(joints) - joints, axis=-1).mean() < 0.05


def test_real_walks_hardly_change(data_dir: Path) -> None:
    path = data_dir / "mocap" / "bandai.npz"
    if not path.is_file():
        pytest.skip(f"needs the recordings in {path}")
    walks = [clip for clip in read_packed(path) if "_walk_normal" in clip.id][:4]
    assert walks
    for clip in walks:
        joints = features_to_joints(motion_from_source(clip.source, clip.id).features)
        assert np.linalg.norm(clean_joints(joints) - joints, axis=-1).mean() < 8 * MILLIMETRE
