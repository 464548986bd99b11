"""What a training loop is given: a model, data, a loss, and what chooses the weights to keep."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from torch import Tensor, nn

ComputeLoss = Callable[[nn.Module, Any, np.random.Generator], tuple[Tensor, dict[str, float]]]
"""Returns the mean loss of a share of a step's batch, and what to log, from items or from what `DrawBatch` made.

torch's global generator is already seeded for the step and the share.
"""
DrawBatch = Callable[[np.ndarray, np.random.Generator], tuple[Any, int]]
"""Makes a batch of (B,) item numbers, and says of how many things its loss will be the mean."""
Evaluate = Callable[[nn.Module], Mapping[str, float]]
"""Scores the model on validation data; called in eval mode without gradients, and its numbers are logged."""


@dataclass(frozen=True)
class Stage:
    """What is trained, on what, and by which loss."""

    model: nn.Module
    """Trained in place; left with its best weights by validation (or its last, without one), on the CPU."""
    num_items: int
    """Size of the data set; items are named by number."""
    loss: ComputeLoss
    """See `ComputeLoss`."""
    config: Any
    """The stage's dataclass or dict; a run folder made with another one is refused."""
    data: str
    """Fingerprint of what is learned from, as `remogpt.runtime.files.fingerprint` gives; a run that was begun on other
    data is refused, as one with other settings is."""
    draw: DrawBatch | None = None
    """See `DrawBatch`; without it the loss is of item numbers, and the mean over them."""
    evaluate: Evaluate | None = None
    """See `Evaluate`."""
    best: tuple[str, Literal["min", "max"]] | None = None
    """Which of the numbers of `evaluate` chooses the weights to keep."""
    param_groups: Sequence[dict[str, Any]] | None = None
    """AdamW groups; each may hold `lr_scale`, a factor on the rate. Without them: all parameters that are learned."""
    can_be_sharded: bool = False
    """Whether loss and validation see the model through its forward pass alone, so that FSDP may split its weights."""
    desc: str = "train"
    """Name of the progress bar."""
