"""Samples as ids, and batches of samples as padded tensors."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import pairwise

import torch
from torch import Tensor

IGNORED = -100
"""Label of padding, which the loss ignores."""
TEXT, MOTION, SPANS = 0, 1, 2
"""Kinds of targets: words, a motion, hidden spans of either."""


@dataclass(frozen=True)
class Sample:
    """One encoder input and the ids that the decoder should write."""

    input_ids: list[int]
    target_ids: list[int]
    """Ends with the end of sequence."""
    kind: int
    """`TEXT`, `MOTION` or `SPANS`."""


@dataclass(frozen=True)
class Batch:
    """Padded samples."""

    input_ids: Tensor
    """(B, L) int64."""
    input_mask: Tensor
    """(B, L) int64, 1 where real."""
    decoder_ids: Tensor
    """(B, M) int64: the targets shifted right by one."""
    labels: Tensor
    """(B, M) int64, `IGNORED` where padded."""
    kinds: Tensor
    """(B,) int64: `TEXT`, `MOTION` or `SPANS`."""

    def to(self, device: torch.device) -> "Batch":
        """Move every tensor."""
        return Batch(**{field.name: getattr(self, field.name).to(device) for field in fields(self)})


def collate(samples: Sequence[Sample], pad_id: int) -> Batch:
    """Pad samples to the longest of them. The decoder starts with the padding id, as in T5."""
    inputs = [sample.input_ids for sample in samples]
    targets = [sample.target_ids for sample in samples]
    return Batch(
        input_ids=pad(inputs, pad_id),
        input_mask=pad([[1] * len(row) for row in inputs], 0),
        decoder_ids=pad([[pad_id, *row[:-1]] for row in targets], pad_id),
        labels=pad(targets, IGNORED),
        kinds=torch.tensor([sample.kind for sample in samples]),
    )


def collate_by_length(samples: Sequence[Sample], pad_id: int, num_groups: int) -> list[Batch]:
    """Split samples into groups of similar length and pad each group alone: most of a plain batch is padding."""
    ordered = sorted(samples, key=lambda sample: (len(sample.input_ids), len(sample.target_ids)))
    num_groups = min(num_groups, len(ordered))
    edges = [len(ordered) * group // num_groups for group in range(num_groups + 1)]
    return [collate(ordered[low:high], pad_id) for low, high in pairwise(edges)]


def pad(rows: Sequence[Sequence[int]], value: int) -> Tensor:
    """Make one (B, longest) int64 tensor of rows of different lengths."""
    width = max(map(len, rows))
    return torch.tensor([[*row, *[value] * (width - len(row))] for row in rows], dtype=torch.int64)
