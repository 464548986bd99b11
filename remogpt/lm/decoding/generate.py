"""Decoding that can only write what the task allows.

The output embedding is multiplied for the allowed ids only, so an id of the wrong kind has no logit at all. Each row
draws from its own stream of numbers: what it writes does not depend on its neighbours in the batch or on rows that have
ended. Rows with the same prompt share its encoding.

An id is chosen by the logits of the prompt, then guidance (the contrast with a second, plainer prompt; the end of a row
is not contrasted), then a mixer's evidence.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from remogpt.lm.decoding.cuda_graph import GraphedDecoder
from remogpt.lm.decoding.inference_t5 import InferenceT5
from remogpt.lm.decoding.kv_cache import Decoder, close_up
from remogpt.lm.decoding.matmul import Product
from remogpt.lm.decoding.request import DecodeOptions
from remogpt.lm.decoding.sampling import Sampling
from remogpt.runtime.errors import RemogptError


class LogitMixer(Protocol):
    """Adds evidence of its own before an id is chosen; called once a step."""

    def __call__(self, rows: np.ndarray, written: Sequence[list[int]], logits: Tensor) -> Tensor:
        """Return the logits to choose by.

        Args:
            rows: (B,) prompt number of each row that is still written.
            written: ids written so far for every prompt, by its number, without start and what was begun.
            logits: (B, A) in the order of the allowed ids, the end last; -inf where forbidden.

        Returns:
            (B, A) logits; what is forbidden stays -inf.
        """


@dataclass
class _Batch:
    """Rows that are written together."""

    rows: np.ndarray
    """(B,) number of the prompt that each row answers."""
    draws: Tensor
    """(B, steps) random numbers."""
    limits: np.ndarray
    """(B,) most ids of each row."""
    may_end: Tensor
    """(B,) whether it ends by itself."""
    decoder: Decoder | GraphedDecoder
    """With guidance, two decoder rows for each row: the whole prompt's, then the plain prompt's."""
    guidance: float | None

    def read(self, ids: Tensor, head: Product) -> Tensor:
        """Read the next ids (B, L); return the logits (B, A) of the ids to follow."""
        if self.guidance is None:
            return head(self.decoder.step(ids)).float()
        logits = head(self.decoder.step(ids.repeat_interleave(2, dim=0))).float()
        whole, plain = logits.unflatten(0, (-1, 2)).unbind(1)
        return guided(whole, plain, self.guidance)

    def keep(self, order: np.ndarray) -> None:
        """Go on with fewer rows: row i was row `order[i]`."""
        chosen = torch.as_tensor(order, device=self.draws.device)
        self.rows, self.limits = self.rows[order], self.limits[order]
        self.draws, self.may_end = self.draws[chosen], self.may_end[chosen]
        self.decoder.keep(order if self.guidance is None else np.stack([2 * order, 2 * order + 1], axis=1).ravel())


def guided(whole: Tensor, plain: Tensor, guidance: float) -> Tensor:
    """Contrast the ids that the whole prompt makes likely with those that the plain prompt makes likely.

    The end is no part of the contrast, since lengths would run away: it keeps the whole prompt's probability, and the
    contrast of the other ids, plain + guidance * (whole - plain) in log-probabilities, has the rest.

    Args:
        whole, plain: (B, A) logits, the end in the last column.
        guidance: weight; 1 gives back the whole prompt's probabilities.

    Returns:
        (B, A) log-probabilities.

    Source: classifier-free guidance of autoregressive models (Make-A-Scene, arXiv 2203.13131, eq. 2); differs: the end.
    """
    whole = whole.log_softmax(dim=1)
    asked, unasked = whole[:, :-1].log_softmax(dim=1), plain[:, :-1].log_softmax(dim=1)
    contrast = (unasked + guidance * (asked - unasked)).log_softmax(dim=1)
    return torch.cat([contrast + whole[:, :-1].logsumexp(dim=1, keepdim=True), whole[:, -1:]], dim=1)


@dataclass(frozen=True)
class Row:
    """A `DecodeRequest` in ids."""

    prompt: tuple[int, ...]
    """Encoder ids."""
    begun: tuple[int, ...]
    """Ids that the row begins with, behind the start; not written again."""
    length: int | None
    """Ids to write, exactly; None where the row ends by itself."""
    stream: tuple[int, ...]
    """Names its random numbers: the seed, then what tells it from others with that seed."""
    plain: tuple[int, ...] | None
    """Encoder ids of the prompt that guidance contrasts with."""


@dataclass(frozen=True)
class WritableIds:
    """Ids that may be written, and how a row starts and ends."""

    allowed: np.ndarray
    """(A,) ids."""
    start: tuple[int, ...]
    """Ids that the decoder reads first."""
    end: int
    """Id that closes a row; never the first."""
    max_length: int
    """Most ids of a row without a given length."""


def generate(
    t5: InferenceT5, rows: Sequence[Row], writable: WritableIds, sampling: Sampling, options: DecodeOptions,
    mixer: LogitMixer | None = None,
) -> list[list[int]]:  # fmt: skip
    """Write ids for each row, without start and end.

    Args:
        t5: the weights.
        rows: one for each sequence to write.
        writable: ids that may be written.
        sampling: how ids are chosen.
        options: guidance, batch size.
        mixer: adds evidence of its own to the logits.

    Raises:
        RemogptError: if guidance has no plain prompt to contrast with.
    """
    limits = np.array([writable.max_length if row.length is None else row.length for row in rows], dtype=np.int64)
    read = _prompts_of_rows(rows, options.guidance)
    heads = [[*writable.start, *row.begun] for row in rows]
    ids = np.array([*writable.allowed.tolist(), writable.end], dtype=np.int64)
    written: list[list[int]] = [[] for _ in rows]
    # Rows that end together stand together, and so do those with one prompt.
    order = sorted(range(len(rows)), key=lambda i: (len(heads[i]), limits[i], len(rows[i].prompt), read[i]))
    for members in _batches(order, heads, options.batch_size):
        draws = _draws([rows[i].stream for i in members], limits[members])
        capacity = len(heads[members[0]]) + draws.shape[1]
        batch = _Batch(
            rows=np.array(members, dtype=np.int64),
            draws=torch.as_tensor(draws, device=t5.device),
            limits=limits[members],
            may_end=torch.tensor([rows[i].length is None for i in members], device=t5.device),
            decoder=_decoder(t5, [prompt for i in members for prompt in read[i]], capacity),
            guidance=options.guidance if len(read[members[0]]) == 2 else None,
        )
        first = torch.tensor([heads[i] for i in members], device=t5.device)
        _write(batch, first, t5.head(ids), ids, sampling, mixer, written)
    return written


def _prompts_of_rows(rows: Sequence[Row], guidance: float) -> list[tuple[tuple[int, ...], ...]]:
    """Return the one prompt that each row reads, or under guidance the two."""
    if guidance == 1:
        return [(row.prompt,) for row in rows]
    missing = sum(row.plain is None for row in rows)
    if missing:
        raise RemogptError(f"guidance needs a plain prompt for each of {len(rows)} prompts, {missing} have none")
    return [(row.prompt, row.plain) for row in rows if row.plain is not None]


def _batches(order: Sequence[int], heads: Sequence[Sequence[int]], batch_size: int) -> Iterator[list[int]]:
    """Yield rows to decode together: their begun ids have one length, so that nothing is padded."""
    for _, same in groupby(order, key=lambda row: len(heads[row])):
        rows = list(same)
        for first in range(0, len(rows), batch_size):
            yield rows[first : first + batch_size]


def _draws(names: Sequence[Sequence[int]], limits: np.ndarray) -> np.ndarray:
    """Draw each row's random numbers from its own stream: (B, steps), 0 behind a row's last."""
    draws = np.zeros((len(names), int(limits.max())))
    for row, name, limit in zip(draws, names, limits, strict=True):
        row[:limit] = np.random.default_rng(name).random(int(limit))
    return draws


def _decoder(t5: InferenceT5, prompts: Sequence[tuple[int, ...]], capacity: int) -> Decoder | GraphedDecoder:
    """Encode each prompt once and make the decoder that answers them."""
    number = {prompt: index for index, prompt in enumerate(dict.fromkeys(prompts))}
    decoder = Decoder(t5, t5.encode(list(number)), np.array([number[prompt] for prompt in prompts]), capacity)
    return GraphedDecoder(decoder, len(prompts)) if t5.device.type == "cuda" else decoder


def _write(
    batch: _Batch,
    next_ids: Tensor,
    head: Product,
    ids: np.ndarray,
    sampling: Sampling,
    mixer: LogitMixer | None,
    written: list[list[int]],
) -> None:
    """Decode until every row has its end; `written` is filled in place."""
    ids_of_columns = torch.as_tensor(ids, device=next_ids.device)
    for step in range(batch.draws.shape[1]):
        logits = batch.read(next_ids, head)
        logits[:, -1].masked_fill_(~batch.may_end | (step == 0), -torch.inf)
        if mixer is not None:
            logits = mixer(batch.rows, written, logits)
        columns = sampling.choose(logits, batch.draws[:, step])
        chosen = columns.cpu().numpy()
        has_ended = chosen == len(ids) - 1
        for row, token in zip(batch.rows[~has_ended].tolist(), ids[chosen[~has_ended]].tolist(), strict=True):
            written[row].append(token)
        has_ended |= batch.limits <= step + 1
        if has_ended.all():
            return
        if has_ended.any():
            order = close_up(~has_ended)
            columns = columns[torch.as_tensor(order, device=columns.device)]
            batch.keep(order)
        next_ids = ids_of_columns[columns][:, None]
