"""The benchmark of the retrievers' speed, with small networks in place of the papers'."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from transformers import DistilBertConfig

from benchmarks import retrieval_speed
from remogpt.retriever.networks.pl_tmr import PLTMRConfig
from remogpt.retriever.networks.tmr import TMRConfig


@pytest.mark.slow
def test_every_retriever_is_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small: dict[str, Callable[..., Any]] = {
        "DistilBertConfig": lambda: DistilBertConfig(dim=16, n_layers=1, n_heads=2, hidden_dim=32),
        "PLTMRConfig": lambda: PLTMRConfig(part_width=16, num_layers=1, num_heads=2, feedforward=32, projection_dim=16),
        "TMRConfig": lambda: TMRConfig(width=16, num_layers=1, num_heads=2, feedforward=32),
        "memory_of_paper_step": retrieval_speed.one_step,
    }
    for name, maker in small.items():
        monkeypatch.setattr(retrieval_speed, name, maker)
    monkeypatch.setattr(retrieval_speed, "LENGTHS", (24,))
    monkeypatch.setattr(retrieval_speed, "BATCH", 2)
    retrieval_speed.main(["--out", str(tmp_path / "found.json")])
    found = json.loads((tmp_path / "found.json").read_text())
    assert set(found["motions_per_second_by_frames"]) == {"PL-TMR, mini", "TMR, small", "PL-TMR, paper", "TMR, paper"}
    assert all(seconds > 0 for seconds in found["training_step_seconds"].values())
    assert found["paper_size_pl_tmr_step"]["peak_memory_gb"] > 0
