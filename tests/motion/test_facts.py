"""Predicates on bodies moved by hand-written formulas, where the answer is known, and on real recordings."""

from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from remogpt.motion.body import Body
from remogpt.motion.facts import (
    Fact,
    check,
    completions,
    describe,
    facts_correct,
    facts_of_claims,
    implied,
    related,
)
from remogpt.motion.predicates import PREDICATES
from remogpt.motion.predicates.ground import kneels_on_both
from remogpt.motion.predicates.hands import covers_face
from remogpt.motion.predicates.intervals import excursions, stretches, swings, trimmed
from remogpt.motion.predicates.relations import relation
from remogpt.motion.predicates.trunk import bends_sideways
from remogpt.motion.predicates.values import values_of
from remogpt.motion.skeleton import JOINT_INDEX, JOINT_NAMES, PARENTS, TARGET_OFFSETS
from remogpt.runtime.errors import RemogptError

SECOND = 20


def standing(num_frames: int) -> np.ndarray:
    """(T, 22, 3) of a person who stands still with hanging arms, facing +z."""
    joints = np.zeros((22, 3))
    for joint in range(1, 22):
        joints[joint] = joints[PARENTS[joint]] + TARGET_OFFSETS[joint]
    joints[:, 1] -= joints[:, 1].min() - 0.02
    return np.repeat(joints[None], num_frames, axis=0)


def placed(joints: np.ndarray, path: np.ndarray, yaw: np.ndarray | float = 0.0) -> np.ndarray:
    """Turn each frame by yaw (to the left, radians) about the pelvis and move it along path (T, 3)."""
    yaw = np.broadcast_to(np.asarray(yaw, dtype=float), len(joints))
    cos, sin = np.cos(yaw)[:, None], np.sin(yaw)[:, None]
    centre = joints[:, :1] * [1.0, 0.0, 1.0]
    x, y, z = np.moveaxis(joints - centre, -1, 0)
    return np.stack([cos * x + sin * z, y, cos * z - sin * x], axis=-1) + centre + path[:, None]


def stepping(joints: np.ndarray, period: int = 22, size: float = 0.22) -> np.ndarray:
    """Swing the legs fore and aft in turn."""
    phase = 2 * np.pi * np.arange(len(joints)) / period
    moved = joints.copy()
    for side, sign in (("left", 1.0), ("right", -1.0)):
        for name, share in (("knee", 0.5), ("ankle", 1.0), ("foot", 1.0)):
            moved[:, JOINT_INDEX[f"{side}_{name}"], 2] += share * sign * size * np.sin(phase)
    return moved


def ramp(num_frames: int, start: int, end: int) -> np.ndarray:
    """(T,) from 0 to 1 between two frames, smoothly."""
    share = np.clip((np.arange(num_frames) - start) / (end - start), 0.0, 1.0)
    return share * share * (3.0 - 2.0 * share)


def arm(joints: np.ndarray, side: str, elbow: np.ndarray, wrist: np.ndarray, when: np.ndarray) -> np.ndarray:
    """Blend an arm towards an elbow and a wrist (…, 3) from the shoulder, x outwards; when (T,) is the share."""
    mirror = np.array([1.0 if side == "left" else -1.0, 1.0, 1.0])
    moved = joints.copy()
    shoulder = moved[:, JOINT_INDEX[f"{side}_shoulder"]]
    for name, target in (("elbow", elbow), ("wrist", wrist)):
        index = JOINT_INDEX[f"{side}_{name}"]
        moved[:, index] += when[:, None] * (shoulder + np.asarray(target) * mirror - moved[:, index])
    return moved


def waving(side: str, count: int, num_frames: int = 90) -> np.ndarray:
    """A forearm up, swinging sideways `count` times."""
    time = np.arange(num_frames) - 20.0
    swing = 0.15 * np.sin(2 * np.pi * np.clip(time / 12.0, 0.0, count))
    wrist = np.stack([0.15 + swing, np.full(num_frames, 0.25), np.full(num_frames, 0.1)], axis=-1)
    up = ramp(num_frames, 8, 18) - ramp(num_frames, 22 + 12 * count, 34 + 12 * count)
    return arm(standing(num_frames), side, np.array([0.15, -0.02, 0.08]), wrist, up)


def holds(name: str, joints: np.ndarray, **params: object) -> bool:
    return check(Fact(name, dict(params)), joints)


