"""Open .npy and .npz files of any origin: no pickles, and no memory for more than the file holds."""

from __future__ import annotations

import math
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np

from remogpt.runtime.errors import RemogptError

DAMAGE = (
    ValueError, TypeError, AttributeError, KeyError, EOFError, OSError, OverflowError, MemoryError, RuntimeError,
    SyntaxError, RecursionError, tokenize.TokenError, zipfile.BadZipFile, zlib.error, NotImplementedError,
)  # fmt: skip
"""Errors of NumPy and zipfile on damaged files: headers are parsed as Python, a flipped bit may mean "encrypted"."""
LARGEST = 1 << 29
"""Bytes of the largest array that is read: 15 hours of joints at 120 fps."""


@contextmanager
def readable(path: Path, kind: str) -> Iterator[None]:
    """Turn errors of NumPy and zipfile into one clear error that names the file."""
    try:
        yield
    except RemogptError:
        raise
    except DAMAGE as error:
        # NumPy reports any unknown file as a pickle and suggests loading it unsafely.
        unknown = any(word in str(error) for word in ("pickle", "magic string", "zip file"))
        why = f"it holds Python objects or is no {kind} file" if unknown else " ".join(str(error).split())[:200]
        what, how = ("numeric .npy array", "save") if kind == ".npy" else (".npz of numeric arrays", "savez")
        raise RemogptError(
            f"{path} is not a readable {what} ({why or type(error).__name__}); save it again with numpy.{how} from "
            f"arrays of numbers"
        ) from error


def open_npy(path: Path) -> np.ndarray:
    """Read one array of numbers.

    Raises:
        RemogptError: if the file is damaged, holds Python objects, or announces more than it holds.
    """
    with readable(path, ".npy"), path.open("rb") as file:
        return _read_array(file, path.stat().st_size)


class Archive:
    """Arrays of a .npz by key, read one at a time."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self._path, self._archive = path, archive
        self._members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys in the file's order."""
        return tuple(self._members)

    def __contains__(self, key: str) -> bool:
        return key in self._members

    def shape(self, key: str) -> tuple[int, ...] | None:
        """Return the shape of an array without reading it; None for what is no array of numbers."""
        try:
            with self._archive.open(self._members[key]) as file:
                shape, _, dtype = _header(file)
        except DAMAGE:
            return None
        return None if dtype.hasobject else shape

    def read(self, key: str) -> np.ndarray:
        """Read one array.

        Raises:
            RemogptError: if it is damaged or holds Python objects.
        """
        info = self._members[key]
        with readable(self._path, ".npz"), self._archive.open(info) as file:
            return _read_array(file, info.file_size)

    def describe(self, limit: int = 8) -> str:
        """Name the arrays with their shapes, for messages."""
        return ", ".join(f"{key} {self.shape(key) or ''}".strip() for key in self.keys[:limit]) or "nothing"


@contextmanager
def open_npz(path: Path) -> Iterator[Archive]:
    """Open a .npz.

    Raises:
        RemogptError: if it is no zip archive or is damaged.
    """
    with readable(path, ".npz"), zipfile.ZipFile(path) as archive:
        yield Archive(path, archive)


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    version = np.lib.format.read_magic(file)
    head = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    return head(file)


def _read_array(file: IO[bytes], size: int) -> np.ndarray:
    """Read an array of at most `size` bytes; the header is believed only where the file is as long as it says."""
    shape, is_fortran, dtype = _header(file)
    if dtype.hasobject:
        raise ValueError("Object arrays are pickles")
    announced = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or announced > size:
        raise ValueError(f"its header announces {announced} bytes of shape {shape}, the file has {size}")
    if announced > LARGEST:
        raise ValueError(f"an array of {announced / 2**30:.1f} GiB; cut it into motions")
    content = file.read(announced)
    if len(content) < announced:
        raise ValueError(f"cut off: {len(content)} of {announced} bytes are there")
    flat = np.frombuffer(content, dtype=dtype)
    return flat.reshape(shape, order="F" if is_fortran else "C")
