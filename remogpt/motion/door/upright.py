"""Find the axis that points up by the way a body stands."""

from __future__ import annotations

import numpy as np

from remogpt.motion.door.given import UP_AXES
from remogpt.motion.door.measure import at, unit
from remogpt.motion.skeleton import PARENTS
from remogpt.runtime.errors import RemogptError

_SEEN = 0.3
"""Share of frames in which a body that stands along y shows that y points up."""
_MOST = 0.8
"""Share of frames in which a body stands along another axis from which that axis may point up."""
_TRAVEL = 0.6
"""Metres that a body which is never upright along y does not move along y."""
_FLOOR = 0.12
"""Metres from zero within which the lowest point of a body stands on a floor at zero."""


_SUNK = 0.04
"""Metres by which a body that lies on a floor at zero may sink into it."""


def find_up(joints: np.ndarray, rest: np.ndarray | None, origin: str) -> str:
    """Return the axis that points up, a key of `UP_AXES`.

    A body that is upright along y in some frames says y. One that stands along another axis in nearly all frames may
    also lie on a floor below y; it is taken to stand where the rest pose stands along that axis too, where it
    travels along y, or where its feet stand on zero along that axis and nothing lies on zero along y.

    Args:
        joints: (T, 22, 3) metres.
        rest: (22, 3) the rest pose, if it is a person's who stands.
        origin: file, for messages.

    Raises:
        RemogptError: if the body may stand along one axis or lie along another.
    """
    stands = unit(at(joints, "head") - at(joints, "ankles"))
    shares = {axis: float((stands @ turn[1] > np.cos(np.pi / 4)).mean()) for axis, turn in UP_AXES.items()}
    best = max(shares, key=lambda axis: shares[axis])
    if shares["y"] >= _SEEN or shares[best] < _MOST or best == "y":
        return "y"
    if best == "-y":
        return best
    turn = UP_AXES[best]
    if rest is not None and float(unit(at(rest[None], "head") - at(rest[None], "ankles"))[0] @ turn[1]) > 0.9:
        return best
    if np.ptp(np.percentile(joints[:, 0, 1], [2, 98])) > _TRAVEL:
        return best
    lowest, lowest_y = _lowest(joints @ turn[1]), _lowest(joints[..., 1])
    stands_on_zero, lies_on_zero = abs(lowest) < _FLOOR, -_SUNK < lowest_y < _FLOOR
    if stands_on_zero != lies_on_zero:
        return best if stands_on_zero else "y"
    raise RemogptError(
        f"{origin}: the body stands along {best} in {shares[best]:.0%} of the frames and never along y; either "
        f"{best} points up, or a person lies on the floor. Say the axis that points up with up= (--up {best} or --up y)"
    )


def _lowest(heights: np.ndarray) -> float:
    """Return the height of the lowest joint, median of the frames."""
    assert heights.shape[1] == len(PARENTS)
    return float(np.median(heights.min(axis=1)))
