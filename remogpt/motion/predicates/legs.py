"""Find what legs do on the spot: jumps, hops, squats, seats, kneeling, lunges, kicks, raised knees, balance."""

import numpy as np

from remogpt.motion.body import Body, memo, other
from remogpt.motion.predicates.catalogue import predicate
from remogpt.motion.predicates.intervals import Intervals, counted, excursions, in_turn, stretches
from remogpt.motion.skeleton import FPS

JUMP_LIFT, HOP_LIFT = 0.06, 0.022
"""Lift of both feet in a jump and of the foot in a hop, metres."""
SQUAT_RATIO, UPRIGHT_RATIO, LUNGE_RATIO = 0.72, 0.85, 0.88
"""Pelvis height over standing height: low enough for a squat, high enough to be up again, low enough for a lunge."""
MOST_UPRIGHT, KNEES_UP = 1.12, 0.18
"""Pelvis height over standing height of who stands upright in a recording, at most; least height of knees that do not
kneel, metres."""
SEAT_HEIGHT = (0.33, 0.76)
"""Pelvis height of a seated person, metres: lowest, highest."""
KNEEL_HEIGHT = 0.19
"""Largest height of a knee on the floor, metres."""
KICK_REACH = {"forward": 0.30, "side": 0.26, "back": 0.26}
"""Metres from hip to ankle in the direction of the kick."""
KICK_LIFT = {"forward": 0.24, "side": 0.24, "back": 0.18}
"""Metres that the ankle rises in a kick."""
KNEE_DROP = 0.20
"""Largest drop from the hip to the knee of a raised leg, metres."""
LUNGE_SPREAD = 0.40
"""Metres from the rear ankle to the front one."""


def _airborne(body: Body, lift: float) -> Intervals:
    both = np.minimum(body.lift("left"), body.lift("right"))
    return [one for one in excursions(both, lift, 0.5 * lift) if one[1] - one[0] >= 2]


def _seen_from_takeoff(body: Body, interval: tuple[int, int]) -> np.ndarray:
    """Return the pelvis path (forward, left) of a flight with a margin, metres in the heading at take-off."""
    start, end = max(interval[0] - 4, 0), min(interval[1] + 4, body.num_frames - 1)
    pelvis = body.at("pelvis", 1.0)
    forward, left = body.axes()
    moved = pelvis[end] - pelvis[start]
    return np.array([moved @ forward[start], moved @ left[start]])


def _is_jump(body: Body, interval: tuple[int, int]) -> bool:
    """Return whether a flight is a jump with both feet together, and not the flight phase of a run."""
    middle = (interval[0] + interval[1]) // 2
    apart = body.offset("left_ankle", "right_ankle")[middle]
    return abs(apart[0]) < 0.35 and abs(apart[1]) < 0.16


def _jump_direction(moved: np.ndarray) -> str:
    if np.abs(moved).max() < 0.13:
        return "up"
    if abs(moved[0]) >= abs(moved[1]):
        return "forward" if moved[0] > 0 else "backward"
    return "left" if moved[1] > 0 else "right"


@memo
def _jumps(body: Body) -> tuple[Intervals, str]:
    """Find jumps with both feet together, and the direction of all of them."""
    found = [one for one in _airborne(body, JUMP_LIFT) if _is_jump(body, one)]
    return found, _jump_direction(np.mean([_seen_from_takeoff(body, one) for one in found], axis=0)) if found else ""


@predicate("jumps", "jumps {direction} with both feet")
def jumps(body: Body, direction: str | None = None, count: int | None = None) -> Intervals:
    """Leave the floor with both feet together; direction up, forward, backward, left or right."""
    found, way = _jumps(body)
    return counted(found if direction in (None, way) else [], count)


@memo
def _hops(body: Body, side: str) -> Intervals:
    held = body.height(f"{other(side)}_ankle") - body.height(f"{side}_ankle") > 0.07
    phases = stretches(held, min_frames=8, bridge=3)
    found = []
    for start, end in excursions(body.lift(side), HOP_LIFT, 0.012):
        inside = any(first <= start + 2 and end - 2 <= last for first, last in phases)
        if inside and end - start <= 16:
            found.append((start, end))
    return found if len(found) >= 2 else []


