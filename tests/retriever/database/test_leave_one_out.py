"""Leave-one-out neighbours: nobody is their own example, and the file belongs to its database."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from remogpt.retriever.database.database import MotionDatabase
from remogpt.retriever.database.entry import DatabaseEntry
from remogpt.retriever.database.leave_one_out import Neighbours, best_columns, family_numbers, find_neighbours
from remogpt.runtime.errors import MissingPathError, RemogptError

MakeEntry = Callable[..., DatabaseEntry]


@pytest.fixture
def family_entries(entry: MakeEntry) -> list[DatabaseEntry]:
    """c0 and its mirror c32, c1 and c33 of one source, and 28 others."""
    made = [entry(number) for number in range(30)]
    return [*made, entry(32, mirror_of="c0"), replace(entry(33), source_id="s1")]


@pytest.fixture
def database(
    tmp_path: Path, family_entries: list[DatabaseEntry], retriever: Any, tokenizer: Any, build_once: Any
) -> MotionDatabase:
    folder = build_once(
        __name__, lambda path: MotionDatabase.build(family_entries, retriever, tokenizer, path), tmp_path / "db"
    )
    return MotionDatabase.open(folder, retriever)


def test_no_clip_gets_its_own_family(database: MotionDatabase) -> None:
    neighbours = find_neighbours(database, depth=31)
    infos = list(database.infos())
    family = family_numbers(infos)
    assert family[0] == family[30] and family[1] == family[31] and len(set(family.tolist())) == 30
    owners = np.repeat(np.arange(len(infos)), 2)
    for route in ("t2m", "t2t", "m2t", "m2m"):
        rows = neighbours.tensors[f"{route}/rows"]
        mine = family[owners if route[0] == "t" else np.arange(len(infos))]
        assert not ((family[rows] == mine[:, None]) & (rows >= 0)).any()
        # Everything else is there: 31 of 32 entries, or 30 where the family has two.
        assert sorted((rows >= 0).sum(axis=1).tolist())[:1] == [30] and (rows >= 0).sum(axis=1).max() == 31


def test_lists_equal_a_search_with_exclusion(database: MotionDatabase) -> None:
    neighbours = find_neighbours(database, depth=6)
    query = np.asarray(database.caption_embeddings[2 * 0 + 1])
    for route in ("t2m", "t2t"):
        expected = database.search_embedding(query, route, k=6, exclude=["c0", "c32"])  # type: ignore[arg-type]
        rows = neighbours.tensors[f"{route}/rows"][1]
        scores = neighbours.tensors[f"{route}/scores"][1]
        captions = dict(zip(rows.tolist(), neighbours.tensors[f"{route}/captions"][1].tolist(), strict=True))
        told = {database.rows[example.id]: example.caption for example in expected}
        shared = captions.keys() & told.keys()
        assert shared and all(database.info(row).captions[captions[row]] == told[row] for row in shared)
        assert np.allclose(scores, [example.score for example in expected], atol=1e-6)
        # Which of the entries that tie comes first may differ by float32 rounding.
        for row, score in zip(rows, scores, strict=True):
            found = {example.id for example in expected if abs(example.score - score) < 1e-5}
            assert database.info(row).id in found or score < scores[-1] + 1e-5


def test_same_captions_can_be_passed_over(database: MotionDatabase) -> None:
    neighbours = find_neighbours(database, exclude_same_caption=True)
    infos = list(database.infos())
    first_captions = neighbours.tensors["caption_offsets"][:-1]
    for route in ("t2m", "t2t"):
        for info, rows in zip(infos, neighbours.tensors[f"{route}/rows"][first_captions], strict=True):
            assert not any(info.captions[0] in infos[row].captions for row in rows if row >= 0)
    # 8 actions; 4 entries each share their first caption: 12 ordered pairs, less those of one family, per caption.
    assert neighbours.header["same_caption_pairs"] > 0
    assert find_neighbours(database).header["same_caption_pairs"] == 0


def test_queries_from_another_database(
    database: MotionDatabase, entry: MakeEntry, retriever: Any, other_retriever: Any, tokenizer: Any, tmp_path: Path
) -> None:
    queries = MotionDatabase.build([entry(3), entry(51)], retriever, tokenizer, tmp_path / "queries")
    neighbours = find_neighbours(database, queries)
    assert list(neighbours.index_of) == ["c3", "c51"] and neighbours.tensors["caption_offsets"].tolist() == [0, 2, 4]
    by_motion, by_caption = (neighbours.tensors[f"{route}/rows"] for route in ("m2m", "t2m"))
    assert by_motion.shape == (2, 8) and by_caption.shape == (4, 8)
    assert 3 not in by_motion[0] and 3 not in by_caption[:2]  # c3 is in both databases
    foreign = MotionDatabase.build([entry(3), entry(51)], other_retriever, tokenizer, tmp_path / "foreign")
    with pytest.raises(RemogptError, match="one retriever"):
        find_neighbours(database, foreign)


def test_file_round_trip_and_refusals(
    database: MotionDatabase, retriever: Any, tokenizer: Any, entry: MakeEntry, tmp_path: Path
) -> None:
    neighbours = find_neighbours(database, depth=4)
    neighbours.save(tmp_path / "n.safetensors")
    loaded = Neighbours.load(tmp_path / "n.safetensors", database)
    assert loaded.header == neighbours.header and loaded.tensors.keys() == neighbours.tensors.keys()
    assert all(np.array_equal(loaded.tensors[name], tensor) for name, tensor in neighbours.tensors.items())
    other = MotionDatabase.build([entry(1), entry(2), entry(5)], retriever, tokenizer, tmp_path / "other")
    with pytest.raises(RemogptError, match="find them again"):
        Neighbours.load(tmp_path / "n.safetensors", other)
    with pytest.raises(MissingPathError, match="remogpt db neighbours"):
        Neighbours.load(tmp_path / "absent.safetensors")
    (tmp_path / "bad").write_bytes(b"nonsense")
    with pytest.raises(RemogptError, match="not a file of neighbours"):
        Neighbours.load(tmp_path / "bad")


def test_one_source_for_everything_is_refused(
    entries: list[DatabaseEntry], retriever: Any, tokenizer: Any, tmp_path: Path
) -> None:
    same = [replace(entry, source_id="tape") for entry in entries]
    database = MotionDatabase.build(same, retriever, tokenizer, tmp_path)
    with pytest.raises(RemogptError, match="same source_id"):
        find_neighbours(database)


def test_best_columns_breaks_ties_by_column() -> None:
    similarities = np.array([[0.0, 1.0, 1.0, 1.0, 0.5], [2.0, 2.0, 2.0, 2.0, 2.0], [5.0, 1.0, 4.0, 2.0, 3.0]])
    assert best_columns(similarities, 2).tolist() == [[1, 2], [0, 1], [0, 2]]
    assert best_columns(similarities, 5)[0].tolist() == [1, 2, 3, 4, 0]
    random = np.random.default_rng(0).integers(0, 4, (50, 30)).astype(float)
    assert np.array_equal(best_columns(random, 7), np.argsort(-random, axis=1, kind="stable")[:, :7])
