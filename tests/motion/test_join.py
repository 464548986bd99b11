"""Motions are joined: each goes on where and as the one before ends, or one is laid over another."""

import numpy as np
import pytest

from remogpt.data.procedural.animate import animate
from remogpt.data.procedural.script import Action, Script, Step
from remogpt.motion.facts import Fact, check
from remogpt.motion.inverse_kinematics import heading
from remogpt.motion.join import LEAST, MOST, distance, join, layer
from remogpt.motion.rotations import quaternion_rotate

GROUND = [0, 2]


def motion(*actions: Action) -> np.ndarray:
    joints: np.ndarray = animate(Script((Step(actions),)), np.random.default_rng(0)).joints.astype(np.float64)
    return joints


@pytest.fixture(scope="module")
def walk() -> np.ndarray:
    return motion(Action("walk", direction="forward", distance=3.0))


@pytest.fixture(scope="module")
def turn() -> np.ndarray:
    return motion(Action("turn", direction="left", angle=90.0))


@pytest.fixture(scope="module")
def squat() -> np.ndarray:
    return motion(Action("squat", count=1))


def elsewhere(joints: np.ndarray, angle: float = 2.0) -> np.ndarray:
    around = np.array([np.cos(angle / 2), 0.0, np.sin(angle / 2), 0.0])
    moved: np.ndarray = quaternion_rotate(np.broadcast_to(around, (*joints.shape[:2], 4)), joints)
    return moved + np.array([3.0, 0.0, -1.0])


def facing(joints: np.ndarray) -> np.ndarray:
    return heading(joints, hip_swap=False)


def test_one_motion_stays_as_it_is(walk: np.ndarray) -> None:
    assert np.array_equal(join([walk]), walk)


def test_what_follows_faces_as_the_one_before_and_keeps_its_shape(turn: np.ndarray, squat: np.ndarray) -> None:
    joined = join([turn, squat])
    between = len(joined) - len(turn) - len(squat)
    assert np.array_equal(joined[: len(turn)], turn)
    own = joined[len(turn) + between :]
    np.testing.assert_allclose(facing(own[:1]), facing(turn[-1:]), atol=1e-4)
    np.testing.assert_allclose(facing(turn[-1:]), [[1, 0, 0]], atol=0.1)
    pairwise = [np.linalg.norm(one[:, :, None] - one[:, None], axis=-1) for one in (own, squat)]
    np.testing.assert_allclose(*pairwise, atol=1e-9)
    np.testing.assert_allclose(own[..., 1], squat[..., 1], atol=1e-12)
    assert np.linalg.norm((own[0, 0] - turn[-1, 0])[GROUND]) < 0.15


def test_where_what_follows_stood_does_not_matter(walk: np.ndarray, squat: np.ndarray) -> None:
    np.testing.assert_allclose(join([walk, elsewhere(squat)]), join([walk, squat]), atol=1e-9)
    assert distance(walk, elsewhere(squat)) == pytest.approx(distance(walk, squat))


def test_a_walk_goes_on(walk: np.ndarray) -> None:
    steady = slice(15, -15)  # without its beginning and end
    joined = join([walk[steady], walk[steady]])
    way = np.diff(joined[:, 0, GROUND], axis=0)
    seam = slice(len(walk[steady]) - 2, len(joined) - len(walk[steady]) + 1)
    usual = np.linalg.norm(np.diff(walk[steady][:, 0, GROUND], axis=0), axis=-1)
    speeds = np.linalg.norm(way, axis=-1)[seam]
    assert usual.mean() / 2 < speeds.min() and speeds.max() < 1.5 * usual.max()


def test_far_poses_take_longer(walk: np.ndarray, squat: np.ndarray) -> None:
    def passage(one: np.ndarray, following: np.ndarray) -> int:
        return len(join([one, following])) - len(one) - len(following)

    low = squat[: int(squat[:, 0, 1].argmin()) + 1]
    assert passage(squat, walk) == LEAST and distance(squat, walk) < 0.2
    assert LEAST < passage(low, walk) <= MOST and distance(low, walk) > 0.3
    between = join([low, walk])[len(low) - 1 : -len(walk) + 1]
    assert (
        np.linalg.norm(np.diff(between, axis=0), axis=-1).max() < 0.3
    )  # metres a frame, and the walk begins with a swing


def test_three_motions(walk: np.ndarray, turn: np.ndarray, squat: np.ndarray) -> None:
    assert np.array_equal(join([walk, turn, squat]), join([join([walk, turn]), squat]))


@pytest.mark.parametrize("arms_only", [True, False])
def test_the_upper_body_of_one_is_laid_over_the_legs_of_another(walk: np.ndarray, arms_only: bool) -> None:
    wave = elsewhere(motion(Action("wave", "left", count=3)))
    layered = layer(walk, wave, arms_only=arms_only)
    legs = [0, 1, 2, 4, 5, 7, 8, 10, 11]
    assert np.array_equal(layered[:, legs], walk[:, legs]) and layered.shape == walk.shape
    trunk = [3, 6, 9, 12, 13, 14, 15]
    assert np.array_equal(layered[:, trunk], walk[:, trunk]) == arms_only
    assert check(Fact("waves", {"side": "left"}), layered) and not check(Fact("waves", {"side": "left"}), walk)
    assert check(Fact("walks", {"direction": "forward"}), layered)
    arm = [np.linalg.norm(joints[:, 20] - joints[:, 18], axis=-1) for joints in (layered, wave)]
    np.testing.assert_allclose(arm[0][10:-10], np.median(arm[1]), atol=1e-3)


def test_what_is_laid_over_fades_in_and_out(walk: np.ndarray) -> None:
    twice = join([walk, walk])
    raised = motion(Action("raise", "both", direction="side"))[20:50]
    layered = layer(twice, raised, arms_only=True)
    first = (len(twice) - len(raised)) // 2
    changed = np.flatnonzero(np.abs(layered - twice).max(axis=(1, 2)) > 1e-9)
    assert (changed[0], changed[-1]) == (first, first + len(raised) - 1)
    jump = np.linalg.norm(np.diff(layered[:, 20], axis=0), axis=-1).max()
    assert jump < 0.25 < np.linalg.norm(layered[first + 15, 20] - twice[first + 15, 20])
