"""Types by which the rooms know each other's objects: retrieved examples, networks, a whole model.

Every room may import this module, which imports no room at run time, so a room accepts any object that has these
methods: the classes of this package, or your own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np

    from remogpt.motion.found_facts import FoundFacts
    from remogpt.motion.motion import Motion
    from remogpt.options import GenerationOptions

Route = Literal["t2m", "t2t", "m2t", "m2m"]
"""A way to search a database: the kind of the query (text or motion), then the kind of what it is compared with."""
TEXT_ROUTES: tuple[Route, Route] = ("t2m", "t2t")
"""Routes by which captions are searched with, in the order in which the paper's prompt shows their hits."""
MOTION_ROUTES: tuple[Route, Route] = ("m2t", "m2m")
"""Routes by which motions are searched with, in the order of the paper's prompt."""


# ---- retrieved examples ----------------------------------------------------------------------------------------------


class Example(Protocol):
    """A captioned motion that a prompt can show."""

    @property
    def caption(self) -> str:
        """The caption to show."""

    @property
    def codes(self) -> np.ndarray:
        """(N,) int64 codes of its motion."""


class FoundExample(Example, Protocol):
    """An example that was found in a database, and how close it lies to the query."""

    @property
    def id(self) -> str:
        """Id of the database entry."""

    @property
    def to_motion(self) -> float:
        """Cosine of the query with its motion; nan where it is not known."""

    @property
    def to_caption(self) -> float:
        """Cosine of the query with its caption; nan where it is not known."""

    @property
    def weight(self) -> float:
        """How strongly it is followed, beside the others."""


# ---- networks --------------------------------------------------------------------------------------------------------


class Tokenizer(Protocol):
    """Turns motions into codes and back."""

    @property
    def hash(self) -> str:
        """64 hexadecimal digits; equal ones encode equally."""

    def encode_batch(self, motions: Sequence[np.ndarray], /) -> list[np.ndarray]:
        """Encode raw features, (T, 263) each, as codes, (T / 4,) each."""

    def decode_batch(self, codes: Sequence[np.ndarray], /) -> list[np.ndarray]:
        """Decode codes, (N,) each, to raw features, (4N, 263) each."""


class Retriever(Protocol):
    """Embeds captions and motions as unit rows of one space."""

    @property
    def hash(self) -> str:
        """64 hexadecimal digits; equal ones embed equally."""

    @property
    def dim(self) -> int:
        """Width D of the space."""

    @property
    def statistics_hash(self) -> str:
        """64 hexadecimal digits of the mean and standard deviation that it normalizes features with."""

    def encode_text(self, texts: Sequence[str], /) -> np.ndarray:
        """Embed N captions: (N, D) float32."""

    def encode_motion(self, motions: Sequence[np.ndarray], /) -> np.ndarray:
        """Embed raw features, (T, 263) each: (N, D) float32."""


class PartRetriever(Retriever, Protocol):
    """A retriever that encodes body parts apart, before it makes one embedding of them."""

    @property
    def has_parts(self) -> bool:
        """Whether the methods below may be called."""

    def encode_motion_and_parts(self, motions: Sequence[np.ndarray], /) -> tuple[np.ndarray, np.ndarray]:
        """Embed raw features, (T, 263) each: (N, D) embeddings, (N, 6, W) encodings of the parts."""

    def encode_motion_parts(self, motions: Sequence[np.ndarray], /) -> np.ndarray:
        """Encode the parts of raw features, (T, 263) each: (N, 6, W)."""

    def embed_parts(self, encodings: np.ndarray, /) -> np.ndarray:
        """Embed encodings of the parts (N, 6, W): (N, D) float32."""


class FindsFacts(Protocol):
    """Tells which facts of the catalogue motions show."""

    @property
    def hash(self) -> str:
        """64 hexadecimal digits that name it."""

    def find(self, motions: Sequence[np.ndarray]) -> list[FoundFacts]:
        """Find the facts of motions, (T, 263) raw features each."""


class TextEncoder(Protocol):
    """Embeds captions: a sentence encoder, or the text half of an evaluator."""

    @property
    def name(self) -> str:
        """Name to write beside numbers."""

    @property
    def hash(self) -> str:
        """64 hexadecimal digits; equal ones embed equally."""

    @property
    def trained_on(self) -> str | None:
        """Name of the training data; None where it is unknown."""

    def encode_text(self, captions: Sequence[str], tokens: Sequence[Sequence[str]] | None = None) -> np.ndarray:
        """Embed N captions, with their lemma/POS tokens where the set has them: (N, D) float32."""


class Evaluator(TextEncoder, Protocol):
    """Embeds captions and motions in the space in which generation is scored."""

    def encode_motion(self, features: Sequence[np.ndarray]) -> np.ndarray:
        """Embed raw features, (T, 263) each: (N, D) float32."""


# ---- a whole model ---------------------------------------------------------------------------------------------------


class GeneratedMotion(Protocol):
    """A motion that was written, and what was retrieved for it."""

    @property
    def motion(self) -> Motion:
        """The motion."""

    @property
    def codes(self) -> np.ndarray:
        """(N,) codes it was decoded from."""

    @property
    def examples(self) -> Sequence[FoundExample]:
        """Retrieved examples, none without retrieval."""


class GeneratedCaption(Protocol):
    """A caption that was written, and what was retrieved for it."""

    @property
    def text(self) -> str:
        """The caption."""

    @property
    def examples(self) -> Sequence[FoundExample]:
        """Retrieved examples, none without retrieval."""


class Model(Protocol):
    """A whole model that is evaluated, as `remogpt.ReMoGPT` is one."""

    @property
    def manifest(self) -> dict[str, Any]:
        """`name` and `hashes` of its components."""

    @property
    def tokenizer(self) -> Tokenizer:
        """Its tokenizer."""

    @property
    def retriever(self) -> Retriever:
        """Its retriever."""

    def generate(
        self,
        text: list[str],
        *,
        seconds: Sequence[float | None] | None = None,
        seed: int | None = None,
        database: Any = None,
        options: GenerationOptions | None = None,
    ) -> Sequence[Sequence[GeneratedMotion]]:
        """Write a list of one motion for each caption."""

    def caption(
        self,
        motion: list[Motion],
        *,
        seed: int | None = None,
        database: Any = None,
        options: GenerationOptions | None = None,
    ) -> Sequence[GeneratedCaption]:
        """Write one caption for each motion."""

    def examples_for_texts(
        self,
        texts: Sequence[str],
        database: Any = None,
        exclude: Sequence[Iterable[str]] | None = None,
        options: GenerationOptions | None = None,
    ) -> Sequence[Sequence[FoundExample]]:
        """Return the examples retrieved for each caption by the routes and the k of the options, best first."""

    def examples_for_motions(
        self,
        features: Sequence[np.ndarray],
        database: Any = None,
        exclude: Sequence[Iterable[str]] | None = None,
        options: GenerationOptions | None = None,
    ) -> Sequence[Sequence[FoundExample]]:
        """Return the examples retrieved for each motion, (T, 263) raw features; otherwise as `examples_for_texts`."""

    def retrieved_motion(self, example: Any, database: Any = None) -> Motion:
        """Return the motion of an example: as it was recorded, or decoded where the database keeps codes alone."""

    def database(self, path: Any = None) -> Any:
        """Open a database; `infos()` yields its entries with their captions."""


@runtime_checkable
class TellsWhyNot(Protocol):
    """A model that tells of captions that it cannot answer before it is asked for motions."""

    def why_not(self, text: str) -> str:
        """Say why no motion can be written for a caption; empty where one can."""
