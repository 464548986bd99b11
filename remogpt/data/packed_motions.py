"""Keep the motions of a set in a few memory-mapped files, from which any clip is read in a tenth of the time.

    <set>/packed/index.json         ids, their shard, first row and number of rows, size and time of each source file
    <set>/packed/000.safetensors    tensor `motions` (rows, F) float32: one motion behind the other

`MotionTextSet` reads from there by itself where the folder exists; a motion whose file was changed since is read from
its file.
"""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from remogpt.runtime.errors import ITEM_ERRORS, RemogptError, why
from remogpt.runtime.files import atomic_folder, read_json, read_npy, write_json
from remogpt.runtime.progress import progress

NAME = "packed"
"""Folder within a set."""
SHARD_BYTES = 2**27
"""Bytes of motions of a shard, about 1,000 clips of HumanML3D."""
Stamp = tuple[int, int]
"""Modification time in nanoseconds and size of a file."""


class _Index(TypedDict):
    """Content of `index.json`."""

    schema: int
    num_channels: int
    num_shards: int
    ids: list[str]
    places: list[tuple[int, int, int]]
    """Shard, first row, rows of each id."""
    stamps: list[Stamp]


class PackedMotions:
    """Motions of one width in memory-mapped shards.

    Example:
        >>> packed = PackedMotions.build("datasets/HumanML3D/new_joint_vecs", "datasets/HumanML3D/packed")
        >>> packed.read("000001").shape
    """

    def __init__(self, folder: Path, index: _Index):
        self.folder, self.num_channels = folder, index["num_channels"]
        self.num_shards = index["num_shards"]
        rows = zip(index["ids"], index["places"], index["stamps"], strict=True)
        self._places = {name: (tuple(place), tuple(stamp)) for name, place, stamp in rows}
        self.left_out: dict[str, str] = {}
        """Files that `build` could not use, and why."""

    @classmethod
    def open(cls, folder: str | Path) -> "PackedMotions":
        """Open packed motions; nothing but the index is read.

        Raises:
            RemogptError: if the index is missing, damaged, or of another version of this format.
        """
        folder = Path(folder)
        index = read_json(folder / "index.json", _Index)
        if index["schema"] != 1 or not len(index["ids"]) == len(index["places"]) == len(index["stamps"]):
            raise RemogptError(f"{folder}: packed by another version, or damaged; run 'remogpt data pack' again")
        return cls(folder, index)

    @classmethod
    def build(cls, motions: str | Path, out: str | Path) -> "PackedMotions":
        """Pack every .npy (T, F) in a folder and below, all of the width that the first one has.

        Args:
            motions: the folder, such as `new_joint_vecs` or Motion-X's `smplx_322`; it stays as it is.
            out: folder to write, replaced if it is there.

        Raises:
            RemogptError: if no file can be used. Files that cannot are noted in `left_out`.
        """
        files = sorted(Path(motions).rglob("[!.]*.npy"))
        left_out: dict[str, str] = {}
        index: _Index = {"schema": 1, "num_channels": 0, "num_shards": 0, "ids": [], "places": [], "stamps": []}
        with atomic_folder(out) as temporary:
            shard: list[np.ndarray] = []
            for name, array, stamp in _readable(files, Path(motions), left_out):
                index["num_channels"] = index["num_channels"] or array.shape[1]
                if array.shape[1] != index["num_channels"]:
                    left_out[name] = f"{array.shape[1]} channels, the first motion has {index['num_channels']}"
                    continue
                if shard and sum(part.nbytes for part in shard) + array.nbytes > SHARD_BYTES:
                    _write_shard(temporary, index, shard)
                    shard = []
                index["ids"].append(name)
                index["places"].append((index["num_shards"], sum(map(len, shard)), len(array)))
                index["stamps"].append(stamp)
                shard.append(array)
            if not index["ids"]:
                raise RemogptError(f"{motions}: wanted motions (T, F) as .npy files, found none that can be used")
            _write_shard(temporary, index, shard)
            write_json(temporary / "index.json", index, indent=None)
        packed = cls.open(out)
        packed.left_out = left_out
        return packed

    @property
    def ids(self) -> list[str]:
        """Ids of the motions: their files' paths without suffix."""
        return list(self._places)

    def num_frames(self, name: str) -> int:
        """Return T of a motion."""
        return int(self._places[name][0][2])

    def is_current(self, name: str, stamp: Stamp) -> bool:
        """Return whether a motion is here as it is in a file of this time and size."""
        return name in self._places and self._places[name][1] == stamp

    def read(self, name: str, first: int = 0, stop: int | None = None) -> np.ndarray:
        """Return rows `first` to `stop` of a motion as a float32 array of its own.

        Raises:
            KeyError: if there is no such motion.
        """
        shard, start, rows = self._places[name][0]
        begin, end, _ = slice(first, stop).indices(rows)
        return np.asarray(self._shards[shard][start + begin : start + max(begin, end)])

    @cached_property
    def _shards(self) -> list[Any]:
        needed = [0] * self.num_shards
        for (shard, first, rows), _ in self._places.values():
            needed[shard] = max(needed[shard], first + rows)
        opened = []
        for number, rows in enumerate(needed):
            path = self.folder / _shard_name(number)
            try:
                motions = safe_open(path, framework="numpy").get_slice("motions")
                shape = motions.get_shape()
            except (SafetensorError, OSError) as error:
                raise RemogptError(f"{path} is damaged ({error}); run 'remogpt data pack' again") from error
            if shape != [rows, self.num_channels]:
                raise RemogptError(f"{path} is not what was packed; run 'remogpt data pack' again")
            opened.append(motions)
        return opened


def _shard_name(number: int) -> str:
    return f"{number:03d}.safetensors"


def stamp_of(path: Path) -> Stamp:
    """Return modification time and size of a file, (0, 0) if there is none."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


def _readable(files: list[Path], folder: Path, left_out: dict[str, str]) -> Iterator[tuple[str, np.ndarray, Stamp]]:
    """Yield id, array (T, F) and stamp of the files that hold one."""
    for path in progress(files, desc="pack", unit="motion"):
        name = path.relative_to(folder).as_posix().removesuffix(".npy")
        stamp = stamp_of(path)
        try:
            array = read_npy(path)
        except ITEM_ERRORS as error:
            left_out[name] = why(error)
            continue
        if array.ndim != 2 or array.dtype.kind not in "fiu" or not len(array):
            left_out[name] = f"{path} holds {array.dtype} of shape {array.shape}, wanted numbers (T, F)"
            continue
        yield name, np.ascontiguousarray(array, dtype=np.float32), stamp


def _write_shard(folder: Path, index: _Index, motions: list[np.ndarray]) -> None:
    save_file({"motions": np.concatenate(motions)}, folder / _shard_name(index["num_shards"]))
    index["num_shards"] += 1
