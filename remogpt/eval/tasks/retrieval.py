"""Retrieval by the model's retriever: every caption against every motion of a split, in every protocol it allows."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist

from remogpt.data.humanml3d import Clip
from remogpt.eval.cards import sha256_of
from remogpt.eval.evaluators.evaluator import GuoNetworks
from remogpt.eval.evaluators.guo_words import KIND as GUO
from remogpt.eval.generation import POOL
from remogpt.eval.interval import half_width
from remogpt.eval.retrieval import RECALL_AT, cosines, retrieval_metrics, retrieval_ranks
from remogpt.eval.runs.run import Named, Result, Run
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.network_outputs import are_alike, check_finite, collapsed
from remogpt.runtime.progress import progress
from remogpt.runtime.text import read_lines

CURVE_TO = 50
"""Last rank of the recall curve."""
BATCH = 256


def evaluate(run: Run, split: str) -> Iterator[Named]:
    """Yield the one result of a split."""
    retriever = run.needs_model("the retriever's evaluation").retriever
    clips = run.subset(split, run.config.num_retrieval)
    sentences = None if run.sentences is None else f"{run.sentences.name} {run.sentences.hash[:12]}"
    listed = _dissimilar(run, split)
    card = run.card(
        split, clips, captions="first", gallery="all items", threshold=run.config.threshold, sentences=sentences,
        dissimilar=sha256_of(listed) if listed else None,
        retriever=_network(retriever),
    )  # fmt: skip
    yield run.finish(f"retrieval/{split}", card, lambda: score(run, clips, listed))


def _network(retriever: Any) -> str:
    own: str = getattr(retriever, "config", {}).get("network", "pl_tmr")
    return GUO if isinstance(retriever, GuoNetworks) else own


def _dissimilar(run: Run, split: str) -> list[str]:
    """Return the ids of the split's gallery of dissimilar items (`remogpt data dissimilar`), none where it has none."""
    if run.config.dissimilar:
        return read_lines(run.config.dissimilar)
    name = f"nsim_{split}"
    return run.motions.ids(name) if name in run.motions.splits() else []


def score(run: Run, clips: Sequence[Clip], dissimilar: Sequence[str] = ()) -> Result:
    """Rank every clip's first caption against every motion, and the other way round."""
    retriever = run.needs_model("the retriever's evaluation").retriever
    captions = [clip.captions[0] for clip in clips]
    is_guo = isinstance(retriever, GuoNetworks)
    # Guo et al.'s network reads the tokens that stand beside the captions, and was trained for distances.
    text = np.asarray(retriever.encode_text(captions, *([[clip.tokens[0] for clip in clips]] if is_guo else [])))
    motion = np.concatenate([
        np.asarray(retriever.encode_motion([run.motions.features(clip) for clip in clips[start : start + BATCH]]))
        for start in progress(range(0, len(clips), BATCH), desc="motions", unit="batch")
    ])  # fmt: skip
    check_finite(text, lambda row: f"the caption of clip {clips[row].id}", "embedding")
    check_finite(motion, lambda row: f"clip {clips[row].id}", "embedding")
    similarity = -cdist(text, motion) if is_guo else cosines(text, motion)
    ranks = retrieval_ranks(similarity)
    scores: Result = {
        "normal": retrieval_metrics(similarity, "normal"),
        "identical": retrieval_metrics(similarity, "identical", captions=captions),
    }
    scores["normal"] |= {
        f"{way}/R@{k}_ci95": round(100 * half_width(ranks[way] < k), 2) for way in ranks for k in (1, 10)
    }
    if run.sentences is not None:
        vectors = run.embed_sentences(captions)
        scores["threshold"] = retrieval_metrics(
            similarity, "threshold", text_similarity=vectors @ vectors.T, threshold=run.config.threshold
        )
    listed = set(dissimilar)
    rows = [index for index, clip in enumerate(clips) if clip.id in listed]
    if run.config.dissimilar and len(rows) < 2:
        raise RemogptError(
            f"{run.config.dissimilar} lists {len(listed)} ids and {len(rows)} of the {len(clips)} clips; protocol nsim "
            "wants a list of ids of this set, one a line"
        )
    if len(rows) > 1:
        scores["nsim"] = retrieval_metrics(similarity, "nsim", subset=rows)
    if len(clips) >= POOL:
        scores["guo"] = retrieval_metrics(similarity, "guo", seed=run.config.seed)
    last = min(CURVE_TO, len(clips))
    scores["recall_curve"] = {
        way: [round(100 * float((ranks[way] < k).mean()), 2) for k in range(1, last + 1)] for way in ranks
    }
    scores |= run.marked(_marks(text, motion, captions))
    chance = {f"R@{k}": round(min(100.0, 100.0 * k / len(clips)), 2) for k in RECALL_AT}
    return scores | {"chance": chance | {"MedR": (len(clips) + 1) / 2}}


def _marks(text: np.ndarray, motion: np.ndarray, captions: Sequence[str]) -> list[str]:
    found = []
    if len(captions) < POOL:
        found.append(f"protocol guo is left out: it wants {POOL} items, the split has {len(captions)}")
    if len(set(captions)) > 2 and are_alike(text):
        found.append(collapsed("the retriever's embeddings of the captions"))
    if are_alike(motion):
        found.append(collapsed("the retriever's embeddings of the motions"))
    return found
