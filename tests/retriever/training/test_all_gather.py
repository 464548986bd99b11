"""Two processes on the CPU learn what one does from the whole batch."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

from remogpt.retriever.networks.pl_tmr import PLTMRConfig
from remogpt.retriever.networks.tmr import TMRConfig
from remogpt.retriever.retriever import TextMotionRetriever
from remogpt.retriever.training.all_gather import check_equal_shares, gather_rows
from remogpt.retriever.training.new_retriever import new_retriever, new_tmr_retriever
from remogpt.retriever.training.pairs import TrainingPairs
from remogpt.retriever.training.pl_tmr import PairBatches, RetrieverConfig, train_retriever
from remogpt.retriever.training.tmr import TMRTrainingConfig, train_tmr
from remogpt.retriever.training.tmr import _Batches as TMRBatches
from remogpt.retriever.training.tmr_losses import TMRLosses
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.training.loop import LoopConfig
from tests.two_processes import run_in_two_processes

pytestmark = pytest.mark.slow

MODEL = PLTMRConfig(
    part_width=8, num_layers=1, num_heads=2, feedforward=16, dropout=0.0, projection_dim=8, patch=8, head_dropout=0.0,
    learn_temperature=True, text_width=16, text_layers=1, text_heads=2, text_feedforward=16,
)  # fmt: skip
LOOP = LoopConfig(steps=2, batch_size=8, learning_rate=1e-3, save_every=1, log_every=1, cpu=True)
WAYS = ("walks to the left", "runs to the right then waves the left", "waves", "walks")


def config_of(text_model: str) -> RetrieverConfig:
    return RetrieverConfig(
        model=MODEL, text_model=text_model, fine_tune_text=False, filter_threshold=0.999, text_lr_scale=1.0,
        num_val_clips=4, loop=LOOP,
    )  # fmt: skip


def pairs_of() -> TrainingPairs:
    rng = np.random.default_rng(0)
    motions = [rng.normal(size=(int(rng.integers(20, 40)), 263)).astype(np.float32) for _ in range(16)]
    pairs = TrainingPairs.from_arrays([(f"a person {WAYS[n % 4]}",) for n in range(16)], motions)
    return replace(pairs, groups=np.arange(16) % 7)


def read_jsonl(path: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def build(text_model: str) -> tuple[TextMotionRetriever, PairBatches]:
    config, pairs = config_of(text_model), pairs_of()
    torch.manual_seed(0)
    retriever = new_retriever(MODEL, text_model, False, *pairs.statistics())
    return retriever, PairBatches(config, pairs, retriever, [])


def two_losses(batches: PairBatches, model: torch.nn.Module, shares: tuple[np.ndarray, ...]) -> list[float]:
    """Two steps' gradients, summed."""
    losses = []
    for share in shares:
        loss, _ = batches.loss(model, share, np.random.default_rng(0))
        loss.backward()
        losses.append(loss.item())
    return losses


def tmr_config_of(text_model: str) -> TMRTrainingConfig:
    """Without reconstruction the decoder gets no gradient."""
    return TMRTrainingConfig(
        model=TMRConfig(width=16, num_layers=1, feedforward=16, dropout=0.0, is_variational=False),
        losses=TMRLosses(reconstruction=0.0, latent=0.5), num_val_clips=4,
        text_model=text_model, filter_model=text_model, filter_threshold=0.999, loop=LOOP,
    )  # fmt: skip


def tmr_gradients(text_model: str, rank: int | None) -> dict[str, torch.Tensor]:
    """TMR's gradients of a batch, of one process (None) or of the half that a process has."""
    config = tmr_config_of(text_model)
    pairs = pairs_of()
    mean, std = (torch.from_numpy(values) for values in pairs.statistics())
    torch.manual_seed(0)
    retriever = new_tmr_retriever(config.model, text_model, mean, std)
    batches = TMRBatches(config, pairs, retriever, pairs.unique_captions())
    network, share = retriever.network, np.arange(8)
    model = network if rank is None else DistributedDataParallel(network, find_unused_parameters=True)
    own = share if rank is None else np.array_split(share, 2)[rank]
    batches.loss(model, own, np.random.default_rng(0))[0].backward()
    return {name: weight.grad for name, weight in network.named_parameters() if weight.grad is not None}


def _gather(rank: int) -> list[torch.Tensor | str]:
    rows = torch.full((2, 3), rank + 1.0, requires_grad=True)
    joined = gather_rows(rows)
    (joined.sum(dim=1) * torch.arange(4.0) * (rank + 1)).sum().backward()
    complaints = []
    for shares in ((9, 1), (4, 2, 2)):
        try:
            check_equal_shares(*shares)
        except RemogptError as error:
            complaints.append(str(error))
    assert rows.grad is not None
    return [joined.detach(), rows.grad, *complaints]


