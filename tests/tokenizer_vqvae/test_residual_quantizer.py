"""Residual quantization against levels worked out one by one, and what a resumed training needs."""

import pytest
import torch
from torch import Tensor

from remogpt.tokenizer_vqvae.residual_quantizer import ResidualQuantizer

LEVELS = (6, 4)


def trained(steps: int = 4) -> ResidualQuantizer:
    torch.manual_seed(0)
    quantizer = ResidualQuantizer(LEVELS, code_dim=3, decay=0.8, dead_below=0.1)
    for _ in range(steps):
        quantizer(torch.randn(4, 8, 3))
    return quantizer


def level_by_level(quantizer: ResidualQuantizer, vectors: Tensor) -> tuple[Tensor, Tensor]:
    """Codes (M, Q) and the sum of their rows (M, D), by the nearest row of what is left over."""
    left, codes, first = vectors, [], 0
    for layer, size in zip(quantizer.books.layers, LEVELS, strict=True):
        book = layer._codebook.embed[0]
        assert len(book) == size
        chosen = torch.stack([(book - vector).norm(dim=1).argmin() for vector in left])
        left = left - book[chosen]
        codes.append(first + chosen)
        first += size
    return torch.stack(codes, dim=1), vectors - left


def test_codes_are_the_nearest_of_what_is_left_over_step_by_step() -> None:
    quantizer = trained().eval()
    vectors = torch.randn(2, 5, 3)
    output = quantizer(vectors)
    codes, sums = level_by_level(quantizer, vectors.flatten(0, 1))
    assert output.codes.shape == (2, 10)
    assert torch.equal(output.codes.view(-1, 2), codes)
    torch.testing.assert_close(output.vectors.flatten(0, 1), sums)
    assert torch.equal(quantizer.encode(vectors), output.codes)
    torch.testing.assert_close(quantizer.lookup(output.codes), output.vectors)
    assert set(output.codes[:, ::2].flatten().tolist()) <= set(range(6))
    assert set(output.codes[:, 1::2].flatten().tolist()) <= set(range(6, 10))


def test_gradient_passes_straight_through() -> None:
    vectors = torch.randn(2, 5, 3, requires_grad=True)
    trained()(vectors).vectors.sum().backward()
    assert vectors.grad is not None
    torch.testing.assert_close(vectors.grad, torch.ones_like(vectors))


def test_commit_loss_adds_up_the_levels() -> None:
    quantizer = trained().eval()
    vectors = torch.randn(3, 4, 3)
    first = quantizer.books.layers[0]._codebook.embed[0]
    left = vectors.flatten(0, 1)
    left_over = left - first[torch.cdist(left, first).argmin(dim=1)]
    _, sums = level_by_level(quantizer, left)
    expected = left_over.pow(2).mean() + (left - sums).pow(2).mean()
    quantizer.train()  # the library counts the loss in training alone
    assert quantizer(vectors).commit_loss.item() == pytest.approx(expected.item(), rel=1e-5)


def test_a_restored_quantizer_goes_on_as_the_unbroken_one() -> None:
    torch.manual_seed(3)
    batches = [torch.randn(4, 5, 3) for _ in range(6)]
    unbroken, first, second = (ResidualQuantizer(LEVELS, 3, dead_below=0.1) for _ in range(3))

    def train(quantizer: ResidualQuantizer, steps: range) -> None:
        for step in steps:
            torch.manual_seed(step)  # as the training loop does
            quantizer(batches[step])

    train(unbroken, range(6))
    train(first, range(3))
    second.load_state_dict(first.state_dict())
    train(second, range(3, 6))
    assert all(torch.equal(tensor, second.state_dict()[name]) for name, tensor in unbroken.state_dict().items())


def test_restarted_it_keeps_its_codebooks() -> None:
    """Loaded without the moving state, it encodes alike, and training does not start new codebooks."""
    quantizer = trained()
    stored = {name: tensor for name, tensor in quantizer.state_dict().items() if name not in quantizer.TRAINING_STATE}
    assert len(stored) == 2  # one codebook for each level
    other = ResidualQuantizer(LEVELS, code_dim=3, decay=0.999, dead_below=0.1)
    other.load_state_dict({**other.state_dict(), **stored})
    other.restart_()
    vectors = torch.randn(2, 5, 3)
    assert torch.equal(other.encode(vectors), quantizer.eval().encode(vectors))
    other.train()(vectors)
    for ours, theirs in zip(other.books.layers, quantizer.books.layers, strict=True):
        torch.testing.assert_close(ours._codebook.embed, theirs._codebook.embed, atol=0.02, rtol=0)


def test_dead_codes_are_counted_and_replaced() -> None:
    quantizer = ResidualQuantizer((3,), code_dim=1, decay=0.5, dead_below=0.4)
    book = quantizer.books.layers[0]._codebook
    book.embed.copy_(torch.tensor([[[0.0], [10.0], [500.0]]]))
    quantizer.restart_()
    vectors = torch.tensor([[[0.0], [10.0], [0.5], [9.0]]])
    for _ in range(2):
        quantizer(vectors)
    assert book.embed[0, 2].item() in vectors
    quantizer(vectors + 200.0)
    assert quantizer.num_dead() == 0


def test_restarted_none_of_its_codes_is_dead() -> None:
    quantizer = trained()
    for layer in quantizer.books.layers:
        layer._codebook.cluster_size.zero_()
    assert quantizer.num_dead() == sum(LEVELS)
    quantizer.restart_()
    assert quantizer.num_dead() == 0
