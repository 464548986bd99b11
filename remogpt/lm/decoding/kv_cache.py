"""T5's decoder with a key-value cache, for several rows at once.

Keys and values of a prompt are computed once for all of its rows; those of written ids go to memory allocated at the
start. A row that has ended leaves its memory to the last row: nothing else moves.

Letters: B rows, L ids read at once, H heads, d their width, U prompts, P the longest of them, R most rows of one, C
positions there is memory for.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from remogpt.lm.decoding.inference_t5 import InferenceT5


@dataclass
class _Memory:
    """Keys and values of one layer."""

    keys: Tensor
    """(B, H, C, d) of the written ids."""
    values: Tensor
    prompt_keys: Tensor
    """(U, H, P, d)."""
    prompt_values: Tensor


class Decoder:
    """Reads ids and returns the decoder's output; keeps keys and values of all ids that it has read.

    Args:
        t5: the weights.
        encoded: (P, D) encoder output per prompt.
        prompt_of: (B,) index of the prompt that each row answers; every prompt has a row.
        capacity: ids that will be read at most.
    """

    def __init__(self, t5: InferenceT5, encoded: Sequence[Tensor], prompt_of: np.ndarray, capacity: int):
        self._t5, self._length = t5, 0
        self._bias = t5.decoder_bias(capacity)  # (H, C, C)
        real = pad_sequence([torch.zeros_like(hidden[:, 0]) for hidden in encoded], True, -torch.inf)
        self._mask = real[:, None, None]  # (U, 1, 1, P)
        self._memories = self._remember(encoded, len(prompt_of), capacity)
        self._share(prompt_of)

    def _remember(self, encoded: Sequence[Tensor], num_rows: int, capacity: int) -> list[_Memory]:
        num_heads, head_dim = self._t5.num_heads, self._t5.head_dim
        memories = []
        for layer in self._t5.decoder:
            own = encoded[0].new_zeros(2, num_rows, num_heads, capacity, head_dim)
            prompts = encoded[0].new_zeros(2, len(encoded), num_heads, max(map(len, encoded)), head_dim)
            for number, hidden in enumerate(encoded):
                sources = layer.sources(hidden).view(len(hidden), 2, num_heads, head_dim)
                prompts[:, number, :, : len(hidden)] = sources.permute(1, 2, 0, 3)
            memories.append(_Memory(own[0], own[1], prompts[0], prompts[1]))
        return memories

    def _share(self, prompt_of: np.ndarray) -> None:
        """Group rows by prompt: `_slots` (U, R) holds each prompt's rows, `_slot_of_row` (B,) finds a row in it."""
        self._prompt_of = prompt_of
        self._slots: Tensor | None = None
        if np.array_equal(prompt_of, np.arange(len(prompt_of))):
            return
        counts = np.bincount(prompt_of)
        by_prompt = np.argsort(prompt_of, kind="stable")
        rank = np.empty(len(prompt_of), dtype=np.int64)
        rank[by_prompt] = np.arange(len(prompt_of)) - np.repeat(np.cumsum(counts) - counts, counts)
        slots = np.zeros((len(counts), counts.max()), dtype=np.int64)
        slots[prompt_of, rank] = np.arange(len(prompt_of))
        self._slots = torch.as_tensor(slots, device=self._t5.device)
        self._slot_of_row = torch.as_tensor(prompt_of * slots.shape[1] + rank, device=self._t5.device)

    def step(self, ids: Tensor) -> Tensor:
        """Read the next ids (B, L) and return the output at the last, (B, D)."""
        positions = self.advance(ids.shape[1])
        return self.read(ids, positions, self._length)

    def advance(self, length: int) -> Tensor:
        """Return the positions (L,) of the next ids to read."""
        self._length += length
        return torch.arange(self._length - length, self._length, device=self._t5.device)

    def read(self, ids: Tensor, positions: Tensor, span: int | None = None) -> Tensor:
        """Read ids (B, L) at positions (L,), attending to the first `span` of those there is memory for, or to all."""
        t5, shape = self._t5, (*ids.shape, -1, self._t5.head_dim)
        hidden = t5.embed(ids.flatten())  # (B * L, D)
        bias = self._bias.index_select(1, positions)[:, :, :span]  # (H, L, span)
        for layer, memory in zip(t5.decoder, self._memories, strict=True):
            mixed = layer.own.into(layer.own.norm(hidden)).view(shape)
            queries, keys, values = mixed.transpose(1, 2).chunk(3, dim=1)  # (B, H, L, d)
            memory.keys.index_copy_(2, positions, keys)
            memory.values.index_copy_(2, positions, values)
            own = _attend(queries, memory.keys[:, :, :span], memory.values[:, :, :span], bias)
            hidden = hidden + layer.own.out(own.transpose(1, 2).reshape(len(hidden), -1))
            queries = layer.cross.into(layer.cross.norm(hidden)).view(shape)
            hidden = layer.ff(hidden + layer.cross.out(self._look_up(queries, memory).reshape(len(hidden), -1)))
        return t5.decoder_norm(hidden.view(*ids.shape, -1)[:, -1])

    def _look_up(self, queries: Tensor, memory: _Memory) -> Tensor:
        """Attend to the prompts; queries and answer (B, L, H, d)."""
        shape = queries.shape[1:]
        if self._slots is not None:
            queries = queries[self._slots].flatten(1, 2)  # (U, R * L, H, d)
        answers = _attend(queries.transpose(1, 2), memory.prompt_keys, memory.prompt_values, self._mask)
        answers = answers.transpose(1, 2)
        return answers if self._slots is None else answers.reshape(-1, *shape)[self._slot_of_row]

    def keep(self, rows: np.ndarray) -> None:
        """Go on with fewer rows: row i was row `rows[i]`. Few rows should move (`close_up`)."""
        prompts, prompt_of = np.unique(self._prompt_of[rows], return_inverse=True)
        order = close_up(np.isin(np.arange(len(self._mask)), prompts))
        new_row = np.empty(len(self._mask), dtype=np.int64)
        new_row[order] = np.arange(len(order))
        for memory in self._memories:
            memory.keys, memory.values = _moved(memory.keys, rows), _moved(memory.values, rows)
            memory.prompt_keys = _moved(memory.prompt_keys, order)
            memory.prompt_values = _moved(memory.prompt_values, order)
        self._mask = _moved(self._mask, order)
        self._share(new_row[prompts[prompt_of]])


def close_up(is_kept: np.ndarray) -> np.ndarray:
    """Return the row that moves to each index, so that as few as possible move: the last kept rows fill the holes."""
    order = np.arange(int(is_kept.sum()))
    order[~is_kept[: len(order)]] = np.flatnonzero(is_kept[len(order) :]) + len(order)
    return order


def _moved(tensor: Tensor, order: np.ndarray) -> Tensor:
    """Move row `order[i]` to index i, in the memory that is there."""
    moved = np.flatnonzero(order != np.arange(len(order)))
    if len(moved):
        tensor[torch.as_tensor(moved)] = tensor[torch.as_tensor(order[moved])]
    return tensor[: len(order)]


def _attend(queries: Tensor, keys: Tensor, values: Tensor, bias: Tensor) -> Tensor:
    """Attend without scaling, as T5 does. For a few queries this is faster on the CPU than PyTorch's fused kernels."""
    return (queries @ keys.transpose(2, 3)).add_(bias).softmax(dim=3) @ values
