"""Open an evaluator, and check its independence of a model."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from remogpt.eval.evaluators.evaluator import GuoNetworks, RetrieverAsEvaluator
from remogpt.eval.evaluators.guo_words import KIND as GUO
from remogpt.interfaces import Evaluator
from remogpt.runtime.device import chosen_device
from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.runtime.files import read_json
from remogpt.runtime.folders.envelope import read_envelope
from remogpt.runtime.folders.training_record import read_record

if TYPE_CHECKING:
    import torch

RETRIEVER = "retriever"


def open_evaluator(
    path: str | Path, variant: str | None = None, device: "str | torch.device | None" = None
) -> Evaluator:
    """Open an evaluator.

    Args:
        path: folder of Guo et al.'s evaluator (`remogpt import guo`), of a retriever (PL-TMR or TMR, trained or
            imported), or of a model, whose retriever is used.
        variant: of Guo's evaluator, packed or unpacked; default: as saved.
        device: where it runs; default: the chosen one (`remogpt.runtime.device`).

    Raises:
        MissingPathError: if there is no evaluator.
        RemogptError: if the folder holds something else, or a variant is given for a retriever.
    """
    folder, kind = evaluator_folder(path)
    device = device or chosen_device()
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
    kind = read_json(folder / "config.json", dict[str, object]).get("kind")  # other programs' files have none
    if kind not in (GUO, RETRIEVER):
        held = f"a component of kind {kind!r}" if kind else "something else"
        raise RemogptError(
            f"wanted an evaluator, but {folder} holds {held}; give a folder made by 'remogpt import guo', a "
            "retriever's folder, or a model's"
        )
    return folder, kind


def is_guo_evaluator(path: str | Path) -> bool:
    """Say whether a folder holds Guo et al.'s evaluator."""
    config = Path(path) / "config.json"
    return config.is_file() and read_json(config, dict[str, object]).get("kind") == GUO


def why_dependent(evaluator: str | Path | Evaluator, model: Any) -> str | None:
    """Return why an evaluator is not independent of a model, or None if nothing indicates dependence.

    A model chooses its examples (and the best of its candidates) by its retriever. An evaluator that is the same
    retriever, or was trained on the same data, favours the model.

    Args:
        evaluator: folder of the evaluator, as for `open_evaluator`; for an opened one only its hash is compared.
        model: has a `manifest`, and a `folder` if the model or its retriever was opened from one; without a retriever
            the result is None.

    Raises:
        MissingPathError, RemogptError: if there is no evaluator, or the folder holds something else.
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
    """Return the folder of a model's retriever, or of a single retriever."""
    return Path(model) / RETRIEVER if (Path(model) / RETRIEVER).is_dir() else Path(model)


def _network(config: dict[str, Any]) -> str:
    """Return the name of the retriever's network for reports."""
    return str(config.get("network", "pl_tmr"))
