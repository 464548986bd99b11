"""Take files from strangers: few, small, of known kinds, under plain names, in a folder of their own.

Nothing is believed that an archive says of itself: names are checked, links and devices are left out, and bytes are
counted while they are unpacked.
"""

import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from starlette.datastructures import UploadFile

from remogpt.app.service.problems import ServiceError
from remogpt.app.service.settings import MEBIBYTE, ServiceSettings
from remogpt.motion.files.read import READABLE
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.inside import why_no_name

MOTIONS = (*READABLE, ".asf")
"""Suffixes of motion files; an .asf is the body of .amc motions."""
TABLES = (".csv", ".txt")
UPLOAD = "recordings"
"""Folder of uploaded files in a scratch folder, and in that of the job that works on them."""
_CHUNK = 1 << 20


@contextmanager
def scratch(work: Path) -> Iterator[Path]:
    """Yield a folder for one request, and delete it; its path is cut out of errors."""
    (work / "uploads").mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=work / "uploads") as name:
        try:
            yield Path(name)
        except ServiceError:
            raise
        except RemogptError as error:
            raise RemogptError(str(error).replace(f"{name}/", "").replace(name, "the upload")) from error


def plain_name(name: str | None, suffixes: Sequence[str]) -> str:
    """Return the last part of an uploaded file's name, if it may be kept.

    Raises:
        ServiceError: 422 for a name that is none, 415 for another kind of file.
    """
    last = PurePosixPath((name or "").replace("\\", "/")).name
    if why := why_no_name(last) or ("it begins with a dot" if last.startswith(".") else ""):
        raise ServiceError(422, f"a file is called {last[:80]!r}: {why}; give it a plain name")
    if PurePosixPath(last).suffix.lower() not in suffixes:
        raise ServiceError(415, f"{last[:80]}: wanted a file of {', '.join(suffixes)}; others are not taken")
    return last


def save(files: Sequence[UploadFile], folder: Path, suffixes: Sequence[str], settings: ServiceSettings) -> list[Path]:
    """Write uploaded files to a folder; the size of the whole request was limited before.

    Raises:
        ServiceError: 413 for too many, 415 for another kind, 422 for two of one name.
    """
    if len(files) > settings.max_files:
        raise ServiceError(413, f"{len(files)} files, at most {settings.max_files} are taken at once; send a zip")
    paths = []
    for file in files:
        path = folder / plain_name(file.filename, suffixes)
        if path.exists():
            raise ServiceError(422, f"two files are called {path.name}; rename one")
        with path.open("wb") as target:
            shutil.copyfileobj(file.file, target, _CHUNK)
        paths.append(path)
    return paths


def motions_among(paths: Sequence[Path]) -> list[Path]:
    """Return the motions among uploaded files; an .asf is the body of the .amc beside it.

    Raises:
        ServiceError: 422 where there is none.
    """
    found = [path for path in paths if path.suffix.lower() != ".asf"]
    if not found:
        raise ServiceError(422, "no motion file came; send one, for example a .bvh (an .asf needs its .amc)")
    return found


def unpack(archive: Path, folder: Path, settings: ServiceSettings) -> int:
    """Unpack the motions and tables of a zip; return how many files there were, others are passed over.

    Raises:
        ServiceError: 413 where it unpacks to too much, 422 where it is no zip, is encrypted or names files elsewhere.
    """
    try:
        with zipfile.ZipFile(archive) as content:
            members = [one for one in content.infolist() if not one.is_dir()]
            if len(members) > 20 * settings.max_files:
                raise ServiceError(
                    413, f"the zip holds {len(members)} files, at most {20 * settings.max_files} are taken"
                )
            left, count = settings.max_unpacked, 0
            for member in members:
                target = _target(folder, member)
                if target is not None:
                    left -= _write(content, member, target, left, settings.max_unpacked)
                    count += 1
            return count
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError, ValueError) as error:
        if isinstance(error, RemogptError):
            raise
        raise ServiceError(422, f"{archive.name} is no zip that can be unpacked ({str(error)[:100]})") from error


def _target(folder: Path, member: zipfile.ZipInfo) -> Path | None:
    """Return where a member goes; None for what is passed over: other kinds, links, hidden files."""
    name = member.filename.replace("\\", "/")
    if why := why_no_name(name):
        raise ServiceError(422, f"the zip names a file {name[:80]!r}: {why}; pack plain files")
    is_link = (member.external_attr >> 28) == 0xA
    is_hidden = any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(name).parts)
    if is_link or is_hidden or PurePosixPath(name).suffix.lower() not in (*MOTIONS, *TABLES):
        return None
    return folder / name


def _write(content: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, left: int, most: int) -> int:
    """Unpack one member, of at most `left` bytes; return how many it had."""
    target.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    with content.open(member) as source, target.open("xb") as file:
        while chunk := source.read(_CHUNK):
            size += len(chunk)
            if size > left:
                raise ServiceError(413, f"the zip unpacks to more than the {most // MEBIBYTE} MiB that are taken")
            file.write(chunk)
    return size
