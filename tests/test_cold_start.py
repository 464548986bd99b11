"""What is imported when a person only asks for help, and for a first motion."""

import subprocess
import sys
from pathlib import Path

import pytest

QUICK = (
    "generate",
    "caption",
    "search",
    "encode",
    "similarity",
    "db",
    "data",
    "import_",
    "assemble",
    "eval",
    "demo",
    "serve",
)
"""All but `train`, whose options are the fields of the stages' own settings."""


def imported_by(program: str) -> set[str]:
    """Top-level packages in memory after a program of one line."""
    code = f"{program}; import sys; print(*{{name.split('.')[0] for name in sys.modules}})"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_help_of_all_imports_nothing() -> None:
    names = imported_by("import remogpt.cli, contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()): "
                        "remogpt.cli.main(['--help'])\n0")  # fmt: skip
    assert not names & {"torch", "numpy", "jsonargparse", "yaml"}


def test_help_of_a_command_loads_no_model_code() -> None:
    modules = ", ".join(f"remogpt.commands.{name}" for name in QUICK)
    assert not imported_by(f"import {modules}") & {"torch", "transformers", "faiss", "nltk", "sklearn"}


@pytest.mark.slow
@pytest.mark.parametrize("words", [["generate", "a person waves", "--out"], ["search", "a person waves", "--k"]])
def test_answering_loads_no_training_code(words: list[str], tmp_path: Path) -> None:
    words = [*words, str(tmp_path / "wave.npy") if words[0] == "generate" else "1"]
    program = "import remogpt.cli, contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()): " + (
        f"code = remogpt.cli.main({words!r})\nassert code == 0, code\n0"
    )
    unused = {"transformers", "accelerate", "sentence_transformers", "peft", "nltk", "sklearn", "gradio", "pandas"}
    names = imported_by(program)
    assert "torch" in names and not names & unused


@pytest.mark.parametrize(
    "words",
    [
        ["generate", "walks", "--model", "nowhere"],
        ["generate", "walks", "--database", "nowhere"],
        ["generate", "walks", "--seconds", "99"],
        ["generate", "walks", "--seed", "-1"],
        ["generate", "###"],
        ["generate", "walks", "--best-of", "0"],
        ["caption", "nowhere.bvh"],
        ["search", "walks", "--database", "nowhere"],
    ],
    ids=" ".join,
)
def test_what_cannot_work_is_refused_before_torch_is_imported(words: list[str]) -> None:
    program = f"import remogpt.cli; code = remogpt.cli.main({words!r})\nassert code == 2, code\n0"
    assert not imported_by(program) & {"torch", "transformers", "faiss"}
