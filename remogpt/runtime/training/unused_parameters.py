"""Whether a loss leaves parameters without a gradient, which training by several processes has to know beforehand.

DistributedDataParallel waits for the gradient of every trained parameter, and fails at the second step where one never
comes, unless it was made to look for such parameters. It then walks through the graph at every step, so it is made to
only where a trial of the first step shows that there are any.
"""

from collections.abc import Callable

import torch
from accelerate import Accelerator
from torch import Tensor, nn


def leaves_parameters_out(model: nn.Module, compute_loss: Callable[[], Tensor], accelerator: Accelerator) -> bool:
    """Return whether some parameter of `model` that is trained gets no gradient, on whatever process.

    Every process must call this. Parameters, buffers and gradients are left as they were; random generators are not.

    Args:
        model: not wrapped yet; left on the accelerator's device and in training mode.
        compute_loss: of one batch, by this very model.
        accelerator: what will wrap it.
    """
    model.to(accelerator.device).train()
    state = {name: value.clone() for name, value in model.state_dict().items()}
    with accelerator.autocast():
        loss = compute_loss()
    loss.backward()
    is_left_out = any(weight.requires_grad and weight.grad is None for weight in model.parameters())
    model.zero_grad(set_to_none=True)
    model.load_state_dict(state)
    anywhere = accelerator.gather(torch.tensor([int(is_left_out)], device=accelerator.device))
    assert isinstance(anywhere, Tensor)
    return bool(anywhere.any())
