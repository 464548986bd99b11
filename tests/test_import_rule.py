"""Who may import whom. The rooms stay separable because these tests read every import."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "remogpt"

ALLOWED = {
    "options": {"runtime"},
    "interfaces": {"motion", "options"},  # for type checkers alone; see the last test
    "runtime": set(),
    "prompts": set(),
    "notices": {"runtime"},
    "motion": {"runtime"},
    "data": {"motion", "runtime"},
    "tokenizer_vqvae": {"data", "motion", "runtime"},
    "retriever": {"data", "motion", "runtime"},
    "finder": {"retriever", "motion", "runtime"},
    "lm": {"prompts", "data", "motion", "runtime"},
    "reader": {"retriever", "motion", "runtime"},
    "eval": {"data", "motion", "runtime"},
    "stages": {
        "finder",
        "pipeline",
        "notices",
        "reader",
        "retriever",
        "tokenizer_vqvae",
        "prompts",
        "lm",
        "eval",
        "data",
        "motion",
        "runtime",
    },
    "app": {"pipeline", "notices", "prompts", "lm", "retriever", "data", "motion", "runtime"},
    "pipeline": {"finder", "notices", "reader", "retriever", "tokenizer_vqvae", "prompts", "lm", "motion", "runtime"},
}
"""Rooms that the files of a room may import, besides their own."""
EVERYBODY = {"interfaces", "options"}
"""Whom every room may import."""
FREE = {"commands", "cli", "__init__"}
"""May import everything."""

METRICS = {
    f"eval.{name}"
    for name in (
        "captioning", "detectors", "facts", "generation", "interval", "paired", "physical", "rare", "reconstruction",
        "retrieval", "text",
    )
}  # fmt: skip
"""Arrays and sentences in, numbers out: they know neither sets nor models."""
INSIDE = {
    "runtime.errors": set(),
    "runtime.progress": {"runtime.text"},
    "runtime.schema": {"runtime.errors"},
    "runtime.inside": {"runtime.errors"},
    "runtime.text": {"runtime.errors"},
    "runtime.leftovers": set(),
    "runtime.files": {"runtime.errors", "runtime.leftovers", "runtime.schema"},
    "runtime.lazy": set(),
    "runtime.network_outputs": {"runtime.errors"},
    "runtime.resumable": {"runtime.files", "runtime.progress"},
    "runtime.vector_cache": {
        "runtime.errors",
        "runtime.files",
        "runtime.folders.sums",
        "runtime.network_outputs",
        "runtime.resumable",
        "runtime.schema",
    },
    "runtime.folders": {
        "runtime.errors",
        "runtime.files",
        "runtime.inside",
        "runtime.leftovers",
        "runtime.progress",
        "runtime.schema",
        "runtime.text",
    },
    "runtime.device": {"runtime.errors"},
    "runtime.training": {"runtime.device", "runtime.errors", "runtime.files", "runtime.leftovers", "runtime.progress"},
    "retriever.padding": set(),
    "retriever.moments": set(),
    "retriever.networks": {"retriever.padding"},
    "retriever.text": {"retriever.padding"},
    "retriever.database": {"retriever.networks.body_parts"},
    "retriever.build": {"retriever.networks", "retriever.text"},
    "retriever.retriever": {"retriever.build", "retriever.networks", "retriever.padding", "retriever.text"},
    "retriever.import_tmr": {"retriever.networks"},
    "retriever.tmr_decoder": {"retriever.networks", "retriever.padding", "retriever.retriever"},
    "retriever.training": {"retriever"},
    "lm.vocabulary": set(),
    "lm.batch": set(),
    "lm.limits": set(),
    "lm.t5_size": set(),
    "lm.decoding": {"lm.t5_size"},
    "lm.long_motion": {"lm.limits"},
    "lm.writer": {"lm.decoding", "lm.limits", "lm.t5_size", "lm.vocabulary"},
    "lm.transformers_t5": {"lm.decoding", "lm.t5_size", "lm.vocabulary"},
    "lm.model": {"lm.batch", "lm.decoding", "lm.t5_size", "lm.transformers_t5", "lm.vocabulary", "lm.writer"},
    "lm.import_motiongpt": {"lm.model", "lm.t5_size", "lm.transformers_t5", "lm.vocabulary"},
    "lm.copying": {"lm.limits", "lm.vocabulary"},
    "lm.training": {"lm.batch", "lm.limits", "lm.model", "lm.t5_size", "lm.transformers_t5", "lm.vocabulary"},
    **dict.fromkeys(METRICS, METRICS),
    "eval.text": set(),
    "eval.cards": set(),
    "eval.compare": {"eval.cards"},
    "eval.evaluators": {"eval.cards", "eval.text"},
    "eval.report": {"eval.cards", *METRICS},
    "eval.paper": {"eval.cards"},
    "eval.runs": {"eval.cards", "eval.evaluators", *METRICS},
    "eval.tasks": {"eval.cards", "eval.evaluators", "eval.runs", *METRICS},
    "eval.runs.evaluate": {"eval.cards", "eval.evaluators", "eval.report", "eval.runs", "eval.tasks", *METRICS},
}
"""Files and folders of a room that a file or folder of it may import; the longest name that fits a file counts.

