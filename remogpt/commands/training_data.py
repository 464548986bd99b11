"""From sets and neighbour files to the plain arrays that training reads."""

import numpy as np

from remogpt.data.humanml3d import Clip, MotionTextSet
from remogpt.lm.datasets import CodedClip, ExampleBank, Route
from remogpt.retriever import MotionDatabase
from remogpt.retriever.neighbours import Neighbours
from remogpt.runtime.errors import RemogptError
from remogpt.tokenizer_vqvae import MotionTokenizer

OFFSETS = (0, 1, 2, 3)
"""Frames at which the tokenizer starts: one code spans four frames, so a motion has four codings."""


def features_of(motions: MotionTextSet, split: str) -> list[np.ndarray]:
    """Return the raw features of a split's clips, each (T, 263)."""
    return [motions.features(clip) for clip in motions.clips(split)]


def coded_clips(motions: MotionTextSet, clips: list[Clip], tokenizer: MotionTokenizer) -> list[CodedClip]:
    """Return captions and codes of clips; each motion is coded from every offset that leaves it a code."""
    features = [motions.features(clip) for clip in clips]
    jobs = [(place, offset) for place in range(len(clips)) for offset in OFFSETS if len(features[place]) - offset >= 8]
    codes = tokenizer.encode_batch([features[place][offset:] for place, offset in jobs])
    by_clip: list[list[np.ndarray]] = [[] for _ in clips]
    for (place, _), row in zip(jobs, codes, strict=True):
        by_clip[place].append(row)
    return [CodedClip(clip.captions, tuple(rows)) for clip, rows in zip(clips, by_clip, strict=True)]


def example_bank(neighbours: Neighbours, database: MotionDatabase, clips: list[Clip]) -> ExampleBank:
    """Return the database's captions and codes with the neighbours of the given clips among them.

    Raises:
        RemogptError: if a clip has no stored neighbours, or they belong to another database.
    """
    neighbours.check(database)
    absent = [clip.id for clip in clips if clip.id not in neighbours.places]
    if absent:
        raise RemogptError(
            f"{len(absent)} of {len(clips)} clips ({absent[0]}, ...) have no stored neighbours; build a database of "
            "this split and find them with 'remogpt db neighbours'"
        )
    places = np.array([neighbours.places[clip.id] for clip in clips])
    offsets = neighbours.tensors["caption_offsets"]
    queries = np.concatenate([np.arange(offsets[place], offsets[place + 1]) for place in places])
    chosen = {"t2m": queries, "t2t": queries, "m2t": places, "m2m": places}
    routes = {
        name: Route(neighbours.tensors[f"{name}/rows"][rows], neighbours.tensors[f"{name}/captions"][rows])
        for name, rows in chosen.items()
    }
    captions = [info.captions for info in database.infos()]
    return ExampleBank(captions, [database.codes(row) for row in range(len(database))], routes)
