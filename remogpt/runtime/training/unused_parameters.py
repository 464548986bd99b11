"""Find out whether a loss leaves parameters without a gradient, for training by several processes.

DistributedDataParallel waits for the gradient of every trained parameter, and fails at the second step if one has none,
unless it was told to look for unused parameters. Looking costs time at every step, so it is enabled only if a trial of
the first step finds such parameters.
"""

from collections.abc import Callable

import torch
from accelerate import Accelerator
from torch import Tensor, nn


def leaves_parameters_out(model: nn.Module, compute_loss: Callable[[], Tensor], accelerator: Accelerator) -> bool:
    """Return whether any trainable parameter of `model` gets no gradient on any process.

    Every process must call this. Parameters, buffers and gradients are restored; random generators advance.

    Args:
        model: not wrapped yet; left on the accelerator's device and in training mode.
        compute_loss: loss of one batch by `model`.
        accelerator: will wrap the model later.
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