def test_raised_hand_names_its_side() -> None:
    up = ramp(60, 10, 20) - ramp(60, 40, 50)
    joints = arm(standing(60), "left", np.array([0.26, 0.0, 0.0]), np.array([0.26, 0.27, 0.0]), up)
    joints = arm(joints, "left", np.array([0.05, 0.26, 0.0]), np.array([0.05, 0.52, 0.0]), ramp(60, 18, 26) * up)
    assert holds("raises_hand", joints, side="left") and holds("raises_hand", joints, side="left", direction="side")
    assert not holds("raises_hand", joints, side="right") and not holds("raises_hand", joints, side="both")
    assert not holds("raises_hand", standing(60), side="left")


@pytest.mark.parametrize("count", [2, 3, 4])
def test_waves_are_counted(count: int) -> None:
    joints = waving("right", count)
    assert holds("waves", joints, side="right", count=count)
    assert not holds("waves", joints, side="right", count=count - 1)
    assert not holds("waves", joints, side="right", count=count + 2)  # from five on, one more or less is the same
    assert not holds("waves", joints, side="left") and not holds("waves", joints, side="both")


@pytest.mark.parametrize(("degrees", "direction"), [(90.0, "left"), (-180.0, "right"), (360.0, "left")])
def test_turns_are_signed_and_measured(degrees: float, direction: str) -> None:
    joints = placed(standing(80), np.zeros((80, 3)), np.radians(degrees) * ramp(80, 15, 65) + 2.0)
    other = "right" if direction == "left" else "left"
    assert holds("turns", joints, direction=direction, angle=abs(degrees), moving=False)
    assert not holds("turns", joints, direction=direction, moving=True)
    assert not holds("turns", joints, direction=other)
    assert not holds("turns", joints, direction=direction, angle=abs(degrees) / 2)


@pytest.mark.parametrize("yaw", [0.0, 1.0, -2.5, 3.1])
def test_walking_is_seen_from_the_body_whatever_the_heading(yaw: float) -> None:
    way = 3.0 * ramp(80, 5, 75)[:, None] * np.array([np.sin(yaw), 0.0, np.cos(yaw)])
    joints = placed(stepping(standing(80)), way, yaw)
    assert holds("walks", joints, direction="forward", distance=3.0)
    assert not holds("walks", joints, direction="backward")
    assert not holds("walks", joints, direction="forward", distance=5.0)
    assert not holds("runs", joints) and not holds("sidesteps", joints, direction="left")
    assert holds("walks", placed(stepping(standing(80)), -way, yaw), direction="backward")


def test_circles_turn_the_named_way() -> None:
    angle = 2 * np.pi * ramp(150, 0, 149)
    path = np.stack([-np.cos(angle) + 1.0, 0 * angle, np.sin(angle)], axis=-1)
    clockwise = placed(stepping(standing(150)), path * [1.0, 1.0, 1.0], angle)
    assert holds("circles", clockwise, direction="counterclockwise")  # facing +z and curving to +x is to the left
    assert not holds("circles", clockwise, direction="clockwise")


def test_jumps_need_both_feet_and_are_counted() -> None:
    height = 0.2 * np.clip(np.sin(2 * np.pi * np.arange(72) / 24.0), 0.0, None)
    joints = placed(standing(72), height[:, None] * np.array([0.0, 1.0, 0.0]))
    assert holds("jumps", joints, count=3, direction="up")
    assert not holds("jumps", joints, count=2) and not holds("jumps", joints, direction="forward")
    assert not holds("hops", joints, side="left") and not holds("jumps", standing(72))


def test_squats_are_counted() -> None:
    dip = 0.4 * np.clip(np.sin(2 * np.pi * (np.arange(96) - 6) / 42.0), 0.0, None)
    joints = standing(96)
    feet = [JOINT_INDEX[name] for name in JOINT_NAMES if "ankle" in name or "foot" in name]
    rest = [index for index in range(22) if index not in feet]
    joints[:, rest, 1] -= dip[:, None]
    for knee in ("left_knee", "right_knee"):
        joints[:, JOINT_INDEX[knee], 1] += 0.6 * dip
        joints[:, JOINT_INDEX[knee], 2] += 0.8 * dip
    assert holds("squats", joints, count=2) and not holds("squats", joints, count=1)
    assert not holds("sits", joints) and not holds("kneels", joints, side="left")


