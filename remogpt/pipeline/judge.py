"""Judge motions by a caption, and captions by a motion: how close they are, and which of their claims joints hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from remogpt.finder import FactFinder
from remogpt.motion import features_to_joints
from remogpt.motion.body import MIN_FRAMES, Body
from remogpt.motion.facts import RELATIONS, Fact, describe, events, holds
from remogpt.motion.unasked import Shows, costs, left_out
from remogpt.reader import Reading
from remogpt.retriever import TextMotionRetriever

CLAIM_HOLDS, CLAIM_FAILS = 0.1, 0.2
"""What a claim of a written caption counts beside the cosine: for the caption if the motion holds it, else against it
(`studies/caption_choice.py`)."""

LEFT_OUT = 1.0
"""What it costs a caption to leave out an action that cannot be mistaken, as a cosine."""


@dataclass(frozen=True)
class CheckedFact:
    """A fact that a caption claims, and whether the motion's joints hold it."""

    fact: Fact
    holds: bool
    seen: int | None = None
    """Repetitions that the joints show, for facts with a count."""

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary, the fact in words."""
        return {"fact": describe(self.fact), "holds": self.holds, "seen": self.seen}


@dataclass(frozen=True)
class Judge:
    """Scores motions for captions.

    Args:
        retriever: its cosine of caption and motion.
        fact_weight: what the share of a caption's facts that hold counts beside the cosine, times
            how sure its reading is.
        finder: says which facts hold; None checks them on the joints.
    """

    retriever: TextMotionRetriever
    fact_weight: float
    finder: FactFinder | None = None

    def scores(
        self, texts: Sequence[str], readings: Sequence[Reading | None], motions: Sequence[Sequence[np.ndarray]]
    ) -> list[np.ndarray]:
        """Score the motions of each caption, (T, 263) raw features each: one (n,) array a caption.

        Args:
            texts: N captions.
            readings: what each claims; None where its facts are not to be checked.
            motions: of each caption; any number of them.
        """
        embedded = self.retriever.encode_motion([motion for own in motions for motion in own])
        ends = np.cumsum([len(own) for own in motions])[:-1]
        found = []
        for text, reading, own, rows in zip(
            self.retriever.encode_each_text(texts), readings, motions, np.split(embedded, ends), strict=True
        ):
            scores = rows @ text
            if reading is not None and (reading.facts or not reading.num_unknown):
                shares = self._shares(reading, own)
                scores = scores + self.fact_weight * reading.sureness * np.array(shares, dtype=scores.dtype)
            found.append(scores)
        return found

    def caption_scores(
        self, captions: Sequence[Sequence[str]], readings: Sequence[Sequence[Reading]], motions: Sequence[np.ndarray]
    ) -> list[np.ndarray]:
        """Score the captions of each motion, (T, 263) raw features: one (n,) array a motion.

        Args:
            captions: of each motion; any number of them.
            readings: what each caption claims; of a motion whose captions' claims are not to be checked, none.
            motions: N motions.
        """
        embedded = self.retriever.encode_text([caption for own in captions for caption in own])
        ends = np.cumsum([len(own) for own in captions])[:-1]
        found = []
        shown = self._shown(motions) if any(readings) else [_nothing] * len(motions)
        for motion, own, rows, shows in zip(
            self.retriever.encode_motion(motions), readings, np.split(embedded, ends), shown, strict=True
        ):
            scores = rows @ motion
            for index, reading in enumerate(own):
                scores[index] += sum(CLAIM_HOLDS if shows(fact) else -CLAIM_FAILS for fact in reading.facts)
                scores[index] -= LEFT_OUT * any(map(shows, left_out(reading.steps)))
            found.append(scores)
        return found

    def _shown(self, motions: Sequence[np.ndarray]) -> list[Shows]:
        """Tell what each motion shows."""
        if self.finder is not None:
            return [one.holds for one in self.finder.find(motions)]
        return [_shows(motion) for motion in motions]

    def _shares(self, reading: Reading, motions: Sequence[np.ndarray]) -> list[float]:
        """Return what share of a reading's facts each motion holds, less the cost of what was not asked for.

        A caption that claims nothing, such as "a person stands there", asks for a motion that shows nothing.
        """
        return [
            float(np.mean([shows(fact) for fact in reading.facts] or [False])) - sum(costs(shows, reading.steps))
            for shows in self._shown(motions)
        ]


def _shows(features: np.ndarray) -> Shows:
    """Tell what a motion, (T, 263) raw features, shows; one too short to be measured shows nothing."""
    body = _measured(features)
    return _nothing if body is None else partial(holds, body=body)


def _nothing(_: Fact) -> bool:
    return False


def facts_held(facts: Sequence[Fact], features: np.ndarray) -> list[bool]:
    """Return which facts a motion, (T, 263) raw features, holds; one too short to be measured holds none."""
    return list(map(_shows(features), facts))


def checked(facts: Sequence[Fact], features: np.ndarray) -> tuple[CheckedFact, ...]:
    """Check facts on a motion, (T, 263) raw features, and count the repetitions that it shows."""
    body = _measured(features)
    if body is None:
        return tuple(CheckedFact(fact, False) for fact in facts)
    return tuple(CheckedFact(fact, holds(fact, body), _repetitions(fact, body)) for fact in facts)


def _measured(features: np.ndarray) -> Body | None:
    return Body(features_to_joints(features)) if len(features) >= MIN_FRAMES else None


def _repetitions(fact: Fact, body: Body) -> int | None:
    if fact.name in RELATIONS or fact.params.get("count") is None:
        return None
    rest = {key: value for key, value in fact.params.items() if key != "count"}
    return len(events(Fact(fact.name, rest), body))
