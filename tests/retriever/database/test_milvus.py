"""Databases searched in Milvus, by its own client on Milvus Lite, give what a search of their files gives."""

import logging
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from remogpt.retriever import MotionDatabase
from remogpt.retriever.database.milvus import MilvusIndex, connect, send, withdraw
from remogpt.retriever.database.vector_index import VectorIndex
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


class _Served:
    """Answers as a collection of some rows does, and keeps how many were asked for."""

    def __init__(self, rows: np.ndarray) -> None:
        self.rows, self.asked = rows, list[int]()

    def search(self, collection: str, *, data: list[list[float]], limit: int, **options: Any) -> Any:
        self.asked.append(limit)
        similarities = self.rows @ np.array(data[0], dtype=np.float32)
        best = np.argsort(-similarities, kind="stable")[:limit]
        return [[{"entity": {"row": int(row)}, "distance": float(similarities[row])} for row in best]]


def test_the_server_is_asked_once_where_that_brings_enough() -> None:
    """Two hits want eighteen rows, of just two owners or of three."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(200, 8)).astype(np.float32)
    rows[:18, 0] += 20.0
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    query, none = np.eye(8, dtype=np.float32)[0], np.empty(0, np.int64)
    for rows_per_owner in (9, 6):
        owner = (np.arange(200) // rows_per_owner).__getitem__
        index, server = MilvusIndex(rows, "http://127.0.0.1:1", "nothing"), _Served(rows)
        index.__dict__["_client"] = server
        found, wanted = (one.search(query, 2, owner, none) for one in (index, VectorIndex(rows)))
        assert server.asked == [18]
        np.testing.assert_array_equal(found[0], wanted[0])
        np.testing.assert_array_equal(found[2], wanted[2])


def test_rows_stay_where_they_are(entries: Any, retriever: Any, tokenizer: Any, tmp_path: Path) -> None:
    """An index in Milvus answers from the files what it need not ask there for."""
    database = MotionDatabase.build(entries, retriever, tokenizer, tmp_path / "db")
    index = MilvusIndex(database.motion_embeddings, "http://127.0.0.1:1", "nothing")
    query = np.asarray(database.motion_embeddings[0], dtype=np.float32)
    owners, _, _ = index.search(query, 2, np.asarray, np.empty(0, np.int64), np.zeros(len(database)))
    assert owners[0] == 0
