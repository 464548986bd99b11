"""The recipes of the papers: what their dry run shows, without data, and how they refuse what they cannot use."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
RECIPES = ("humanml3d", "kit", "motionx")


def recipe(name: str, *words: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}
    return subprocess.run(
        [ROOT / "scripts" / f"{name}.sh", *words], capture_output=True, text=True, env=environment, check=False
    )


@pytest.mark.parametrize("name", ["humanml3d", *(pytest.param(name, marks=pytest.mark.slow) for name in RECIPES[1:])])
def test_a_dry_run_shows_every_stage_without_data(name: str, tmp_path: Path) -> None:
    ran = recipe(name, "--dry-run", "nowhere", str(tmp_path / "work"))  # the flag may stand anywhere
    assert ran.returncode == 0, ran.stderr
    stages = re.findall(r"^== (\d)\. .*: about ([\d.]+) h, ([\d.]+) GB$", ran.stdout, re.M)
    assert [number for number, *_ in stages] == [str(number) for number in range(len(stages))] and len(stages) > 5
    hours, gigabytes = (sum(float(stage[at]) for stage in stages) for at in (1, 2))
    assert f"All: about {hours:g} h on one GPU, {gigabytes:g} GB" in ran.stdout
    assert "model distilbert-base-uncased, for" in ran.stdout
    assert "  remogpt eval tables WORK/eval --out WORK/tables" in ran.stdout
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [((), "usage: "), (("a", "b", "c"), "usage: "), (("--dry", "a"), "no option --dry"), (("nowhere",), "no folder ")],
)
def test_what_cannot_be_used_is_refused(words: tuple[str, ...], complaint: str) -> None:
    ran = recipe("humanml3d", *words)
    assert ran.returncode == 2 and complaint in ran.stderr and len(ran.stderr.splitlines()) == 1
