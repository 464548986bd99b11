"""What a language model's ids are worth as an answer, how far its lengths lie off, and whether a motion ends frozen.

A tail is frozen if in the motion's last second no joint moves 10 cm (or 5, or 2) along an axis, seen from the body: the
pelvis' place on the floor and the heading are taken out, so that a stiff figure that slides is frozen too. Real motions
end in rest as well, 4 % of the procedural ones by 10 cm: what counts is the share among those whose real motion moves
in its last second. This definition is ours.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from remogpt.eval.interval import half_width
from remogpt.lm import Vocabulary
from remogpt.lm.limits import FRAMES_PER_CODE
from remogpt.motion.skeleton import FPS

FROZEN = (0.1, 0.05, 0.02)
"""Metres along an axis that no joint of a frozen tail moves."""
TAIL = int(FPS)
"""Frames of a tail: one second."""
BODY = slice(3, 67)
"""Features of the body's own frame: height of the pelvis, and the other joints from it, heading taken out."""


def motion_fault(ids: Sequence[int], words: Vocabulary) -> str | None:
    """Name why an answer holds no motion: it must be motion start, one or more codes, motion end; None if it does.

    What follows the motion end is not looked at, as MotionGPT's parser does not.
    """
    if not ids or ids[0] != words.motion_start_id:
        return "no motion start"
    if words.motion_end_id not in ids:
        return "no motion end"
    codes = ids[1 : ids.index(words.motion_end_id)]
    if not codes:
        return "no codes"
    first, last = int(words.code_ids[0]), int(words.code_ids[-1])
    return None if all(first <= token <= last for token in codes) else "ids of another kind"


def text_fault(ids: Sequence[int], words: Vocabulary) -> str | None:
    """Name why an answer is no text: it must be one or more text ids and the end of sequence; None if it is."""
    if not ids or ids[-1] != words.eos_id:
        return "no end of sequence"
    if len(ids) == 1:
        return "no words"
    return None if set(ids[:-1]) <= set(words.text_ids.tolist()) else "ids of another kind"


def rates(answers: Sequence[Sequence[int]], wants: str, words: Vocabulary) -> dict[str, Any]:
    """Return the share of answers that are invalid, and how many for which fault."""
    fault = motion_fault if wants == "motion" else text_fault
    faults = Counter(found for ids in answers if (found := fault(ids, words)) is not None)
    return {"prompts": len(answers), "invalid": round(faults.total() / len(answers), 4), "faults": dict(faults)}


def length_error(written: Sequence[int], wanted: Sequence[int]) -> dict[str, Any]:
    """Compare numbers of codes: mean and median absolute error, how many are exact, and the mean difference."""
    if not len(written):
        return {"motions": 0}
    error = np.asarray(written, dtype=np.int64) - np.asarray(wanted, dtype=np.int64)
    off = np.abs(error)
    seconds = FRAMES_PER_CODE / FPS
    return {
        "motions": len(error), "mean_codes": round(float(off.mean()), 2), "ci95_codes": round(half_width(off), 2),
        "mean_seconds": round(float(off.mean()) * seconds, 2), "median_codes": float(np.median(off)),
        "exact": round(float((off == 0).mean()), 3), "within_a_code": round(float((off <= 1).mean()), 3),
        "bias_codes": round(float(error.mean()), 2),
    }  # fmt: skip


def tail_movement(features: np.ndarray) -> float:
    """Return the farthest, in metres, that a joint moves along an axis in the last second, seen from the body.

    Args:
        features: (T, 263) raw.
    """
    return float(np.ptp(features[-TAIL:, BODY], axis=0).max())


def frozen_tails(made: np.ndarray, real: np.ndarray) -> dict[str, Any]:
    """Return the share of frozen tails, of all motions and of those whose real motion's tail is not frozen.

    Args:
        made, real: (N,) `tail_movement` of each motion, and of the real one.
    """
    found: dict[str, Any] = {}
    for limit in FROZEN:
        frozen, moves = made < limit, real >= limit
        found[f"below {100 * limit:g} cm"] = {
            "share": round(float(frozen.mean()), 3), "real_moves": int(moves.sum()),
            "where_the_real_moves": round(float(frozen[moves].mean()), 3) if moves.any() else None,
        }  # fmt: skip
    return found | {"median_movement_m": round(float(np.median(made)), 3)}
