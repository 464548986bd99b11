"""Find styles of walking that joints show: bent and low, stooped, swaying, limping. Others leave no reliable trace."""

import numpy as np

from remogpt.motion.body import Body
from remogpt.motion.predicates.catalogue import predicate
from remogpt.motion.predicates.gait import walks
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


@predicate("walks_like", "walks in a style")
def walks_like(body: Body, style: str) -> Intervals:
    """Walk forward sneaky, elderly, drunk, limping_left or limping_right; raises RemogptError for other styles."""
    found = []
    for start, end in walks(body, "forward"):
        height = float(np.median(body.height("pelvis", 1.5)[start:end]))
        lean = body.lean()[start:end]
        stoop, sway = float(np.median(lean[:, 0])), float(np.std(lean[:, 1]))
        crouched = height < CROUCHED * STRAIGHT_HEIGHT and stoop > 2.0
        strays = sway > REELING or (sway > SWAYING and _wander(body, (start, end)) > WANDERING)
        low = _low_over_left(body, (start, end))
        signs = {
            "sneaky": crouched,
            "elderly": not (crouched or strays) and stoop + 100.0 * SHRUNK * (STRAIGHT_HEIGHT - height) > STOOPED,
            "drunk": strays,
            "limping_left": low > LIMP and not strays,
            "limping_right": low < -LIMP and not strays,
        }
        if style not in signs:
            raise RemogptError(f"walks_like knows {', '.join(signs)}, got {style!r}")
        if signs[style]:
            found.append((start, end))
    return found
