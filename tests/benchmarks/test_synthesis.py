"""The benchmark of a TMR's decoder beside the embedded model, on an untrained TMR and few captions."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import synthesis
from remogpt.data.humanml3d import MotionTextSet
from remogpt.retriever.networks.tmr import TMRConfig
from remogpt.retriever.training.new_retriever import new_tmr_retriever


@pytest.mark.slow
def test_every_row_is_scored_by_both_evaluators(tiny_set: Path, tiny_text_model: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    motions = MotionTextSet.open(tiny_set)
    mean, std = (torch.from_numpy(np.asarray(values)) for values in (motions.mean, motions.std))
    config = TMRConfig(width=16, num_layers=1, num_heads=2, feedforward=32)
    new_tmr_retriever(config, str(tiny_text_model), mean, std).save_pretrained(tmp_path / "tmr")
    (tmp_path / "tmr" / "run").mkdir()
    (tmp_path / "tmr" / "run" / "log.jsonl").write_text('{"step": 1, "reconstruction": 0.5, "val/mrr": 0.1}\n')
    synthesis.main([str(tiny_set), str(tmp_path / "tmr"), "--work", str(tmp_path / "work"), "--count", "3",
                    "--splits", "train", "--out", str(tmp_path / "found.json")])  # fmt: skip
    found = json.loads((tmp_path / "found.json").read_text())["splits"]["train"]
    assert set(found["evaluators"]) == {"embedded evaluator", "mini's retriever"}
    for scored in found["evaluators"].values():
        assert {"real", "nearest_training", "TMR synthesis", "TMR reconstruction"} <= set(scored["rows"])
    assert 0 <= found["facts"]["rows"]["TMR synthesis"]["facts"]["share"] <= 1
