"""What the evaluation expects of a model, and the card that says how a number was made.

Models arrive as arguments; anything with these methods can be scored. Two numbers may stand side by side only if their
cards agree in everything but the model: `check_comparable` refuses the rest and says where the cards differ.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import numpy as np

from remogpt.motion.motion import Motion


class Tokenizer(Protocol):
    """Raw features to codes and back."""

    def encode_batch(self, motions: Sequence[np.ndarray]) -> list[np.ndarray]:
        """(T, 263) each to (T / 4,) codes each."""

    def decode_batch(self, codes: Sequence[np.ndarray]) -> list[np.ndarray]:
        """(N,) codes each to (4N, 263) each."""


class Retriever(Protocol):
    """Captions and motions to unit rows of one space."""

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        """(N, D)."""

    def encode_motion(self, motions: Sequence[np.ndarray]) -> np.ndarray:
        """Raw features (T, 263) each to (N, D)."""


class TextEncoder(Protocol):
    """Captions to vectors: a sentence encoder, or the text half of an evaluator network."""

    @property
    def name(self) -> str:
        """To write beside numbers."""

    @property
    def hash(self) -> str:
        """64 hexadecimal digits; equal ones embed equally."""

    @property
    def trained_on(self) -> str | None:
        """What it learned from; None where nobody wrote it down."""

    def encode_text(self, captions: Sequence[str], tokens: Sequence[Sequence[str]] | None = None) -> np.ndarray:
        """Embed captions, with their lemma/POS tokens where the set has them: (N, D) float32."""


class Example(Protocol):
    """A retrieved neighbour."""

    @property
    def id(self) -> str:
        """Id of the database entry."""

    @property
    def caption(self) -> str:
        """Its caption."""

    @property
    def codes(self) -> np.ndarray:
        """Its (N,) codes."""


class GeneratedMotion(Protocol):
    """A motion that was written, and what was retrieved for it."""

    @property
    def motion(self) -> Motion:
        """The motion."""

    @property
    def codes(self) -> np.ndarray:
        """(N,) codes it was decoded from."""

    @property
    def examples(self) -> Sequence[Example]:
        """Retrieved neighbours, none without retrieval."""


class GeneratedCaption(Protocol):
    """A caption that was written, and what was retrieved for it."""

    @property
    def text(self) -> str:
        """The caption."""

    @property
    def examples(self) -> Sequence[Example]:
        """Retrieved neighbours, none without retrieval."""


class Model(Protocol):
    """A whole model, as `remogpt.ReMoGPT` is one."""

    @property
    def manifest(self) -> dict[str, Any]:
        """`name` and `hashes` of its parts."""

    @property
    def tokenizer(self) -> Tokenizer:
        """Its tokenizer."""

    @property
    def retriever(self) -> Retriever:
        """Its retriever."""

    def generate_batch(
        self,
        texts: Sequence[str],
        database: Any = None,
        seconds: Sequence[float | None] | None = None,
        seed: int | None = None,
        retrieval: bool = True,
        exclude: Sequence[Iterable[str]] | None = None,
        best_of: int | None = None,
        **own_settings: Any,
    ) -> Sequence[GeneratedMotion]:
        """One motion for each caption, the best of `best_of`; `exclude` holds ids that must not be retrieved.

        `own_settings` are given to a model alone that is known to have them (`eval.modes.Mode.own_settings`).
        """

    def caption_batch(
        self,
        motions: Sequence[Motion],
        database: Any = None,
        retrieval: bool = True,
        seed: int | None = None,
        exclude: Sequence[Iterable[str]] | None = None,
        best_of: int | None = None,
        **own_settings: Any,
    ) -> Sequence[GeneratedCaption]:
        """One caption for each motion; arguments as in `generate_batch`."""

    def examples_for_texts(
        self, texts: Sequence[str], database: Any = None, exclude: Sequence[Iterable[str]] | None = None
    ) -> Sequence[Sequence[Example]]:
        """What is retrieved for each caption, best first."""

    def examples_for_motions(
        self, features: Sequence[np.ndarray], database: Any = None, exclude: Sequence[Iterable[str]] | None = None
    ) -> Sequence[Sequence[Example]]:
        """What is retrieved for each motion, best first."""

    def database(self, path: Any = None) -> Any:
        """Open a database; `infos()` yields its entries with their captions."""
