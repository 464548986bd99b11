"""A model folder: tokenizer/, retriever/, lm/, database/ and `remogpt.json`, which names their hashes.

Components that do not belong together would run and give nonsense: codes of another codebook, embeddings of another
retriever. A folder whose components' hashes differ from its `remogpt.json` is therefore refused.
"""

import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.runtime.files import atomic_folder, check_output_folder, read_json, write_json
from remogpt.runtime.folders.envelope import CODES_OF, read_envelope
from remogpt.runtime.folders.sums import OWN, SMALL, changed_files, file_sums, own_hash
from remogpt.runtime.inside import path_inside
from remogpt.runtime.leftovers import remove_leftovers
from remogpt.runtime.schema import Count, Hash
from remogpt.runtime.text import read_text

_log = logging.getLogger(__name__)

MANIFEST = "remogpt.json"
FORMAT_VERSION = 1
COMPONENTS = ("tokenizer", "retriever", "lm")
OPTIONAL = ("copy", "reader", "finder")
"""Components that a model may lack: the copy head, the reader of captions and the finder of facts."""
RUN = "run"
"""Log and checkpoints of a component's training; stays behind when the component is copied."""


class Manifest(TypedDict):
    """Content of `remogpt.json`."""

    format: NotRequired[Count]
    name: NotRequired[str]
    licence: NotRequired[str]
    hashes: dict[str, Hash]
    generation: NotRequired[dict[str, Any]]
    files: NotRequired[dict[str, Hash]]
    sha256: NotRequired[Hash]