@pytest.mark.parametrize(("pelvis", "kneels"), [(0.15, False), (0.3, True), (0.6, True)])
def test_who_sits_between_the_heels_does_not_kneel(pelvis: float, kneels: bool) -> None:
    joints = standing(40)
    joints[..., 1] += pelvis - joints[:, :1, 1]
    for side in ("left", "right"):
        for joint, ahead in (("knee", 0.0), ("ankle", -0.4), ("foot", -0.5)):
            joints[:, JOINT_INDEX[f"{side}_{joint}"], 1:] = 0.05, ahead
    body = Body(joints)
    assert bool(kneels_on_both(body)) == kneels


@pytest.mark.parametrize(
    ("direction", "reach"), [("forward", (0.0, 0.3, 0.6)), ("side", (0.6, 0.3, 0.0)), ("back", (0.0, 0.3, -0.6))]
)
def test_kicks_name_side_and_direction(direction: str, reach: tuple[float, float, float]) -> None:
    share = np.clip(np.sin(2 * np.pi * (np.arange(80) - 10) / 40.0), 0.0, None) ** 2
    joints = standing(80)
    for joint in ("left_ankle", "left_foot"):
        joints[:, JOINT_INDEX[joint]] += share[:, None] * np.array(reach)
    joints[:, JOINT_INDEX["left_knee"]] += 0.5 * share[:, None] * np.array(reach)
    assert holds("kicks", joints, side="left", direction=direction, count=2)
    assert not holds("kicks", joints, side="right")
    others = {"forward", "side", "back"} - {direction}
    assert not any(holds("kicks", joints, side="left", direction=way) for way in others)


def test_swipes_name_hand_and_way() -> None:
    """The other hand stays; both hands together are no swipe."""
    out, across = np.array([0.3, 0.0, 0.4]), np.array([-0.2, 0.0, 0.5])
    up = ramp(80, 5, 20) - ramp(80, 60, 75)
    wrist = out + (across - out) * ramp(80, 30, 38)[:, None]
    one = arm(standing(80), "left", np.array([0.1, -0.1, 0.2]), wrist, up)
    assert holds("swipes", one, side="left", direction="right")
    assert not holds("swipes", one, side="right", direction="right")
    moved = one - one[:, [JOINT_INDEX["left_shoulder"]]]
    both = arm(one, "right", np.array([0.1, -0.1, 0.2]), moved[:, JOINT_INDEX["left_wrist"]] * [-1.0, 1.0, 1.0], up)
    assert not holds("swipes", both, side="left", direction="right")


@pytest.mark.parametrize(("height", "covers"), [(0.05, True), (-0.1, True), (-0.25, False)])
def test_hands_under_the_chin_do_not_cover_the_face(height: float, covers: bool) -> None:
    joints = standing(40)
    for side, x in (("left", 0.04), ("right", -0.04)):
        joints[:, JOINT_INDEX[f"{side}_wrist"]] = joints[:, JOINT_INDEX["head"]] + [x, height, 0.08]
    assert bool(covers_face(Body(joints))) == covers


@pytest.mark.parametrize(("frames", "found"), [(4, []), (5, [(10, 15)])])
def test_a_bend_to_the_side_lasts_a_quarter_of_a_second(frames: int, found: list[tuple[int, int]]) -> None:
    lean = np.zeros((40, 2))
    lean[10 : 10 + frames, 1] = 20.0
    body = cast(Body, SimpleNamespace(lean=lambda: lean))
    assert bends_sideways(body, "left") == found and bends_sideways(body, "right") == []


def test_order_and_simultaneity() -> None:
    both = np.concatenate([waving("left", 3), waving("right", 2)])
    left, right = ({"name": "waves", "params": {"side": side}} for side in ("left", "right"))
    assert holds("before", both, first=left, second=right) and not holds("before", both, first=right, second=left)
    assert not holds("while", both, first=left, second=right)
    walk = placed(stepping(waving("left", 3)), 3.0 * ramp(90, 0, 89)[:, None] * np.array([0.0, 0.0, 1.0]))
    assert holds("while", walk, first=left, second={"name": "walks", "params": {"direction": "forward"}})


def test_jitter_and_size_do_not_matter() -> None:
    rng = np.random.default_rng(0)
    for scale in (0.8, 1.0, 1.25):
        joints = waving("right", 3) * scale + rng.normal(0.0, 0.004, (90, 22, 3))
        assert holds("waves", joints, side="right", count=3) and not holds("waves", joints, side="left")


