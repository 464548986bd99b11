"""A searchable database of captioned motions, opened without reading it into memory.

Files and their order of writing: `version_files`. A database belongs to the retriever that embedded it and to the
tokenizer that encoded it; both are named by hash in its manifest.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from copy import copy
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from remogpt.interfaces import FindsFacts, Retriever, Route, Tokenizer
from remogpt.motion.facts import Fact, Steps
from remogpt.retriever.database.build import copy_entries, write_entries
from remogpt.retriever.database.entry import DatabaseEntry, EntryInfo, RetrievedExample
from remogpt.retriever.database.entry_filter import EntryFilter
from remogpt.retriever.database.milvus import MilvusIndex, collection_of, milvus_file
from remogpt.retriever.database.part_search import Contributions, PartSearch, best_rows
from remogpt.retriever.database.routes import checked_route, plain_features
from remogpt.retriever.database.vector_index import IndexKind, VectorIndex, check_index, exact_similarities
from remogpt.retriever.database.version_reader import VersionReader, numbers_within
from remogpt.retriever.networks.body_parts import named_parts
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.folders.find_model import find_component
from remogpt.runtime.folders.model_folder import check_belongs
from remogpt.runtime.folders.sums import changed_files

_log = logging.getLogger(__name__)

_NOBODY = np.empty(0, dtype=np.int64)
_HITS = 4096
"""Hits whose captions are compared with the query at once: 8 MiB for each caption of theirs."""
FACT_WEIGHT = 0.8
"""What a hit that holds all facts of a query gains over one that holds none, beside cosines.

