"""Cache embeddings and other per-item network outputs of a set: computed once, kept on disk, memory-mapped.

    <folder>/<hash of the network>/<hash of the items>/<name>.npy   arrays; the first axis runs over the items
                                                       about.json   description for people
                                   <hash of the items>.shards/      finished shards of an interrupted computation

The folder is `vectors/` in the set's own folder if that is writable, else in the user's cache; the environment variable
REMOGPT_CACHE names another folder for all sets. The cache can be deleted at any time; delete it after changing the code
of a network within one version of this package.
"""

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

import remogpt
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import atomic_folder, fingerprint, is_writable, read_json, read_npy, write_json, write_npy
from remogpt.runtime.folders.sums import SMALL, changed_files, file_sums
from remogpt.runtime.network_outputs import check_finite
from remogpt.runtime.resumable import Arrays, compute_in_shards
from remogpt.runtime.schema import Count, Hash


class About(TypedDict):
    """Content of `about.json`, and what its writer adds."""

    network: Hash
    num_items: Count
    arrays: dict[str, tuple[str, list[Count]]]
    """Type and shape by name."""
    files: NotRequired[dict[str, Hash]]
    """SHA-256 of every array's file."""


FOLDER = "vectors"
VARIABLE = "REMOGPT_CACHE"
SHARD = 512
"""Items of a shard."""


class VectorCache:
    """Stores arrays in a folder, by network and items.

    Args:
        folder: created by the first write.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    @classmethod
    def beside(cls, folder: str | Path | None) -> "VectorCache":
        """Return the cache of a set's folder; None gives the user's cache."""
        if os.environ.get(VARIABLE):
            return cls(os.environ[VARIABLE])
        places = [] if folder is None else [Path(folder) / FOLDER]
        found = next((place for place in (*places, _user_folder()) if is_writable(place / "x")), None)
        return cls(_temporary_folder() if found is None else found)

    def rows(
        self,
        network: str,
        items: Iterable[str],
        count: int,
        compute: Callable[[range], np.ndarray],
        *,
        desc: str,
        unit: str = "item",
        shard: int | None = None,
        about: Mapping[str, Any] | None = None,
    ) -> np.ndarray:
        """Return one row for each item, (count, ...); arguments as in `arrays`."""
        return self.arrays(
            network, items, count, lambda indices: {"rows": compute(indices)}, desc=desc, unit=unit, shard=shard,
            about=about,
        )["rows"]  # fmt: skip

    def arrays(
        self,
        network: str,
        items: Iterable[str],
        count: int,
        compute: Callable[[range], Arrays],
        *,
        desc: str,
        unit: str = "item",
        shard: int | None = None,
        about: Mapping[str, Any] | None = None,
    ) -> dict[str, np.ndarray]:
        """Return the arrays of some items, read-only and memory-mapped; missing ones are computed.

        Args:
            network: hash of the network, 64 hexadecimal digits.
            items: strings that identify the items and their order.
            count: items, at least one.
            compute: item indices -> named arrays; shards are concatenated along the first axis. An item may have any
                number of rows if another array holds that number.
            desc, unit: of the progress bar.
            shard: items a shard, the most work that a kill loses; a multiple of the network's batch size.
            about: JSON-ready description, written beside the arrays.

        Raises:
            RemogptError: if cached arrays are damaged (of more than 32 MiB only the shape is compared), or a network
                gave NaN or infinity.
        """
        # The key holds the shard size: a network's last digits depend on which items share a batch.
        size = shard or SHARD
        key = fingerprint([f"remogpt {remogpt.__version__}, shards of {size}", *items])[:32]
        folder = self.folder / network[:16] / key
        shards = folder.with_name(f"{key}.shards")
        if not folder.is_dir():
            try:
                paths = compute_in_shards(shards, count, _checked(compute), size=size, desc=desc, unit=unit)
                _publish(folder, paths, {"network": network, "num_items": count, **(about or {})})
            except (OSError, SafetensorError):
                if not folder.is_dir():  # else another process has published them, and removed the shards
                    raise
        if shards.is_dir():  # also those of a run that was killed between publishing and this
            shutil.rmtree(shards, ignore_errors=True)
        return _read(folder)


def _checked(compute: Callable[[range], Arrays]) -> Callable[[range], Arrays]:
    def checked(indices: range) -> Arrays:
        arrays = compute(indices)
        for name, array in arrays.items():
            if np.issubdtype(array.dtype, np.floating):
                # Where an item has several rows, its own number is not known here.
                first = indices.start if len(array) == len(indices) else 0
                check_finite(array, lambda row, first=first: f"item {first + row}", name)  # type: ignore[misc]
        return arrays

    return checked


def _publish(folder: Path, shards: list[Path], about: dict[str, Any]) -> None:
    """Concatenate the shards into the arrays of `folder`, unless another process has done so."""
    if folder.is_dir():
        return
    loaded = [load_file(path) for path in shards]
    kinds = {}
    with atomic_folder(folder, durable=True) as temporary:
        for name in loaded[0]:
            array = np.concatenate([shard[name] for shard in loaded])
            write_npy(temporary / f"{name}.npy", array)
            kinds[name] = [str(array.dtype), list(array.shape)]
        write_json(temporary / "about.json", {**about, "arrays": kinds, "files": file_sums(temporary)})


def _read(folder: Path) -> dict[str, np.ndarray]:
    arrays = {}
    about = read_json(folder / "about.json", About)
    changed = changed_files(folder, about.get("files", {}), SMALL)
    if changed:
        raise RemogptError(
            f"{', '.join(changed)} in {folder} missing, or not what was written; delete {folder}, and it is computed "
            "again"
        )
    for name, (dtype, shape) in about["arrays"].items():
        array = read_npy(folder / f"{name}.npy", mmap=True)
        if (str(array.dtype), list(array.shape)) != (dtype, shape):
            raise RemogptError(
                f"{folder / name}.npy should hold {dtype} {tuple(shape)} and holds {array.dtype} {array.shape}; delete "
                f"{folder}, and it is computed again"
            )
        arrays[name] = array
    return arrays


def _user_folder() -> Path:
    """Return the platform's cache folder of the user."""
    if sys.platform == "win32":
        above = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    else:
        above = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(above) / "remogpt" / FOLDER


def _temporary_folder() -> str:
    """Return a folder deleted at exit, for machines without a writable cache."""
    folder = tempfile.mkdtemp(prefix="remogpt-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