def test_every_predicate_takes_short_and_still_motions() -> None:
    for joints in (standing(16), standing(400)):
        for name, predicate in PREDICATES.items():
            params = {key: values_of(name, key)[-1] for key in predicate.parameters}
            assert holds(name, joints, **params) is False, name
            assert describe(Fact(name, params))


def test_facts_survive_json_and_know_their_factor() -> None:
    fact = Fact("waves", {"side": "left", "count": 3})
    assert Fact.from_json(fact.to_json()) == fact and fact.factor == "count"
    assert Fact("waves", {"side": "left"}).factor == "side" and Fact("sits").factor == "action"
    assert describe(fact) == "waves with the left hand, 3 times"
    order = Fact("before", {"first": fact.to_json(), "second": Fact("sits").to_json()})
    assert order.factor == "order" and "before sits down" in describe(order)
    assert facts_correct([fact, order], waving("left", 3)) == [True, False]


def test_wrong_facts_and_wrong_joints_are_refused() -> None:
    with pytest.raises(RemogptError, match="unknown fact 'flies'"):
        Fact("flies")
    with pytest.raises(RemogptError, match="fact 'throws': side may be left or right or both, got 'upper'"):
        Fact("throws", {"side": "upper"})
    assert not holds("throws", standing(60), side="both"), "a value of others, which this predicate does not have"
    for count in (0, "three"):
        with pytest.raises(RemogptError, match=f"fact 'waves': count may be a number above 0, got {count!r}"):
            Fact("waves", {"side": "left", "count": count})
    with pytest.raises(RemogptError, match="takes side, count, got colour"):
        Fact("waves", {"colour": "red"})
    with pytest.raises(RemogptError, match=r"\(T >= 16, 22, 3\), got \(8, 22, 3\)"):
        Body(standing(8))
    with pytest.raises(RemogptError, match="finite"):
        Body(standing(20) * np.nan)


def test_intervals() -> None:
    mask = np.array([0, 1, 1, 0, 1, 0, 0, 0, 1], dtype=bool)
    assert stretches(mask, min_frames=2, bridge=1) == [(1, 5)]
    wave = np.array([0, 1, 2, 1, 0, 1, 2, 1, 0], dtype=float)
    assert excursions(wave, 2.0, 0.5) == [(1, 4), (5, 8)]
    assert swings(wave, 1.5) == [(0, 2), (2, 4), (4, 6), (6, 8)] and swings(wave, 3.0) == []
    assert trimmed(np.array([0.0, 0.0, 0.5, 1.0, 1.0]), 0, 4) == (2, 3)  # still ends go
    jumps = [(np.arange(5) >= frame).astype(float) for frame in (1, 3, 4)]
    assert [trimmed(jump, 0, 4) for jump in jumps] == [(1, 2), (3, 4), (3, 4)]  # also at the signal's very end
    assert relation("before", [(0, 5)], [(6, 9)]) and not relation("before", [(6, 9)], [(0, 5)])
    assert not relation("while", [], [(0, 5)])


def test_then_relates_what_comes_again() -> None:
    walk, turn = [(0, 40), (60, 90)], [(45, 60)]
    assert relation("then", walk, turn) and relation("then", turn, walk) and relation("then", walk, walk)
    assert not relation("before", walk, walk) and not relation("then", turn, turn)
    on_the_way = [(20, 35)]
    assert relation("then", [(0, 90)], on_the_way) and relation("then", on_the_way, [(0, 90)]), (
        "a walk goes on after it"
    )
    assert not relation("then", on_the_way, [(0, 38)]), "where it does"
    assert not relation("then", [], turn)


@pytest.mark.parametrize(
    ("content", "fact", "opposite", "share"),
    [
        ("wave-left-hand", ("waves", {"side": "left"}), ("waves", {"side": "right"}), 0.75),
        ("wave-right-hand", ("waves", {"side": "right"}), ("waves", {"side": "left"}), 0.75),
        ("walk-turn-left", ("turns", {"direction": "left"}), ("turns", {"direction": "right"}), 0.9),
        ("walk-turn-right", ("turns", {"direction": "right"}), ("turns", {"direction": "left"}), 0.9),
        ("run", ("runs", {}), ("walks", {"direction": "backward"}), 0.8),
        ("walk-back", ("walks", {"direction": "backward"}), ("walks", {"direction": "forward"}), 0.9),
    ],
)  # fmt: skip
def test_real_recordings_show_what_their_labels_say(
    data_dir: Path, content: str, fact: tuple[str, dict[str, str]], opposite: tuple[str, dict[str, str]], share: float
) -> None:
    clips = recordings(data_dir, content, num=16)
    held = [facts_correct([Fact(*fact), Fact(*opposite)], joints) for joints in clips]
    assert np.mean([own for own, _ in held]) >= share
    assert np.mean([other for _, other in held]) <= 0.15


