"""A frozen BERT for reading sentences, loaded from its files without transformers, whose import costs seconds.

The operations and their order are those of transformers' `BertModel`, so the last hidden states are the same.

Source: BERT, arXiv 1810.04805; post-norm layers, exact GELU, absolute positions.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from remogpt.runtime.files import read_json

_FILES = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")


def is_bert(folder: Path) -> bool:
    """Whether a model folder holds a BERT that this module reads: its one weight file, fast tokenizer, exact GELU."""
    if not all((folder / name).is_file() for name in _FILES):
        return False
    config = read_json(folder / "config.json")
    wanted = {"model_type": "bert", "hidden_act": "gelu", "position_embedding_type": "absolute"}
    return all(config.get(name, value) == value for name, value in wanted.items()) and "model_type" in config


class FrozenBert:
    """A BERT with its weights and its tokenizer.

    Args:
        folder: one that `is_bert` accepts.
        max_tokens: longest sentence; what follows is cut.
        device: where it runs.
    """

    def __init__(self, folder: Path, max_tokens: int, device: str | torch.device = "cpu") -> None:
        self._config = read_json(folder / "config.json")
        weights = load_file(folder / "model.safetensors")
        self._weights = {name.removeprefix("bert."): tensor.float().to(device) for name, tensor in weights.items()}
        self.device, self.dim = torch.device(device), int(self._config["hidden_size"])
        self.filler = int(self._config.get("pad_token_id", 0))
        self._tokenizer: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))
        # The words "[SEP]" in a sentence are words, not the mark of its end.
        self._tokenizer.encode_special_tokens = True
        self._tokenizer.no_padding()
        longest = int(read_json(folder / "tokenizer_config.json").get("model_max_length", 512))
        # Set once: to set it while another thread tokenizes loses that thread's ids.
        self._tokenizer.enable_truncation(min(max_tokens, longest))

    def tokenize(self, sentences: Sequence[str]) -> list[list[int]]:
        """Return the ids of each sentence, start and end marks included, at most `max_tokens`."""
        return [found.ids for found in self._tokenizer.encode_batch(list(sentences))]

    def states(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Encode token ids (B, L) and a mask (B, L), True where real -> last hidden states (B, L, dim)."""
        words, positions, kinds = (
            self._weights[f"embeddings.{name}_embeddings.weight"] for name in ("word", "position", "token_type")
        )
        embedded = functional.embedding(ids, words) + kinds[0] + positions[: ids.shape[1]]
        states = self._norm("embeddings.LayerNorm", embedded)
        # None where nothing is padded, as in transformers: attention rounds differently with a mask.
        visible = None if mask.all() else mask[:, None, None].expand(-1, 1, ids.shape[1], -1)
        for index in range(self._config["num_hidden_layers"]):
            states = self._layer(f"encoder.layer.{index}", states, visible)
        return states

    def _layer(self, name: str, states: Tensor, visible: Tensor | None) -> Tensor:
        queries, keys, values = (
            self._linear(f"{name}.attention.self.{kind}", states)
            .unflatten(2, (self._config["num_attention_heads"], -1))
            .transpose(1, 2)
            for kind in ("query", "key", "value")
        )
        mixed = functional.scaled_dot_product_attention(queries, keys, values, attn_mask=visible)
        attended = self._linear(f"{name}.attention.output.dense", mixed.transpose(1, 2).flatten(2))
        states = self._norm(f"{name}.attention.output.LayerNorm", attended + states)
        inner = functional.gelu(self._linear(f"{name}.intermediate.dense", states))
        return self._norm(f"{name}.output.LayerNorm", self._linear(f"{name}.output.dense", inner) + states)

    def _linear(self, name: str, x: Tensor) -> Tensor:
        return functional.linear(x, self._weights[f"{name}.weight"], self._weights[f"{name}.bias"])

    def _norm(self, name: str, x: Tensor) -> Tensor:
        weight, bias = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        return functional.layer_norm(x, x.shape[-1:], weight, bias, self._config["layer_norm_eps"])
