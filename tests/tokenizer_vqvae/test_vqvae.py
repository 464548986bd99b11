"""The VQ-VAE against the reference network with the reference's own weights."""

import json
import sys

import numpy as np
import pytest
import torch

from remogpt.runtime.errors import RemogptError
from remogpt.tokenizer_vqvae.import_t2mgpt import from_reference, reference_key_map
from remogpt.tokenizer_vqvae.losses import LossWeights, tokenizer_loss
from remogpt.tokenizer_vqvae.normalizer import Normalizer
from remogpt.tokenizer_vqvae.vqvae import MotionVQVAE

TOLERANCE = {"rtol": 1e-5, "atol": 1e-5}
"""Sums of a few hundred float32 products, which convolution libraries order differently."""


@pytest.fixture
def arrays(golden_dir):
    with np.load(golden_dir / "vq.npz", allow_pickle=False) as stored:
        return {name: torch.from_numpy(stored[name]) for name in stored.files if name.startswith("vqvae")}


@pytest.fixture
def scalars(golden_dir):
    return json.loads((golden_dir / "vq.json").read_text())


@pytest.fixture
def reference(arrays, scalars):
    """Ours, with the reference's weights; the codebook has not been started."""
    state = {name.removeprefix("vqvae/state/"): t for name, t in arrays.items() if name.startswith("vqvae/state/")}
    codebook = torch.zeros(32, 16)
    assert set(state) == set(scalars["vqvae_train"]["param_names"])
    vqvae = MotionVQVAE(width=24, code_dim=16, num_codes=32)
    renamed = from_reference({**state, "quantizer.codebook": codebook})
    missing, unexpected = vqvae.load_state_dict(renamed, strict=False)
    assert not unexpected
    assert set(missing) == {"quantizer.code_sums", "quantizer.code_counts", "quantizer.is_initialized"}
    return vqvae


def plain_normalizer(num_features: int = 263) -> Normalizer:
    return Normalizer(torch.zeros(num_features), torch.ones(num_features))


def test_training_step_equals_the_reference(reference, arrays, scalars):
    """Reconstruction, losses, codebook and the gradient norm of every weight."""
    expected = scalars["vqvae_train"]
    torch.manual_seed(5)
    output = reference.train()(arrays["vqvae/x"])
    loss, terms = tokenizer_loss(output, arrays["vqvae/x"], plain_normalizer(), LossWeights())
    loss.backward()
    torch.testing.assert_close(output.reconstruction.detach(), arrays["vqvae/train_recon"], **TOLERANCE)
    torch.testing.assert_close(reference.quantizer.codebook, arrays["vqvae/codebook_after_train_step"], **TOLERANCE)
    assert terms["reconstruction"] == pytest.approx(expected["recons_smooth_l1"], abs=1e-5)
    assert terms["positions"] == pytest.approx(expected["recons_velocity_ch4_67"], abs=1e-5)
    assert terms["commit"] == pytest.approx(expected["commit"], abs=1e-5)
    assert loss.item() == pytest.approx(expected["total_rec_0p02commit_0p5vel"], abs=1e-5)
    assert output.perplexity.item() == pytest.approx(expected["perplexity"], rel=1e-5)
    names = reference_key_map()
    gradients = {name: parameter.grad.norm().item() for name, parameter in reference.named_parameters()}
    for theirs, norm in expected["grad_norms"].items():
        assert gradients[names[theirs]] == pytest.approx(norm, rel=1e-4), theirs


