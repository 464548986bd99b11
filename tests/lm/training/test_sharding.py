"""Training with FSDP: weights split over two processes, files whole.

accelerate shards on GPUs alone; here it is told that it may on a CPU. Splitting, messages and files are the real ones.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from accelerate import Accelerator, FullyShardedDataParallelPlugin
from accelerate.state import AcceleratorState, PartialState
from accelerate.utils import DistributedType
from torch import nn
from torch.distributed.fsdp import FSDPModule

from remogpt.lm import MotionLanguageModel, T5Size
from remogpt.lm.training.samples import CodedClip
from remogpt.lm.training.train import LanguageModelConfig, train_language_model
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.training import loop as training
from remogpt.runtime.training.loop import LoopConfig, fit
from remogpt.runtime.training.stage import Stage
from tests.two_processes import run_in_two_processes

pytestmark = pytest.mark.slow

LOOP = LoopConfig(steps=4, batch_size=8, learning_rate=1e-3, accumulation=2, grad_clip=1.0, log_every=2, save_every=2,
                  evaluate_every=3, cpu=True)  # fmt: skip
CONFIG = LanguageModelConfig(size=T5Size(32, 64, 1, 1, 2, 16, "gated-gelu", 0.0), vocabulary_size=320, num_codes=32,
                             loop=LOOP)  # fmt: skip
Make = Callable[..., Accelerator]


def accelerators(make: Make, version: int | None) -> Make:
    """Make accelerators that believe to have GPUs and FSDP of a version, or that know that they do not."""

    def made(*args: Any) -> Accelerator:
        AcceleratorState._reset_state()
        PartialState._shared_state["distributed_type"] = DistributedType.MULTI_CPU
        accelerator = make(*args)
        if version is not None:
            accelerator.state.fsdp_plugin = FullyShardedDataParallelPlugin(
                fsdp_version=version, auto_wrap_policy="transformer_based_wrap",
                transformer_cls_names_to_wrap=["T5Block"], cpu_ram_efficient_loading=version == 2,
            )  # fmt: skip
            PartialState._shared_state["distributed_type"] = accelerator.state.distributed_type = DistributedType.FSDP
        return accelerator

    return made


class KilledError(Exception):
    pass


def _learn(rank: int, folder: Path, clips: list[CodedClip]) -> None:
    def train(run: str, config: LanguageModelConfig = CONFIG) -> None:
        train_language_model(config, clips, folder / f"{run}_{rank}", folder / run, validation=clips)

    forward, make, passes, split = MotionLanguageModel.forward, training._accelerator, iter(range(1000)), []

    def dying(self: MotionLanguageModel, batches: Any) -> Any:
        split.append(isinstance(self, FSDPModule) and isinstance(self.t5.decoder.block[0], FSDPModule))
        if next(passes) == 7:
            raise KilledError
        return forward(self, batches)

    train("replicas")
    training._accelerator = accelerators(make, 2)
    train("shards")
    MotionLanguageModel.forward = dying
    with pytest.raises(KilledError):
        train("broken")
    MotionLanguageModel.forward = forward
    assert all(split)
    dist.barrier()
    training._accelerator = accelerators(make, None)
    with pytest.raises(RemogptError, match="was begun with FSDP; go on with it"):
        train("broken")
    training._accelerator = accelerators(make, 2)
    train("broken")
    complaints = []
    for version, can_be_sharded in ((2, False), (1, True)):
        training._accelerator = accelerators(make, version)
        with pytest.raises(RemogptError) as caught:
            stage = Stage(nn.Linear(1, 1), 8, None, config={}, data="d", can_be_sharded=can_be_sharded)
            fit(stage, LOOP, folder / "none")
        complaints.append(str(caught.value))
    torch.save(complaints, folder / f"complaints{rank}")
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, clips: list[CodedClip]) -> Path:
    """Runs of two processes: each with all weights, with half of them, and with half of them and a kill."""
    folder = tmp_path_factory.mktemp("runs")
    run_in_two_processes(_learn, folder, clips)
    return folder


def test_shards_learn_what_replicas_do(runs: Path) -> None:
    replicas, shards = (MotionLanguageModel.from_pretrained(runs / f"{name}_0") for name in ("replicas", "shards"))
    for name, value in replicas.state_dict().items():
        torch.testing.assert_close(shards.state_dict()[name], value, rtol=1e-5, atol=1e-5, msg=name)
    assert MotionLanguageModel.from_pretrained(runs / "shards_1").hash == shards.hash
    assert replicas.t5.lm_head.weight is replicas.t5.shared.weight
    logs = [(runs / name / "log.jsonl").read_text().splitlines() for name in ("replicas", "shards")]
    assert len(logs[0]) == len(logs[1]) == LOOP.steps / 2 + 2


def test_a_killed_run_ends_with_the_same_weights(runs: Path) -> None:
    hashes = {MotionLanguageModel.from_pretrained(runs / f"{name}_0").hash for name in ("shards", "broken")}
    assert len(hashes) == 1


@pytest.mark.parametrize("rank", [0, 1])
def test_what_cannot_be_split_is_refused(runs: Path, rank: int) -> None:
    small, first_version = torch.load(runs / f"complaints{rank}", weights_only=True)
    assert "FSDP splits the language model alone" in small and "--fsdp_version 2" in first_version
