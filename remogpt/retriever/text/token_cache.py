"""A text model's token states of the captions that a retriever trains on, computed once and kept in the set's cache."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from remogpt.retriever.text.frozen_text_model import FrozenText
from remogpt.retriever.text.token_states import encode_tokens
from remogpt.runtime.vector_cache import VectorCache


class CachedText:
    """The token states of a fixed set of sentences: float16, memory-mapped.

    15,000 captions take about 80 s on one core and 230 MB; float16 costs about 5e-4 of a state's size.

    Args:
        source: the frozen model.
        sentences: every sentence that will be asked for.
        cache: where the states are kept and found again, by the model and the sentences.
    """

    def __init__(self, source: FrozenText, sentences: Sequence[str], cache: VectorCache) -> None:
        # By length, so that little of a batch is padding.
        unique = sorted(set(sentences), key=lambda sentence: (len(sentence), sentence))
        self.row_of = {sentence: index for index, sentence in enumerate(unique)}

        def compute(indices: range) -> dict[str, np.ndarray]:
            states, vectors = encode_tokens(source, unique[indices.start : indices.stop])
            lengths = np.array([len(rows) for rows in states], dtype=np.int64)
            return {"states": np.concatenate(states), "lengths": lengths, "vectors": vectors.astype(np.float16)}

        arrays = cache.arrays(
            source.vectors_sha256, ["token states", *unique], len(unique), compute, desc="token states", unit="caption",
            about={"network_name": source.name, "what": "token states"},
        )  # fmt: skip
        self.states, self.vectors = arrays["states"], np.asarray(arrays["vectors"])
        self.offsets = np.concatenate([[0], np.cumsum(arrays["lengths"])])

    def prepare(self, sentences: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Look up N cached sentences -> token states (N, L, dim) float32, zero beyond each length, and lengths (N,)."""
        rows = np.array([self.row_of[sentence] for sentence in sentences])
        lengths = self.offsets[rows + 1] - self.offsets[rows]
        states = np.zeros((len(rows), int(lengths.max()), self.states.shape[1]), dtype=np.float32)
        for number, row in enumerate(rows):
            states[number, : lengths[number]] = self.states[self.offsets[row] : self.offsets[row + 1]]
        return torch.from_numpy(states), torch.from_numpy(lengths)

    def sentence_vectors(self, sentences: Sequence[str]) -> Tensor:
        """Embed N of the cached sentences -> (N, dim) float32 unit rows."""
        return torch.from_numpy(self.vectors[[self.row_of[sentence] for sentence in sentences]].astype(np.float32))
