"""What the service can do, whoever asks: the HTTP routes and the page call these methods."""

import asyncio
import logging
import math
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from filelock import FileLock, Timeout

from remogpt.app.service.answers import caption_answer
from remogpt.app.service.databases import Databases
from remogpt.app.service.jobs import Jobs
from remogpt.app.service.model_thread import ModelThread
from remogpt.app.service.problems import ServiceError
from remogpt.app.service.questions import CaptionQuestion, GenerateQuestion, SearchQuestion
from remogpt.app.service.settings import ServiceSettings
from remogpt.lm.long_motion import num_frames
from remogpt.motion import Motion, load_motion
from remogpt.options import GenerationOptions
from remogpt.pipeline.checks import body_of_model, check_model, check_our_body, check_words
from remogpt.retriever.database.entry import RetrievedExample
from remogpt.retriever.moments import Moments, find_moments
from remogpt.runtime.errors import ITEM_ERRORS, RemogptError, why
from remogpt.runtime.files import check_output_folder
from remogpt.runtime.folders.find_model import find_model
from remogpt.runtime.folders.model_folder import read_manifest

if TYPE_CHECKING:
    from remogpt.pipeline import Captioned, Generated, ReMoGPT

_T = TypeVar("_T")
_log = logging.getLogger(__name__)

LONGEST_RECORDING = 20 * 60 * 20
"""Frames of the longest uploaded motion, 20 minutes."""
_FILES = 2
"""Uploaded files that are read at once, and requests whose answers are written to files at once."""


@dataclass(frozen=True)
class _Caption:
    """One caption that waits for its motions."""

    text: str
    seconds: float | None
    seed: int
    exclude: frozenset[str]
    pinned: tuple[str, ...]


