"""The scripts in examples/ run as they stand, on a tiny model."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from remogpt.motion import load_motion

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def run_example(name: str, *words: object, cwd: Path) -> str:
    command = [sys.executable, str(EXAMPLES / f"{name}.py"), *map(str, words)]
    ran = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr[-2000:]
    return ran.stdout


def test_generate(tiny_model: Path, tmp_path: Path) -> None:
    told = run_example("generate", "a person walks", "walk.npz", "--seconds", 2, "--model", tiny_model, cwd=tmp_path)
    assert "walk.npz: 2.0 s" in told and told.count("\n") == 3, "the file, and two examples"
    assert load_motion(tmp_path / "walk.npz").num_frames == 40


@pytest.mark.slow
def test_caption(tiny_model: Path, wave: Path, tmp_path: Path) -> None:
    shutil.copy(wave, tmp_path / f"again{wave.suffix}")
    told = run_example("caption", wave, f"again{wave.suffix}", "--model", tiny_model, cwd=tmp_path).splitlines()
    assert [line.split(": ")[0] for line in told] == [str(wave), f"again{wave.suffix}"]
    assert told[0].split(": ")[1] == told[1].split(": ")[1], "the same motion gets the same caption"


@pytest.mark.slow
def test_search_own_database(tiny_model: Path, wave: Path, tmp_path: Path) -> None:
    (tmp_path / "recordings").mkdir()
    for name in ("a_person_waves", "somebody_waves"):
        load_motion(wave).save(tmp_path / "recordings" / f"{name}.bvh")
    words = ("recordings", "database", "a person waves", "--model", tiny_model)
    told = run_example("search_own_database", *words, cwd=tmp_path)
    assert "a_person_waves" in told and "shown to the model: [" in told
    assert (tmp_path / "database" / "CURRENT").is_file()


@pytest.mark.slow
def test_train_tokenizer(tmp_path: Path) -> None:
    told = run_example("train_tokenizer", "out", "--clips", 15, "--steps", 2, cwd=tmp_path)
    assert "mm" in told and (tmp_path / "out" / "eval" / "results.json").is_file()


def test_all_examples_are_run_here() -> None:
    tests = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    assert {path.stem for path in EXAMPLES.glob("*.py")} <= tests


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_an_example_says_how_it_is_run(path: Path) -> None:
    assert f"python examples/{path.name} " in path.read_text(encoding="utf-8")
