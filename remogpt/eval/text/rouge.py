"""ROUGE-L of one hypothesis against several references, in COCO's and in rouge_score's convention.

COCO takes the best precision and the best recall over all references, also from different ones, and weighs recall by
beta 1.2. rouge_score takes F1 with each reference and keeps the best. On the same text they differ by several points.

Source: Lin 2004; conventions of coco-caption and of google-research/rouge_score.
"""

import numpy as np

from remogpt.eval.text.ngrams import Array, Tokens

BETA = 1.2


def lcs_length(left: Tokens, right: Tokens) -> int:
    """Length of the longest common subsequence, by whole-row bit operations on Python integers.

    Source: Hyyro 2004, bit-parallel LCS.
    """
    masks: dict[str, int] = {}
    for position, word in enumerate(left):
        masks[word] = masks.get(word, 0) | (1 << position)
    full = (1 << len(left)) - 1
    row = full
    for word in right:
        matched = row & masks.get(word, 0)
        row = ((row + matched) | (row - matched)) & full
    return len(left) - row.bit_count()


def rouge_l_scores(hypotheses: list[Tokens], references: list[list[Tokens]], convention: str = "coco") -> Array:
    """Return (items,) ROUGE-L in [0, 1].

    Args:
        hypotheses: one token list per item. references: one or more token lists per item.
        convention: `coco` or `rouge_score`.
    """
    combine = _coco if convention == "coco" else _best_f1
    return np.array([combine(tokens, item) for tokens, item in zip(hypotheses, references, strict=True)])


def _shares(hypothesis: Tokens, references: list[Tokens]) -> list[tuple[float, float]]:
    common = [lcs_length(hypothesis, reference) for reference in references]
    return [
        (length / max(len(hypothesis), 1), length / max(len(reference), 1))
        for length, reference in zip(common, references, strict=True)
    ]


def _coco(hypothesis: Tokens, references: list[Tokens]) -> float:
    shares = _shares(hypothesis, references)
    precision, recall = max(share[0] for share in shares), max(share[1] for share in shares)
    if precision == 0 or recall == 0:
        return 0.0
    return (1 + BETA**2) * precision * recall / (recall + BETA**2 * precision)


def _best_f1(hypothesis: Tokens, references: list[Tokens]) -> float:
    return max(2 * p * r / (p + r) if p + r else 0.0 for p, r in _shares(hypothesis, references))
