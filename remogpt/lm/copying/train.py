"""Train the copy head: how examples are followed, and which examples answer a query.

    pairs = CopyPairs(codes=..., bank=..., text=QueryPairs(...), motion=QueryPairs(...))
    train_copy_head(CopyConfig(...), train=pairs, val=pairs, vectors=codebook, out="copy", run_folder="runs/copy", ...)

Training leaves out the language model. Beside its probabilities, likelihood hardly ever favours following an example,
for two takes of one action share few codes; yet generated motions gain much by following. So the head learns from
examples that answer, beside the plain frequencies of the codes; the strength of copying is chosen at generation.

Training knows both sides, and so which examples answer: a caption's example answers if its motion is as close to the
caption's own motion as all but the worst first hits are; a motion's example answers if its caption is as close to the
motion's own caption.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from remogpt.lm.copying.copy_head import CopyHead
from remogpt.lm.copying.example_trust import MatchTest
from remogpt.lm.limits import MAX_CODES
from remogpt.runtime.files import fingerprint
from remogpt.runtime.training.loop import FitResult, LoopConfig, fit
from remogpt.runtime.training.stage import Stage


@dataclass(frozen=True)
class CopyConfig:
    """Training of the copy head."""

    worst_hits: float = 0.05
    """Share of the first hits that are taken not to answer their query, the ones farthest from it."""
    depth: int = 4
    """Best hits of each route to learn from."""
    misleading_examples: int = 4
    """Best rows of each route that do not answer; a database without the answer would give them."""
    match_rate: float = 0.4
    """Factor on the rate of the match tests."""
    loop: LoopConfig = field(default_factory=lambda: LoopConfig(steps=200, learning_rate=0.05, evaluate_every=50))
    """Length, batch, rate."""


@dataclass(frozen=True)
class QueryPairs:
    """Queries of one kind, each with an example."""

    clips: np.ndarray
    """(P,) clip of each query."""
    rows: np.ndarray
    """(P,) row of the example in the bank."""
    cosines: np.ndarray
    """(P, 2) of the query with the example's motion and caption."""
    answers: np.ndarray
    """(P,) bool."""


@dataclass(frozen=True)
class CopyPairs:
    """Training data of the copy head."""

    codes: Sequence[np.ndarray]
    """(N,) codes of each clip."""
    bank: Sequence[np.ndarray]
    """Codes of each row that may be an example."""
    text: QueryPairs
    """Captions with their examples."""
    motion: QueryPairs
    """Motions with their examples."""


def train_copy_head(
    config: CopyConfig,
    train: CopyPairs,
    val: CopyPairs,
    vectors: Tensor,
    belongs_to: dict[str, Any],
    out: str | Path,
    run_folder: str | Path,
) -> FitResult:
    """Train the copy head and save it.

    Args:
        train, val: pairs of different clips.
        vectors: (C, D) codebook.
        belongs_to: hashes of the tokenizer and the retriever, kept with the weights.
        out: folder of the finished head.
        run_folder: log and checkpoints.
    """
    torch.manual_seed(config.loop.seed)
    head = CopyHead(vectors)
    log_frequencies = _log_frequencies(train, len(vectors))
    matches = [*head.text_match.parameters(), *head.motion_match.parameters()]
    others = [parameter for name, parameter in head.named_parameters() if "match" not in name]

    def compute_loss(
        model: nn.Module, indices: np.ndarray, rng: np.random.Generator
    ) -> tuple[Tensor, dict[str, float]]:
        other = rng.integers(len(train.motion.rows), size=len(indices))
        return model(_Step(train, indices, other, log_frequencies, rng))

    stage = Stage(
        _Objective(head),
        len(train.text.rows),
        compute_loss,
        config=config,
        data=_fingerprint(train, val, vectors),
        evaluate=lambda model: _scores(head, val, log_frequencies, config.loop.seed),
        best=("val/loss", "min"),
        param_groups=[{"params": others}, {"params": matches, "lr_scale": config.match_rate}],
        desc="copy",
    )
    result = fit(stage, config.loop, run_folder)
    head.config = dict(belongs_to)
    head.save_pretrained(out)
    return result


@dataclass(frozen=True)
class _Step:
    """Pairs of one training step."""

    pairs: CopyPairs
    text: np.ndarray
    motion: np.ndarray
    log_frequencies: Tensor
    rng: np.random.Generator


class _Objective(nn.Module):
    """Sum of the losses, as a module so that the training loop can wrap it."""

    def __init__(self, head: CopyHead) -> None:
        super().__init__()
        self.head = head

    def forward(self, step: _Step) -> tuple[Tensor, dict[str, float]]:
        pairs = step.pairs
        text = _match_loss(self.head.text_match, pairs.text, step.text)
        motion = _match_loss(self.head.motion_match, pairs.motion, step.motion)
        right = step.text[pairs.text.answers[step.text]]
        if not len(right):  # a batch of wrong examples alone teaches nothing about following them
            right = np.flatnonzero(pairs.text.answers)[:1]
        nll, gain = following_loss(self.head, pairs, right, step.log_frequencies, step.rng)
        return nll + text + motion, {"nll": nll.item(), "gain": gain, "match": text.item()}


