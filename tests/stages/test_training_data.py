"""Which examples a copy head learns from: what answers, and what a database without the answer would put first."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from remogpt.lm.copying.train import CopyConfig
from remogpt.retriever.database.leave_one_out import MOTION_ROUTES, TEXT_ROUTES
from remogpt.stages.training_data import copy_pairs

COUNT = 8
"""Kinds of motion, a corner of the space each; of the database's rows 2 k is kind k, 2 k + 1 half-way to the next."""


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class Database:
    """Embeddings and infos of rows with one caption each."""

    path = "database"

    def __init__(self, vectors: np.ndarray) -> None:
        self.motion_embeddings = self.caption_embeddings = vectors
        self.caption_offsets = np.arange(len(vectors) + 1)

    def __len__(self) -> int:
        return len(self.motion_embeddings)

    def infos(self) -> list[Any]:
        return [SimpleNamespace(id=f"{row:06d}", source_id=f"{row:06d}", mirror_of="") for row in range(len(self))]

    def codes(self, row: int) -> np.ndarray:
        return np.array([row])


def made(**settings: Any) -> tuple[Any, Any]:
    corners = np.eye(COUNT, dtype=np.float32)
    between = unit(corners + 0.8 * np.roll(corners, 1, axis=1))
    database = Database(np.stack([corners, between], axis=1).reshape(2 * COUNT, COUNT))
    # Each query lies a little off its corner, by an amount of its own.
    queries = Database(
        unit(corners + np.linspace(0.05, 0.2, COUNT, dtype=np.float32)[:, None] * np.roll(corners, 3, 1))
    )
    hits = np.stack([np.arange(COUNT) * 2, np.full(COUNT, -1)], axis=1)
    neighbours = SimpleNamespace(
        check=lambda _database: None,
        header={"query_ids": [info.id for info in queries.infos()]},
        tensors={f"{route}/rows": hits for route in (*TEXT_ROUTES, *MOTION_ROUTES)},
    )
    config = CopyConfig(depth=2, **settings)
    return copy_pairs(neighbours, database, queries, config)  # type: ignore[arg-type]


def test_the_best_of_what_does_not_answer_is_learned_from() -> None:
    pairs, val = made(misleading_examples=1)
    seen = set()
    for some in (pairs, val):
        for own in (some.text, some.motion):
            for clip, row, cosines, answers in zip(own.clips, own.rows, own.cosines, own.answers, strict=True):
                seen.add(int(clip))
                if answers:
                    assert row == 2 * clip and cosines.min() > 0.9
                elif row != 2 * clip:  # the one farthest first hit of all is taken not to answer either
                    assert row == 2 * clip + 1 and (cosines < 0.9).all()
    assert seen == set(range(COUNT))
    assert not set(pairs.text.clips) & set(val.text.clips)


def test_none_are_made_up_where_none_are_wanted() -> None:
    pairs, _ = made(misleading_examples=0)
    assert set(pairs.text.rows) == {2 * clip for clip in pairs.text.clips}
    assert (pairs.text.rows >= 0).all()


def test_the_farthest_first_hits_do_not_answer() -> None:
    pairs, val = made(misleading_examples=0, worst_hits=0.3)
    wrong = {int(clip) for some in (pairs, val) for clip in some.text.clips[~some.text.answers]}
    assert wrong == {5, 6, 7}  # those farthest off their corners
