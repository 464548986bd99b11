"""The files of a database folder, written so that a reader never sees half of them.

CURRENT                      one line: the hash of the version in use; replaced atomically, last
versions/<hash>/             never changes once it is there
    manifest.json            schema, hashes of its components, counts, licences, SHA-256 of every file
    entries.jsonl            one entry a line (see `EntryInfo`), entry_offsets.npy (E + 1) where lines begin
    codes.npy                all codebook indices, code_offsets.npy (E + 1)
    motion_embeddings.npy    (E, D)
    caption_embeddings.npy   (C, D), caption_offsets.npy (E + 1)
    part_encodings.npy       (E, 6, W) float16 encodings of `PARTS`; only if the retriever encodes parts apart
    feature_offsets.npy      (E + 1) where motions begin; only if they are stored, as one of
    features.npy             (frames, F) raw features
    joint_steps.npy          (frames + E, 22, 3) packed joint positions, joint_units.npy (E,); see `packed_motion`
    reconstruction_errors.npy   (E,) metres, what the tokenizer loses of each motion; only if measured
    found_facts.npy          (R, 3) what `motion.found_facts` found, found_facts_offsets.npy (E + 1); only if stored
    name_hashes.npy (N,) uint64 names of entries, name_rows.npy (N,) whose; only of large databases, see `name_table`
    motions.ivf, captions.ivf   search structures of large databases
"""

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict

from filelock import FileLock, Timeout

from remogpt.motion.feature_body import HUMANML3D, KIT
from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.runtime.files import read_json, sync, sync_folder, write_text
from remogpt.runtime.folders.sums import SMALL, changed_files
from remogpt.runtime.inside import path_inside
from remogpt.runtime.leftovers import is_held, temporary_path
from remogpt.runtime.schema import Count, Hash
from remogpt.runtime.text import read_text

SCHEMA = 1
SKELETONS = {"humanml3d-22": HUMANML3D, "kit-21": KIT}
"""Whose features motions may be, by the manifest's name."""
NAME_HASHES, NAME_ROWS = "name_hashes", "name_rows"
MotionsKept = Literal["features", "joints", "nothing"]
"""How the motions of a database are stored: as raw features, as packed joint positions, or as codes alone."""


class Counts(TypedDict):
    """How much a version holds."""

    entries: Count
    captions: Count
    frames: Count
    codes: Count


class Manifest(TypedDict):
    """Content of `manifest.json`."""

    schema: Count
    num_features: Count
    retriever_hash: Hash
    tokenizer_hash: Hash
    statistics_hash: Hash
    skeleton: NotRequired[str]
    fps: NotRequired[float]
    index: NotRequired[str]
    """How embeddings are searched, unless that follows from their number."""
    motions: NotRequired[MotionsKept]
    has_features: NotRequired[bool]
    """How versions before `motions` said that features are stored."""
    counts: Counts
    licences: dict[str, Count]
    files: dict[str, Hash]


def manifest_hash(manifest: dict[str, Any]) -> str:
    """Return the hash that names a version: its manifest's, which holds the SHA-256 of every file."""
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


@contextmanager
def new_version(path: Path) -> Iterator[Path]:
    """Give an empty folder for a new version; it is removed unless `publish` moved it."""
    versions = path / "versions"
    is_new = not path.exists()
    versions.mkdir(parents=True, exist_ok=True)
    try:
        with temporary_path(versions / "building", is_folder=True) as folder:
            yield folder
    finally:
        if is_new:
            with suppress(OSError):  # something was published, or another build has begun
                versions.rmdir()
                path.rmdir()


def name_in_use(path: Path) -> str | None:
    """Return the hash of the version that CURRENT names; None where there is no database yet."""
    pointer = path / "CURRENT"
    return read_text(pointer).rstrip("\r\n") if pointer.is_file() else None