@predicate("hops", "hops {direction} on the {side} foot")
def hops(body: Body, side: str, direction: str | None = None, count: int | None = None) -> Intervals:
    """Leave the floor with one foot while the other foot stays lifted."""
    found = _hops(body, side)
    if direction is not None and found:
        start, end = found[0][0], found[-1][1]
        moved = _seen_from_takeoff(body, (start, end))[0]
        if (moved > 0.25) != (direction == "forward"):
            return []
    return counted(found, count)


@memo
def _squats(body: Body) -> Intervals:
    ratio = body.pelvis_ratio()
    # A recording may put the floor too low, or the pelvis too high on it.
    ratio = ratio / np.clip(max(ratio[0], ratio[-1]), 1.0, MOST_UPRIGHT)
    found = []
    for start, end in excursions(-ratio, -SQUAT_RATIO, -UPRIGHT_RATIO):
        lowest = start + int(np.argmin(ratio[start:end]))
        knees = min(body.height("left_knee")[lowest], body.height("right_knee")[lowest])
        spread = abs(body.offset("left_ankle", "right_ankle")[lowest, 0])
        if knees > KNEES_UP and spread < 0.35 and start > 0 and end < body.num_frames:
            found.append((start, end))
    return found


@predicate("squats", "squats down and comes up")
def squats(body: Body, count: int | None = None) -> Intervals:
    """Lower the pelvis over flat feet and rise again."""
    return counted(_squats(body), count)


def _seated(body: Body) -> Intervals:
    """Find stretches of stillness with level thighs and the feet in front of the pelvis."""
    height = body.height("pelvis", 2.0)
    low = (height > SEAT_HEIGHT[0]) & (height < SEAT_HEIGHT[1])
    still = np.abs(body.velocity("pelvis", 2.0)[:, 1]) < 0.12
    level = np.ones_like(low)
    for side in ("left", "right"):
        thigh = body.offset(f"{side}_knee", f"{side}_hip", "hip", 2.0)
        level &= (thigh[:, 1] > -0.24) & (thigh[:, 0] > 0.2)
        level &= body.height(f"{side}_knee") > 0.28
    feet = sum(body.offset(f"{side}_ankle", "pelvis", "hip", 2.0)[:, 0] for side in ("left", "right")) / 2.0
    return stretches(low & still & level & (feet > 0.18), min_frames=7, bridge=3)


@predicate("sits", "sits down")
def sits(body: Body) -> Intervals:
    """Sit down from standing, and stay seated."""
    up = body.pelvis_ratio() > UPRIGHT_RATIO
    return [(max(start - 20, 0), end) for start, end in _seated(body) if up[:start].any()]


@predicate("stands_up", "stands up from a low position")
def stands_up(body: Body) -> Intervals:
    """Stand up from a seat or from kneeling, after a rest there."""
    ratio = body.pelvis_ratio()
    resting = (ratio < 0.75) & (np.abs(body.velocity("pelvis", 2.0)[:, 1]) < 0.10)
    low = sorted([*stretches(resting, min_frames=8, bridge=3), *_seated(body)], key=lambda rest: rest[1])
    return [(end, min(end + 20, body.num_frames)) for _, end in low[-1:] if (ratio[end:] > UPRIGHT_RATIO).any()]


@predicate("kneels", "kneels on the {side} knee")
def kneels(body: Body, side: str) -> Intervals:
    """Bring one knee to the floor while the other stays up."""
    down, up = body.height(f"{side}_knee", 1.0), body.height(f"{other(side)}_knee", 1.0)
    return stretches((down < KNEEL_HEIGHT) & (up > down + 0.12), min_frames=6, bridge=3)


@memo
def _lunges(body: Body, side: str) -> Intervals:
    spread = body.offset(f"{side}_ankle", f"{other(side)}_ankle")[:, 0]
    ratio = body.pelvis_ratio()
    found = []
    for start, end in excursions(spread, LUNGE_SPREAD, 0.2):
        knee = body.height(f"{other(side)}_knee")[start:end].min()
        if ratio[start:end].min() < LUNGE_RATIO and end - start >= 8 and knee > 0.06:
            found.append((start, end))
    return _split_by_dips(body, found)


