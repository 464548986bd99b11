"""Copy from retrieved examples: the code that an example shows next is evidence for the next code to write.

A prompt alone does not make a small language model use its examples. Here a hidden Markov model follows each example:
the position in it moves on by no, one or a few codes a step (`jumps`), and a written code is likely where the example's
code at that position lies close to it in the codebook. The evidence multiplies the language model's own probabilities,

    P(code | text, example) ~ P(code | text) * (sum over i: P(position i | written) * likeness(code i, code))^strength

so that the language model chooses among continuations of the example, and copies nothing that it finds absurd.
`MatchTest` tells whether an example answers the query at all; its odds are the shares in which the language model alone
and the product with each example are mixed (`remogpt.lm.copying.logit_mixers`). Without an answer in the database, or
without a database, the language model stays as it is. Captions are followed in the same way, word by word; only their
match test is learnt.

differs: ReMoGPT has examples in the prompt alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from remogpt.interfaces import FoundExample
from remogpt.lm.copying.example_trust import MatchTest
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.folders.component import load_component, save_component
from remogpt.runtime.folders.find_model import find_component

KIND = "copy"
MAX_JUMP = 3
"""Most codes by which the position in an example moves on in a step."""
_SMALLEST = 1e-9
ExampleT = TypeVar("ExampleT", bound=FoundExample)


@dataclass(frozen=True)
class Followed:
    """Alignment state of N sequences, each with its own example."""

    codes: Tensor
    """(N, L) int64, padded with code 0."""
    lengths: Tensor
    """(N,) int64."""
    positions: Tensor
    """(N, L + 1) probabilities that the next code is the example's code there; the last column is past its end."""

    def take(self, rows: Tensor) -> "Followed":
        """Return the state of these sequences only."""
        return Followed(self.codes[rows], self.lengths[rows], self.positions[rows])


