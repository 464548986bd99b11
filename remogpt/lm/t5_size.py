"""The shape of a T5: what is set for one made from scratch, and what is read off one that exists."""

from dataclasses import dataclass
from typing import Any, Literal

from transformers import T5Config

from remogpt.lm.vocabulary import Vocabulary


@dataclass(frozen=True)
class T5Size:
    """Shape of a T5 made from scratch. The defaults are flan-t5-base's."""

    width: int = 768
    """Embedding width."""
    ff: int = 2048
    """Width inside the feed-forward blocks."""
    layers: int = 12
    """Encoder layers."""
    decoder_layers: int = 12
    heads: int = 12
    head_dim: int = 64
    activation: Literal["relu", "gated-gelu"] = "gated-gelu"
    dropout: float = 0.1
    scaled_output: bool = True
    """Divide the decoder's output by sqrt(width) before the output embedding, as T5 with tied embeddings does."""


def t5_config(vocabulary: Vocabulary, size: T5Size) -> T5Config:
    """Say it in transformers' words."""
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
