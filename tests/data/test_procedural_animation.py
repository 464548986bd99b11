"""The procedural animation: bodies that people could have, and actions that are what their names say."""

from collections import Counter
from functools import cache

import numpy as np
import pytest

from remogpt.data.procedural.animate import MAX_FRAMES, MIN_FRAMES, Take, animate
from remogpt.data.procedural.body import FOOT_HEIGHT, arm_angles, arm_directions
from remogpt.data.procedural.curves import keyframes, two_bone
from remogpt.data.procedural.sample import atomic_actions, estimated_seconds, sample_script
from remogpt.data.procedural.script import Action, Script, Step
from remogpt.data.procedural.vocabulary import ACTIONS, STYLES
from remogpt.motion.skeleton import JOINT_INDEX, PARENTS

J = JOINT_INDEX
SIDES = ("left", "right")
SEEDS = range(4)
NUM_SAMPLES = 250


def one(*actions: Action) -> Script:
    return Script((Step(actions),))


def perform(action: Action, seed: int) -> np.ndarray:
    return animate(one(action), np.random.default_rng(seed)).joints.astype(float)


@cache
def samples() -> tuple[tuple[Script, Take], ...]:
    takes = []
    for index in range(NUM_SAMPLES):
        rng = np.random.default_rng((3, index))
        script = sample_script(rng)
        takes.append((script, animate(script, rng)))
    return tuple(takes)


def heading(joints: np.ndarray) -> np.ndarray:
    """(T,) unwrapped yaw of the hips."""
    across = joints[:, J["left_hip"]] - joints[:, J["right_hip"]]
    return np.unwrap(np.arctan2(-across[:, 2], across[:, 0]))


def bend(joints: np.ndarray, a: str, b: str, c: str) -> np.ndarray:
    """(T,) degrees by which a limb is folded at joint b."""
    first, second = joints[:, J[b]] - joints[:, J[a]], joints[:, J[c]] - joints[:, J[b]]
    cosine = (first * second).sum(-1) / np.linalg.norm(first, axis=-1) / np.linalg.norm(second, axis=-1)
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def excursions(values: np.ndarray, out: float, back: float) -> int:
    """Count how often a curve rises above `out` after having been below `back`."""
    count, armed = 0, True
    for value in values:
        if armed and value > out:
            count, armed = count + 1, False
        elif value < back:
            armed = True
    return count


# --- every take


def test_takes_are_whole_and_start_at_the_origin_facing_forward() -> None:
    for script, take in samples():
        assert MIN_FRAMES <= len(take.joints) <= MAX_FRAMES, script.combination()
        assert take.joints.shape[1:] == (22, 3) and np.isfinite(take.joints).all()
        assert np.abs(take.joints[0, 0, [0, 2]]).max() < 1e-5
        assert abs(heading(take.joints)[0]) < np.radians(25), script.combination()
        assert take.joints[0, J["left_hip"], 0] > take.joints[0, J["right_hip"], 0]
        assert len(take.timeline) == len(script.steps)
        ends = [0, *[end for _, end in take.timeline], len(take.joints)]
        assert all(start >= before for (start, _), before in zip(take.timeline, ends, strict=False)) and ends == sorted(
            ends
        )


def test_bones_keep_their_lengths() -> None:
    for _, take in samples()[:60]:
        bones = np.linalg.norm(take.joints - take.joints[:, [max(p, 0) for p in PARENTS]], axis=-1)
        assert np.ptp(bones, axis=0).max() < 1e-5


def test_planted_feet_do_not_slide_and_nothing_is_below_the_floor() -> None:
    slides = []
    for script, take in samples():
        assert take.joints[..., 1].min() > -0.01, script.combination()
        feet = take.joints[:, [J["left_foot"], J["right_foot"]]]
        flat = np.abs(feet[..., 1] - FOOT_HEIGHT) < 5e-4
        planted = flat[1:-1] & flat[:-2] & flat[2:]
        slides.append(20.0 * np.linalg.norm(np.diff(feet, axis=0)[:-1], axis=-1)[planted])
    speed = np.concatenate(slides)
    assert len(speed) > 10_000
    assert np.percentile(speed, 99) < 0.02


def test_joints_stay_within_human_limits() -> None:
    for script, take in samples():
        for side in SIDES:
            assert bend(take.joints, f"{side}_hip", f"{side}_knee", f"{side}_ankle").max() < 155, script.combination()
            assert bend(take.joints, f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist").max() < 152, (
                script.combination()
            )


