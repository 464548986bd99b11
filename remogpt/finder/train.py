"""Train a finder on motions whose captions' claims are known; no predicate looks at them.

remogpt train finder --config mini/finder --data <set> --out <folder>
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from remogpt.finder.finder import FactFinder
from remogpt.finder.network import PATCH, FinderSize
from remogpt.motion.fact_catalogue import GRID, catalogue, fact_number
from remogpt.motion.facts import RELATIONS, Fact, Steps, facts_of_claims, implied
from remogpt.motion.predicates.gait import is_about
from remogpt.motion.varied import sometimes_varied
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import fingerprint
from remogpt.runtime.training.loop import LoopConfig, fit
from remogpt.runtime.training.stage import Stage

CHUNK = 16
"""Motions of similar lengths that go through the network together, so that little of a batch is padding."""
MEASURED = 1000
"""Training motions of which mean and standard deviation are taken."""


@dataclass(frozen=True)
class FinderConfig:
    """Network, facts and length of training."""

    size: FinderSize = field(default_factory=FinderSize)
    """Widths of the network."""
    fact_clips: int = 12
    """Training clips that must show a fact for it to be learned."""
    input_noise: float = 0.1
    """Standard deviation of noise added to z-scored features."""
    varied_share: float = 0.0
    """Share of training motions that are shown as another recording would have them; see `motion.varied`."""
    step_weight: float = 0.5
    """Weight of the loss that says when a fact holds, beside the one that says whether it does."""
    families: str | None = None
    """Further split to train on, such as "families"."""
    saved_as: Literal["float32", "float16"] = "float32"
    """Type in which the finished weights are stored."""
    loop: LoopConfig = field(default_factory=LoopConfig)
    """Steps, batch, rate."""


@dataclass(frozen=True)
class LabelledMotion:
    """A motion and what its captions claim of it, as numbers of the catalogue."""

    load: Callable[[], np.ndarray]
    """Gives the (T, 263) raw features."""
    shown: np.ndarray
    """(n,) int64 facts that it shows."""
    doubtful: np.ndarray
    """(n,) int64 those of `shown` that the set does not list: another action may hide them; they teach nothing."""
    spans: tuple[tuple[int, int, np.ndarray], ...]
    """Facts of each step of the motion, with its first and end frame; empty where the times are not known."""

    @classmethod
    def of(
        cls, load: Callable[[], np.ndarray], claims: Sequence[Steps], stated: Sequence[Fact],
        timeline: Sequence[Sequence[int]],
    ) -> "LabelledMotion":  # fmt: skip
        """Label a motion.

        Args:
            load: gives the raw features.
            claims: what each of its captions claims; the one that claims most tells what is shown.
            stated: facts that the set lists.
            timeline: first and end frame of each step; empty where that is not known.
        """
        fullest = max(claims, key=lambda steps: len(facts_of_claims(steps)))
        each = [_numbers(fact for claim in step for fact in implied(claim)) for step in fullest]
        sure, every = _numbers(stated), np.unique(np.concatenate([np.empty(0, dtype=np.int64), *each]))
        aligned = zip(timeline, each, strict=True) if len(timeline) == len(each) else ()
        spans = tuple((int(start), int(end), numbers) for (start, end), numbers in aligned)
        return cls(load, np.union1d(sure, every), np.setdiff1d(every, sure) if len(sure) else sure, spans)


def _numbers(facts: Iterable[Fact]) -> np.ndarray:
    """Return the catalogue's numbers of facts, relations left out; a distance counts for all within its tolerance."""
    found = set()
    for fact in facts:
        if fact.name in RELATIONS:
            continue
        distance = fact.params.get("distance")
        near = [fact] if distance is None else [
            Fact(fact.name, {**fact.params, "distance": value})
            for value in GRID["distance"] if is_about(distance, value)
        ]  # fmt: skip
        found |= {fact_number(one) for one in near} - {None}
    return np.array(sorted(number for number in found if number is not None), dtype=np.int64)


def train_finder(
    config: FinderConfig,
    train: Sequence[LabelledMotion],
    val: Sequence[LabelledMotion],
    run_folder: str | Path,
    out: str | Path,
) -> FactFinder:
    """Train, save to `out`, and return the finder as loaded from there.

    Args:
        config: see `FinderConfig`.
        train: motions to learn from.
        val: motions on which the weights with the largest average precision are kept.
        run_folder: log and checkpoint; start the same run again to continue it.
        out: folder of the finished finder.
    """
    torch.manual_seed(config.loop.seed)
    counts = Counter(int(number) for one in train for number in np.setdiff1d(one.shown, one.doubtful))
    facts = [fact for number, fact in enumerate(catalogue()) if counts[number] >= config.fact_clips]
    if not facts:
        raise RemogptError(
            f"no fact is shown by {config.fact_clips} of {len(train)} clips; the set needs claims of its captions, as "
            "'remogpt data make' writes them"
        )
    mean, std = _statistics(train)
    finder = FactFinder.new(config.size, facts, mean, std)
    batches = FactBatches(config, train, finder)
    checked = FactBatches(config, val, finder)
    stage = Stage(
        finder.network,
        len(train),
        batches.loss,
        config=config,
        data=fingerprint([*(f"{one.shown} {one.spans}" for one in [*train, *val]), mean, std]),
        evaluate=lambda model: checked.average_precision(),
        best=("val/average_precision", "max"),
        desc="finder",
    )
    fit(stage, config.loop, run_folder)
    finder.save_pretrained(out, torch.float16 if config.saved_as == "float16" else None)
    return FactFinder.from_pretrained(out)


