"""Foreign skeletons on our joints: sizes, which way is up, and above all which side is left."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from remogpt.data.importers.packed import read_packed
from remogpt.motion import joints_to_features
from remogpt.motion.files.bvh import read_bvh
from remogpt.motion.files.read import load_motion, motion_from_source
from remogpt.motion.retarget import SourceMotion, find_table, to_joints
from remogpt.motion.skeleton import JOINT_INDEX, JOINT_NAMES, PARENTS
from remogpt.motion.skeleton_table import skeleton_tables
from remogpt.runtime.errors import RemogptError


def _at(joints: np.ndarray, name: str) -> np.ndarray:
    return joints[:, JOINT_INDEX[name]]


def _forward(joints: np.ndarray) -> np.ndarray:
    """Where the body faces, from the sides as we name them: left x up, (T, 3)."""
    left = (
        _at(joints, "left_hip")
        - _at(joints, "right_hip")
        + _at(joints, "left_shoulder")
        - _at(joints, "right_shoulder")
    )
    return np.cross(left, [0.0, 1.0, 0.0])


def _toes_point_forward(joints: np.ndarray) -> float:
    """Share of frames in which the feet point where the sides say the body faces; a mirrored person scores 0."""
    toes = _at(joints, "left_foot") - _at(joints, "left_ankle") + _at(joints, "right_foot") - _at(joints, "right_ankle")
    return float(((toes * _forward(joints)).sum(-1) > 0).mean())


def test_every_table_covers_our_joints_and_keeps_handedness() -> None:
    tables = skeleton_tables()
    assert set(tables) == {"own", "bandai", "cmu_amc", "cmu_bvh", "utd_mhad"}
    for table in tables.values():
        assert tuple(table.joints) == JOINT_NAMES
        assert np.linalg.det(table.axes) == pytest.approx(1.0)
        for left, right in ((n, n.replace("left", "right")) for n in JOINT_NAMES if n.startswith("left")):
            assert sorted(table.joints[left].values()) == sorted(table.joints[right].values()), table.name
            assert set(table.joints[left]) != set(table.joints[right]), table.name


@pytest.mark.parametrize("name", ["dataset-2_wave-left-hand_active_001.bvh", "02_03.amc", "a1_s1_t1_skeleton.mat"])
def test_person_is_upright_human_sized_and_not_mirrored(data_dir: Path, name: str) -> None:
    joints = load_motion(data_dir / "raw" / name).joints
    height = (_at(joints, "head") - 0.5 * (_at(joints, "left_ankle") + _at(joints, "right_ankle")))[:, 1]
    assert 1.1 < np.median(height) < 1.8
    assert _toes_point_forward(joints) > 0.95
    bones = np.linalg.norm(joints - joints[:, [max(parent, 0) for parent in PARENTS]], axis=-1)[:, 1:]
    assert bones.min() > 0.01 and bones.max() < 0.6


def test_the_left_hand_waves_in_the_file_that_says_so(data_dir: Path) -> None:
    joints = load_motion(data_dir / "raw/dataset-2_wave-left-hand_active_001.bvh").joints
    head = _at(joints, "head")[:, 1]
    assert (_at(joints, "left_wrist")[:, 1] - head).max() > 0.2
    assert (_at(joints, "right_wrist")[:, 1] - head).max() < -0.2


def test_turning_left_turns_left(data_dir: Path) -> None:
    forward = _forward(load_motion(data_dir / "raw/dataset-2_walk-turn-left_elderly_001.bvh").joints)
    heading = np.unwrap(np.arctan2(forward[:, 0], forward[:, 2]))  # grows counterclockwise seen from above
    assert np.degrees(heading[-1] - heading[0]) == pytest.approx(90, abs=30)


def test_one_handed_actions_of_utd_mhad_are_done_with_the_right_hand(data_dir: Path) -> None:
    """All 861 clips: the labels say right arm, the left foot lunges, clockwise is as the person sees it."""
    right_handed = {1, 2, 3, 5, 8, 9, 10, 11, 12, 15, 17, 19, 20, 21}
    moved_more, lunges, clockwise, facing = [], [], {9: [], 10: []}, []
    for clip in read_packed(data_dir / "mocap/utd_mhad.npz"):
        joints = to_joints(clip.source, "utd_mhad")
        action = int(clip.id.split("_")[0][1:])
        relative = joints - joints[:, :1]
        facing.append(_toes_point_forward(joints))
        if action in right_handed:
            left, right = (np.linalg.norm(np.ptp(_at(relative, f"{side}_wrist"), axis=0)) for side in ("left", "right"))
            moved_more.append(right > left)
        if action == 26:
            lunges.append(_at(relative, "left_foot")[:, 2].max() > _at(relative, "right_foot")[:, 2].max() + 0.1)
        if action in clockwise:
            hand = (_at(joints, "right_wrist") - _at(joints, "right_shoulder"))[:, [0, 1]] * [
                -1,
                1,
            ]  # as the person sees it
            hand = hand - hand.mean(0)
            clockwise[action].append(np.sum(hand[:-1, 0] * hand[1:, 1] - hand[:-1, 1] * hand[1:, 0]) < 0)
    assert len(facing) == 861
    assert np.mean(facing) > 0.97
    assert np.mean(moved_more) > 0.99
    assert np.mean(lunges) == 1.0
    assert np.mean(clockwise[9]) == 1.0
    assert np.mean(clockwise[10]) == 0.0


def test_every_packed_cmu_and_bandai_clip_faces_its_toes(data_dir: Path) -> None:
    for name in ("cmu", "cmu_bvh", "bandai"):
        shares = [
            _toes_point_forward(to_joints(clip.source))
            for number, clip in enumerate(read_packed(data_dir / f"mocap/{name}.npz"))
            if name != "bandai" or number % 20 == 0
        ]
        assert np.median(shares) == 1.0, name
        assert np.mean(shares) > 0.93, name  # climbing, cartwheels and pirouettes point their toes elsewhere


def test_features_of_a_recorded_walk_look_like_the_feature_format(data_dir: Path) -> None:
    """Mean over the clip within 4 of HumanML3D's own grouped deviations on every channel, below 0.8 on average."""
    mean, std = (np.load(data_dir / f"humanml3d_sample/{name}.npy") for name in ("Mean", "Std"))
    for name in ("dataset-2_walk-turn-left_elderly_001.bvh", "39_01.amc"):
        score = np.abs((load_motion(data_dir / "raw" / name).features - mean) / std).mean(0)
        assert np.abs(score).mean() < 1.5, name
        center = np.abs((load_motion(data_dir / "raw" / name).features.mean(0) - mean) / std)
        assert center.mean() < 0.8 and center.max() < 4, name


