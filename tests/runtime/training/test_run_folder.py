"""A checkpoint that cannot be written to its end is told as a full disk, and the earlier one stays."""

import errno
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator

from remogpt.runtime.training.run_folder import FitResult, RunFolder


@pytest.mark.parametrize(
    ("message", "raised"), [("inline_container.cc:672] . unexpected pos", OSError), ("x", RuntimeError)]
)
def test_a_full_disk(message: str, raised: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = torch.nn.Linear(2, 2)
    optimizer = torch.optim.AdamW(model.parameters())
    run = RunFolder(tmp_path, {}, {}, "data", Accelerator(cpu=True))
    run.save(FitResult(1, {}), model, optimizer)
    before = (tmp_path / "training.pt").read_bytes()

    def failing(*_: Any) -> None:
        raise RuntimeError(message)

    monkeypatch.setattr(torch, "save", failing)
    with pytest.raises(raised) as told:
        run.save(FitResult(2, {}), model, optimizer)
    assert raised is RuntimeError or (told.value.errno == errno.ENOSPC and "training.pt" in str(told.value))
    assert (tmp_path / "training.pt").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["training.pt"]
