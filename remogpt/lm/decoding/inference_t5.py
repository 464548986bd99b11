"""A T5 arranged for reading prompts and writing answers: its weights as they are now, in products ready to multiply.

transformers' T5 trains and loads; this writes. Queries, keys and values are one product; the encoder reads prompts
behind each other without padding; what the decoder needs step by step is `remogpt.lm.decoding.kv_cache`.

Letters: B rows, L ids of a row, D width, H heads, d their width, T ids of all prompts together.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from transformers import T5ForConditionalGeneration
from transformers.activations import NewGELUActivation

from remogpt.lm.decoding.matmul import Precision, Product, activation_type, check_precision, product
from remogpt.lm.t5_size import is_scaled
from remogpt.runtime.errors import RemogptError

_MAX_IDS = 512
"""Read by the encoder at once on a CPU: what is made of more does not stay in the cache between two products."""


class Norm:
    """T5's layer norm: by the root mean square, without a mean or a bias."""

    def __init__(self, norm: Any, dtype: torch.dtype):
        self._weight, self._epsilon = norm.weight.detach().to(dtype), norm.variance_epsilon

    def __call__(self, x: Tensor) -> Tensor:
        return functional.rms_norm(x, x.shape[-1:], self._weight, self._epsilon)


@dataclass(frozen=True)
class Attention:
    """One attention, but for the attending itself."""

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
    """What is attended to of a prompt: the encoder's output (T, D) to keys and values behind each other."""
    ff: FeedForward


class FrozenT5:
    """A T5's weights at one moment.

    Args:
        t5: in eval mode, its updates merged.
        precision: in what to multiply.

    Raises:
        RemogptError: if the precision is none, or not one of the device; if the T5 holds updates of its own.
    """

    def __init__(self, t5: T5ForConditionalGeneration, precision: Precision = "float32"):
        if not isinstance(t5, T5ForConditionalGeneration):
            raise RemogptError(f"a {type(t5).__name__} holds updates beside its weights; merge them before it writes")
        self.device, self._precision = t5.shared.weight.device, precision
        check_precision(precision, self.device)
        self.dtype = activation_type(precision, self.device)
        self.num_heads, self.head_dim = t5.config.num_heads, t5.config.d_kv
        encoder, decoder = stacks = cast(Any, (t5.encoder, t5.decoder))
        self._encoder = [self._encoder_layer(*block.layer) for block in encoder.block]
        self.decoder = [self._decoder_layer(*block.layer) for block in decoder.block]
        self._encoder_norm, self.decoder_norm = (Norm(stack.final_layer_norm, self.dtype) for stack in stacks)
        self._embeddings = [stack.embed_tokens.weight.detach().to(self.dtype) for stack in stacks]
        self._bias_of = [stack.block[0].layer[0].SelfAttention for stack in stacks]
        self._output = t5.lm_head.weight.detach()
        self._output_scale = float(t5.config.d_model) ** -0.5 if is_scaled(t5.config) else 1.0
        self._heads: dict[bytes, Product] = {}

    def _encoder_layer(self, own: Any, ff: Any) -> EncoderLayer:
        return EncoderLayer(self._self_attention(own), self._feed_forward(ff))

    def _decoder_layer(self, own: Any, cross: Any, ff: Any) -> DecoderLayer:
        to_prompt = cross.EncDecAttention
        return DecoderLayer(
            self._self_attention(own),
            Attention(Norm(cross.layer_norm, self.dtype), self._product(to_prompt.q), self._product(to_prompt.o)),
            self._product(to_prompt.k, to_prompt.v),
            self._feed_forward(ff),
        )

    def _self_attention(self, layer: Any) -> Attention:
        own = layer.SelfAttention
        return Attention(Norm(layer.layer_norm, self.dtype), self._product(own.q, own.k, own.v), self._product(own.o))

    def _feed_forward(self, layer: Any) -> FeedForward:
        dense = layer.DenseReluDense
        is_gated = hasattr(dense, "wi_0")
        wide = (dense.wi_0, dense.wi_1) if is_gated else (dense.wi,)
        # transformers spells this one out, in eight operations.
        is_spelt = isinstance(dense.act, NewGELUActivation)
        activation = partial(functional.gelu, approximate="tanh") if is_spelt else dense.act
        norm = Norm(layer.layer_norm, self.dtype)
        return FeedForward(norm, self._product(*wide), self._product(dense.wo), activation, is_gated)

    def _product(self, *linears: Any) -> Product:
        return product([linear.weight.detach() for linear in linears], self._precision)

    def head(self, ids: np.ndarray) -> Product:
        """Make scores (M, A) of the given ids from the decoder's output (M, D)."""
        key = ids.tobytes()
        if key not in self._heads:
            rows = self._output[torch.as_tensor(ids, device=self.device)] * self._output_scale
            self._heads[key] = product([rows], self._precision)
        return self._heads[key]

    def embed(self, ids: Tensor) -> Tensor:
        """Look up the decoder's inputs."""
        return functional.embedding(ids, self._embeddings[1])

    def decoder_bias(self, length: int) -> Tensor:
        """Return (H, L, L): what is added to the scores of each position for each before it; -inf behind it."""
        future = torch.ones(length, length, dtype=torch.bool, device=self.device).triu(1)
        return self._bias(1, length).masked_fill(future, -torch.inf)

    def _bias(self, stack: int, length: int) -> Tensor:
        return self._bias_of[stack].compute_bias(length, length)[0].detach().to(self.dtype)

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


class Freezer:
    """Keeps a frozen T5 for as long as the weights and the precision stay the same."""

    def __init__(self) -> None:
        self._stamp: tuple[Any, ...] = ()
        self._frozen: FrozenT5 | None = None

    def __call__(self, t5: T5ForConditionalGeneration, precision: Precision) -> FrozenT5:
        """Return it as it is now."""
        # Every change in place counts up a weight's version; weights loaded in inference mode have none, nor change.
        versions = [(w.data_ptr(), 0 if w.is_inference() else w._version) for w in t5.parameters()]
        stamp = (id(t5), precision, *versions)
        frozen = self._frozen
        if frozen is None or stamp != self._stamp:
            self._frozen = None  # the old one goes before the new one comes
            frozen = FrozenT5(t5, precision)
            self._frozen, self._stamp = frozen, stamp
        return frozen