class CopyHead(nn.Module):
    """Learnt parameters of copying: how an example is followed, and which examples answer their query.

    Args:
        vectors: (C, D) codebook of the tokenizer whose codes are written.
    """

    vectors: Tensor

    def __init__(self, vectors: Tensor) -> None:
        super().__init__()
        self.register_buffer("vectors", vectors.detach().clone().float())
        self.sharpness = nn.Parameter(torch.tensor(2.0))  # log; on squared distances, their median as the unit
        self.floor = nn.Parameter(torch.tensor(-4.0))  # logit of the likeness of codes that are far apart
        self.jumps = nn.Parameter(torch.tensor([1.0, 2.0, 1.0, 0.0]))
        self.pace = nn.Parameter(torch.tensor(0.0))  # log; how much jumps keep to the pace that reaches both ends
        self.going_on = nn.Parameter(torch.tensor(-3.0))  # log-evidence for the end while the example goes on
        self.ended = nn.Parameter(torch.tensor(1.0))  # log-evidence for the end once the example has ended
        self.text_match, self.motion_match = MatchTest(), MatchTest()
        self.config: dict[str, Any] = {}
        self.hash = ""

    @classmethod
    def from_pretrained(cls, path: str | Path | None = None, device: str | torch.device | None = None) -> "CopyHead":
        """Load a saved head, strictly.

        Args:
            path: the head's folder, a model's, or a model's name on the hub; the embedded `mini` without it.
            device: where it runs; the CPU without it.

        Raises:
            MissingPathError: if a file is missing.
            RemogptError: if the files do not belong together.
        """
        folder = find_component(path, KIND)
        component = load_component(folder, KIND)
        head = cls(component.tensors["vectors"])
        try:
            head.load_state_dict(component.tensors)
        except RuntimeError as error:
            raise RemogptError(
                f"the weights in {folder} are not those of this version's copy head; train it anew"
            ) from error
        head.config, head.hash = component.config, component.hash
        return head.to(device or "cpu").eval().requires_grad_(False)

    def save_pretrained(self, folder: str | Path) -> str:
        """Write the head and return its hash. Its `config` holds the hashes of its tokenizer and retriever."""
        self.hash = save_component(folder, KIND, self.config, self.state_dict())
        return self.hash

    def answering(self, examples: Sequence[ExampleT], match: MatchTest) -> tuple[ExampleT, ...]:
        """Return the examples that more likely answer their query than not."""
        return tuple(one for one, chance in zip(examples, self.chances(examples, match), strict=True) if chance > 0.5)

    def chances(self, examples: Sequence[ExampleT], match: MatchTest) -> list[float]:
        """Return the probability that each example answers its query."""
        if not examples:
            return []
        odds = match(torch.tensor([(one.to_motion, one.to_caption) for one in examples], device=self.vectors.device))
        return list(odds.sigmoid().tolist())

    def likeness(self) -> Tensor:
        """Return (C, C) in (0, 1]: how much a code of an example (row) speaks for a code (column)."""
        squares = torch.cdist(self.vectors, self.vectors).square()
        near = torch.exp(-self.sharpness.exp() * squares / squares.median().clamp_min(_SMALLEST))
        return torch.lerp(near, torch.ones_like(near), self.floor.sigmoid())

    def begin(self, examples: Sequence[np.ndarray]) -> Followed:
        """Start an alignment before the first code of each example, (L_n,) codes."""
        device = self.vectors.device
        lengths = torch.tensor([len(codes) for codes in examples], device=device)
        codes = torch.zeros(len(examples), int(lengths.max()), dtype=torch.int64, device=device)
        for row, own in enumerate(examples):
            codes[row, : len(own)] = torch.as_tensor(own)
        # The first code is the example's first, or as far behind it as a jump reaches.
        jumps = self.jumps[1:].softmax(dim=0).expand(len(examples), -1)
        target = _clipped(torch.arange(MAX_JUMP, device=device).expand_as(jumps), lengths, codes.shape[1])
        positions = torch.zeros(len(examples), codes.shape[1] + 1, device=device)
        return Followed(codes, lengths, positions.scatter_add(1, target, jumps))

    def evidence(self, at: Followed, likeness: Tensor) -> Tensor:
        """Return each example's evidence (N, C + 1) for each next code, and for the end in the last column."""
        inside, over = at.positions[:, :-1], at.positions[:, -1:]
        by_code = torch.zeros(len(inside), len(likeness), device=inside.device).scatter_add(1, at.codes, inside)
        ends = inside.sum(dim=1, keepdim=True) * self.going_on.exp() + over * self.ended.exp()
        return torch.cat([by_code @ likeness + self.floor.sigmoid() * over, ends], dim=1).clamp_min(_SMALLEST)

    def follow(self, at: Followed, written: Tensor, likeness: Tensor, left: Tensor) -> Followed:
        """Move the alignment on after a code.

        Args:
            at: alignment before the code.
            written: (N,) int64 codes just written.
            likeness: (C, C), what `likeness` returns.
            left: (N,) codes still to write, inf where that is open.
        """
        inside = at.positions[:, :-1] * likeness[at.codes, written[:, None]]
        over = at.positions[:, -1:] * self.floor.sigmoid()  # past the end any code is as strange as one far away
        total = inside.sum(dim=1, keepdim=True) + over
        size = at.codes.shape[1]
        moves = self._moves(size, at.lengths, left) * (inside / total)[:, :, None]  # (N, L, J)
        target = torch.arange(size, device=written.device)[:, None] + torch.arange(MAX_JUMP + 1, device=written.device)
        target = _clipped(target.flatten().expand(len(written), -1), at.lengths, size)
        positions = torch.zeros_like(at.positions).scatter_add(1, target, moves.flatten(1))
        return Followed(at.codes, at.lengths, torch.cat([positions[:, :-1], positions[:, -1:] + over / total], dim=1))

    def _moves(self, size: int, lengths: Tensor, left: Tensor) -> Tensor:
        """Return (N, L, J) probabilities of each jump from each position."""
        rest = lengths[:, None] - torch.arange(size, device=lengths.device)
        pace = torch.where(left.isinf()[:, None], 1.0, (rest / left.clamp_min(1)[:, None]).clamp(0, MAX_JUMP))
        jumps = torch.arange(MAX_JUMP + 1, device=lengths.device)
        return (self.jumps - self.pace.exp() * (jumps - pace[:, :, None]).square()).softmax(dim=2)


def _clipped(target: Tensor, lengths: Tensor, size: int) -> Tensor:
    """Map positions behind an example's last code to the one past its end."""
    return torch.where(target < lengths[:, None], target, size)