def assemble(
    out: str | Path,
    components: Mapping[str, str | Path],
    database: str | Path | None,
    name: str,
    licence: str,
    generation: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Copy trained components (and a database) into one model folder and write its manifest.

    Args:
        out: a new or empty folder, or an earlier model, which is replaced as a whole, atomically.
        components: folders of tokenizer, retriever and lm, and of copy, reader and finder where there are any.
        database: folder of the database that comes with the model.
        name: of the model.
        licence: of its weights and database.
        generation: defaults for writing motions: fields of `GenerationOptions`.

    Raises:
        MissingPathError: if a component is not there.
        RemogptError: if database or copy head are another retriever's or tokenizer's, or `out` holds something else.
    """
    missing = [kind for kind in COMPONENTS if kind not in components]
    if missing:
        raise RemogptError(f"a model needs {', '.join(COMPONENTS)}; {', '.join(missing)} not given")
    kinds = [*COMPONENTS, *(kind for kind in OPTIONAL if kind in components)]
    hashes = {kind: read_envelope(components[kind], kind)["hash"] for kind in kinds}
    if "copy" in components:
        _check_copies(components["copy"], hashes, read_envelope(components["tokenizer"], "tokenizer")["config"])
    if database is not None:
        hashes["database"] = _database_hash(Path(database))
        origin = read_json(Path(database) / "versions" / hashes["database"] / "manifest.json")
        check_belongs(database, origin, {kind: hashes[kind] for kind in ("retriever", "tokenizer")})
    remove_leftovers(check_output_folder(out))
    _check_replaceable(Path(out))
    manifest = {"format": FORMAT_VERSION, "name": name, "licence": licence, "hashes": hashes}
    manifest["generation"] = dict(generation or {})
    with atomic_folder(out, durable=True) as folder:
        for kind in kinds:
            _copy_component(Path(components[kind]), folder / kind)
        if database is not None:
            _copy_database(Path(database), folder / "database", hashes["database"])
        # The database has a manifest of its own, which its hash covers.
        manifest["files"] = file_sums(folder, leave_out=("database",))
        manifest[OWN] = own_hash(manifest)
        write_json(folder / MANIFEST, manifest)
    return manifest


def read_manifest(folder: str | Path) -> dict[str, Any]:
    """Read `remogpt.json` and check the hash of every component that it names.

    Raises:
        MissingPathError: if the folder, its manifest or a component is missing.
        RemogptError: if a component's hash is not that of the manifest.
    """
    folder = Path(folder)
    path = folder / MANIFEST
    if not path.is_file():
        what = "it has no " + MANIFEST if folder.is_dir() else "there is no such folder"
        raise MissingPathError(
            f"{folder} is not a model folder: {what}; "
            "give a folder written by 'remogpt assemble', or leave --model out for the embedded model"
        )
    manifest: dict[str, Any] = read_json(path, Manifest)
    hashes = manifest["hashes"]
    if not set(COMPONENTS) <= hashes.keys():
        raise RemogptError(
            f"{path} should name the hashes of {', '.join(COMPONENTS)} and does not; restore it, or write it anew with "
            "'remogpt assemble'"
        )
    if manifest.get("format", 0) > FORMAT_VERSION:
        raise RemogptError(f"{path} has format {manifest['format']}, newer than {FORMAT_VERSION}; upgrade remogpt")
    if OWN in manifest and manifest[OWN] != own_hash(manifest):
        _log.warning("%s is not as 'remogpt assemble' wrote it; its defaults are taken as they are now", path)
    unknown = hashes.keys() - {*COMPONENTS, *OPTIONAL, "database"}
    if unknown:
        raise RemogptError(f"{path} names {sorted(unknown)[0]!r}, a component that this version lacks; upgrade remogpt")
    for kind, wanted in hashes.items():
        came = _database_hash(folder / kind) if kind == "database" else read_envelope(folder / kind, kind)["hash"]
        if came != wanted:
            raise RemogptError(
                f"the {kind} in {folder} has hash {came[:12]}, but {MANIFEST} names {wanted[:12]}: the components do "
                "not belong together; restore it, or put matching components together with 'remogpt assemble'"
            )
    # Weights are compared with their component's hash when they are loaded.
    others = {name: digest for name, digest in manifest.get("files", {}).items() if not name.endswith(".safetensors")}
    changed = changed_files(folder, others, SMALL)
    if changed:
        raise RemogptError(
            f"{folder}: {', '.join(changed[:3])} missing, or not what 'remogpt assemble' wrote; "
            "copy the model again, or assemble it anew"
        )
    return manifest


def check_belongs(
    database: str | Path, origin: Mapping[str, Any], hashes: Mapping[str, str], model: Path | None = None
) -> None:
    """Refuse a database that another retriever or tokenizer built.

    Args:
        database: its folder, for the message.
        origin: its manifest.
        hashes: of the components in use, by kind: "retriever", "tokenizer" or both.
        model: folder of the model that the components belong to, if any.

    Raises:
        RemogptError: with both hashes and the command that embeds the database again.
    """
    for kind, wanted in hashes.items():
        came = origin[f"{kind}_hash"]
        if came != wanted:
            owner = f"the model in {model} has {wanted[:12]}" if model else f"{kind} {wanted[:12]} is in use"
            components = f"--model {model}" if model else "--retriever ... --tokenizer ..."
            raise RemogptError(
                f"the database {database} was built with {kind} {came[:12]}, but {owner}, which cannot read it; "
                f"embed it again: remogpt db rebuild {database} {components}"
            )


def _check_copies(folder: str | Path, hashes: Mapping[str, str], tokenizer: Mapping[str, Any]) -> None:
    """Refuse a copy head that was trained with another retriever, or a tokenizer of other codes.

    Args:
        folder: of the copy head.
        hashes: of the components given.
        tokenizer: config of the one given; it may have the codes of another (`keep_codes` of its training).
    """
    for kind, came in read_envelope(folder, "copy")["config"].items():
        if came != hashes[kind] and (kind != "tokenizer" or came != tokenizer.get(CODES_OF)):
            raise RemogptError(
                f"the copy head in {folder} was trained with {kind} {came[:12]}, but {kind} {hashes[kind][:12]} was "
                "given; train it anew for these components: remogpt train copy"
            )


def _copy_component(source: Path, target: Path) -> None:
    """Copy a component without its training run."""
    shutil.copytree(source, target, ignore=lambda folder, _: [RUN] if Path(folder) == source else [])


def _copy_database(source: Path, target: Path, version: str) -> None:
    """Copy only the current version of a database."""
    shutil.copytree(source / "versions" / version, target / "versions" / version)
    shutil.copy(source / "CURRENT", target / "CURRENT")


def _database_hash(folder: Path) -> str:
    current = folder / "CURRENT"
    if not current.is_file():
        raise MissingPathError(f"no database in {folder}: CURRENT is missing; build one with 'remogpt db build'")
    version = read_text(current).rstrip("\r\n")
    if not version or not path_inside(folder / "versions", version).is_dir():
        raise MissingPathError(
            f"the database in {folder} has no version {version!r}, which its CURRENT names; copy it again as a whole, "
            "or build it anew with 'remogpt db build'"
        )
    return version


def _check_replaceable(out: Path) -> None:
    """Refuse to replace a folder that is not a model, so that no other files are lost."""
    if out.is_dir() and any(out.iterdir()) and not (out / MANIFEST).is_file():
        raise RemogptError(
            f"{out} holds something else than a model ({sorted(path.name for path in out.iterdir())[0]}, ...), which "
            "would be lost; name a new folder"
        )
