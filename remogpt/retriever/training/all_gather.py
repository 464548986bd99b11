"""Share rows between training processes, so that each contrasts the whole batch and not its own share alone.

With one process every function here returns its argument.
"""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from remogpt.runtime.errors import RemogptError


def num_processes() -> int:
    """Return the number of processes that train together."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def check_equal_shares(batch_size: int, accumulation: int, least: int = 1) -> None:
    """Raise a `RemogptError` unless every process gets as many samples in every round, and no fewer than `least`."""
    shares = num_processes() * accumulation
    if batch_size % shares or batch_size // accumulation < 2:
        raise RemogptError(
            f"loop.batch_size {batch_size} does not split into equal shares of {num_processes()} processes and "
            f"loop.accumulation {accumulation} of 2 or more in a round; make it a larger multiple of {shares}"
        )
    if batch_size // shares < least:
        raise RemogptError(
            f"loop.batch_size {batch_size} is {batch_size // shares} for each of {num_processes()} processes in a "
            f"round (loop.accumulation {accumulation}), but {least} are needed; make it at least {least * shares}"
        )


def gather_rows(rows: Tensor) -> Tensor:
    """Join the (B, ...) tensors of all processes to (processes x B, ...), in the order of processes.

    The gradient of every process's loss flows back to the process that made a row, summed. When each process computes
    the loss of the whole batch and gradients of weights are averaged over processes, as accelerate does, the result is
    the gradient of one process with the whole batch.
    """
    if num_processes() == 1:
        return rows
    joined: Tensor = _Gather.apply(rows)
    return joined


class _Gather(torch.autograd.Function):
    # torch.distributed.nn.functional.all_gather does the same and is deprecated.

    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        ctx.count = len(rows)
        shares = [torch.empty_like(rows) for _ in range(dist.get_world_size())]
        dist.all_gather(shares, rows.contiguous())
        return torch.cat(shares)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].contiguous().clone()
        dist.all_reduce(total)
        first = dist.get_rank() * ctx.count
        return total[first : first + ctx.count]
