"""Check anything that this project writes: sums where there are some, and whether what is there makes sense."""

import json
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from remogpt.data.humanml3d import MotionTextSet
from remogpt.eval.cards import ReportFile, ResultFile
from remogpt.lm.writer import KIND as LM
from remogpt.lm.writer import load_saved
from remogpt.notices import KnownWords
from remogpt.retriever import MotionDatabase, Neighbours
from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.runtime.files import read_json
from remogpt.runtime.folders.component import load_component
from remogpt.runtime.folders.envelope import Envelope
from remogpt.runtime.folders.model_folder import MANIFEST, read_manifest
from remogpt.runtime.folders.sums import OWN, changed_files, own_hash
from remogpt.runtime.folders.training_record import read_record
from remogpt.runtime.text import read_text

_log = logging.getLogger(__name__)


def verify(path: str | Path) -> str:
    """Check a model, component, database, set, training run, folder of results, or file of neighbours.

    Returns:
        what it is and what was checked, in one sentence.

    Raises:
        MissingPathError: if there is nothing.
        RemogptError: if it is none of these, is damaged, or makes no sense; names the file and the place.
    """
    path = Path(path)
    if not path.exists():
        raise MissingPathError(f"no file or folder {path}")
    if path.is_file() and path.suffix == ".safetensors":
        found = Neighbours.load(path)
        return f"{path}: neighbours of {len(found.index_of)} clips in database {found.database_hash[:12]}, as written"
    for marker, check in _MARKERS.items():
        if (path / marker).exists():
            return check(path)
    raise RemogptError(
        f"{path} is nothing that can be verified: wanted a model, database, component, set, training run or folder of "
        f"results (a folder with one of {', '.join(_MARKERS)}), or a .safetensors file of neighbours"
    )


def _model(folder: Path) -> str:
    manifest = read_manifest(folder)
    if (OWN in manifest or "files" in manifest) and manifest.get(OWN) != own_hash(manifest):
        raise RemogptError(f"{folder / MANIFEST} is not as 'remogpt assemble' wrote it; restore it")
    changed = changed_files(folder, manifest.get("files", {}))
    if changed:
        raise RemogptError(f"{folder}: {', '.join(changed[:5])} missing, or not what was written; copy the model again")
    for kind in manifest["hashes"]:
        (_database if kind == "database" else _component)(folder / kind)
    sums = f"{len(manifest['files'])} sums" if "files" in manifest else "no sums of small files (an older model)"
    return f"{folder}: model {manifest.get('name', '')} of {', '.join(manifest['hashes'])}, {sums}, all as written"


def _component(folder: Path) -> str:
    envelope = read_json(folder / "config.json", Envelope)
    kind, component = envelope["kind"], load_component(folder, envelope["kind"])
    for name, tensor in {**component.tensors, **component.normalizer}.items():
        _check_finite(tensor, f"{name} of the {kind} in {folder}")
    std = component.normalizer.get("std")
    if std is not None and not bool((std > 0).all()):
        raise RemogptError(f"the deviations of the {kind} in {folder} hold {float(std.min()):g}; wanted all above 0")
    if kind == LM:
        load_saved(folder)  # compares the vocabulary with the weights
        KnownWords.load(folder)
    read_record(folder)
    return f"{folder}: {kind} {component.hash[:12]}, {len(component.tensors)} tensors, as written"


def _database(folder: Path) -> str:
    database = MotionDatabase.open(folder)
    database.verify()
    counts = database.manifest["counts"]
    return f"{folder}: database of {counts['entries']} clips, {len(database.manifest['files'])} checksums, as written"


def _set(folder: Path) -> str:
    motions = MotionTextSet.open(folder)
    for name in ("mean", "std"):
        values = getattr(motions, name)
        if values.ndim != 1 or not np.isfinite(values).all() or (name == "std" and (values <= 0).any()):
            raise RemogptError(f"{folder / f'{name.title()}.npy'} holds values that no statistics have; make them anew")
    splits = [split for split in motions.splits() if motions.ids(split)]
    motions.check_values(*splits)
    if motions.left_out:
        first = next(iter(motions.left_out.values()))
        raise RemogptError(f"{folder}: {len(motions.left_out)} motions or captions cannot be used, the first: {first}")
    count = len({clip.file_id for split in splits for clip in motions.clips(split, 0, 10**9)})
    return f"{folder}: set {motions.name}, {count} motions in {', '.join(splits)}, every value a number"


def _run(folder: Path) -> str:
    checkpoint = folder / "training.pt"
    step = "no checkpoint yet"
    if checkpoint.is_file():
        try:
            saved = torch.load(checkpoint, map_location="cpu", weights_only=True)
            tensors, step = saved["model"], f"checkpoint of step {int(saved['step'])}"
        except Exception as error:  # torch's reader has no error of its own for damage
            raise RemogptError(f"{checkpoint} is damaged ({error}); delete it to start anew") from error
        for name, tensor in tensors.items():
            _check_finite(tensor, f"{name} in {checkpoint}")
    log = folder / "log.jsonl"
    lines = read_text(log).splitlines() if log.is_file() else []
    for number, line in enumerate(lines, start=1):
        try:
            json.loads(line)
        except ValueError as error:
            raise RemogptError(
                f"{log}, line {number} is not JSON ({error}); it is written anew at the next step"
            ) from error
    return f"{folder}: training run, {step}, {len(lines)} lines of log"


def _results(folder: Path) -> str:
    results = read_json(folder / "results.json", ReportFile)["results"]
    for part in sorted((folder / "parts").glob("[!.]*.json")) if (folder / "parts").is_dir() else []:
        read_json(part, ResultFile)
    bad = [name for name, one in results.items() if not _all_finite(one["scores"])]
    if bad:
        raise RemogptError(f"{folder / 'results.json'}: {bad[0]} holds a score that is no number; evaluate it again")
    return f"{folder}: results of {len(results)} evaluations"


def _all_finite(value: object) -> bool:
    if isinstance(value, dict):
        return all(map(_all_finite, value.values()))
    return not isinstance(value, float) or bool(np.isfinite(value))


def _check_finite(tensor: Tensor, what: str) -> None:
    if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
        raise RemogptError(f"{what} holds NaN or infinity; take an earlier checkpoint, or train it anew")


_MARKERS: dict[str, Callable[[Path], str]] = {
    MANIFEST: _model,
    "CURRENT": _database,
    "config.json": _component,
    "new_joint_vecs": _set,
    "results.json": _results,
    "config.yaml": _run,
}
"""File or folder that tells what a folder is, and how that is checked."""
