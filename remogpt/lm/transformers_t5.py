"""Convert shapes and weights between transformers' T5, which is trained, and `InferenceT5`, which writes."""

from typing import Any

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