def test_amc_and_bvh_of_the_same_person_agree_in_directions(data_dir: Path) -> None:
    """Subject 7 walks in both packed sets; the average upright pose, on one body, is the same within 6 cm."""
    poses = []
    for name, trials in (("cmu", ("7_1", "7_2")), ("cmu_bvh", ("7_4", "7_5"))):
        clips = [clip for clip in read_packed(data_dir / f"mocap/{name}.npz") if clip.id in trials]
        features = [joints_to_features(motion_from_source(clip.source, clip.id).joints) for clip in clips]
        poses.append(np.concatenate(features)[:, 4:67].mean(0).reshape(21, 3))
    assert np.linalg.norm(poses[0] - poses[1], axis=-1).max() < 0.12
    assert np.linalg.norm(poses[0] - poses[1], axis=-1).mean() < 0.06


def test_missing_joints_are_between_their_neighbours(data_dir: Path) -> None:
    source = read_bvh(data_dir / "raw/dataset-1_kick_normal_001.bvh")
    joints = to_joints(source)
    low, high = source.positions[:, source.names.index("Chest"), 1] * 0.01, _at(joints, "neck")[:, 1]
    upright = high - low > 0.1
    between = _at(joints, "spine3")[:, 1]
    assert upright.any()
    assert ((between > low - 0.05) & (between < high))[upright].all()


def test_units_are_found_by_the_length_of_the_leg(data_dir: Path) -> None:
    source = read_bvh(data_dir / "raw/dataset-1_kick_normal_001.bvh")
    metres = SourceMotion(source.names, source.positions * 0.01, source.fps, "metres")
    np.testing.assert_allclose(to_joints(metres), to_joints(source), atol=1e-9)
    with pytest.raises(RemogptError, match=r"mouse: expected a leg of .*\(0.01 m, 1 m\)"):
        to_joints(SourceMotion(source.names, source.positions * 0.0003, source.fps, "mouse"))


def test_unknown_skeletons_are_explained() -> None:
    def source(*names: str, parents: tuple[int, ...] | None = None) -> SourceMotion:
        return SourceMotion(names, np.zeros((3, len(names), 3)), 20.0, "a.bvh", parents)

    with pytest.raises(RemogptError, match="no skeleton named 'smpl'; known: bandai, cmu_amc, cmu_bvh, own, utd_mhad"):
        find_table(source("Hips"), "smpl")
    with pytest.raises(RemogptError, match=r"a\.bvh: joint names fit no known skeleton: Hips, Tail"):
        find_table(source("Hips", "Tail"))
    with pytest.raises(RemogptError, match=r"no left leg \(hip, knee, ankle\); the file has Hips, Tail.*data map FILE"):
        find_table(source("Hips", "Tail", parents=(-1, 0)))
    with pytest.raises(RemogptError, match="the skeleton bandai wants joints that the file lacks: Hips, Spine"):
        find_table(source(*JOINT_NAMES), "bandai")
