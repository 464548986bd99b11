"""A whole model: tokenizer, retriever, database, language model and copy head behind one class."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, overload

import numpy as np
import torch

from remogpt.finder import FactFinder
from remogpt.interfaces import Route
from remogpt.lm import MotionWriter
from remogpt.lm.copying.copy_head import CopyHead
from remogpt.lm.copying.logit_mixers import Following
from remogpt.lm.decoding.matmul import Precision, check_precision
from remogpt.lm.writer import saved_examples
from remogpt.motion import Motion
from remogpt.motion.feature_body import HUMANML3D, FeatureBody
from remogpt.notices import KnownWords
from remogpt.options import GenerationOptions
from remogpt.pipeline import captioning, generation
from remogpt.pipeline.captioning import Captioned
from remogpt.pipeline.checks import body_of_model, check_our_body, check_seed, check_words
from remogpt.pipeline.confidence import rate_captions, rate_motions
from remogpt.pipeline.examples import TextSearch, examples_for_motions
from remogpt.pipeline.judge import Judge
from remogpt.pipeline.notices import warn_of_captions, warn_of_motions
from remogpt.pipeline.open_databases import Database, OpenDatabases
from remogpt.pipeline.segment import Generated
from remogpt.reader import CaptionReader
from remogpt.retriever import MotionDatabase, RetrievedExample, TextMotionRetriever
from remogpt.retriever.database.routes import ROUTES
from remogpt.retriever.text.word_meanings import WordMeanings
from remogpt.runtime.device import chosen_device, usable
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.folders.find_model import find_model
from remogpt.runtime.folders.model_folder import read_manifest
from remogpt.tokenizer_vqvae import MotionTokenizer

# PyTorch and the oneDNN below it each keep a compiled kernel, up to 1 MB, for the last 1,024 shapes that they met, and
# captions and motions have thousands. With 32 the memory of a process that answers for days stays what it was, at equal
# speed (benchmarks/steady_memory.py). Both are read at the first product, so that torch may be imported before.
for _cache in ("LRU_CACHE_CAPACITY", "ONEDNN_PRIMITIVE_CACHE_CAPACITY"):
    os.environ.setdefault(_cache, "32")


class ReMoGPT:
    """Generate motions, caption motions, search motions.

    Components load when they are first needed: captioning without retrieval never loads the retriever.
    """

    def __init__(self, folder: str | Path, device: str | torch.device | None = None, precision: Precision = "float32"):
        self.folder = Path(folder)
        self.manifest = read_manifest(self.folder)
        self.device = usable(device) if device else chosen_device()
        check_precision(precision, self.device)
        self.precision: Precision = precision

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
            device: where to run; default: as `remogpt.runtime.device` chooses, a GPU if there is one.
            precision: number format in which the language model multiplies its weights: float32, bfloat16, or int8 on
                a CPU. Saved files stay as they are.

        Raises:
            MissingPathError: if the folder or a component is missing.
            RemogptError: if its components do not belong together, for a device that this machine does not have, or a
                precision that the device does not have.
        """
        return cls(find_model(path), device, precision)

    @cached_property
    def body(self) -> FeatureBody:
        """Whose motions the model reads and writes: our 22 joints, or KIT-ML's 21."""
        return body_of_model(self.folder)

    @cached_property
    def tokenizer(self) -> MotionTokenizer:
        """Turns motions into codes and back."""
        tokenizer = MotionTokenizer.from_pretrained(self.folder / "tokenizer", self.device)
        tokenizer.check_one_code_a_step("a model's language model")
        return tokenizer

    @cached_property
    def retriever(self) -> TextMotionRetriever:
        """Embeds texts and motions in one space."""
        return TextMotionRetriever.from_pretrained(self.folder / "retriever", self.device)

    @cached_property
    def reader(self) -> CaptionReader | None:
        """Reads what captions claim; None where the model has no reader."""
        if "reader" not in self.manifest["hashes"]:
            return None
        return CaptionReader.from_pretrained(self.folder / "reader", self.device, self.retriever.text)

    @cached_property
    def finder(self) -> FactFinder | None:
        """Tells what facts a motion shows, without predicates; None where the model has no finder."""
        has_finder = "finder" in self.manifest["hashes"]
        return FactFinder.from_pretrained(self.folder / "finder") if has_finder else None

    @cached_property
    def lm(self) -> MotionWriter:
        """The T5, arranged for writing."""
        return MotionWriter.from_pretrained(self.folder / "lm", self.device, self.precision)

    @cached_property
    def copy_head(self) -> CopyHead | None:
        """Copies from examples; None where the model only reads examples in its prompts."""
        folder = self.folder / "copy"
        return CopyHead.from_pretrained(folder).to(self.device) if "copy" in self.manifest["hashes"] else None

    @cached_property
    def known_words(self) -> KnownWords | None:
        """Words of the training captions; None where the language model does not tell them."""
        return KnownWords.load(self.folder / "lm")

    @cached_property
    def _meanings(self) -> WordMeanings | None:
        known = self.known_words
        return None if known is None else self.retriever.word_meanings(known.meaningful)

    @cached_property
    def _databases(self) -> OpenDatabases:
        return OpenDatabases(self.folder, self.manifest["hashes"], lambda: self.retriever)

    def database(self, path: Database = None) -> MotionDatabase:
        """Open a database for this model's retriever and tokenizer; the model's own without a path."""
        return self._databases.open(path)

    @property
    def generation(self) -> dict[str, Any]:
        """Settings with which this model writes motions by default: fields of `GenerationOptions`."""
        stored = dict(self.manifest.get("generation", {}))
        strength = stored.pop("copy_strength", 1.0)
        stored.pop("copy_strength_alone", None)  # of one candidate, see `_motion_defaults`
        ours = {"best_of": 1, "strength": strength, "retrieved": 0, "fact_weight": 0.0, "verify": False, "joined": 4}
        return {**ours, **self._shown_in_training, **stored}

    def _motion_defaults(self, options: GenerationOptions) -> dict[str, Any]:
        """Return `generation`; a candidate alone may follow examples more than each of several, which are to differ."""
        own, alone = self.generation, self.manifest.get("generation", {}).get("copy_strength_alone")
        is_alone = (own["best_of"] if options.best_of is None else options.best_of) == 1
        return own if alone is None or not is_alone else {**own, "strength": alone}

    @cached_property
    def _shown_in_training(self) -> dict[str, Any]:
        """Return the `routes` and the `k` of the examples that the language model was trained with."""
        return {"routes": ROUTES, "k": 1, **saved_examples(self.folder / "lm")}

    @overload
    def generate(
        self, text: str, *, seconds: float | None = None, num_samples: int = 1, seed: int | None = None,
        database: Database = None, options: GenerationOptions | None = None,
    ) -> list[Generated]: ...  # fmt: skip

    @overload
    def generate(
        self, text: list[str], *, seconds: float | Sequence[float | None] | None = None, num_samples: int = 1,
        seed: int | Sequence[int] | None = None, database: Database = None, options: GenerationOptions | None = None,
    ) -> list[list[Generated]]: ...  # fmt: skip

    def generate(
        self,
        text: str | list[str],
        *,
        seconds: float | Sequence[float | None] | None = None,
        num_samples: int = 1,
        seed: int | Sequence[int] | None = None,
        database: Database = None,
        options: GenerationOptions | None = None,
    ) -> list[Generated] | list[list[Generated]]:
        """Write motions for a caption, or for each of several captions together.

        Args:
            text: what the person does; one caption or a list of them.
            seconds: exact length, to a frame (0.05 s), or a list of one for each caption; for None the model
                chooses, up to 9.8 s. A longer motion is written in segments, over which the sentences are spread.
            num_samples: motions for each caption.
            seed: same seed, same motions (on the CPU). A list holds one for each caption, which is then answered as if
                it were asked for alone with its seed, whatever is written beside it.
            database: database to retrieve examples from.
            options: how the motions are written; see `GenerationOptions`.

        Returns:
            `num_samples` answers; for a list of captions one such list each.

        Raises:
            RemogptError: empty text, a length out of range, a database that does not fit the model.
        """
        texts = [text] if isinstance(text, str) else text
        check_seed(seed, len(texts))
        options = options or GenerationOptions()
        options = options.with_defaults(self._motion_defaults(options))
        segments = generation.plan(
            texts, seconds, num_samples, options.excluded(len(texts)), seed, self.body.fps, self.known_words
        )
        may_join = options.examples != "none" and options.joined and self.finder is not None
        reads = options.fact_weight and (options.best_of != 1 or options.retrieved or may_join)
        reader = self.reader if options.verify or reads else None
        if reader is not None:
            check_our_body(self.body, "facts are checked on", "leave them out (fact_weight=0, verify=False)")
            generation.read(segments, reader)
        verify = bool(options.verify and reader)
        finder = None if verify else self.finder
        following = self._following(options)
        if options.examples != "none":
            opened = self._databases.open_for_prompts(database)
            generation.retrieve(
                segments, opened, self.retriever, options, self.tokenizer, finder, follows=following.is_on
            )
        generation.ask(segments, self.lm, following)
        for rows in generation.in_step(segments):
            generation.write(rows, self.lm, following, options, seed if isinstance(seed, int) else None)
            generation.add_rivals(rows)
            if any(len(row.candidates) > 1 for row in rows):
                judge = Judge(self.retriever, options.fact_weight or 0.0, finder)
                generation.choose(rows, self.tokenizer, judge, verify, options.cleanup)
        uses_retriever = options.examples != "none" or options.best_of != 1  # never loaded for a warning alone
        answers = generation.assemble(segments, self.tokenizer, verify, options.cleanup)
        answers = warn_of_captions(answers, following, self.known_words, self._meanings if uses_retriever else None)
        if uses_retriever:
            answers = rate_motions(answers, following, self.retriever)
        if isinstance(text, str):
            return answers
        return [answers[first : first + num_samples] for first in range(0, len(answers), num_samples)]

    def why_not(self, text: str) -> str:
        """Say why no motion can be written for a caption, before any is; empty where one can."""
        try:
            segments = generation.plan([text], None, 1, [frozenset()])
            generation.ask(segments, self.lm, self._following(GenerationOptions(examples="none")))
        except RemogptError as error:
            return str(error)
        return ""

    @overload
    def caption(
        self, motion: Motion, *, seed: int | None = None, database: Database = None,
        options: GenerationOptions | None = None,
    ) -> Captioned: ...  # fmt: skip

    @overload
    def caption(
        self, motion: list[Motion], *, seed: int | Sequence[int] | None = None, database: Database = None,
        options: GenerationOptions | None = None,
    ) -> list[Captioned]: ...  # fmt: skip

    def caption(
        self,
        motion: Motion | list[Motion],
        *,
        seed: int | Sequence[int] | None = None,
        database: Database = None,
        options: GenerationOptions | None = None,
    ) -> Captioned | list[Captioned]:
        """Write a caption for a motion, or for each of several; one longer than 199 frames is read in windows.

        Args:
            motion: one motion or a list of them.
            seed, database, options: as in `generate`. The likeliest words are taken unless a temperature is given; of
                several candidates (`best_of`) the first is the likeliest one and the others are drawn; with `verify`
                what a candidate claims counts, for it or against it, as the motion's joints show it or do not.

        Raises:
            RemogptError: if a motion is shorter than one code (4 frames at 20 fps).
        """
        motions = [motion] if isinstance(motion, Motion) else motion
        check_seed(seed, len(motions))
        own = {name: self.generation[name] for name in ("best_of", "strength", "routes", "k", "verify")}
        options = (options or GenerationOptions()).with_defaults({**own, "temperature": 0.0})
        checks_joints = self.body is HUMANML3D  # facts and numbers are checked on our 22 joints
        reader = self.reader if options.verify and checks_joints else None
        windows = captioning.plan(motions, options.excluded(len(motions)), self.tokenizer)
        if options.examples != "none":
            captioning.retrieve(windows, self._databases.open_for_prompts(database), self.retriever, options)
        following = self._following(options)
        captioning.ask(windows, self.lm, following)
        captioning.write(windows, self.lm, following, options, seed)
        if reader is not None:
            if options.best_of != 1:
                captioning.add_rivals(windows)
            captioning.read(windows, reader)
            if options.best_of != 1:
                captioning.add_statements(windows)
        if options.best_of != 1:
            captioning.choose(windows, Judge(self.retriever, 0.0))
        if options.check_numbers and checks_joints:
            captioning.correct(windows, reader)
        answers = warn_of_motions(captioning.assemble(windows), following)
        if options.examples != "none" or options.best_of != 1:
            answers = rate_captions(answers, [one.features for one in motions], following, self.retriever)
        return answers[0] if isinstance(motion, Motion) else answers

    def search(
        self,
        text: str | None = None,
        *,
        motion: Motion | None = None,
        route: Route | None = None,
        k: int = 5,
        database: Database = None,
        part: str | Sequence[str] | None = None,
        min_score: float = -1.0,
    ) -> list[RetrievedExample]:
        """Find the k nearest clips by words or by a motion, best first.

        Args:
            text: a sentence; in place of `motion`.
            motion: a motion, in place of `text`.
            route: what is searched: motions (t2m for words, m2m for a motion; the default for words is t2m) or captions
                (t2t, and m2t, the default for a motion).
            k: hits; fewer come back if there are fewer.
            database: a database or its folder; default: the model's own.
            part: parts of the body that are compared alone ("right_arm", "legs"); routes t2m and m2m.
            min_score: hits with a smaller score are left out.

        Returns:
            Hits. `answers` says whether one passes the model's match test; None where body parts are compared.

        Raises:
            RemogptError: if neither or both of text and motion are given, or the route does not fit; more:
                `MotionDatabase.search`.
        """
        if text is not None:
            check_words(text)
        features = None if motion is None else motion.features
        opened = self.database(database)
        hits = opened.search(text=text, motion=features, route=route, k=k, part=part, min_score=min_score)
        if self.copy_head is None or part is not None:
            return hits
        match = self.copy_head.motion_match if text is None else self.copy_head.text_match
        passed = {id(hit) for hit in self.copy_head.answering(hits, match)}
        return [replace(hit, answers=id(hit) in passed) for hit in hits]

    def retrieved_motion(self, example: RetrievedExample, database: Database = None) -> Motion:
        """Return the motion of a retrieved example or hit: as it was recorded, or decoded where codes alone are kept.

        Args:
            example: of an answer, or a hit of a search.
            database: the one that it was retrieved from.
        """
        opened = self.database(database)
        if opened.motions_kept == "nothing":
            features = self.tokenizer.decode_batch([example.codes])[0]
        else:
            features = np.array(opened.features(example.row))
        return Motion.from_features(features, name=example.id, caption=example.caption, body=self.body)

    def examples_for_texts(
        self,
        texts: Sequence[str],
        database: Database = None,
        exclude: Sequence[Iterable[str]] | None = None,
        options: GenerationOptions | None = None,
    ) -> list[tuple[RetrievedExample, ...]]:
        """Retrieve the examples of each caption, as `generate` does.

        Args:
            texts: captions.
            database: where examples come from.
            exclude: for each caption, ids that are not retrieved.
            options: of these, routes, k, min_score and max_alike alone have an effect.
        """
        how = (options or GenerationOptions()).with_defaults(self.generation)
        searches = TextSearch.of_texts(
            texts, self.database(database), self.retriever, exclude or [()] * len(texts),
            choice=how.choice_for("caption"),
        )  # fmt: skip
        return [search.examples for search in searches]

    def examples_for_motions(
        self,
        motions: Sequence[np.ndarray],
        database: Database = None,
        exclude: Sequence[Iterable[str]] | None = None,
        options: GenerationOptions | None = None,
    ) -> list[tuple[RetrievedExample, ...]]:
        """Retrieve the examples of each motion, as `caption` does.

        Args:
            motions: raw features, (T, 263) each.
            database, exclude, options: as in `examples_for_texts`.
        """
        how = (options or GenerationOptions()).with_defaults(self.generation)
        return examples_for_motions(
            motions, self.database(database), self.retriever, exclude or [()] * len(motions),
            choice=how.choice_for("motion"),
        )  # fmt: skip

    def _following(self, options: GenerationOptions) -> Following:
        strength = float(options.strength or 0.0) if options.examples == "follow" else 0.0
        return Following(self.copy_head, strength, self.lm.vocabulary)
