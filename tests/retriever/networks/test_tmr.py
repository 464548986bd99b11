"""TMR: parity with its code through the frozen vectors, parameter counts, padding, losses."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from remogpt.retriever.import_tmr import from_reference, their_name
from remogpt.retriever.networks.motion_patches import chain_weights, kit_frames
from remogpt.retriever.networks.temos import Gaussian
from remogpt.retriever.networks.tmr import TMR, TMRConfig, TMROutput
from remogpt.retriever.training.contrastive import contrastive_loss, near_duplicates
from remogpt.retriever.training.tmr_losses import (
    TMRLosses,
    filtered_share,
    kl_divergence,
    kl_terms,
    margin_loss,
    reconstruction_loss,
    tmr_loss,
)
from remogpt.runtime.errors import RemogptError

TINY = TMRConfig(width=16, num_layers=2, feedforward=32)


@pytest.fixture(scope="module")
def golden(golden_dir: Path) -> tuple[Any, dict[str, torch.Tensor]]:
    with np.load(golden_dir / "tmr_evaluator.npz", allow_pickle=False) as arrays:
        tensors = {name: torch.from_numpy(arrays[name]) for name in arrays.files}
    return json.loads((golden_dir / "tmr_evaluator.json").read_text()), tensors


@pytest.fixture(scope="module")
def tiny(golden: Any) -> tuple[TMR, dict[str, torch.Tensor]]:
    """A two-layer TMR with the reference's weights, and its batch and outputs without the prefix."""
    tensors = {name.removeprefix("tiny/"): t for name, t in golden[1].items() if name.startswith("tiny/")}
    state = {name.removeprefix("state/"): t for name, t in tensors.items() if name.startswith("state/")}
    network, config = from_reference(state)
    assert config == TINY
    return network, tensors


def run_tiny(network: TMR, batch: dict[str, torch.Tensor]) -> TMROutput:
    return network(batch["text"], batch["text_len"], batch["motion"], batch["motion_len"], use_means=True)


