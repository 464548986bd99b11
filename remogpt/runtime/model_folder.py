"""A model folder: tokenizer/, retriever/, lm/, database/ and `remogpt.json`, which names the hashes that belong together.

Parts that do not belong together would run and answer nonsense: codes of another codebook, embeddings of another
retriever. So a folder whose parts' hashes are not those of its `remogpt.json` is refused.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.runtime.files import atomic_folder, read_json, write_json
from remogpt.runtime.part import read_envelope

MANIFEST = "remogpt.json"
FORMAT_VERSION = 1
PARTS = ("tokenizer", "retriever", "lm")


def assemble(
    out: str | Path, parts: Mapping[str, str | Path], database: str | Path | None, name: str, licence: str
) -> dict[str, Any]:
    """Copy trained parts (and a database) into one model folder and write its manifest.

    Args:
        out: replaced as a whole, atomically.
        parts: folders of tokenizer, retriever and lm.
        database: folder of the database that comes with the model.
        name: of the model.
        licence: of its weights and database.
    """
    missing = [kind for kind in PARTS if kind not in parts]
    if missing:
        raise RemogptError(f"a model needs {', '.join(PARTS)}; {', '.join(missing)} not given")
    with atomic_folder(out) as folder:
        hashes = {}
        for kind in PARTS:
            hashes[kind] = read_envelope(parts[kind], kind)["hash"]
            shutil.copytree(parts[kind], folder / kind)
        if database is not None:
            hashes["database"] = _copy_database(Path(database), folder / "database")
        manifest = {"format": FORMAT_VERSION, "name": name, "licence": licence, "hashes": hashes}
        write_json(folder / MANIFEST, manifest)
    return manifest


def read_manifest(folder: str | Path) -> dict[str, Any]:
    """Read `remogpt.json` and check that every part it names is there and is the one it names.

    Raises:
        MissingPathError: if the folder, its manifest or a part is missing.
        RemogptError: if a part is another one than the manifest names.
    """
    folder = Path(folder)
    path = folder / MANIFEST
    if not path.is_file():
        raise MissingPathError(
            f"{folder} is not a model folder: it has no {MANIFEST}; "
            "give a folder written by 'remogpt assemble', or leave --model out for the embedded model"
        )
    manifest = read_json(path)
    if manifest.get("format", 0) > FORMAT_VERSION:
        raise RemogptError(f"{path} has format {manifest['format']}, newer than {FORMAT_VERSION}; upgrade remogpt")
    for kind, wanted in manifest["hashes"].items():
        came = _database_hash(folder / kind) if kind == "database" else read_envelope(folder / kind, kind)["hash"]
        if came != wanted:
            raise RemogptError(
                f"the {kind} in {folder} has hash {came[:12]}, but {MANIFEST} names {wanted[:12]}: the parts do not belong "
                "together; restore it, or put matching parts together with 'remogpt assemble'"
            )
    return manifest


def _copy_database(source: Path, target: Path) -> str:
    """Copy the current version of a database alone, without the versions it replaced."""
    version = _database_hash(source)
    shutil.copytree(source / "versions" / version, target / "versions" / version)
    shutil.copy(source / "CURRENT", target / "CURRENT")
    return version


def _database_hash(folder: Path) -> str:
    current = folder / "CURRENT"
    if not current.is_file():
        raise MissingPathError(f"no database in {folder}: CURRENT is missing; build one with 'remogpt db build'")
    return current.read_text(encoding="utf-8").strip()
