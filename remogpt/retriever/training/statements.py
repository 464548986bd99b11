"""Compare what captions say with what motions show: which texts are right for a motion, and how right the others are.

A statement is a fact of a caption's claims, or a manner ("quickly", "angrily") that facts do not cover. A motion shows
what its own captions say, taken together, and the facts that its set states; distances count as shown within the
tolerance of `remogpt.motion.predicates`.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain

import numpy as np

from remogpt.motion.facts import Fact, Steps, facts_of_claims
from remogpt.motion.predicates.gait import is_about

MANNERS: dict[str, tuple[str, ...]] = {
    "slow": ("slow", "leisurely", "stroll", "without any hurry"),
    "fast": ("fast", "quick", "rapid", "brisk", "swift", "hurr", "sprint", "strid", "haste"),
    "tired": ("tired", "exhaust", "weary", "wearily", "sluggish", "letharg", "fatigue"),
    "happy": ("happ", "cheer", "joy"),
    "angry": ("angr", "furious", "mad ", "aggressive", "rage"),
    "elderly": ("old ", "elderly", "frail", "feeb", "grand", "senior"),
    "sneaky": ("sneak", "stealth", "quietly", "spy", "thief", "burglar", "secret"),
    "drunk": ("drunk", "intoxicat", "tipsy", "stagger", "alcohol", "unsteadi", "wooz"),
    "proud": ("proud", "confident", "haught", "pride", "arrogan", "king", "strut"),
    "careful": ("careful", "with care", "with great care", "with caution", "on ice", "slippery", "tightrope"),
    "limping": ("limp", "lame", "injur", "hurt", "sore", "gingerly"),
}
"""How words of a caption begin that tell a manner of moving."""
_BEGINS = {name: re.compile(r"\b(?:" + "|".join(words) + ")") for name, words in MANNERS.items()}
BIN = 0.5
"""Metres between the distances that statements distinguish."""


@dataclass(frozen=True)
class Statements:
    """What each caption of N clips says and what each clip shows, as indices into the vocabulary of statements."""

    names: tuple[str, ...]
    """The vocabulary: JSON of a fact, or a manner."""
    said: tuple[tuple[np.ndarray, ...], ...]
    """(n,) int64 statements of each caption of each clip, sorted."""
    shown: tuple[np.ndarray, ...]
    """(n,) int64 statements that each clip shows, sorted."""

    @classmethod
    def of(
        cls, captions: Sequence[Sequence[str]], claims: Sequence[Sequence[Steps]], facts: Sequence[Sequence[Fact]]
    ) -> "Statements":
        """Collect the statements of N clips.

        Args:
            captions, claims: of each clip, alike in order; a clip without claims has an empty list.
            facts: that the set states of each clip.
        """
        numbers: dict[str, int] = {}

        def rows(names: Iterable[str]) -> np.ndarray:
            return np.array(sorted({numbers.setdefault(name, len(numbers)) for name in names}), dtype=np.int64)

        said, shown = [], []
        for texts, steps, stated in zip(captions, claims, facts, strict=True):
            known = [facts_of_claims(one) for one in steps] or [[] for _ in texts]
            manners = [manners_of(text) for text in texts]
            said.append(tuple(rows([*map(nearest, of), *how]) for of, how in zip(known, manners, strict=True)))
            every = [name for fact in chain(stated, *known) for name in within_tolerance(fact)]
            shown.append(rows([*every, *chain(*manners)]))
        return cls(tuple(numbers), tuple(said), tuple(shown))

    def shares(self, clips: np.ndarray, captions: np.ndarray) -> np.ndarray:
        """Return (B, B): the share of what caption i says that clip j shows; 0 for a caption without statements.

        Args:
            clips: (B,) clip indices.
            captions: (B,) number of the caption of each clip.
        """
        said = [self.said[clip][number] for clip, number in zip(clips, captions, strict=True)]
        columns = np.unique(np.concatenate(said))
        table = np.stack([np.isin(columns, own) for own in said]).astype(np.float32)
        shown = np.stack([np.isin(columns, self.shown[clip]) for clip in clips]).astype(np.float32)
        return (table @ shown.T) / np.maximum(table.sum(axis=1, keepdims=True), 1)

    def frequent(self, least: int) -> np.ndarray:
        """Return (S,) the statements that at least so many clips show."""
        return np.flatnonzero([len(clips) >= least for clips in self._clips_by_statement])

    def tables(self, clips: np.ndarray, captions: np.ndarray, statements: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return (B, S) float32 each: which of some statements captions say, and which clips show; see `shares`."""
        said = [self.said[clip][number] for clip, number in zip(clips, captions, strict=True)]
        shown = [self.shown[clip] for clip in clips]
        found = [np.stack([np.isin(statements, own) for own in rows]).astype(np.float32) for rows in (said, shown)]
        return found[0], found[1]

    def neighbours(self, clip: int, count: int, rng: np.random.Generator) -> list[int]:
        """Draw clips that show something that a clip shows, rare statements as often as frequent ones."""
        own = self.shown[clip]
        if len(own) == 0:
            return []
        sharing = [self._clips_by_statement[own[rng.integers(len(own))]] for _ in range(count)]
        return [int(clips[rng.integers(len(clips))]) for clips in sharing]

    @cached_property
    def _clips_by_statement(self) -> list[np.ndarray]:
        found: list[list[int]] = [[] for _ in self.names]
        for clip, shown in enumerate(self.shown):
            for number in shown:
                found[number].append(clip)
        return [np.array(clips, dtype=np.int64) for clips in found]


def nearest(fact: Fact) -> str:
    """Name a fact; its distance is rounded to the nearest bin."""
    distance = fact.params.get("distance")
    if distance is not None:
        fact = replace(fact, params={**fact.params, "distance": round(distance / BIN) * BIN})
    return json.dumps(fact.to_json(), sort_keys=True)


def within_tolerance(fact: Fact) -> list[str]:
    """Name a fact once for every binned distance of which the joints would prove it."""
    distance = fact.params.get("distance")
    if distance is None:
        return [nearest(fact)]
    bins = [step * BIN for step in range(1, int(2 * distance / BIN) + 2)]
    close = [value for value in bins if is_about(distance, value)]
    return [nearest(replace(fact, params={**fact.params, "distance": value})) for value in close]


def manners_of(text: str) -> list[str]:
    """List the `MANNERS` that a caption tells of."""
    return [name for name, begins in _BEGINS.items() if begins.search(text.lower())]
