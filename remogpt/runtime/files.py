"""Write files atomically, and read arrays without pickles."""

import ctypes
import hashlib
import json
import math
import os
import tokenize
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.runtime.leftovers import temporary_path
from remogpt.runtime.schema import checked

NPY_ERRORS = (
    ValueError, TypeError, KeyError, EOFError, OSError, OverflowError, MemoryError, SyntaxError, RecursionError,
    tokenize.TokenError,
)  # fmt: skip
"""What NumPy raises for a damaged .npy, whose header it parses as Python."""
_HERE, _RENAME_EXCHANGE, _RENAME_SWAP = -100, 2, 2
"""AT_FDCWD, and the flags that ask for an exchange on Linux and macOS."""
MAX_JSON_BYTES = 1 << 30
"""Size of the largest JSON document that is read."""


@contextmanager
def atomic_path(path: str | Path, *, durable: bool = False) -> Iterator[Path]:
    """Yield a temporary path, renamed to `path` if the block ends without an error.

    Args:
        path: of the finished file.
        durable: wait until it would outlive a power cut; for what took hours.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # safetensors writes beside the path that it is given, under names of its own: it gets a folder.
    in_folder = path.suffix == ".safetensors"
    with temporary_path(path, is_folder=in_folder) as temporary:
        written = temporary / path.name if in_folder else temporary
        yield written
        # Temporary files are private; published files follow the user's umask.
        written.chmod(0o666 & ~_umask())
        if durable:
            sync(written)
        written.replace(path)
        if durable:
            sync(path.parent)


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask


def sync(path: Path) -> None:
    """Wait until a file's content, or a folder's names, are on the disk."""
    if path.is_dir() and os.name == "nt":  # which cannot open folders
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def atomic_folder(path: str | Path, *, durable: bool = False) -> Iterator[Path]:
    """Yield an empty temporary folder that replaces `path` if the block ends without an error; `durable` as above."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with temporary_path(path, is_folder=True) as temporary:
        yield temporary
        temporary.chmod(0o755)
        if durable:
            sync_folder(temporary)
        if not path.exists():
            temporary.replace(path)
        elif not _exchange(temporary, path):  # if they are, the earlier folder goes with the temporary name
            # Where the system cannot exchange two folders, nothing stands under the name for an instant.
            with temporary_path(path.with_name(f"{path.name}.old"), is_folder=True) as retired:
                path.replace(retired / path.name)
                try:
                    temporary.replace(path)
                except BaseException:
                    (retired / path.name).replace(path)
                    raise
        if durable:
            sync(path.parent)


def _exchange(first: Path, second: Path) -> bool:
    """Exchange two folders' names in one step (Linux's renameat2, macOS's renamex_np); say whether that was done."""
    names = os.fsencode(first), os.fsencode(second)
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        if hasattr(libc, "renameat2"):
            return bool(libc.renameat2(_HERE, names[0], _HERE, names[1], _RENAME_EXCHANGE) == 0)
        return bool(libc.renamex_np(*names, _RENAME_SWAP) == 0)
    except (AttributeError, TypeError, OSError):  # another system, or another C library
        return False


def sync_folder(folder: Path) -> None:
    """Wait until everything in a folder is on the disk."""
    for path in folder.rglob("*"):
        sync(path)
    sync(folder)


def check_output_file(path: str | Path) -> Path:
    """Return the path if a file could be written there; call this before a long computation.

    Raises:
        RemogptError: if the path is a folder, or lies below a file or in a folder without write permission.
    """
    path = Path(path)
    if path.is_dir():
        raise RemogptError(f"wanted a file to write, but {path} is a folder; name a file in it")
    _check_writable(path)
    return path


def check_output_folder(path: str | Path) -> Path:
    """Return the path if a folder could be written there; raises as `check_output_file` does."""
    path = Path(path)
    if path.exists() and not path.is_dir():
        raise RemogptError(f"wanted a folder to write, but {path} is a file; name another folder")
    _check_writable(path / "x")
    return path


def _check_writable(path: Path) -> None:
    """Check the nearest existing folder above `path`, which has to hold the new file."""
    above = _existing_parent(path)
    if not above.is_dir():
        raise RemogptError(f"cannot write {path}: {above} is a file, not a folder; choose another path")
    if not is_writable(path):
        raise RemogptError(f"cannot write {path}: {above} is not writable; choose another path")


