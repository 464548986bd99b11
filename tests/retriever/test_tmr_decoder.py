"""Motions out of a TMR: known answers of its decoder, draws, lengths, and what a trained one writes."""

from pathlib import Path

import numpy as np
import pytest
import torch

from remogpt.retriever.networks.pl_tmr import PLTMRConfig
from remogpt.retriever.networks.tmr import TMR, TMRConfig
from remogpt.retriever.padding import MIN_STD
from remogpt.retriever.retriever import TextMotionRetriever
from remogpt.retriever.tmr_decoder import has_spread, reconstruct, synthesise
from remogpt.retriever.training.new_retriever import new_retriever, new_tmr_retriever
from remogpt.retriever.training.pairs import TrainingPairs
from remogpt.retriever.training.tmr import TMRTrainingConfig, train_tmr
from remogpt.retriever.training.tmr_losses import TMRLosses
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.training.loop import LoopConfig

TEXTS = ["a person walks", "the man waves", "a woman runs left", "a person"]
KINDS = ("a person walks left", "a person walks right", "a person waves left", "a person runs right")


def tiny_tmr(text_model: Path, is_variational: bool = True, num_features: int = 263) -> TextMotionRetriever:
    torch.manual_seed(0)
    config = TMRConfig(num_features, 16, 1, 2, 32, is_variational=is_variational, max_frames=48)
    mean, std = torch.linspace(-1, 1, num_features), torch.linspace(0, 2, num_features)
    return new_tmr_retriever(config, str(text_model), mean, std)


@pytest.fixture(scope="module")
def tmr(tiny_text_model: Path) -> TextMotionRetriever:
    return tiny_tmr(tiny_text_model)


def test_each_caption_gets_its_own_motion_of_its_own_length(tmr: TextMotionRetriever) -> None:
    made = synthesise(tmr, TEXTS, [12, 48, 1, 30])
    assert [row.shape for row in made] == [(12, 263), (48, 263), (1, 263), (30, 263)]
    assert all(row.dtype == np.float32 and np.isfinite(row).all() for row in made)
    for text, row in zip(TEXTS, made, strict=True):  # a batch's order and padding change nothing
        np.testing.assert_allclose(synthesise(tmr, [text], [len(row)])[0], row, atol=1e-5)
    assert not np.allclose(made[0], synthesise(tmr, TEXTS[1:2], [12])[0], atol=1e-3)
    assert synthesise(tmr, [], []) == []


def test_a_motion_is_the_decoded_mean_in_the_units_of_the_training_set(tmr: TextMotionRetriever) -> None:
    network = tmr.network
    assert isinstance(network, TMR)
    states, lengths = tmr.text.prepare(TEXTS[:1])
    with torch.no_grad():
        features = network.decode(network.encode_text(states, lengths).mean, torch.tensor([20]))[0]
    by_hand = features * tmr.std.clamp(min=MIN_STD) + tmr.mean
    np.testing.assert_allclose(synthesise(tmr, TEXTS[:1], [20])[0], by_hand.numpy(), atol=1e-5)


def test_a_decoder_of_zeros_writes_the_mean_pose(tiny_text_model: Path) -> None:
    still = tiny_tmr(tiny_text_model)
    assert isinstance(still.network, TMR)
    torch.nn.init.zeros_(still.network.motion_decoder.output.weight)
    torch.nn.init.zeros_(still.network.motion_decoder.output.bias)
    for made in (synthesise(still, TEXTS[:1], [5]), reconstruct(still, [np.ones((5, 263), np.float32)])):
        np.testing.assert_allclose(made[0], np.tile(still.mean.numpy(), (5, 1)))


def test_draws_are_those_of_the_seed(tmr: TextMotionRetriever) -> None:
    def drawn(seed: int | None, count: int = 4) -> list[np.ndarray]:
        return synthesise(tmr, TEXTS[:count], [10] * count, seed, sample=True)

    assert all(np.array_equal(one, other) for one, other in zip(drawn(3), drawn(3), strict=True))
    assert np.allclose(drawn(3)[0], drawn(3, 1)[0], atol=1e-5)
    assert not np.allclose(drawn(3)[0], drawn(4)[0], atol=1e-3)
    assert not np.allclose(drawn(None)[0], drawn(None)[0], atol=1e-3)
    torch.manual_seed(1)
    state = torch.get_rng_state()
    drawn(3), drawn(None)
    assert torch.equal(torch.get_rng_state(), state)  # nobody else's randomness is touched
    same = synthesise(tmr, [TEXTS[0]] * 2, [10, 10], 0, sample=True)
    assert not np.allclose(*same, atol=1e-3)
    assert np.array_equal(*(synthesise(tmr, TEXTS[:1], [10], seed)[0] for seed in (0, 1)))  # means know no seed


