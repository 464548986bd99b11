"""Find frames that are no part of a take: rest or calibration poses that tools put before or after it, and jumps."""

from __future__ import annotations

import numpy as np

from remogpt.runtime.errors import RemogptError

_NEAR_END = 0.25
"""Seconds at each end in which inserted frames are looked for, whatever they show."""
_HELD = 0.4
"""Share of the frames at each end in which an inserted pose may be held."""
_STILL = 0.1
"""Metres a second of all joints on average below which a pose is held."""
_JUMP = 2.5
"""Metres a second by which all joints on average change their velocity within a frame only where two takes meet."""
_ABOVE = 4.0
"""Times the usual change of velocity (95th percentile) that a jump has."""
_MOVED = 0.04
"""Metres that all joints on average move in a jump, at least."""
_SETTLING = 4.0
"""Times the median change of velocity that frames after a jump still have, where a tool has smoothed it."""
_FASTEST = 15.0
"""Metres a second of the fastest joint, typical over the frames, that no person keeps up."""
_GLITCH = 40.0
"""Metres a second that no joint of a person reaches."""


def inserted_frames(joints: np.ndarray, fps: float) -> tuple[int, int]:
    """Return how many frames at the start and at the end are no part of the motion.

    Args:
        joints: (T, 22, 3) metres.
        fps: frames a second of them.
    """
    if len(joints) < 5:
        return 0, 0
    return _at_start(joints, fps), _at_start(joints[::-1], fps)


def _at_start(joints: np.ndarray, fps: float) -> int:
    step = np.diff(joints, axis=0)
    moved = np.linalg.norm(step, axis=-1).mean(-1)  # (T - 1,) metres of all joints on average
    change = np.linalg.norm(np.diff(step, axis=0), axis=-1).mean(-1)  # (T - 2,)
    usual = float(np.percentile(change, 95)) if len(change) > 20 else float(np.median(change))
    settled = max(_SETTLING * float(np.median(change)), 1e-3)
    is_jump = (change * fps > _JUMP) & (change > _ABOVE * usual) & (moved[:-1] > _MOVED)
    near = max(1, min(round(_NEAR_END * fps), len(change) // 10))
    for frame in np.flatnonzero(is_jump[: max(near, int(_HELD * len(change)))]):
        if frame < near or moved[:frame].max() * fps < _STILL:
            last = int(frame) + 1
            while last < min(int(frame) + near, len(change)) and change[last] > settled:
                last += 1
            return last
    return 0


def check_speed(joints: np.ndarray, fps: float, origin: str) -> tuple[str, ...]:
    """Refuse a body that moves faster than people all the time; return what is to be said about single jumps.

    Raises:
        RemogptError: if the typical speed is no person's.
    """
    if len(joints) < 3:
        return ()
    fastest = np.linalg.norm(np.diff(joints, axis=0), axis=-1).max(-1) * fps
    typical = float(np.median(fastest))
    if typical > _FASTEST:
        raise RemogptError(
            f"{origin}: the fastest joint moves at {typical:.0f} m/s in half of the frames, which no person does; is "
            f"{fps:g} frames a second right? Say the rate with fps= (--fps), or the unit with unit= (--unit)"
        )
    jumps = np.flatnonzero(fastest > _GLITCH)
    if not len(jumps):
        return ()
    first = int(jumps[0])
    more = f" and {len(jumps) - 1} more" if len(jumps) > 1 else ""
    return (f"a jump of {fastest[first] / fps:.1f} m at {(first + 1) / fps:.2f} s{more}, kept as it is",)
