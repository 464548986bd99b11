"""Find motions that a database shares with the clips of an evaluation, whatever their ids say.

    for found in find_overlaps(database, queries):
        print(found.kind, found.query, found.entry, found.distance)

Ids, sources, mirror links and captions are compared for all pairs. Motions are compared pose by pose with the entries
whose poses have the most similar means and deviations: as they are, mirrored, shifted by up to a second, and played up
to 10 % faster or slower. A short cut from a much longer motion is found by its source alone.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

import numpy as np

from remogpt.motion.feature_body import HUMANML3D, KIT, body_of
from remogpt.motion.features import ROOT_HEIGHT, ROOT_VELOCITY
from remogpt.motion.skeleton import FPS
from remogpt.retriever.database.entry import EntryInfo
from remogpt.retriever.database.leave_one_out import plain_words
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.progress import progress

Kind = Literal["same id", "same source", "mirror", "same caption", "same motion", "mirrored motion"]
KINDS: tuple[Kind, ...] = get_args(Kind)
MAX_DISTANCE = 0.01
"""Metres between joints, on average; twice that is right for generated motion, and takes one actor's takes of different
styles for the same (studies/results/overlap.md)."""
CANDIDATES = 8
MAX_SHIFT = 1.0
"""Seconds."""
SPEEDS = tuple(1 + step / 50 for step in range(-5, 7))
"""From .9 to 1.12: played 10 % slower, a motion has to be played 1.11 times as fast to be as it was."""
LEAST_COMMON = 0.7
"""Share of the shorter motion that the other one has to cover."""


class Motions(Protocol):
    """Captioned motions: a database, or the clips of a set."""

    def infos(self) -> Iterator[EntryInfo]:
        """Yield what is known about each."""

    def features(self, row: int) -> np.ndarray:
        """Return (T, F) raw features of one."""


@dataclass(frozen=True)
class Overlap:
    """A query and an entry that are, or may be, the same."""

    kind: Kind
    query: str
    """Id of the query."""
    entry: str
    """Id of the entry."""
    distance: float = 0.0
    """Metres between their joints on average, at the best shift and speed."""
    shift: float = 0.0
    """Seconds by which the entry runs behind the query."""
    speed: float = 1.0
    """Of the entry, relative to the query."""


def find_overlaps(
    database: Motions, queries: Motions, *, kinds: Collection[Kind] = KINDS, max_distance: float = MAX_DISTANCE
) -> list[Overlap]:
    """Find what a database shares with other clips; a clip is not compared with itself where both are one database.

    Args:
        database: with motions, if motions are compared.
        queries: e.g. the clips of a test split.
        kinds: what is looked for.
        max_distance: two motions whose joints are nearer on average are the same, metres.
    """
    theirs = list(database.infos())
    ours = theirs if queries is database else list(queries.infos())
    found = [one for one in _by_name(theirs, ours) if one.kind in kinds]
    if {"same motion", "mirrored motion"} & set(kinds):
        found += _by_motion(database, theirs, queries, ours, kinds, max_distance)
    return [one for one in found if queries is not database or one.query != one.entry]


def _by_name(theirs: Sequence[EntryInfo], ours: Sequence[EntryInfo]) -> Iterator[Overlap]:
    """Compare ids, sources, mirror links and captions; two sets may use the same ids for other clips."""
    holders: dict[tuple[Kind, str], list[EntryInfo]] = {}
    for info in theirs:
        for key in _names(info):
            holders.setdefault(key, []).append(info)
    for info in ours:
        keys = [(kind, kind, name) for kind, name in _names(info)]
        keys += [("mirror", "same id", info.mirror_of or ""), ("mirror", "mirror", info.id)]
        for said, kind, name in keys:
            for entry in holders.get((kind, name), ()):
                if kind == "same caption" or _of_one_set(info, entry):
                    yield Overlap(said, info.id, entry.id)


def _of_one_set(one: EntryInfo, other: EntryInfo) -> bool:
    return not one.provenance or not other.provenance or one.provenance == other.provenance


def _names(info: EntryInfo) -> Iterator[tuple[Kind, str]]:
    yield "same id", info.id
    if info.source_id:
        yield "same source", info.source_id
    if info.mirror_of:
        yield "mirror", info.mirror_of
    for words in {plain_words(caption) for caption in info.captions}:
        yield "same caption", words


def _by_motion(
    database: Motions, theirs: Sequence[EntryInfo], queries: Motions, ours: Sequence[EntryInfo],
    kinds: Collection[Kind], max_distance: float,
) -> Iterator[Overlap]:  # fmt: skip
    """Compare each query's poses, and their mirror image, with those of the most similar entries."""
    if not theirs or not ours:
        return
    signatures = np.stack([_signature(_poses(database.features(row))) for row in range(len(theirs))])
    fps = _common_rate(database.features(0), queries.features(0))
    scale = signatures.std(axis=0) + 1e-6
    for row, info in enumerate(progress(ours, desc="overlap", unit="clip")):
        poses = _poses(queries.features(row))
        sides: list[tuple[Kind, np.ndarray]] = [("same motion", poses), ("mirrored motion", _mirrored(poses))]
        for kind, own in sides:
            if kind not in kinds:
                continue
            away = np.linalg.norm((signatures - _signature(own)) / scale, axis=1)
            if queries is database:
                away[row] = np.inf
            for entry in np.argsort(away, kind="stable")[:CANDIDATES].tolist():
                other = _poses(database.features(entry))
                # Every second frame costs a quarter, and is wrong by less than the poses' way in a frame.
                distance, _, speed = nearest_alignment(own[::2], other[::2], fps / 2)
                if distance > 2 * max_distance:
                    continue
                distance, shift, speed = nearest_alignment(own, other, fps, (speed - 0.01, speed, speed + 0.01))
                if distance <= max_distance:
                    yield Overlap(kind, info.id, theirs[entry].id, distance, shift, speed)