def test_points_have_nothing_to_draw(tiny_text_model: Path, tmr: TextMotionRetriever) -> None:
    points = tiny_tmr(tiny_text_model, is_variational=False)
    assert has_spread(tmr) and not has_spread(points)
    assert synthesise(points, TEXTS, [4] * 4)[0].shape == (4, 263)
    with pytest.raises(RemogptError, match="nothing to draw"):
        synthesise(points, TEXTS, [4] * 4, sample=True)


def test_a_motion_is_encoded_and_decoded_to_its_own_length(tmr: TextMotionRetriever) -> None:
    rng = np.random.default_rng(0)
    motions = [rng.normal(size=(length, 263)).astype(np.float32) for length in (20, 7, 48)]
    made = reconstruct(tmr, motions)
    assert [len(row) for row in made] == [20, 7, 48]
    np.testing.assert_allclose(reconstruct(tmr, motions[1:2])[0], made[1], atol=1e-5)
    assert not np.allclose(made[0][:7], made[1], atol=1e-3)
    with pytest.raises(RemogptError, match=r"motion 1 has shape \(9, 251\)"):
        reconstruct(tmr, [motions[0], np.zeros((9, 251), np.float32)])
    with pytest.raises(RemogptError, match="between 1 and 48 frames"):
        reconstruct(tmr, [np.zeros((49, 263), np.float32)])


@pytest.mark.slow
def test_a_trained_decoder_writes_what_the_caption_says(tiny_text_model: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    motions = rng.normal(0, 0.3, (48, 24, 263)).astype(np.float32)
    for number, motion in enumerate(motions):
        motion[:, 60 * (number % 4) : 60 * (number % 4 + 1)] += 2.0
    pairs = TrainingPairs.from_arrays([(KINDS[number % 4],) for number in range(48)], list(motions))
    model = TMRConfig(width=16, num_layers=1, num_heads=2, feedforward=32, dropout=0.0, is_variational=False)
    loop = LoopConfig(steps=100, batch_size=16, learning_rate=3e-3, schedule="constant", cpu=True)
    config = TMRTrainingConfig(
        model=model, losses=TMRLosses(kl=0.0), text_model=str(tiny_text_model), filter_threshold=None, loop=loop
    )
    trained = train_tmr(config, pairs, pairs, tmp_path / "run", tmp_path / "tmr")
    for made in (synthesise(trained, KINDS, [24] * 4), reconstruct(trained, list(motions[:4]))):
        levels = np.stack([row.mean(axis=0)[:240].reshape(4, 60).mean(axis=1) for row in made])
        np.testing.assert_allclose(levels, 2 * np.eye(4), atol=0.5)


def test_what_cannot_be_written_is_refused_with_the_reason(tmr: TextMotionRetriever, tiny_text_model: Path) -> None:
    with pytest.raises(RemogptError, match=r"between 1 and 48 frames, .* got 49"):
        synthesise(tmr, TEXTS[:2], [48, 49])
    with pytest.raises(RemogptError, match="got 0"):
        synthesise(tmr, TEXTS[:1], [0])
    with pytest.raises(RemogptError, match="2 captions came with 1 lengths"):
        synthesise(tmr, TEXTS[:2], [9])
    with pytest.raises(RemogptError, match="wants a list of captions"):
        synthesise(tmr, TEXTS[0], [9])
    with pytest.raises(RemogptError, match="seed must be 0 or more, got -1"):
        synthesise(tmr, TEXTS[:1], [9], -1, sample=True)
    sizes = PLTMRConfig(part_width=16, num_layers=1, num_heads=2, feedforward=32, projection_dim=16, text_width=16,
                        text_layers=1, text_heads=2, text_feedforward=32)  # fmt: skip
    pl_tmr = new_retriever(sizes, str(tiny_text_model), False, np.zeros(263, np.float32), np.ones(263, np.float32))
    for attempt in (lambda: synthesise(pl_tmr, TEXTS[:1], [9]), lambda: reconstruct(pl_tmr, [np.zeros((9, 263))])):
        with pytest.raises(RemogptError, match=r"\(PL-TMR\) has no decoder"):
            attempt()
