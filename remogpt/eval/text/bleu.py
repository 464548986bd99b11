"""Corpus BLEU as COCO counts it, and as the tensorflow/nmt script counts it.

Both clip n-gram counts by the largest count in any reference. They differ in the reference length of the brevity
penalty (closest against shortest) and in that the nmt script gives 0 where an order has no match.

nltk's `corpus_bleu` is not used: it counts one n-gram for a sentence shorter than n, which moves BLEU-4 in the fourth
decimal; the tests compare with it on sentences where that does not matter.

Source: Papineni et al. 2002; conventions of coco-caption's bleu scorer and of tensorflow/nmt.
"""

import numpy as np

from remogpt.eval.text.ngrams import Array, GramCounts, Tokens, count_ngrams, lookup

TINY, SMALL = 1e-15, 1e-9
"""Constants that the COCO scorer adds to matches and to totals; they matter only for corpora without any match."""


def corpus_bleu(
    hypotheses: list[Tokens], references: list[list[Tokens]], max_order: int = 4, length: str = "closest"
) -> Array:
    """Return (max_order,) cumulative BLEU of a tokenised corpus.

    Args:
        hypotheses: one token list per item. references: one or more token lists per item.
        length: `closest` (COCO) or `shortest` (nmt).
    """
    owner = np.repeat(np.arange(len(references)), [len(item) for item in references])
    flat = [tokens for item in references for tokens in item]
    counts = count_ngrams([*hypotheses, *flat], max_order)
    matches = np.array([_clipped(grams, len(hypotheses), owner) for grams in counts])
    totals = np.array([grams.totals(len(hypotheses) + len(flat))[: len(hypotheses)].sum() for grams in counts])
    own = sum(len(tokens) for tokens in hypotheses)
    wanted = sum(
        _reference_length(len(tokens), [len(reference) for reference in item], length)
        for tokens, item in zip(hypotheses, references, strict=True)
    )
    orders = np.arange(1, max_order + 1)
    if length == "shortest":
        with np.errstate(divide="ignore", invalid="ignore"):
            precision = np.where(totals > 0, matches / np.maximum(totals, 1), 0.0)
            bleu = np.exp(np.cumsum(np.log(precision)) / orders)
        penalty = np.exp(min(0.0, 1.0 - wanted / own)) if own else 0.0
        return np.nan_to_num(bleu) * penalty
    bleu = np.cumprod((matches + TINY) / (totals + SMALL)) ** (1.0 / orders)
    ratio = (own + TINY) / (wanted + SMALL)
    return bleu * (np.exp(1.0 - 1.0 / ratio) if ratio < 1 else 1.0)


def _clipped(grams: GramCounts, num_hypotheses: int, owner: Array) -> int:
    """Return the sum of hypothesis counts, each clipped by the largest count in a reference of the same item."""
    width = max(grams.num_grams, 1)
    split = np.searchsorted(grams.sentence, num_hypotheses)
    item = owner[grams.sentence[split:] - num_hypotheses]
    keys = item * width + grams.gram[split:]
    order = np.lexsort((grams.count[split:], keys))
    keys, best = keys[order], grams.count[split:][order]
    last = np.r_[keys[1:] != keys[:-1], True] if len(keys) else np.zeros(0, dtype=bool)
    allowed = lookup(keys[last], best[last], grams.sentence[:split] * width + grams.gram[:split])
    return int(np.minimum(grams.count[:split], allowed).sum())


def _reference_length(own: int, lengths: list[int], rule: str) -> int:
    if rule == "shortest":
        return min(lengths)
    return min(lengths, key=lambda length: (abs(length - own), length))
