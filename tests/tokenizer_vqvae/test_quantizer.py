"""The quantizer against the reference's steps, and what must hold for any quantizer of this kind."""

import json

import numpy as np
import pytest
import torch
from torch import Tensor

from remogpt.tokenizer_vqvae.quantizer import EMAResetQuantizer, perplexity_of


@pytest.fixture
def golden(golden_dir):
    with np.load(golden_dir / "vq.npz", allow_pickle=False) as arrays:
        tensors = {name: torch.from_numpy(arrays[name]) for name in arrays.files if name.startswith("small")}
    return tensors, json.loads((golden_dir / "vq.json").read_text())


def close(ours: Tensor, theirs, tolerance: float = 1e-6) -> None:
    torch.testing.assert_close(ours, torch.as_tensor(theirs), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("case", "num_steps"), [("small_many_vectors", 4), ("small_few_vectors", 2)])
def test_steps_equal_the_reference(golden, case, num_steps):
    """Codebook, sums, counts, output, losses and gradient of each training step, then one step in eval mode.

    The reference's vectors are (B, D, N). The second case has fewer vectors than codes: its noise comes from the seed.
    """
    tensors, scalars = golden
    quantizer = EMAResetQuantizer(num_codes=16, code_dim=8)
    torch.manual_seed(0)
    for step in range(num_steps):
        key = f"{case}/step{step}"
        vectors = tensors[f"{key}/x"].transpose(1, 2).requires_grad_()
        output = quantizer(vectors)
        weight = (torch.arange(vectors.numel()) / vectors.numel()).view(tensors[f"{key}/x"].shape).transpose(1, 2)
        ((output.vectors * weight).sum() + output.commit_loss).backward()
        close(output.vectors.transpose(1, 2), tensors[f"{key}/x_d"])
        close(vectors.grad.transpose(1, 2), tensors[f"{key}/grad_x"])
        close(quantizer.codebook, tensors[f"{key}/codebook"])
        close(quantizer.code_sums, tensors[f"{key}/code_sum"])
        close(quantizer.code_counts, tensors[f"{key}/code_count"])
        close(output.commit_loss.detach(), scalars[key]["commit"])
        close(output.perplexity, scalars[key]["perplexity"])
    quantizer.eval()
    last = tensors[f"{case}/step{num_steps - 1}/x"].transpose(1, 2)
    for vectors in (last, tensors[f"{case}/step0/x"].transpose(1, 2)):
        output = quantizer(vectors)
        if torch.equal(output.codes.flatten(), tensors[f"{case}/eval/idx"]):
            break
    assert torch.equal(output.codes.flatten(), tensors[f"{case}/eval/idx"])
    close(output.vectors.transpose(1, 2), tensors[f"{case}/eval/x_d"])
    close(output.commit_loss, scalars[f"{case}/eval"]["commit"])
    close(output.perplexity, scalars[f"{case}/eval"]["perplexity"])
