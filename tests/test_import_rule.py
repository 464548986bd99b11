"""Who may import whom. The rooms stay separable because this test reads every import."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "remogpt"

ALLOWED = {
    "options": {"runtime"},
    "interfaces": {"motion", "options"},  # for type checkers alone; see the last test
    "runtime": set(),
    "prompts": set(),
    "motion": {"runtime"},
    "data": {"motion", "runtime"},
    "tokenizer_vqvae": {"data", "motion", "runtime"},
    "retriever": {"data", "motion", "runtime"},
    "lm": {"prompts", "data", "motion", "runtime"},
    "eval": {"data", "motion", "runtime"},
    "stages": {
        "pipeline",
        "retriever",
        "tokenizer_vqvae",
        "prompts",
        "lm",
        "eval",
        "data",
        "motion",
        "runtime",
        "__init__",
    },
    "app": {"pipeline", "retriever", "motion", "runtime"},
    "pipeline": {"retriever", "tokenizer_vqvae", "prompts", "lm", "motion", "runtime"},
}
EVERYBODY = {"interfaces", "options"}
"""Whom every room may import."""
FREE = {"commands", "cli", "__init__"}
"""May import everything."""


def rooms() -> list[str]:
    return sorted({path.stem if path.suffix else path.name for path in PACKAGE.iterdir() if _is_room(path)})


def _is_room(path: Path) -> bool:
    return path.suffix == ".py" or (path / "__init__.py").is_file()


def imported_rooms(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: relative import; write remogpt.<room>"
            names = (
                [f"{node.module}.{alias.name}" for alias in node.names] if node.module == "remogpt" else [node.module]
            )
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        found |= {name.split(".")[1] for name in names if name and name.startswith("remogpt.")}
    return found


@pytest.mark.parametrize("room", rooms())
def test_a_room_imports_only_what_it_may(room: str) -> None:
    if room in FREE:
        return
    assert room in ALLOWED, f"a new room {room!r}: say in this test whom it may import"
    path = PACKAGE / room
    files = path.rglob("*.py") if path.is_dir() else [path.with_suffix(".py")]
    for file in files:
        stray = imported_rooms(file) - ALLOWED[room] - EVERYBODY - {room}
        assert not stray, (
            f"{file.relative_to(PACKAGE)} imports {sorted(stray)}; {room} may import {sorted(ALLOWED[room])}"
        )


def test_interfaces_imports_nothing_of_ours_when_it_runs() -> None:
    command = "import sys, remogpt.interfaces; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    ours = {name for name in done.stdout.split() if name.split(".")[0] == "remogpt"}
    assert ours == {"remogpt", "remogpt.interfaces"}
