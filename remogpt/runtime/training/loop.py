"""Train any model: seeded by step, logged, checkpointed, resumable after a kill at any point.

All state lives in the module's state dict and the optimizer, or is a function of the step number and the share of its
batch. An interrupted run that is resumed by as many processes therefore ends with the weights of an uninterrupted one
(bit for bit on CPU).

A step's batch is split among the processes, and each process's share into rounds of accumulation. A loss is a mean over
items, or over whatever `draw` counts (target ids); shares are weighted by these counts, so a step's loss is the mean
over its whole batch. Two processes thus train like one process with twice the rounds.
"""

import logging
import math
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from accelerate.state import AcceleratorState
from torch import Tensor, nn

from remogpt.runtime.device import chosen_device, named_device
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.progress import progress
from remogpt.runtime.training.draw_ahead import in_order
from remogpt.runtime.training.fsdp import Whole, is_sharded, prepare_sharding
from remogpt.runtime.training.memory import keep_freed_memory
from remogpt.runtime.training.run_folder import FitResult, RunFolder
from remogpt.runtime.training.seeding import StepSampler, share_rng, step_rng
from remogpt.runtime.training.stage import ComputeLoss, DrawBatch, Stage
from remogpt.runtime.training.tracking import Tracker, check_tracker, end_tracker, start_tracker
from remogpt.runtime.training.unused_parameters import leaves_parameters_out

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LoopConfig:
    """How long and how fast to train; the same fields for every stage."""

    steps: int = 1000
    """Optimizer steps."""
    batch_size: int = 32
    """Samples of one step, over all processes and accumulation rounds."""
    learning_rate: float = 2e-4
    """Peak rate, after warm-up."""
    warmup_steps: int = 0
    """Steps of linear rise from zero."""
    weight_decay: float = 0.0
    """AdamW's decoupled decay."""
    betas: tuple[float, float] = (0.9, 0.99)
    """AdamW's moment decays."""
    schedule: Literal["constant", "cosine", "multistep"] = "cosine"
    """Shape of the learning rate after warm-up."""
    milestones: tuple[int, ...] = ()
    """Steps at which a multistep schedule multiplies the rate by `gamma`."""
    gamma: float = 0.05
    """Factor at each milestone."""
    final_lr_ratio: float = 0.05
    """Final rate of a cosine schedule, as a share of the peak."""
    grad_clip: float = 0.0
    """Largest gradient norm; 0 leaves gradients alone."""
    accumulation: int = 1
    """Gradient accumulation rounds per step."""
    mixed_precision: Literal["no", "bf16", "fp16"] = "no"
    """Passed to accelerate."""
    cpu: bool = False
    """Train on the CPU even if there is a GPU."""
    seed: int = 0
    """Order of samples and all randomness within a step."""
    log_every: int = 50
    """Steps between log lines."""
    save_every: int = 200
    """Steps between checkpoints."""
    evaluate_every: int = 0
    """Steps between validations; 0: only at the end."""
    tracker: Tracker | None = None
    """Also send the numbers of log.jsonl to tensorboard or wandb; each needs an extra package."""

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch_size < 1 or self.accumulation < 1:
            raise RemogptError(
                f"loop.steps, loop.batch_size and loop.accumulation must be at least 1, got {self.steps}, "
                f"{self.batch_size}, {self.accumulation}"
            )
        if self.seed < 0:
            raise RemogptError(f"loop.seed must be 0 or more, got {self.seed}")
        if self.batch_size % self.accumulation:
            raise RemogptError(
                f"loop.batch_size {self.batch_size} does not split into {self.accumulation} equal rounds; "
                "make it a multiple of loop.accumulation"
            )

    def rate(self, step: int) -> float:
        """Return the learning rate of step `step` (from 0)."""
        if step < self.warmup_steps:
            return self.learning_rate * (step + 1) / self.warmup_steps
        if self.schedule == "multistep":
            return float(self.learning_rate * self.gamma ** sum(step >= milestone for milestone in self.milestones))
        if self.schedule == "cosine":
            share = (step - self.warmup_steps) / max(1, self.steps - self.warmup_steps)
            cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, share)))
            return self.learning_rate * (self.final_lr_ratio + (1 - self.final_lr_ratio) * cosine)
        return self.learning_rate


