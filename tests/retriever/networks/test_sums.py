"""Sums over time: a count shows in them, padding does not."""

import pytest
import torch

from remogpt.retriever.networks.pl_tmr import PLTMRConfig, build_pl_tmr
from remogpt.retriever.networks.text_towers import TokenStateTower
from remogpt.retriever.networks.transformer import SequenceEncoder


@pytest.mark.parametrize(("adds_up", "counts"), [(False, False), (True, True)])
def test_a_sum_counts_where_a_mean_does_not(adds_up: bool, counts: bool) -> None:
    """Two and four times the same steps, to a transformer that sees no positions: its attention takes their mean."""
    torch.manual_seed(0)
    encoder = SequenceEncoder(3, 8, 1, 2, 16, 0.0, adds_up).eval()
    steps = torch.randn(1, 5, 3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "remogpt.retriever.networks.transformer.sinusoidal_positions",
            lambda length, width: torch.zeros(length, width),
        )
        token = encoder.token.detach().clone()
        few, many = (encoder(steps.repeat(1, times, 1)) for times in (40, 80))
    assert torch.equal(token, encoder.token)
    assert (few - many).abs().max().item() > 1.0 if counts else (few - many).abs().max().item() < 0.05


def test_padding_adds_nothing() -> None:
    torch.manual_seed(0)
    config = PLTMRConfig(
        part_width=8, num_layers=1, num_heads=2, feedforward=16, projection_dim=8, patch=4, head_dropout=0.0,
        dropout=0.0, text_width=16, text_layers=1, text_heads=2, text_feedforward=16, adds_up=True,
    )  # fmt: skip
    network = build_pl_tmr(config, TokenStateTower(384, 16, 1, 2, 16, 0.0)).eval()
    features, lengths = torch.randn(2, 60, 263), torch.tensor([60, 25])
    together = network.embed_motion(features, lengths)
    alone = network.embed_motion(features[1:, :25], lengths[1:])
    assert torch.allclose(together[1:], alone, atol=1e-5)
