"""Compare mirror images with their originals."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from remogpt.data.clip import Caption
from remogpt.motion.mirror import MIRROR_ORDER, mirror_caption

_SAME = 1e-4
"""Metres: two clips of the same numbers."""
_SIDED = 0.02
"""Metres by which the heights of left and right joints differ in a motion that has sides."""
_OTHER = 0.1
"""Metres by which heights differ that are another motion's."""
_HEIGHTS = np.arange(21) * 3 + 5
"""Channels of the heights of joints 1 to 21."""
_SWAPPED = np.array(MIRROR_ORDER[1:]) - 1


def mirror_fault(mirrored: np.ndarray, original: np.ndarray, channels: int) -> str | None:
    """Say what is wrong with the features of a mirror image; `{base}` stands for the original. None: nothing.

    Heights of joints are compared, since they depend on neither place nor heading. KIT-ML's are compared by length
    alone.
    """
    if len(mirrored) != len(original):
        return f"{len(mirrored)} frames, {{base}} has {len(original)}: no mirror image of it"
    if channels != 263:
        return None
    own, theirs = mirrored[:, _HEIGHTS], original[:, _HEIGHTS]
    apart = float(np.abs(own[:, _SWAPPED] - theirs).mean())
    if np.abs(own - theirs).mean() < _SAME and apart > _SIDED / 2:
        return "the motion of {base} itself, not its mirror image"
    return "another motion than the mirror image of {base}" if apart > _OTHER else None


def unmirrored_captions(captions: Sequence[Caption], originals: Sequence[Caption]) -> list[Caption]:
    """Return captions of a mirror image that name sides as the original's do.

    A caption that is mirrored right may stand among the original's, which name both sides.
    """
    theirs = {caption.text for caption in originals}
    wrong = [one for one in captions if one.text in theirs and mirror_caption(one.text) != one.text]
    return [] if any(mirror_caption(text) in theirs for text in theirs if mirror_caption(text) != text) else wrong


def mirrored(caption: Caption) -> Caption:
    """Exchange left and right in a caption and its tokens."""
    return replace(
        caption, text=mirror_caption(caption.text), tokens=tuple(mirror_caption(token) for token in caption.tokens)
    )