def _statistics(motions: Sequence[LabelledMotion]) -> tuple[np.ndarray, np.ndarray]:
    """Return (263,) mean and standard deviation of each channel, over the first `MEASURED` motions."""
    frames = np.concatenate([motion.load() for motion in motions[:MEASURED]])
    return frames.mean(axis=0, dtype=np.float64), frames.std(axis=0, dtype=np.float64)


class FactBatches:
    """Builds batches and their loss."""

    def __init__(self, config: FinderConfig, motions: Sequence[LabelledMotion], finder: FactFinder) -> None:
        self.config, self.motions, self.finder = config, motions, finder
        self.columns = np.full(len(catalogue()), -1, dtype=np.int64)
        self.columns[finder.numbers] = np.arange(len(finder.numbers))

    def loss(self, model: nn.Module, indices: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        """Return the cross-entropy, summed over facts, of whole motions and of their steps."""
        device = next(model.parameters()).device
        share = self.config.varied_share
        loaded = {int(index): sometimes_varied(self.motions[index].load(), share, rng) for index in indices}
        order = sorted(loaded, key=lambda index: len(loaded[index]))
        whole_loss, steps_loss = torch.zeros((), device=device), torch.zeros((), device=device)
        chunks = [order[start : start + CHUNK] for start in range(0, len(order), CHUNK)]
        for chunk in chunks:
            features, lengths = self.finder.pad([loaded[index] for index in chunk])
            noisy = features + self.config.input_noise * torch.randn_like(features)
            whole, steps, real = model(noisy.to(device), lengths.to(device))
            shown, known = (one.to(device) for one in self._labels(chunk))
            share = len(chunk) / len(order)
            whole_loss += share * (_entropy(whole, shown) * known).sum(dim=1).mean()
            active, timed = (one.to(device) for one in self._steps(chunk, steps.shape[1]))
            counted = real[..., None] * timed[:, None, None] * known[:, None]
            each = (_entropy(steps, active) * counted).sum(dim=2).sum() / (real * timed[:, None]).sum().clamp(min=1)
            steps_loss += share * each
        loss = whole_loss + self.config.step_weight * steps_loss
        return loss, {"motions": whole_loss.item(), "steps": steps_loss.item()}

    def _labels(self, chunk: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Return (B, F) whether each motion shows each fact, and whether that is known."""
        shown, known = torch.zeros(len(chunk), len(self.finder.facts)), torch.ones(len(chunk), len(self.finder.facts))
        for row, index in enumerate(chunk):
            shown[row, self._learned(self.motions[index].shown)] = 1
            known[row, self._learned(self.motions[index].doubtful)] = 0
        return shown, known

    def _steps(self, chunk: Sequence[int], num_steps: int) -> tuple[Tensor, Tensor]:
        """Return (B, N, F) whether a step is part of each fact, and (B,) whether a motion's times are known."""
        active, timed = torch.zeros(len(chunk), num_steps, len(self.finder.facts)), torch.zeros(len(chunk))
        for row, index in enumerate(chunk):
            for start, end, numbers in self.motions[index].spans:
                active[row, start // PATCH : -(-end // PATCH), self._learned(numbers)] = 1
                timed[row] = 1
        return active, timed

    def _learned(self, numbers: np.ndarray) -> np.ndarray:
        columns = self.columns[numbers]
        return columns[columns >= 0]

    def average_precision(self) -> dict[str, float]:
        """Return `val/average_precision`, over all known pairs of a motion and a fact."""
        said = self.finder.probabilities([motion.load() for motion in self.motions])
        shown, known = (labels.numpy() > 0 for labels in self._labels(range(len(self.motions))))
        scores, right = np.stack([one.motion for one in said])[known], shown[known]
        right = right[np.argsort(-scores, kind="stable")]
        precision = np.cumsum(right) / np.arange(1, len(right) + 1)
        return {"val/average_precision": float(precision[right].mean()) if right.any() else 0.0}


def _entropy(logits: Tensor, wanted: Tensor) -> Tensor:
    return functional.binary_cross_entropy_with_logits(logits.float(), wanted, reduction="none")
