"""One evaluation: what is scored, on which set, by which evaluator, and where the results go.

Every result is written with its protocol card as soon as it is there; a second run with the same card reads it instead
of computing it again.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from remogpt.data.family import family_names
from remogpt.data.humanml3d import Clip, MotionTextSet
from remogpt.eval.cards import Card, ResultFile, protocol_card, sha256_of
from remogpt.eval.evaluators.embeddings import embed_motions, embed_texts
from remogpt.eval.runs.config import EvalConfig
from remogpt.interfaces import Evaluator, Model, TextEncoder
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_json, write_json
from remogpt.runtime.progress import progress
from remogpt.runtime.vector_cache import VectorCache

_log = logging.getLogger(__name__)

Result = dict[str, Any]
Named = tuple[str, Result]


@dataclass(frozen=True)
class CaptionQuery:
    """A caption for which a motion is written, and its lemma/POS tokens where the set has them."""

    text: str
    tokens: tuple[str, ...] = ()


@dataclass(frozen=True)
class Run:
    """Inputs of an evaluation, shared by all of its tasks."""

    motions: MotionTextSet
    out: Path
    config: EvalConfig = field(default_factory=EvalConfig)
    model: Model | None = None
    """Model whose answers are scored; None where answers come from files."""
    evaluator: Evaluator | None = None
    """Evaluator network for R-precision, MM-dist, FID; None leaves these out."""
    dependence: str | None = None
    """Why the evaluator is not independent of the model, where it is not."""
    database: Any = None
    """Passed to the model; None for its own."""
    database_hash: str | None = None
    """Hash of that database; None for the model's own."""
    others: Mapping[str, tuple[Any, str]] = field(default_factory=dict)
    """Databases to swap in: name -> (database, hash)."""
    sentences: TextEncoder | None = None
    """Sentence vectors for rareness and for retrieval's threshold protocol."""
    generated: Path | None = None
    """Folder of motions that somebody else generated."""
    captions: Path | None = None
    """JSON of captions that somebody else generated."""
    told: set[str] = field(default_factory=set, compare=False)
    """Marks that were logged."""

    @property
    def own_database_hash(self) -> str | None:
        """Hash of the database that examples come from."""
        own = self.model.manifest.get("hashes", {}).get("database") if self.model is not None else None
        return self.database_hash or own

    @cached_property
    def cache(self) -> VectorCache:
        """Cache of the set, where its embeddings are kept."""
        return VectorCache.beside(self.motions.folder)

    def needs_model(self, task: str) -> Model:
        """Return the model.

        Raises:
            RemogptError: if there is none.
        """
        if self.model is None:
            raise RemogptError(f"{task} needs a model to measure; name one with --model")
        return self.model

    def needs_evaluator(self, task: str) -> Evaluator:
        """Return the evaluator.

        Raises:
            RemogptError: if there is none.
        """
        if self.evaluator is None:
            raise RemogptError(
                f"{task} needs an evaluator network for the set {self.motions.name}; name one with --evaluator: made "
                "by 'remogpt import guo or a retriever trained on other data than the model (docs/guide/evaluation.md)"
            )
        return self.evaluator

    def subset(self, split: str, count: int) -> list[Clip]:
        """Draw clips of a split with the seed, sorted by id; all of them where `count` is 0."""
        clips = sorted(self.motions.clips(split), key=lambda clip: clip.id)
        if not count or count >= len(clips):
            return clips
        chosen = np.random.default_rng(self.config.seed).choice(len(clips), count, replace=False)
        return [clips[index] for index in np.sort(chosen)]

    def queries(self, clips: Sequence[Clip]) -> list[CaptionQuery]:
        """Draw one caption of each clip with the seed."""
        rng = np.random.default_rng(self.config.seed)
        chosen = [int(rng.integers(len(clip.captions))) for clip in clips]
        return [
            CaptionQuery(clip.captions[index], clip.tokens[index]) for clip, index in zip(clips, chosen, strict=True)
        ]

    def card(self, split: str, clips: Sequence[Clip], **protocol: Any) -> Card:
        """Describe how a result of these clips is made."""
        contents = self.motions.probe(clips)[:16]
        return protocol_card(
            self.model,
            self.motions,
            split,
            clips,
            seed=self.config.seed,
            motions_sha256=contents,
            **({"overlap_allowed": True} if self.config.allow_overlap else {}),
            **protocol,
        )

    def evaluator_card(self) -> Card:
        """Return card entries of the evaluator."""
        if self.evaluator is None:
            return {"evaluator": None}
        own = {"name": self.evaluator.name, "hash": self.evaluator.hash, "trained_on": self.evaluator.trained_on}
        return {"evaluator": own, "evaluator_dependence": self.dependence}

    def finish(self, name: str, card: Card, work: Callable[[], Result]) -> Named:
        """Read a finished result if its card is this run's, else compute and write it."""
        path = self.out / "parts" / f"{name.replace('/', '_')}.json"
        if path.is_file():
            done = read_json(path, ResultFile)
            if done["card"] == card:
                return name, done
        result = {"card": card, "scores": work()}
        write_json(path, result)
        return name, result

    def batches(self, clips: Sequence[Clip], what: str) -> Iterator[tuple[int, list[Clip]]]:
        """Yield batches of clips, each with its first clip's index; a progress bar counts clips."""
        size = self.config.batch_size
        with progress(total=len(clips), desc=what, unit="clip") as bar:
            for start in range(0, len(clips), size):
                batch = list(clips[start : start + size])
                yield start, batch
                bar.update(len(batch))

    def batch_seed(self, *key: int | str) -> int:
        """Return the sampling seed of the batch that begins at an item (of a generation)."""
        return int(sha256_of([self.config.seed, *key])[:7], 16)

    def marked(self, marks: Sequence[str]) -> Result:
        """Return a result's `marks`, sentences that its numbers must not be read without; each is told once."""
        for mark in marks:
            if mark not in self.told:
                _log.warning("%s", mark)
                self.told.add(mark)
        return {"marks": list(marks)} if marks else {}

    # ---- embeddings by the evaluator ---------------------------------------------------------------------------------

    def embed_clips(self, clips: Sequence[Clip]) -> np.ndarray:
        """Return (N, D) embeddings of the set's own motions."""
        return embed_motions(
            self.cache, self.needs_evaluator("embedding motions"), self.motions.identity(clips), len(clips),
            lambda index: self.motions.features(clips[index]),
        )  # fmt: skip

    def embed_queries(self, queries: Sequence[CaptionQuery]) -> np.ndarray:
        """Return (N, D) embeddings of captions."""
        texts, tokens = [query.text for query in queries], [query.tokens for query in queries]
        return embed_texts(self.cache, self.needs_evaluator("embedding captions"), texts, tokens)

    def embed_sentences(self, captions: Sequence[str]) -> np.ndarray:
        """Return (N, D) sentence vectors of captions.

        Raises:
            RemogptError: if the run has no sentence encoder.
        """
        if self.sentences is None:
            raise RemogptError("rareness needs sentence vectors; name their model with --sentence-model")
        return embed_texts(self.cache, self.sentences, captions)

    @property
    def has_training(self) -> bool:
        """Whether the set has a training split with something in it."""
        return "train" in self.motions.splits() and bool(self.motions.ids("train"))

    @cached_property
    def training(self) -> tuple[list[Clip], np.ndarray]:
        """Clips of the training split and their (M, D) embeddings."""
        clips = self.subset("train", 0)
        return clips, self.embed_clips(clips)


def own_ids(clip: Clip) -> set[str]:
    """Return the names under which a database could hold the clip, its mirror image, or other cuts of its recording."""
    return family_names(clip) | {clip.file_id, f"M{clip.file_id}"}
