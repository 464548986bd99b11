"""The one training loop: seeded by step, logged, checkpointed, resumable after a kill at any point.

A run folder holds
    config.yaml        the resolved settings
    versions.json      of this package and the libraries that move numbers
    log.jsonl          one line per logged or evaluated step
    training.pt        the whole state: weights and buffers, optimizer, step, best score
    best.safetensors   weights with the best validation score
Everything that must survive a kill lives in the module's state dict, the optimizer, or is a function of the step
number (and of the process), so an interrupted run that is started again by as many processes ends with the weights of
an unbroken one (bit for bit on CPU).
"""

import json
import math
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import torch
import yaml
from accelerate import Accelerator, DistributedDataParallelKwargs
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import atomic_path, write_json, write_text
from remogpt.runtime.progress import progress
from remogpt.runtime.seeding import StepSampler, step_rng
from remogpt.runtime.unused import leaves_parameters_out


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
    """Course of the rate after warm-up."""
    milestones: tuple[int, ...] = ()
    """Steps at which a multistep schedule multiplies the rate by `gamma`."""
    gamma: float = 0.05
    """Factor at each milestone."""
    final_lr_ratio: float = 0.05
    """Where a cosine schedule ends, as a share of the peak."""
    grad_clip: float = 0.0
    """Largest gradient norm; 0 leaves gradients alone."""
    accumulation: int = 1
    """Rounds in which a step's batch is worked through."""
    mixed_precision: Literal["no", "bf16", "fp16"] = "no"
    """Passed to accelerate."""
    cpu: bool = False
    """Stay on the CPU even where there is a GPU."""
    seed: int = 0
    """Order of samples and all randomness within a step."""
    log_every: int = 50
    """Steps between log lines."""
    save_every: int = 200
    """Steps between checkpoints."""
    evaluate_every: int = 0
    """Steps between validations; 0: only at the end."""

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


class ComputeLoss(Protocol):
    """Builds the batch of the given items and returns its loss and what to log."""

    def __call__(
        self, model: nn.Module, indices: np.ndarray, rng: np.random.Generator
    ) -> tuple[Tensor, dict[str, float]]: ...


@dataclass
class FitResult:
    """How a run ended."""

    step: int
    """Steps done."""
    best: dict[str, float]
    """Metrics of the best validation, empty without one."""
    history: list[dict[str, float]] = field(default_factory=list)
    """The lines of log.jsonl."""


def fit(
    model: nn.Module,
    num_items: int,
    compute_loss: ComputeLoss,
    loop: LoopConfig,
    run_folder: str | Path,
    *,
    config: Any,
    data: str,
    evaluate: Callable[[nn.Module], Mapping[str, float]] | None = None,
    best: tuple[str, Literal["min", "max"]] | None = None,
    param_groups: Sequence[dict[str, Any]] | None = None,
    desc: str = "train",
) -> FitResult:
    """Train `model` in place, from the run folder's checkpoint if it holds one.

    Args:
        model: left with its best weights by validation (or its last, without one), on the CPU.
        num_items: size of the data set; items are named by number.
        compute_loss: see `ComputeLoss`; torch's global generator is already seeded for the step and the process. Of
            several processes each gets its share of a step's items, in order, and draws the same from its `rng`.
        loop: length, batch, rate.
        run_folder: created if absent.
        config: the stage's dataclass or dict; a run folder made with another one is refused.
        data: fingerprint of what is learned from, as `remogpt.runtime.files.fingerprint` gives; a run that was begun on
            other data is refused, as one with other settings is.
        evaluate: called in eval mode without gradients; its numbers are logged.
        best: which of its numbers chooses the weights to keep.
        param_groups: AdamW groups; each may hold `lr_scale`, a factor on the rate.
    """
    wrapping = DistributedDataParallelKwargs()
    accelerator = Accelerator(
        cpu=loop.cpu or not torch.cuda.is_available(), mixed_precision=loop.mixed_precision, kwargs_handlers=[wrapping]
    )
    optimizer = torch.optim.AdamW(
        list(param_groups or [{"params": [p for p in model.parameters() if p.requires_grad]}]),
        lr=loop.learning_rate,
        betas=loop.betas,
        weight_decay=loop.weight_decay,
    )
    sampler = StepSampler(num_items, loop.batch_size, loop.seed)
    if accelerator.num_processes > 1:
        trial = partial(_first_loss, model, sampler.indices(0), compute_loss, loop, accelerator)
        wrapping.find_unused_parameters = leaves_parameters_out(model, trial, accelerator)
    prepared, optimizer = accelerator.prepare(model, optimizer)
    run = _Run(Path(run_folder), config, loop, data, accelerator)
    state = run.resume(model, optimizer)
    bar = progress(total=loop.steps, desc=desc, unit="step")
    bar.update(state.step)
    prepared.train()
    for step in range(state.step, loop.steps):
        losses = _take_step(prepared, optimizer, sampler.indices(step), step, compute_loss, loop, accelerator)
        state.step = step + 1
        bar.update(1)
        is_last = state.step == loop.steps
        if state.step % loop.log_every == 0 or is_last:
            bar.set_postfix({name: f"{value:.4g}" for name, value in list(losses.items())[:3]})
            run.log(state, {"step": state.step, "rate": loop.rate(step), **losses})
        if evaluate and (is_last or (loop.evaluate_every and state.step % loop.evaluate_every == 0)):
            run.validate(state, model, evaluate, best)
            prepared.train()
        if state.step % loop.save_every == 0 or is_last:
            run.save(state, model, optimizer)
    bar.close()
    run.load_best(state, model)
    model.to("cpu").eval()
    return state


