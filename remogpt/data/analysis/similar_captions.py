"""Count captions that say nearly the same about different motions.

Retrieval counts such motions as wrong, and contrastive training separates them; TMR leaves out pairs whose sentence
similarity exceeds a threshold. Captions made from labels collide most: one sentence for every take of an action.

Only pairs from different clips count; captions of one clip are meant to agree.

Source: TMR, arXiv 2305.00976, sec. 3.3 and 4.1: thresholds on (cosine + 1) / 2, strictly above.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from remogpt.runtime.errors import RemogptError
from remogpt.runtime.progress import progress

THRESHOLDS = (0.8, 0.9, 0.95)
"""On the scale (cosine + 1) / 2: 0.8 filters TMR's negatives, 0.95 is its protocol (b)."""
_BLOCK = 1024


@dataclass(frozen=True)
class _Table:
    """Distinct sentences and the clips that have them."""

    num_uses: np.ndarray
    """(U,) number of captions with each sentence."""
    clips: list[np.ndarray]
    """For each clip, (n,) sentence indices of its captions."""


def similar_captions(
    captions: Sequence[Sequence[str]],
    sentences: Sequence[str],
    vectors: np.ndarray,
    thresholds: Sequence[float] = THRESHOLDS,
    desc: str = "compare captions",
) -> dict[str, Any]:
    """Count similar and identical captions of different clips.

    Args:
        captions: of each clip, at least one.
        sentences: U distinct sentences, among them all captions.
        vectors: (U, D) their unit sentence vectors.
        thresholds: on the scale (cosine + 1) / 2, each in [0.5, 1].
        desc: label of the progress bar.

    Returns:
        `captions`, `pairs` (of different clips); `identical` with `captions` (whose sentence another clip has too),
        `captions_share` and `sentences` (that several clips have); `above` with, for each threshold, `pairs`,
        `pairs_share`, `captions` (with at least one such partner) and `captions_share`. Shares are fractions.

    Raises:
        RemogptError: if a threshold lies outside its range, or a caption has no vector.
    """
    if not all(0.5 <= value <= 1 for value in thresholds):
        raise RemogptError(f"thresholds must lie between 0.5 and 1, got {', '.join(map(str, thresholds))}")
    table, unit = _table(captions, sentences, vectors)
    total = int(table.num_uses.sum())
    inside = sum(len(clip) * (len(clip) - 1) // 2 for clip in table.clips)
    num_pairs = total * (total - 1) // 2 - inside
    neighbours = _neighbours(unit, table.num_uses, thresholds, desc)  # (thresholds, U)
    above = {}
    for threshold, uses in zip(thresholds, neighbours, strict=True):
        alike, inside_alike = 0, 0
        for clip in table.clips:
            same = unit[clip] @ unit[clip].T > 2 * threshold - 1
            same |= clip[:, None] == clip
            alike += int((uses[clip] > same.sum(axis=1)).sum())
            inside_alike += (int(same.sum()) - len(clip)) // 2
        pairs = (int((uses * table.num_uses).sum()) - total) // 2 - inside_alike
        above[f"{threshold:g}"] = {
            "pairs": pairs, "pairs_share": _share(pairs, num_pairs),
            "captions": alike, "captions_share": _share(alike, total),
        }  # fmt: skip
    return {"captions": total, "pairs": num_pairs, "identical": _identical(table, total), "above": above}


def _table(captions: Sequence[Sequence[str]], sentences: Sequence[str], vectors: np.ndarray) -> tuple[_Table, Any]:
    rows = {sentence: index for index, sentence in enumerate(sentences)}
    used = sorted({caption for clip in captions for caption in clip})
    absent = [sentence for sentence in used if sentence not in rows]
    if absent or not used:
        raise RemogptError(
            f"wanted a sentence vector for each caption, got none for {absent[:1] or 'an empty split'}; encode them all"
        )
    index_of = {sentence: index for index, sentence in enumerate(used)}
    clips = [np.array([index_of[caption] for caption in clip], dtype=np.int64) for clip in captions]
    uses = np.bincount(np.concatenate(clips), minlength=len(used))
    return _Table(uses, clips), vectors[[rows[sentence] for sentence in used]].astype(np.float32)


def _neighbours(unit: np.ndarray, num_uses: np.ndarray, thresholds: Sequence[float], desc: str) -> np.ndarray:
    """(thresholds, U) number of captions above each threshold for each sentence, repeated captions counted."""
    counts = np.zeros((len(thresholds), len(unit)), dtype=np.int64)
    for start in progress(range(0, len(unit), _BLOCK), desc=desc, unit="block"):
        cosines = unit[start : start + _BLOCK] @ unit.T
        rows = np.arange(len(cosines))
        for index, threshold in enumerate(thresholds):
            above = cosines > 2 * threshold - 1
            above[rows, rows + start] = True  # a sentence equals itself, despite rounding
            counts[index, start : start + _BLOCK] = above @ num_uses
    return counts


def _identical(table: _Table, total: int) -> dict[str, Any]:
    """Count sentences that several clips have."""
    owners = np.bincount(np.concatenate([np.unique(clip) for clip in table.clips]), minlength=len(table.num_uses))
    shared = owners > 1
    captions = int(table.num_uses[shared].sum())
    return {"captions": captions, "captions_share": _share(captions, total), "sentences": int(shared.sum())}


def _share(count: int, total: int) -> float:
    return count / total if total else 0.0
