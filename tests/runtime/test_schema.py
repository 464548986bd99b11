"""JSON files of ours hold what they should, or the place is named."""

import json
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import pytest

from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_json
from remogpt.runtime.schema import Count


class Kind(TypedDict):
    count: Count
    inner: NotRequired[dict[str, list[int]]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "wanted object, got array; restore"),
        ({}, "object missing required field count"),
        ({"count": -1}, r"wanted int >= 0 at count; restore"),
        ({"count": 1.5}, "wanted int, got float at count"),
        ({"count": 1, "inner": {"a": [1, "x"]}}, r"wanted int, got str at inner"),
    ],
)
def test_the_place_is_named(content: Any, message: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(content))
    with pytest.raises(RemogptError, match=rf"a\.json: {message}"):
        read_json(path, Kind)


def test_further_keys_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('\ufeff{"count": 3, "more": 1}', encoding="utf-8")
    assert read_json(path, Kind) == {"count": 3, "more": 1}


@pytest.mark.parametrize("text", ["[" * 100_000, "9" * 5000, '{"a": "\xff"}', '{"a": 1', ""])
def test_what_is_no_json_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(RemogptError, match="is not valid JSON"):
        read_json(path)