def _learn_share(rank: int, folder: str, text_model: str) -> None:
    dist.init_process_group("gloo")
    torch.save(_gather(rank), f"{folder}/gathered{rank}.pt")
    torch.save(tmr_gradients(text_model, rank), f"{folder}/tmr{rank}.pt")
    retriever, batches = build(text_model)
    model = DistributedDataParallel(retriever.network)
    halves = tuple(np.array_split(array, 2)[rank] for array in np.arange(16).reshape(2, 8))
    losses = two_losses(batches, model, halves)
    gradients = {name: parameter.grad for name, parameter in retriever.network.named_parameters()}
    torch.save({"losses": losses, "gradients": gradients}, f"{folder}/{rank}.pt")
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def shares(tiny_text_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two processes found."""
    folder = tmp_path_factory.mktemp("shares")
    build(str(tiny_text_model))  # embeds the captions once, for both processes
    run_in_two_processes(_learn_share, str(folder), str(tiny_text_model))
    return folder


@pytest.mark.parametrize("rank", [0, 1])
def test_rows_are_joined_in_order_and_gradients_come_back(shares: Path, rank: int) -> None:
    joined, gradient, unequal, few = torch.load(shares / f"gathered{rank}.pt", weights_only=True)
    assert joined[:, 0].tolist() == [1.0, 1.0, 2.0, 2.0]
    # Row r has r from the loss of process 0 and 2 r from that of process 1.
    assert gradient[:, 0].tolist() == [3.0 * (2 * rank), 3.0 * (2 * rank + 1)]
    assert "loop.batch_size 9 does not split into equal shares of 2 processes" in unequal
    assert few == (
        "loop.batch_size 4 is 1 for each of 2 processes in a round (loop.accumulation 2), but 2 are needed; make it at "
        "least 8"
    )


def test_gradients_are_those_of_the_whole_batch(tiny_text_model: Path, shares: Path) -> None:
    retriever, batches = build(str(tiny_text_model))
    losses = two_losses(batches, retriever.network, tuple(np.arange(16).reshape(2, 8)))
    for rank in range(2):
        found = torch.load(shares / f"{rank}.pt", weights_only=True)
        assert found["losses"] == pytest.approx(losses, abs=1e-5)
        for name, parameter in retriever.network.named_parameters():
            torch.testing.assert_close(found["gradients"][name], parameter.grad, rtol=1e-4, atol=1e-6, msg=name)
    largest = max(parameter.grad.abs().max() for parameter in retriever.network.parameters())
    assert largest > 1e-2


@pytest.mark.parametrize("rank", [0, 1])
def test_tmr_contrasts_the_whole_batch_too(tiny_text_model: Path, shares: Path, rank: int) -> None:
    whole = tmr_gradients(str(tiny_text_model), None)
    found = torch.load(shares / f"tmr{rank}.pt", weights_only=True)
    assert whole and set(whole) <= set(found)
    for name, gradient in whole.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-4, atol=1e-6, msg=name)


def test_one_process_gathers_nothing() -> None:
    rows = torch.ones(2, 3)
    assert gather_rows(rows) is rows
    check_equal_shares(8, 2)
    with pytest.raises(RemogptError, match=r"loop\.accumulation 4"):
        check_equal_shares(4, 4)


def _train(rank: int, folder: str, text_model: str) -> None:
    pairs = pairs_of()
    trained = train_retriever(config_of(text_model), pairs, pairs, f"{folder}/run", f"{folder}/out{rank}")
    tmr = train_tmr(tmr_config_of(text_model), pairs, pairs, f"{folder}/tmr_run", f"{folder}/tmr{rank}")
    small = replace(tmr_config_of(text_model), loop=replace(LOOP, batch_size=2))
    with pytest.raises(RemogptError, match="but 2 are needed; make it at least 4"):
        train_tmr(small, pairs, pairs, f"{folder}/small", f"{folder}/none{rank}")
    Path(folder, f"hashes{rank}").write_text(f"{trained.hash} {tmr.hash}")
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def trained(tiny_text_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of two processes, and of one."""
    folder, text_model = tmp_path_factory.mktemp("trained"), str(tiny_text_model)
    run_in_two_processes(_train, str(folder), text_model)
    pairs = pairs_of()
    train_retriever(config_of(text_model), pairs, pairs, folder / "alone", folder / "out")
    train_tmr(tmr_config_of(text_model), pairs, pairs, folder / "tmr_alone", folder / "tmr")
    return folder


@pytest.mark.parametrize("prefix", ["", "tmr_"])
def test_a_whole_run_of_two_processes(trained: Path, prefix: str) -> None:
    assert (trained / "hashes0").read_text() == (trained / "hashes1").read_text()
    logs = [read_jsonl(trained / f"{prefix}{name}" / "log.jsonl") for name in ("run", "alone")]
    assert len(logs[0]) == LOOP.steps + 1
    own = {"loss", "latent"} if prefix else set()  # TMR's latent term is the mean over a process's own share
    for one, other in zip(*logs, strict=True):
        assert one.keys() == other.keys()
        for name in one.keys() - own:
            assert one[name] == pytest.approx(other[name], abs=1e-4), name


def test_a_decoder_that_no_loss_asks_for_stays_as_it_was(trained: Path) -> None:
    saved = [torch.load(trained / name / "training.pt", weights_only=True) for name in ("tmr_run", "tmr_alone")]
    decoders = [{k: v for k, v in run["model"].items() if k.startswith("motion_decoder")} for run in saved]
    assert decoders[0] and all(torch.equal(value, decoders[1][name]) for name, value in decoders[0].items())
    assert saved[0]["optimizer"]["state"].keys() == saved[1]["optimizer"]["state"].keys()
