"""Text towers: a small trainable transformer over frozen token states, or a pretrained transformer tuned in place.

Both read what their text source prepares (`remogpt.retriever.text.frozen_text_model`) and give one vector a sentence.
"""

from typing import Any

from torch import Tensor, nn

from remogpt.retriever.networks.transformer import SequenceEncoder
from remogpt.retriever.padding import real_positions


class TokenStateTower(nn.Module):
    """A transformer that reads frozen token states into one vector.

    A frozen sentence vector hardly tells left from right; token states do, once attention may pick the words.
    Source: TMR's text encoder, arXiv 2305.00976, sec. 3.1, without its VAE; differs: narrower.
    """

    def __init__(
        self, state_dim: int, width: int, num_layers: int, num_heads: int, feedforward: int, dropout: float
    ) -> None:
        super().__init__()
        self.encoder = SequenceEncoder(state_dim, width, num_layers, num_heads, feedforward, dropout)
        self.output_dim = width

    def forward(self, states: Tensor, lengths: Tensor) -> Tensor:
        """Map token states (B, L, state_dim), lengths (B,) -> (B, width)."""
        vectors: Tensor = self.encoder(states, real_positions(lengths, states.shape[1]))
        return vectors


class FineTunedTower(nn.Module):
    """A pretrained transformer that is trained with the rest; its first token's last state is the sentence.

    Source: MotionPatches, arXiv 2405.04771, with distilbert-base-uncased.
    """

    def __init__(self, transformer: nn.Module) -> None:
        super().__init__()
        self.transformer = transformer
        config: Any = transformer.config
        self.output_dim = int(config.hidden_size)

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Map token ids (B, L), lengths (B,) -> (B, hidden size)."""
        states: Tensor = self.transformer(ids, attention_mask=real_positions(lengths, ids.shape[1])).last_hidden_state
        return states[:, 0]


def transformer_from_config(settings: dict[str, Any]) -> nn.Module:
    """Build the network that a saved transformers configuration describes, without weights."""
    from transformers import AutoConfig, AutoModel

    # Settings are named by model_type alone: no class path and no code from a configuration is ever followed.
    fields = {name: value for name, value in settings.items() if name not in ("model_type", "auto_map")}
    network: nn.Module = AutoModel.from_config(AutoConfig.for_model(settings["model_type"], **fields))
    return network
