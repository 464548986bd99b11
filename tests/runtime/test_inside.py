"""Names from outside name files within a folder, or are refused."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remogpt.runtime.errors import RemogptError
from remogpt.runtime.inside import path_inside, why_no_name


@pytest.mark.parametrize("name", ["000001", "dance/000001", "a:1.5-4.0", "größer", "..a", "a b.c"])
def test_names_that_stay_inside(name: str, tmp_path: Path) -> None:
    assert path_inside(tmp_path, name, ".npy") == tmp_path / f"{name}.npy"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "it is empty"), ("  ", "it is empty"), ("/etc/passwd", "a path of its own"), ("..", "leads to another"),
        ("a/../../b", "leads to another"), ("a//b", "leads to another"), ("a/", "leads to another"),
        ("a\\..\\b", "it holds"), ("a\x00b", "it holds"), ("\x1b[2J", "it holds"), ("x" * 201, "longer than 200"),
        ("a\ud800", "it is not text"),
    ],
)  # fmt: skip
def test_names_that_do_not(name: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(RemogptError, match=why):
        path_inside(tmp_path, name, ".npy")


def test_links_lead_out_for_reading_alone(tmp_path: Path) -> None:
    set_, other = tmp_path / "set", tmp_path / "other"
    (set_ / "sub").mkdir(parents=True)
    other.mkdir()
    (set_ / "a.npy").symlink_to(other / "a.npy")
    (set_ / "out").symlink_to(other)
    (set_ / "b.npy").symlink_to(set_ / "sub" / "b.npy")
    for name in ("a", "out/c"):
        with pytest.raises(RemogptError, match="is a link that leads out of"):
            path_inside(set_, name, ".npy")
        assert path_inside(set_, name, ".npy", for_reading=True) == set_ / f"{name}.npy"
    assert path_inside(set_, "b", ".npy") == set_ / "b.npy"
    (tmp_path / "linked").symlink_to(set_)
    assert path_inside(tmp_path / "linked", "sub/x") == tmp_path / "linked" / "sub" / "x"


@given(st.text(max_size=40))
def test_whatever_the_name_the_path_lies_inside(name: str) -> None:
    if not why_no_name(name):
        folder = Path("/somewhere/set")
        assert (folder / name).resolve().is_relative_to(folder) and (folder / name).resolve() != folder
