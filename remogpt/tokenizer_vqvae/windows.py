"""Cut training windows: fixed-length stretches of raw features, at random from random clips."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from remogpt.motion.feature_body import body_of
from remogpt.motion.features import ROOT_VELOCITY, YAW_VELOCITY
from remogpt.runtime.errors import RemogptError


class WindowSampler:
    """Cut windows from clips; a clip is an item, whatever its length.

    Source: T2M-GPT's training set (uniform over clips, clips shorter than the window left out);
    differs: `speed_jitter` is ours.
    """

    def __init__(self, clips: Sequence[np.ndarray], window: int, speed_jitter: float = 0.0) -> None:
        """Keep the clips that are long enough.

        Args:
            clips: raw features, each (T, F).
            window: frames per window.
            speed_jitter: windows are played up to exp(speed_jitter) times faster or slower, evenly in the logarithm.
        """
        # A set's clips are read when they are asked for, so that only numbers are kept here.
        self.clips, lengths = clips, [len(clip) for clip in clips]
        self.items = [item for item, length in enumerate(lengths) if length >= window]
        self.window = window
        self.speed_jitter = speed_jitter
        if not self.items:
            longest = max(lengths, default=0)
            raise RemogptError(
                f"wanted clips of at least window={window} frames, got {len(lengths)} clips of at most {longest} "
                "frames; lower the window or give longer motion"
            )

    def __len__(self) -> int:
        return len(self.items)

    def batch(self, items: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(B,) clip indices -> (B, window, F) float32 raw features."""
        return np.stack([self._window(self.clips[self.items[item]], rng) for item in items])

    def _window(self, clip: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        speed = 1.0
        if self.speed_jitter:
            fastest = (len(clip) - 1) / (self.window - 1)
            speed = min(math.exp(rng.uniform(-self.speed_jitter, self.speed_jitter)), fastest)
        if speed == 1.0:
            start = int(rng.integers(len(clip) - self.window + 1))
            return np.asarray(clip[start : start + self.window], dtype=np.float32)
        room = max(0.0, len(clip) - 1 - speed * (self.window - 1))  # rounding may give a negative number
        times = rng.uniform(0.0, room) + speed * np.arange(self.window)
        return self._resampled(clip, np.clip(times, 0.0, len(clip) - 1), speed)

    def _resampled(self, clip: np.ndarray, times: np.ndarray, speed: float) -> np.ndarray:
        """Read the clip at fractional frames; changes per frame scale with the speed."""
        before = np.minimum(times.astype(np.int64), len(clip) - 2)
        share = (times - before)[:, None].astype(np.float32)
        window = clip[before] * (1.0 - share) + clip[before + 1] * share
        for changes in (YAW_VELOCITY, ROOT_VELOCITY, body_of(window.shape[1]).velocities):  # to the next frame
            window[:, changes] *= speed
        return window.astype(np.float32)
