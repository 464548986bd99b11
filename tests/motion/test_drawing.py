"""Both judges tell circles, triangles and crosses that a hand draws in the air, by which hand, and from other ways."""

import numpy as np
import pytest

from remogpt.data.procedural.animate import animate
from remogpt.data.procedural.script import Action, Script, Step
from remogpt.eval.detectors import facts_hold
from remogpt.motion.facts import Fact, describe, facts_correct
from remogpt.motion.skeleton import JOINT_INDEX

SHAPES = ("draws_circle", "draws_triangle", "draws_cross")
FRAMES = 28
"""Of a shape; the hand comes up and goes down in 14 each."""


def around(places: list[tuple[float, float]]) -> np.ndarray:
    """Return a way (28, 2) of straight lines through places, metres (to the left, up)."""
    corners = np.array(places)
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(corners, axis=0), axis=-1))])
    at = np.linspace(0.0, along[-1], FRAMES)
    return np.stack([np.interp(at, along, corners[:, axis]) for axis in (0, 1)], axis=-1)


def ring(turns: float = 1.0, wide: float = 0.25, high: float = 0.25) -> np.ndarray:
    """Return a way (N, 2) around an ellipse from its top, metres."""
    angle = 2.0 * np.pi * np.linspace(0.0, turns, round(FRAMES * abs(turns)))
    return np.stack([wide * np.sin(angle), high * np.cos(angle)], axis=-1)


WAYS = {
    "draws_circle": ring(),
    "draws_triangle": around([(0.0, 0.25), (0.27, -0.2), (-0.27, -0.2), (0.0, 0.25)]),
    "draws_cross": around([(-0.22, 0.25), (0.22, -0.25), (0.22, 0.25), (-0.22, -0.25)]),
}


def drawn(way: np.ndarray, *sides: str, noise: float = 0.0) -> np.ndarray:
    """Return joints (T, 22, 3) of a person whose hands come up, go along a way (N, 2) before the body, and go down."""
    still = animate(Script((Step((Action("stand"),)),)), np.random.default_rng(0)).joints[:1].astype(float)
    joints = np.repeat(still, len(way) + 40, axis=0)
    for side in sides:
        shoulder, wrist = (JOINT_INDEX[f"{side}_{name}"] for name in ("shoulder", "wrist"))
        raised = joints[:, shoulder] + [0.0, 0.05, 0.38]
        place = np.pad(way, ((20, 20), (0, 0)), mode="edge")
        raised[:, :2] += place
        frames = np.arange(len(joints))
        up = np.clip(np.minimum(frames - 4, len(joints) - 5 - frames) / 14.0, 0.0, 1.0)
        up = (up * up * (3.0 - 2.0 * up))[:, None]
        joints[:, wrist] += up * (raised - joints[:, wrist])
        joints[:, JOINT_INDEX[f"{side}_elbow"]] = 0.5 * (joints[:, shoulder] + joints[:, wrist]) - [0.0, 0.08, 0.0]
        joints[:, wrist] += np.random.default_rng(0).normal(0.0, noise, (len(joints), 3))
    return joints


def shapes(joints: np.ndarray, side: str) -> list[list[str]]:
    """Return the shapes that a hand draws, by the predicates and by the second detectors."""
    facts = [Fact(name, {"side": side}) for name in SHAPES]
    answers = (facts_correct(facts, joints), facts_hold(facts, joints))
    return [[name for name, holds in zip(SHAPES, held, strict=True) if holds] for held in answers]


@pytest.mark.parametrize("noise", [0.0, 0.006])
@pytest.mark.parametrize("mirrored", [1, -1])
@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_is_told_from_the_others_whichever_hand_and_way(
    name: str, side: str, mirrored: int, noise: float
) -> None:
    joints = drawn(WAYS[name] * [mirrored, 1.0], side, noise=noise)
    other = "right" if side == "left" else "left"
    assert shapes(joints, side) == [[name], [name]]
    assert shapes(joints, other) == [[], []]


@pytest.mark.parametrize(
    "way",
    [
        np.zeros((FRAMES, 2)),
        around([(-0.3, 0.0), (0.3, 0.0), (-0.3, 0.0), (0.3, 0.0)]),
        around([(-0.25, 0.2), (0.25, -0.2)]),
        ring(0.45),
        ring(4.0),
        ring(wide=0.06, high=0.06),
        ring(wide=0.3, high=0.05),
    ],
    ids=["still", "to and fro", "one stroke", "arc", "round and round", "small", "flat"],
)
def test_other_ways_of_a_hand_are_no_shape(way: np.ndarray) -> None:
    assert shapes(drawn(way, "right"), "right") == [[], []]


@pytest.mark.parametrize("name", SHAPES)
def test_both_hands_together_draw_no_shape(name: str) -> None:
    assert shapes(drawn(WAYS[name], "left", "right"), "right") == [[], []]


@pytest.mark.parametrize(
    "other",
    [
        Action("wave", side="right", count=3),
        Action("wipe", side="right"),
        Action("stir", side="right"),
        Action("arm_circle", side="right", direction="forward", count=3),
        Action("punch", side="right", count=2),
        Action("knock", side="right", count=3),
        Action("throw", side="right", direction="overhand"),
        Action("swim", direction="crawl", count=2),
    ],
    ids=lambda action: action.name,
)
def test_other_gestures_draw_no_shape(other: Action) -> None:
    for seed in range(4):
        joints = animate(Script((Step((other,)),)), np.random.default_rng(seed)).joints
        assert shapes(joints, "right") == [[], []]


def test_shapes_are_told_in_plain_words() -> None:
    assert describe(Fact("draws_circle", {"side": "right"})) == "draws a circle in the air with the right hand"
    assert describe(Fact("draws_cross")) == "draws a cross in the air with one hand"
