"""Score how well a retriever finds annotated stretches within long sequences, as TMR does on BABEL."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import remogpt
from remogpt.data.importers.tmr import annotated_sequences
from remogpt.eval.cards import sha256_of
from remogpt.eval.report import write_report
from remogpt.eval.runs.evaluate import FORMAT
from remogpt.eval.runs.run import Result
from remogpt.interfaces import Retriever
from remogpt.retriever.moments import PAPER_WINDOWS, STRIDE, accuracy_at_iou, embed_windows, pyramid
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import check_output_folder
from remogpt.runtime.progress import progress
from remogpt.stages.inputs import open_retriever

FIXED = (20, 40, 60)
"""Frames of the single windows that TMR compares its pyramid with."""
IOUS = (0.2, 0.4, 0.6)
"""Overlaps above which a stretch counts as found; TMR reports .4."""


def evaluate_moments(
    annotations: str | Path, *, features: str | Path, retriever: str | Path | Retriever, out: str | Path,
    split: str = "val", windows: Sequence[int] = PAPER_WINDOWS,
) -> Result:  # fmt: skip
    """Look for every annotation within its sequence, and write `results.json`, `report.md` and `report.html`.

    The best of all windows by the cosine counts; it is right where it overlaps the annotation by more than .4.

    Args:
        annotations: folder of TMR's annotations (annotations.json, splits/), BABEL's for TMR's numbers.
        features: folder of the whole sequences' (T, 263) features.
        retriever: folder of a retriever, or an opened one.
        out: folder of the results.
        split: whose keys are asked about; BABEL's test labels are not public, TMR takes val.
        windows: frames of the pyramid's windows.

    Returns:
        The content of `results.json`: `moments/<split>/pyramid`, and `moments/<split>/windows_20` and so on for single
        windows, each with `accuracy` (percent at IoU > .4) and `accuracy_at` (by IoU).

    Raises:
        RemogptError: if the annotations cannot be read, or nothing of the split can be used.

    Source: TMR, arXiv 2305.00976, supplement; differs: annotations of one sequence with equal words are asked about one
    by one, and those as long as the sequence too, where the paper does not say.
    """
    out, left_out = check_output_folder(out), dict[str, str]()
    network: Any = open_retriever(retriever) if isinstance(retriever, str | Path) else retriever
    modes = {"pyramid": tuple(windows), **{f"windows_{one}": (one,) for one in FIXED}}
    asked: list[list[Any]] = []
    truth: list[tuple[int, int]] = []
    found: dict[str, list[np.ndarray]] = {mode: [] for mode in modes}
    sequences = annotated_sequences(annotations, features, split, left_out)
    for path, motion, labels in progress(sequences, desc=f"{split} moments", unit="sequence"):
        tiles = pyramid(len(motion), {*windows, *FIXED}, STRIDE)
        cosines = embed_windows(network, motion, tiles) @ network.encode_text([one.text for one in labels]).T
        lengths = tiles[:, 1] - tiles[:, 0]
        for column, label in enumerate(labels):
            asked.append([path, label.text, *label.frames])
            truth.append(label.frames)
            for mode, own in modes.items():
                rows = np.flatnonzero(np.isin(lengths, [min(one, len(motion)) for one in own]))
                found[mode].append(tiles[rows[np.argmax(cosines[rows, column])]])
    if not asked:
        raise RemogptError(
            f"nothing of split {split} of {annotations} can be used: {next(iter(left_out.values()), '')}"
        )
    card = _card(Path(annotations), split, asked, network, str(retriever))
    results = {
        f"moments/{split}/{mode}": {
            "card": card | {"windows": list(modes[mode])},
            "scores": _scores(found[mode], truth),
        }
        for mode in modes
    }
    report: Result = {"format": FORMAT, "missing_splits": [], "left_out": left_out, "results": results}
    write_report(report, out)
    return report


def _scores(found: Sequence[np.ndarray], truth: Sequence[tuple[int, int]]) -> Result:
    shares = accuracy_at_iou(np.array(found), np.array(truth), IOUS)
    return {
        "accuracy": 100 * shares[0.4],
        "accuracy_at": {f"IoU > {threshold:g}": 100 * share for threshold, share in shares.items()},
        "num_items": len(truth),
    }


def _card(folder: Path, split: str, asked: list[list[Any]], network: Any, name: str) -> dict[str, Any]:
    return {
        "model": name, "hashes": {"retriever": network.hash}, "code_version": remogpt.__version__,
        "set": folder.resolve().name, "licence": "unknown", "split": split, "num_items": len(asked),
        "items_sha256": sha256_of(asked), "seed": 0, "stride": STRIDE,
        "retriever": getattr(network, "config", {}).get("network", "pl_tmr"),
    }  # fmt: skip
