"""A residual tokenizer from the command line: trained, evaluated, and refused where one code a step is counted on."""

import json
from pathlib import Path
from typing import Any

import pytest

from remogpt import ReMoGPT
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.folders.model_folder import assemble
from remogpt.tokenizer_vqvae import MotionTokenizer

SETTINGS = {
    "quantizer": "residual", "levels": "[16,8]", "num_codes": 24, "width": 8, "code_dim": 4, "depth": 1,
    "window": 32, "dead_below": 0.1, "loop.steps": 2, "loop.batch_size": 4, "loop.cpu": "true",
}  # fmt: skip


@pytest.fixture
def trained(run: Any, tiny_set: Path, tmp_path: Path) -> Path:
    """A folder that `train tokenizer` wrote."""
    words = [word for name, value in SETTINGS.items() for word in (f"--config.{name}", value)]
    assert run("train", "tokenizer", "--data", tiny_set, "--out", tmp_path / "tokenizer", *words).code == 0
    return tmp_path / "tokenizer"


def test_it_is_evaluated_and_refused_by_readers_of_single_codes(
    run: Any, trained: Path, tiny_set: Path, tiny_components: Any, tmp_path: Path
) -> None:
    tokenizer = MotionTokenizer.from_pretrained(trained)
    assert (tokenizer.num_codes, tokenizer.codes_per_step) == (24, 2)
    ran = run("eval", "tokenizer", "--tokenizer", trained, "--data", tiny_set, "--out", tmp_path / "eval", "--json")
    scores = json.loads(ran.out)["results"]["tokenizer/test"]["scores"]
    assert scores["mpjpe"] > 0 and 2 <= scores["codes_used"] <= 24

    refusal = "reads one code for every 4 frames, but this tokenizer has 2 for every 4"
    components = ("--retriever", tiny_components.retriever, "--tokenizer", trained)
    ran = run("db", "build", tiny_set, "--out", tmp_path / "db", *components)
    assert ran.code == 2 and refusal in ran.err
    ran = run("train", "lm", "--data", tiny_set, "--tokenizer", trained, "--out", tmp_path / "lm")
    assert ran.code == 2 and refusal in ran.err
    folders = {"tokenizer": trained, "retriever": tiny_components.retriever, "lm": tiny_components.lm}
    assemble(tmp_path / "model", folders, None, "residual", "MIT")
    with pytest.raises(RemogptError, match=refusal):
        _ = ReMoGPT(tmp_path / "model").tokenizer
