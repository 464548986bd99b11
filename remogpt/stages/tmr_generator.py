"""A TMR in place of a whole model, for commands that write or score motions: its decoder answers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, overload

import numpy as np

from remogpt.eval.runs.modes import Mode
from remogpt.motion import Motion
from remogpt.motion.skeleton import FPS
from remogpt.options import GenerationOptions
from remogpt.pipeline.checks import check_words
from remogpt.prompts import clean_text
from remogpt.retriever import RetrievedExample, TextMotionRetriever
from remogpt.retriever.tmr_decoder import decoding_network, reconstruct, synthesise
from remogpt.runtime.errors import RemogptError


@dataclass(frozen=True)
class Synthesised:
    """One answer, with the fields of a model's."""

    motion: Motion
    codes: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    """None: nothing was tokenized."""
    examples: tuple[RetrievedExample, ...] = ()
    """None: nothing was retrieved."""


class Synthesis:
    """Writes motions with the decoder of a TMR; has what `remogpt generate` and an evaluation ask of a model.

    Args:
        folder: of the retriever, or of a model that holds it.
        device: where it runs.

    Raises:
        MissingPathError, RemogptError: if there is no retriever, or it has no decoder.
    """

    modes = (
        Mode("synthesis", retrieval=False, true_length=True, is_drawn=False),
        Mode("reconstruction", retrieval=False, true_length=True, is_drawn=False, reads_motion=True),
    )
    """Written from the mean of the caption's latent, and from that of the real motion's own. The second bounds FID and
    facts; R-precision it need not, where what a caption leaves open does not count."""

    def __init__(self, folder: str | Path, device: str = "cpu") -> None:
        self.retriever = TextMotionRetriever.from_pretrained(folder, device)
        decoding_network(self.retriever)
        self.folder = Path(folder)
        self.manifest: dict[str, Any] = {"name": str(folder), "hashes": {"retriever": self.retriever.hash}}

    @overload
    def generate(
        self, text: str, *, seconds: float | None = None, num_samples: int = 1, seed: int | None = None
    ) -> list[Synthesised]: ...

    @overload
    def generate(
        self, text: list[str], *, seconds: Sequence[float | None] | None = None, num_samples: int = 1,
        seed: int | None = None, database: Any = None, options: GenerationOptions | None = None,
    ) -> list[list[Synthesised]]: ...  # fmt: skip

    def generate(
        self,
        text: str | list[str],
        *,
        seconds: float | Sequence[float | None] | None = None,
        num_samples: int = 1,
        seed: int | None = None,
        database: Any = None,
        options: GenerationOptions | None = None,
    ) -> list[Synthesised] | list[list[Synthesised]]:
        """Write motions for a caption or for each of several: one from the mean of its latent, or several from draws.

        Without examples and candidates, `database` and `options` change nothing.

        Raises:
            RemogptError: for an empty text, no length or one out of range, and several motions of a TMR of points.
        """
        texts = [text] if isinstance(text, str) else text
        for one in texts:
            check_words(one)
        lengths = [seconds] * len(texts) if seconds is None or isinstance(seconds, int | float) else list(seconds)
        asked = [(one, check_seconds(length)) for one, length in zip(texts, lengths, strict=True)]
        rows = [row for row in asked for _ in range(num_samples)]
        written = synthesise(
            self.retriever, [one for one, _ in rows], [length for _, length in rows], seed, sample=num_samples > 1
        )
        answers = [_answer(features, one) for features, (one, _) in zip(written, rows, strict=True)]
        if isinstance(text, str):
            return answers
        return [answers[first : first + num_samples] for first in range(0, len(answers), num_samples)]

    def reconstruct_batch(self, motions: Sequence[np.ndarray]) -> list[Synthesised]:
        """Encode and decode motions, each (T, 263) raw features."""
        return [_answer(features) for features in reconstruct(self.retriever, motions)]


def check_seconds(seconds: float | None) -> int:
    """Return a length in frames.

    Raises:
        RemogptError: if there is none, or it is no number.
    """
    if seconds is None:
        raise RemogptError("TMR's decoder has no length of its own; give one with --seconds, e.g. --seconds 5")
    if not math.isfinite(seconds):
        raise RemogptError(f"seconds must be a number, got {seconds}; choose a length such as 5")
    return round(seconds * FPS)


def _answer(features: np.ndarray, text: str | None = None) -> Synthesised:
    return Synthesised(Motion.from_features(features, caption=text, name=clean_text(text or "")))