class _Share(NamedTuple):
    """Items of one process in one accumulation round of a step."""

    number: int
    """Index among the shares of all processes, in the order of the batch."""
    batch: Any
    size: int
    """Number of items or ids that the share's loss averages over."""
    rng: np.random.Generator


def fit(stage: Stage, loop: LoopConfig, run_folder: str | Path) -> FitResult:
    """Train `stage.model` in place, resuming from the run folder's checkpoint if there is one.

    Args:
        stage: model, data and loss.
        loop: length, batch, rate.
        run_folder: created if absent; see `remogpt.runtime.training.run_folder`.
    """
    if trains_on_cpu(loop):
        keep_freed_memory()
    wrapping = DistributedDataParallelKwargs()
    accelerator = _accelerator(loop, run_folder, wrapping)
    _check_shares(loop, accelerator)
    prepare_sharding(accelerator, stage.can_be_sharded)
    model, optimizer = stage.model, _optimizer(stage, loop)
    sampler = StepSampler(stage.num_items, loop.batch_size, loop.seed)
    shares_of = partial(_draw_shares, draw=stage.draw, loop=loop, accelerator=accelerator)
    if accelerator.num_processes > 1 and not is_sharded(accelerator):
        trial = partial(_first_loss, stage, lambda: shares_of(sampler.indices(0), 0), loop.seed)
        wrapping.find_unused_parameters = leaves_parameters_out(model, trial, accelerator)
    whole = Whole(model, accelerator)
    prepared, optimizer = accelerator.prepare(model, optimizer)
    run = RunFolder(Path(run_folder), stage.config, loop, stage.data, accelerator)
    state = run.resume(model, optimizer)
    start_tracker(accelerator, loop.tracker, run.folder, run.settings, state.step)
    bar = progress(total=loop.steps, desc=stage.desc, unit="step")
    bar.update(state.step)
    prepared.train()
    # On a GPU the next batch is drawn while this one is computed: a prompt costs half a millisecond of the CPU.
    steps = range(state.step, loop.steps)
    drawn = in_order(lambda step: shares_of(sampler.indices(step), step), steps, ahead=accelerator.device.type != "cpu")
    for step, shares in zip(steps, drawn, strict=True):
        total = (
            loop.batch_size if stage.draw is None else _over_processes([sum(s.size for s in shares)], accelerator)[0]
        )
        logs = _take_step(prepared, optimizer, shares, total, step, stage.loss, loop, accelerator)
        state.step = step + 1
        bar.update(1)
        is_last = state.step == loop.steps
        if state.step % loop.log_every == 0 or is_last:
            losses = dict(zip(logs, _over_processes(logs.values(), accelerator), strict=True))
            bar.set_postfix({name: f"{value:.4g}" for name, value in list(losses.items())[:3]})
            run.log(state, {"step": state.step, "rate": loop.rate(step), **losses})
        if stage.evaluate and (is_last or (loop.evaluate_every and state.step % loop.evaluate_every == 0)):
            run.validate(state, model, stage.evaluate, stage.best)
            prepared.train()
        if state.step % loop.save_every == 0 or is_last:
            run.save(state, model, optimizer)
    bar.close()
    end_tracker(accelerator)
    whole.restore_(model)
    run.load_best(state, model)
    model.to("cpu").eval()
    return state


def trains_on_cpu(loop: LoopConfig) -> bool:
    """Say whether a training runs on the CPU: as the command says (`--device`), else as its settings say."""
    named = named_device()
    return (loop.cpu and named is None) or chosen_device().type == "cpu"


def _optimizer(stage: Stage, loop: LoopConfig) -> torch.optim.Optimizer:
    learned = [parameter for parameter in stage.model.parameters() if parameter.requires_grad]
    groups = list(stage.param_groups or [{"params": learned}])
    return torch.optim.AdamW(groups, lr=loop.learning_rate, betas=loop.betas, weight_decay=loop.weight_decay)


