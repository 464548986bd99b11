"""Databases searched in Milvus, by its own client on Milvus Lite, give what a search of their files gives."""

import logging
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from remogpt.retriever import MotionDatabase
from remogpt.retriever.database.milvus import MilvusIndex, connect, send, withdraw
from remogpt.runtime.errors import RemogptError

QUERIES = ("a person walks", "a person waves with the left hand")


def found(database: MotionDatabase) -> list[tuple[str, float]]:
    """Search by both galleries, with and without exclusion."""
    hits = []
    for query in QUERIES:
        for route in ("t2m", "t2t"):
            hits += database.search(text=query, route=route, k=3)
            hits += database.search(text=query, route=route, k=4, exclude=[hits[-3].id])
            hits += database.search(text=query, route=route, k=10**6)
    return [(hit.id, hit.score) for hit in hits]


@pytest.mark.slow
def test_milvus_finds_what_the_files_hold(
    entries: Any, retriever: Any, tokenizer: Any, tmp_path: Path, caplog: Any
) -> None:
    pytest.importorskip("pymilvus", reason="pip install 'remogpt[milvus]'")
    pytest.importorskip("milvus_lite", reason="pip install 'remogpt[milvus]'")
    database, uri = MotionDatabase.build(entries, retriever, tokenizer, tmp_path / "db"), str(tmp_path / "vectors.db")
    wanted = found(database)
    assert send(database, uri) == len(database) + len(database.caption_embeddings)
    there = MotionDatabase.open(database.path, retriever)
    assert isinstance(there._motions, MilvusIndex) and found(there) == wanted
    asked: list[int] = []
    there._motions.__dict__["_client"] = _Counting(there._motions._client, asked)
    there.search(text=QUERIES[0], k=2)
    assert asked == [18], "two hits, and sixteen that may tie"

    changed = there.select([0, 1], there.path)
    with caplog.at_level(logging.WARNING):
        assert not isinstance(changed._motions, MilvusIndex)
    assert "was changed since it was sent to Milvus" in caplog.text
    send(changed, uri)
    names = connect(uri).list_collections()
    assert sorted(names) == sorted(f"remogpt_{changed.hash[:32]}_{one}" for one in ("motion", "caption"))
    assert withdraw(changed.path) and not withdraw(changed.path) and not connect(uri).list_collections()


class _Counting:
    def __init__(self, client: Any, asked: list[int]) -> None:
        self.client, self.asked = client, asked

    def search(self, *args: Any, **options: Any) -> Any:
        self.asked.append(options["limit"])
        return self.client.search(*args, **options)


def test_what_does_not_answer_is_told_in_one_line(
    run: Any, tiny_model: Path, tiny_components: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pymilvus", reason="pip install 'remogpt[milvus]'")
    with pytest.raises(RemogptError, match=r"Milvus at http://127.0.0.1:1 does not answer as it should"):
        connect("http://127.0.0.1:1")
    assert "say where: --uri" in run("db", "milvus", tiny_components.database).complaint
    assert "was not in Milvus" in run("db", "milvus", tiny_components.database, "--remove").out
    monkeypatch.setitem(sys.modules, "pymilvus", None)
    told = run("db", "milvus", tiny_components.database, "--uri", tmp_path / "x.db").complaint
    assert "pip install 'remogpt[milvus]'" in told


def test_rows_stay_where_they_are(entries: Any, retriever: Any, tokenizer: Any, tmp_path: Path) -> None:
    """An index in Milvus answers from the files what it need not ask there for."""
    database = MotionDatabase.build(entries, retriever, tokenizer, tmp_path / "db")
    index = MilvusIndex(database.motion_embeddings, "http://127.0.0.1:1", "nothing")
    query = np.asarray(database.motion_embeddings[0], dtype=np.float32)
    owners, _, _ = index.search(query, 2, np.asarray, np.empty(0, np.int64), np.zeros(len(database)))
    assert owners[0] == 0
