"""CIDEr as the coco-caption scorer computes it (its `Cider` is the -D formula), for a whole corpus in array operations.

TF-IDF vectors over n-grams of orders 1-4; document frequencies come from the references of the evaluated set, so the
value of an item depends on the others. Hypothesis weights are clipped by the reference's, a Gaussian penalty compares
lengths.

Source: Vedantam et al., "CIDEr", CVPR 2015; constants of coco-caption (sigma 6, factor 10).
"""

import numpy as np

from remogpt.eval.text.ngrams import Array, GramCounts, Tokens, count_ngrams, lookup

SIGMA, SCALE = 6.0, 10.0


def cider_scores(hypotheses: list[Tokens], references: list[list[Tokens]], max_order: int = 4) -> Array:
    """Return (items,) CIDEr of each item; their mean is the corpus score (between 0 and 10).

    Args:
        hypotheses: one token list per item. references: one or more token lists per item.
    """
    num_items = len(hypotheses)
    per_item = np.array([len(item) for item in references])
    owner = np.repeat(np.arange(num_items), per_item)
    flat = [tokens for item in references for tokens in item]
    item_of = np.r_[np.arange(num_items), owner]
    counts = count_ngrams([*hypotheses, *flat], max_order)
    # The scorer's sentence length is its number of bigrams.
    lengths = counts[1].totals(len(item_of)).astype(np.float64)
    penalty = np.exp(-((lengths[owner] - lengths[num_items:]) ** 2) / (2.0 * SIGMA**2))
    similarity = np.zeros(len(flat))
    for grams in counts:
        similarity += _clipped_cosine(grams, num_items, item_of) * penalty
    total = np.bincount(owner, weights=similarity, minlength=num_items)
    return SCALE * total / max_order / per_item


def _clipped_cosine(grams: GramCounts, num_items: int, item_of: Array) -> Array:
    """Return (references,) clipped cosine between each reference and its item's hypothesis, for one n-gram order."""
    width = max(grams.num_grams, 1)
    split = np.searchsorted(grams.sentence, num_items)
    keys = item_of[grams.sentence] * width + grams.gram
    documents = np.unique(keys[split:])
    frequency = np.bincount(documents % width, minlength=width)
    idf = np.log(num_items) - np.log(np.maximum(frequency, 1.0))
    weight = grams.count * idf[grams.gram] if len(keys) else np.zeros(0)
    norm = np.sqrt(np.bincount(grams.sentence, weights=weight**2, minlength=len(item_of)))
    own = lookup(keys[:split], weight[:split], keys[split:])
    dots = np.minimum(own, weight[split:]) * weight[split:]
    cross = np.bincount(grams.sentence[split:] - num_items, weights=dots, minlength=len(item_of) - num_items)
    scale = norm[num_items:] * norm[item_of[num_items:]]
    return np.divide(cross, scale, out=np.zeros(len(cross)), where=scale > 0)
