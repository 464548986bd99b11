"""The loop: exact after a kill, faithful to its schedule, honest about changed settings."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from accelerate.utils import DistributedType
from torch import Tensor, nn
from tqdm import tqdm

from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import fingerprint
from remogpt.runtime.training.fsdp import prepare_sharding
from remogpt.runtime.training.loop import LoopConfig, fit
from remogpt.runtime.training.stage import Stage

TARGETS = torch.linspace(-1, 1, 20)


class Toy(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.layers = nn.Sequential(nn.Linear(1, 8), nn.Dropout(0.3), nn.Linear(8, 1))
        self.register_buffer("seen", torch.zeros(()))


class KilledError(Exception):
    pass


def loss_of(kill_at: int | None = None):
    calls = 0

    def compute_loss(
        model: nn.Module, indices: np.ndarray, rng: np.random.Generator
    ) -> tuple[Tensor, dict[str, float]]:
        nonlocal calls
        calls += 1
        if calls == kill_at:
            raise KilledError
        noise = torch.from_numpy(rng.normal(scale=0.1, size=len(indices))).float()
        x = TARGETS[torch.from_numpy(indices)] + noise
        model.seen += len(indices)
        return nn.functional.mse_loss(model.layers(x[:, None])[:, 0], TARGETS[torch.from_numpy(indices)]), {"n": 1.0}

    return compute_loss


LOOP = LoopConfig(steps=12, batch_size=4, learning_rate=1e-2, warmup_steps=3, save_every=2, log_every=1, cpu=True)


def validation(model: nn.Module) -> dict[str, float]:
    return {"error": float(model.layers(TARGETS[:, None]).square().mean())}


def run(folder: Path, kill_at: int | None = None, loop: LoopConfig = LOOP) -> Toy:
    model = Toy()
    best = ("error", "min")
    fit(Stage(model, 20, loss_of(kill_at), config={"a": 1}, data="d", evaluate=validation, best=best), loop, folder)
    return model


@pytest.mark.parametrize("kill_at", [1, 2, 5, 12])
def test_a_killed_run_ends_with_the_same_weights(tmp_path: Path, kill_at: int) -> None:
    whole = run(tmp_path / "whole")
    with pytest.raises(KilledError):
        run(tmp_path / "broken", kill_at)
    resumed = run(tmp_path / "broken")
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name
    assert (tmp_path / "whole/log.jsonl").read_text() == (tmp_path / "broken/log.jsonl").read_text()


def test_the_bar_tells_the_losses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("remogpt.runtime.training.loop.progress", lambda **words: tqdm(**words, mininterval=0.0))
    run(tmp_path)
    told = re.findall(r"loss=([\d.e-]+), n=1\b", capsys.readouterr().err)
    logged = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert f"{next(row['loss'] for row in reversed(logged) if 'loss' in row):.4g}" == told[-1]


def test_accumulation_gives_the_gradient_of_the_whole_batch(tmp_path: Path) -> None:
    def compute_loss(
        model: nn.Module, indices: np.ndarray, rng: np.random.Generator
    ) -> tuple[Tensor, dict[str, float]]:
        return model.layers[0](TARGETS[torch.from_numpy(indices)][:, None]).square().mean(), {}

    weights = []
    for rounds in (1, 2):
        model = Toy()
        loop = LoopConfig(steps=3, batch_size=4, accumulation=rounds, cpu=True)
        fit(Stage(model, 20, compute_loss, config={}, data="d"), loop, tmp_path / str(rounds))
        weights.append(model.layers[0].weight.detach())
    torch.testing.assert_close(weights[0], weights[1])


def test_processes_exchange_gradients_in_the_last_round_of_a_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds: list[str] = []

    @contextmanager
    def no_sync(self: Accelerator, model: nn.Module) -> Iterator[None]:
        rounds.append("alone")
        yield
        rounds.append("done")

    def compute_loss(model: nn.Module, *drawn: Any) -> tuple[Tensor, dict[str, float]]:
        rounds.append("loss")
        return model.layers(TARGETS[:, None]).square().mean(), {}

    monkeypatch.setattr(Accelerator, "no_sync", no_sync)
    loop = LoopConfig(steps=2, batch_size=6, accumulation=3, cpu=True)
    fit(Stage(Toy(), 20, compute_loss, config={}, data="d"), loop, tmp_path)
    assert rounds == 2 * ["alone", "loss", "done", "alone", "loss", "done", "loss"]


def test_other_settings_are_refused_and_named(tmp_path: Path) -> None:
    run(tmp_path)
    with pytest.raises(RemogptError, match=r"loop.learning_rate was 0.01, is 0.02"):
        run(tmp_path, loop=LoopConfig(**{**LOOP.__dict__, "learning_rate": 0.02}))


def test_other_data_are_refused(tmp_path: Path) -> None:
    first, other = (fingerprint(["a person walks", np.zeros(shape)]) for shape in ((2, 3), (3, 2)))
    fit(Stage(Toy(), 20, loss_of(), config={}, data=first), LOOP, tmp_path)
    with pytest.raises(RemogptError, match=r"other settings or data \(data was '\w+', is '\w+'\)"):
        fit(Stage(Toy(), 20, loss_of(), config={}, data=other), LOOP, tmp_path)


@pytest.mark.parametrize(
    ("can_be_sharded", "version", "why"),
    [(False, 2, "FSDP splits the language model alone"), (True, 1, "--fsdp_version 2"), (True, 2, None)],
)
def test_what_fsdp_cannot_split_is_refused(can_be_sharded: bool, version: int, why: str | None) -> None:
    plugin = SimpleNamespace(fsdp_version=version, cpu_ram_efficient_loading=True)
    accelerator: Any = SimpleNamespace(distributed_type=DistributedType.FSDP, state=SimpleNamespace(fsdp_plugin=plugin))
    with pytest.raises(RemogptError, match=why) if why else nullcontext():
        prepare_sharding(accelerator, can_be_sharded)
    assert plugin.cpu_ram_efficient_loading == (why is not None)


def test_a_diverging_loss_is_named(tmp_path: Path) -> None:
    def diverge(model: nn.Module, indices: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        return model.layers[0].weight.sum() * float("nan"), {}

    with pytest.raises(RemogptError, match="loss became nan at step 0"):
        fit(Stage(Toy(), 20, diverge, config={}, data="d"), LOOP, tmp_path)


def test_a_group_of_parameters_learns_at_its_own_rate(tmp_path: Path) -> None:
    """AdamW's first step is as long as the rate, whatever the gradient."""
    model = nn.ParameterDict({name: nn.Parameter(torch.ones(())) for name in ("full", "halved", "still")})
    groups = [
        {"params": [model["full"]]},
        {"params": [model["halved"]], "lr_scale": 0.5},
        {"params": [model["still"]], "lr_scale": 0.0},
    ]
    loop = replace(LOOP, steps=1, warmup_steps=0, learning_rate=0.1, schedule="constant")

    def loss_of_all(model: nn.Module, _batch: object, _rng: object) -> tuple[Tensor, dict[str, float]]:
        return sum(one.square() for one in model.values()), {}

    fit(Stage(model, 20, loss_of_all, config={}, data="d", param_groups=groups), loop, tmp_path)
    assert {name: one.item() for name, one in model.items()} == pytest.approx(
        {"full": 0.9, "halved": 0.95, "still": 1.0}, abs=1e-4
    )