def test_inference_equals_the_reference(reference, arrays, scalars):
    reference.eval().quantizer.set_codebook_(arrays["vqvae/codebook_after_train_step"])
    with torch.no_grad():
        output = reference(arrays["vqvae/x"])
        vectors = reference.encode_vectors(arrays["vqvae/x"])
        codes = reference.encode(arrays["vqvae/x"])
        decoded = reference.decode(codes[:1])
    assert torch.equal(codes, arrays["vqvae/eval_idx"])
    assert torch.equal(output.codes, arrays["vqvae/eval_idx"])
    torch.testing.assert_close(output.reconstruction, arrays["vqvae/eval_recon"], **TOLERANCE)
    torch.testing.assert_close(vectors.transpose(1, 2), arrays["vqvae/eval_encoder_out"], **TOLERANCE)
    torch.testing.assert_close(decoded, arrays["vqvae/eval_decode_idx0"], **TOLERANCE)
    assert output.commit_loss.item() == pytest.approx(scalars["vqvae_eval"]["commit"], abs=1e-5)
    assert output.perplexity.item() == pytest.approx(scalars["vqvae_eval"]["perplexity"], rel=1e-5)


def test_the_default_is_the_papers_size(scalars):
    with torch.device("meta"):
        vqvae = MotionVQVAE()
    expected = scalars["full_size_params"]
    assert sum(p.numel() for p in vqvae.encoder.parameters()) == expected["encoder"] == 9_587_200
    assert sum(p.numel() for p in vqvae.decoder.parameters()) == expected["decoder"] == 9_849_607
    assert sum(p.numel() for p in vqvae.parameters()) == expected["total"] == 19_436_807


def test_dilations_run_from_large_to_small_on_both_sides():
    vqvae = MotionVQVAE(width=8, code_dim=4, num_codes=4)
    for network in (vqvae.encoder, vqvae.decoder):
        for stage in network.stages:
            assert [unit.dilated.dilation[0] for unit in stage.residuals] == [9, 3, 1]


def test_code_and_frame_counts(scalars):
    vqvae = MotionVQVAE(width=8, code_dim=4, num_codes=4).eval()
    with torch.no_grad():
        for num_frames, num_codes in scalars["token_count_for_frames"].items():
            assert vqvae.encode(torch.zeros(1, int(num_frames), 263)).shape == (1, num_codes)
        for num_codes, num_frames in scalars["frames_for_tokens"].items():
            assert vqvae.decode(torch.zeros(1, int(num_codes), dtype=torch.long)).shape == (1, num_frames, 263)


def test_other_checkpoints_are_refused_by_name():
    state = {name: torch.zeros(1) for name in reference_key_map() if "encoder.model.4" not in name}
    with pytest.raises(RemogptError, match=r"2 are missing .*encoder\.model\.4\.weight.*1 are unknown .*extra"):
        from_reference({**state, "extra": torch.zeros(1)})


@pytest.mark.parametrize(
    ("kind", "num_codes", "levels"),
    [
        ("residual", 512, (512, 512)),
        ("residual", 7, (6, 1)),
        ("residual", 8, (8,)),
        ("residual", 8, ()),
        ("ema", 8, (4, 4)),
    ],
)
def test_levels_that_do_not_make_the_codes(kind, num_codes, levels):
    with pytest.raises(RemogptError, match=f"quantizer {kind} with levels .* num_codes {num_codes}: "):
        MotionVQVAE(width=8, code_dim=4, num_codes=num_codes, quantizer=kind, levels=levels)


def test_an_unknown_quantizer_is_refused():
    with pytest.raises(RemogptError, match="wanted a quantizer of ema, residual, got 'lfq'"):
        MotionVQVAE(width=8, code_dim=4, num_codes=4, quantizer="lfq")


def test_the_library_is_for_the_residual_quantizer_alone(monkeypatch):
    """The paper's quantizer does without it; the other says what to install."""
    monkeypatch.delitem(sys.modules, "remogpt.tokenizer_vqvae.residual_quantizer", raising=False)
    monkeypatch.setitem(sys.modules, "vector_quantize_pytorch", None)
    assert MotionVQVAE(width=8, code_dim=4, num_codes=16).quantizer.num_codes == 16
    with pytest.raises(RemogptError, match=r"quantizer residual needs vector-quantize-pytorch: pip install"):
        MotionVQVAE(width=8, code_dim=4, num_codes=16, quantizer="residual", levels=(8, 8))
