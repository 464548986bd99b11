"""Joining clips into one long motion."""

from itertools import pairwise

import numpy as np
import pytest

from remogpt.data.compose import join_motions
from remogpt.data.humanml3d import MotionTextSet
from remogpt.motion import joints_to_features
from remogpt.motion.features import canonicalize, to_target_skeleton
from remogpt.motion.inverse_kinematics import heading
from remogpt.motion.kinematics import chain_forward_kinematics
from remogpt.motion.skeleton import BONE_LENGTHS, PARENTS
from remogpt.runtime.errors import RemogptError


@pytest.fixture(scope="module")
def clips(tiny_set) -> list[np.ndarray]:
    """Three clips, the second of a tall person who stands elsewhere and faces elsewhere."""
    motions = MotionTextSet.open(tiny_set)
    found = [np.load(motions.folder / "new_joints" / f"{name}.npy") for name in ("000000", "000003", "000004")]
    turn = np.array([[0.0, 0.0, -1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    return [found[0], 1.2 * found[1] @ turn + [3.0, 0.5, -2.0], found[2]]


def yaw_of(joints: np.ndarray) -> np.ndarray:
    facing = heading(joints, hip_swap=False)
    return np.arctan2(facing[:, 0], facing[:, 2])


def test_each_clip_is_found_whole_at_its_span(clips) -> None:
    joints, spans = join_motions(clips, blend=5)
    lengths = [len(clip) for clip in clips]
    starts = np.cumsum([0, *[length + 5 for length in lengths[:-1]]])
    assert spans == [(start, start + length) for start, length in zip(starts, lengths, strict=True)]
    assert joints.shape == (sum(lengths) + 10, 22, 3) and joints.dtype == np.float32
    for (start, end), clip in zip(spans, clips, strict=True):
        alone = canonicalize(to_target_skeleton(clip))
        assert np.allclose(canonicalize(joints[start:end]), alone, atol=1e-5)


def test_place_heading_and_speed_go_on(clips) -> None:
    joints, spans = join_motions(clips, blend=5)
    steps = np.linalg.norm(np.diff(joints, axis=0), axis=-1).max(axis=1)
    for (_, before), (after, _) in pairwise(spans):
        turns = np.angle(np.exp(1j * np.diff(yaw_of(joints[before - 1 : after + 1]))))
        # Over the whole way between two clips the body turns no more than the clips themselves turn there.
        assert abs(turns.sum()) < 0.1
        # A cut would put the largest move of a joint into one frame.
        changes = np.abs(np.diff(joints[before - 2 : after + 2], n=2, axis=0)).max()
        cut = np.abs(joints[after] - joints[before - 1])[:, 1].max()
        assert steps[before - 1 : after].max() < 0.5 * max(cut, 0.4) and changes < 0.15


def test_a_walk_goes_on_at_its_speed() -> None:
    pose = _standing()
    walk = pose[None] + np.arange(40)[:, None, None] * np.array([0.0, 0.0, 0.05])
    joints, spans = join_motions([walk, walk @ np.diag([-1.0, 1.0, -1.0])], blend=7)  # the second walks the other way
    steps = np.diff(joints[:, 0], axis=0)
    assert spans == [(0, 40), (47, 87)]
    assert np.allclose(steps, steps[0], atol=1e-5) and steps[0, 2] > 0.03


def test_who_ends_with_turned_shoulders_goes_on_where_hips_and_shoulders_face_together() -> None:
    """As features have the heading; shoulders are wider than hips, and count for more."""
    angle = 0.8
    turn = np.array([[np.cos(angle), 0.0, -np.sin(angle)], [0.0, 1.0, 0.0], [np.sin(angle), 0.0, np.cos(angle)]])
    ends = np.repeat(_standing()[None], 20, axis=0)
    walk = ends + np.arange(20)[:, None, None] * np.array([0.0, 0.0, 0.05])
    ends[-5:, 9:] = (ends[-5:, 9:] - ends[-5:, 9:10]) @ turn + ends[-5:, 9:10]  # the chest and what it carries
    joints, spans = join_motions([ends, walk], blend=3)
    way = joints[spans[1][1] - 1, 0] - joints[spans[1][0], 0]
    last = yaw_of(joints)[spans[0][1] - 1]
    assert 0.2 < abs(last) < angle and np.arctan2(way[0], way[2]) == pytest.approx(last, abs=1e-3)


def test_the_person_between_two_clips_has_bones_and_a_floor(clips) -> None:
    joints, spans = join_motions(clips, blend=9)
    between = np.concatenate([joints[: spans[0][1]][-1:], joints[spans[0][1] : spans[1][0]]])
    bones = np.linalg.norm(between[:, 1:] - between[:, list(PARENTS[1:])], axis=-1)
    assert np.allclose(bones, np.abs(BONE_LENGTHS[1:]), atol=1e-4)
    assert joints[..., 1].min() > -1e-5


def test_features_can_be_made_and_cut_like_those_of_the_clip(clips) -> None:
    joints, spans = join_motions(clips)
    features = joints_to_features(joints)
    start, end = spans[1]
    own, cut = joints_to_features(clips[1]), features[start : end - 1]
    # Steps, heights and joint positions agree but for the smoothed heading at the clip's ends.
    assert features.shape == (len(joints) - 1, 263)
    assert np.abs(own[20:-20, :67] - cut[20:-20, :67]).max() < 0.05


def test_one_clip_and_no_blend(clips) -> None:
    assert join_motions(clips[:1])[1] == [(0, len(clips[0]))]
    joints, spans = join_motions(clips[:2], blend=0)
    assert spans[1][0] == spans[0][1] and len(joints) == len(clips[0]) + len(clips[1])
    assert np.linalg.norm(joints[spans[1][0], 0, [0, 2]] - joints[spans[1][0] - 1, 0, [0, 2]]) < 0.1


@pytest.mark.parametrize(
    ("joined", "message"),
    [
        ([], "at least one clip"),
        ([np.zeros((5, 21, 3))], "clip 0: wanted joints"),
        ([np.ones((1, 22, 3))], "at least 2"),
    ],
)
def test_what_cannot_be_joined(joined, message: str) -> None:
    with pytest.raises(RemogptError, match=message):
        join_motions(joined)


def test_a_negative_blend_is_refused(clips) -> None:
    with pytest.raises(RemogptError, match="blend: wanted 0 or more frames, got -1"):
        join_motions(clips, blend=-1)


def _standing() -> np.ndarray:
    """The skeleton's rest pose, (22, 3)."""
    rotations = np.broadcast_to(np.eye(3), (1, 22, 3, 3))
    return np.asarray(chain_forward_kinematics(rotations, np.array([[0.0, 1.0, 0.0]])))[0]
