"""Scores of a trained retriever in the study: ranks by several notions of a right answer, and left against right.

Every table has one row a caption and one column a motion; `positives` says which columns answer a row. In the galleries
of sides each clip that names a side stands beside its own mirror image.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from remogpt.eval.retrieval import RECALL_AT, metrics_from_ranks, rank_rows
from remogpt.motion import mirror_caption
from remogpt.retriever.retriever import TextMotionRetriever
from studies.retrieval.sets import StudySet

Scores = dict[str, Any]
Asked = tuple[np.ndarray, np.ndarray]


def evaluate(retriever: TextMotionRetriever, clips: StudySet) -> Scores:
    """Score every test split.

    The first caption of a clip is its query; on CMU each sentence is one. The gallery of `test_unseen` holds `test`
    too, so that combinations that were trained on compete.

    Returns:
        by split: "num_captions", "num_motions", "sides" and "nearest_label" (see the functions), and for each notion of
        a right answer (normal, identical, same_label) {"t2m/R@1", ...}.
    """
    scores: Scores = {}
    for split in clips.splits():
        queries = clips.numbers(split)
        gallery = queries if split == "test" else [*queries, *clips.numbers("test")]
        scores[split] = _rank(retriever, clips, queries, gallery) | {
            "sides": sides(retriever, clips, queries),
            "nearest_label": nearest_label(clips, queries),
        }
    return scores


def _rank(retriever: TextMotionRetriever, clips: StudySet, queries: list[int], gallery: list[int]) -> Scores:
    texts = [(number, text) for number in gallery for text in _asked(clips, number)]
    captions = [text for _, text in texts]
    similarity = _similarity(retriever, clips, captions, gallery)
    owners = np.array([number for number, _ in texts])
    asked = np.isin(owners, queries), np.isin(gallery, queries)
    own = owners[:, None] == np.array(gallery)
    labels = np.array([clips.rows[number].label for number in owners])
    same_label = labels[:, None] == np.array([clips.rows[number].label for number in gallery])
    same_words = np.array([[text in _asked(clips, number) for number in gallery] for text in captions])
    scores: Scores = {"num_captions": int(asked[0].sum()), "num_motions": len(gallery)}
    for name, positives in (("normal", own), ("identical", own | same_words), ("same_label", own | same_label)):
        scores[name] = rank_scores(similarity, positives, asked)
    both = labels[asked[0]], np.array([clips.rows[number].label for number in gallery])[asked[1]]
    scores["same_label"] |= macro_scores(similarity, own | same_label, asked, both)
    return scores


def _similarity(
    retriever: TextMotionRetriever, clips: StudySet, captions: Sequence[str], gallery: Sequence[int]
) -> np.ndarray:
    return retriever.encode_text(captions) @ retriever.encode_motion([clips.features(n) for n in gallery]).T


def _asked(clips: StudySet, number: int) -> Sequence[str]:
    captions = clips.rows[number].captions
    return captions if clips.name == "cmu" else captions[:1]


def _ranks(similarity: np.ndarray, positives: np.ndarray, asked: Asked) -> dict[str, np.ndarray]:
    return {
        "t2m": rank_rows(similarity[asked[0]], positives[asked[0]], "expected"),
        "m2t": rank_rows(similarity.T[asked[1]], positives.T[asked[1]], "expected"),
    }


def rank_scores(similarity: np.ndarray, positives: np.ndarray, asked: Asked) -> dict[str, float]:
    """R@k and MedR of the best positive, both ways, and chance.

    Args:
        similarity: (captions, motions).
        positives: (captions, motions) bool.
        asked: (captions,) and (motions,) bool, those that are queries; all are candidates.
    """
    scores = metrics_from_ranks(_ranks(similarity, positives, asked))
    for way, table in (("t2m", positives[asked[0]]), ("m2t", positives.T[asked[1]])):
        right, total = table.sum(axis=1), table.shape[1]
        scores[f"{way}/chance_R@1"] = 100 * float((right / total).mean())
        # All k wrong, drawn without putting back.
        wrong = np.prod([(total - right - i).clip(min=0) / max(1, total - i) for i in range(10)], axis=0)
        scores[f"{way}/chance_R@10"] = 100 * float(1 - wrong.mean())
    return {name: round(value, 3) for name, value in scores.items()}


def macro_scores(similarity: np.ndarray, positives: np.ndarray, asked: Asked, labels: Asked) -> dict[str, float]:
    """R@k averaged within each label first, so that a label of many clips counts as one of few.

    Args:
        labels: of the asked captions and of the asked motions.
    """
    scores = {}
    for (way, ranks), names in zip(_ranks(similarity, positives, asked).items(), labels, strict=True):
        members = [names == name for name in np.unique(names)]
        for k in RECALL_AT:
            scores[f"{way}/macro_R@{k}"] = round(100 * float(np.mean([(ranks[own] < k).mean() for own in members])), 3)
        scores[f"{way}/num_labels"] = len(members)
    return scores


def sides(retriever: TextMotionRetriever, clips: StudySet, numbers: Sequence[int]) -> Scores | None:
    """Tell clips that name a side from their mirror images; None where no clip of `numbers` names one.

    Returns:
        `t2m/right`, `m2t/right`: percent of the clips that are closer to their own caption than their mirror image is,
        and the same for captions (chance 50); `t2m/R@1` ... : the own one among all clips and all mirror images.
    """
    rows = clips.rows
    named = [number for number in numbers if mirror_caption(rows[number].captions[0]) != rows[number].captions[0]]
    if not named:
        return None
    gallery = [*named, *(rows[number].mirror for number in named)]
    captions = [rows[number].captions[0] for number in gallery]
    similarity = _similarity(retriever, clips, captions, gallery)
    return {"num_clips": len(named)} | side_scores(similarity, [rows[number].label for number in gallery])


def side_scores(similarity: np.ndarray, labels: Sequence[str]) -> Scores:
    """Score a table (2 N, 2 N) whose items N to 2 N are the mirror images of the first N; see `sides`."""
    half = len(labels) // 2
    places = np.arange(half)
    asked = np.arange(2 * half) < half
    names = np.array(labels)
    return {
        "t2m/right": _share_right(similarity, places),
        "m2t/right": _share_right(similarity.T, places),
        "gallery": rank_scores(similarity, np.eye(2 * half, dtype=bool), (asked, asked)),
        "gallery_same_label": rank_scores(similarity, names[:, None] == names, (asked, asked)),
    }


def _share_right(table: np.ndarray, places: np.ndarray) -> float:
    return round(100 * float((table[places, places] > table[places, places + len(places)]).mean()), 3)


def label_oracle(clips: StudySet, split: str) -> float:
    """Expected R@1, in percent, of one who always knows the label and draws among its clips: what is left to gain.

    Above it, clips of one label must be told apart by their captions, which mostly say no more than the label.
    """
    queries = clips.numbers(split)
    gallery = queries if split == "test" else [*queries, *clips.numbers("test")]
    sizes = Counter(clips.rows[number].label for number in gallery)
    return round(100 * float(np.mean([1 / sizes[clips.rows[number].label] for number in queries])), 3)


def nearest_label(clips: StudySet, queries: Sequence[int]) -> float:
    """Percent of clips whose nearest training clip, by mean z-scored features alone, has their label.

    Nothing is trained and no word is read: where this is high, a test asks for recordings rather than for motions.
    """
    known = clips.numbers("train", None)
    # Of single frames, so that networks that read several as one have the same baseline.
    frames = StudySet(clips.folder)
    rows, asked = (np.array([frames.features(number).mean(axis=0) for number in n]) for n in (known, queries))
    mean, std = rows.mean(axis=0), rows.std(axis=0) + 1e-3
    rows, asked = (rows - mean) / std, (asked - mean) / std
    squares = (asked**2).sum(axis=1)[:, None] + (rows**2).sum(axis=1) - 2 * asked @ rows.T
    labels = [clips.rows[known[place]].label for place in squares.argmin(axis=1)]
    return round(
        100 * float(np.mean([clips.rows[n].label == label for n, label in zip(queries, labels, strict=True)])), 3
    )
