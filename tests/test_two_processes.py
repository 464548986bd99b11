"""Two processes on the CPU learn what one does in two rounds: the tokenizer, with its codebook, and the LM."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist
from torch import Tensor

from remogpt.lm import T5Size
from remogpt.lm.training.samples import CodedClip, SampleMix
from remogpt.lm.training.train import LanguageModelConfig, train_language_model
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.training.loop import LoopConfig
from remogpt.tokenizer_vqvae.losses import LossWeights
from remogpt.tokenizer_vqvae.train import TokenizerConfig, train_tokenizer
from tests.two_processes import run_in_two_processes

pytestmark = pytest.mark.slow

LOOP = LoopConfig(steps=5, batch_size=8, learning_rate=1e-3, warmup_steps=2, log_every=1, save_every=5, cpu=True)
TOKENIZER = TokenizerConfig(
    width=16, code_dim=8, num_codes=24, window=16, decay=0.7, dead_below=0.8, speed_jitter=0.1, input_noise=0.05,
    weights=LossWeights(path=0.3), loop=LOOP,
)  # fmt: skip
LM = LanguageModelConfig(size=T5Size(32, 64, 1, 1, 2, 16, "gated-gelu", 0.1), vocabulary_size=320, num_codes=32,
                         loop=replace(LOOP, grad_clip=1.0))  # fmt: skip
WORDS = "a person walks in a circle and then waves with the left hand while the right hand rests on the hip"


def motions() -> list[np.ndarray]:
    """Clips that a window of 40 frames shows whole."""
    rng = np.random.default_rng(0)
    return [rng.normal(scale=0.3, size=(40, 263)).astype(np.float32) for _ in range(20)]


def clips() -> list[CodedClip]:
    """Clips of very different lengths, with one caption and one coding each."""
    rng = np.random.default_rng(1)
    lengths = [3 + 5 * (number % 9) for number in range(20)]
    return [CodedClip((WORDS[: 4 * words],), (rng.integers(32, size=codes),))
            for words, codes in enumerate(lengths, start=2)]  # fmt: skip


def train(folder: Path, tokenizer: TokenizerConfig, lm: LanguageModelConfig, accumulation: int) -> None:
    """Train both."""
    tokenizer, lm = (replace(one, loop=replace(one.loop, accumulation=accumulation)) for one in (tokenizer, lm))
    train_tokenizer(tokenizer, motions(), motions()[:2], folder / "tokenizer", folder / "tokenizer_out")
    train_language_model(lm, clips(), folder / "lm_out", folder / "lm")


def _learn(rank: int, folder: Path) -> None:
    train(folder / "two", TOKENIZER, LM, 1)
    with pytest.raises(RemogptError, match=r"loop\.batch_size 2 leaves nothing to do for some of 2 processes"):
        train(folder / "none", replace(TOKENIZER, loop=replace(LOOP, batch_size=2)), LM, 2)
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two processes, and one of one process in two rounds."""
    folder = tmp_path_factory.mktemp("runs")
    run_in_two_processes(_learn, folder)
    train(folder / "rounds", TOKENIZER, LM, 2)
    return folder


def weights(run: Path) -> dict[str, Tensor]:
    return torch.load(run / "training.pt", weights_only=True)["model"]


def log(run: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("stage", ["tokenizer", "lm"])
def test_two_processes_are_two_rounds_of_one(runs: Path, stage: str) -> None:
    """Bit for bit, with dropout, noise, crops and dead codes: each share of a batch draws for itself."""
    two, rounds = weights(runs / "two" / stage), weights(runs / "rounds" / stage)
    assert two.keys() == rounds.keys()
    for name, value in two.items():
        assert torch.equal(value, rounds[name]), name
    logs = [log(runs / name / stage) for name in ("two", "rounds")]
    assert len(logs[0]) == len(logs[1]) >= LOOP.steps
    for one, other in zip(*logs, strict=True):
        # Of both processes' codes together; of rounds the mean, in the first of which the codebook is the old one.
        for name in one.keys() - {"perplexity", "dead_codes"}:
            assert one[name] == pytest.approx(other[name], abs=2e-6), name
    if stage == "tokenizer":
        assert logs[0][LOOP.steps - 1]["dead_codes"] > 0 and "quantizer.code_counts" in two


def test_rounds_are_the_whole_batch_where_nothing_is_drawn(tmp_path: Path) -> None:
    """Ids weigh alike although rounds have different numbers of them; the codebook moves once a step."""
    tokenizer = replace(TOKENIZER, window=40, speed_jitter=0.0, input_noise=0.0)
    mix = SampleMix(motion_share=1.0, corrupted=0.0, trimmed_codes=0.0)
    lm = replace(LM, size=replace(LM.size, dropout=0.0), mix=mix)
    for rounds in (1, 2):
        train(tmp_path / str(rounds), tokenizer, lm, rounds)
    for stage, score in (("tokenizer", "val/world_mm"), ("lm", "loss")):
        whole, split = (weights(tmp_path / rounds / stage) for rounds in ("1", "2"))
        for name, value in whole.items():
            torch.testing.assert_close(split[name], value, rtol=1e-6, atol=1e-6, msg=name)
        scores = [log(tmp_path / rounds / stage)[-1][score] for rounds in ("1", "2")]
        assert scores[0] == pytest.approx(scores[1], rel=1e-5)
