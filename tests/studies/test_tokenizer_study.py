"""The tokenizer study on a handful of clips: it trains, scores, goes on, and sums up."""

import json
import shutil
from pathlib import Path

import pytest

from remogpt.tokenizer_vqvae.vqvae import MotionVQVAE
from studies import tokenizer_study as study


def test_every_variant_can_be_built() -> None:
    for name, changes in study.VARIANTS.items():
        config = study.config_of(changes, steps=7)
        assert config.loop.steps == changes.get("loop.steps", 7)
        assert MotionVQVAE(**config.network()).quantizer.num_codes == config.num_codes, name


def test_a_variant_is_made_once(tiny_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = {"width": 8, "depth": 1, "loop.batch_size": 4}
    monkeypatch.setattr(study, "VARIANTS", {"small": small, "never": {"width": 16}})
    words = ["--data", str(tiny_set), "--work", str(tmp_path), "--steps", "2", "--out", str(tmp_path / "study.json")]
    assert study.main([*words, "--variants", "small"]) == 0
    row = json.loads((tmp_path / "study.json").read_text())["variants"]["small"]
    assert (row["changes"], row["steps"], row["num_codes"], row["codes_per_second"]) == (small, 2, 2048, 5.0)
    scores = row["scores"]["test"]
    assert 0.0 <= scores["facts"] < scores["facts_of_real"] <= 1.0
    assert scores["mpjpe"] > 50  # two steps teach nothing
    assert scores["fid"] is None  # of one clip

    trained = [path.stat().st_mtime_ns for path in tmp_path.rglob("*.safetensors")]
    assert study.main([*words, "--summary"]) == 0
    assert [path.stat().st_mtime_ns for path in tmp_path.rglob("*.safetensors")] == trained
    table = (tmp_path / "study.md").read_text()
    assert f"| small | width 8, depth 1, loop.batch_size 4 | 2 | 5 | {100 * scores['facts']:.1f} |" in table
    assert "never" not in table


def test_results_of_variants_that_are_gone_stay(
    tiny_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A summary with no folder of a run at hand gives the results as they are committed, and training adds to them."""
    out, table = tmp_path / "study.json", tmp_path / "study.md"
    shutil.copy(study.RESULTS, out)
    words = ["--data", str(tiny_set), "--work", str(tmp_path / "work"), "--out", str(out), "--steps", "2"]
    assert study.main([*words, "--summary"]) == 0
    committed = json.loads(study.RESULTS.read_text())
    assert json.loads(out.read_text()) == committed
    assert table.read_text() == study.RESULTS.with_suffix(".md").read_text()
    assert "| fsq | quantizer fsq, levels [8, 5, 5, 5], num_codes 1000 | 1500 | 5 | 36.0 / 37.8 |" in table.read_text()

    monkeypatch.setattr(study, "VARIANTS", {"small": {"width": 8, "depth": 1, "loop.batch_size": 4}})
    assert study.main([*words, "--variants", "small"]) == 0
    summary = json.loads(out.read_text())
    assert list(summary["variants"]) == [*committed["variants"], "small"]
    assert summary["variants"]["fsq"] == committed["variants"]["fsq"]
    assert summary["command"] != committed["command"]
