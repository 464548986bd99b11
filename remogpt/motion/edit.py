"""Cut, mirror, resample a motion, or keep it in place, before it is written."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from remogpt.motion.cleanup.bones import hold_bones_like
from remogpt.motion.resample import resample
from remogpt.runtime.errors import RemogptError

if TYPE_CHECKING:
    from remogpt.motion.motion import Motion

Seconds = tuple[float | None, float | None]
"""Start and end of a piece, either of them open."""


def edit_motion(
    motion: Motion,
    *,
    trim: Seconds | None = None,
    mirror: bool = False,
    in_place: bool = False,
    fps: float | None = None,
) -> Motion:
    """Return a motion after the edits that are asked for, in this order; without any, the motion itself.

    Args:
        motion: the motion, which stays as it is.
        trim: keep this piece, in seconds from the start, both ends included.
        mirror: swap left and right, in the caption too.
        in_place: keep the pelvis above the point where it starts; turns and heights stay.
        fps: frames a second of the result; positions between frames are interpolated smoothly (Catmull-Rom),
            and bones that keep their length go on to do so.

    Raises:
        RemogptError: a piece that holds no two frames, or a rate that is not a positive number.
    """
    if fps is not None and fps != motion.fps:
        motion.check_our_body("its frame rate cannot be changed")
    if trim is not None:
        motion = _trimmed(motion, *trim)
    if mirror:
        motion = replace(motion.mirrored(), name=motion.name)
    if in_place:
        path = motion.joints[:, :1] * np.array([1.0, 0.0, 1.0], dtype=np.float32)
        motion = replace(motion, joints=motion.joints - path + path[:1], given_features=None)
    if fps is not None and fps != motion.fps:
        joints = hold_bones_like(motion.joints, resample(motion.joints, motion.fps, fps, method="cubic"))
        motion = replace(motion, joints=joints, fps=fps, given_features=None)
    return motion


def parse_trim(text: str) -> Seconds:
    """Read START:END in seconds, either of them empty: `1.5:3`, `:2`, `1:`.

    Raises:
        RemogptError: anything else.
    """
    start, colon, end = text.partition(":")
    try:
        found = float(start) if start.strip() else None, float(end) if end.strip() else None
    except ValueError:
        colon = ""
    if not colon:
        raise RemogptError(f"trim: wanted START:END in seconds, such as 1.5:3, :2 or 1:, got {text!r}")
    return found


def _trimmed(motion: Motion, start: float | None, end: float | None) -> Motion:
    begin, finish = 0.0 if start is None else start, motion.seconds if end is None else end
    if not 0 <= begin < finish:  # also where one is no number
        raise RemogptError(f"trim: wanted 0 <= start < end in seconds, got {begin:g}:{finish:g}")
    first, last = round(begin * motion.fps), round(finish * motion.fps)
    joints = motion.joints[first : last + 1]
    if len(joints) < 2:
        raise RemogptError(
            f"trim: {begin:g}:{finish:g} s holds {len(joints)} frames of {motion.name or 'the motion'}, which has "
            f"{motion.num_frames} ({motion.seconds:g} s); name a piece of at least two frames within it"
        )
    features = motion.given_features
    return replace(motion, joints=joints, given_features=None if features is None else features[first : last + 1])
