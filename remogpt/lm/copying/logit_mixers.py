"""Mix the evidence of examples into the logits of the next id: their codes for a motion, their words for a caption.

    following = Following(head, strength=2.0, vocabulary=lm.vocabulary)
    lm.generate_codes(prompts, mixer=following.codes(examples, lengths))
    lm.generate_text(prompts, mixer=following.words(examples))

`remogpt.lm.copying.copy_head` explains how an example is followed and why its evidence multiplies probabilities.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from remogpt.interfaces import FoundExample
from remogpt.lm.copying.copy_head import CopyHead, ExampleT
from remogpt.lm.copying.example_trust import MatchTest
from remogpt.lm.vocabulary import Vocabulary

WORD_FLOOR = 0.25
"""How much an example speaks for an id other than the one at its position, against 1 for the one that is."""
WORD_JUMPS = (0.05, 0.85, 0.05, 0.05)
"""Chances that the position in a caption moves on by 0, 1, 2, 3 ids after the id at it was written."""
WORD_RESTART = 0.05
"""Chance that the position jumps anywhere: captions tell the same in another order."""


@dataclass(frozen=True)
class Following:
    """Settings with which a model follows examples: the copy head and the strength."""

    head: CopyHead | None
    """None where the model only reads examples in its prompts."""
    strength: float
    """Exponent of the evidence; 0 only shows examples in the prompts, as in the paper."""
    vocabulary: Vocabulary

    def shown_for_text(self, examples: Sequence[ExampleT]) -> Sequence[ExampleT]:
        """Return a caption's examples that its prompt shows: those that answer, where the model can tell."""
        return examples if self._head is None else self._head.answering(examples, self._head.text_match)

    def shown_for_motion(self, examples: Sequence[ExampleT]) -> Sequence[ExampleT]:
        """Return a motion's examples that its prompt shows: those that answer, where the model can tell."""
        return examples if self._head is None else self._head.answering(examples, self._head.motion_match)

    def chance_for_text(self, examples: Sequence[ExampleT]) -> float | None:
        """Return the probability that the best of a caption's examples answers it; None where nothing tells."""
        return None if self._head is None else max(self._head.chances(examples, self._head.text_match), default=None)

    def chance_for_motion(self, examples: Sequence[ExampleT]) -> float | None:
        """Return the probability that the best of a motion's examples answers it; None where nothing tells."""
        return None if self._head is None else max(self._head.chances(examples, self._head.motion_match), default=None)

    def codes(self, examples: Sequence[Sequence[FoundExample]], lengths: Sequence[int | None]) -> "CodeMixer | None":
        """Make the mixer that copies each prompt's examples into its motion; `lengths`: codes to write, or None."""
        if self._head is None:
            return None
        return CodeMixer(self._head, examples, lengths, self.vocabulary.code_ids, self.strength)

    def words(self, examples: Sequence[Sequence[FoundExample]]) -> "WordMixer | None":
        """Make the mixer that copies each prompt's examples into its caption."""
        if self._head is None:
            return None
        return WordMixer(self._head.motion_match, examples, self.vocabulary, self.strength)

    @property
    def is_on(self) -> bool:
        """Whether examples are followed, not only shown in the prompt."""
        return self._head is not None

    @property
    def _head(self) -> CopyHead | None:
        return self.head if self.strength else None


class ExampleMixer(ABC):
    """Mix the language model's probabilities with their product with each example's evidence: a `LogitMixer`.

    Args:
        match: odds that an example answers its query, which are the shares of the mixture.
        examples: of each prompt, by its number; any number of them.
        strength: exponent of the evidence.
    """

    def __init__(self, match: MatchTest, examples: Sequence[Sequence[FoundExample]], strength: float) -> None:
        self.width = max(map(len, examples), default=0)
        self.padded = [own[index] if index < len(own) else None for own in examples for index in range(self.width)]
        """Every prompt's examples, filled up with None to `width`: row `number * width + index`."""
        cosines = [(-np.inf, -np.inf) if one is None else (one.to_motion, one.to_caption) for one in self.padded]
        device = next(match.parameters()).device
        self.shares = match.shares(torch.tensor(cosines, device=device).reshape(len(examples), self.width, 2))
        weights = [0.0 if one is None else one.weight for one in self.padded]
        self.strengths = strength * torch.tensor(weights, device=device).reshape(len(examples), self.width)
        """(B, E) exponents of each example's evidence."""

    @abstractmethod
    def evidence(self, numbers: Tensor, members: Tensor, written: Sequence[list[int]]) -> Tensor:
        """Move the alignments on by the id written last and return the examples' evidence.

        Args:
            numbers: (B,) prompts that are still written, all with as many ids.
            members: (B * E,) rows of `padded` that hold the examples of these prompts.
            written: ids written so far for every prompt, by its number.

        Returns:
            (B * E, A) positive, in the order of the logits.
        """

    def __call__(self, rows: np.ndarray, written: Sequence[list[int]], logits: Tensor) -> Tensor:
        """See `LogitMixer`."""
        if not self.width:
            return logits
        numbers = torch.as_tensor(rows, device=logits.device)
        members = (numbers[:, None] * self.width + torch.arange(self.width, device=logits.device)).flatten()
        evidence = self.evidence(numbers, members, written).log().reshape(len(rows), self.width, -1)
        alone = logits.float().log_softmax(dim=1)[:, None]
        followed = (alone + self.strengths[numbers][:, :, None] * evidence).log_softmax(dim=2)
        each = torch.cat([alone, followed], dim=1)  # (B, 1 + E, A)
        return (each + self.shares[numbers][:, :, None]).logsumexp(dim=1)

    def last_columns(self, numbers: Tensor, written: Sequence[list[int]], column_of: dict[int, int]) -> Tensor | None:
        """Return the column (B * E,) of the id written last, for each example; None before the first id."""
        if not written[int(numbers[0])]:
            return None
        columns = [column_of[written[number][-1]] for number in numbers.tolist()]
        return torch.tensor(columns, device=numbers.device).repeat_interleave(self.width)


