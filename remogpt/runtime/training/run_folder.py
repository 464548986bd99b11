"""Write and resume the folder of one training run.

    config.yaml        the resolved settings
    versions.json      versions of this package and of numerical libraries
    log.jsonl          one line per logged or evaluated step
    training.pt        the whole state: weights and buffers, optimizer, step, best score
    best.safetensors   weights with the best validation score
    tensorboard/       a copy of log.jsonl's numbers, with loop.tracker: tensorboard

Every file is written under a temporary name and then renamed, by the first process alone.
"""

import errno
import json
import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, is_dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
import yaml
from accelerate import Accelerator
from safetensors.torch import load_file, save_file
from torch import nn

from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import atomic_path, write_json, write_text
from remogpt.runtime.leftovers import remove_leftovers
from remogpt.runtime.training.fsdp import is_sharded, load_states, model_state, optimizer_state

_FILES = ("config.yaml", "versions.json", "log.jsonl", "training.pt", "best.safetensors")


@dataclass
class FitResult:
    """State of a run: steps done, best validation, log."""

    step: int
    """Steps done."""
    best: dict[str, float]
    """Metrics of the best validation, empty without one."""
    history: list[dict[str, float]] = field(default_factory=list)
    """The lines of log.jsonl."""


class RunFolder:
    """Saves and resumes a run.

    Args:
        folder: made if absent.
        config: the stage's dataclass, or a dict of its settings.
        loop: the loop's dataclass.
        data: fingerprint of the training data.
        accelerator: tells which process writes, and holds the trackers.
    """

    def __init__(self, folder: Path, config: Any, loop: Any, data: str, accelerator: Accelerator):
        self.folder, self.accelerator = folder, accelerator
        self.settings = _plain({"stage": _fields(config), "loop": _fields(loop), "data": data})
        # Older runs lack newer settings; a dataclass tells their defaults, a dict cannot.
        self.defaults = _plain({"stage": _defaults(config), "loop": _defaults(loop)})
        for stage in (self.settings, self.defaults):
            for loop_settings in (stage["loop"], stage["stage"].get("loop", {})):
                loop_settings.pop("tracker", None)  # a resumed run may use another tracker
        folder.mkdir(parents=True, exist_ok=True)

    def resume(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> FitResult:
        """Load the checkpoint into model and optimizer if there is one.

        Raises:
            RemogptError: if the checkpoint belongs to other settings or data, or is damaged.
        """
        checkpoint = self.folder / "training.pt"
        if self.accelerator.is_main_process:
            for name in _FILES:
                remove_leftovers(self.folder / name)
            if not checkpoint.is_file():
                write_text(self.folder / "config.yaml", yaml.safe_dump(self.settings, sort_keys=False))
                write_json(self.folder / "versions.json", _versions())
        if not checkpoint.is_file():
            return FitResult(step=0, best={})
        try:
            saved = torch.load(checkpoint, map_location="cpu", weights_only=True)
        except (RuntimeError, EOFError, UnpicklingError) as error:
            raise RemogptError(
                f"{checkpoint} is damaged, or no checkpoint; restore it, or delete it to start anew"
            ) from error
        begun = _filled(saved["settings"], self.defaults)
        if begun != self.settings:
            raise RemogptError(
                f"{self.folder} holds a run with other settings or data ({_differences(begun, self.settings)}); "
                "choose another run folder, restore them, or delete the folder to start anew"
            )
        if saved.get("is_sharded", False) != is_sharded(self.accelerator):
            way = "with" if saved.get("is_sharded") else "without"
            raise RemogptError(f"{self.folder} holds a run that was begun {way} FSDP; go on {way} it")
        load_states(model, optimizer, saved, self.accelerator)
        return FitResult(step=saved["step"], best=saved["best"], history=saved["history"])

    def save(self, state: FitResult, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Write the checkpoint."""
        content = {
            "settings": self.settings,
            "model": model_state(model, self.accelerator),
            "optimizer": optimizer_state(model, optimizer, self.accelerator),
            "step": state.step,
            "best": state.best,
            "history": state.history,
            **({"is_sharded": True} if is_sharded(self.accelerator) else {}),
        }
        if not self.accelerator.is_main_process:
            return
        with atomic_path(self.folder / "training.pt", durable=True) as temporary:
            try:
                torch.save(content, temporary)
            except RuntimeError as error:  # torch tells of no reason but its own position in the file
                if "inline_container" not in str(error):
                    raise
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.folder / "training.pt")) from error

    def log(self, state: FitResult, line: Mapping[str, float]) -> None:
        """Append a line to the log, and send it to `loop.tracker`."""
        state.history.append({name: round(float(value), 6) for name, value in line.items()})
        self.accelerator.log({name: float(value) for name, value in line.items() if name != "step"}, step=state.step)
        if self.accelerator.is_main_process:
            # Rewrite the whole file: after a kill, lines behind the last checkpoint would otherwise appear twice.
            write_text(self.folder / "log.jsonl", "".join(json.dumps(entry) + "\n" for entry in state.history))

    def validate(
        self,
        state: FitResult,
        model: nn.Module,
        evaluate: Callable[[nn.Module], Mapping[str, float]],
        best: tuple[str, str] | None,
    ) -> None:
        """Evaluate the model, log the numbers, and save its weights if `best`'s number improved."""
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
            weights = model_state(model, self.accelerator)
            if self.accelerator.is_main_process:
                with atomic_path(self.folder / "best.safetensors", durable=True) as temporary:
                    save_file({k: v.cpu().clone().contiguous() for k, v in weights.items()}, temporary)

    def load_best(self, state: FitResult, model: nn.Module) -> None:
        """Load the best weights into the model, if a validation chose some."""
        self.accelerator.wait_for_everyone()
        if state.best:
            model.load_state_dict(load_file(self.folder / "best.safetensors"))


def _fields(config: Any) -> dict[str, Any]:
    return dict(config) if isinstance(config, dict) else asdict(config)


def _defaults(config: Any) -> dict[str, Any]:
    return asdict(type(config)()) if is_dataclass(config) and not isinstance(config, type) else {}


def _plain(settings: dict[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(settings, default=str))
    return plain


def _filled(settings: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """Fill in defaults of missing settings, recursively."""
    filled = {**defaults, **settings}
    for name, value in settings.items():
        if isinstance(value, dict) and isinstance(defaults.get(name), dict):
            filled[name] = _filled(value, defaults[name])
    return filled


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
