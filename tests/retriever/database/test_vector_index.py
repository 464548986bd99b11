"""The index: FAISS and NumPy agree, ties included."""

from pathlib import Path

import numpy as np
import pytest

from remogpt.retriever.database import vector_index
from remogpt.retriever.database.vector_index import (
    VectorIndex,
    check_index,
    has_faiss,
    wants_inverted_file,
    write_inverted_file,
)
from remogpt.runtime import device
from remogpt.runtime.errors import RemogptError

NONE = np.empty(0, dtype=np.int64)
needs_faiss = pytest.mark.skipif(not has_faiss(), reason="faiss is not installed (extra [cpu] or [gpu])")


def unit_rows(count: int, dim: int = 24, num_distinct: int | None = None) -> np.ndarray:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(num_distinct or count, dim)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows[rng.integers(len(rows), size=count)] if num_distinct else rows


def full_scan(rows: np.ndarray, query: np.ndarray, k: int, owners: np.ndarray) -> list[int]:
    similarities = (rows.astype(np.float64) @ query.astype(np.float64)).astype(np.float32)
    best: list[int] = []
    for row in np.argsort(-similarities, kind="stable"):
        if owners[row] not in best:
            best.append(int(owners[row]))
    return best[:k]


@pytest.mark.parametrize("use_faiss", [False, pytest.param(True, marks=needs_faiss)])
@pytest.mark.parametrize("num_distinct", [None, 7, 1])
@pytest.mark.parametrize("rows_per_owner", [1, 3])
def test_search_is_exact_with_any_number_of_ties(
    use_faiss: bool, num_distinct: int | None, rows_per_owner: int
) -> None:
    rows = unit_rows(600, num_distinct=num_distinct)
    owners = np.arange(600) // rows_per_owner
    index = VectorIndex(rows, use_faiss=use_faiss)
    for query in (rows[3], unit_rows(5)[4]):
        found = index.search(query, 9, owners.__getitem__, NONE)
        assert found[0].tolist() == full_scan(rows, query, 9, owners)
        assert (np.diff(found[2]) <= 0).all()


@needs_faiss
def test_faiss_and_numpy_give_identical_arrays() -> None:
    rows = unit_rows(2000, num_distinct=900)
    excluded = np.arange(0, 2000, 5)
    for query in unit_rows(20):
        results = [VectorIndex(rows, use_faiss=use).search(query, 12, np.asarray, excluded) for use in (True, False)]
        assert all(np.array_equal(a, b) for a, b in zip(*results, strict=True))


@needs_faiss
def test_rows_are_searched_on_the_gpu_where_networks_run_there(monkeypatch: pytest.MonkeyPatch) -> None:
    import faiss
    import torch

    rows, moved = unit_rows(500), []
    plain = VectorIndex(rows, use_faiss=True)
    assert plain._on_gpu is None, "no GPU is here"
    monkeypatch.setattr(faiss, "get_num_gpus", lambda: 2)
    monkeypatch.setattr(faiss, "StandardGpuResources", object, raising=False)
    monkeypatch.setattr(
        faiss, "index_cpu_to_gpu", lambda resources, number, index: (moved.append(number), index)[1], raising=False
    )
    assert VectorIndex(rows, use_faiss=True)._on_gpu is None, "the networks run on the CPU"
    monkeypatch.setattr(device, "_named", [torch.device("cuda:1")])
    there = VectorIndex(rows, use_faiss=True)
    for query in unit_rows(5):
        found = [index.search(query, 7, np.asarray, np.arange(0, 500, 3)) for index in (plain, there)]
        assert all(np.array_equal(a, b) for a, b in zip(*found, strict=True))
    assert moved == [1]


@needs_faiss
def test_an_inverted_file_gives_k_where_there_are_k(tmp_path: Path) -> None:
    """The lists nearest to the query may hold fewer rows, or none that is not excluded."""
    rows = unit_rows(3000, 16)
    write_inverted_file(rows, tmp_path / "x.ivf")
    index, query = VectorIndex(rows, tmp_path / "x.ivf", use_faiss=True), rows[7]
    index._inverted_file.nprobe = 2
    assert len(index.search(query, 2500, np.asarray, NONE)[0]) == 2500
    best = index.search(query, 2000, np.asarray, NONE)[0]
    rest = index.search(query, 900, np.asarray, np.sort(best))[0]
    assert len(rest) == 900 and not set(rest) & set(best)
    assert len(index.search(query, 5000, np.asarray, NONE)[0]) == 3000


@needs_faiss
def test_an_inverted_file_finds_nearly_all(tmp_path: Path) -> None:
    rows = unit_rows(1500, 16)
    write_inverted_file(rows, tmp_path / "x.ivf")
    index = VectorIndex(rows, tmp_path / "x.ivf", use_faiss=True)
    queries, hits = rows[::150], 0
    for query in queries:
        found = index.search(query, 10, np.asarray, NONE)[0].tolist()
        hits += len(set(found) & set(full_scan(rows, query, 10, np.arange(1500))))
    assert hits >= 0.9 * 10 * len(queries)


@needs_faiss
def test_few_rows_make_an_inverted_file_and_what_is_excluded_is_asked_for_again(tmp_path: Path) -> None:
    """The nearest 30 of 40 rows are excluded, which a guess from their share does not expect."""
    rows = unit_rows(40)
    write_inverted_file(rows, tmp_path / "x.ivf")
    for file in (tmp_path / "x.ivf", None):
        index = VectorIndex(rows, file)
        assert index.use_faiss == (file is not None), "a file is used, however few rows there are"
        best = index.search(rows[3], 40, np.asarray, NONE)[0]
        found = index.search(rows[3], 5, np.asarray, np.sort(best[:30]))[0]
        assert found.tolist() == best[30:35].tolist()


def test_which_index(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vector_index, "has_faiss", lambda: True)
    assert [wants_inverted_file(count, "auto") for count in (100_000, 100_001)] == [False, True]
    assert [wants_inverted_file(count, "ivf") for count in (0, 1)] == [False, True]
    assert not wants_inverted_file(10**6, "flat")
    with pytest.raises(RemogptError, match="auto, flat, ivf, came 'hnsw'"):
        check_index("hnsw")  # type: ignore[arg-type]
    monkeypatch.setattr(vector_index, "has_faiss", lambda: False)
    assert not wants_inverted_file(10**6, "ivf"), "of an inherited choice: without FAISS all rows are compared"
    with pytest.raises(RemogptError, match=r"remogpt\[cpu\]"):
        check_index("ivf")