def small_batch(lengths: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    return torch.randn(len(lengths), max(lengths), 263), torch.tensor(lengths)


def test_tiny_tmr_encodes_and_decodes_as_the_reference(tiny: Any) -> None:
    network, batch = tiny
    output = run_tiny(network, batch)
    close = {"rtol": 0, "atol": 1e-5}
    torch.testing.assert_close(output.text_latent, batch["t_latent"], **close)
    torch.testing.assert_close(output.motion_latent, batch["m_latent"], **close)
    torch.testing.assert_close(output.from_text, batch["rec_from_text"], **close)
    torch.testing.assert_close(output.from_motion, batch["rec_from_motion"], **close)
    for name, gaussian in (("text", output.text), ("motion", output.motion)):
        pair = torch.stack([gaussian.mean, gaussian.log_variance], dim=1)
        torch.testing.assert_close(pair, batch[f"{name}_tokens_mu_logvar"], **close)


def test_tiny_tmr_has_the_references_losses_and_gradients(tiny: Any, golden: Any) -> None:
    network, batch = tiny
    network.zero_grad()
    output = run_tiny(network, batch)
    mask = near_duplicates(functional.normalize(batch["sent_emb"], dim=-1), 0.8)
    loss, terms = tmr_loss(output, batch["motion"], mask, TMRLosses())
    loss.backward()
    expected = golden[0]["tiny_tmr_losses"]
    named = {"recons": "reconstruction", "kl": "kl", "latent": "latent", "contrastive": "contrastive"}
    assert {theirs: terms[ours] for theirs, ours in named.items()} == pytest.approx(
        {theirs: expected[theirs] for theirs in named}, abs=1e-5
    )
    assert loss.item() == pytest.approx(expected["loss"], abs=1e-5)
    norms = {their_name(name): parameter.grad.norm().item() for name, parameter in network.named_parameters()}
    assert norms == pytest.approx(golden[0]["tiny_grad_norms"], rel=1e-3, abs=1e-6)


def test_kl_four_ways_equals_the_reference(golden: Any) -> None:
    expected, tensors = golden
    text = Gaussian(tensors["mu_t"], tensors["logvar_t"])
    motion = Gaussian(tensors["mu_m"], tensors["logvar_m"])
    terms = {name: term.item() for name, term in kl_terms(text, motion).items()}
    named = {"text_motion": "t_to_m", "motion_text": "m_to_t", "motion_normal": "m_to_ref", "text_normal": "t_to_ref"}
    assert terms == pytest.approx({ours: expected["kl"][theirs] for ours, theirs in named.items()}, abs=1e-5)
    assert sum(terms.values()) == pytest.approx(expected["kl"]["sum"], abs=1e-5)
    latent = functional.smooth_l1_loss(tensors["x"], tensors["y"]).item()
    assert latent == pytest.approx(expected["latent_smoothl1"], abs=1e-5)


def test_margin_loss_equals_guos(golden: Any) -> None:
    expected, tensors = golden
    x, y = tensors["x"], tensors["y"]
    # The reference's numbers are of one pair of matrices taken as positives and as negatives: a shift of 0.
    both = expected["guo_contrastive_pos"] + expected["guo_contrastive_neg"]
    assert margin_loss(x, y, shift=0).item() == pytest.approx(both, rel=1e-6)
    moved = functional.pairwise_distance(x, y[[*range(3, 16), 0, 1, 2]])
    by_hand = expected["guo_contrastive_pos"] + (10 - moved).clamp(min=0).square().mean().item()
    assert margin_loss(x, y, shift=3).item() == pytest.approx(by_hand, rel=1e-6)


def test_motion_patches_loss_chains_and_kit_frames(golden: Any) -> None:
    expected, tensors = golden
    clip_loss = contrastive_loss(tensors["x"], tensors["y"], 0.07).item()
    assert clip_loss == pytest.approx(expected["mp_clip_loss_scale_1_over_0.07"], abs=1e-5)
    joints = tensors["mp/joints"].numpy()
    assert np.abs(chain_weights() @ joints - tensors["mp/patches"].numpy()).max() < 1e-6
    for count in (25, 50, 61):
        assert np.array_equal(kit_frames(count), tensors[f"mp/kit_subsample_{count}"].numpy())
    assert len(kit_frames(0)) == 0 and kit_frames(120).max() < 120


def test_paper_size(golden: Any) -> None:
    with torch.device("meta"):
        network = TMR(TMRConfig(), 768)
    counts = {name: sum(p.numel() for p in module.parameters()) for name, module in network.named_children()}
    assert counts == golden[0]["full_param_counts"]
    assert counts == {"motion_encoder": 4_806_656, "text_encoder": 4_935_936, "motion_decoder": 6_388_231}


def test_padding_changes_nothing() -> None:
    network = TMR(TINY, 24).eval()
    features, lengths = small_batch([40, 25, 7])
    with torch.no_grad():
        together = network.embed_motion(features, lengths)
        features[1, 25:] = 99.0
        assert torch.allclose(network.embed_motion(features, lengths), together, atol=1e-6)
        assert torch.allclose(network.embed_motion(features[1:2, :25], lengths[1:2]), together[1:2], atol=1e-6)
        latent = torch.randn(3, 16)
        decoded = network.decode(latent, lengths)
        assert torch.allclose(network.decode(latent[2:], lengths[2:])[0], decoded[2, :7], atol=1e-5)
    assert decoded.shape == (3, 40, 263) and not decoded[2, 7:].any()


def test_samples_have_the_gaussians_spread() -> None:
    torch.manual_seed(0)
    draws = Gaussian(torch.full((20_000, 2), 3.0), torch.tensor([1.0, 4.0]).log().expand(20_000, 2)).sample()
    assert torch.allclose(draws.mean(dim=0), torch.tensor([3.0, 3.0]), atol=0.05)
    assert torch.allclose(draws.std(dim=0), torch.tensor([1.0, 2.0]), atol=0.05)


def test_training_draws_and_retrieval_does_not() -> None:
    network = TMR(TINY, 24).eval()
    features, lengths = small_batch([12, 9])
    text = torch.randn(2, 5, 24)
    words = torch.tensor([5, 3])
    first, second = (network(text, words, features, lengths, reconstruct=False) for _ in range(2))
    assert not torch.equal(first.text_latent, second.text_latent)
    assert torch.equal(first.text.mean, second.text.mean) and first.from_text is None
    unit = functional.normalize(first.text.mean, dim=-1)
    assert torch.equal(network.embed_text(text, words), unit)
    with pytest.raises(RemogptError, match="reconstruct=True"):
        reconstruction_loss(first, features)


def test_a_tmr_of_points_has_no_kl() -> None:
    network = TMR(TMRConfig(width=16, num_layers=1, feedforward=32, is_variational=False), 24)
    features, lengths = small_batch([12, 9])
    output = network(torch.randn(2, 5, 24), torch.tensor([5, 3]), features, lengths)
    assert output.motion.log_variance is None and torch.equal(output.motion_latent, output.motion.mean)
    _, terms = tmr_loss(output, features, None, TMRLosses())
    assert set(terms) == {"reconstruction", "latent", "contrastive"}
    with pytest.raises(RemogptError, match="points have no KL"):
        kl_divergence(output.text, output.motion)


def test_weights_choose_the_terms() -> None:
    network = TMR(TINY, 24).eval()
    features, lengths = small_batch([12, 9])
    output = network(torch.randn(2, 5, 24), torch.tensor([5, 3]), features, lengths, use_means=True)
    loss, terms = tmr_loss(output, features, None, TMRLosses(0.0, 0.0, 0.0, 2.0, contrast="margin", margin=5.0))
    expected = margin_loss(output.text_latent, output.motion_latent, 1, 5.0)
    assert set(terms) == {"contrastive"} and loss.item() == pytest.approx(2 * expected.item(), rel=1e-6)
    with pytest.raises(RemogptError, match="nothing to train on"):
        tmr_loss(output, features, None, TMRLosses(0.0, 0.0, 0.0, 0.0))


def test_share_of_filtered_pairs() -> None:
    mask = torch.eye(4, dtype=torch.bool)
    assert filtered_share(mask) == 0.0
    mask[0, 1] = mask[1, 0] = mask[2, 3] = True
    assert filtered_share(mask) == pytest.approx(3 / 12)
    assert filtered_share(torch.ones(1, 1, dtype=torch.bool)) == 0.0


def test_settings_that_make_no_sense() -> None:
    with pytest.raises(RemogptError, match=r"model\.num_features"):
        TMRConfig(num_layers=0)
    with pytest.raises(RemogptError, match=r"multiple of its 4 heads"):
        TMR(TMRConfig(width=18, num_layers=1), 24)
    with pytest.raises(RemogptError, match="0 or more"):
        TMRLosses(kl=-1.0)
    with pytest.raises(RemogptError, match="above 0"):
        TMRLosses(temperature=0.0)


@pytest.mark.parametrize("damage", ["missing", "unknown", "shape", "other"])
def test_other_weights_are_refused(tiny: Any, damage: str) -> None:
    state = {name.removeprefix("state/"): t for name, t in tiny[1].items() if name.startswith("state/")}
    if damage == "missing":
        del state["motion_decoder.final_layer.bias"]
    elif damage == "unknown":
        state["motion_decoder.pe"] = torch.zeros(1)
    elif damage == "shape":
        state["text_encoder.tokens"] = torch.zeros(2, 8)
    else:
        state = {"encoder.weight": torch.zeros(2)}
    messages = {
        "missing": r"1 are missing .*motion_decoder\.final_layer\.bias.*0 are unknown",
        "unknown": r"0 are missing .*1 are unknown .*motion_decoder\.pe",
        "shape": r"text_encoder\.tokens has shape \(2, 8\), wanted \(2, 16\)",
        "other": r"are not TMR's: .*found encoder\.weight",
    }
    with pytest.raises(RemogptError, match=messages[damage]):
        from_reference(state)