def is_writable(path: str | Path) -> bool:
    """Return whether a new file or folder could be created, with its missing parent folders."""
    above = _existing_parent(Path(path))
    return above.is_dir() and os.access(above, os.W_OK | os.X_OK)


def _existing_parent(path: Path) -> Path:
    return next(parent for parent in path.absolute().parents if parent.exists())


def write_text(path: str | Path, text: str, *, durable: bool = False) -> None:
    """Write UTF-8 text atomically; `durable` as in `atomic_path`."""
    with atomic_path(path, durable=durable) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | Path, value: Any, indent: int | None = 2, *, durable: bool = False) -> None:
    """Write a JSON document atomically; `durable` as in `atomic_path`."""
    write_text(path, json.dumps(value, indent=indent, ensure_ascii=False) + "\n", durable=durable)


def read_json(path: str | Path, kind: Any = None) -> Any:
    """Read a JSON document.

    Args:
        path: the file.
        kind: type that it must hold (`remogpt.runtime.schema`); None where the caller checks it.

    Raises:
        MissingPathError: if the file is not there.
        RemogptError: if it is not JSON, or not of this type; the message names the place.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingPathError(f"no file {path}; expected a JSON document there")
    if path.stat().st_size > MAX_JSON_BYTES:
        raise RemogptError(f"{path} is larger than {MAX_JSON_BYTES >> 20} MiB, which no JSON document of ours is")
    try:
        value = json.loads(path.read_bytes().decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:  # JSONDecodeError, UnicodeDecodeError, numbers of too many digits
        raise RemogptError(f"{path} is not valid JSON ({error}); restore it or make it again") from error
    if kind is not None:
        checked(value, kind, path)  # which gives back the known keys alone
    return value


def write_npy(path: str | Path, array: np.ndarray) -> None:
    """Write one array atomically."""
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.save(file, array, allow_pickle=False)


def read_npy(path: str | Path, mmap: bool = False) -> np.ndarray:
    """Read one numeric array; object arrays (pickles) are refused.

    Raises:
        MissingPathError: if the file is not there.
        RemogptError: if it is damaged or holds Python objects.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingPathError(f"no file {path}; expected a .npy array there")
    try:
        if mmap:
            return _map_npy(path)
        _check_length(path)
        return np.load(path, allow_pickle=False)
    except NPY_ERRORS as error:
        # NumPy reports any unknown file as a pickle and suggests loading it unsafely.
        unknown = "pickle" in str(error) or "magic string" in str(error)
        why = "it holds Python objects or is no .npy file" if unknown else str(error)
        raise RemogptError(
            f"{path} is not a readable numeric .npy array ({why}); save it again with numpy.save from a float array"
        ) from error


def _check_length(path: Path) -> None:
    """Refuse a file whose header announces more than it holds, before memory is asked for."""
    with path.open("rb") as file:
        shape, _, dtype = _npy_header(file)
        announced, there = math.prod(shape) * dtype.itemsize, path.stat().st_size - file.tell()
    if announced > there:
        raise ValueError(f"its header announces {announced} bytes of shape {shape}, the file has {there}")


def _npy_header(file: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype]:
    version = np.lib.format.read_magic(file)
    head = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, is_fortran, dtype = head(file)
    if dtype.hasobject:
        raise ValueError("Object arrays are pickles")
    return shape, is_fortran, dtype


def _map_npy(path: Path) -> np.memmap:
    """Map an array, opening its file once; `numpy.load` opens it three times."""
    with path.open("rb") as file:
        shape, is_fortran, dtype = _npy_header(file)
        order: Any = "F" if is_fortran else "C"
        return np.memmap(file, dtype=dtype, mode="r", offset=file.tell(), shape=shape, order=order)


def sha256_file(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes as 64 hexadecimal digits."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint(items: Iterable[str | np.ndarray]) -> str:
    """Return a SHA-256 over texts and arrays (their type, shape and bytes), in order: equal data, equal fingerprint."""
    digest = hashlib.sha256()
    for item in items:
        if isinstance(item, str):
            digest.update(b"text" + item.encode("utf-8") + b"\0")
        else:
            digest.update(f"array {item.dtype} {item.shape} ".encode() + np.ascontiguousarray(item).tobytes())
    return digest.hexdigest()
