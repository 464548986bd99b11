"""Weights that are split over the processes (FSDP through accelerate), put together for checkpoints and at the end.

    accelerate launch --use_fsdp --fsdp_version 2 --num_processes 8 ... -m remogpt.cli train lm ...

accelerate shards on GPUs alone, in the model's place. Files hold whole weights, so that what is trained this way loads
as any other; a run goes on the way it was begun. Without FSDP every function here does what a state dict does.
"""

import copy
from collections.abc import Mapping
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedType
from torch import Tensor, nn

from remogpt.runtime.errors import RemogptError


def is_sharded(accelerator: Accelerator) -> bool:
    """Whether accelerate splits the weights."""
    return bool(accelerator.distributed_type == DistributedType.FSDP)


def prepare_sharding(accelerator: Accelerator, can_be_sharded: bool) -> None:
    """Raise a `RemogptError` where weights would be split and cannot be."""
    if not is_sharded(accelerator):
        return
    if not can_be_sharded:
        raise RemogptError(
            "FSDP splits the language model alone; tokenizers and retrievers are small, and their training calls "
            "single modules: start this training with accelerate launch --multi_gpu instead of --use_fsdp"
        )
    if accelerator.state.fsdp_plugin.fsdp_version != 2:
        raise RemogptError("FSDP must split the weights in place: give accelerate launch --fsdp_version 2 too")
    # Every process has made the weights; sent from the first one, tied ones would come apart, one never trained.
    accelerator.state.fsdp_plugin.cpu_ram_efficient_loading = False


def model_state(model: nn.Module, accelerator: Accelerator) -> dict[str, Any]:
    """Return the whole weights and buffers; with FSDP all processes must ask, and the first one gets them."""
    if not is_sharded(accelerator):
        return model.state_dict()
    from torch.distributed.fsdp import FSDPModule

    for module in model.modules():
        if isinstance(module, FSDPModule):
            module.reshard()  # a pass without a backward one leaves the outermost module whole, in storage that is lent
    sharded, whole = _state_dicts()
    state: dict[str, Any] = sharded.get_model_state_dict(model, options=whole)
    return state


def optimizer_state(model: nn.Module, optimizer: Any, accelerator: Accelerator) -> dict[str, Any]:
    """Return the optimizer's whole state, likewise; with FSDP by the names of the weights, not by their numbers."""
    state: dict[str, Any]
    if is_sharded(accelerator):
        sharded, whole = _state_dicts()
        state = sharded.get_optimizer_state_dict(model, optimizer.optimizer, options=whole)
    else:
        state = optimizer.state_dict()
    return state


def load_states(model: nn.Module, optimizer: Any, saved: Mapping[str, Any], accelerator: Accelerator) -> None:
    """Load what `model_state` and `optimizer_state` gave; every process has read all of it."""
    if is_sharded(accelerator):
        sharded, whole = _state_dicts()
        sharded.set_model_state_dict(model, saved["model"], options=whole)
        sharded.set_optimizer_state_dict(model, optimizer.optimizer, saved["optimizer"], options=whole)
    else:
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])


class Whole:
    """Gives a model that was split in its place back as the module that it was."""

    def __init__(self, model: nn.Module, accelerator: Accelerator) -> None:
        """Keep a copy of the model, before accelerate prepares it."""
        self.accelerator = accelerator
        self.twin = copy.deepcopy(model).cpu() if is_sharded(accelerator) else None

    def restore_(self, model: nn.Module) -> None:
        """Make `model` whole again on every process, with its present weights."""
        if self.twin is None:
            return
        state = model_state(model, self.accelerator)
        for name, value in self.twin.state_dict().items():
            whole = state[name] if self.accelerator.is_main_process else torch.empty_like(value)
            value.copy_(_from_first(whole, self.accelerator))
        model.__class__, model.__dict__ = type(self.twin), self.twin.__dict__


def _from_first(value: Tensor, accelerator: Accelerator) -> Tensor:
    """Send a tensor of the first process to all."""
    there = value.to(accelerator.device).contiguous()
    torch.distributed.broadcast(there, src=0)
    return there.cpu()


def _state_dicts() -> tuple[Any, Any]:
    """Give torch's functions for the state dicts of split modules, and the options that ask for whole ones."""
    from torch.distributed.checkpoint import state_dict  # takes longer to import than all the rest of a training

    return state_dict, state_dict.StateDictOptions(full_state_dict=True, cpu_offload=True)
