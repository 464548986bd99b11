"""Open what a stage is given: a path, or the object that somebody opened from it already."""

from pathlib import Path

import torch

from remogpt.data.humanml3d import MotionTextSet
from remogpt.motion.skeleton import NUM_FEATURES
from remogpt.pipeline import ReMoGPT
from remogpt.retriever import MotionDatabase, Neighbours, TextMotionRetriever
from remogpt.tokenizer_vqvae import MotionTokenizer


def open_set(data: str | Path | MotionTextSet, num_features: int = NUM_FEATURES) -> MotionTextSet:
    """Open a set in HumanML3D's layout, whose motions have `num_features` channels."""
    return data if isinstance(data, MotionTextSet) else MotionTextSet.open(data, num_features)


def open_model(model: str | Path | ReMoGPT | None) -> ReMoGPT:
    """Open a model; the embedded `mini` without one."""
    return model if isinstance(model, ReMoGPT) else ReMoGPT.from_pretrained(model)


def open_tokenizer(
    tokenizer: str | Path | MotionTokenizer | None, reader: str, model: str | Path | ReMoGPT | None = None
) -> MotionTokenizer:
    """Open a tokenizer of one code for every four frames; that of `model` where none is given.

    Raises:
        RemogptError: if the tokenizer has other codes than `reader`, named in the message, can use.
    """
    if tokenizer is None:
        return open_model(model).tokenizer
    opened = tokenizer if isinstance(tokenizer, MotionTokenizer) else MotionTokenizer.from_pretrained(tokenizer)
    opened.check_one_code_a_step(reader)
    return opened


def open_retriever(
    retriever: str | Path | TextMotionRetriever | None, model: str | Path | ReMoGPT | None = None
) -> TextMotionRetriever:
    """Open a retriever, on a GPU if there is one; that of `model` where none is given."""
    if retriever is None:
        return open_model(model).retriever
    if isinstance(retriever, TextMotionRetriever):
        return retriever
    return TextMotionRetriever.from_pretrained(retriever, best_device())


def open_database(database: str | Path | MotionDatabase) -> MotionDatabase:
    """Open a database, to read what it holds."""
    return database if isinstance(database, MotionDatabase) else MotionDatabase.open(database)


def open_neighbours(neighbours: str | Path | Neighbours) -> Neighbours:
    """Read a file of neighbours."""
    return neighbours if isinstance(neighbours, Neighbours) else Neighbours.load(neighbours)


def best_device() -> str:
    """Return `cuda` where there is a GPU, else `cpu`."""
    return "cuda" if torch.cuda.is_available() else "cpu"
