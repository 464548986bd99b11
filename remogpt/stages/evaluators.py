"""Which evaluator a path names, and whether it may score a model."""

from pathlib import Path
from typing import Any

from remogpt.eval.evaluators.evaluator import GuoNetworks, RetrieverAsEvaluator
from remogpt.eval.evaluators.guo_words import KIND as GUO
from remogpt.interfaces import Evaluator
from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.runtime.files import read_json
from remogpt.runtime.folders.envelope import read_envelope
from remogpt.runtime.folders.training_record import read_record

RETRIEVER = "retriever"


def open_evaluator(path: str | Path, variant: str | None = None, device: str = "cpu") -> Evaluator:
    """Open an evaluator.

    Args:
        path: folder of Guo et al.'s evaluator (`remogpt import guo`), of a retriever (PL-TMR or TMR, trained or
            imported), or of a model, whose retriever is meant.
        variant: of Guo's evaluator, packed or unpacked; None takes the one that it was saved with.
        device: where it runs.

    Raises:
        MissingPathError: if there is nothing of the kind.
        RemogptError: if the folder holds something else, or a retriever is asked for a variant.
    """
    folder, kind = evaluator_folder(path)
    if kind == GUO:
        from remogpt.eval.evaluators.guo import GuoEvaluator

        evaluator = GuoEvaluator.from_pretrained(folder, variant, device)
        record = read_record(folder, read_envelope(folder, GUO)["hash"])
        return GuoNetworks(evaluator, None if record is None else str(record))
    if variant is not None:
        raise RemogptError(
            f"only Guo et al.'s evaluator has variants, and {folder} holds a retriever; leave {variant!r} out"
        )
    from remogpt.retriever import TextMotionRetriever

    retriever = TextMotionRetriever.from_pretrained(folder, device)
    record = read_record(folder, retriever.hash)
    return RetrieverAsEvaluator(retriever, _network(retriever.config), None if record is None else str(record))


def evaluator_folder(path: str | Path) -> tuple[Path, str]:
    """Return the evaluator's own folder and its kind (guo_evaluator or retriever); raises as `open_evaluator` does."""
    path = Path(path)
    folder = path if (path / "config.json").is_file() or not (path / RETRIEVER).is_dir() else path / RETRIEVER
    if not (folder / "config.json").is_file():
        what = "it has no config.json" if folder.is_dir() else "there is no such folder"
        raise MissingPathError(
            f"no evaluator in {path}: {what}; give a folder made by 'remogpt import guo', a retriever's folder, or a "
            "model's"
        )
    envelope = read_json(folder / "config.json")
    kind = envelope.get("kind") if isinstance(envelope, dict) else None
    if kind not in (GUO, RETRIEVER):
        held = f"a component of kind {kind!r}" if kind else "something else"
        raise RemogptError(
            f"wanted an evaluator, but {folder} holds {held}; give a folder made by 'remogpt import guo', a "
            "retriever's folder, or a model's"
        )
    return folder, kind


def why_dependent(evaluator: str | Path | Evaluator, model: Any) -> str | None:
    """Return why an evaluator is not independent of a model, or None where nothing says that it is not.

    A model chooses its examples (and the best of its candidates) by its retriever. An evaluator that is that retriever,
    or that learned from the same data, finds good what the model was made to produce.

    Args:
        evaluator: folder of the evaluator, as for `open_evaluator`; of an opened one only its hash is known.
        model: has a `manifest`, and a `folder` where it, or its retriever alone, was opened from one; without a
            retriever nothing is known.

    Raises:
        MissingPathError, RemogptError: if the evaluator is not there, or is something else.
    """
    own_hash = model.manifest.get("hashes", {}).get(RETRIEVER)
    if own_hash is None:
        return None
    folder = None
    if isinstance(evaluator, str | Path):
        folder, kind = evaluator_folder(evaluator)
        evaluator_hash = read_envelope(folder, kind)["hash"]
    else:
        evaluator_hash = evaluator.hash
    if evaluator_hash == own_hash:
        return f"the evaluator is the model's own retriever ({own_hash[:12]})"
    if folder is None:
        return None
    opened_from = getattr(model, "folder", None)
    own = None if opened_from is None else read_record(_retriever_folder(opened_from), own_hash)
    record = read_record(folder, evaluator_hash)
    if own and record and own.data is not None and own.data == record.data:
        return f"the evaluator was trained on the same data as the model's retriever: {record}"
    return None


def _retriever_folder(model: str | Path) -> Path:
    """Folder of a model's retriever, or of a retriever that stands alone."""
    return Path(model) / RETRIEVER if (Path(model) / RETRIEVER).is_dir() else Path(model)


def _network(config: dict[str, Any]) -> str:
    """Name of the retriever's network, to write beside numbers."""
    return str(config.get("network", "pl_tmr"))
