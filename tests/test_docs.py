"""The pages in docs/ say what is there: every deviation, names that can be imported, links that lead somewhere."""

import ast
import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest

from remogpt import stages

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
REFERENCE = sorted((ROOT / "docs" / "reference").glob("*.md"))
ROOMS = ("motion", "pipeline", "retriever", "tokenizer_vqvae", "prompts", "lm", "stages")
"""Rooms whose `__all__` says which names are public."""
SNIPPETS = [
    (page.stem, number, code)
    for page in PAGES
    for number, code in enumerate(re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S))
]


def marked_files() -> set[str]:
    """Modules with a docstring that says where they depart from paper or reference code."""
    files = (ROOT / "remogpt").rglob("*.py")
    return {file.relative_to(ROOT).as_posix() for file in files if re.search(r"\bdiffers\b", file.read_text("utf-8"))}


def test_every_deviation_is_on_the_page() -> None:
    page = (ROOT / "docs" / "guide" / "differs.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(remogpt/[\w/]+\.py)`", page))
    assert len(marked_files()) > 20
    assert not marked_files() - named, "these files say 'differs'; tell it in docs/guide/differs.md too"
    assert not [name for name in named if not (ROOT / name).is_file()], (
        "docs/guide/differs.md names files that are gone"
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]+))?\)", page.read_text(encoding="utf-8")):
        found = page.parent / target if target else page
        assert found.exists(), target
        assert not anchor or anchor in anchors(found), f"{target}#{anchor}"


def anchors(page: Path) -> set[str]:
    """Return what the headings of a page are called in links, on the site as in a repository's view."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_page_is_in_the_sites_menu() -> None:
    listed = re.findall(r"^ +- .*: ([\w/]+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.M)
    there = [page.relative_to(ROOT / "docs").as_posix() for page in (ROOT / "docs").rglob("*.md")]
    assert sorted(listed) == sorted(there)


def test_the_reference_lists_every_public_name() -> None:
    listed = [name for page in REFERENCE for name in re.findall(r"^::: (\S+)$", page.read_text("utf-8"), re.M)]
    assert len(listed) == len(set(listed))
    for name in listed:
        module, _, last = name.rpartition(".")
        assert hasattr(import_module(module), last) or import_module(name), name
    public = {f"remogpt.{room}.{name}" for room in ROOMS for name in import_module(f"remogpt.{room}").__all__}
    assert not public - {*listed, "remogpt.pipeline.GenerationOptions"}  # which is listed where it is at home


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_paths_that_are_named_exist(page: Path) -> None:
    paths = re.findall(
        r"(?<![\w/])((?:remogpt|scripts|benchmarks|studies|tests)/[\w./]+\w)", page.read_text(encoding="utf-8")
    )
    assert not [path for path in paths if not (ROOT / path).exists()]


@pytest.mark.parametrize(("page", "number", "code"), SNIPPETS)
def test_names_in_snippets_can_be_imported(page: str, number: int, code: str) -> None:
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("remogpt"):
            module = import_module(node.module)
            assert not [alias.name for alias in node.names if not hasattr(module, alias.name)]


@pytest.mark.parametrize(("page", "number", "code"), SNIPPETS)
def test_snippets_call_stages_with_arguments_that_they_have(page: str, number: int, code: str) -> None:
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in stages.__all__:
            function = getattr(stages, node.func.id)
            inspect.signature(function).bind(*node.args, **{str(word.arg): word.value for word in node.keywords})


def test_the_check_of_a_snippet_finds_wrong_names() -> None:
    with pytest.raises(AssertionError):
        test_names_in_snippets_can_be_imported("", 0, "from remogpt.motion import joints_to_nothing")
    with pytest.raises(TypeError):
        test_snippets_call_stages_with_arguments_that_they_have("", 0, "evaluate(None, None, output='x')")
