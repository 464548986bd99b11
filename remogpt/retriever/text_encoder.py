"""Text towers: a small trainable transformer over frozen token states, or a pretrained transformer tuned in place.

Both read what their text source prepares (see `text_source`) and give one vector a sentence.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from remogpt.retriever.part_encoder import SequenceEncoder, real_positions
from remogpt.retriever.text_source import FrozenText, batches_by_length, load_tokenizer, tokenize
from remogpt.runtime.files import read_npy, write_npy
from remogpt.runtime.progress import progress


class TokenStateTower(nn.Module):
    """A transformer that reads frozen token states into one vector.

    A frozen sentence vector hardly tells left from right; token states do, once attention may pick the words.
    Source: TMR's text encoder (spec 3.1), without its VAE; differs: narrower.
    """

    def __init__(
        self, state_dim: int, width: int, num_layers: int, num_heads: int, feedforward: int, dropout: float
    ) -> None:
        super().__init__()
        self.encoder = SequenceEncoder(state_dim, width, num_layers, num_heads, feedforward, dropout)
        self.output_dim = width

    def forward(self, states: Tensor, lengths: Tensor) -> Tensor:
        """Token states (B, L, state_dim), lengths (B,) -> (B, width)."""
        vectors: Tensor = self.encoder(states, real_positions(lengths, states.shape[1]))
        return vectors


class FineTunedTower(nn.Module):
    """A pretrained transformer that is trained with the rest; its first token's last state is the sentence.

    Source: MotionPatches with distilbert-base-uncased, spec 2.5.
    """

    def __init__(self, transformer: nn.Module) -> None:
        super().__init__()
        self.transformer = transformer
        config: Any = transformer.config
        self.output_dim = int(config.hidden_size)

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Token ids (B, L), lengths (B,) -> (B, hidden size)."""
        states: Tensor = self.transformer(ids, attention_mask=real_positions(lengths, ids.shape[1])).last_hidden_state
        return states[:, 0]


def transformer_from_config(settings: dict[str, Any]) -> nn.Module:
    """Build the network that a saved transformers configuration describes, without weights."""
    from transformers import AutoConfig, AutoModel

    # Settings are named by model_type alone: no class path and no code from a configuration is ever followed.
    fields = {name: value for name, value in settings.items() if name not in ("model_type", "auto_map")}
    network: nn.Module = AutoModel.from_config(AutoConfig.for_model(settings["model_type"], **fields))
    return network


class WordPieces:
    """The text source of a fine-tuned tower: token ids."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer

    @classmethod
    def load(cls, folder: str | Path) -> "WordPieces":
        """Read the tokenizer of a model folder or of a saved retriever."""
        return cls(load_tokenizer(Path(folder)))

    def prepare(self, sentences: Sequence[str]) -> tuple[Tensor, Tensor]:
        """N sentences -> token ids (N, L) and lengths (N,)."""
        return tokenize(self.tokenizer, sentences)


class CachedText:
    """The token states of a fixed set of sentences, computed once and kept in a memory-mapped float16 file.

    15,000 captions take about 80 s on one core and 230 MB; float16 costs about 5e-4 of a state's size.

    Args:
        source: the frozen model.
        sentences: every sentence that will be asked for.
        folder: where the file is kept and found again (named by the model and the sentences).
    """

    def __init__(self, source: FrozenText, sentences: Sequence[str], folder: str | Path) -> None:
        unique = sorted(set(sentences))
        self.places = {sentence: place for place, sentence in enumerate(unique)}
        name = hashlib.sha256("\n".join([source.sha256, *unique]).encode()).hexdigest()[:16]
        stem = Path(folder) / f"token_states_{name}"
        files = [stem.with_suffix(f".{kind}.npy") for kind in ("offsets", "vectors", "states")]
        if not all(file.is_file() for file in files):
            _write_cache(source, unique, files)
        self.offsets, self.vectors = read_npy(files[0]), read_npy(files[1])
        self.states = read_npy(files[2], mmap=True)

    def prepare(self, sentences: Sequence[str]) -> tuple[Tensor, Tensor]:
        """N of the cached sentences -> token states (N, L, dim) float32, zero beyond each length, and lengths (N,)."""
        places = np.array([self.places[sentence] for sentence in sentences])
        lengths = self.offsets[places + 1] - self.offsets[places]
        states = np.zeros((len(places), int(lengths.max()), self.states.shape[1]), dtype=np.float32)
        for row, place in enumerate(places):
            states[row, : lengths[row]] = self.states[self.offsets[place] : self.offsets[place + 1]]
        return torch.from_numpy(states), torch.from_numpy(lengths)

    def sentence_vectors(self, sentences: Sequence[str]) -> Tensor:
        """N of the cached sentences -> (N, dim) float32 unit rows."""
        return torch.from_numpy(self.vectors[[self.places[sentence] for sentence in sentences]].astype(np.float32))


def _write_cache(source: FrozenText, sentences: list[str], files: list[Path]) -> None:
    states: list[np.ndarray] = [np.empty(0)] * len(sentences)
    vectors = np.zeros((len(sentences), source.dim), dtype=np.float16)
    batches = list(batches_by_length([len(sentence) for sentence in sentences], 64))
    for batch in progress(batches, desc="token states", unit="batch"):
        hidden, lengths = source.prepare([sentences[place] for place in batch])
        vectors[batch] = source.pool(hidden, lengths).numpy()
        for place, rows, length in zip(batch, hidden.half().numpy(), lengths.tolist(), strict=True):
            states[place] = rows[:length].copy()
    offsets = np.concatenate([[0], np.cumsum([len(rows) for rows in states])])
    for file, array in zip(files, (offsets, vectors, np.concatenate(states)), strict=True):
        write_npy(file, array)