def test_knees_never_bend_backwards() -> None:
    for script, take in samples():
        joints = take.joints.astype(float)
        across = joints[:, J["left_hip"]] - joints[:, J["right_hip"]]
        for side in SIDES:
            thigh = joints[:, J[f"{side}_knee"]] - joints[:, J[f"{side}_hip"]]
            shin = joints[:, J[f"{side}_ankle"]] - joints[:, J[f"{side}_knee"]]
            # Around the hips' left axis a knee folds the shin back: the cross product points to the left.
            assert ((np.cross(thigh, shin) * across).sum(-1) > -0.004).all(), script.combination()


def test_nothing_jumps() -> None:
    for script, take in samples():
        speed = 20.0 * np.linalg.norm(np.diff(take.joints, axis=0), axis=-1)
        assert speed[:, [J["pelvis"], J["spine3"], J["head"]]].max() < 5.5, script.combination()
        assert speed.max() < 13.0, script.combination()


def test_arms_stay_out_of_the_trunk() -> None:
    inside = total = 0
    for _, take in samples():
        joints = take.joints.astype(float)
        low, high = joints[:, J["pelvis"]], joints[:, J["neck"]]
        axis = high - low
        for name in ("left_wrist", "right_wrist", "left_elbow", "right_elbow"):
            way = joints[:, J[name]] - low
            along = np.clip((way * axis).sum(-1) / (axis * axis).sum(-1), 0.0, 1.0)
            distance = np.linalg.norm(way - along[:, None] * axis, axis=-1)
            inside, total = inside + int((distance < 0.09).sum()), total + len(distance)
    assert inside / total < 0.002


