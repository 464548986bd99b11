"""Split long computations into shards, so that a killed run resumes at its last shard."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from remogpt.runtime.files import atomic_path
from remogpt.runtime.progress import progress

Arrays = Mapping[str, np.ndarray]


def compute_in_shards(
    folder: str | Path,
    count: int,
    compute: Callable[[range], Arrays],
    *,
    size: int,
    desc: str,
    unit: str = "item",
) -> list[Path]:
    """Compute arrays of `count` items, `size` items at a time, and write each missing shard.

    Args:
        folder: for these shards alone; its name must cover everything that decides the result, since existing shards
            are not recomputed.
        count: items, at least one.
        compute: indices of some items -> named arrays.
        size: items of a shard.
        desc, unit: of the progress bar.

    Returns:
        the shards in order, safetensors files with the named arrays.
    """
    if count < 1 or size < 1:
        raise ValueError(f"wanted at least one item and a shard of at least 1, got {count} and {size}")
    paths = []
    with progress(total=count, desc=desc, unit=unit) as bar:
        for start in range(0, count, size):
            indices = range(start, min(count, start + size))
            path = Path(folder) / f"{start:09d}.safetensors"
            if not path.is_file():
                arrays = {name: np.ascontiguousarray(array) for name, array in compute(indices).items()}
                with atomic_path(path) as temporary:
                    save_file(arrays, temporary)
            paths.append(path)
            bar.update(len(indices))
    return paths
