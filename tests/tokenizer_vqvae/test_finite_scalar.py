"""Finite scalar quantization against rounding by hand, and what must hold for any quantizer."""

import math

import pytest
import torch

from remogpt.tokenizer_vqvae.finite_scalar import FiniteScalarQuantizer

LEVELS = (5, 3)


@pytest.fixture
def quantizer() -> FiniteScalarQuantizer:
    """Two coordinates, passed on as they are: projections are the identity, statistics those of a standard normal."""
    quantizer = FiniteScalarQuantizer(LEVELS, code_dim=2).eval()
    for projection in (quantizer.into, quantizer.back):
        torch.nn.init.eye_(projection.weight)
        torch.nn.init.zeros_(projection.bias)
    return quantizer


def test_coordinates_are_bounded_and_rounded(quantizer: FiniteScalarQuantizer) -> None:
    """Odd levels: tanh times half the levels, rounded; ids count the first coordinate fastest, lowest first."""
    torch.manual_seed(0)
    vectors = 2.0 * torch.randn(3, 40, 2)
    quantized = quantizer(vectors)
    steps = torch.tensor([2.0, 1.0])  # values on either side of zero
    rounded = torch.round(torch.tanh(vectors) * steps * (1 + 1e-3))
    torch.testing.assert_close(quantized.vectors, rounded / steps)
    assert torch.equal(quantized.codes, (rounded + steps).long() @ torch.tensor([1, 5]))
    assert quantized.codes.unique().tolist() == list(range(15))
    assert quantized.commit_loss == 0.0


def test_every_code_is_a_point_that_gives_the_code_again(quantizer: FiniteScalarQuantizer) -> None:
    codes = torch.arange(15).view(3, 5)
    points = quantizer.lookup(codes)
    assert len({tuple(point) for point in points.flatten(0, 1).tolist()}) == 15
    assert torch.equal(quantizer.encode(torch.atanh(0.95 * points)), codes)


def test_the_gradient_is_that_of_the_bound_alone(quantizer: FiniteScalarQuantizer) -> None:
    vectors = torch.tensor([[[0.3, -1.2]]], requires_grad=True)
    quantizer(vectors).vectors.sum().backward()
    slope = (1 - math.tanh(0.3) ** 2, 1 - math.tanh(1.2) ** 2)
    assert vectors.grad is not None
    assert vectors.grad.flatten().tolist() == pytest.approx(slope, rel=2e-3)


def test_vectors_far_from_the_grid_are_brought_back_to_it() -> None:
    """In training they are standardised: most codes are in use wherever the encoder's vectors lie."""
    torch.manual_seed(0)
    quantizer = FiniteScalarQuantizer(LEVELS, code_dim=8)
    output = quantizer(100.0 + 30.0 * torch.randn(8, 64, 8))
    assert output.perplexity > 10
    assert torch.equal(quantizer.eval()(torch.zeros(1, 2, 8)).codes, quantizer.encode(torch.zeros(1, 2, 8)))