@cache
def unpacked(path: Path) -> dict[str, np.ndarray]:
    return dict(np.load(path, allow_pickle=False))


def recordings(data_dir: Path, content: str, num: int) -> list[np.ndarray]:
    """Joints (T, 22, 3), 20 fps, of clips of one content; the spine joint that the source lacks is interpolated."""
    packed = unpacked(data_dir / "mocap" / "bandai.npz")
    source = packed["joint_names"].tolist()
    limbs = {"hip": "UpperLeg", "knee": "LowerLeg", "ankle": "Foot", "foot": "Toes", "collar": "Shoulder",
             "shoulder": "UpperArm", "elbow": "LowerArm", "wrist": "Hand"}  # fmt: skip
    names = {"pelvis": "Hips", "spine1": "Spine", "spine2": "Chest", "spine3": "Chest", "neck": "Neck", "head": "Head"}
    for side, letter in (("left", "L"), ("right", "R")):
        names |= {f"{side}_{own}": f"{theirs}_{letter}" for own, theirs in limbs.items()}
    columns = [source.index(names[joint]) for joint in JOINT_NAMES]
    chosen = [index for index, name in enumerate(packed["ids"]) if str(name).split("_")[1] == content]
    chosen = chosen[:: max(1, len(chosen) // num)][:num]
    offsets, hips, others = packed["offsets"], packed["hips_0p1mm"], packed["rel_to_hips_0p1mm"]
    clips = []
    for index in chosen:
        rows = slice(int(offsets[index]), int(offsets[index + 1]))
        joints = (hips[rows][:, None].astype(float) + others[rows])[:, columns] * 1e-4
        joints[:, 6] = 0.5 * (joints[:, 3] + joints[:, 9])
        clips.append(joints[np.round(np.arange(0, len(joints) - 1, 1.5)).astype(int)])
    return clips


def test_a_claim_implies_facts_of_one_more_factor_each() -> None:
    kick = Fact("kicks", {"side": "left", "direction": "forward", "count": 2})
    assert [fact.params for fact in implied(kick)] == [
        {"side": "left"},
        {"side": "left", "direction": "forward"},
        {"side": "left", "direction": "forward", "count": 2},
    ]
    assert implied(Fact("waves", {"count": 3})) == [Fact("waves"), Fact("waves", {"count": 3})]
    assert implied(Fact("sits")) == [Fact("sits")]


def test_what_a_fact_leaves_open_may_be_anything() -> None:
    joints = placed(standing(60), np.zeros((60, 3)), np.radians(np.clip(np.linspace(-30, 120, 60), 0, 90)))
    assert check(Fact("turns", {"direction": "left"}), joints) and check(Fact("turns"), joints)
    assert not check(Fact("turns", {"direction": "right"}), joints) and not check(Fact("walks"), joints)
    assert [fact.params["direction"] for fact in completions(Fact("walks", {"speed": "slow"}))] == [
        "forward",
        "backward",
    ]


def test_claims_say_facts_and_relations() -> None:
    walk, wave = Fact("walks", {"direction": "forward", "distance": 2.0}), Fact("waves", {"side": "left"})
    manner, sit = Fact("walks_like", {"style": "drunk"}), Fact("sits")
    facts = facts_of_claims(((walk, wave, manner), (sit,)))
    weak = Fact("walks", {"direction": "forward"})
    assert facts == [weak, walk, wave, manner, sit, related("before", weak, sit), related("while", weak, wave)]


def test_claims_that_come_again_are_shown_again() -> None:
    walk, turn, run, bow = Fact("walks", {"direction": "forward"}), Fact("turns"), Fact("runs"), Fact("bows")
    facts = facts_of_claims(((walk,), (turn,), (walk,), (bow,)))
    assert facts[3:] == [related("then", walk, turn), related("then", turn, walk), related("then", walk, bow)]
    assert facts_of_claims(((run,), (run,))) == [run, related("then", run, run)]
    assert facts_of_claims(((walk,), (walk,))) == [walk], "one walk, in two clauses"
    assert facts_of_claims(((turn,), (bow,), (run,)))[3:] == [related("before", turn, bow), related("before", bow, run)]