def following_loss(
    head: CopyHead, pairs: CopyPairs, chosen: np.ndarray, log_frequencies: Tensor, rng: np.random.Generator
) -> tuple[Tensor, float]:
    """Return the mean negative log-likelihood of codes after their examples, and the gain over codes' frequencies.

    Half of the clips, by chance, tell their length beforehand and need no end; the others are to end where they end.

    Args:
        chosen: (N,) pairs of captions.
        log_frequencies: (C + 1,) of the codes, and of the end.
    """
    codes = [pairs.codes[clip][:MAX_CODES] for clip in pairs.text.clips[chosen]]
    lengths = torch.tensor([len(own) for own in codes])
    is_forced = torch.as_tensor(rng.random(len(codes)) < 0.5)
    end = len(log_frequencies) - 1
    targets = torch.full((len(codes), int(lengths.max()) + 1), end)
    for row, own in enumerate(codes):
        targets[row, : len(own)] = torch.as_tensor(own)
    likeness = head.likeness()
    at = head.begin([pairs.bank[row] for row in pairs.text.rows[chosen]])
    no_end = functional.one_hot(torch.tensor(end), end + 1).bool() & is_forced[:, None]
    after, alone, count = log_frequencies.new_zeros(()), log_frequencies.new_zeros(()), 0
    for step in range(targets.shape[1]):
        counts = torch.where(is_forced, step < lengths, step <= lengths)
        prior = log_frequencies.masked_fill(no_end, -torch.inf).log_softmax(dim=1)
        found = (prior + head.evidence(at, likeness).log()).log_softmax(dim=1)
        index = targets[:, step : step + 1]
        after = after + found.gather(1, index)[:, 0][counts].sum()
        alone = alone + prior.gather(1, index)[:, 0][counts].sum()
        count += int(counts.sum())
        left = torch.where(is_forced, (lengths - step - 1).float(), torch.inf)
        at = head.follow(at, targets[:, step].clamp_max(end - 1), likeness, left)
    return -after / count, float((after - alone).detach() / count)


def _match_loss(match: MatchTest, pairs: QueryPairs, chosen: np.ndarray) -> Tensor:
    odds = match(torch.as_tensor(pairs.cosines[chosen], dtype=torch.float32))
    return functional.binary_cross_entropy_with_logits(odds, torch.as_tensor(pairs.answers[chosen]).float())


@torch.no_grad()
def _scores(head: CopyHead, pairs: CopyPairs, log_frequencies: Tensor, seed: int) -> dict[str, float]:
    """Validate: the losses, the gain, and how well the match tests tell right examples from wrong ones."""
    right = np.flatnonzero(pairs.text.answers)
    chosen = right[np.linspace(0, len(right) - 1, min(256, len(right))).astype(int)]
    nll, gain = following_loss(head, pairs, chosen, log_frequencies, np.random.default_rng(seed))
    scores = {"val/nll": nll.item(), "val/gain": gain}
    for name, match, own in (("text", head.text_match, pairs.text), ("motion", head.motion_match, pairs.motion)):
        every = np.arange(len(own.rows))
        scores[f"val/{name}_match"] = _match_loss(match, own, every).item()
        odds = match(torch.as_tensor(own.cosines, dtype=torch.float32)).numpy()
        scores[f"val/{name}_auc"] = area_under_roc(odds, own.answers)
    scores["val/loss"] = scores["val/nll"] + scores["val/text_match"] + scores["val/motion_match"]
    return scores


def area_under_roc(scores: np.ndarray, is_right: np.ndarray) -> float:
    """Return the chance that a right item scores above a wrong one, ties counting half; nan without either."""
    order = np.argsort(scores, kind="stable")
    ranks = np.empty(len(scores))
    ranks[order] = np.arange(1, len(scores) + 1)
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.bincount(inverse, ranks)[inverse] / counts[inverse]
    right, wrong = int(is_right.sum()), int((~is_right).sum())
    if not right or not wrong:
        return float("nan")
    return float((ranks[is_right].sum() - right * (right + 1) / 2) / (right * wrong))


def _log_frequencies(pairs: CopyPairs, num_codes: int) -> Tensor:
    """Return (C + 1,) log-frequency of each code, and of the end, in the bank; each counted once more."""
    counts = np.bincount(np.concatenate(pairs.bank), minlength=num_codes) + 1.0
    return torch.as_tensor(np.log(np.append(counts, len(pairs.bank)) / (counts.sum() + len(pairs.bank)))).float()


def _fingerprint(train: CopyPairs, val: CopyPairs, vectors: Tensor) -> str:
    contents: list[str | np.ndarray] = [vectors.cpu().numpy(), *train.bank, *train.codes]
    for pairs in (train, val):
        for own in (pairs.text, pairs.motion):
            contents += [own.clips, own.rows, own.cosines, own.answers]
    return fingerprint(contents)
