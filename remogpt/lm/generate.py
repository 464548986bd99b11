"""Decoding that can only write what the task allows.

The encoder runs once, the decoder with a cache over transformers' public forward call; the output embedding is
multiplied for the allowed ids only, so an id of the wrong kind has no score at all. Each row draws from its own
stream of numbers: what it writes does not depend on its neighbours in the batch or on rows that have ended.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from transformers import T5ForConditionalGeneration
from transformers.cache_utils import DynamicCache, EncoderDecoderCache

from remogpt.lm.batch import pad
from remogpt.runtime.errors import RemogptError


@dataclass(frozen=True)
class Sampling:
    """How the next id is chosen."""

    temperature: float = 1.0
    """Divides the scores; 0 takes the best id."""
    top_k: int = 0
    """Keep the k best ids; 0 keeps all."""
    top_p: float = 1.0
    """Keep the fewest best ids whose probabilities reach this sum."""

    def __post_init__(self) -> None:
        if self.temperature < 0 or self.top_k < 0 or not 0 < self.top_p <= 1:
            raise RemogptError(
                "sampling needs temperature >= 0, top_k >= 0 and 0 < top_p <= 1, got "
                f"{self.temperature}, {self.top_k}, {self.top_p}"
            )

    def choose(self, scores: Tensor, draws: Tensor) -> Tensor:
        """Pick one column per row.

        Args:
            scores: (B, A) logits, -inf where forbidden.
            draws: (B,) numbers in [0, 1).
        """
        if self.temperature == 0:
            return scores.argmax(1)
        ordered, columns = (scores / self.temperature).sort(dim=1, descending=True, stable=True)
        if 0 < self.top_k < scores.shape[1]:
            ordered[:, self.top_k :] = -torch.inf
        cumulative = ordered.double().softmax(1).cumsum(1)
        # A column stays if the mass before it is below top_p; drawing below the kept mass does just that.
        before = torch.cat([torch.zeros_like(cumulative[:, :1]), cumulative[:, :-1]], 1)
        kept = torch.where(before < self.top_p, cumulative, 0).amax(1)
        place = torch.searchsorted(cumulative, (draws.double() * kept)[:, None], right=True)
        last = (torch.isfinite(ordered).sum(1, keepdim=True) - 1).clamp_min(0)
        return columns.gather(1, torch.minimum(place, last))[:, 0]


class ScoreMixer(Protocol):
    """Adds evidence of its own before an id is chosen; called once a step."""

    def __call__(self, rows: np.ndarray, written: Sequence[list[int]], hidden: Tensor, scores: Tensor) -> Tensor:
        """Return the scores to choose by.

        Args:
            rows: (B,) prompt number of each row.
            written: ids written so far for every prompt, by its number, without start and what was begun.
            hidden: (B, D) decoder output.
            scores: (B, A) logits in the order of the allowed ids, the end last; -inf where forbidden.

        Returns:
            (B, A) logits; what is forbidden stays -inf.
        """


class AllowedHead:
    """Scores of the allowed ids; the last column is the end."""

    def __init__(self, t5: T5ForConditionalGeneration, allowed: np.ndarray, end: int, scale: float):
        self.ids = torch.as_tensor([*allowed.tolist(), end], device=t5.lm_head.weight.device)
        self._weight = t5.lm_head.weight[self.ids] * scale  # (A, D)

    def __call__(self, hidden: Tensor) -> Tensor:
        """Turn decoder outputs (B, D) into scores (B, A)."""
        return (hidden @ self._weight.T).float()


@dataclass
class _Rows:
    """The rows that are still being written, and the state of the decoder for them."""

    index: np.ndarray
    """(B,) which prompt each row is."""
    next_ids: Tensor
    """(B, 1) or, before the first step, (B, L): what the decoder reads next."""
    hidden: Tensor
    """(B, L, D) encoder output."""
    mask: Tensor
    """(B, L), 1 where real."""
    cache: EncoderDecoderCache

    def keep(self, rows: np.ndarray) -> None:
        """Go on with these rows only."""
        chosen = torch.as_tensor(rows, device=self.hidden.device)
        self.index, self.next_ids = self.index[rows], self.next_ids[chosen]
        self.hidden, self.mask = self.hidden[chosen], self.mask[chosen]
        self.cache.self_attention_cache.batch_select_indices(chosen)
        self.cache.cross_attention_cache.batch_select_indices(chosen)


def generate(
    t5: T5ForConditionalGeneration,
    prompts: Sequence[Sequence[int]],
    *,
    allowed: np.ndarray,
    start: Sequence[int],
    end: int,
    scale: float,
    max_new: int,
    lengths: Sequence[int | None] | None,
    sampling: Sampling,
    seed: int | None,
    batch_size: int,
    pad_id: int,
    begun: Sequence[Sequence[int]] | None = None,
    streams: Sequence[Sequence[int]] | None = None,
    mixer: ScoreMixer | None = None,
) -> list[list[int]]:
    """Write ids for each prompt, without start and end.

    Args:
        t5: in eval mode.
        prompts: encoder ids per prompt.
        allowed: (A,) ids that may be written.
        start: what the decoder reads first.
        end: id that closes a row; never the first.
        scale: factor on the decoder's output.
        max_new: limit of rows without a forced length.
        lengths: exact number of ids per row, None where the row ends by itself.
        sampling, seed: how ids are chosen; row i draws from the stream (seed, i).
        batch_size: rows decoded together; prompts of similar length share a batch.
        pad_id: fills shorter prompts.
        begun: ids per row that stand behind `start` already and are gone on from; not written again.
        streams: numbers per row that name its stream in place of its place.
        mixer: adds evidence of its own to the scores.

    Raises:
        RemogptError: if a forced length is below 1 or their number is not that of the prompts.
    """
    forced = list(lengths) if lengths is not None else [None] * len(prompts)
    if len(forced) != len(prompts) or any(length is not None and length < 1 for length in forced):
        raise RemogptError(f"wanted one length of at least 1 for each of {len(prompts)} prompts, got {forced}")
    limits = np.array([max_new if length is None else length for length in forced], dtype=np.int64)
    is_forced = np.array([length is not None for length in forced], dtype=bool)
    entropy = int(np.random.SeedSequence(seed).entropy)  # type: ignore[arg-type]
    named = streams or [[row] for row in range(len(prompts))]
    heads = [[*start, *ids] for ids in begun] if begun is not None else [list(start)] * len(prompts)
    written: list[list[int]] = [[] for _ in prompts]
    head = AllowedHead(t5, allowed, end, scale)
    order = sorted(range(len(prompts)), key=lambda row: (len(heads[row]), limits[row], len(prompts[row])))
    for rows in _batches(order, heads, batch_size):
        draws = {row: np.random.default_rng([entropy, *named[row]]).random(int(limits[row])) for row in rows}
        state = _encode(t5, [prompts[row] for row in rows], [heads[row] for row in rows], rows, pad_id)
        _write(t5, head, state, written, limits, is_forced, sampling, draws, mixer)
    return written


def _batches(order: Sequence[int], heads: Sequence[Sequence[int]], batch_size: int) -> Iterator[list[int]]:
    """Yield rows that are decoded together: what stands already is of one length, so that nothing in it is padded."""
    for _, same in groupby(order, key=lambda row: len(heads[row])):
        rows = list(same)
        for first in range(0, len(rows), batch_size):
            yield rows[first : first + batch_size]


def _encode(
    t5: T5ForConditionalGeneration,
    prompts: Sequence[Sequence[int]],
    heads: Sequence[Sequence[int]],
    rows: Sequence[int],
    pad_id: int,
) -> _Rows:
    device = t5.lm_head.weight.device
    input_ids = pad(prompts, pad_id).to(device)
    mask = pad([[1] * len(prompt) for prompt in prompts], 0).to(device)
    return _Rows(
        index=np.array(rows, dtype=np.int64),
        next_ids=torch.tensor([list(ids) for ids in heads], device=device),
        hidden=t5.encoder(input_ids=input_ids, attention_mask=mask).last_hidden_state,
        mask=mask,
        cache=EncoderDecoderCache(DynamicCache(), DynamicCache()),
    )


def _write(
    t5: T5ForConditionalGeneration,
    head: AllowedHead,
    rows: _Rows,
    written: list[list[int]],
    limits: np.ndarray,
    is_forced: np.ndarray,
    sampling: Sampling,
    draws: dict[int, np.ndarray],
    mixer: ScoreMixer | None,
) -> None:
    """Decode until every row has its end; `written` is filled in place."""
    for step in range(int(limits[rows.index].max())):
        decoded = t5.decoder(
            input_ids=rows.next_ids,
            encoder_hidden_states=rows.hidden,
            encoder_attention_mask=rows.mask,
            past_key_values=rows.cache,
            use_cache=True,
        ).last_hidden_state
        scores = head(decoded[:, -1])
        may_end = torch.as_tensor(~is_forced[rows.index] & (step > 0), device=scores.device)
        scores[:, -1] = torch.where(may_end, scores[:, -1], -torch.inf)
        if mixer is not None:
            scores = mixer(rows.index, written, decoded[:, -1], scores)
        numbers = torch.as_tensor([draws[row][step] for row in rows.index.tolist()], device=scores.device)
        columns = sampling.choose(scores, numbers)
        rows.next_ids = head.ids[columns][:, None]
        ended = (columns == scores.shape[1] - 1).cpu().numpy()
        for row, token, over in zip(rows.index.tolist(), rows.next_ids[:, 0].tolist(), ended.tolist(), strict=True):
            if not over:
                written[row].append(token)
        ended |= limits[rows.index] <= step + 1
        if ended.all():
            return
        if ended.any():
            rows.keep(np.flatnonzero(~ended))
