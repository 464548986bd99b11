"""Training: it learns, it resumes exactly, and the shipped settings parse."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from jsonargparse import ArgumentParser

import remogpt
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.training.loop import LoopConfig
from remogpt.tokenizer_vqvae import MotionTokenizer, train
from remogpt.tokenizer_vqvae.losses import LossWeights
from remogpt.tokenizer_vqvae.train import TokenizerConfig, train_tokenizer
from remogpt.tokenizer_vqvae.vqvae import MotionVQVAE

CONFIGS = Path(remogpt.__file__).parent / "configs"

SMALL = TokenizerConfig(
    width=16,
    code_dim=8,
    num_codes=16,
    window=16,
    dead_below=0.1,
    root_emphasis=5.0,
    speed_jitter=0.1,
    input_noise=0.05,
    weights=LossWeights(path=0.3, heading=0.1),
    loop=LoopConfig(steps=6, batch_size=4, learning_rate=1e-3, log_every=1, save_every=3, evaluate_every=3, cpu=True),
)


class KilledError(Exception):
    """Stands for a kill signal."""


def synthetic(count: int, seed: int) -> list[np.ndarray]:
    """Clips of 48 frames in which all channels swing together, each clip from its own place in the swing."""
    rng = np.random.default_rng(seed)
    angle = np.arange(48) / 6 + rng.uniform(0, 6, size=(count, 1))
    swing = np.stack([np.sin(angle), np.cos(angle)], axis=-1)  # (count, 48, 2)
    features = swing @ rng.normal(scale=0.2, size=(2, 263))
    features[..., 3] += 0.9
    features[..., :3] *= 0.05
    return list(features.astype(np.float32))


def parse(path: Path) -> TokenizerConfig:
    parser = ArgumentParser()
    parser.add_argument("--config", type=TokenizerConfig)
    parsed = parser.parse_args(["--config", str(path)])
    return parser.instantiate(parsed).config


def weights_of(run: Path) -> dict[str, torch.Tensor]:
    return torch.load(run / "training.pt", weights_only=True)["model"]


@pytest.mark.slow
def test_training_lowers_the_error_and_saves_what_it_returns(tmp_path):
    config = replace(
        SMALL,
        width=32,
        depth=1,
        weights=LossWeights(),
        input_noise=0.0,
        saved_as="float16",
        loop=replace(SMALL.loop, steps=60, learning_rate=4e-3, log_every=5),
    )
    motions = synthetic(12, 0)
    tokenizer = train_tokenizer(config, motions, motions[:4], tmp_path / "run", tmp_path / "out")
    history = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert any({"dead_codes", "perplexity"} <= line.keys() for line in history)
    assert any({"val/world_mm", "val/codes_used"} <= line.keys() for line in history)
    losses = [line["reconstruction"] for line in history if "reconstruction" in line]
    assert losses[-1] < 0.5 * losses[0]
    loaded = MotionTokenizer.from_pretrained(tmp_path / "out")
    assert loaded.hash == tokenizer.hash
    assert np.array_equal(loaded.encode(motions[0]), tokenizer.encode(motions[0]))


@pytest.mark.parametrize(
    ("changes", "moving"),
    [
        ({}, {"quantizer.code_sums", "quantizer.code_counts", "quantizer.is_initialized"}),
        ({"quantizer": "residual", "levels": (8, 8)}, {"quantizer.books.layers.1._codebook.embed_avg"}),
    ],
    ids=["ema", "residual"],
)
def test_a_killed_run_ends_with_the_weights_of_an_unbroken_one(changes, moving, tmp_path, monkeypatch):
    """Six steps at once; and three steps, a kill in the fifth, three more: equal bit for bit, with the codebook."""
    motions, config = synthetic(12, 0), replace(SMALL, **changes)
    unbroken = train_tokenizer(config, motions, motions[:2], tmp_path / "a", tmp_path / "a_out")
    calls = 0
    original = train.tokenizer_loss

    def dies_in_the_fifth_step(*args):
        nonlocal calls
        calls += 1
        if calls == 5:
            raise KilledError
        return original(*args)

    monkeypatch.setattr(train, "tokenizer_loss", dies_in_the_fifth_step)
    with pytest.raises(KilledError):
        train_tokenizer(config, motions, motions[:2], tmp_path / "b", tmp_path / "b_out")
    monkeypatch.setattr(train, "tokenizer_loss", original)
    resumed = train_tokenizer(config, motions, motions[:2], tmp_path / "b", tmp_path / "b_out")
    ours, theirs = weights_of(tmp_path / "b"), weights_of(tmp_path / "a")
    assert ours.keys() == theirs.keys()
    assert moving <= ours.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert resumed.hash == unbroken.hash
    assert (tmp_path / "a" / "log.jsonl").read_text() == (tmp_path / "b" / "log.jsonl").read_text()


@pytest.mark.parametrize(
    ("motions", "val", "message"),
    [
        ([], synthetic(1, 0), "training motions for the tokenizer, got none"),
        (synthetic(2, 0), [], "validation motions for the tokenizer, got none"),
        ([np.zeros((40, 251), np.float32)], synthetic(1, 0), r"one number of channels, got \[251, 263\]"),
        ([np.zeros((12, 263), np.float32)], synthetic(1, 0), "window=16 frames, got 1 clips of at most 12"),
    ],
)
def test_data_that_cannot_be_trained_on(tmp_path, motions, val, message):
    with pytest.raises(RemogptError, match=message):
        train_tokenizer(SMALL, motions, val, tmp_path / "run", tmp_path / "out")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"window": 30}, "multiple of 4"),
        ({"root_emphasis": 0.0}, "root_emphasis"),
        ({"decay": 1.0}, "paper has 0.99"),
        ({"keep_codes": True}, "set start_from"),
    ],
)
def test_settings_that_make_no_sense(changes, message):
    with pytest.raises(RemogptError, match=message):
        TokenizerConfig(**changes)


def test_a_decoder_trained_on_keeps_the_codes(tmp_path):
    train, val = synthetic(8, 0), synthetic(2, 1)
    config = replace(SMALL, saved_as="float16")
    first = train_tokenizer(config, train, val, tmp_path / "first" / "run", tmp_path / "first")
    further = replace(config, start_from=str(tmp_path / "first"), keep_codes=True)
    second = train_tokenizer(further, train, val, tmp_path / "second" / "run", tmp_path / "second")
    codes = first.encode_batch(val)
    assert all(np.array_equal(one, other) for one, other in zip(codes, second.encode_batch(val), strict=True))
    assert torch.equal(first.code_vectors, second.code_vectors)
    assert torch.equal(first.normalizer.mean, second.normalizer.mean)
    assert second.hash != first.hash == first.code_hash == second.code_hash
    assert not np.array_equal(first.decode(codes[0]), second.decode(codes[0]))


def test_a_training_goes_on_from_a_tokenizer_of_its_size_alone(tmp_path):
    train, val = synthetic(8, 0), synthetic(2, 1)
    train_tokenizer(SMALL, train, val, tmp_path / "first" / "run", tmp_path / "first")
    wider = replace(SMALL, width=24, start_from=str(tmp_path / "first"))
    with pytest.raises(RemogptError, match=r"start_from: .* of another size .* first in decoder"):
        train_tokenizer(wider, train, val, tmp_path / "second" / "run", tmp_path / "second")


def test_the_paper_configuration_is_the_papers():
    config = parse(CONFIGS / "humanml3d" / "tokenizer.yaml")
    with torch.device("meta"):
        vqvae = MotionVQVAE(**config.network())
    assert sum(p.numel() for p in vqvae.parameters()) == 19_436_807  # 19.44 M
    assert (config.num_codes, config.code_dim, config.window) == (512, 512, 64)
    assert config.weights == LossWeights(positions=0.5, commit=0.02, path=0.0, heading=0.0)
    assert (config.speed_jitter, config.input_noise, config.dead_below) == (0.0, 0.0, 1.0)
    loop = config.loop
    assert (loop.batch_size, loop.learning_rate, loop.betas, loop.weight_decay) == (256, 2e-4, (0.9, 0.99), 0.0)
    assert loop.steps == 300_000
    assert [loop.rate(step) for step in (199_999, 200_000)] == pytest.approx([2e-4, 1e-5])


def test_the_mini_configuration_fits_the_package():
    """Weights and codebook in float16 stay under 6 MB."""
    config = parse(CONFIGS / "mini" / "tokenizer.yaml")
    with torch.device("meta"):
        vqvae = MotionVQVAE(**config.network())
    num_values = sum(p.numel() for p in vqvae.parameters()) + vqvae.quantizer.codebook.numel()
    assert config.saved_as == "float16"
    assert 2 * num_values < 6e6
