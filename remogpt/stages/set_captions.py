"""Count a set's captions and similar captions, and list the clips with the least similar captions."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from remogpt.data.analysis.counts import count_clips
from remogpt.data.analysis.dissimilar import choose_dissimilar, describe, whole_clips
from remogpt.data.analysis.similar_captions import similar_captions
from remogpt.data.humanml3d import Clip, MotionTextSet
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import check_output_file, write_text
from remogpt.runtime.vector_cache import VectorCache
from remogpt.stages.inputs import SENTENCE_MODEL, open_set

_ANY_LENGTH = (1, 10**9)


def describe_set(data: str | Path | MotionTextSet, *, text_model: str | None = None) -> dict[str, Any]:
    """Count clips, captions, words and lengths of each split.

    Args:
        data: set in HumanML3D's layout.
        text_model: counts similar captions of different clips by this model's sentence vectors; default: no count.

    Returns:
        {"name", "licence", "text_model" if given, "splits": {split: counts}}.
    """
    motions = open_set(data)
    clips = {split: _usable(motions, split) for split in motions.splits() if motions.ids(split)}
    rows = {split: count_clips(own, motions.fps) for split, own in clips.items()}
    about: dict[str, Any] = {"name": motions.name, "licence": motions.licence}
    if text_model is not None:
        about["text_model"] = text_model
        for split, counts in _similar(motions, clips, text_model).items():
            rows[split]["similar"] = counts
    return {**about, "splits": rows}


def _usable(motions: MotionTextSet, split: str) -> list[Clip]:
    """Return the clips of a split; none where none of its motions can be used, which `motions` has noted."""
    try:
        return motions.clips(split, *_ANY_LENGTH)
    except RemogptError:
        if not motions.left_out:
            raise
        return []


def list_dissimilar(
    data: str | Path | MotionTextSet,
    *,
    split: str = "test",
    size: int = 100,
    seed: int = 0,
    out: str | Path | None = None,
    text_model: str = SENTENCE_MODEL,
) -> dict[str, Any]:
    """List the motions whose captions are least alike, the gallery of protocol `nsim`, as a split file.

    Args:
        data: set in HumanML3D's layout.
        split: of the motions.
        size: number of motions; TMR: 100.
        seed: of the random starts.
        out: file to write; default: `nsim_<split>.txt` in the set's folder.
        text_model: its sentence vectors compare captions.

    Returns:
        The arguments, and the similarity of captions in this choice (`chosen`) and in a `random` one.

    Raises:
        RemogptError: if the split has too few motions, or `size` is below 2.
    """
    if seed < 0:
        raise RemogptError(f"--seed must be 0 or more, got {seed}")
    motions = open_set(data)
    path = check_output_file(out or motions.folder / f"nsim_{split}.txt")
    clips = whole_clips(motions.clips(split))
    if not 2 <= size <= len(clips):
        raise RemogptError(
            f"--size must lie between 2 and {len(clips)}, the motions of split {split} that are described as a "
            f"whole and have 40 to 199 frames, got {size}"
        )
    captions = [clip.captions[0] for clip in clips]
    sentences = sorted(set(captions))
    vectors = _sentence_vectors(motions, sentences, text_model)
    row_of = {sentence: row for row, sentence in enumerate(sentences)}
    rows = vectors[[row_of[caption] for caption in captions]]
    chosen = choose_dissimilar(rows, size, seed)
    drawn = describe(rows, np.random.default_rng(seed).choice(len(clips), size, replace=False))
    write_text(path, "".join(f"{clips[index].id}\n" for index in chosen.indices))
    report = {
        name: {"mean_cosine": round(one.mean, 4), "max_cosine": round(one.max, 4), "alike_pairs": one.num_alike}
        for name, one in (("chosen", chosen), ("random", drawn))
    }
    about = {"out": str(path), "split": split, "size": size, "of": len(clips), "seed": seed}
    return {**about, "text_model": text_model, **report}


def _similar(motions: MotionTextSet, clips: dict[str, list[Clip]], model: str) -> dict[str, dict[str, Any]]:
    """Count similar captions of each split."""
    sentences = sorted({caption for own in clips.values() for clip in own for caption in clip.captions})
    vectors = _sentence_vectors(motions, sentences, model)
    return {
        split: similar_captions([clip.captions for clip in own], sentences, vectors, desc=f"compare {split}")
        for split, own in clips.items()
    }


def _sentence_vectors(motions: MotionTextSet, sentences: Sequence[str], model: str) -> np.ndarray:
    """Return (N, D) unit rows of the sentences, cached in the set's folder."""
    from remogpt.retriever.text.sentence_vectors import cached_sentence_vectors  # slow to import

    return cached_sentence_vectors(model, sentences, VectorCache.beside(motions.folder))
