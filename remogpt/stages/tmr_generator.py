"""Generate motions with a TMR's decoder, in place of a whole model."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from remogpt.eval.runs.modes import Mode
from remogpt.motion import Motion, clean_features
from remogpt.motion.feature_body import HUMANML3D, body_of
from remogpt.motion.skeleton import FPS
from remogpt.notices import Notice
from remogpt.options import GenerationOptions
from remogpt.pipeline.checks import check_words, length_of_each
from remogpt.pipeline.judge import CheckedFact
from remogpt.prompts import clean_text
from remogpt.retriever import RetrievedExample, TextMotionRetriever
from remogpt.retriever.tmr_decoder import decoding_network, reconstruct, synthesise
from remogpt.runtime.device import chosen_device
from remogpt.runtime.errors import RemogptError

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Synthesised:
    """One answer, with the fields of a model's answer."""

    motion: Motion
    codes: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    """Empty, since nothing is tokenized."""
    examples: tuple[RetrievedExample, ...] = ()
    """Empty, since nothing is retrieved."""
    warnings: tuple[Notice, ...] = ()
    """Empty, since the words that the decoder knows are not told."""
    confidence: float = math.nan
    """Not known."""
    copied_from: None = None
    """None, since nothing is retrieved."""
    joined_from: tuple[str, ...] = ()
    """Empty, since nothing is retrieved."""
    follows: tuple[str, ...] = ()
    """Empty, since nothing is retrieved."""
    checks: tuple[CheckedFact, ...] = ()
    """Empty, since nothing is read in the caption."""


class Synthesis:
    """Writes motions with the decoder of a TMR; has the methods that `remogpt generate` and an evaluation call.

    Args:
        folder: of the retriever, or of a model with a TMR.
        device: where it runs; default: the chosen one (`remogpt.runtime.device`).

    Raises:
        MissingPathError, RemogptError: if there is no retriever, or it has no decoder.
    """

    modes = (
        Mode("synthesis", retrieval=False, true_length=True, is_drawn=False),
        Mode("reconstruction", retrieval=False, true_length=True, is_drawn=False, reads_motion=True),
    )
    """Modes: the mean of the caption's latent, and the mean of the real motion's latent. The second bounds FID
    and facts, but not R-precision, which ignores what a caption leaves open."""

    def __init__(self, folder: str | Path, device: "str | torch.device | None" = None) -> None:
        self.retriever = TextMotionRetriever.from_pretrained(folder, device or chosen_device())
        decoding_network(self.retriever)
        self.body = body_of(len(self.retriever.mean))
        self.folder = Path(folder)
        self.manifest: dict[str, Any] = {"name": str(folder), "hashes": {"retriever": self.retriever.hash}}

    @overload
    def generate(
        self, text: str, *, seconds: float | None = None, num_samples: int = 1, seed: int | None = None,
        database: Any = None, options: GenerationOptions | None = None,
    ) -> list[Synthesised]: ...  # fmt: skip

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
        """Write motions for one or several captions, from the latent's mean or from samples.

        `database` is ignored, and of `options` all but the cleanup, since there are no examples or candidates.

        Raises:
            RemogptError: for an empty text, a missing or invalid length, or several motions from a TMR of points.
        """
        texts = [text] if isinstance(text, str) else text
        for one in texts:
            check_words(one)
        lengths = length_of_each(seconds, len(texts))
        asked = [(one, check_seconds(length, self.body.fps)) for one, length in zip(texts, lengths, strict=True)]
        rows = [row for row in asked for _ in range(num_samples)]
        written = synthesise(
            self.retriever, [one for one, _ in rows], [length for _, length in rows], seed, sample=num_samples > 1
        )
        if (options is None or options.cleanup) and self.body is HUMANML3D:
            written = [clean_features(features) for features in written]
        answers = [_answer(features, one) for features, (one, _) in zip(written, rows, strict=True)]
        if isinstance(text, str):
            return answers
        return [answers[first : first + num_samples] for first in range(0, len(answers), num_samples)]

    def why_not(self, text: str) -> str:
        """Say why no motion can be written for a caption; empty where one can."""
        try:
            check_words(text)
        except RemogptError as error:
            return str(error)
        return ""

    def reconstruct_batch(self, motions: Sequence[np.ndarray]) -> list[Synthesised]:
        """Encode and decode motions, each (T, F) raw features."""
        return [_answer(features) for features in reconstruct(self.retriever, motions)]


def check_seconds(seconds: float | None, fps: float = FPS) -> int:
    """Convert a length in seconds to frames.

    Raises:
        RemogptError: if it is None or no number.
    """
    if seconds is None:
        raise RemogptError("TMR's decoder has no length of its own; give one with --seconds, e.g. --seconds 5")
    if not math.isfinite(seconds):
        raise RemogptError(f"seconds must be a number, got {seconds}; choose a length such as 5")
    return round(seconds * fps)


def _answer(features: np.ndarray, text: str | None = None) -> Synthesised:
    body = body_of(features.shape[1])
    return Synthesised(Motion.from_features(features, caption=text, name=clean_text(text or ""), body=body))
