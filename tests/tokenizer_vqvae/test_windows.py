"""Training windows."""

import numpy as np
import pytest

from remogpt.runtime.errors import RemogptError
from remogpt.tokenizer_vqvae.windows import WindowSampler

CHANGES = np.r_[0:3, 193:259]
"""Channels that hold changes to the next frame."""


def ramp(num_frames: int) -> np.ndarray:
    """Pose channels count frames, change channels are 1: a motion of constant speed."""
    clip = np.repeat(np.arange(num_frames, dtype=np.float32)[:, None], 263, axis=1)
    clip[:, CHANGES] = 1.0
    return clip


def test_windows_are_stretches_of_clips_long_enough():
    sampler = WindowSampler([ramp(40), ramp(64), ramp(100)], window=64)
    assert len(sampler) == 2
    batch = sampler.batch(np.array([0, 1, 1, 1]), np.random.default_rng(0))
    assert batch.shape == (4, 64, 263)
    assert batch.dtype == np.float32
    assert batch[0, 0, 4] == 0.0
    assert len({window[0, 4] for window in batch[1:]}) > 1
    for window in batch:
        assert np.array_equal(np.diff(window[:, 4]), np.ones(63))


def test_the_same_generator_gives_the_same_windows():
    sampler = WindowSampler([ramp(100)] * 3, window=16, speed_jitter=0.2)
    first, second = (sampler.batch(np.arange(3), np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(first, second)


def test_a_faster_window_moves_more_per_frame():
    """At speed s the pose advances s source frames a frame, and every change channel says s."""
    sampler = WindowSampler([ramp(100), ramp(64)], window=64, speed_jitter=0.4)
    batch = sampler.batch(np.array([0] * 30 + [1] * 10), np.random.default_rng(1))
    speeds = batch[:, 0, 0]
    assert speeds.max() > 1.2
    assert speeds.min() < 0.8
    assert speeds[30:].max() <= 1.0  # a clip of one window cannot be played faster
    np.testing.assert_allclose(np.diff(batch[..., 4], axis=1), np.repeat(speeds[:, None], 63, axis=1), atol=1e-4)
    assert batch[..., 4].min() >= 0.0
    assert batch[:30, :, 4].max() <= 99.0
    np.testing.assert_array_equal(batch[..., 0], batch[..., 200])


@pytest.mark.parametrize(("window", "frames"), [(16, 32), (48, 55), (48, 58)])
def test_a_clip_played_as_fast_as_it_can_fills_the_window(window: int, frames: int):
    """At these lengths rounding leaves less than nothing to choose the start from."""
    sampler = WindowSampler([ramp(frames)], window=window, speed_jitter=2.0)
    batch = sampler.batch(np.zeros(40, dtype=np.int64), np.random.default_rng(0))
    fastest = batch[batch[:, -1, 4] > frames - 1.001]
    assert len(fastest) > 5 and np.abs(fastest[:, 0, 4]).max() < 1e-4


def test_clips_that_are_all_too_short():
    with pytest.raises(RemogptError, match="window=64 frames, got 2 clips of at most 50"):
        WindowSampler([ramp(40), ramp(50)], window=64)