@pytest.mark.parametrize("setting", ["steps", "batch_size", "accumulation"])
def test_a_training_has_at_least_one_step_of_one_sample(setting: str) -> None:
    smallest: dict[str, Any] = {"steps": 1, "batch_size": 1, "accumulation": 1}
    assert LoopConfig(**smallest).rate(0) == LoopConfig(**smallest).learning_rate
    with pytest.raises(RemogptError, match=r"loop.steps, loop.batch_size and loop.accumulation must be at least 1"):
        LoopConfig(**{**smallest, setting: 0})


def test_schedules() -> None:
    cosine = LoopConfig(steps=110, warmup_steps=10, learning_rate=1.0, final_lr_ratio=0.1)
    assert cosine.rate(0) == pytest.approx(0.1) and cosine.rate(9) == pytest.approx(1.0)
    assert cosine.rate(60) == pytest.approx(0.55) and cosine.rate(110) == pytest.approx(0.1)
    steps = LoopConfig(steps=10, schedule="multistep", milestones=(5,), gamma=0.05, learning_rate=2.0)
    assert [steps.rate(4), steps.rate(5)] == [2.0, pytest.approx(0.1)]


def test_a_run_that_began_before_a_setting_existed_goes_on(tmp_path: Path) -> None:
    whole = run(tmp_path / "whole")
    with pytest.raises(KilledError):
        run(tmp_path / "broken", kill_at=5)
    checkpoint = tmp_path / "broken" / "training.pt"
    saved = torch.load(checkpoint, weights_only=True)
    del saved["settings"]["loop"]["final_lr_ratio"]
    torch.save(saved, checkpoint)
    resumed = run(tmp_path / "broken")
    assert torch.equal(resumed.layers[0].weight, whole.layers[0].weight)
    with pytest.raises(RemogptError, match=r"\(loop.final_lr_ratio was 0.05, is 0.1\)"):
        torch.save(saved, checkpoint)
        run(tmp_path / "broken", loop=replace(LOOP, final_lr_ratio=0.1))


