"""Released weights: what is read, and what is refused unopened."""

import os
import pickle
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.runtime.folders.safe_torch_load import read_released, read_statistics, strip_prefix

STATE = {"a.weight": torch.arange(6.0).view(2, 3), "a.bias": torch.zeros(2)}


@pytest.mark.parametrize("wrapper", [None, "state_dict", "net", "model"])
def test_state_dicts_alone_and_within_checkpoints(tmp_path: Path, wrapper: str | None) -> None:
    path = tmp_path / "weights.pth"
    torch.save(STATE if wrapper is None else {wrapper: STATE, "epoch": 3, "optimizer": {"lr": 0.1}}, path)
    found = read_released(path)
    assert found.keys() == STATE.keys() and torch.equal(found["a.weight"], STATE["a.weight"])


def test_safetensors(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_file(STATE, path)
    assert torch.equal(read_released(path)["a.weight"], STATE["a.weight"])
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(RemogptError, match="damaged"):
        read_released(path)


class Bomb:
    """Makes a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.path),)


def touch(path: Path) -> None:
    path.touch()


class Caller:
    """Runs a function of ours when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return touch, (self.path,)


@pytest.mark.parametrize("plain", [True, False])
def test_a_pickle_that_would_run_code_is_not_run(tmp_path: Path, plain: bool) -> None:
    path, trace = tmp_path / "weights.pt", tmp_path / "trace"
    if plain:
        path.write_bytes(pickle.dumps({"a": Bomb(trace)}))
    else:
        torch.save({"state_dict": STATE, "hyper_parameters": Bomb(trace)}, path)
    with pytest.raises(RemogptError, match=r"weights\.pt holds Python objects .* save its state_dict\(\) alone"):
        read_released(path)
    assert not trace.exists()


class Settings:
    """Like a training program's settings: complains when it is made again."""

    def __init__(self) -> None:
        self.values = {"lr": 2e-4, "steps": [1, 2], "any": Any}

    def __setstate__(self, state: dict) -> None:
        raise AssertionError("opened")


def test_objects_beside_the_tensors_can_be_left_unopened(tmp_path: Path) -> None:
    path, trace = tmp_path / "last.ckpt", tmp_path / "trace"
    kept = {"state_dict": STATE, "epoch": 3}
    beside = {"hyper_parameters": Settings(), "cache": defaultdict(dict), "kind": Any, "callbacks": [Settings]}
    torch.save(kept | beside, path)
    with pytest.raises(RemogptError, match="holds Python objects"):
        read_released(path)
    found = read_released(path, skip_objects=True)
    assert found.keys() == STATE.keys() and torch.equal(found["a.weight"], STATE["a.weight"])
    torch.save(kept | {"hyper_parameters": Caller(trace)}, path)
    assert read_released(path, skip_objects=True).keys() == STATE.keys()
    torch.save(kept | {"hyper_parameters": Bomb(trace)}, path)  # names a function of the operating system
    with pytest.raises(RemogptError, match="holds Python objects"):
        read_released(path, skip_objects=True)
    torch.save({"state_dict": {"a": Caller(trace)}}, path)
    with pytest.raises(RemogptError, match="should hold named tensors"):
        read_released(path, skip_objects=True)
    path.write_bytes(pickle.dumps({"a": Caller(trace)}))
    with pytest.raises(RemogptError, match="holds Python objects"):
        read_released(path, skip_objects=True)
    assert not trace.exists()


def test_files_that_are_no_weights(tmp_path: Path) -> None:
    with pytest.raises(MissingPathError, match="no file"):
        read_released(tmp_path / "nowhere.pt")
    (tmp_path / "weights.txt").write_text("x")
    with pytest.raises(RemogptError, match=r"should end in \.safetensors"):
        read_released(tmp_path / "weights.txt")
    for content in (b"", b"plain text", b"PK\x03\x04 cut"):
        (tmp_path / "weights.pt").write_bytes(content)
        with pytest.raises(RemogptError, match=r"weights\.pt"):
            read_released(tmp_path / "weights.pt")
    for value, what in (({"epoch": 3}, r"epoch \(int\)"), (torch.zeros(2), r"tensor of shape \(2,\)"), ({}, "nothing")):
        torch.save(value, tmp_path / "weights.pt")
        with pytest.raises(RemogptError, match=what):
            read_released(tmp_path / "weights.pt")


@pytest.mark.parametrize("kind", ["pt", "npy"])
def test_statistics(tmp_path: Path, kind: str) -> None:
    mean, std = np.arange(4.0), np.full(4, 2.0)
    for name, values in (("mean", mean), ("std", std)):
        if kind == "pt":
            torch.save(torch.from_numpy(values), tmp_path / f"{name}.pt")
        else:
            np.save(tmp_path / f"{name.title()}.npy", values)  # as in HumanML3D
    found = read_statistics(tmp_path)
    assert found[0].dtype == torch.float32
    assert np.array_equal(found[0].numpy(), mean) and np.array_equal(found[1].numpy(), std)


def test_statistics_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(MissingPathError, match=r"no mean\.pt or mean\.npy"):
        read_statistics(tmp_path)
    np.save(tmp_path / "mean.npy", np.zeros(4))
    with pytest.raises(MissingPathError, match=r"no std\.pt or std\.npy .*mean\.npy"):
        read_statistics(tmp_path)
    for std, what in (
        (np.ones(3), "lengths 4 and 3"),
        (np.zeros(4), "smallest std is 0"),
        (np.ones((2, 2)), "one vec"),
    ):
        np.save(tmp_path / "std.npy", std)
        with pytest.raises(RemogptError, match=what):
            read_statistics(tmp_path)


def test_prefixes() -> None:
    state = {"vae.a": torch.zeros(1), "lm.b": torch.zeros(1), "metrics.c.d": torch.zeros(1)}
    chosen, others = strip_prefix(state, ("motion_vae.", "vae."))
    assert list(chosen) == ["a"] and others == ["lm", "metrics"]
    assert strip_prefix(chosen, ("vae.",)) == (chosen, [])
