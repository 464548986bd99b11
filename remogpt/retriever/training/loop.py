"""Train a retriever with any network: fit, choose weights by validation, save, and load again."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from remogpt.retriever.retriever import TextMotionRetriever
from remogpt.retriever.text.frozen_text_model import TextSource
from remogpt.retriever.training.pairs import TrainingPairs
from remogpt.runtime.files import fingerprint
from remogpt.runtime.folders.training_record import TrainingRecord, write_record
from remogpt.runtime.training.loop import LoopConfig, fit
from remogpt.runtime.training.stage import ComputeLoss, Stage


class RetrieverTraining(Protocol):
    """Settings of a retriever that the loop reads."""

    @property
    def loop(self) -> LoopConfig: ...
    @property
    def num_val_clips(self) -> int: ...
    @property
    def saved_as(self) -> str: ...


class RetrieverBatches(Protocol):
    """Batches of a network, as the loop needs them."""

    @property
    def pairs(self) -> TrainingPairs: ...
    @property
    def text(self) -> TextSource: ...
    @property
    def loss(self) -> ComputeLoss: ...


def fit_retriever(
    retriever: TextMotionRetriever,
    batches: RetrieverBatches,
    config: RetrieverTraining,
    val: TrainingPairs,
    data: str,
    run_folder: str | Path,
    out: str | Path,
    param_groups: list[dict[str, Any]] | None = None,
    desc: str = "retriever",
    trained: nn.Module | None = None,
) -> TextMotionRetriever:
    """Train a retriever of any network, keep its best weights, save it, and return it as loaded from `out`.

    `training.json` beside the weights says what the retriever learned from.

    Args:
        retriever: untrained; reads the batches' text source while it trains.
        batches: its losses.
        config: the stage's dataclass; recorded with the run.
        val: the weights with the best mean reciprocal rank on its first clips are kept.
        data: fingerprint of the training data; that of the validation clips is added.
        run_folder: as in `remogpt.runtime.training.loop.fit`.
        out: folder of the finished retriever.
        param_groups, desc: as in `remogpt.runtime.training.stage.Stage`.
        trained: what the batches' losses call, around the retriever's network; the network itself without it.
    """
    few = range(min(len(val), config.num_val_clips))
    val_motions = [val.load(index) for index in few]
    val_captions = [val.captions[index][0] for index in few]

    def evaluate(model: nn.Module) -> dict[str, float]:
        retriever.to(next(model.parameters()).device)
        similarity = retriever.encode_text(val_captions) @ retriever.encode_motion(val_motions).T
        return ranking_scores(similarity, val_captions)

    saved_text, retriever.text = retriever.text, batches.text
    stage = Stage(
        retriever.network if trained is None else trained,
        len(batches.pairs),
        batches.loss,
        config=_recorded(config),
        data=fingerprint([data, *val_motions]),
        evaluate=evaluate,
        best=("val/mrr", "max"),
        param_groups=param_groups,
        desc=desc,
    )
    fit(stage, config.loop, run_folder)
    retriever.to("cpu")
    retriever.text = saved_text
    retriever.save_pretrained(out, torch.float16 if config.saved_as == "float16" else None)
    pairs = batches.pairs
    write_record(out, TrainingRecord(pairs.name, data, config.loop.seed, len(pairs), part=retriever.hash))
    return TextMotionRetriever.from_pretrained(out)


def _recorded(config: Any) -> dict[str, Any]:
    """Return a stage's settings as its run records them."""
    settings = asdict(config)
    del settings["loop"]
    if settings.get("caption_form") == "written":
        del settings["caption_form"]  # older runs, begun without this setting, must go on
    return settings


def ranking_scores(similarity: np.ndarray, captions: Sequence[str]) -> dict[str, float]:
    """Rank each clip's own partner, both ways; clips with the same caption are left out.

    Args:
        similarity: (n, n), text rows, motion columns.
        captions: of the n clips.

    Returns:
        `val/t2m_R@1`, `val/t2m_R@10`, `val/m2t_...` in percent, `val/..._MedR` from 1, `val/mrr` in [0, 1].
    """
    names = np.unique(np.asarray(captions), return_inverse=True)[1]
    others = names[:, None] != names
    ways = {"t2m": similarity, "m2t": similarity.T}
    ranks = {way: 1 + ((table > np.diagonal(table)[:, None]) & others).sum(axis=1) for way, table in ways.items()}
    scores = {"val/mrr": float(np.mean([(1 / rank).mean() for rank in ranks.values()]))}
    for way, rank in ranks.items():
        scores |= {f"val/{way}_R@{k}": 100 * float((rank <= k).mean()) for k in (1, 10)}
        scores[f"val/{way}_MedR"] = float(np.median(rank))
    return scores
