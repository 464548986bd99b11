"""The quantizer against the reference's steps, and what must hold for any quantizer of this kind."""

import json

import numpy as np
import pytest
import torch
import torch.distributed as dist
from torch import Tensor

from remogpt.tokenizer_vqvae.ema_reset_quantizer import EMAResetQuantizer, perplexity_of
from tests.two_processes import run_in_two_processes


@pytest.fixture
def golden(golden_dir):
    with np.load(golden_dir / "vq.npz", allow_pickle=False) as arrays:
        tensors = {name: torch.from_numpy(arrays[name]) for name in arrays.files if name.startswith("small")}
    return tensors, json.loads((golden_dir / "vq.json").read_text())


def close(ours: Tensor, theirs, tolerance: float = 1e-6) -> None:
    torch.testing.assert_close(ours, torch.as_tensor(theirs), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("case", "num_steps"), [("small_many_vectors", 4), ("small_few_vectors", 2)])
def test_steps_equal_the_reference(golden, case, num_steps):
    """Codebook, sums, counts, output, losses and gradient of each training step, then one pass in eval mode.

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
    output = quantizer.eval()(tensors[f"{case}/step0/x"].transpose(1, 2))
    assert torch.equal(output.codes.flatten(), tensors[f"{case}/eval/idx"])
    close(output.vectors.transpose(1, 2), tensors[f"{case}/eval/x_d"])
    close(output.commit_loss, scalars[f"{case}/eval"]["commit"])
    close(output.perplexity, scalars[f"{case}/eval"]["perplexity"])


def test_gradient_passes_straight_through():
    quantizer = EMAResetQuantizer(num_codes=4, code_dim=3)
    vectors = torch.randn(2, 5, 3, requires_grad=True)
    quantizer(vectors).vectors.sum().backward()
    assert torch.equal(vectors.grad, torch.ones_like(vectors))


def test_output_is_a_codebook_row_and_ties_take_the_lowest_code():
    quantizer = EMAResetQuantizer(num_codes=3, code_dim=1).eval()
    quantizer.set_codebook_(torch.tensor([[1.0], [-1.0], [5.0]]))
    output = quantizer(torch.tensor([[[0.0], [4.0], [-3.0]]]))
    assert output.codes.tolist() == [[0, 2, 1]]
    assert output.vectors.tolist() == [[[1.0], [5.0], [-1.0]]]


def test_eval_mode_changes_nothing():
    quantizer = EMAResetQuantizer(num_codes=4, code_dim=3)
    quantizer(torch.randn(2, 5, 3))
    before = {name: tensor.clone() for name, tensor in quantizer.state_dict().items()}
    quantizer.eval()(torch.randn(2, 5, 3))
    assert all(torch.equal(tensor, before[name]) for name, tensor in quantizer.state_dict().items())


def test_state_dict_carries_the_moving_state():
    """A quantizer restored in the middle goes on as the unbroken one; the reference would start its codebook anew."""
    torch.manual_seed(3)
    batches = [torch.randn(4, 5, 3) for _ in range(6)]
    unbroken, first, second = (EMAResetQuantizer(num_codes=8, code_dim=3) for _ in range(3))
    for batch in batches:
        unbroken(batch)
    for batch in batches[:3]:
        first(batch)
    second.load_state_dict(first.state_dict())
    for batch in batches[3:]:
        second(batch)
    assert all(torch.equal(tensor, second.state_dict()[name]) for name, tensor in unbroken.state_dict().items())


def test_dead_codes_become_vectors_of_the_batch():
    quantizer = EMAResetQuantizer(num_codes=3, code_dim=1, decay=0.5, dead_below=1.0)
    quantizer.set_codebook_(torch.tensor([[0.0], [10.0], [20.0]]))
    quantizer(torch.tensor([[[1.0], [3.0], [7.0], [2.0]]]))
    # Codes 0 and 1 are alive (counts 2 and 1), code 2 fell to 0.5 and takes the vector of its own number.
    assert quantizer.code_counts.tolist() == [2.0, 1.0, 0.5]
    assert quantizer.codebook.flatten().tolist() == [3.0 / 2.0, 8.5, 7.0]
    assert quantizer.num_dead() == 1


def test_rounds_of_a_step_move_the_codebook_as_the_whole_batch_does():
    torch.manual_seed(4)
    whole, in_rounds = (EMAResetQuantizer(num_codes=6, code_dim=3, decay=0.5) for _ in range(2))
    in_rounds.rounds = 2
    for batch in torch.randn(3, 4, 5, 3):
        whole(batch)
        for part in batch.chunk(2):
            in_rounds(part)
        for name, tensor in whole.state_dict().items():
            close(in_rounds.state_dict()[name], tensor)


def test_perplexity_counts_equally_used_codes():
    assert perplexity_of(torch.tensor([5.0, 5.0, 0.0])).item() == pytest.approx(2.0, abs=1e-5)
    assert perplexity_of(torch.tensor([7.0, 0.0, 0.0])).item() == pytest.approx(1.0, abs=1e-5)


def _train_share(rank: int, batches: Tensor, folder: str) -> None:
    dist.init_process_group("gloo")
    quantizer = EMAResetQuantizer(num_codes=6, code_dim=3)
    for batch in batches:
        quantizer(batch.chunk(2)[rank])
    torch.save(quantizer.state_dict(), f"{folder}/{rank}.pt")
    dist.destroy_process_group()


@pytest.mark.slow
def test_two_processes_hold_the_codebook_of_the_whole_batch(tmp_path):
    torch.manual_seed(1)
    batches = torch.randn(4, 4, 5, 3)
    whole = EMAResetQuantizer(num_codes=6, code_dim=3)
    for batch in batches:
        whole(batch)
    run_in_two_processes(_train_share, batches, str(tmp_path))
    for rank in range(2):
        state = torch.load(tmp_path / f"{rank}.pt", weights_only=True)
        for name, tensor in whole.state_dict().items():
            torch.testing.assert_close(state[name], tensor, rtol=1e-6, atol=1e-6)
