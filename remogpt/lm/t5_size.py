"""The shape of a T5."""

from dataclasses import dataclass
from typing import Literal


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

    @property
    def output_scale(self) -> float:
        """Factor on the decoder's output before the output embedding."""
        return float(self.width) ** -0.5 if self.scaled_output else 1.0
