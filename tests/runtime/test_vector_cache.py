"""The cache of vectors: where it lies, what finds an array again, and what a killed computation loses."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from remogpt.runtime import vector_cache
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.vector_cache import VARIABLE, VectorCache

NETWORK = "ab" * 32
ITEMS = [f"item {number}" for number in range(10)]


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vector_cache, "SHARD", 4)


class Counting:
    """A computation that counts its items, and may be struck down."""

    def __init__(self) -> None:
        self.computed: list[int] = []
        self.dies_at: int | None = None

    def rows(self, indices: range) -> np.ndarray:
        if self.dies_at in indices:
            raise KeyboardInterrupt
        self.computed += indices
        return np.array([[index, index**2] for index in indices], dtype=np.float32)

    def ragged(self, indices: range) -> dict[str, np.ndarray]:
        """Item i has i rows."""
        self.computed += indices
        rows = [np.full((index, 2), index, dtype=np.float16) for index in indices]
        return {"states": np.concatenate(rows), "lengths": np.array([len(row) for row in rows])}


def test_rows_are_computed_once_and_mapped_from_disk(tmp_path: Path) -> None:
    counting = Counting()
    first = VectorCache(tmp_path).rows(NETWORK, ITEMS, 10, counting.rows, desc="rows", about={"what": "squares"})
    again = VectorCache(tmp_path).rows(NETWORK, ITEMS, 10, counting.rows, desc="rows")
    assert counting.computed == list(range(10))
    assert isinstance(again, np.memmap) and not again.flags.writeable and again.dtype == np.float32
    assert np.array_equal(first, again) and again[:, 1].tolist() == [number**2 for number in range(10)]
    (folder,) = (tmp_path / NETWORK[:16]).iterdir()
    assert sorted(path.name for path in folder.iterdir()) == ["about.json", "rows.npy"], "shards are gone"
    assert '"what": "squares"' in (folder / "about.json").read_text()


def test_an_item_may_have_any_number_of_rows(tmp_path: Path) -> None:
    counting = Counting()
    for _ in range(2):
        arrays = VectorCache(tmp_path).arrays(NETWORK, ITEMS, 10, counting.ragged, desc="states")
        assert arrays["lengths"].tolist() == list(range(10)) and arrays["states"].shape == (45, 2)
        assert arrays["states"][:, 0].tolist() == [index for index in range(10) for _ in range(index)]
    assert counting.computed == list(range(10))


def test_another_network_other_items_or_other_shards_are_another_array(tmp_path: Path) -> None:
    cache, counting = VectorCache(tmp_path), Counting()
    keys = [(NETWORK, ITEMS, 4), ("cd" * 32, ITEMS, 4), (NETWORK, ITEMS[::-1], 4), (NETWORK, [*ITEMS, ""], 4),
            (NETWORK, ITEMS, 5)]  # fmt: skip
    for number, (network, items, shard) in enumerate(keys, start=1):
        cache.rows(network, items, 10, counting.rows, desc="rows", shard=shard)
        assert len(counting.computed) == 10 * number


def test_a_killed_computation_loses_no_finished_shard(tmp_path: Path) -> None:
    counting = Counting()
    counting.dies_at = 6
    with pytest.raises(KeyboardInterrupt):
        VectorCache(tmp_path).rows(NETWORK, ITEMS, 10, counting.rows, desc="rows")
    assert not list(tmp_path.rglob("*.npy")), "no half array"
    counting.dies_at, counting.computed = None, []
    rows = VectorCache(tmp_path).rows(NETWORK, ITEMS, 10, counting.rows, desc="rows")
    assert counting.computed == [4, 5, 6, 7, 8, 9] and rows[:, 0].tolist() == list(range(10))


def test_a_process_that_comes_second_takes_what_the_first_one_wrote(tmp_path: Path) -> None:
    cache, counting, slow = VectorCache(tmp_path), Counting(), Counting()

    def overtaken(indices: range) -> np.ndarray:
        if indices.start == 8:  # the other process ends, and removes the shards
            cache.rows(NETWORK, ITEMS, 10, counting.rows, desc="rows")
        return slow.rows(indices)

    rows = VectorCache(tmp_path).rows(NETWORK, ITEMS, 10, overtaken, desc="rows")
    assert rows[:, 0].tolist() == list(range(10)) and counting.computed == [8, 9]
    assert [path.name for path in (tmp_path / NETWORK[:16]).iterdir() if path.suffix] == []


def test_what_is_damaged_is_named(tmp_path: Path) -> None:
    rows = VectorCache(tmp_path).rows(NETWORK, ITEMS, 10, Counting().rows, desc="rows")
    path = Path(rows.filename)
    np.save(path, np.zeros((3, 2), dtype=np.float32))
    with pytest.raises(RemogptError, match=r"rows.npy in .* not what was written; delete .*, and it is computed again"):
        VectorCache(tmp_path).rows(NETWORK, ITEMS, 10, Counting().rows, desc="rows")
    shutil.rmtree(path.parent)
    assert VectorCache(tmp_path).rows(NETWORK, ITEMS, 10, Counting().rows, desc="rows").shape == (10, 2)


def test_the_cache_lies_beside_the_set_or_in_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert VectorCache.beside(tmp_path).folder == Path(os.environ[VARIABLE]), "the variable names one for all sets"
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "home"))
    users = tmp_path / "home" / "remogpt" / "vectors"
    assert VectorCache.beside(tmp_path / "set").folder == tmp_path / "set" / "vectors"
    assert VectorCache.beside(None).folder == users
    own = vector_cache.is_writable
    monkeypatch.setattr(vector_cache, "is_writable", lambda path: (tmp_path / "set") not in path.parents and own(path))
    assert VectorCache.beside(tmp_path / "set").folder == users
    assert not (tmp_path / "set").exists() and not users.exists()


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path: Path) -> None:
    command = (
        "import numpy, remogpt.runtime.vector_cache as module; module.is_writable = lambda path: False\n"
        "cache = module.VectorCache.beside(None)\n"
        "print(cache.rows('ab' * 32, ['a'], 2, lambda at: numpy.ones((2, 3)), desc='x').shape, cache.folder)"
    )
    environment = {key: value for key, value in os.environ.items() if key != VARIABLE}
    done = subprocess.run([sys.executable, "-c", command], env=environment, capture_output=True, text=True, check=True)
    shape, folder = done.stdout.strip().rsplit(" ", 1)
    assert shape == "(2, 3)" and not Path(folder).exists()


def test_a_network_that_gives_nan_is_named_and_nothing_is_kept(tmp_path: Path) -> None:
    cache = VectorCache(tmp_path)

    def diverged(indices: range) -> np.ndarray:
        return np.array([[np.nan if index == 6 else index] for index in indices])

    with pytest.raises(RemogptError, match="gave NaN in the rows of item 6, and in 1 of"):
        cache.rows(NETWORK, ITEMS, 10, diverged, desc="rows")
    healthy = cache.rows(NETWORK, ITEMS, 10, lambda indices: np.array([[float(i)] for i in indices]), desc="rows")
    assert healthy[:, 0].tolist() == list(range(10))


def test_another_process_may_be_faster(tmp_path: Path) -> None:
    """It publishes the same arrays, and removes the shards, while this one computes its second shard."""
    counting = Counting()

    def overtaken(indices: range) -> np.ndarray:
        if indices.start == 4:
            VectorCache(tmp_path).rows(NETWORK, ITEMS, 10, counting.rows, desc="rows")
        return counting.rows(indices)

    rows = VectorCache(tmp_path).rows(NETWORK, ITEMS, 10, overtaken, desc="rows")
    assert rows[:, 0].tolist() == list(range(10))
    assert [path.name for path in (tmp_path / NETWORK[:16]).iterdir() if path.suffix] == []


def test_shards_of_a_run_that_was_killed_after_publishing_go(tmp_path: Path) -> None:
    VectorCache(tmp_path).rows(NETWORK, ITEMS, 10, Counting().rows, desc="rows")
    (folder,) = (tmp_path / NETWORK[:16]).iterdir()
    left = folder.with_name(f"{folder.name}.shards")
    left.mkdir()
    (left / "000000000.safetensors").touch()
    VectorCache(tmp_path).rows(NETWORK, ITEMS, 10, Counting().rows, desc="rows")
    assert not left.exists()


def test_a_computation_that_fails_is_not_hidden(tmp_path: Path) -> None:
    def failing(indices: range) -> np.ndarray:
        raise FileNotFoundError("features.npy")

    with pytest.raises(FileNotFoundError, match=r"features\.npy"):
        VectorCache(tmp_path).rows(NETWORK, ITEMS, 10, failing, desc="rows")
