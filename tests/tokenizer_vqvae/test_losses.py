"""Loss terms on known errors."""

import math

import pytest
import torch

from remogpt.tokenizer_vqvae.losses import PATH_BETA, SPEED_BETA, LossWeights, tokenizer_loss
from remogpt.tokenizer_vqvae.normalizer import Normalizer
from remogpt.tokenizer_vqvae.vqvae import VQVAEOutput

NORMALIZER = Normalizer(torch.zeros(263), torch.full((263,), 0.5))


def loss_of(reconstruction, target, weights):
    output = VQVAEOutput(reconstruction, torch.zeros(1, 1), torch.tensor(0.25), torch.tensor(1.0))
    return tokenizer_loss(output, target, NORMALIZER, weights)


def test_papers_loss_of_a_known_error():
    """An error of 1 z-score everywhere: smooth L1 gives 0.5, so 0.5 + 0.5 * 0.5 + 0.02 * 0.25."""
    target = torch.zeros(2, 8, 263)
    loss, terms = loss_of(target + 1.0, target, LossWeights())
    assert loss.item() == pytest.approx(0.5 + 0.25 + 0.005)
    assert set(terms) == {"reconstruction", "positions", "commit"}


@pytest.mark.parametrize(("beta", "expected"), [(1.0, 6.5), (10.0, 24.5)])
def test_large_errors_count_by_their_square_up_to_beta(beta: float, expected: float) -> None:
    target = torch.zeros(2, 8, 263)
    _, terms = loss_of(target + 7.0, target, LossWeights(beta=beta))
    assert terms["reconstruction"] == pytest.approx(expected) and terms["positions"] == pytest.approx(expected)


def test_position_term_sees_only_positions():
    target = torch.zeros(1, 8, 263)
    reconstruction = target.clone()
    reconstruction[..., :4] = reconstruction[..., 67:] = 3.0
    _, terms = loss_of(reconstruction, target, LossWeights())
    assert terms["positions"] == 0.0
    assert terms["reconstruction"] > 0.0


def test_arms_term_sees_elbows_and_wrists_alone():
    """Channels of joints 18 to 21 by HumanML3D's layout: positions, rotations, velocities."""
    arms = {4 + 3 * (joint - 1) + axis for joint in range(18, 22) for axis in range(3)}
    arms |= {67 + 6 * (joint - 1) + number for joint in range(18, 22) for number in range(6)}
    arms |= {193 + 3 * joint + axis for joint in range(18, 22) for axis in range(3)}
    target = torch.zeros(1, 8, 263)
    elsewhere, there = target + 3.0, target + 0.0
    elsewhere[..., sorted(arms)], there[..., sorted(arms)] = 0.0, 1.0
    weights = LossWeights(positions=0.0, commit=0.0, arms=2.0)
    assert loss_of(elsewhere, target, weights)[1]["arms"] == 0.0
    loss, terms = loss_of(there, target, weights)
    assert terms["arms"] == pytest.approx(0.5)
    assert loss.item() == pytest.approx(terms["reconstruction"] + 2.0 * 0.5)


def test_speeds_term_sees_how_fast_joints_move_and_not_where_to():
    """One joint swings by 2 cm a frame, 0.4 m/s; moved to and fro it counts as much, held still it does not."""
    swing = 0.02 * torch.tensor([0.0, 1.0]).repeat(16)  # a step of 2 cm in every frame of 1 / 20 s
    target = torch.zeros(1, 32, 263)
    mirrored, held = target.clone(), target.clone()
    channel = 4 + 3 * 19  # wrist 20, along x
    target[..., channel], mirrored[..., channel] = 2 * swing, -2 * swing  # the normalizer's std is 0.5
    weights = LossWeights(positions=0.0, commit=0.0, speeds=1.0)
    assert loss_of(mirrored, target, weights)[1]["speeds"] == pytest.approx(0.0, abs=1e-9)
    seen = loss_of(held, target, weights)[1]["speeds"]
    assert 21 * seen == pytest.approx(math.sqrt(0.16 + 1e-4) - 0.01 - SPEED_BETA / 2, rel=1e-3)


def test_path_term_adds_up_the_drift():
    """A steady 0.02 m a frame to the side is t * 0.02 m away after t frames, though each frame errs alike."""
    target = torch.zeros(1, 16, 263)
    reconstruction = target.clone()
    reconstruction[..., 1] = 0.02 / 0.5
    _, terms = loss_of(reconstruction, target, LossWeights(path=1.0))
    away = [0.02 * t for t in range(16)]
    expected = [0.5 * a * a / PATH_BETA if a < PATH_BETA else a - 0.5 * PATH_BETA for a in away]
    assert terms["path"] == pytest.approx(sum(expected) / 32, rel=1e-4)  # the mean is over x and z
    assert terms["heading"] == 0.0


def test_heading_term_is_in_radians_of_full_turn():
    target = torch.zeros(1, 3, 263)
    reconstruction = target.clone()
    reconstruction[..., 0] = math.pi / 8 / 0.5  # half the turn per frame
    _, terms = loss_of(reconstruction, target, LossWeights(heading=1.0))
    turns = [0.0, math.pi / 4, math.pi / 2]
    assert terms["heading"] == pytest.approx(sum(max(turn - PATH_BETA / 2, 0) for turn in turns) / 3, rel=1e-4)


def test_joints_term_counts_with_its_weight():
    """All joints 0.25 m too high, the root too: 0.25 - 0.05 by smooth L1 on one of three axes."""
    target = torch.zeros(1, 8, 263)
    reconstruction = target.clone()
    reconstruction[..., [3, *range(5, 67, 3)]] = 0.25 / 0.5
    loss, terms = loss_of(reconstruction, target, LossWeights(positions=0.0, commit=0.0, joints=2.0))
    assert terms["joints"] == pytest.approx((0.25 - PATH_BETA / 2) / 3, rel=1e-4)
    assert loss.item() == pytest.approx(terms["reconstruction"] + 2.0 * terms["joints"])


def test_path_terms_are_differentiable_and_zero_without_error():
    target = torch.randn(2, 16, 263)
    exact, _ = loss_of(target, target, LossWeights(commit=0.0, path=1.0, heading=1.0, joints=1.0))
    assert exact.item() == pytest.approx(0.0, abs=1e-6)
    reconstruction = (target + 0.1 * torch.randn_like(target)).requires_grad_()
    loss, _ = loss_of(reconstruction, target, LossWeights(path=1.0, heading=1.0, joints=1.0))
    loss.backward()
    assert torch.isfinite(reconstruction.grad).all()
    assert reconstruction.grad[..., :3].abs().sum() > 0