def publish(path: Path, folder: Path, version: str, replaces: str | None) -> None:
    """Give a finished version its name and make it the current one. Readers of another version are not disturbed.

    Args:
        path: of the database.
        folder: from `new_version`.
        version: its hash.
        replaces: what `name_in_use` said when the work began.

    Raises:
        RemogptError: if another process has changed the database meanwhile.
    """
    target = path / "versions" / version
    if not target.exists():
        folder.chmod(0o755)
        sync_folder(folder)
        try:
            folder.replace(target)
        except OSError:
            if not target.exists():  # another process that wrote the same version was faster
                raise
        sync(target.parent)
    try:
        # The lock goes when its process ends, killed or not.
        with FileLock(path / ".lock", timeout=10):
            now = name_in_use(path)
            if now not in (replaces, version):
                raise RemogptError(
                    f"the database in {path} was changed by another command while this one ran (it holds "
                    f"{str(now)[:12]}, was {str(replaces)[:12]}), and was left as it is; run the command again, or "
                    f"write {version} into {path / 'CURRENT'} to take this result"
                )
            write_text(path / "CURRENT", version + "\n", durable=True)
    except Timeout as error:
        raise RemogptError(f"another command is changing the database in {path}; run this one again") from error


def remove_old_versions(path: Path) -> list[str]:
    """Delete every version but the one in use, and what killed builds left; return the names of the folders deleted."""
    now = name_in_use(path)
    folders = (folder for folder in (path / "versions").iterdir() if folder.is_dir() and folder.name != now)
    old = sorted(folder for folder in folders if not is_held(folder))
    for folder in old:
        shutil.rmtree(folder)
    return [folder.name for folder in old]


def current_version(path: Path) -> tuple[str, Path, dict[str, Any]]:
    """Return hash, folder and manifest of the version in use.

    Raises:
        MissingPathError: if there is no database, or the version that CURRENT names is gone.
        RemogptError: if its schema is newer than this program, or its manifest was edited.
    """
    pointer = path / "CURRENT"
    if not pointer.is_file():
        present = ", ".join(sorted(child.name for child in path.iterdir())) if path.is_dir() else "no such folder"
        raise MissingPathError(
            f"no motion database in {path} (wanted a file CURRENT, found {present or 'an empty folder'}); "
            "build one with 'remogpt db build'"
        )
    version = read_text(pointer).rstrip("\r\n")  # no other space: a flipped bit makes one of a line end
    folder = path_inside(path / "versions", version or "?")
    if not version or not (folder / "manifest.json").is_file():
        present = ", ".join(sorted(child.name for child in (path / "versions").glob("[!.]*"))) or "none"
        raise MissingPathError(
            f"{pointer} names version {version!r}, which is not there (there are: {present}); "
            "write one of these into CURRENT, or build the database again"
        )
    manifest: dict[str, Any] = read_json(folder / "manifest.json", Manifest)
    if manifest["schema"] > SCHEMA:
        raise RemogptError(
            f"the database in {path} has schema {manifest['schema']}, wanted is at most {SCHEMA}; upgrade remogpt"
        )
    if manifest_hash(manifest) != version:
        raise RemogptError(f"{folder / 'manifest.json'} was changed after the build; copy the database again")
    _check_bodies(path, manifest)
    return version, folder, manifest


def _check_bodies(path: Path, manifest: dict[str, Any]) -> None:
    """Refuse motions of another skeleton or frame rate, which no model of this program reads."""
    known = {name: (name, body.fps, body.num_features) for name, body in SKELETONS.items()}
    usual = known["humanml3d-22"]
    names = ("skeleton", "fps", "num_features")
    came = tuple(manifest.get(name, value) for name, value in zip(names, usual, strict=True))
    if came not in known.values():
        wanted = " or ".join(f"{name} at {fps:g} fps ({features})" for name, fps, features in known.values())
        raise RemogptError(
            f"the database in {path} holds motions of skeleton {came[0]} at {came[1]} fps ({came[2]} channels), this "
            f"program reads {wanted}; build it from its recordings ('remogpt db build RECORDINGS' reads any skeleton "
            "and rate)"
        )


def check_small_files(folder: Path, manifest: dict[str, Any]) -> None:
    """Refuse a version of which a file is missing, or one of at most 32 MiB is not what was written.

    Larger ones are compared by `verify`: reading them would take longer than a search.
    """
    changed = changed_files(folder, manifest["files"], SMALL)
    if changed:
        raise RemogptError(
            f"{folder}: {', '.join(changed)} differ from the manifest, or are missing; "
            "copy the database again, or build it anew"
        )
