"""The benchmark of the metric stage, on few small embeddings: it fails unless both versions agree."""

import json
from pathlib import Path

import pytest

from benchmarks import metrics


def test_both_versions_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "NUM_ITEMS", 320)
    monkeypatch.setattr(metrics, "WIDTH", 8)
    monkeypatch.setattr(metrics, "REPEATS", 2)
    cases = [{"references": ["a person walks", "someone walks", "walking"], "outputs": {"one": f"a man walks {number}"}}
             for number in range(3)]  # fmt: skip
    (tmp_path / "captions.json").write_text(json.dumps({"cases": cases}))
    metrics.main(["--captions", str(tmp_path / "captions.json"), "--out", str(tmp_path / "found.json")])
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["metric_stage"]["items"] == 320 and found["cider"]["items"] == 3
    assert {"fid", "mm_dist", "diversity", "multimodality", "t2m/R1"} <= set(found["values"])
