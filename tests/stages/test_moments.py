"""Annotated stretches within sequences: what a retriever of known answers finds, by windows of each length."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from remogpt.eval.paper import fill_tables, open_runs
from remogpt.runtime.errors import MissingPathError
from remogpt.stages.moments import evaluate_moments

LABELS = ("walk", "jump", "sit")


class KnowsHeights:
    """Tells the stretches of a sequence apart by the height of the root; a window is the shares that it has of each."""

    hash = "known"

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        return np.eye(3)[[LABELS.index(text) for text in texts]]

    def encode_motion(self, motions: Sequence[np.ndarray]) -> np.ndarray:
        shares = np.array([[(motion[:, 3].round() == at).mean() for at in range(3)] for motion in motions])
        return shares / np.linalg.norm(shares, axis=1, keepdims=True)


@pytest.fixture
def babel(tmp_path: Path) -> Path:
    """Two sequences of three stretches of 40 frames, one of them mirrored, which is not asked about; one is gone."""
    folder = tmp_path / "babel"
    table: dict[str, Any] = {}
    for key, path in (("0", "CMU/one"), ("M0", "M/CMU/one"), ("1", "CMU/gone")):
        stretches = [{"text": text, "start": 2.0 * at, "end": 2.0 * at + 2} for at, text in enumerate(LABELS)]
        table[key] = {"path": path, "annotations": stretches}
    (folder / "splits").mkdir(parents=True)
    (folder / "annotations.json").write_text(json.dumps(table))
    (folder / "splits" / "val.txt").write_text("0\nM0\n1\n")
    features = np.zeros((120, 263), np.float32)
    features[:, 3] = np.repeat([0.0, 1.0, 2.0], 40)
    (folder / "features" / "CMU").mkdir(parents=True)
    np.save(folder / "features" / "CMU" / "one.npy", features)
    return folder


def test_what_is_found_depends_on_the_windows_alone(babel: Path, tmp_path: Path) -> None:
    out = tmp_path / "babel_tmr"
    report = evaluate_moments(babel, features=babel / "features", retriever=KnowsHeights(), out=out)
    scores = {name: result["scores"] for name, result in report["results"].items()}
    assert {name: one["num_items"] for name, one in scores.items()} == dict.fromkeys(scores, 3)
    # Windows of 20 lie within a stretch of 40 (IoU .5), of 40 on it, of 60 around it (.67). Of a pyramid's windows of
    # equal cosines the shortest is taken, 10 of 40.
    assert scores["moments/val/windows_20"]["accuracy_at"] == {"IoU > 0.2": 100.0, "IoU > 0.4": 100.0, "IoU > 0.6": 0.0}
    assert scores["moments/val/windows_40"]["accuracy_at"]["IoU > 0.6"] == 100.0
    assert scores["moments/val/windows_60"]["accuracy_at"]["IoU > 0.6"] == 100.0
    assert scores["moments/val/pyramid"]["accuracy_at"] == {"IoU > 0.2": 100.0, "IoU > 0.4": 0.0, "IoU > 0.6": 0.0}
    assert list(report["left_out"]) == ["CMU/gone"]
    (table,) = [one for one in fill_tables(open_runs([out])) if one.table.name == "tmr_a4"]
    assert [line.cells[0].own for line in table.blocks[0][1]] == [100.0, 100.0, 100.0, 0.0] and not table.warnings


def test_a_split_that_is_not_there_is_told(babel: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingPathError, match=r"no split test in .*; there are the splits val"):
        evaluate_moments(babel, features=babel, retriever=KnowsHeights(), out=tmp_path, split="test")


def test_the_command(run: Any, babel: Path, tiny_components: Any, tmp_path: Path) -> None:
    words = ("--data", babel, "--features", babel / "features", "--retriever", tiny_components.retriever)
    ran = run("eval", "moments", *words, "--out", tmp_path / "out")
    assert ran.code == 1 and "moments/val/pyramid: " in ran.out and "CMU/gone" in ran.err
    assert (tmp_path / "out" / "report.html").is_file()
