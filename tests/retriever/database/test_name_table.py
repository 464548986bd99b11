"""Rows of names: of every name that binds an entry to its family, from files of large databases or from the entries."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from remogpt.retriever.database import name_table, version_writer
from remogpt.retriever.database.database import MotionDatabase
from remogpt.retriever.database.entry import DatabaseEntry, EntryNames
from remogpt.retriever.database.name_table import NameCollector, NameTable
from remogpt.runtime.errors import RemogptError

ENTRIES = [EntryNames("a", "tape", None), EntryNames("b", "tape", "a"), EntryNames("c", "c", None)]


def table() -> NameTable:
    collected = NameCollector()
    collected.add(ENTRIES[:2])
    collected.add(ENTRIES[2:])
    return NameTable(*collected.sorted())


def test_an_entry_is_found_by_each_of_its_names(monkeypatch: pytest.MonkeyPatch) -> None:
    found = table()
    told = {"a": [0, 1], "b": [1], "tape": [0, 1], "c": [2], "nobody": []}
    for _ in range(2):  # looked up, and remembered
        assert {name: found.rows_of([name]).tolist() for name in told} == told
    assert found.rows_of(["c", "b", "tape"]).tolist() == [0, 1, 2]
    monkeypatch.setattr(name_table, "MOST_KNOWN", 2)
    assert found.rows_of(["c"]).tolist() == [2] and found._known.keys() == {"c"}, "memory stays bounded"


def test_a_large_database_keeps_its_names(
    entry: Callable[..., DatabaseEntry], retriever: Any, tokenizer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = [entry(4, "tape"), entry(12, "tape"), entry(20, "other", mirror_of="c12"), entry(28)]
    small = MotionDatabase.build(entries, retriever, tokenizer, tmp_path / "small", facts=False)
    monkeypatch.setattr(version_writer, "FAISS_ROWS", 3)
    large = MotionDatabase.build(entries, retriever, tokenizer, tmp_path / "large", facts=False)
    assert "name_hashes.npy" in large.manifest["files"] and "name_hashes.npy" not in small.manifest["files"]
    for names in (["tape"], ["c12"], ["c4", "nobody"], ["other", "c28"]):
        hits = [{hit.id for hit in one.search(text="a person bows", k=9, exclude=names)} for one in (small, large)]
        assert hits[0] == hits[1] and len(hits[0]) < 4
    large.verify()
    monkeypatch.setattr(large, "_arrays", {**large._arrays, "name_rows": np.zeros(9, dtype=np.int64)})
    del large.name_table
    with pytest.raises(RemogptError, match="does not hold the names"):
        large.check_sense()
