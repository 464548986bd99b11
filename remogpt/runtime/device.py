"""Choose the device on which networks run: a GPU if there is one, unless told otherwise.

    with on_device("cpu"):
        stages.evaluate(...)      # whatever opens a network in here opens it there

`remogpt COMMAND --device NAME` does the same. What is opened with a device of its own stays there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from remogpt.runtime.errors import RemogptError

if TYPE_CHECKING:  # slow to import, and a wrong option should be told at once
    import torch

_named: list[torch.device] = []
"""Devices of the `on_device` blocks that are open, for all threads of the process."""


@contextmanager
def on_device(name: str | torch.device | None) -> Iterator[None]:
    """Let networks run on a device while the block runs; None changes nothing.

    Raises:
        RemogptError: if this machine, or this build of PyTorch, does not have it.
    """
    if name is None:
        yield
        return
    device = usable(name)
    if device.type == "cuda" and device.index is not None:
        import torch

        torch.cuda.set_device(device)  # libraries that ask for "the GPU" get this one
    _named.append(device)
    try:
        yield
    finally:
        _named.remove(device)


def named_device() -> torch.device | None:
    """Return the device that was asked for, None where nobody did."""
    return _named[-1] if _named else None


def chosen_device() -> torch.device:
    """Return the device that was asked for, else a GPU if there is one, else the CPU."""
    import torch

    return named_device() or torch.device("cuda" if torch.cuda.is_available() else "cpu")


def usable(name: str | torch.device) -> torch.device:
    """Return a device by its name.

    Raises:
        RemogptError: if this machine, or this build of PyTorch, does not have it.
    """
    import torch

    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise RemogptError(f"no device {name!r}; give cpu, cuda, or cuda:1 for the second GPU") from error
    if device.type == "cpu" or (device.type == "mps" and torch.backends.mps.is_available()):
        return device
    if device.type != "cuda":
        raise RemogptError(f"PyTorch has no device {name!r} on this machine; give cpu or cuda")
    if not torch.cuda.is_available():
        is_cpu_build = torch.version.cuda is None and torch.version.hip is None
        raise RemogptError(
            f"PyTorch {torch.__version__} is a build for the CPU and cannot use {name}; install one for CUDA "
            "(pytorch.org), or take --device cpu"
            if is_cpu_build
            else f"PyTorch finds no GPU for {name}; ask nvidia-smi, or take --device cpu"
        )
    if device.index is not None and device.index >= torch.cuda.device_count():
        raise RemogptError(f"no device {name}: this machine has {torch.cuda.device_count()} GPUs, counted from cuda:0")
    return device
