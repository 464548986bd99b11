"""One training step of PL-TMR: which clips and captions it sees, what must not count as a negative, and its loss.

With several processes every one computes the loss of the whole batch from everybody's embeddings (see `gathering`).
Rounds of accumulation contrast their own share of the batch alone: what an earlier round embedded is gone by then.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from remogpt.retriever.networks.pl_tmr import Embedded
from remogpt.retriever.padding import normalized_batch
from remogpt.retriever.retriever import TextMotionRetriever
from remogpt.retriever.text.canonical import worded
from remogpt.retriever.text.frozen_model import FrozenText, TextSource
from remogpt.retriever.text.token_cache import CachedText
from remogpt.retriever.training.all_gather import check_equal_shares, gather_rows
from remogpt.retriever.training.contrastive import contradictions, contrastive_loss, near_duplicates
from remogpt.retriever.training.pairs import TrainingPairs

if TYPE_CHECKING:
    from remogpt.retriever.training.loop import RetrieverConfig


class PairBatches:
    """Builds training batches and their loss.

    Args:
        config: see `RetrieverConfig`.
        pairs: training clips.
        retriever: untrained; its statistics, text source and form of captions are used.
        val_captions: further sentences whose token states are cached.
        folder: of the cache.
    """

    def __init__(
        self,
        config: "RetrieverConfig",
        pairs: TrainingPairs,
        retriever: TextMotionRetriever,
        val_captions: Sequence[str],
        folder: Path,
    ) -> None:
        self.config, self.pairs, self.mean, self.std = config, pairs, retriever.mean, retriever.std
        self.form = retriever.caption_form
        self.text: TextSource = retriever.text
        self.sentences: CachedText | None = None
        sentences = [worded(caption, self.form) for caption in [*pairs.unique_captions(), *val_captions]]
        if isinstance(retriever.text, FrozenText):
            self.text = self.sentences = CachedText(retriever.text, sentences, folder)
        elif config.filter_threshold is not None:
            self.sentences = CachedText(FrozenText(config.filter_model), sentences, folder)

    def loss(self, model: nn.Module, indices: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        """Contrastive loss of the given clips, with one random caption each."""
        check_equal_shares(self.config.loop.batch_size, self.config.loop.accumulation)
        device = next(model.parameters()).device
        items = self._with_mirrors(indices)
        numbers = np.array([rng.integers(len(self.pairs.captions[item])) for item in items], dtype=np.int64)
        captions = self._captions(items, numbers)
        crops = [self.pairs.crop(int(item), self.config.model.max_frames, rng) for item in items]
        scores, lengths = normalized_batch(crops, self.mean, self.std)
        if self.config.input_noise:
            scores = scores + self.config.input_noise * torch.randn_like(scores)
        text, text_lengths = self.text.prepare([worded(caption, self.form) for caption in captions])
        own: Embedded = model(*(tensor.to(device) for tensor in (text, text_lengths, scores, lengths)))
        texts, motions = gather_rows(own.texts), gather_rows(own.motions)
        items, numbers = (gather_rows(torch.from_numpy(part).to(device)).cpu().numpy() for part in (items, numbers))
        mask = self._false_negatives(items, self._captions(items, numbers))
        loss = contrastive_loss(texts, motions, own.temperature, mask.to(device))
        return loss, _batch_log(texts, motions, mask)

    def _captions(self, items: np.ndarray, numbers: np.ndarray) -> list[str]:
        pairs = zip(items.tolist(), numbers.tolist(), strict=True)
        return [self.pairs.captions[item][number] for item, number in pairs]

    def _with_mirrors(self, indices: np.ndarray) -> np.ndarray:
        """Replace the end of the batch by the mirror images of its beginning, so that its size stays."""
        partners = self.pairs.partners[indices[: int(len(indices) * self.config.mirror_share / 2)]]
        added = np.setdiff1d(partners[partners >= 0], indices)
        return np.concatenate([indices[: len(indices) - len(added)], added])

    def _false_negatives(self, items: np.ndarray, captions: list[str]) -> Tensor:
        """(B, B) bool: pairs that are not negatives, the diagonal too."""
        groups = torch.from_numpy(self.pairs.groups[items])
        mask = (groups[:, None] == groups) & (groups >= 0)
        mask |= torch.from_numpy(items[:, None] == items)
        if self.config.filter_threshold is not None and self.sentences is not None:
            vectors = self.sentences.sentence_vectors([worded(caption, self.form) for caption in captions])
            same = near_duplicates(vectors, self.config.filter_threshold)
            mask |= same & ~contradictions(captions) if self.config.guard_directions else same
        return mask


def _batch_log(texts: Tensor, motions: Tensor, mask: Tensor) -> dict[str, float]:
    own = torch.eye(len(mask), dtype=torch.bool)
    rivals = (texts @ motions.T).detach().cpu().masked_fill(mask & ~own, -1.0)
    hits = rivals.argmax(dim=1) == torch.arange(len(mask))
    return {"batch_r1": hits.float().mean().item(), "filtered": (mask.sum().item() - len(mask)) / len(mask)}
