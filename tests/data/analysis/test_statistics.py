"""Mean and deviation in the four ways of published models."""

import numpy as np
import pytest

from remogpt.data.analysis.statistics import channel_groups, mean_and_std
from remogpt.runtime.errors import RemogptError

RNG = np.random.default_rng(0)
MOTIONS = {count: [RNG.normal(3, 2 + RNG.random(count), (n, count)).astype(np.float32) for n in (40, 60)]
           for count in (263, 251)}  # fmt: skip


@pytest.mark.parametrize("count", [263, 251])
def test_groups_cover_every_channel_once(count: int) -> None:
    assert [i for group in channel_groups(count) for i in range(count)[group]] == list(range(count))


@pytest.mark.parametrize("count", [263, 251])
def test_conventions_of_features(count: int) -> None:
    frames = np.concatenate(MOTIONS[count]).astype(np.float64)
    plain = frames.std(axis=0)
    for convention in ("humanml3d", "guo", "tmr"):
        mean, std = mean_and_std(MOTIONS[count], convention)
        np.testing.assert_allclose(mean, frames.mean(axis=0), atol=1e-5)
        for number, group in enumerate(channel_groups(count)):
            expected = plain[group] if convention == "tmr" else plain[group].mean()
            emphasis = 25 if convention == "guo" and number in (0, 1, 2, 6) else 1
            np.testing.assert_allclose(std[group] * emphasis, np.broadcast_to(expected, std[group].shape), rtol=1e-5)


def test_the_fourth_is_of_joint_positions() -> None:
    joints = [RNG.normal(1, 2, (n, 22, 3)).astype(np.float32) for n in (30, 50)]
    mean, std = mean_and_std(joints, "motion_patches")
    frames = np.concatenate(joints).astype(np.float64)
    np.testing.assert_allclose(mean, frames.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(std, frames.std(axis=0), rtol=1e-5)


def test_other_words_and_channels_are_refused() -> None:
    with pytest.raises(RemogptError, match="wanted statistics as humanml3d, guo, tmr, motion_patches, got 'mdm'"):
        mean_and_std(MOTIONS[263], "mdm")  # type: ignore[arg-type]
    with pytest.raises(RemogptError, match="wanted features of 263 channels"):
        mean_and_std([np.ones((5, 135), dtype=np.float32)])
