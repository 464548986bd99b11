"""Gather weights that accelerate's FSDP splits over processes, for checkpoints and at the end of training.

    accelerate launch --use_fsdp --fsdp_version 2 --num_processes 8 ... -m remogpt.cli train lm ...

accelerate shards only on GPUs, modifying the model in place. Files hold whole weights, so the trained model loads like
any other; a run begun with FSDP must be resumed with FSDP. Without FSDP these functions use plain state dicts.
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
    """Return whether accelerate splits the weights."""
    return bool(accelerator.distributed_type == DistributedType.FSDP)


def prepare_sharding(accelerator: Accelerator, can_be_sharded: bool) -> None:
    """Raise a `RemogptError` if FSDP is on and this model cannot be split."""
    if not is_sharded(accelerator):
        return
    if not can_be_sharded:
        raise RemogptError(
            "FSDP splits the language model alone; tokenizers and retrievers are small, and their training calls "
            "single modules: start this training with accelerate launch --multi_gpu instead of --use_fsdp"
        )
    if accelerator.state.fsdp_plugin.fsdp_version != 2:
        raise RemogptError("FSDP must split the weights in place: give accelerate launch --fsdp_version 2 too")
    # Every process has initialized the weights. Broadcasting them would untie tied weights, one of which never trains.
    accelerator.state.fsdp_plugin.cpu_ram_efficient_loading = False


def model_state(model: nn.Module, accelerator: Accelerator) -> dict[str, Any]:
    """Return the whole weights and buffers; with FSDP all processes must call this, and only the first gets them."""
    if not is_sharded(accelerator):
        return model.state_dict()
    from torch.distributed.fsdp import FSDPModule

    for module in model.modules():
        if isinstance(module, FSDPModule):
            module.reshard()  # after a forward pass without backward it still holds gathered weights
    sharded, whole = _state_dicts()
    state: dict[str, Any] = sharded.get_model_state_dict(model, options=whole)
    return state


def optimizer_state(model: nn.Module, optimizer: Any, accelerator: Accelerator) -> dict[str, Any]:
    """Return the optimizer's whole state, called like `model_state`; FSDP keys it by weight names, not indices."""
    state: dict[str, Any]
    if is_sharded(accelerator):
        sharded, whole = _state_dicts()
        state = sharded.get_optimizer_state_dict(model, optimizer.optimizer, options=whole)
    else:
        state = optimizer.state_dict()
    return state


def load_states(model: nn.Module, optimizer: Any, saved: Mapping[str, Any], accelerator: Accelerator) -> None:
    """Load the states of `model_state` and `optimizer_state`; every process passes the whole states."""
    if is_sharded(accelerator):
        sharded, whole = _state_dicts()
        sharded.set_model_state_dict(model, saved["model"], options=whole)
        sharded.set_optimizer_state_dict(model, optimizer.optimizer, saved["optimizer"], options=whole)
    else:
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])


class Whole:
    """Restores the original module of a model that FSDP modified in place."""

    def __init__(self, model: nn.Module, accelerator: Accelerator) -> None:
        """Copy the model; call this before accelerate prepares it."""
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
    """Broadcast a tensor of the first process."""
    there = value.to(accelerator.device).contiguous()
    torch.distributed.broadcast(there, src=0)
    return there.cpu()


def _state_dicts() -> tuple[Any, Any]:
    """Return torch's state-dict functions for split modules, and the options that gather whole weights."""
    from torch.distributed.checkpoint import state_dict  # slow to import

    return state_dict, state_dict.StateDictOptions(full_state_dict=True, cpu_offload=True)