def _take_step(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    indices: np.ndarray,
    step: int,
    compute_loss: ComputeLoss,
    loop: LoopConfig,
    accelerator: Accelerator,
) -> dict[str, float]:
    rng = step_rng(loop.seed, step, accelerator.process_index)
    for group in optimizer.param_groups:
        group["lr"] = loop.rate(step) * group.get("lr_scale", 1.0)
    totals: dict[str, float] = {}
    rounds = _rounds(indices, loop, accelerator)
    for chunk in rounds:
        with accelerator.autocast():
            loss, logs = compute_loss(model, chunk, rng)
        if not torch.isfinite(loss):
            raise RemogptError(
                f"the loss became {loss.item()} at step {step}; lower loop.learning_rate or set loop.grad_clip, "
                "and start the run again: it continues from its last checkpoint"
            )
        accelerator.backward(loss / len(rounds))
        for name, value in {"loss": loss.item(), **logs}.items():
            totals[name] = totals.get(name, 0.0) + float(value) / len(rounds)
    if loop.grad_clip:
        accelerator.clip_grad_norm_(model.parameters(), loop.grad_clip)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return totals


def _rounds(indices: np.ndarray, loop: LoopConfig, accelerator: Accelerator) -> list[np.ndarray]:
    """What this process works through of a step's items, round by round."""
    mine = np.array_split(indices, accelerator.num_processes)[accelerator.process_index]
    return np.array_split(mine, loop.accumulation)


def _first_loss(
    model: nn.Module, indices: np.ndarray, compute_loss: ComputeLoss, loop: LoopConfig, accelerator: Accelerator
) -> Tensor:
    rng = step_rng(loop.seed, 0, accelerator.process_index)
    return compute_loss(model, _rounds(indices, loop, accelerator)[0], rng)[0]


class _Run:
    """The run folder: what is written to it and read back."""

    def __init__(self, folder: Path, config: Any, loop: LoopConfig, data: str, accelerator: Accelerator):
        self.folder, self.accelerator = folder, accelerator
        settings = config if isinstance(config, dict) else asdict(config)
        self.settings = json.loads(json.dumps({"stage": settings, "loop": asdict(loop), "data": data}, default=str))
        folder.mkdir(parents=True, exist_ok=True)

    def resume(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> FitResult:
        checkpoint = self.folder / "training.pt"
        if not checkpoint.is_file():
            write_text(self.folder / "config.yaml", yaml.safe_dump(self.settings, sort_keys=False))
            write_json(self.folder / "versions.json", _versions())
            return FitResult(step=0, best={})
        saved = torch.load(checkpoint, map_location="cpu", weights_only=True)
        if saved["settings"] != self.settings:
            changed = _differences(saved["settings"], self.settings)
            raise RemogptError(
                f"{self.folder} holds a run with other settings or data ({changed}); choose another run folder, "
                "restore them, or delete the folder to start anew"
            )
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        return FitResult(step=saved["step"], best=saved["best"], history=saved["history"])

    def save(self, state: FitResult, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        if not self.accelerator.is_main_process:
            return
        content = {
            "settings": self.settings,
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "step": state.step,
            "best": state.best,
            "history": state.history,
        }
        with atomic_path(self.folder / "training.pt") as temporary:
            torch.save(content, temporary)

    def log(self, state: FitResult, line: dict[str, float]) -> None:
        state.history.append({name: round(float(value), 6) for name, value in line.items()})
        if self.accelerator.is_main_process:
            # Rewritten whole: a line logged after the last checkpoint of a killed run would otherwise stand twice.
            write_text(self.folder / "log.jsonl", "".join(json.dumps(entry) + "\n" for entry in state.history))

    def validate(
        self,
        state: FitResult,
        model: nn.Module,
        evaluate: Callable[[nn.Module], Mapping[str, float]],
        best: tuple[str, str] | None,
    ) -> None:
        model.eval()
        with torch.no_grad():
            scores = {name: float(value) for name, value in evaluate(model).items()}
        self.log(state, {"step": state.step, **scores})
        if best is None:
            return
        name, direction = best
        sign = 1 if direction == "max" else -1
        if not state.best or sign * scores[name] > sign * state.best[name]:
            state.best = {"step": state.step, **scores}
            if self.accelerator.is_main_process:
                with atomic_path(self.folder / "best.safetensors") as temporary:
                    save_file({k: v.cpu().clone().contiguous() for k, v in model.state_dict().items()}, temporary)

    def load_best(self, state: FitResult, model: nn.Module) -> None:
        self.accelerator.wait_for_everyone()
        if state.best:
            model.load_state_dict(load_file(self.folder / "best.safetensors"))


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in ("remogpt", "torch", "transformers", "accelerate", "numpy", "safetensors"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _differences(old: Any, new: Any, name: str = "") -> str:
    if isinstance(old, dict) and isinstance(new, dict):
        keys = [key for key in {**old, **new} if old.get(key) != new.get(key)]
        return ", ".join(_differences(old.get(key), new.get(key), f"{name}.{key}".lstrip(".")) for key in keys)
    return f"{name} was {old!r}, is {new!r}"
