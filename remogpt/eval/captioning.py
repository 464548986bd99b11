"""Motion captioning metrics: BLEU-1..4, ROUGE-L, CIDEr and BERTScore, in four protocols of the field.

Input: one hypothesis per item and one or more references per item, as text or as token lists. Scores are fractions
(papers print them times 100); CIDEr is the COCO scorer's value, between 0 and 10. The packages disagree on the same
text, so a number without its protocol says little:

| protocol | tokens | BLEU length | ROUGE-L | empty hypotheses |
|---|---|---|---|---|
| `raw` | white space (nlg-eval, TM2T) | closest | COCO | score 0 |
| `ptb` | Treebank, lower case, no punctuation (pycocoevalcap) | closest | COCO | score 0 |
| `metricverse` | see `text.tokenize` (nlg-metricverse, MotionGPT) | shortest | rouge_score | left out of the set |
| `lemma` | lemmas, given or by spaCy (HumanML3D references) | closest | COCO | score 0 |

Source: TM2T (ECCV 2022) and MotionGPT (NeurIPS 2023) evaluation code; differs: the random bootstrap of `metricverse`'s
ROUGE is replaced by the mean that it estimates; ROUGE splits at any white space like the other metrics, where nlg-eval
splits at single spaces (1.7e-4 on 4,400 cases with a few double spaces).
"""

from collections.abc import Sequence

import numpy as np

from remogpt.eval.interval import half_width
from remogpt.eval.text.bleu import corpus_bleu
from remogpt.eval.text.cider import cider_scores
from remogpt.eval.text.ngrams import Tokens
from remogpt.eval.text.rouge import rouge_l_scores
from remogpt.eval.text.tokenize import (
    Caption,
    alphanumeric_tokens,
    lemma_tokens,
    nmt_tokens,
    ptb_tokens,
    raw_tokens,
)
from remogpt.runtime.errors import RemogptError

PROTOCOLS = ("raw", "ptb", "metricverse", "lemma")
Score = dict[str, float]


def validate(hypotheses: Sequence[Caption], references: Sequence[Sequence[Caption]]) -> None:
    """Check that every hypothesis has at least one reference.

    Raises:
        RemogptError: naming the first item that cannot be scored.
    """
    if isinstance(hypotheses, str):
        raise RemogptError("hypotheses must be a list of captions, came one string; wrap it in a list.")
    if len(hypotheses) != len(references):
        raise RemogptError(f"came {len(hypotheses)} hypotheses but {len(references)} lists of references.")
    if not len(hypotheses):
        raise RemogptError("no captions to score: the list is empty.")
    for index, item in enumerate(references):
        if isinstance(item, str):
            raise RemogptError(
                f"references of item {index} must be a list of captions, came one string; wrap it in a list."
            )
        if not len(item):
            raise RemogptError(f"item {index} has no reference caption; remove it from both lists.")


def three_references(captions: Sequence[str]) -> list[str]:
    """Bring a clip's captions to exactly three, as TM2T does: the first three; a, b to a, b, a; a to a, a, a."""
    if not captions:
        raise RemogptError("a clip without captions cannot be a reference.")
    return [captions[index % len(captions)] for index in range(3)]


def caption_metrics(
    hypotheses: Sequence[Caption],
    references: Sequence[Sequence[Caption]],
    protocol: str = "raw",
    *,
    bert_model: str | None = None,
) -> Score:
    """Score captions in one protocol.

    Args:
        hypotheses: (items,) text or token lists (`walk/VERB` or `walk`). references: one or more per item.
        protocol: raw, ptb, metricverse or lemma.
        bert_model: name or folder of a transformers model; adds `bertF1` (idf-weighted F1, not rescaled).

    Returns:
        `bleu1` ... `bleu4`, `rougeL`, `cider` (0 of a single item: its words have no weight against other items') and
        their `_ci95`, mean hypothesis length in words
        `length`, `num_items`, `num_empty`.

    Raises:
        RemogptError: if the lists do not fit, the protocol is unknown, or a protocol lacks what it needs.
    """
    validate(hypotheses, references)
    if protocol not in PROTOCOLS:
        raise RemogptError(f"unknown caption protocol {protocol!r}; choose one of {', '.join(PROTOCOLS)}.")
    empty = [not raw_tokens(caption) for caption in hypotheses]
    if protocol == "metricverse":
        kept = [index for index, is_empty in enumerate(empty) if not is_empty]
        if not kept:
            raise RemogptError("every hypothesis is empty, and protocol metricverse leaves empty ones out.")
        hypotheses, references = [hypotheses[index] for index in kept], [references[index] for index in kept]
        scores = _metricverse(hypotheses, references)
    else:
        scores = _coco(*_tokenise(hypotheses, references, protocol))
    scores["length"] = float(np.mean([len(raw_tokens(caption)) for caption in hypotheses]))
    scores |= {"num_items": float(len(hypotheses)), "num_empty": float(sum(empty))}
    if bert_model is not None:
        from remogpt.eval.text.bertscore import bert_score_f1

        scores["bertF1"] = bert_score_f1(hypotheses, references, bert_model)
    return scores


def item_scores(hypotheses: Sequence[Caption], references: Sequence[Sequence[Caption]]) -> dict[str, np.ndarray]:
    """Return `rougeL` and `cider` of each caption, (items,) each, in the protocol `raw`."""
    validate(hypotheses, references)
    tokens = _tokenise(hypotheses, references, "raw")
    return {"rougeL": rouge_l_scores(*tokens), "cider": cider_scores(*tokens)}


def _tokenise(
    hypotheses: Sequence[Caption], references: Sequence[Sequence[Caption]], protocol: str
) -> tuple[list[Tokens], list[list[Tokens]]]:
    if protocol == "lemma":
        flat = lemma_tokens([*hypotheses, *(caption for item in references for caption in item)])
    else:
        split = ptb_tokens if protocol == "ptb" else raw_tokens
        flat = [split(caption) for caption in [*hypotheses, *(caption for item in references for caption in item)]]
    rest = iter(flat[len(hypotheses) :])
    return flat[: len(hypotheses)], [[next(rest) for _ in item] for item in references]


def _coco(hypotheses: list[Tokens], references: list[list[Tokens]]) -> Score:
    bleu = corpus_bleu(hypotheses, references)
    scores = {f"bleu{order}": float(value) for order, value in enumerate(bleu, 1)}
    return scores | _means(rouge_l_scores(hypotheses, references), cider_scores(hypotheses, references))


def _means(rouge: np.ndarray, cider: np.ndarray) -> Score:
    """Return means over items with the half width of their 95 % interval; BLEU is a corpus score and has none."""
    scores = {}
    for name, values in (("rougeL", rouge), ("cider", cider)):
        scores[name] = float(values.mean())
        scores[f"{name}_ci95"] = half_width(values)
    return scores


def _metricverse(hypotheses: Sequence[Caption], references: Sequence[Sequence[Caption]]) -> Score:
    bleu = corpus_bleu(
        [nmt_tokens(caption) for caption in hypotheses],
        [[nmt_tokens(caption) for caption in item] for item in references],
        length="shortest",
    )
    scores = {f"bleu{order}": float(value) for order, value in enumerate(bleu, 1)}
    rouge = rouge_l_scores(
        [alphanumeric_tokens(caption) for caption in hypotheses],
        [[alphanumeric_tokens(caption) for caption in item] for item in references],
        convention="rouge_score",
    )
    return scores | _means(rouge, cider_scores(*_tokenise(hypotheses, references, "raw")))