def test_what_a_killed_writer_left_is_removed_and_other_files_are_not(tmp_path: Path) -> None:
    left = (".training.ab12cd_9.pt", ".best.00000000.safetensors", ".log.zzzzzzzz.jsonl", ".config.a_b_c_d_.yaml")
    for name in (*left, ".mine.pt", "training.old.pt"):
        (tmp_path / name).write_bytes(b"half")
    run(tmp_path)
    kept = {"config.yaml", "versions.json", "log.jsonl", "training.pt", "best.safetensors"}
    assert {path.name for path in tmp_path.iterdir()} == kept | {".mine.pt", "training.old.pt"}


@pytest.mark.parametrize("content", [b"", b"PK half a zip"])
def test_a_damaged_checkpoint_is_named(tmp_path: Path, content: bytes) -> None:
    run(tmp_path)
    (tmp_path / "training.pt").write_bytes(content)
    with pytest.raises(RemogptError, match=r"training\.pt is damaged.*delete it to start anew"):
        run(tmp_path)


def test_the_weights_of_the_best_validation_are_kept(tmp_path: Path) -> None:
    """A model that drifts: the score is best at the step that the validation says, not at the last."""
    seen: dict[int, torch.Tensor] = {}

    def drift(model: nn.Module, indices: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        return model.layers[0].weight.sum(), {}

    def away_from_the_third(model: nn.Module) -> dict[str, float]:
        seen[len(seen) + 1] = model.layers[0].weight.detach().clone()
        return {"score": -abs(len(seen) - 3.0)}

    model, loop = Toy(), LoopConfig(steps=5, batch_size=4, evaluate_every=1, save_every=2, cpu=True)
    best = ("score", "max")
    stage = Stage(model, 20, drift, config={}, data="d", evaluate=away_from_the_third, best=best)
    state = fit(stage, loop, tmp_path)
    assert state.best == {"step": 3, "score": 0.0} and len(seen) == 5
    assert torch.equal(model.layers[0].weight, seen[3]) and not torch.equal(seen[3], seen[5])


def test_trainings_of_other_precision_follow_in_one_process(tmp_path: Path) -> None:
    """accelerate keeps a process's first precision and refuses another."""
    for number, precision in enumerate(("no", "bf16", "no")):
        seen: list[torch.dtype] = []

        def compute_loss(
            model: nn.Module, indices: np.ndarray, rng: np.random.Generator, seen: list[torch.dtype] = seen
        ) -> tuple[Tensor, dict[str, float]]:
            output = model.layers[0](TARGETS[torch.from_numpy(indices)][:, None])
            seen.append(output.dtype)
            return output.float().square().mean(), {}

        loop = LoopConfig(steps=1, batch_size=4, mixed_precision=precision, cpu=True)
        fit(Stage(Toy(), 20, compute_loss, config={}, data="d"), loop, tmp_path / str(number))
        assert seen == [torch.bfloat16 if precision == "bf16" else torch.float32]


def test_bf16_on_a_processor_without_it_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    told = {}
    for capability in ("AVX2", "AVX512"):
        monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda capability=capability: capability)
        for precision in ("no", "bf16"):
            caplog.clear()
            run(tmp_path / f"{capability}_{precision}", loop=replace(LOOP, steps=1, mixed_precision=precision))
            told[capability, precision] = "--config.loop.mixed_precision no" in caplog.text
    assert told == {("AVX2", "no"): False, ("AVX2", "bf16"): True, ("AVX512", "no"): False, ("AVX512", "bf16"): False}
