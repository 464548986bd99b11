"""One training step of PL-TMR: which clips and captions it sees, what must not count as a negative, and its loss.

With several processes every one computes the loss of the whole batch from everybody's embeddings (see `gathering`).
Rounds of accumulation contrast their own share of the batch alone: what an earlier round embedded is gone by then.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from remogpt.retriever.gathering import check_equal_shares, gather_padded, gather_rows
from remogpt.retriever.hard_negatives import chosen_swaps
from remogpt.retriever.late_interaction import LateVectors, max_sim, paired_max_sim
from remogpt.retriever.losses import contradictions, cosines, near_duplicates, similarity_loss
from remogpt.retriever.pairs import TrainingPairs
from remogpt.retriever.pl_tmr import PLTMR, Embedded
from remogpt.retriever.queue import WithQueue
from remogpt.retriever.retriever import TextMotionRetriever
from remogpt.retriever.text_encoder import CachedText
from remogpt.retriever.text_source import FrozenText, TextSource
from remogpt.retriever.wording import canonical_caption, wordings
from remogpt.retriever.zscores import normalized_batch

if TYPE_CHECKING:
    from remogpt.retriever.train import RetrieverConfig


class _Batch(NamedTuple):
    """What a step sees, over all processes."""

    items: np.ndarray
    """(B,) int64 clips."""
    numbers: np.ndarray
    """(B,) int64: which of its captions each clip has."""
    captions: list[str]
    """Those captions."""
    mask: Tensor
    """(B, B) bool: pairs that are not negatives, the diagonal too."""


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
        self.swaps = self._all_swaps() if config.hard_negatives else {}
        swaps = [swap for found in self.swaps.values() for swap in found]
        captions = [*pairs.unique_captions(), *swaps, *val_captions]
        sentences = [form for caption in captions for form in wordings(caption, self.form)]
        if isinstance(retriever.text, FrozenText):
            self.text = self.sentences = CachedText(retriever.text, sentences, folder)
        elif config.filter_threshold is not None:
            self.sentences = CachedText(FrozenText(config.filter_model), sentences, folder)
        assert isinstance(retriever.network, PLTMR)
        self.queued = WithQueue(retriever.network, config.queue, config.queue_momentum) if config.queue else None
        self.model: nn.Module = retriever.network if self.queued is None else self.queued

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
        swaps, is_swap = self._swaps_of(captions)
        text, text_lengths = self.text.prepare([wordings(caption, self.form)[0] for caption in [*captions, *swaps]])
        inputs = [tensor.to(device) for tensor in (text, text_lengths, scores, lengths)]
        own: Embedded = model(*inputs)
        batch, is_swap = self._gathered(items, numbers, device), is_swap.to(device)
        loss, logs = self._contrast(own, batch, is_swap)
        if self.queued is not None:
            from_queue = self._queue_loss(self.queued, own, batch, inputs)
            loss, logs = loss + from_queue, logs | {"queue": from_queue.item()}
        if own.late is not None:
            late = self._late_loss(own.late, len(captions), is_swap, batch.mask)
            loss, logs = loss + self.config.late_weight * late, logs | {"late": late.item()}
        return loss, logs

    def _gathered(self, items: np.ndarray, numbers: np.ndarray, device: torch.device) -> _Batch:
        joined = (gather_rows(torch.from_numpy(part).to(device)).cpu().numpy() for part in (items, numbers))
        all_items, all_numbers = joined
        captions = self._captions(all_items, all_numbers)
        return _Batch(all_items, all_numbers, captions, self._false_negatives(all_items, captions).to(device))

    @staticmethod
    def _contrast(own: Embedded, batch: _Batch, is_swap: Tensor) -> tuple[Tensor, dict[str, float]]:
        """Loss and log of a batch whose first B texts are the captions, the others swaps where (B, n) is True."""
        count = len(own.motions)
        texts, motions = gather_rows(own.texts[:count]), gather_rows(own.motions)
        swapped = None
        if is_swap.shape[1]:
            near = cosines(own.motions[is_swap.nonzero()[:, 0], None], own.texts[count:, None])[:, 0, 0]
            swapped = gather_rows(_spread(near, is_swap))
        loss = similarity_loss(cosines(texts, motions), own.temperature, batch.mask, swapped)
        return loss, _batch_log(texts, motions, batch.mask.cpu())

    def _queue_loss(self, queued: WithQueue, own: Embedded, batch: _Batch, inputs: list[Tensor]) -> Tensor:
        """Each text among the follower's motions and those of the queue, and each motion among its texts."""
        loop, queue, count = self.config.loop, queued.queue, len(own.motions)
        step, first = queued.updates.item() // loop.accumulation, self.config.queue_after * loop.steps
        texts, motions = gather_rows(own.texts[:count]), gather_rows(own.motions)
        queued.follow_()
        if step + self.config.queue / loop.batch_size < first:
            return texts.new_zeros(())  # what would be queued now is gone when the queue counts
        text, text_lengths, *motion = inputs
        slow = queued.embed_slowly(text[:count], text_lengths[:count], *motion)
        slow_texts, slow_motions = gather_rows(slow.texts), gather_rows(slow.motions)
        old_texts, old_motions, *old = queue.read()
        items, numbers = (part.cpu().numpy() for part in old)
        same = self._false_negatives(batch.items, batch.captions, items, self._captions(items, numbers))
        out = same.to(texts.device)
        queue.push_(slow_texts, slow_motions, torch.from_numpy(batch.items), torch.from_numpy(batch.numbers))
        if step < first:
            return texts.new_zeros(())
        return similarity_loss(
            cosines(texts, slow_motions),
            own.temperature,
            batch.mask,
            cosines(motions, old_texts).masked_fill(out, -math.inf),
            cosines(texts, old_motions).masked_fill(out, -math.inf),
            back=cosines(motions, slow_texts),
        )

    @staticmethod
    def _late_loss(own: LateVectors, count: int, is_swap: Tensor, mask: Tensor) -> Tensor:
        words, word_mask = (gather_padded(part[:count]) for part in (own.words, own.word_mask))
        scores = max_sim(words, word_mask, gather_rows(own.parts), gather_rows(own.part_mask))
        if not is_swap.shape[1]:
            return similarity_loss(scores, own.temperature, mask)
        rows = is_swap.nonzero()[:, 0]
        near = paired_max_sim(own.words[count:], own.word_mask[count:], own.parts[rows], own.part_mask[rows])
        return similarity_loss(scores, own.temperature, mask, gather_rows(_spread(near, is_swap)))

    def _captions(self, items: np.ndarray, numbers: np.ndarray) -> list[str]:
        pairs = zip(items.tolist(), numbers.tolist(), strict=True)
        return [self.pairs.captions[item][number] for item, number in pairs]

    def _with_mirrors(self, indices: np.ndarray) -> np.ndarray:
        """Replace the end of the batch by the mirror images of its beginning, so that its size stays."""
        partners = self.pairs.partners[indices[: int(len(indices) * self.config.mirror_share / 2)]]
        added = np.setdiff1d(partners[partners >= 0], indices)
        return np.concatenate([indices[: len(indices) - len(added)], added])

    def _false_negatives(
        self,
        items: np.ndarray,
        captions: list[str],
        other_items: np.ndarray | None = None,
        other_captions: list[str] | None = None,
    ) -> Tensor:
        """(B, B) bool, or (B, C) with others: pairs that are not negatives; of a batch with itself the diagonal too."""
        others = items if other_items is None else other_items
        groups, other_groups = (torch.from_numpy(self.pairs.groups[chosen]) for chosen in (items, others))
        mask = (groups[:, None] == other_groups) & (other_groups >= 0)
        mask |= torch.from_numpy(items[:, None] == others)
        if self.config.filter_threshold is not None and self.sentences is not None and len(others):
            vectors, other_vectors = self._sentence_vectors(captions), None
            if other_captions is not None:
                other_vectors = self._sentence_vectors(other_captions)
            same = near_duplicates(vectors, self.config.filter_threshold, other_vectors)
            mask |= same & ~contradictions(captions, other_captions) if self.config.guard_directions else same
        return mask

    def _sentence_vectors(self, captions: list[str]) -> Tensor:
        assert self.sentences is not None
        return self.sentences.sentence_vectors([wordings(caption, self.form)[0] for caption in captions])

    def _swaps_of(self, captions: list[str]) -> tuple[list[str], Tensor]:
        """Swaps of a batch's captions, and (B, n) bool: row by row, which places they fill."""
        found = [self.swaps.get(caption, ()) for caption in captions]
        places = torch.arange(self.config.hard_negatives)
        return [swap for swaps in found for swap in swaps], places < torch.tensor([[len(swaps)] for swaps in found])

    def _all_swaps(self) -> dict[str, tuple[str, ...]]:
        """Swaps of every training caption; none says what is said of a clip that has the caption, or of its group."""
        forms = {caption: canonical_caption(caption) for caption in self.pairs.unique_captions()}
        of_group: dict[int, set[str]] = defaultdict(set)
        groups = [group if group >= 0 else -1 - place for place, group in enumerate(self.pairs.groups.tolist())]
        for group, captions in zip(groups, self.pairs.captions, strict=True):
            of_group[group] |= {forms[caption] for caption in captions}
        true: dict[str, set[str]] = defaultdict(set)
        for group, captions in zip(groups, self.pairs.captions, strict=True):
            for caption in captions:
                true[caption] |= of_group[group]
        return {caption: chosen_swaps(caption, self.config.hard_negatives, true[caption]) for caption in forms}


def _spread(values: Tensor, places: Tensor) -> Tensor:
    """Put M values at the M True places of (B, n), row by row; -inf elsewhere."""
    spread = values.new_full(places.shape, -math.inf)
    return spread.masked_scatter(places, values)


def _batch_log(texts: Tensor, motions: Tensor, mask: Tensor) -> dict[str, float]:
    own = torch.eye(len(mask), dtype=torch.bool)
    rivals = (texts @ motions.T).detach().cpu().masked_fill(mask & ~own, -1.0)
    hits = rivals.argmax(dim=1) == torch.arange(len(mask))
    return {"batch_r1": hits.float().mean().item(), "filtered": (mask.sum().item() - len(mask)) / len(mask)}