def _accelerator(loop: LoopConfig, run_folder: str | Path, wrapping: DistributedDataParallelKwargs) -> Accelerator:
    check_tracker(loop.tracker)
    on_cpu = trains_on_cpu(loop)
    if on_cpu and loop.mixed_precision == "bf16" and torch.backends.cpu.get_cpu_capability() == "AVX2":
        # oneDNN has no bf16 kernels below AVX-512; the plain ones that stand in are many times slower than float32.
        _log.warning(
            "this processor has no bf16 instructions, so that training in bf16 takes many times as long as in float32; "
            "begin with loop.mixed_precision: 'no' (--config.loop.mixed_precision no)"
        )
    if AcceleratorState._shared_state:
        # accelerate keeps a process's first device and precision, and refuses to change the precision.
        last = AcceleratorState()
        if last.mixed_precision != loop.mixed_precision or (last.device.type == "cpu") != on_cpu:
            AcceleratorState._reset_state(reset_partial_state=last.num_processes == 1)
    return Accelerator(
        cpu=on_cpu,
        mixed_precision=loop.mixed_precision,
        kwargs_handlers=[wrapping],
        log_with=loop.tracker,
        project_dir=run_folder,
    )


def _take_step(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    shares: Sequence[_Share],
    total: float,
    step: int,
    loss_of: ComputeLoss,
    loop: LoopConfig,
    accelerator: Accelerator,
) -> dict[str, float]:
    """Take one optimizer step and return the numbers to log, whose sum over processes is the batch mean."""
    for group in optimizer.param_groups:
        group["lr"] = loop.rate(step) * group.get("lr_scale", 1.0)
    logged: dict[str, float] = {}
    for share in shares:
        step_rng(loop.seed, step, share.number)  # reseeds torch; share.rng has drawn the batch already
        weight = share.size / total
        # Gradients are averaged over processes, once a step.
        with nullcontext() if share is shares[-1] else accelerator.no_sync(model):
            with accelerator.autocast():
                loss, logs = loss_of(model, share.batch, share.rng)
            if not torch.isfinite(loss):
                raise RemogptError(
                    f"the loss became {loss.item()} at step {step}; lower loop.learning_rate or set loop.grad_clip, "
                    "and start the run again: it continues from its last checkpoint"
                )
            accelerator.backward(loss * (accelerator.num_processes * weight))
        for name, value in {"loss": loss.item(), **logs}.items():
            logged[name] = logged.get(name, 0.0) + float(value) * weight
    if loop.grad_clip:
        accelerator.clip_grad_norm_(model.parameters(), loop.grad_clip)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return logged


def _draw_shares(
    indices: np.ndarray, step: int, draw: DrawBatch | None, loop: LoopConfig, accelerator: Accelerator
) -> list[_Share]:
    """Split a step's items and return this process's shares, one for each accumulation round."""
    mine = np.array_split(indices, accelerator.num_processes)[accelerator.process_index]
    shares = []
    for number, items in enumerate(
        np.array_split(mine, loop.accumulation), start=accelerator.process_index * loop.accumulation
    ):
        rng = share_rng(loop.seed, step, number)
        batch, size = (items, len(items)) if draw is None else draw(items, rng)
        shares.append(_Share(number, batch, size, rng))
    return shares


def _first_loss(stage: Stage, draw_shares: Callable[[], list[_Share]], seed: int) -> Tensor:
    share = draw_shares()[0]
    step_rng(seed, 0, share.number)  # the random numbers of the first step itself
    return stage.loss(stage.model, share.batch, share.rng)[0]


def _over_processes(values: Iterable[float], accelerator: Accelerator) -> list[float]:
    """Sum each number over the processes."""
    numbers = list(values)
    if accelerator.num_processes == 1:
        return numbers
    # float64, since float32 would round large counts of ids.
    summed = accelerator.reduce(torch.tensor(numbers, dtype=torch.float64, device=accelerator.device), "sum")
    return summed.tolist()


def _check_shares(loop: LoopConfig, accelerator: Accelerator) -> None:
    shares = accelerator.num_processes * loop.accumulation
    if loop.batch_size < shares:
        raise RemogptError(
            f"loop.batch_size {loop.batch_size} leaves nothing to do for some of {accelerator.num_processes} processes "
            f"in some of {loop.accumulation} rounds (loop.accumulation); make it at least {shares}"
        )
