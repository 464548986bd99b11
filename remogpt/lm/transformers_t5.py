"""Convert shapes and weights between transformers' T5, which is trained, and `InferenceT5`, which writes."""

from typing import Any

from torch import nn
from transformers import T5Config, T5ForConditionalGeneration

from remogpt.lm.decoding.inference_t5 import InferenceT5
from remogpt.lm.decoding.matmul import Precision
from remogpt.lm.t5_size import T5Size
from remogpt.lm.vocabulary import Vocabulary
from remogpt.runtime.errors import RemogptError


def t5_config(vocabulary: Vocabulary, size: T5Size) -> T5Config:
    """Return the configuration of a T5 of this size."""
    return T5Config(
        vocab_size=vocabulary.size,
        d_model=size.width,
        d_kv=size.head_dim,
        d_ff=size.ff,
        num_layers=size.layers,
        num_decoder_layers=size.decoder_layers,
        num_heads=size.heads,
        feed_forward_proj=size.activation,
        dropout_rate=size.dropout,
        # transformers derives the output scale from this flag: 5.x ties the weights whatever it says, 4.x does not.
        tie_word_embeddings=size.scaled_output,  # type: ignore[call-arg]
        pad_token_id=vocabulary.pad_id,
        eos_token_id=vocabulary.eos_id,
        decoder_start_token_id=vocabulary.pad_id,
    )


def size_of(config: Any) -> T5Size:
    """Read the shape of a T5 off transformers' configuration."""
    return T5Size(
        width=config.d_model,
        ff=config.d_ff,
        layers=config.num_layers,
        decoder_layers=config.num_decoder_layers or config.num_layers,
        heads=config.num_heads,
        head_dim=config.d_kv,
        activation="gated-gelu" if config.is_gated_act else "relu",
        dropout=float(config.dropout_rate),
        scaled_output=is_scaled(config),
    )


def is_scaled(config: Any) -> bool:
    """Whether this T5 divides the decoder's output before the output embedding."""
    return bool(getattr(config, "scale_decoder_outputs", config.tie_word_embeddings))


def is_tied(t5: T5ForConditionalGeneration) -> bool:
    """Whether the output embedding is the input embedding, as in the first T5 and not in T5 1.1 and flan-T5."""
    return t5.lm_head.weight.data_ptr() == t5.shared.weight.data_ptr()


def untie_output(t5: T5ForConditionalGeneration) -> None:
    """Give a T5 an output embedding of its own, in place: a copy of its input embedding."""
    t5.lm_head.weight = nn.Parameter(t5.shared.weight.detach().clone())
    keep_own_output(t5)


def keep_own_output(t5: T5ForConditionalGeneration) -> None:
    """Take an output embedding of its own off the list of tied weights, in place; a tied one stays on it.

    transformers 5 takes every T5 for a tied one and ties it anew whenever its embeddings are resized; peft updates the
    output with the input's rows. Both read `_tied_weights_keys`.
    """
    if not is_tied(t5):
        tied: dict[str, str] = t5._tied_weights_keys
        t5._tied_weights_keys = {name: source for name, source in tied.items() if name != "lm_head.weight"}


def resize_embeddings(t5: T5ForConditionalGeneration, num_ids: int) -> None:
    """Give a T5 `num_ids` embeddings, in place: rows that it has stay as they are, tied or not.

    New rows are drawn from a normal distribution with the mean and covariance of the old ones; those of an output of
    its own from the output's.
    """
    keep_own_output(t5)
    t5.resize_token_embeddings(num_ids)


def for_inference(t5: T5ForConditionalGeneration, precision: Precision = "float32") -> InferenceT5:
    """Take a snapshot of a T5's weights for writing.

    Raises:
        RemogptError: if the device does not have the precision, or the T5 holds updates beside its weights.
    """
    if not isinstance(t5, T5ForConditionalGeneration):
        raise RemogptError(f"a {type(t5).__name__} holds updates beside its weights; merge them before it writes")
    return InferenceT5(t5.state_dict(), size_of(t5.config), precision)


class InferenceCache:
    """Keeps a T5's snapshot for as long as its weights and the precision stay the same."""

    def __init__(self) -> None:
        self._stamp: tuple[Any, ...] = ()
        self._snapshot: InferenceT5 | None = None

    def __call__(self, t5: T5ForConditionalGeneration, precision: Precision) -> InferenceT5:
        """Return a snapshot of the present weights."""
        # An in-place change raises a weight's version; weights loaded in inference mode have none and never change.
        versions = [(w.data_ptr(), 0 if w.is_inference() else w._version) for w in t5.parameters()]
        stamp = (id(t5), precision, *versions)
        snapshot = self._snapshot
        if snapshot is None or stamp != self._stamp:
            self._snapshot = None  # the old one goes before the new one comes
            snapshot = for_inference(t5, precision)
            self._snapshot, self._stamp = snapshot, stamp
        return snapshot
