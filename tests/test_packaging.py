"""What is tracked below remogpt/ is what a wheel carries, and all that is tracked is what a source archive carries."""

import shutil
import subprocess
import sys
import tarfile
import tomllib
import zlib
from fnmatch import fnmatch
from pathlib import Path

import pytest
from setuptools import find_namespace_packages, find_packages

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SETUPTOOLS = PYPROJECT["tool"]["setuptools"]


def package_files() -> list[Path]:
    """Files of the package: tracked ones where this is a checkout, all but caches elsewhere."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "remogpt"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if listed.returncode == 0:
        return [Path(line) for line in listed.stdout.splitlines() if (ROOT / line).is_file()]
    found = (path.relative_to(ROOT) for path in (ROOT / "remogpt").rglob("*") if path.is_file())
    return [path for path in found if "__pycache__" not in path.parts]


def tracked_files() -> list[Path]:
    """Files of the checkout, without links; skips where this is none."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode != 0:
        pytest.skip("what a source archive should hold is known in a checkout alone")
    paths = [Path(name) for name in listed.stdout.split("\0") if name]
    return [path for path in paths if (ROOT / path).is_file() and not (ROOT / path).is_symlink()]


def nearest_package(file: Path, packages: set[str]) -> Path:
    """Return the folder of the innermost package above a file."""
    return next(folder for folder in file.parents if ".".join(folder.parts) in packages)


def test_every_file_is_python_or_matches_a_data_pattern() -> None:
    patterns = SETUPTOOLS["package-data"]["*"]
    packages = set(find_namespace_packages(str(ROOT), include=SETUPTOOLS["packages"]["find"]["include"]))
    lost = []
    for file in package_files():
        inside = file.relative_to(nearest_package(file, packages)).as_posix()
        if file.suffix != ".py" and not any(fnmatch(inside, pattern) for pattern in patterns):
            lost.append(file.as_posix())
    assert not lost, f"a wheel would leave out {lost}; add their pattern to [tool.setuptools.package-data]"


def test_every_folder_with_code_is_a_package() -> None:
    packages = set(find_packages(str(ROOT), include=["remogpt*"]))
    folders = {".".join(file.parent.parts) for file in package_files() if file.suffix == ".py"}
    assert folders <= packages, f"no __init__.py in {sorted(folders - packages)}"


@pytest.mark.parametrize(
    "name",
    [
        "remogpt/commands/generate.py",
        "remogpt/configs/mini/tokenizer.yaml",
        "remogpt/app/demo_page.css",
        "remogpt/eval/report/report.html.j2",
        "remogpt/models/evaluator/model.safetensors",
        "remogpt/models/evaluator/training.json",
        "remogpt/models/mini/remogpt.json",
    ],
)
def test_the_list_is_of_this_package(name: str) -> None:
    assert Path(name) in package_files()


def test_symbolic_links_at_the_root_are_no_packages() -> None:
    packages = find_namespace_packages(str(ROOT), include=SETUPTOOLS["packages"]["find"]["include"])
    assert {name.split(".")[0] for name in packages} == {"remogpt"}


def test_no_large_file_is_tracked() -> None:
    """In a wheel the embedded model has at most 40 MB, most of them motions of its database, and its evaluator 2."""
    sizes = {path: len(zlib.compress((ROOT / path).read_bytes())) for path in package_files()}
    for name, limit in (("mini", 40), ("evaluator", 2)):
        embedded = [size for path, size in sizes.items() if path.is_relative_to(f"remogpt/models/{name}")]
        assert embedded and sum(embedded) <= limit * 2**20, name
    assert all(size < 2**20 for path, size in sizes.items() if "models" not in path.parts)


@pytest.mark.slow
def test_a_source_archive_holds_what_is_tracked(tmp_path: Path) -> None:
    files = tracked_files()
    for path in files:  # a copy: what was built before in this checkout would add its own list of files
        (tmp_path / "source" / path.parent).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, tmp_path / "source" / path)
    command = [sys.executable, "-m", "build", "--sdist", "--no-isolation", "--outdir", str(tmp_path), "source"]
    built = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr[-2000:]
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as content:
        held = {Path(*Path(name).parts[1:]) for name in content.getnames()}
    of_the_repository = {path for path in files if path.name == ".gitignore" or path.parts[0] == ".github"}
    assert not sorted(set(files) - held - of_the_repository), "add them to MANIFEST.in"