def _common_rate(theirs: np.ndarray, ours: np.ndarray) -> float:
    """Return the frame rate of motions of one body; refuse those of two."""
    body, other = body_of(theirs.shape[1]), body_of(ours.shape[1])
    if body is not other:
        raise RemogptError(
            f"the database's motions have {body.name}'s {body.num_joints} joints, the queries' {other.name}'s "
            f"{other.num_joints}, which cannot be compared; give a set of the same features"
        )
    return body.fps


def nearest_alignment(
    query: np.ndarray, entry: np.ndarray, fps: float = FPS, speeds: Sequence[float] = SPEEDS
) -> tuple[float, float, float]:
    """Return the least distance (m) of two motions' poses, with the entry's shift (s) and speed that give it.

    Args:
        query, entry: (T, J + 1, 3) metres, from `_poses`.
        fps: their rate.
        speeds: at which the query is played.
    """
    best = (np.inf, 0.0, 1.0)
    for speed in speeds:
        played = _played(query, speed)
        # (T, T') mean distance of every pose of one to every pose of the other
        apart = np.linalg.norm(played[:, None] - entry[None], axis=-1).mean(axis=-1)
        needed = LEAST_COMMON * min(apart.shape)
        most = round(MAX_SHIFT * fps)
        for shift in range(-most, most + 1):
            common = np.diagonal(apart, shift)
            if len(common) >= needed and common.mean() < best[0]:
                best = (float(common.mean()), shift / fps, speed)
    return best


def _poses(features: np.ndarray) -> np.ndarray:
    """Return (T, J + 1, 3) metres: the root's height, its way in a second, and joints 1..J - 1 relative to it.

    The way keeps a walk and a walk on the spot apart.
    """
    frames, body = len(features), body_of(features.shape[1])
    joints = np.asarray(features[:, body.positions], dtype=np.float32).reshape(frames, body.num_joints - 1, 3)
    root = np.zeros((frames, 2, 3), dtype=np.float32)
    root[:, 0, 1] = features[:, ROOT_HEIGHT][:, 0]
    root[:, 1, [0, 2]] = features[:, ROOT_VELOCITY] * body.fps
    return np.concatenate([root, joints], axis=1) * np.float32(body.unit)


def _mirrored(poses: np.ndarray) -> np.ndarray:
    """Return poses with left and right exchanged."""
    body = HUMANML3D if poses.shape[1] == HUMANML3D.num_joints + 1 else KIT
    order = [0, 1, *(1 + joint for joint in body.mirror_order[1:])]
    return poses[:, order] * np.array([-1.0, 1.0, 1.0], dtype=np.float32)


def _signature(poses: np.ndarray) -> np.ndarray:
    return np.concatenate([poses.mean(axis=0).ravel(), poses.std(axis=0).ravel()])


def _played(poses: np.ndarray, speed: float) -> np.ndarray:
    """Play poses at another speed, linearly between frames; the way in a second grows with it."""
    if speed == 1.0:
        return poses
    times = np.arange(0, len(poses) - 1 + 1e-6, speed)
    before = np.minimum(times.astype(int), len(poses) - 2)
    weight = (times - before)[:, None, None].astype(np.float32)
    played = poses[before] * (1 - weight) + poses[before + 1] * weight
    played[:, 1] *= speed
    return played
