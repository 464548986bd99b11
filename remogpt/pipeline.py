"""The main path: a caption becomes a motion, a motion becomes a caption, with retrieved examples in between.

caption ─┐                                                    ┌─► codes ─► tokenizer ─► features ─► joints
         ├─► retriever ─► database ─► examples ─► prompt ─► T5
motion ──┘                                                    └─► caption

model = ReMoGPT.from_pretrained()                      # the embedded `mini`
model.generate("a person waves")[0].motion.save("wave.bvh")
model.caption(load_motion("wave.bvh")).text
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from remogpt.interfaces import Route
from remogpt.lm import MotionLanguageModel, Sampling
from remogpt.lm.copying.copy_head import CopyHead
from remogpt.lm.copying.score_mixers import CodeMixer, Following
from remogpt.lm.decoding.matmul import Precision, check_precision
from remogpt.lm.long_motion import Mix, Piece, first_candidates, num_frames, plan_pieces, reading_windows, write_pieces
from remogpt.lm.model import FRAMES_PER_CODE, check_reads_examples
from remogpt.motion import Motion
from remogpt.prompts import Prompt, ask_for_motion, ask_for_text, clean_text
from remogpt.retriever import MotionDatabase, RetrievedExample, TextMotionRetriever
from remogpt.retriever.database.neighbours import MOTION_ROUTES, TEXT_ROUTES
from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.runtime.folders.find_model import find_model
from remogpt.runtime.folders.model_folder import check_belongs, read_manifest
from remogpt.tokenizer_vqvae import MotionTokenizer

CANDIDATE_CAPTIONS = Sampling(temperature=0.8, top_p=0.95)
"""How further captions are drawn where the best of several is wanted."""


@dataclass(frozen=True)
class Generated:
    """One answer to a caption."""

    motion: Motion
    codes: np.ndarray
    """(N,) int64."""
    examples: tuple[RetrievedExample, ...]
    """What was retrieved, in the order of the prompts, each once."""
    pieces: tuple[Piece, ...]
    """In which pieces it was written: one, unless it is longer than 9.8 s."""
    prompts: tuple[Prompt, ...]
    """What the language model read, piece by piece."""

    @property
    def prompt(self) -> Prompt:
        """What the language model read, for the first piece."""
        return self.prompts[0]


@dataclass(frozen=True)
class Captioned:
    """One answer to a motion."""

    text: str
    """One sentence; a motion longer than the model reads at once has one for each of its windows."""
    examples: tuple[RetrievedExample, ...]
    """What was retrieved, window by window."""
    prompts: tuple[Prompt, ...]
    """What the language model read, window by window."""


class ReMoGPT:
    """Generate motions, caption motions, search motions.

    Parts load when they are first needed: captioning without retrieval never loads the retriever.
    """

    def __init__(self, folder: str | Path, device: str | torch.device | None = None, precision: Precision = "float32"):
        self.folder = Path(folder)
        self.manifest = read_manifest(self.folder)
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        check_precision(precision, self.device)
        self.precision: Precision = precision
        self._databases: dict[Path, MotionDatabase] = {}

    @classmethod
    def from_pretrained(
        cls,
        path: str | Path | None = None,
        device: str | torch.device | None = None,
        precision: Precision = "float32",
    ) -> "ReMoGPT":
        """Open a model.

        Args:
            path: model folder or hub id ("owner/name"); the embedded `mini` without it.
            device: where to run; a GPU if there is one.
            precision: in what the language model's weights are multiplied when it writes: float32, bfloat16, or int8
                on a CPU. What is stored stays as it is.

        Raises:
            MissingPathError: if the folder or a part of it is missing.
            RemogptError: if its parts do not belong together, or for a precision that the device does not have.
        """
        return cls(find_model(path), device, precision)

    @cached_property
    def tokenizer(self) -> MotionTokenizer:
        """Motion to codes and back."""
        tokenizer = MotionTokenizer.from_pretrained(self.folder / "tokenizer")
        tokenizer.check_one_code_a_step("a model's language model")
        return tokenizer.to(self.device)

    @cached_property
    def retriever(self) -> TextMotionRetriever:
        """Texts and motions to one space."""
        return TextMotionRetriever.from_pretrained(self.folder / "retriever").to(str(self.device))

    @cached_property
    def lm(self) -> MotionLanguageModel:
        """The T5."""
        lm = MotionLanguageModel.from_pretrained(self.folder / "lm").to(self.device)
        lm.precision = self.precision
        return lm

    @cached_property
    def copy_head(self) -> CopyHead | None:
        """How examples are copied from; None where the model only reads them in its prompts."""
        folder = self.folder / "copy"
        return CopyHead.from_pretrained(folder).to(self.device) if "copy" in self.manifest["hashes"] else None

    def database(self, path: "str | Path | MotionDatabase | None" = None) -> MotionDatabase:
        """Open a database for this model's retriever and tokenizer; the model's own without a path."""
        if isinstance(path, MotionDatabase):
            return self._checked(path)
        folder = self.folder / "database" if path is None else Path(path)
        if path is None and not folder.is_dir():
            raise MissingPathError(
                f"the model in {self.folder} comes without a database; "
                "name one with --database, or answer without retrieval (--no-retrieval)"
            )
        if folder not in self._databases:
            self._databases[folder] = self._opened(folder)
        return self._databases[folder]

    def _opened(self, folder: Path) -> MotionDatabase:
        # Checked before the retriever is loaded: an answer in no time where the database is another model's.
        database = self._checked(MotionDatabase.open(folder))
        database.retriever = self.retriever
        return database

    def _checked(self, database: MotionDatabase) -> MotionDatabase:
        """Refuse a database of another retriever or tokenizer."""
        wanted = {kind: self.manifest["hashes"][kind] for kind in ("retriever", "tokenizer")}
        check_belongs(database.path, database.manifest, wanted, self.folder)
        return database

    def generate(
        self,
        text: str,
        database: "str | Path | MotionDatabase | None" = None,
        seconds: float | None = None,
        num_samples: int = 1,
        seed: int | None = None,
        retrieval: bool = True,
        best_of: int | None = None,
        copy_strength: float | None = None,
        **sampling: Any,
    ) -> list[Generated]:
        """Write motions for one caption.

        Args:
            text: what the person does.
            database: folder or open database to retrieve from; the model's own without it.
            seconds: exact length, to a frame (0.05 s); the model chooses, up to 9.8 s, without it. A longer motion is
                written in pieces, over which the sentences of the text are spread.
            num_samples: motions to write.
            seed: same seed, same motions (on the CPU).
            retrieval: whether to retrieve examples at all.
            best_of: candidates for each motion, of which the retriever keeps the one that fits the caption best; the
                model's own number (`remogpt.json`) without it.
            copy_strength: how much examples that answer the caption are followed (`remogpt.lm.copying.copy_head`), and
                others left out; 0: all are shown in the prompt and nothing else is done with them, as in the paper. The
                model's own number without it; without effect where it has no copy head.
            sampling: temperature, top_k, top_p; the model's own where not given.

        Raises:
            RemogptError: empty text, a length out of range, a database that does not fit the model.
        """
        if num_samples < 1:
            raise RemogptError(f"num_samples must be at least 1, got {num_samples}")
        return self.generate_batch(
            [text] * num_samples, database, [seconds] * num_samples, seed, retrieval,
            best_of=best_of, copy_strength=copy_strength, **sampling,
        )  # fmt: skip

    def generate_batch(
        self,
        texts: Sequence[str],
        database: "str | Path | MotionDatabase | None" = None,
        seconds: Sequence[float | None] | None = None,
        seed: int | None = None,
        retrieval: bool = True,
        exclude: Sequence[Iterable[str]] | None = None,
        best_of: int | None = None,
        copy_strength: float | None = None,
        **sampling: Any,
    ) -> list[Generated]:
        """Write one motion for each caption; arguments as in `generate`.

        Args:
            exclude: for each caption, ids of clips or recordings; what bears one, as its own, its source's or its
                mirror's, is not retrieved.
        """
        _check_seed(seed)
        frames = [num_frames(value) for value in (seconds or [None] * len(texts))]
        lengths = [None if count is None else -(-count // FRAMES_PER_CODE) for count in frames]
        for text in texts:
            _check_text(text)
        plans = [plan_pieces(text, length) for text, length in zip(texts, lengths, strict=True)]
        following = self._following(copy_strength)
        asked = self._ask(plans, database, exclude, retrieval, following)
        candidates = self._candidates(best_of)
        codes = write_pieces(
            self.lm,
            plans,
            [[prompt for _, prompt in pieces] for pieces in asked],
            Sampling(**self._sampling | {name: value for name, value in sampling.items() if value is not None}),
            seed,
            candidates,
            partial(self._best, frames) if candidates > 1 else first_candidates,
            _mix(following, asked),
        )
        motions = self.tokenizer.decode_batch(codes)
        return [
            Generated(
                # The last code's surplus frames are cut: the length is exact to a frame.
                Motion.from_features(motions[row][: frames[row]], caption=text, name=clean_text(text)),
                codes[row],
                _each_once(found for found, _ in asked[row]),
                tuple(plans[row]),
                tuple(prompt for _, prompt in asked[row]),
            )
            for row, text in enumerate(texts)
        ]

    def _ask(
        self,
        plans: Sequence[Sequence[Piece]],
        database: Any,
        exclude: Sequence[Iterable[str]] | None,
        retrieval: bool,
        following: Following,
    ) -> list[list[tuple[tuple[RetrievedExample, ...], Prompt]]]:
        """Retrieve the examples of every piece and write its prompt: both, piece by piece, for every motion."""
        pieces = [piece for plan in plans for piece in plan]
        hidden = [tuple(ids) for ids in exclude] if exclude is not None else [()] * len(plans)
        found: list[tuple[RetrievedExample, ...]] = [()] * len(pieces)
        if retrieval:
            check_reads_examples(self.folder / "lm")
            each = [ids for plan, ids in zip(plans, hidden, strict=True) for _ in plan]
            found = self.examples_for_texts([piece.text for piece in pieces], database, each)
        prompts = [
            ask_for_motion(
                self.lm.prompt_form, piece.text, following.shown_for_text(examples),
                num_frames=None if piece.length is None else piece.length * FRAMES_PER_CODE,
                count=self.lm.vocabulary.count,
            )
            for piece, examples in zip(pieces, found, strict=True)
        ]  # fmt: skip
        asked = iter(zip(found, prompts, strict=True))
        return [list(islice(asked, len(plan))) for plan in plans]

    @property
    def generation(self) -> dict[str, Any]:
        """How this model writes motions unless told otherwise: best_of, copy_strength, temperature, top_k, top_p."""
        return {"best_of": 1, "copy_strength": 1.0, **self.manifest.get("generation", {})}

    @property
    def _sampling(self) -> dict[str, Any]:
        return {name: value for name, value in self.generation.items() if name not in ("best_of", "copy_strength")}

    def _following(self, strength: float | None) -> Following:
        strength = float(self.generation["copy_strength"] if strength is None else strength)
        if not 0 <= strength < np.inf:
            raise RemogptError(f"copy_strength must be 0 or more, got {strength:g}")
        return Following(self.copy_head, strength, self.lm.vocabulary)

    def _candidates(self, best_of: int | None) -> int:
        candidates = int(self.generation["best_of"] if best_of is None else best_of)
        if candidates < 1:
            raise RemogptError(f"best_of must be at least 1, got {candidates}")
        return candidates

    def _best_texts(self, features: Sequence[np.ndarray], texts: np.ndarray) -> list[str]:
        """Choose, of each motion's row of candidates (N, C), the caption that the retriever finds closest to it."""
        chosen = _closest(
            self.retriever.encode_motion(list(features)), self.retriever.encode_text(texts.ravel().tolist())
        )
        return [str(row[place]) for row, place in zip(texts, chosen, strict=True)]

    def _best(
        self, frames: Sequence[int | None], rows: Sequence[int], pieces: Sequence[Piece], codes: Sequence[np.ndarray]
    ) -> list[int]:
        """Choose, of each piece's candidates, the one whose motion the retriever finds closest to its text.

        Each piece is chosen for itself: it is of a length that the retriever knows, and the rest goes on from the best.
        """
        candidates = len(codes) // len(rows)
        decoded = self.tokenizer.decode_batch(codes)
        motions = [motion[: frames[rows[place // candidates]]] for place, motion in enumerate(decoded)]
        wanted = self.retriever.encode_text([piece.text for piece in pieces])
        chosen = _closest(wanted, self.retriever.encode_motion(motions))
        return [number * candidates + int(place) for number, place in enumerate(chosen)]

    def caption(
        self,
        motion: Motion,
        database: "str | Path | MotionDatabase | None" = None,
        retrieval: bool = True,
        seed: int | None = None,
        best_of: int | None = None,
        copy_strength: float | None = None,
        **sampling: Any,
    ) -> Captioned:
        """Write a caption for one motion; arguments as in `generate`."""
        return self.caption_batch(
            [motion], database, retrieval, seed, best_of=best_of, copy_strength=copy_strength, **sampling
        )[0]

    def caption_batch(
        self,
        motions: Sequence[Motion],
        database: "str | Path | MotionDatabase | None" = None,
        retrieval: bool = True,
        seed: int | None = None,
        exclude: Sequence[Iterable[str]] | None = None,
        best_of: int | None = None,
        copy_strength: float | None = None,
        **sampling: Any,
    ) -> list[Captioned]:
        """Write one caption for each motion; one longer than 199 frames is read, and described, in windows.

        Args:
            exclude: for each motion, as in `generate_batch`.
            best_of: candidates for each caption, the likeliest and sampled ones, of which the retriever keeps the one
                that fits the motion best.
            copy_strength: as in `generate`: how much the words of examples that answer the motion are followed.
            sampling: temperature, top_k, top_p of a single candidate; the likeliest words without it.

        Raises:
            RemogptError: if a motion is shorter than one code (4 frames at 20 fps).
        """
        _check_seed(seed)
        windows = [reading_windows(motion.features) for motion in motions]
        features = [window for own in windows for window in own]
        hidden = None if exclude is None else [ids for own, ids in zip(windows, exclude, strict=True) for _ in own]
        codes = self.tokenizer.encode_batch(features)
        if retrieval:
            check_reads_examples(self.folder / "lm")
        retrieved = self.examples_for_motions(features, database, hidden) if retrieval else [()] * len(features)
        following = self._following(copy_strength)
        prompts = [
            ask_for_text(self.lm.prompt_form, row, following.shown_for_motion(examples), count=self.lm.vocabulary.count)
            for row, examples in zip(codes, retrieved, strict=True)
        ]
        texts = self.lm.generate_text(
            prompts, Sampling(**{"temperature": 0.0, **sampling}), seed=seed, mixer=following.words(retrieved)
        )
        candidates = self._candidates(best_of)
        if candidates > 1:
            many = [row for row in range(len(prompts)) for _ in range(candidates - 1)]
            more = self.lm.generate_text(
                [prompts[row] for row in many],
                CANDIDATE_CAPTIONS,
                seed=seed,
                mixer=following.words([retrieved[row] for row in many]),
            )
            texts = self._best_texts(features, np.column_stack([texts, np.reshape(more, (len(texts), -1))]))
        answers = iter(zip(texts, retrieved, prompts, strict=True))
        return [_joined(list(islice(answers, len(own)))) for own in windows]

    def search(
        self,
        text: str | None = None,
        motion: Motion | None = None,
        route: Route | None = None,
        k: int = 5,
        database: "str | Path | MotionDatabase | None" = None,
        part: str | Sequence[str] | None = None,
    ) -> list[RetrievedExample]:
        """Find the k nearest clips by words (routes t2m, t2t) or by a motion (m2m, m2t), or by parts of their bodies.

        More on each argument: `MotionDatabase.search`.
        """
        if text is not None:
            _check_text(text)
        features = None if motion is None else motion.features
        return self.database(database).search(text=text, motion=features, route=route, k=k, part=part)

    def examples_for_texts(
        self, texts: Sequence[str], database: Any = None, exclude: Sequence[Iterable[str]] | None = None
    ) -> list[tuple[RetrievedExample, ...]]:
        """Retrieve the two examples of each caption: the motion that fits it best, then the most similar caption's.

        Source: ReMoGPT, Fig. 5; training finds its examples by the same routes.
        """
        opened, hidden = self.database(database), exclude or [()] * len(texts)
        found: dict[tuple[str, frozenset[str]], tuple[RetrievedExample, ...]] = {}
        keys = [(text, frozenset(ids)) for text, ids in zip(texts, hidden, strict=True)]
        for text, ids in dict.fromkeys(keys):  # several samples of one caption are one query
            # Each alone: in a batch, rounding would depend on what else is in it.
            found[text, ids] = _two_routes(opened, self.retriever.encode_text([text])[0], TEXT_ROUTES, ids)
        return [found[key] for key in keys]

    def examples_for_motions(
        self, features: Sequence[np.ndarray], database: Any = None, exclude: Sequence[Iterable[str]] | None = None
    ) -> list[tuple[RetrievedExample, ...]]:
        """Retrieve the two examples of each motion: by caption, then by motion."""
        opened, hidden = self.database(database), exclude or [()] * len(features)
        return [
            _two_routes(opened, self.retriever.encode_motion([row])[0], MOTION_ROUTES, ids)
            for row, ids in zip(features, hidden, strict=True)
        ]


def _mix(following: Following, asked: Sequence[Sequence[tuple[tuple[RetrievedExample, ...], Prompt]]]) -> Mix:
    """Return what makes the mixers that copy from the examples of every piece."""

    def mix(prompts: Sequence[tuple[int, int]], lengths: Sequence[int | None]) -> CodeMixer | None:
        return following.codes([asked[row][number][0] for row, number in prompts], lengths)

    return mix


def _two_routes(
    database: MotionDatabase, query: np.ndarray, routes: Sequence[Route], exclude: Iterable[str]
) -> tuple[RetrievedExample, ...]:
    """Take the best of each route; the second route gives its next best where the first took its best.

    Only that entry is passed over, not its kin, as where training draws its examples.
    """
    found: list[RetrievedExample] = []
    for route in routes:
        hits = database.search_embedding(query, route, 1 + len(found), set(exclude))
        taken = {example.id for example in found}
        found += [hit for hit in hits if hit.id not in taken][:1]
    return tuple(found)


def _closest(wanted: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """Return (N,) places: of each row of `wanted` (N, D), the best in its run of C rows of `candidates` (N * C, D)."""
    runs = candidates.reshape(len(wanted), -1, wanted.shape[1])
    return np.einsum("nd,ncd->nc", wanted, runs).argmax(axis=1)


def _each_once(pieces: Iterable[tuple[RetrievedExample, ...]]) -> tuple[RetrievedExample, ...]:
    """Join the examples of a motion's pieces: one text has the same in each."""
    return tuple({(example.id, example.route): example for found in pieces for example in found}.values())


def _joined(answers: Sequence[tuple[str, tuple[RetrievedExample, ...], Prompt]]) -> Captioned:
    """Put the captions of a motion's windows into one text; a caption that only repeats is said once."""
    texts, examples, prompts = zip(*answers, strict=True)
    sentences = [text for text, _ in groupby(texts)]
    if len(sentences) > 1:
        sentences = [f"{text.rstrip('. ')}." for text in sentences]
    return Captioned(" ".join(sentences), tuple(example for found in examples for example in found), prompts)


def _check_text(text: str) -> None:
    if not clean_text(text):
        raise RemogptError(f"the caption {text!r} holds no words; describe a motion, e.g. 'a person waves'")


def _check_seed(seed: int | None) -> None:
    if seed is not None and seed < 0:
        raise RemogptError(f"a seed must be 0 or more, got {seed}")
