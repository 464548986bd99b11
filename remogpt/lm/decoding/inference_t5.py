"""Inference-only snapshot of a T5 with fused queries, keys and values and pre-packed weight matrices.

transformers' T5 is trained (`remogpt.lm.transformers_t5`); this one writes, and loads without transformers. The encoder
reads prompts behind each other without padding; `remogpt.lm.decoding.kv_cache` runs the decoder step by step.

Letters: B rows, L ids of a row, D width, H heads, d their width, T ids of all prompts together.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from remogpt.lm.decoding.matmul import Precision, Product, activation_type, check_precision, product
from remogpt.lm.t5_size import T5Size
from remogpt.runtime.errors import RemogptError

_MAX_IDS = 512
"""Ids that the encoder reads at once on a CPU; the results of more do not fit the processor's cache."""
EPSILON = 1e-6
"""Epsilon of the layer norms."""
NUM_BUCKETS, MAX_DISTANCE = 32, 128
"""Buckets of relative positions; distances above the second number share one bucket."""


class Norm:
    """T5's layer norm: by the root mean square, without a mean or a bias."""

    def __init__(self, weight: Tensor, dtype: torch.dtype):
        self._weight = weight.detach().to(dtype)

    def __call__(self, x: Tensor) -> Tensor:
        return functional.rms_norm(x, x.shape[-1:], self._weight, EPSILON)


@dataclass(frozen=True)
class Attention:
    """Input and output products of one attention."""

    norm: Norm
    into: Product
    """(M, D) to queries (M, H * d); in self-attention to queries, keys and values behind each other."""
    out: Product
    """(M, H * d) to (M, D)."""


@dataclass(frozen=True)
class FeedForward:
    """One feed-forward block, plain or gated."""

    norm: Norm
    wide: Product
    narrow: Product
    activation: Product
    is_gated: bool

    def __call__(self, hidden: Tensor) -> Tensor:
        inner = self.wide(self.norm(hidden))
        if self.is_gated:
            gate, linear = inner.chunk(2, dim=1)
            inner = self.activation(gate) * linear
        else:
            inner = self.activation(inner)
        return hidden + self.narrow(inner)


@dataclass(frozen=True)
class EncoderLayer:
    """Self-attention and feed-forward."""

    own: Attention
    ff: FeedForward


@dataclass(frozen=True)
class DecoderLayer:
    """Self-attention, attention to the prompt, feed-forward."""

    own: Attention
    cross: Attention
    sources: Product
    """Keys and values of a prompt, behind each other, from the encoder's output (T, D)."""
    ff: FeedForward


