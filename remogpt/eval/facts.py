"""Facts: the share of statements about a motion (side, count, direction, order ...) that hold in generated joints.

A caption of the procedural set comes with facts that its motion must show; they are checked on joints alone, so the
score needs no evaluator network and cannot be learned by one. Read it beside its two limits: the share that holds in
the real motions (the ceiling) and in motions of other captions (the floor).

A system that chooses its answers by the predicates of `remogpt.motion` does well by them; `second=True` checks by the
second detectors (`remogpt.eval.detectors`), which share nothing with them.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from remogpt.eval.detectors import facts_hold
from remogpt.eval.interval import half_width
from remogpt.motion.body import MIN_FRAMES
from remogpt.motion.facts import Fact, facts_correct
from remogpt.runtime.errors import RemogptError

Array = np.ndarray


def check_all(facts: Sequence[Sequence[Fact]], joints: Sequence[Array], *, second: bool = False) -> list[list[bool]]:
    """Check every item's facts on its joints.

    Args:
        facts: (items,) lists of facts, which may be empty. joints: (items,) of (T, 22, 3), metres, y up, 20 fps.
            In a motion too short to be measured (under 16 frames) no fact holds.
        second: check by the second detectors.
    """
    if len(facts) != len(joints):
        raise RemogptError(f"came facts of {len(facts)} items but {len(joints)} motions.")
    check = facts_hold if second else facts_correct
    return [
        check(item, motion) if len(motion) >= MIN_FRAMES else [False] * len(item)
        for item, motion in zip(facts, joints, strict=True)
    ]


def summarise(facts: Sequence[Sequence[Fact]], held: Sequence[Sequence[bool]]) -> dict[str, Any]:
    """Return the share of facts that hold, in all and by factor, and of items all of whose facts hold.

    The 95 % interval is over items, whose facts depend on each other.

    Raises:
        RemogptError: if no item has a fact.
    """
    shares = np.array([np.mean(row) for row in held if len(row)])
    if not len(shares):
        raise RemogptError(
            "no item has facts; facts come with the procedural set, other sets are scored by the evaluator instead."
        )
    by_factor: dict[str, list[bool]] = {}
    for item, row in zip(facts, held, strict=True):
        for fact, holds in zip(item, row, strict=True):
            by_factor.setdefault(fact.factor, []).append(bool(holds))
    return {
        "share": float(shares.mean()),
        "ci95": half_width(shares),
        "all_hold": float(np.mean([all(row) for row in held if len(row)])),
        "num_items": len(shares),
        "num_facts": sum(len(row) for row in held),
        "by_factor": {
            factor: {"share": float(np.mean(values)), "num_facts": len(values)}
            for factor, values in sorted(by_factor.items())
        },
    }


def evaluate(facts: Sequence[Sequence[Fact]], joints: Sequence[Array], *, second: bool = False) -> dict[str, Any]:
    """Check facts on joints and summarise.

    Args:
        facts: of each item, what its caption claims.
        joints: (T, 22, 3) of each item, in metres.
        second: by the second detectors in place of the predicates.
    """
    return summarise(facts, check_all(facts, joints, second=second))


def floor(
    facts: Sequence[Sequence[Fact]], joints: Sequence[Array], seed: int = 0, *, second: bool = False
) -> dict[str, Any]:
    """Check each item's facts on another item's motion: the score of a generator that ignores its caption.

    Args:
        facts, joints, second: as in `evaluate`.
        seed: of the order in which motions are exchanged.

    Raises:
        RemogptError: fewer than two items.
    """
    if len(facts) < 2:
        raise RemogptError("the floor needs at least two items to exchange motions.")
    # A shift of a random order: every item gets a motion that is not its own.
    order = np.random.default_rng(seed).permutation(len(facts))
    return evaluate([facts[index] for index in order], [joints[index] for index in np.roll(order, 1)], second=second)