A room that is not here is open within. A folder may import itself.
"""
PURE = {"eval", "motion", "runtime"}
"""Rooms that metrics may import."""


def module_name(file: Path) -> str:
    """`remogpt/lm/model.py` is lm.model, `remogpt/lm/__init__.py` is lm, `remogpt/__init__.py` is __init__."""
    parts = list(file.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts if parts[-1] != "__init__" or len(parts) == 1 else parts[:-1])


FILES = {module_name(file): file for file in sorted(PACKAGE.rglob("*.py"))}


@cache
def imports(file: Path, for_types_too: bool = True) -> tuple[str, ...]:
    """Return every module of the package that a file imports, at its top or within a function."""
    return tuple(_imports(file, for_types_too))


def _imports(file: Path, for_types_too: bool) -> Iterator[str]:
    for node in statements(ast.parse(file.read_text(encoding="utf-8")), for_types_too):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: relative import; write remogpt.<room>"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            names = [alias.name for alias in node.names]
        for name in names:
            if name.split(".")[0] == "remogpt":
                yield longest(name.partition(".")[2], FILES) or "__init__"


def statements(tree: ast.AST, for_types_too: bool) -> Iterator[ast.Import | ast.ImportFrom]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif for_types_too or not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            yield from statements(node, for_types_too)


def longest(name: str, known: dict[str, object]) -> str | None:
    """Return the longest of the known names that is `name` or a folder above it."""
    while name and name not in known:
        name = name.rpartition(".")[0]
    return name or None


def fits(name: str, allowed: set[str]) -> bool:
    return longest(name, dict.fromkeys(allowed)) is not None


@pytest.mark.parametrize("name", FILES)
def test_a_room_imports_only_what_it_may(name: str) -> None:
    room = name.split(".")[0]
    if room in FREE:
        return
    assert room in ALLOWED, f"a new room {room!r}: say in this test whom it may import"
    stray = {found.split(".")[0] for found in imports(FILES[name])} - ALLOWED[room] - EVERYBODY - {room, "__init__"}
    assert not stray, f"{name} imports {sorted(stray)}; {room} may import {sorted(ALLOWED[room])}"


@pytest.mark.parametrize("name", FILES)
def test_within_a_room_a_file_imports_only_what_it_may(name: str) -> None:
    room, unit = name.split(".")[0], longest(name, INSIDE)
    if unit is None:
        assert name == room or all(key.split(".")[0] != room for key in INSIDE), f"say in this test what {name} imports"
        return
    own = {found for found in imports(FILES[name]) if found.split(".")[0] == room}
    stray = {found for found in own if not fits(found, INSIDE[unit] | {unit})}
    assert not stray, f"{name} imports {sorted(stray)}; {unit} may import {sorted(INSIDE[unit])}"
    if unit in METRICS:
        assert {found.split(".")[0] for found in imports(FILES[name])} <= PURE | EVERYBODY


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("eval.detectors")])
def test_second_detectors_share_nothing_with_the_predicates_that_they_check(name: str) -> None:
    allowed = ("eval.detectors", "runtime.errors", "motion.skeleton")
    for found in imports(FILES[name]):
        assert fits(found, set(allowed)) or found == "motion.facts", f"{name} imports {found}"
    for node in statements(ast.parse(FILES[name].read_text(encoding="utf-8")), for_types_too=True):
        if isinstance(node, ast.ImportFrom) and node.module == "remogpt.motion.facts":
            assert [alias.name for alias in node.names] == ["Fact"], f"{name} imports more than Fact from motion.facts"


def test_no_files_import_each_other_in_a_circle() -> None:
    """Not even within functions; what type checkers alone import is no matter."""
    graph = {name: set(imports(file, for_types_too=False)) - {name} for name, file in FILES.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"these files import each other: {' <- '.join(error.args[1])}")


def test_interfaces_imports_nothing_of_ours_when_it_runs() -> None:
    command = "import sys, remogpt.interfaces; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    ours = {name for name in done.stdout.split() if name.split(".")[0] == "remogpt"}
    assert ours == {"remogpt", "remogpt.interfaces"}
