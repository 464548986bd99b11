"""A TMR in place of a whole model, for commands that write or score motions: its decoder answers."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from remogpt.eval.runs.modes import Mode
from remogpt.motion import Motion
from remogpt.motion.skeleton import FPS
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

    def generate(
        self, text: str, seconds: float | None, num_samples: int = 1, seed: int | None = None
    ) -> list[Synthesised]:
        """Write motions for one caption: one from the mean of its latent, or several from draws.

        Raises:
            RemogptError: for an empty text, no length or one out of range, and several motions of a TMR of points.
        """
        if not clean_text(text):
            raise RemogptError(f"the caption {text!r} holds no words; describe a motion, e.g. 'a person waves'")
        answers = synthesise(
            self.retriever, [text] * num_samples, [num_frames(seconds)] * num_samples, seed, sample=num_samples > 1
        )
        return [_answer(features, text) for features in answers]

    def generate_batch(
        self,
        texts: Sequence[str],
        database: Any = None,
        seconds: Sequence[float | None] | None = None,
        seed: int | None = None,
        retrieval: bool = True,
        exclude: Sequence[Iterable[str]] | None = None,
        best_of: int | None = None,
    ) -> list[Synthesised]:
        """Write one motion for each caption, from the mean of its latent; only `texts` and `seconds` are read."""
        lengths = [num_frames(value) for value in seconds or [None] * len(texts)]
        answers = synthesise(self.retriever, texts, lengths)
        return [_answer(features, text) for features, text in zip(answers, texts, strict=True)]

    def reconstruct_batch(self, motions: Sequence[np.ndarray]) -> list[Synthesised]:
        """Encode and decode motions, each (T, 263) raw features."""
        return [_answer(features) for features in reconstruct(self.retriever, motions)]


def num_frames(seconds: float | None) -> int:
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