class InferenceT5:
    """Inference-only snapshot of a T5 with fused queries, keys and values and pre-packed weight matrices.

    Args:
        tensors: by the names of transformers' state dict; embeddings and output may be left out where `shared` serves.
        size: the shape.
        precision: number format of the products.

    Raises:
        RemogptError: if the precision is unknown or the device does not have it; if a weight is missing.
    """

    def __init__(self, tensors: Mapping[str, Tensor], size: T5Size, precision: Precision = "float32"):
        self._tensors, self._precision = tensors, precision
        shared = self._weight("shared")
        self.device = shared.device
        check_precision(precision, self.device)
        self.dtype = activation_type(precision, self.device)
        self.num_heads, self.head_dim, self._is_gated = size.heads, size.head_dim, size.activation == "gated-gelu"
        self._encoder = [self._encoder_layer(f"encoder.block.{index}.layer") for index in range(size.layers)]
        self.decoder = [self._decoder_layer(f"decoder.block.{index}.layer") for index in range(size.decoder_layers)]
        stacks = ("encoder", "decoder")
        self._encoder_norm, self.decoder_norm = (self._norm(f"{name}.final_layer_norm") for name in stacks)
        self._embeddings = [self._weight(f"{name}.embed_tokens", shared).to(self.dtype) for name in stacks]
        self._biases = [
            self._weight(f"{name}.block.0.layer.0.SelfAttention.relative_attention_bias") for name in stacks
        ]
        self._output, self._output_scale = self._weight("lm_head", shared), size.output_scale
        self._heads: dict[bytes, Product] = {}
        self._tensors = {}  # the original tensors are not needed any more

    def _weight(self, name: str, otherwise: Tensor | None = None) -> Tensor:
        found = self._tensors.get(f"{name}.weight", otherwise)
        if found is None:
            raise RemogptError(f"the language model's weights lack {name}.weight; copy its folder again")
        return found.detach()

    def _norm(self, name: str) -> Norm:
        return Norm(self._weight(name), self.dtype)

    def _product(self, *names: str) -> Product:
        return product([self._weight(name) for name in names], self._precision)

    def _encoder_layer(self, name: str) -> EncoderLayer:
        return EncoderLayer(self._self_attention(f"{name}.0"), self._feed_forward(f"{name}.1"))

    def _decoder_layer(self, name: str) -> DecoderLayer:
        to_prompt = f"{name}.1.EncDecAttention"
        return DecoderLayer(
            self._self_attention(f"{name}.0"),
            Attention(
                self._norm(f"{name}.1.layer_norm"), self._product(f"{to_prompt}.q"), self._product(f"{to_prompt}.o")
            ),
            self._product(f"{to_prompt}.k", f"{to_prompt}.v"),
            self._feed_forward(f"{name}.2"),
        )

    def _self_attention(self, name: str) -> Attention:
        own = f"{name}.SelfAttention"
        into = self._product(f"{own}.q", f"{own}.k", f"{own}.v")
        return Attention(self._norm(f"{name}.layer_norm"), into, self._product(f"{own}.o"))

    def _feed_forward(self, name: str) -> FeedForward:
        dense = f"{name}.DenseReluDense"
        wide = (f"{dense}.wi_0", f"{dense}.wi_1") if self._is_gated else (f"{dense}.wi",)
        activation = partial(functional.gelu, approximate="tanh") if self._is_gated else functional.relu
        return FeedForward(
            self._norm(f"{name}.layer_norm"), self._product(*wide), self._product(f"{dense}.wo"), activation,
            self._is_gated,
        )  # fmt: skip

    def head(self, ids: np.ndarray) -> Product:
        """Compute logits (M, A) of the given ids from the decoder's output (M, D)."""
        key = ids.tobytes()
        if key not in self._heads:
            rows = self._output[torch.as_tensor(ids, device=self.device)] * self._output_scale
            self._heads[key] = product([rows], self._precision)
        return self._heads[key]

    def embed(self, ids: Tensor) -> Tensor:
        """Look up the decoder's inputs."""
        return functional.embedding(ids, self._embeddings[1])

    def decoder_bias(self, length: int) -> Tensor:
        """Return the attention bias (H, L, L) of each position for each before it; -inf behind it."""
        future = torch.ones(length, length, dtype=torch.bool, device=self.device).triu(1)
        return self._bias(1, length).masked_fill(future, -torch.inf)

    def _bias(self, stack: int, length: int) -> Tensor:
        buckets = relative_buckets(length, is_bidirectional=stack == 0).to(self.device)
        return functional.embedding(buckets, self._biases[stack]).permute(2, 0, 1).to(self.dtype)

    def encode(self, prompts: Sequence[Sequence[int]]) -> list[Tensor]:
        """Read prompts.

        Returns:
            one (L, D) per prompt.
        """
        bias = self._bias(0, max(map(len, prompts)))[None]  # of four dimensions, or PyTorch takes its slow way
        encoded: list[Tensor] = []
        for group in _groups(prompts, _MAX_IDS if self.device.type == "cpu" else None):
            encoded += self._encode(group, bias)
        return encoded

    def _encode(self, prompts: Sequence[Sequence[int]], bias: Tensor) -> Sequence[Tensor]:
        lengths = [len(prompt) for prompt in prompts]
        ids = torch.tensor(list(chain.from_iterable(prompts)), device=self.device)
        hidden = functional.embedding(ids, self._embeddings[0])  # (T, D)
        for layer in self._encoder:
            mixed = layer.own.into(layer.own.norm(hidden)).view(len(ids), 3, self.num_heads, self.head_dim)
            each = [_attend_within(own, bias[..., : len(own), : len(own)]) for own in mixed.split(lengths)]
            hidden = layer.ff(hidden + layer.own.out(torch.cat(each)))
        return self._encoder_norm(hidden).split(lengths)


def relative_buckets(length: int, is_bidirectional: bool) -> Tensor:
    """Return (L, L) bucket of each key position (column) as seen from each query position (row).

    Half of the buckets are exact distances, the others grow with the logarithm of the distance.

    Source: T5, arXiv 1910.10683, sec. 2.1; its released code has the logarithm.
    """
    distance = torch.arange(length)[None] - torch.arange(length)[:, None]
    num_buckets = NUM_BUCKETS // 2 if is_bidirectional else NUM_BUCKETS
    first = (distance > 0).long() * num_buckets if is_bidirectional else torch.zeros_like(distance)
    distance = distance.abs() if is_bidirectional else (-distance).clamp_min(0)
    exact = num_buckets // 2
    growth = torch.log(distance.float() / exact) / math.log(MAX_DISTANCE / exact) * (num_buckets - exact)
    far = (exact + growth.long()).clamp_max(num_buckets - 1)
    return first + torch.where(distance < exact, distance, far)


def _groups(prompts: Sequence[Sequence[int]], max_ids: int | None) -> Iterator[list[Sequence[int]]]:
    """Yield prompts in order, as many at once as have `max_ids` ids together."""
    group: list[Sequence[int]] = []
    for prompt in prompts:
        if group and max_ids is not None and sum(map(len, group)) + len(prompt) > max_ids:
            yield group
            group = []
        group.append(prompt)
    yield group


def _attend_within(mixed: Tensor, bias: Tensor) -> Tensor:
    """Attend within one prompt: queries, keys and values (L, 3, H, d) and (1, H, L, L) to (L, H * d)."""
    queries, keys, values = mixed.permute(1, 2, 0, 3)[:, None]  # (1, H, L, d) each; T5 does not scale
    answer = functional.scaled_dot_product_attention(queries, keys, values, attn_mask=bias, scale=1.0)
    return answer[0].transpose(0, 1).flatten(1)
