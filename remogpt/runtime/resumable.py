"""Long computations in pieces: a run that is killed goes on at the piece it was in."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_npy, write_npy
from remogpt.runtime.progress import progress


def compute_in_shards(
    folder: str | Path,
    count: int,
    compute: Callable[[range], np.ndarray],
    size: int,
    desc: str,
    unit: str = "item",
) -> np.ndarray:
    """Compute the rows of `count` items, `size` at a time, and keep each piece in `folder` until it is removed.

    Args:
        folder: of these pieces alone; name it by everything that decides the result, for a piece that is there already
            is taken as it is.
        count: items, at least one.
        compute: places of some items -> their rows (n, ...).
        size: items a piece.
        desc, unit: of the progress bar.

    Returns:
        (count, ...) all rows, in order.

    Raises:
        RemogptError: if a piece that is there has another number of rows.
    """
    if count < 1 or size < 1:
        raise ValueError(f"wanted at least one item and a shard of at least 1, got {count} and {size}")
    pieces = []
    with progress(total=count, desc=desc, unit=unit) as bar:
        for start in range(0, count, size):
            places = range(start, min(count, start + size))
            path = Path(folder) / f"{start:09d}.npy"
            if not path.is_file():
                write_npy(path, compute(places))
            rows = read_npy(path)
            if len(rows) != len(places):
                raise RemogptError(f"{path} has {len(rows)} rows, wanted {len(places)}; delete {folder} and run again")
            pieces.append(rows)
            bar.update(len(places))
    return np.concatenate(pieces)


def remove_shards(folder: str | Path) -> None:
    """Delete the pieces of a computation whose result is stored."""
    shutil.rmtree(folder, ignore_errors=True)
