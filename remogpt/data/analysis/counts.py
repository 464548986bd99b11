"""Count the clips, captions and words of a split, and measure its clips' lengths."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from remogpt.data.humanml3d import Clip
from remogpt.motion.skeleton import FPS


def count_clips(clips: Sequence[Clip], fps: float = FPS) -> dict[str, Any]:
    """Count clips, captions, distinct captions and words, minutes, and the median length in seconds."""
    seconds = np.array([clip.num_frames for clip in clips]) / fps
    captions = [caption for clip in clips for caption in clip.captions]
    words = {word for caption in captions for word in caption.lower().strip(".").split()}
    return {
        "clips": len(clips),
        "captions": len(captions),
        "distinct captions": len(set(captions)),
        "distinct words": len(words),
        "minutes": round(float(seconds.sum()) / 60, 1),
        "median seconds": round(float(np.median(seconds)), 2) if len(seconds) else 0.0,
    }
