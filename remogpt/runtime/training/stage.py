"""Describe a training to the loop: model, data, loss, and the metric that selects the best weights."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from torch import Tensor, nn

ComputeLoss = Callable[[nn.Module, Any, np.random.Generator], tuple[Tensor, dict[str, float]]]
"""Returns the mean loss of a share and the numbers to log; receives item indices, or the batch of `DrawBatch`.

torch's global generator is already seeded for the step and the share.
"""
DrawBatch = Callable[[np.ndarray, np.random.Generator], tuple[Any, int]]
"""Turns (B,) item indices into a batch, and returns it with the count that its loss averages over."""
Evaluate = Callable[[nn.Module], Mapping[str, float]]
"""Returns validation metrics to log; called in eval mode without gradients."""


@dataclass(frozen=True)
class Stage:
    """A model with its data, loss and validation."""

    model: nn.Module
    """Trained in place; ends on the CPU with the best weights by validation, or the last ones without validation."""
    num_items: int
    """Size of the data set; items are identified by index."""
    loss: ComputeLoss
    """See `ComputeLoss`."""
    config: Any
    """Dataclass or dict of settings; a run folder with other settings is refused."""
    data: str
    """Fingerprint of the training data (`remogpt.runtime.files.fingerprint`); a run folder of other data is refused."""
    draw: DrawBatch | None = None
    """See `DrawBatch`; without it `loss` receives item indices and averages over items."""
    evaluate: Evaluate | None = None
    """See `Evaluate`."""
    best: tuple[str, Literal["min", "max"]] | None = None
    """Metric of `evaluate` that selects the best weights, and its direction."""
    param_groups: Sequence[dict[str, Any]] | None = None
    """AdamW groups, each with an optional `lr_scale`, a factor on the rate; default: all trainable parameters."""
    can_be_sharded: bool = False
    """Whether loss and validation call only the model's forward pass, as FSDP requires."""
    desc: str = "train"
    """Name of the progress bar."""
