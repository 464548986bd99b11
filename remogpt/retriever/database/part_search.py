"""Search by what some body parts do, and split a score over body parts.

PL-TMR encodes six parts apart, (6, W), before a head makes one embedding of them. This module needs only stored
encodings of the parts and the head; no motion is encoded again.

A part that is left out gets the database's mean encoding. So a text is compared with the motion in which all parts but
the chosen ones are left out ("only this part moves"). The other way, the drop of the score where the chosen parts are
left out, finds less. Mean average precision among the 1,040 procedural clips that mini's retriever was not trained on,
by the whole body / only the part / the drop (benchmarks/results/part_search.json; training clips agree):
    0.42 / 0.66 / 0.58   24 texts of an arm's action and side ("waves with the right hand"), by that arm
    0.16 / 0.57 / 0.47   the same, for relevant clips that move their legs too
    0.23 / 0.38 / 0.42   24 texts without the side ("waves"), by one arm; relevant are the clips of that side
    0.44 / 0.51 / 0.23   14 texts of a leg's action and side, by the legs
    0.60 / 0.70 / 0.40   7 texts of locomotion ("walks"), by the legs
    0.43 / 0.10 / 0.03   control: the first row's texts by the other arm (2 % of the clips are relevant)
    0.60 / 0.23 / 0.06   control: locomotion by the left arm (6 %), whose swing tells a little of it
Drop is better where the text names no side and in the controls, much worse for legs; and it is not a cosine. The mean
score over 16 motions that lend their other parts, instead of the mean motion, finds more in the third row (0.50) and
0.04 in the first, for 16 times the time.

A motion is compared by the chosen parts' encodings minus the mean, for which no head is needed: 0.84 where the whole
body reaches 0.48 (120 clips that wave, point or the like while the legs move, by their right arm; relevant are clips
whose right arm does the same while the legs do something else), and 0.64 where it reaches 0.47 (the same with legs).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from remogpt.interfaces import PartRetriever
from remogpt.retriever.database.shapley import shapley_values
from remogpt.retriever.database.vector_index import exact_similarities
from remogpt.retriever.database.version_reader import VersionReader
from remogpt.retriever.networks.body_parts import PARTS
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.progress import progress

Chosen = tuple[int, ...]
BLOCK = 4096
"""Entries whose parts are in memory at once."""
BATCH = 256
"""Entries whose features are in memory at once."""


@dataclass(frozen=True)
class Contributions:
    """A score split over body parts: `score` = `mean` + the sum of `parts`."""

    score: float
    """Cosine of the query and a motion, in which parts that were not chosen are left out."""
    mean: float
    """Cosine of the query and the mean motion, in which all parts are left out."""
    parts: dict[str, float]
    """Contribution of each chosen part, by name; negative where the score is better without the part."""


def with_parts(retriever: object) -> PartRetriever | None:
    """Return the retriever if it encodes body parts apart."""
    return cast(PartRetriever, retriever) if getattr(retriever, "has_parts", False) else None


class PartSearch:
    """Scores a database's motions by chosen body parts.

    Queries are sentences or raw features (T, F); `chosen` are ascending indices into `PARTS` (see `named_parts`).

    Args:
        encodings: (E, 6, W) of any float type; memory-mapped ones are read in blocks.
        retriever: the one that encoded them.
    """

    def __init__(self, encodings: np.ndarray, retriever: PartRetriever) -> None:
        self.encodings, self.retriever = encodings, retriever
        total = np.zeros(encodings.shape[1:], dtype=np.float64)
        for start, stop in _blocks(len(encodings)):
            total += encodings[start:stop].sum(axis=0, dtype=np.float64)
        self.mean: np.ndarray = (total / len(encodings)).astype(np.float32)
        """(6, W)"""
        self._embedded: tuple[Chosen, np.ndarray] | None = None

    @classmethod
    def of(cls, database: VersionReader, retriever: object) -> "PartSearch":
        """Search a database by its stored encodings, or by encodings made from its features, which takes a while.

        Raises:
            RemogptError: if the retriever has no parts, or the database neither encodings nor motions.
        """
        parted = with_parts(retriever)
        if parted is None:
            raise RemogptError(
                f"the retriever of the database in {database.path} reads the body as a whole, as TMR does, and has no "
                "parts; search without them, or build the database with a PL-TMR: remogpt db build SET --retriever ..."
            )
        if database.has_part_encodings:
            return cls(database.part_encodings, parted)
        if database.motions_kept == "nothing":
            raise RemogptError(
                f"the database in {database.path} was built without part encodings and keeps no motions to make them "
                "from; build one that has them (remogpt db build SET --out DATABASE) and search that"
            )
        encodings = [
            parted.encode_motion_parts([database.features(row) for row in range(start, stop)])
            for start, stop in progress(_blocks(len(database), BATCH), desc="part encodings", unit="block")
        ]
        return cls(np.concatenate(encodings), parted)

    def scores(self, query: str | np.ndarray, chosen: Chosen) -> tuple[np.ndarray, np.ndarray]:
        """Return (E,) float32 cosines of the query with every motion, and an embedding (D,) of the query.

        A sentence has its usual embedding; the embedding of a motion has the chosen parts alone.
        """
        if isinstance(query, str):
            embedding = self.retriever.encode_text([query])[0]
            return exact_similarities(self._embeddings(chosen), embedding), embedding
        encoded = self.retriever.encode_motion_parts([query])
        wanted = self._centred(encoded, chosen)[0]
        scores = np.empty(len(self.encodings), dtype=np.float32)
        for start, stop in _blocks(len(scores)):
            scores[start:stop] = self._centred(self.encodings[start:stop], chosen) @ wanted
        return scores, self.retriever.embed_parts(self._only(encoded, chosen))[0]

    def contributions(
        self, query: str | np.ndarray, rows: Sequence[int], chosen: Chosen | None = None
    ) -> list[Contributions]:
        """Split scores of entries over parts: those that `scores` gives, or the whole body's where no parts are chosen.

        Contributions are Shapley values: how much the score falls when a part is left out, averaged over all orders in
        which the parts can be left out. They are exact, since all 2^n choices, at most 64, pass the head: 1 ms an entry
        with mini's. Where a motion is searched by chosen parts the score is a sum over parts as it stands.
        Source: Shapley 1953; a mean in place of what is left out as in arXiv 1705.07874.
        """
        if not isinstance(query, str) and chosen is not None:
            wanted = self._centred(self.retriever.encode_motion_parts([query]), chosen)[0]
            return [self._shares(wanted, row, chosen) for row in rows]
        encode = self.retriever.encode_text if isinstance(query, str) else self.retriever.encode_motion
        embedding = encode([query])[0]  # type: ignore[list-item]
        return [self._shapley(embedding, row, chosen or tuple(range(len(PARTS)))) for row in rows]

    def _only(self, encodings: np.ndarray, chosen: Chosen) -> np.ndarray:
        """Map (n, 6, W) -> (n, 6, W) float32, in which all parts but the chosen ones are left out."""
        kept = np.repeat(self.mean[None], len(encodings), axis=0)
        kept[:, chosen] = encodings[:, chosen]
        return kept

    def _embeddings(self, chosen: Chosen) -> np.ndarray:
        """Return (E, D) unit rows of every motion in which only the chosen parts move."""
        if self._embedded is None or self._embedded[0] != chosen:  # one choice is kept: E x D floats
            blocks = (self.encodings[start:stop] for start, stop in _blocks(len(self.encodings)))
            rows = [self.retriever.embed_parts(self._only(block, chosen)) for block in blocks]
            self._embedded = chosen, np.concatenate(rows)
        return self._embedded[1]

    def _centred(self, encodings: np.ndarray, chosen: Chosen) -> np.ndarray:
        """Map (n, 6, W) -> (n, chosen * W) float64 unit rows."""
        rows = (encodings[:, chosen].astype(np.float64) - self.mean[chosen, :]).reshape(len(encodings), -1)
        unit: np.ndarray = rows / np.linalg.norm(rows, axis=1, keepdims=True).clip(min=1e-12)
        return unit

    def _shapley(self, embedding: np.ndarray, row: int, chosen: Chosen) -> Contributions:
        motion = np.asarray(self.encodings[row], dtype=np.float32)
        choices = np.repeat(self.mean[None], 1 << len(chosen), axis=0)  # (2^n, 6, W)
        for bit, part in enumerate(chosen):
            choices[np.arange(len(choices)) >> bit & 1 == 1, part] = motion[part]
        values = self.retriever.embed_parts(choices).astype(np.float64) @ embedding.astype(np.float64)
        return _contributions(float(values[-1]), float(values[0]), chosen, shapley_values(values))

    def _shares(self, wanted: np.ndarray, row: int, chosen: Chosen) -> Contributions:
        found = self._centred(self.encodings[row : row + 1], chosen)[0]
        shares = (wanted * found).reshape(len(chosen), -1).sum(axis=1)
        return _contributions(float(shares.sum()), 0.0, chosen, shares)


def best_rows(scores: np.ndarray, k: int, excluded: np.ndarray) -> np.ndarray:
    """Return the at most k rows with the largest scores (E,), best first, ties in their order, without the excluded."""
    if k < 1:
        raise RemogptError(f"k must be at least 1, got {k}")
    allowed = np.delete(np.arange(len(scores)), excluded)
    return allowed[np.argsort(-scores[allowed], kind="stable")[:k]]


def _contributions(score: float, mean: float, chosen: Chosen, shares: np.ndarray) -> Contributions:
    names = (PARTS[index] for index in chosen)
    return Contributions(score, mean, dict(zip(names, shares.tolist(), strict=True)))


def _blocks(count: int, size: int = BLOCK) -> list[tuple[int, int]]:
    return [(start, min(start + size, count)) for start in range(0, count, size)]