Chosen by studies/stored_facts.py: more gains little where all facts are right, and loses where some were misread.
"""


class MotionDatabase(VersionReader):
    """Captioned motions with their codes and embeddings.

    Example:
        >>> database = MotionDatabase.open("database", retriever)
        >>> database.search(text="a person waves with the left hand", route="t2m", k=1)[0].caption
    """

    def __init__(self, path: Path, retriever: Retriever | None = None) -> None:
        super().__init__(path)
        self.retriever = retriever
        self._hidden = _NOBODY
        if retriever is not None:
            check_belongs(path, self.manifest, {"retriever": retriever.hash})
        if not len(self):
            _log.warning("the database in %s is empty: nothing is found in it, answers are as without retrieval", path)

    @classmethod
    def build(
        cls,
        entries: Iterable[DatabaseEntry],
        retriever: Retriever,
        tokenizer: Tokenizer,
        path: str | Path,
        *,
        compact: bool = False,
        facts: bool = True,
        finder: FindsFacts | None = None,
        total: int | None = None,
        allow_empty: bool = False,
        index: IndexKind = "auto",
    ) -> "MotionDatabase":
        """Embed and encode entries, write them as a new version, and open it.

        Args:
            entries: read once, in batches; an iterator of any length does.
            retriever, tokenizer: objects with a hash.
            path: folder of the database; an earlier version in it stays there and in use until this one is complete.
            compact: keep motions as joint positions in 16 bits, an eighth of their features (see `packed_motion`), and
                embeddings in half precision, which costs about 5e-4 in a score.
            facts: find the facts that hold for each motion and store them, for searches that count them; about 20 ms
                for 5 s of motion on one core.
            finder: finds these facts; default: the predicates on the joints, see `remogpt.motion.found_facts`.
            total: number of entries where `entries` cannot say it, for the progress bar.
            allow_empty: write a database even without entries, in which nothing is ever found.
            index: how it is searched, see `vector_index`.

        Raises:
            RemogptError: for an entry that cannot be used, two entries of one id, or no entry where there must be some.
        """
        check_index(index)
        write_entries(
            entries, retriever, tokenizer, Path(path),
            compact=compact, facts=facts, finder=finder, total=total, allow_empty=allow_empty, index=index,
        )  # fmt: skip
        return cls(Path(path), retriever)

    @classmethod
    def open(cls, path: str | Path | None = None, retriever: Retriever | None = None) -> "MotionDatabase":
        """Open a database.

        Args:
            path: the database's folder, a model's, or a model's name on the hub; the embedded `mini` without it.
            retriever: needed to search by text or motion; must be the one that embedded the database.

        Raises:
            MissingPathError: if there is no database.
            RemogptError: if another retriever embedded it; the message holds both hashes and the command that mends it.
        """
        return cls(find_component(path, "database"), retriever)

    def where(self, keep: EntryFilter) -> "MotionDatabase":
        """Return this database with searches that pass over the entries that do not meet the conditions.

        Nothing is copied; rows, ids and length stay those of the whole database.

        Raises:
            RemogptError: if no entry meets them.
        """
        view = copy(self)
        fps = self.body.fps
        hidden = [row for row, info in enumerate(self.infos()) if not keep.keeps(info, fps)]
        view._hidden = np.array(hidden, dtype=np.int64)
        if len(view._hidden) == len(self):
            raise RemogptError(f"no entry of {self.path} meets the conditions; 'remogpt db info' shows what there is")
        return view

    # ---- search ------------------------------------------------------------------------------------------------------

    def search(
        self,
        text: str | None = None,
        motion: Any = None,
        route: Route | None = None,
        k: int = 1,
        exclude: Collection[str] = (),
        part: str | Sequence[str] | None = None,
        *,
        facts: Sequence[Fact] = (),
        fact_weight: float = FACT_WEIGHT,
        min_score: float = -1.0,
    ) -> list[RetrievedExample]:
        """Return the k entries closest to a text or a motion, best first; ties in the order of the entries.

        Args:
            text: a sentence; routes t2m (the default) and t2t.
            motion: (T, F) raw features or a `Motion`; routes m2t (the default) and m2m.
            route: which gallery to search: motions (t2m, m2m) or captions (t2t, m2t; an entry counts by its best one).
            k: at least 1; fewer come back if there are fewer.
            exclude: ids; entries that bear one as their own, their source's or their mirror's are passed over.
            part: parts of the body by which motions are scored, whatever the rest does, see `named_parts`
                ("right_arm", "legs", ["root", "arms"]); only t2m and m2m, the default then. How: `part_search`.
            facts: what the query claims; ranks by score + `fact_weight` * share of them that the motion holds. Without
                effect where the database has no facts (see `has_facts`).
            fact_weight: at least 0.
            min_score: hits with a smaller score are left out.

        Raises:
            RemogptError: without a retriever, for an empty text, a route that does not fit the query, an unknown part,
                or a part where retriever or database have none.
        """
        route = checked_route(text, motion, route, part is not None)
        retriever = self._retriever_in_use()
        query = plain_features(motion) if text is None else text
        chosen = None if part is None else named_parts(part)
        if chosen is not None and len(self):
            scores, embedding = self._part_search.scores(query, chosen)
            shares = self._shares(facts)
            rows = best_rows(scores if shares is None else scores + fact_weight * shares, k, self._passed_over(exclude))
            hits = self._hits(
                [int(row) for row in rows], embedding, [float(scores[row]) for row in rows], route, shares
            )
        else:
            rows_of = retriever.encode_text([query]) if isinstance(query, str) else retriever.encode_motion([query])
            embedding = rows_of[0]
            hits = self.search_embedding(embedding, route, k, exclude, facts=facts, fact_weight=fact_weight)
        return [hit for hit in hits if hit.score >= min_score]

    def search_embedding(
        self,
        query: np.ndarray,
        route: Route,
        k: int = 1,
        exclude: Collection[str] = (),
        *,
        facts: Sequence[Fact] = (),
        steps: Steps = (),
        fact_weight: float = FACT_WEIGHT,
    ) -> list[RetrievedExample]:
        """Search with an embedding that the database's retriever made.

        Args:
            query: (D,), of length 1.
            route, k, exclude, facts, fact_weight: as in `search`; the route has no default here.
            steps: what the query claims, whose facts these are; entries that show what it does not claim come later,
                where anything is claimed.

        With facts the whole gallery is ranked; of more than `FLAT_ROWS` motions or captions the `RERANKED` with the
        largest cosines.
        """
        if k < 1:
            raise RemogptError(f"k must be at least 1, got {k}")
        query = np.asarray(query, dtype=np.float32)
        gallery = self._captions if route.endswith("t") else self._motions
        owner = self._owner_of_caption if route.endswith("t") else np.asarray
        shares = self._shares(facts)
        bonus = None if shares is None else fact_weight * (shares - (self.facts.costs(steps) if steps else 0.0))
        entries, _, scores = gallery.search(query, k, owner, self._passed_over(exclude), bonus)
        return self._hits(entries.tolist(), query, scores.tolist(), route, shares)

    def fact_shares(self, facts: Sequence[Fact]) -> np.ndarray:
        """Return (E,) float32 the share of some facts that each entry holds; numbers are rounded to the catalogue's.

        Raises:
            RemogptError: where the database has no facts.
        """
        return self.facts.shares(facts)

    def _shares(self, facts: Sequence[Fact]) -> np.ndarray | None:
        return self.fact_shares(facts) if facts and self.has_facts else None

    def _hits(
        self, rows: list[int], query: np.ndarray, scores: list[float], route: Route, shares: np.ndarray | None
    ) -> list[RetrievedExample]:
        """Make the examples of some entries, a few thousand at a time, with the shares of facts that they hold."""
        found = []
        for start in range(0, len(rows), _HITS):
            block = slice(start, start + _HITS)
            found += self._examples(rows[block], query, scores[block], route)
        return found if shares is None else [replace(hit, fact_share=float(shares[hit.row])) for hit in found]

    def contributions(
        self, query: Any, rows: Sequence[int], part: str | Sequence[str] | None = None
    ) -> list[Contributions]:
        """Return what each body part contributes to the score of entries on the routes t2m and m2m.

        Args:
            query: a sentence, (T, F) raw features or a `Motion`.
            rows: of entries.
            part: as in `search`, to split the scores of that search.

        Raises:
            RemogptError: without a retriever, or where retriever or database have no parts.
        """
        self._retriever_in_use()
        chosen = None if part is None else named_parts(part)
        if not rows:
            return []
        return self._part_search.contributions(query if isinstance(query, str) else plain_features(query), rows, chosen)

    def _retriever_in_use(self) -> Retriever:
        if self.retriever is None:
            raise RemogptError(
                f"the database in {self.path} was opened without a retriever and cannot embed a query; open it with "
                "MotionDatabase.open(path, TextMotionRetriever.from_pretrained(model))"
            )
        return self.retriever

    @cached_property
    def _part_search(self) -> PartSearch:
        return PartSearch.of(self, self._retriever_in_use())

    def unknown_names(self, names: Collection[str]) -> list[str]:
        """Return those of some ids that no entry bears as its own, its source's or its mirror's."""
        return [name for name in names if not len(self.name_table.rows_of([name]))]

    def _passed_over(self, names: Collection[str]) -> np.ndarray:
        rows = self.name_table.rows_of(names) if names else _NOBODY
        return np.union1d(self._hidden, rows) if len(self._hidden) else rows

    def example(self, row: int, query: np.ndarray, score: float, route: str) -> RetrievedExample:
        """Make the example of an entry, with its caption closest to the query embedding (D,)."""
        return self._examples([row], query, [score], route)[0]

    def _examples(self, rows: list[int], query: np.ndarray, scores: list[float], route: str) -> list[RetrievedExample]:
        """Make the examples of some entries; all their captions are compared with the query at once."""
        spans = self._spans("caption", rows, len(self.caption_embeddings))
        to_captions = exact_similarities(self.caption_embeddings[numbers_within(spans)], query)
        to_motions = exact_similarities(self.motion_embeddings[rows], query).tolist()
        best, places = largest_within(to_captions, spans[:, 1] - spans[:, 0])
        found = []
        known = zip(rows, scores, to_motions, best, places, self.infos_of(rows), self.codes_of(rows), strict=True)
        for row, score, to_motion, to_caption, place, info, codes in known:
            caption = info.captions[place]
            found.append(RetrievedExample(info.id, caption, codes, score, route, to_motion, to_caption, row=row))
        return found

    @cached_property
    def _motions(self) -> VectorIndex:
        return self._index("motion", self.motion_embeddings)

    @cached_property
    def _captions(self) -> VectorIndex:
        return self._index("caption", self.caption_embeddings)

    def _index(self, gallery: str, rows: np.ndarray) -> VectorIndex:
        told = milvus_file(self)
        if told is None:
            return VectorIndex(rows, self.folder / f"{gallery}s.ivf")
        return MilvusIndex(rows, told["uri"], collection_of(self.hash, gallery))

    def _owner_of_caption(self, rows: np.ndarray) -> np.ndarray:
        return np.searchsorted(self.caption_offsets, rows, side="right") - 1

    # ---- whole databases ---------------------------------------------------------------------------------------------

    def verify(self) -> None:
        """Compare every file with its checksum, and what the files hold with each other.

        Raises:
            RemogptError: naming the files that are damaged or missing, or what makes no sense.
        """
        damaged = changed_files(self.folder, self.manifest["files"])
        if damaged:
            raise RemogptError(f"{self.folder}: {', '.join(damaged)} differ from the manifest; copy or build it again")
        self.check_sense()

    def filter(self, keep: Callable[[EntryInfo], bool], path: str | Path) -> "MotionDatabase":
        """Write the entries for which `keep` is true as a database of its own; nothing is embedded again."""
        return self.select([row for row, info in enumerate(self.infos()) if keep(info)], path)

    def select(self, rows: Sequence[int], path: str | Path) -> "MotionDatabase":
        """Write some entries as a database of its own, or, at this one's path, as its new version."""
        copy_entries([(self, list(rows))], Path(path))
        return MotionDatabase(Path(path), self.retriever)

    @staticmethod
    def merge(
        databases: Sequence["MotionDatabase"], path: str | Path, *, keep_first: bool = False,
        index: IndexKind | None = None, facts_anew: bool = False,
    ) -> "MotionDatabase":  # fmt: skip
        """Write several databases of one retriever and tokenizer as one; nothing is embedded again.

        Args:
            databases: at least one.
            path: folder of the result; one of theirs gets a new version.
            keep_first: of entries of one id, take that of the first database.
            index: how the result is searched, see `vector_index`; default: as the first database is.
            facts_anew: find the facts of all motions by the predicates, whatever is stored.

        Raises:
            RemogptError: if their retrievers or tokenizers differ, or two entries have one id.
        """
        check_index(index)
        if not databases:
            raise RemogptError("merge wants at least one database, got none")
        rows, seen = [], set[str]()
        for database in databases:
            new = list(range(len(database)))
            if keep_first:  # else the writer refuses a second entry of one id, and no id has to be read here
                new = [row for name, row in database.rows.items() if name not in seen]
                seen |= database.rows.keys()
            rows.append((database, new))
        copy_entries(rows, Path(path), index, facts_anew=facts_anew)
        return MotionDatabase(Path(path), databases[0].retriever)


def largest_within(values: np.ndarray, lengths: np.ndarray) -> tuple[list[float], list[int]]:
    """Return the largest value of each of some stretches that follow each other, and its first place in it."""
    firsts = np.cumsum(lengths) - lengths
    best = np.maximum.reduceat(values, firsts)
    places = np.arange(len(values)) - np.repeat(firsts, lengths)
    places[values < np.repeat(best, lengths)] = len(values)
    return best.tolist(), np.minimum.reduceat(places, firsts).tolist()
