"""Write a text model's token states and sentence vectors of many sentences, once, for any training to read.

    token_states/index.json              model, its sha256, width, sentences in order, sentences a shard
    token_states/states_00000.safetensors  states (sum of lengths, C) float16, offsets (n + 1,) int64, vectors (n, C)

Sentence i of a shard has the rows offsets[i] to offsets[i + 1]. float16 costs about 5e-4 of a state's size.

Source: TMR precomputes both before it trains (its `text_embeddings`); there by two text models.
"""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, TypedDict

import numpy as np
from msgspec import Meta
from safetensors import safe_open
from safetensors.numpy import save_file

from remogpt.retriever.padding import batches_by_length
from remogpt.retriever.text.frozen_text_model import FrozenText
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import atomic_path, read_json, write_json
from remogpt.runtime.progress import progress
from remogpt.runtime.schema import Count, Hash

SHARD = 512
"""Sentences in a file."""
_FORMAT = 1


class _Index(TypedDict):
    """Content of `index.json`."""

    format: Count
    identity: Hash
    model: str
    sha256: Hash
    dim: Count
    shard_size: Annotated[int, Meta(ge=1)]
    sentences: list[str]


class TokenStates:
    """Precomputed token states in a folder.

    Example:
        >>> states = TokenStates.open("encoded/token_states")
        >>> states["a person waves"].shape, states.vector("a person waves").shape
    """

    def __init__(self, folder: Path, index: dict[str, Any]) -> None:
        self.folder, self.index = folder, index
        self.row_of = {sentence: row for row, sentence in enumerate(index["sentences"])}
        self._shard = lru_cache(maxsize=4)(self._read)

    @classmethod
    def open(cls, folder: str | Path) -> "TokenStates":
        """Open a folder that `write_token_states` wrote.

        Raises:
            MissingPathError: if it has no index: nothing was written there, or not to the end.
        """
        return cls(Path(folder), read_json(Path(folder) / "index.json", _Index))

    def __len__(self) -> int:
        return len(self.row_of)

    def __getitem__(self, sentence: str) -> np.ndarray:
        """Return (L, C) float32 token states of a sentence."""
        shard, row = self._find(sentence)
        first, stop = shard["offsets"][row : row + 2]
        return shard["states"][first:stop].astype(np.float32)

    def vector(self, sentence: str) -> np.ndarray:
        """Return (C,) float32 unit vector of a sentence."""
        shard, row = self._find(sentence)
        return shard["vectors"][row]

    def _find(self, sentence: str) -> tuple[dict[str, np.ndarray], int]:
        if sentence not in self.row_of:
            raise RemogptError(f"no token states of {sentence!r} in {self.folder}; encode the set that it belongs to")
        number, row = divmod(self.row_of[sentence], self.index["shard_size"])
        return self._shard(number), row

    def _read(self, number: int) -> dict[str, np.ndarray]:
        with safe_open(shard_path(self.folder, number), framework="numpy") as file:
            return {name: file.get_tensor(name) for name in ("states", "offsets", "vectors")}


def shard_path(folder: Path, number: int) -> Path:
    """Return the file of shard `number`."""
    return folder / f"states_{number:05d}.safetensors"


def write_token_states(source: FrozenText, sentences: Sequence[str], folder: str | Path) -> TokenStates:
    """Write the token states of sentences; existing shards are kept, so that a killed run goes on.

    Args:
        source: the frozen text model.
        sentences: distinct.
        folder: made if absent.

    Raises:
        RemogptError: if the folder holds token states of other sentences or of another text model.
    """
    folder = Path(folder)
    identity = hashlib.sha256("\n".join([str(_FORMAT), source.vectors_sha256, *sentences]).encode()).hexdigest()
    index = {
        "format": _FORMAT, "identity": identity, "model": source.name, "sha256": source.sha256, "dim": source.dim,
        "shard_size": SHARD, "sentences": list(sentences),
    }  # fmt: skip
    if (folder / "index.json").is_file() and read_json(folder / "index.json", _Index)["identity"] != identity:
        raise RemogptError(
            f"{folder} holds token states of other sentences or of another text model than {source.name}; choose "
            "another folder, or delete this one"
        )
    with progress(total=len(sentences), desc="token states", unit="caption") as bar:
        for number, start in enumerate(range(0, len(sentences), SHARD)):
            batch = list(sentences[start : start + SHARD])
            path = shard_path(folder, number)
            if not _is_written(path, identity):
                _write_shard(source, batch, path, identity)
            bar.update(len(batch))
    write_json(folder / "index.json", index, indent=None)
    return TokenStates(folder, index)


def encode_tokens(source: FrozenText, sentences: Sequence[str]) -> tuple[list[np.ndarray], np.ndarray]:
    """Return the token states of N sentences, (L, C) float16 each, and their vectors, (N, D) float32."""
    states: list[np.ndarray] = [np.empty(0)] * len(sentences)
    vectors = np.zeros((len(sentences), source.vector_dim), dtype=np.float32)
    for batch in batches_by_length([len(sentence) for sentence in sentences], 64):
        hidden, lengths, vectors[batch] = source.encode([sentences[index] for index in batch])
        for index, rows, length in zip(batch, hidden.half().numpy(), lengths.tolist(), strict=True):
            states[index] = rows[:length].copy()
    return states, vectors


def _is_written(path: Path, identity: str) -> bool:
    if not path.is_file():
        return False
    with safe_open(path, framework="numpy") as file:
        return (file.metadata() or {}).get("identity") == identity


def _write_shard(source: FrozenText, sentences: list[str], path: Path, identity: str) -> None:
    states, vectors = encode_tokens(source, sentences)
    offsets = np.concatenate([[0], np.cumsum([len(rows) for rows in states])]).astype(np.int64)
    tensors = {"states": np.concatenate(states), "offsets": offsets, "vectors": vectors}
    with atomic_path(path) as temporary:
        save_file(tensors, temporary, metadata={"identity": identity})