class Service:
    """One model with its databases and jobs.

    Args:
        settings: of the service.

    Raises:
        MissingPathError, RemogptError: if the model or a database cannot be used, or the work folder is in use.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        self.settings = settings
        self._lock = _locked(settings.work)
        folder = find_model(settings.model)
        self.manifest = read_manifest(folder)
        check_our_body(body_of_model(folder), "the service plays and writes", "use 'remogpt generate --out motion.npy'")
        own = folder / "database"
        self.databases = Databases(settings, own if own.is_dir() else None)
        for path in self.databases.shared.values():
            check_model(settings.model, path)  # a wrong folder is refused before anybody asks
        self.hidden = (str(settings.work.resolve()), str(settings.work), str(folder))
        self.jobs = Jobs(settings, self.hidden)
        self.thread = ModelThread(settings.max_waiting)
        self._reading, self._writing = asyncio.Semaphore(_FILES), asyncio.Semaphore(_FILES)

    @property
    def name(self) -> str:
        """The model's name."""
        return str(self.manifest["name"])

    @cached_property
    def model(self) -> "ReMoGPT":
        """The model, loaded when it is first asked for: used by the model's thread alone."""
        from remogpt.pipeline import ReMoGPT  # takes seconds, in which the service answers already

        return ReMoGPT.from_pretrained(self.settings.model)

    @property
    def best_of(self) -> int:
        """Candidates that the model writes by default."""
        return int(self.manifest.get("generation", {}).get("best_of", 1))

    def warm_up(self) -> None:
        """Load the model's components, so that nobody waits for them."""

        def load() -> None:
            for text in ("a person walks", "a person waves"):
                self.model.generate(text, seed=0)

        self.thread.call(load).add_done_callback(_log_failure)

    async def close(self) -> None:
        """Stop jobs and the model's thread."""
        await self.jobs.close()
        await asyncio.to_thread(self.thread.close)
        self._lock.release()

    async def answer(self, future: "Future[Any]", timeout: float | None = None) -> Any:
        """Wait for an answer of the model's thread; who stops waiting is not answered any more.

        Raises:
            TimeoutError: after the service's time limit.
        """
        return await asyncio.wait_for(asyncio.wrap_future(future), timeout or self.settings.timeout)

    async def written(self, write: Callable[..., _T], *args: Any, **options: Any) -> _T:
        """Let a function write the files of an answer.

        Raises:
            TimeoutError: after the service's time limit.
        """
        return await self._in_turn(self._writing, write, *args, **options)

    async def _in_turn(self, turns: asyncio.Semaphore, function: Callable[..., _T], *args: Any, **options: Any) -> _T:
        async with asyncio.timeout(self.settings.timeout), turns:
            return await asyncio.to_thread(function, *args, **options)

    # ---- motions -----------------------------------------------------------------------------------------------------

    def ask_for_motions(self, question: GenerateQuestion, owner: str) -> "list[tuple[int, Future[list[Generated]]]]":
        """Let each caption wait for its motions: its seed, and the future of its answers.

        Captions of equal options are written together, whoever asked for them.

        Raises:
            RemogptError: for what cannot be asked.
        """
        options, seeds = question.options.for_pipeline(), question.seeds()
        for text in question.texts:
            check_words(text)
        num_frames(question.seconds)
        path = self.databases.path(question.database, owner)
        shared = replace(options, exclude=(), pinned=())
        kind = ("generate", question.num_samples, shared, path)
        rows = question.num_samples * (options.best_of or self.best_of)
        asked: list[tuple[int, Future[list[Generated]]]] = []
        for text, seed in zip(question.texts, seeds, strict=True):
            item = _Caption(text, question.seconds, seed, options.excluded(1)[0], options.pinned_for(1)[0])

            def write(items: Sequence[_Caption]) -> "list[list[Generated]]":
                return self._write(items, question.num_samples, shared, path)

            try:
                asked.append((seed, self.thread.submit(item, write, kind=kind, rows=rows)))
            except ServiceError:  # too many wait: all of the request is refused
                for _, future in asked:
                    future.cancel()
                raise
        return asked

    def _write(
        self, items: Sequence[_Caption], num_samples: int, options: GenerationOptions, path: Path | None
    ) -> "list[list[Generated]]":
        each = replace(options, exclude=[tuple(one.exclude) for one in items], pinned=[one.pinned for one in items])
        return self.model.generate(
            [one.text for one in items], seconds=[one.seconds for one in items], num_samples=num_samples,
            seed=[one.seed for one in items], database=path, options=each,
        )  # fmt: skip

    async def generate(self, question: GenerateQuestion, owner: str) -> "list[tuple[int, list[Generated]]]":
        """Write motions: for each caption its seed and its answers."""
        asked = self.ask_for_motions(question, owner)
        try:
            return [(seed, await self.answer(future)) for seed, future in asked]
        finally:
            for _, future in asked:  # of one that failed, the others are not wanted
                future.cancel()

    async def motion(self, database: str | None, entry: str, owner: str) -> Motion:
        """Return a database entry's motion with its first caption, as it is kept, or decoded where codes are.

        Raises:
            ServiceError: 404 where there is none.
        """
        path = self.databases.path(database, owner)

        def read() -> Motion:
            opened = self.model.database(path)
            row = opened.rows.get(entry)
            if row is None:
                raise ServiceError(404, f"there is no motion {entry[:80]!r} in the database {database or 'default'!r}")
            caption = opened.info(row).captions[0]
            found = RetrievedExample(entry, caption, opened.codes(row), math.nan, "m2m", row=row)
            return self.model.retrieved_motion(found, path)

        motion: Motion = await self.answer(self.thread.call(read))
        return motion

    # ---- captions ----------------------------------------------------------------------------------------------------

    async def read(self, path: Path) -> Motion:
        """Read an uploaded motion.

        Raises:
            RemogptError: if it cannot be read, or is too long.
        """
        motion = await self._in_turn(self._reading, load_motion, path)
        if motion.num_frames > LONGEST_RECORDING:
            raise ServiceError(
                413, f"{path.name} plays {motion.seconds / 60:.0f} minutes; at most 20 are taken, cut it"
            )
        return motion

    async def caption(self, motion: Motion, question: CaptionQuestion, owner: str) -> "Captioned":
        """Write a caption; motions that wait are captioned together."""
        options = question.options.for_pipeline()
        path = self.databases.path(question.database, owner)
        shared = replace(options, exclude=(), pinned=())

        def write(items: Sequence[tuple[Motion, int, Any]]) -> "list[Captioned]":
            motions, seeds, excluded = (list(column) for column in zip(*items, strict=True))
            return self.model.caption(motions, seed=seeds, database=path, options=replace(shared, exclude=excluded))

        item = (motion, question.seed, options.excluded(1)[0])
        answered: Captioned = await self.answer(self.thread.submit(item, write, kind=("caption", shared, path)))
        return answered

    async def caption_file(self, path: Path, question: CaptionQuestion, owner: str) -> dict[str, Any]:
        """Read and caption one file; what is wrong with it is told in its row."""
        try:
            motion = await self.read(path)
            return caption_answer(path.name, motion, await self.caption(motion, question, owner))
        except ITEM_ERRORS as error:
            if isinstance(error, ServiceError) and error.status in (404, 503):
                raise
            words = why(error).replace(f"{path.parent}/", "")
            return {"file": path.name, "caption": "", "seconds": None, "error": words}

    # ---- search ------------------------------------------------------------------------------------------------------

    async def search(self, question: SearchQuestion, motion: Motion | None, owner: str) -> list[RetrievedExample]:
        """Search a database by words or by a motion.

        Raises:
            RemogptError: if neither is given, or both.
        """
        if (question.text is None) == (motion is None):
            raise RemogptError("give words to search by (text), or a motion file (motion), and not both")
        path = self.databases.path(question.database, owner)

        def find() -> list[RetrievedExample]:
            return self.model.search(
                question.text, motion=motion, route=question.route, k=question.k, database=path, part=question.part,
                min_score=question.min_score,
            )  # fmt: skip

        hits: list[RetrievedExample] = await self.answer(self.thread.call(find))
        return hits

    async def moments(self, text: str, recording: Motion, k: int) -> Moments:
        """Find where in a recording something happens.

        Raises:
            RemogptError: if the text holds no words.
        """
        check_words(text)

        def find() -> Moments:
            return find_moments(self.model.retriever, recording.features, [text], num_spans=k)[0]

        found: Moments = await self.answer(self.thread.call(find))
        return found

    async def similarity(self, texts: Sequence[str], motions: Sequence[Motion]) -> np.ndarray:
        """Return cosines: texts (rows) with motions, or each with each where there is only one kind.

        Raises:
            RemogptError: if there are not two things to compare, or a text holds no words.
        """
        if len(texts) + len(motions) < 2:
            raise RemogptError(f"wanted at least two captions or motions to compare, got {len(texts) + len(motions)}")
        for text in texts:
            check_words(text)

        def compare() -> np.ndarray:
            retriever = self.model.retriever
            rows = [retriever.encode_text(list(texts))] if texts else []
            rows += [retriever.encode_motion([motion.features for motion in motions])] if motions else []
            return np.clip(rows[0] @ rows[-1].T, -1.0, 1.0)

        cosines: np.ndarray = await self.answer(self.thread.call(compare))
        return cosines


def _locked(work: Path) -> FileLock:
    """Take the work folder, which one service at a time may use, and remove what a killed one left in it."""
    check_output_folder(work)
    work.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = FileLock(work / "lock", thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise RemogptError(f"{work} is in use by another service; stop it, or give --work FOLDER") from None
    shutil.rmtree(work / "uploads", ignore_errors=True)
    return lock


def _log_failure(future: "Future[Any]") -> None:
    if not future.cancelled() and (error := future.exception()) is not None:
        _log.error("the model could not be loaded", exc_info=error)