class CodeMixer(ExampleMixer):
    """Copies codes that lie close in the codebook to the example's, at the pace that reaches both ends together.

    Args:
        head: learnt parameters of copying.
        examples, strength: as above.
        lengths: codes that are written for each prompt, None where the model stops by itself.
        ids: (C,) id of each code.
    """

    def __init__(
        self,
        head: CopyHead,
        examples: Sequence[Sequence[FoundExample]],
        lengths: Sequence[int | None],
        ids: np.ndarray,
        strength: float,
    ) -> None:
        super().__init__(head.text_match, examples, strength)
        self.head, self.likeness = head, head.likeness()
        none = np.zeros(1, dtype=np.int64)
        self.at = head.begin([none if one is None else one.codes for one in self.padded]) if self.padded else None
        self.lengths = torch.tensor(
            [np.inf if length is None else length for length in lengths], device=self.likeness.device
        )
        self.column_of = {int(token): code for code, token in enumerate(ids)}

    def evidence(self, numbers: Tensor, members: Tensor, written: Sequence[list[int]]) -> Tensor:
        """See `ExampleMixer`."""
        assert self.at is not None
        at = self.at.take(members)
        last = self.last_columns(numbers, written, self.column_of)
        if last is not None:
            left = (self.lengths[numbers] - len(written[int(numbers[0])])).repeat_interleave(self.width)
            at = self.head.follow(at, last, self.likeness, left)
            self.at.positions[members] = at.positions
        return self.head.evidence(at, self.likeness)


class WordMixer(ExampleMixer):
    """Copies the ids of a caption's words, and ends where the caption ends.

    The chances (`WORD_FLOOR` ...) are set by hand, for mini, on validation clips; training does not move them.

    Args:
        match: tells captions that fit a motion from others.
        examples, strength: as above.
        vocabulary: whose text ids, and the end, are the columns of the logits.
    """

    def __init__(
        self, match: MatchTest, examples: Sequence[Sequence[FoundExample]], vocabulary: Vocabulary, strength: float
    ) -> None:
        super().__init__(match, examples, strength)
        self.column_of = {int(token): column for column, token in enumerate(vocabulary.text_ids)}
        end = len(self.column_of)
        texts = ["" if one is None else one.caption for one in self.padded]
        captions = [
            [self.column_of[token] for token in vocabulary.encode_text(text) if token in self.column_of]
            for text in texts
        ]
        device = self.shares.device
        self.ends = torch.tensor([len(words) for words in captions], device=device)
        """(R,) position of each caption's end."""
        self.columns = torch.full((len(captions), max(map(len, captions), default=0) + 1), end, device=device)
        """(R, L) ids by column, the end behind each caption."""
        for row, words in enumerate(captions):
            self.columns[row, : len(words)] = torch.tensor(words, dtype=torch.int64)
        self.positions = torch.zeros(self.columns.shape, device=device)
        """(R, L) probabilities that the next id is the one there."""
        self.positions[:, :1] = 1.0

    def evidence(self, numbers: Tensor, members: Tensor, written: Sequence[list[int]]) -> Tensor:
        """See `ExampleMixer`."""
        columns, positions = self.columns[members], self.positions[members]
        last = self.last_columns(numbers, written, self.column_of)
        if last is not None:
            positions = self._moved(
                positions * torch.where(columns == last[:, None], 1.0, WORD_FLOOR), self.ends[members]
            )
            self.positions[members] = positions
        floor = torch.full((len(members), len(self.column_of) + 1), WORD_FLOOR, device=columns.device)
        return floor.scatter_add(1, columns, (1 - WORD_FLOOR) * positions)

    def _moved(self, positions: Tensor, ends: Tensor) -> Tensor:
        """Move (R, L) positions on by a step; their sum may be anything above 0."""
        here = torch.arange(positions.shape[1], device=positions.device)
        moved = torch.zeros_like(positions)
        for jump, chance in enumerate(WORD_JUMPS):
            target = torch.minimum((here + jump).expand_as(positions), ends[:, None])
            moved.scatter_add_(1, target, chance * positions)
        anywhere = (here <= ends[:, None]).float()
        anywhere = anywhere / anywhere.sum(dim=1, keepdim=True)
        return torch.lerp(moved / moved.sum(dim=1, keepdim=True), anywhere, WORD_RESTART)