def test_same_generator_same_take_and_other_takes_differ() -> None:
    script = one(Action("walk", direction="forward", distance=3.0))
    first, again, other = (animate(script, np.random.default_rng(seed)).joints for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert len(first) != len(other) or np.abs(first - other).max() > 0.02


# --- what the actions are


def test_every_action_animates_in_every_style() -> None:
    for index, action in enumerate(atomic_actions()):
        styled = Action(**{**vars(action), "style": STYLES[index % len(STYLES)]})
        assert np.isfinite(animate(one(styled), np.random.default_rng(index)).joints).all()


@pytest.mark.parametrize(
    ("name", "direction", "sign"), [("walk", "forward", 1), ("walk", "backward", -1), ("run", "forward", 1)]
)
def test_distance_of_straight_gaits(name: str, direction: str, sign: int) -> None:
    for seed in SEEDS:
        joints = perform(Action(name, direction=direction, distance=4.0), seed)
        way = joints[-1, 0, 2] - joints[0, 0, 2]
        assert way * sign == pytest.approx(4.0, rel=0.08)
        assert abs(joints[-1, 0, 0]) < 0.25


def test_speeds_are_distinct_and_running_flies() -> None:
    def pace(name: str, speed: str, seed: int) -> float:
        joints = perform(Action(name, direction="forward", speed=speed, distance=5.0), seed)
        return float(np.percentile(20.0 * np.linalg.norm(np.diff(joints[:, 0, [0, 2]], axis=0), axis=-1), 80))

    slow, normal, fast = (np.array([pace("walk", s, seed) for seed in range(8)]) for s in ("slow", "normal", "fast"))
    run = np.array([pace("run", "slow", seed) for seed in range(8)])
    assert slow.max() < normal.min() and normal.max() < fast.min() and fast.max() < run.min() + 0.1
    joints = perform(Action("run", direction="forward", distance=6.0), 0)
    both = joints[:, [J["left_foot"], J["right_foot"]], 1].min(axis=1)
    assert (both > FOOT_HEIGHT + 0.02).sum() >= 4


@pytest.mark.parametrize("direction", SIDES)
@pytest.mark.parametrize(
    ("name", "angle"),
    [
        ("turn", 90.0), ("turn", 180.0), ("turn", 360.0), ("walk_turn", 90.0), ("walk_turn", 180.0),
        ("walk_curve", 120.0), ("circle", None),
    ],
)  # fmt: skip
def test_angles(name: str, angle: float | None, direction: str) -> None:
    words = {"left": "counterclockwise", "right": "clockwise"}
    distance = {"turn": None, "circle": 6.0}.get(name, 4.0)
    action = Action(name, direction=words[direction] if name == "circle" else direction, angle=angle, distance=distance)
    for seed in SEEDS:
        joints = perform(action, seed)
        turned = np.degrees(heading(joints)[-1] - heading(joints)[0]) * (1 if direction == "left" else -1)
        assert turned == pytest.approx(angle or 360.0, rel=0.08, abs=7.0)
        if name in ("circle", "turn"):
            assert np.linalg.norm(joints[-1, 0, [0, 2]]) < 0.45


@pytest.mark.parametrize("side", SIDES)
def test_kicks_go_where_they_should_as_often_as_told(side: str) -> None:
    out = 1.0 if side == "left" else -1.0
    for direction, way in (("forward", (0, 0, 1)), ("side", (out, 0, 0)), ("back", (0, 0, -1))):
        for seed in SEEDS:
            joints = perform(Action("kick", side, direction, count=2), seed)
            ankle, hip = joints[:, J[f"{side}_ankle"]], joints[:, J[f"{side}_hip"]]
            leg = hip[0, 1]
            reach = (ankle - hip) @ np.array(way)
            need = 0.35 if direction == "forward" else 0.3
            high = 0.40 if direction != "back" else 0.3
            assert excursions(np.minimum(reach / need, ankle[:, 1] / leg / high), 1.0, 0.6) == 2, (direction, seed)


@pytest.mark.parametrize("side", SIDES)
def test_waves_and_raises(side: str) -> None:
    other = "right" if side == "left" else "left"
    for seed in SEEDS:
        joints = perform(Action("wave", side, count=4), seed)
        head, wrist, elbow = (joints[:, J[name]] for name in ("head", f"{side}_wrist", f"{side}_elbow"))
        up = wrist[:, 1] > head[:, 1] - 0.10
        swing = (wrist - elbow)[:, 0] * (1 if side == "left" else -1)
        steady = np.flatnonzero(up)[3:-3]
        assert np.ptp(swing[steady]) > 0.18
        middle = 0.5 * (swing[steady].max() + swing[steady].min())
        assert excursions(swing[steady] - middle, 0.06, -0.06) in (4, 5)
        assert (joints[:, J[f"{other}_wrist"], 1] < joints[:, J["head"], 1] - 0.3).all()
        for direction in ("forward", "side"):
            joints = perform(Action("raise", side, direction), seed)
            above = joints[:, J[f"{side}_wrist"], 1] - joints[:, J["head"], 1]
            assert (above > 0.08).sum() >= 6, (direction, seed)
            assert above[0] < -0.3 and above[-1] < -0.3


def test_counts_of_squats_jumps_and_knees() -> None:
    for seed in SEEDS:
        pelvis = perform(Action("squat", count=3), seed)[:, 0, 1]
        assert excursions(-pelvis / pelvis[0], -0.65, -0.88) == 3
        joints = perform(Action("jump", direction="forward", count=2, distance=1.2), seed)
        feet = joints[:, [J["left_foot"], J["right_foot"]], 1].min(axis=1) - FOOT_HEIGHT
        assert excursions(feet, 0.08, 0.02) == 2
        assert joints[-1, 0, 2] == pytest.approx(1.2, abs=0.1)
        joints = perform(Action("hop", "left", "up", count=3), seed)
        assert excursions(joints[:, J["left_foot"], 1] - FOOT_HEIGHT, 0.03, 0.015) == 3
        joints = perform(Action("knee_raise", "right", count=2), seed)
        drop = joints[:, J["right_hip"], 1] - joints[:, J["right_knee"], 1]
        assert excursions(-drop, -0.12, -0.25) == 2
        joints = perform(Action("jumping_jack", count=3), seed)
        above = joints[:, [J["left_wrist"], J["right_wrist"]], 1].min(1) - joints[:, J["head"], 1]
        assert excursions(above, 0.08, -0.2) == 3


def test_down_poses_and_trunk() -> None:
    for seed in SEEDS:
        joints = perform(Action("sit"), seed)
        thigh = joints[-1, J["left_knee"]] - joints[-1, J["left_hip"]]
        assert 0.40 < joints[-1, 0, 1] < 0.56
        assert abs(np.degrees(np.arcsin(thigh[1] / np.linalg.norm(thigh)))) < 20
        assert perform(Action("stand_up"), seed)[-1, 0, 1] > 0.8
        joints = perform(Action("kneel", "right"), seed)
        assert joints[-1, J["right_knee"], 1] < 0.14 < 0.3 < joints[-1, J["left_knee"], 1]
        assert joints[:, 0, 2].min() > -0.1 and joints[:, 0, 2].max() < 0.3, "a small step ahead"
        joints = perform(Action("pick_up", "left"), seed)
        assert joints[:, J["left_wrist"], 1].min() < 0.35
        joints = perform(Action("bow"), seed)
        trunk = joints[:, J["neck"]] - joints[:, 0]
        assert np.degrees(np.arctan2(trunk[:, 2], trunk[:, 1])).max() > 35.0
        joints = perform(Action("side_bend", direction="left", count=2), seed)
        trunk = joints[:, J["neck"]] - joints[:, 0]
        assert excursions(np.degrees(np.arctan2(trunk[:, 0], trunk[:, 1])), 18.0, 6.0) == 2
        pelvis = perform(Action("lunge", "left", count=2), seed)[:, 0, 1]
        assert excursions(-pelvis / pelvis[0], -0.82, -0.92) == 2


def test_hands() -> None:
    for seed in SEEDS:
        joints = perform(Action("clap", count=4), seed)
        gap = np.linalg.norm(joints[:, J["left_wrist"]] - joints[:, J["right_wrist"]], axis=-1)
        assert excursions(-gap, -0.12, -0.2) == 4
        joints = perform(Action("punch", "right", count=3), seed)
        reach = np.linalg.norm(joints[:, J["right_wrist"]] - joints[:, J["right_shoulder"]], axis=-1)
        ahead = joints[:, J["right_wrist"], 2] - joints[:, J["right_shoulder"], 2]
        assert excursions(np.where(ahead > 0.35, reach, 0.0), 0.42, 0.36) == 3


# --- scripts


def test_scripts_cover_the_vocabulary_and_fit() -> None:
    seen: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    for index in range(5000):
        script = sample_script(np.random.default_rng((11, index)))
        seen.update(action.factors for action in script.actions)
        kinds["sequence" if len(script.steps) > 1 else "together" if len(script.actions) > 1 else "single"] += 1
        assert estimated_seconds(script) < 9.5, script.combination()
    wanted = {action.factors for action in atomic_actions()}
    assert wanted == set(seen)
    assert min(seen.values()) >= 12, seen.most_common()[-5:]
    assert {action.name for action in atomic_actions()} == set(ACTIONS)
    assert 0.42 < kinds["single"] / 5000 < 0.60 and kinds["together"] > 900 and kinds["sequence"] > 900


def test_scripts_travel_as_json_and_refuse_nonsense() -> None:
    for script, _ in samples()[:50]:
        assert Script.from_json(script.to_json()) == script
    with pytest.raises(ValueError, match="both need legs"):
        one(Action("squat", count=1), Action("sit"))
    with pytest.raises(ValueError, match="unknown action 'fly'"):
        Action("fly")
    with pytest.raises(ValueError, match="side must be one of"):
        Action("wave", "middle", count=2)
    with pytest.raises(ValueError, match=r"takes .* frames, at most 196"):
        long = Action("walk", direction="forward", speed="slow", distance=7.0, style="elderly")
        animate(Script((Step((long,)),) * 3), np.random.default_rng(0))


# --- geometry


def test_arm_angles_invert_arm_directions() -> None:
    rng = np.random.default_rng(0)
    angles = np.stack(
        [rng.uniform(-1.5, 2.8, 50), rng.uniform(-0.4, 1.4, 50), rng.uniform(0.1, 2.5, 50), rng.uniform(-2, 2, 50)], -1
    )
    for sign in (1.0, -1.0):
        assert np.allclose(arm_angles(*arm_directions(angles, sign), sign), angles, atol=1e-6)


def test_two_bone_reaches_and_keyframes_pass_without_overshoot() -> None:
    root, target = np.zeros((1, 3)), np.array([[0.1, -0.6, 0.2]])
    middle, end = two_bone(root, target, 0.4, 0.42, np.array([[0.0, 0.0, 1.0]]))
    assert np.allclose(end, target) and np.linalg.norm(middle) == pytest.approx(0.4)
    assert np.linalg.norm(end - middle) == pytest.approx(0.42) and middle[0, 2] > 0.1
    curve = keyframes([0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 1.0, 0.0], np.linspace(0, 3, 301))
    assert curve[100] == pytest.approx(1.0) and curve.max() <= 1.0 + 1e-9 and curve.min() >= -1e-9


def test_who_kicks_bends_the_arms_no_further_than_a_guard_does() -> None:
    for seed in range(8):
        joints = perform(Action("kick", "right", "forward", count=2), seed)
        upper, fore = joints[:, [18, 19]] - joints[:, [16, 17]], joints[:, [20, 21]] - joints[:, [18, 19]]
        lengths = np.linalg.norm(upper, axis=-1) * np.linalg.norm(fore, axis=-1)
        assert np.degrees(np.arccos((upper * fore).sum(-1) / lengths)).max() < 135