@predicate("lunges", "lunges with the {side} foot in front")
def lunges(body: Body, side: str, count: int | None = None) -> Intervals:
    """Stand wide with one foot in front and the pelvis low, then come up."""
    return counted(_lunges(body, side), count)


def _split_by_dips(body: Body, found: Intervals) -> Intervals:
    """Split each stay in a wide stance by the dips of the pelvis."""
    dips: Intervals = []
    for start, end in found:
        ratio = body.pelvis_ratio()[start:end]
        middle = 0.5 * (ratio.min() + max(ratio.max(), LUNGE_RATIO + 0.02))
        dips += [(start + a, start + b) for a, b in stretches(ratio < min(middle, LUNGE_RATIO + 0.02), 3, 2)]
    return dips


@memo
def _kicks(body: Body, side: str, direction: str | None) -> Intervals:
    ankle = body.offset(f"{side}_ankle", f"{side}_hip")
    outward = body.outward(f"{side}_ankle", f"{side}_hip", side)
    reach = {"forward": ankle[:, 0], "side": outward, "back": -ankle[:, 0]}
    rise = body.height(f"{side}_ankle") - np.percentile(body.height(f"{side}_ankle"), 10)
    support = body.height(f"{other(side)}_ankle")
    found = []
    for way in KICK_REACH if direction is None else (direction,):
        hit = np.minimum(reach[way] / KICK_REACH[way], rise / KICK_LIFT[way])
        for start, end in excursions(hit, 1.0, 0.55):
            top = start + int(np.argmax(hit[start:end]))
            main = max(reach, key=lambda name: float(reach[name][top]) / KICK_REACH[name])
            fast = body.speed(f"{side}_ankle")[max(start - 8, 0) : end].max() > 1.0
            upright = support[top] < 0.24 and body.pelvis_ratio()[top] > 0.8
            if main == way and fast and upright and end - start <= 1.8 * FPS:
                found.append((start, end))
    return sorted(found)


@predicate("kicks", "kicks with the {side} leg")
def kicks(body: Body, side: str, direction: str | None = None, count: int | None = None) -> Intervals:
    """Throw a foot forward, to the side or back, and take it down again."""
    return counted(_kicks(body, side, direction), count)


@memo
def _knee_lifts(body: Body, side: str) -> Intervals:
    drop = body.at(f"{side}_hip")[:, 1] - body.at(f"{side}_knee")[:, 1]
    shin = body.offset(f"{side}_ankle", f"{side}_knee")
    hanging = (shin[:, 1] < -0.22) & (body.pelvis_ratio() > 0.85)
    found = []
    for start, end in excursions(-drop, -KNEE_DROP, -0.30):
        if hanging[start:end].mean() > 0.5 and body.height(f"{other(side)}_ankle")[start:end].min() < 0.2:
            found.append((start, end))
    return found


@predicate("lifts_knee", "lifts the {side} knee to the hip")
def lifts_knee(body: Body, side: str, count: int | None = None) -> Intervals:
    """Bring a knee up to hip height; both: left and right in turn, counted together."""
    return counted(in_turn(lambda one: _knee_lifts(body, one), side), count)


@predicate("balances", "stands on one leg with the {side} foot lifted")
def balances(body: Body, side: str) -> Intervals:
    """Hold one foot off the floor for more than a second while the other stands still."""
    lifted = body.height(f"{side}_ankle") - body.height(f"{other(side)}_ankle") > 0.09
    still = np.linalg.norm(np.gradient(body.at(f"{other(side)}_ankle", 2.0), axis=0), axis=-1) * FPS < 0.25
    steady = body.velocity("pelvis", 2.0)
    return stretches(lifted & still & (np.linalg.norm(steady, axis=-1) < 0.35), min_frames=24, bridge=2)


@predicate("jumping_jacks", "does jumping jacks")
def jumping_jacks(body: Body, count: int | None = None) -> Intervals:
    """Bring the arms overhead and the feet apart at the same time, again and again."""
    wide = np.abs(body.offset("left_ankle", "right_ankle")[:, 2]) > 0.38
    head = body.height("head")
    overhead = np.minimum(body.height("left_wrist"), body.height("right_wrist")) > head
    return counted(stretches(wide & overhead, min_frames=1, bridge=2), count)
