"""Find styles of walking that joints show: bent and low, stooped, swaying, limping, or with arms held
out over short steps. Others leave no reliable trace."""

import numpy as np

from remogpt.motion.body import SIDES, Body
from remogpt.motion.predicates.catalogue import predicate
from remogpt.motion.predicates.gait import steady_speed, walks
from remogpt.motion.predicates.intervals import Intervals
from remogpt.runtime.errors import RemogptError

CROUCHED = 0.94
"""Largest pelvis height of a sneaking walk, relative to a straight stance."""
STOOPED, SHRUNK = 9.0, 2.0
"""Smallest forward lean of an elderly walk in degrees; each centimetre of lower pelvis counts as `SHRUNK` degrees."""
SWAYING, REELING, WANDERING = 1.5, 2.1, 0.022
"""Standard deviations of a drunk walk: degrees of sideways lean, with and without straying; metres of straying."""
LIMP = 0.0065
"""Difference of pelvis height between the sound and the sore leg in a limp, metres."""
LEAN_OVER = 1.0
"""Degrees that the trunk leans more to the left over the left leg than over the right leg in a limp."""
ARMS_OUT, SHORT_STEP, UNHURRIED = 0.24, 0.41, 0.85
"""A careful walk: metres by which both wrists are out beside the shoulders, at least; metres of one ankle ahead of the
other, at most; metres a second, at most."""
CALM_ARMS = 0.07
"""Largest standard deviation of a wrist forward and back in a careful walk, metres."""
STYLES = ("sneaky", "elderly", "drunk", "limping_left", "limping_right", "careful")
"""Styles that joints alone can prove."""
STRAIGHT_HEIGHT = 0.93
"""Pelvis height of a common body in a normal walk, metres."""


def _low_over_left(body: Body, interval: tuple[int, int]) -> float:
    """Return how much lower the pelvis is over the left foot alone than over the right foot alone, metres.

    0 if the trunk does not lean over the supporting leg, as it does in a limp but not in a normal walk.
    """
    frames = slice(*interval)
    height = body.height("pelvis", 1.5)[frames]
    left, right = body.lift("left")[frames], body.lift("right")[frames]
    on_left, on_right = (left < 0.025) & (right > 0.03), (right < 0.025) & (left > 0.03)
    if on_left.sum() < 4 or on_right.sum() < 4:
        return 0.0
    lean = body.lean()[frames, 1]
    if lean[on_left].mean() - lean[on_right].mean() < LEAN_OVER:
        return 0.0
    return float(height[on_right].mean() - height[on_left].mean())


def _wander(body: Body, interval: tuple[int, int]) -> float:
    """Return the standard deviation of slow straying from the straight line between the ends, metres."""
    path = body.at("pelvis", 6.0)[slice(*interval)][:, [0, 2]]
    along = path[-1] - path[0]
    across = np.array([-along[1], along[0]]) / max(float(np.linalg.norm(along)), 1e-6)
    return float(np.std((path - path[0]) @ across))


def _is_careful(body: Body, interval: tuple[int, int]) -> bool:
    """Return whether both arms are held out to the sides over slow, short steps, without much swing."""
    cut = (interval[1] - interval[0]) // 6
    frames = slice(interval[0] + cut, interval[1] - cut)
    ahead = np.abs(body.offset("left_ankle", "right_ankle")[frames, 0])
    if steady_speed(body, interval) > UNHURRIED or np.percentile(ahead, 95) > SHORT_STEP:
        return False
    for side in SIDES:
        out = np.median(body.outward(f"{side}_wrist", f"{side}_shoulder", side, "shoulder")[frames])
        swing = np.std(body.offset(f"{side}_wrist", f"{side}_shoulder", "shoulder")[frames, 0])
        if out < ARMS_OUT or swing > CALM_ARMS:
            return False
    return True


@predicate("walks_like", "walks in a style")
def walks_like(body: Body, style: str) -> Intervals:
    """Walk forward sneaky, elderly, drunk, limping_left, limping_right or careful.

    Raises:
        RemogptError: for other styles.
    """
    found = []
    for start, end in walks(body, "forward"):
        height = float(np.median(body.height("pelvis", 1.5)[start:end]))
        lean = body.lean()[start:end]
        stoop, sway = float(np.median(lean[:, 0])), float(np.std(lean[:, 1]))
        crouched = height < CROUCHED * STRAIGHT_HEIGHT and stoop > 2.0
        strays = sway > REELING or (sway > SWAYING and _wander(body, (start, end)) > WANDERING)
        low, careful = _low_over_left(body, (start, end)), _is_careful(body, (start, end))
        signs = {
            "sneaky": crouched,
            "elderly": not (crouched or strays or careful)
            and stoop + 100.0 * SHRUNK * (STRAIGHT_HEIGHT - height) > STOOPED,
            "drunk": strays,
            "limping_left": low > LIMP and not strays,
            "limping_right": low < -LIMP and not strays,
            "careful": careful and not (crouched or strays),
        }
        if style not in signs:
            raise RemogptError(f"walks_like knows {', '.join(signs)}, got {style!r}")
        if signs[style]:
            found.append((start, end))
    return found
