"""Find motions that a database shares with the clips of an evaluation, whatever their ids say.

    for found in find_overlaps(database, queries):
        print(found.kind, found.query, found.entry, found.distance)

Ids, sources, mirror links and captions are compared for all pairs. Motions are compared pose by pose with the entries
whose poses have the most similar means and deviations: as they are, mirrored, shifted by up to a second, and played up
to 10 % faster or slower. A short cut from a much longer motion is found by its source alone.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, Protocol, get_args

import numpy as np
from numpy.lib.stride_tricks import as_strided

from remogpt.data.family import family_link, family_names
from remogpt.motion.feature_body import body_of
from remogpt.motion.features import ROOT_HEIGHT, ROOT_VELOCITY, features_to_joints, joints_to_features
from remogpt.motion.skeleton import FPS
from remogpt.retriever.database.entry import EntryInfo
from remogpt.retriever.database.leave_one_out import plain_words
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.progress import progress

Kind = Literal["same id", "same source", "mirror", "same caption", "same motion", "mirrored motion"]
KINDS: tuple[Kind, ...] = get_args(Kind)
MAX_DISTANCE = 0.0075
"""Metres between joints, on average: all planted copies are nearer, and 1 of 400 takes of other labels by one actor;
more than 1 cm takes one actor's styles for the same (studies/results/overlap.md)."""
CANDIDATES = 8
MOST_KEPT = 4000
"""Entries whose poses are kept, some 30 KB each: many queries have the same ones for candidates."""
MAX_SHIFT = 1.0
"""Seconds."""
SPEEDS = tuple(1 + step / 50 for step in range(-5, 7))
"""From .9 to 1.12: played 10 % slower, a motion has to be played 1.11 times as fast to be as it was."""
FINE_SPEED = 0.01
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
    """Compare families and captions; two sets may use the same ids for other clips."""
    families: dict[str, list[EntryInfo]] = {}
    captioned: dict[str, list[EntryInfo]] = {}
    for info in theirs:
        for name in family_names(info):
            families.setdefault(name, []).append(info)
        for words in _words_of(info):
            captioned.setdefault(words, []).append(info)
    for info in ours:
        relatives = {entry.id: entry for name in family_names(info) for entry in families.get(name, ())}
        for entry in relatives.values():
            if _of_one_set(info, entry):
                yield Overlap(family_link(info, entry), info.id, entry.id)
        for words in _words_of(info):
            for entry in captioned.get(words, ()):
                yield Overlap("same caption", info.id, entry.id)


def _of_one_set(one: EntryInfo, other: EntryInfo) -> bool:
    return not one.provenance or not other.provenance or one.provenance == other.provenance


def _words_of(info: EntryInfo) -> set[str]:
    return {plain_words(caption) for caption in info.captions}


def _by_motion(
    database: Motions, theirs: Sequence[EntryInfo], queries: Motions, ours: Sequence[EntryInfo],
    kinds: Collection[Kind], max_distance: float,
) -> Iterator[Overlap]:  # fmt: skip
    """Compare each query's poses, and their mirror image, with those of the most similar entries."""
    if not theirs or not ours:
        return
    fps = _common_rate(database.features(0), queries.features(0))
    poses_of = lru_cache(MOST_KEPT)(lambda row: _poses(database.features(row)))
    signatures = np.stack([_signature(poses_of(row)) for row in range(len(theirs))])
    scale = signatures.std(axis=0) + 1e-6
    for row, info in enumerate(progress(ours, desc="overlap", unit="clip")):
        features = np.asarray(queries.features(row))
        for kind, own in _sides(features, kinds):
            away = np.linalg.norm((signatures - _signature(own)) / scale, axis=1)
            if queries is database:
                away[row] = np.inf
            for entry in np.argsort(away, kind="stable")[:CANDIDATES].tolist():
                distance, shift, speed = nearest_alignment(own, poses_of(entry), fps)
                if distance <= max_distance:
                    yield Overlap(kind, info.id, theirs[entry].id, distance, shift, speed)


def _sides(features: np.ndarray, kinds: Collection[Kind]) -> Iterator[tuple[Kind, np.ndarray]]:
    """Yield the poses of a motion, and those of its mirror image, put on the same skeleton as every motion."""
    if "same motion" in kinds:
        yield "same motion", _poses(features)
    if "mirrored motion" in kinds:
        body = body_of(features.shape[1])
        joints = features_to_joints(features, body=body)[:, list(body.mirror_order)]
        yield "mirrored motion", _poses(joints_to_features(joints * [-1.0, 1.0, 1.0], body=body))


def _common_rate(theirs: np.ndarray, ours: np.ndarray) -> float:
    """Return the frame rate of motions of one body; refuse those of two."""
    body, other = body_of(theirs.shape[1]), body_of(ours.shape[1])
    if body is not other:
        raise RemogptError(
            f"the database's motions have {body.name}'s {body.num_joints} joints, the queries' {other.name}'s "
            f"{other.num_joints}, which cannot be compared; give a set of the same features"
        )
    return body.fps


def nearest_alignment(query: np.ndarray, entry: np.ndarray, fps: float = FPS) -> tuple[float, float, float]:
    """Return the least distance (m) of two motions' poses, with the entry's shift (s) and speed that give it.

    All shifts and speeds are tried by mean squares, which are one matrix product a speed; around the least one the
    mean distance of the joints is taken.

    Args:
        query, entry: (T, J + 1, 3) metres, from `_poses`.
        fps: their rate.
    """
    most = round(MAX_SHIFT * fps)
    squares = [
        (mean, shift, speed)
        for speed in SPEEDS
        for mean, shift in zip(*_means_at_shifts(_played(query, speed), entry, most), strict=True)
    ]
    if not squares:
        return np.inf, 0.0, 1.0
    _, near, about = min(squares)
    distances = [
        (float(common.mean()), shift / fps, speed)
        for speed in (about - FINE_SPEED, about, about + FINE_SPEED)
        for shift, common in _at_shifts(_played(query, speed), entry, range(near - 1, near + 2))
    ]
    return min(distances, default=(np.inf, 0.0, 1.0))


def _means_at_shifts(query: np.ndarray, entry: np.ndarray, most: int) -> tuple[list[float], list[int]]:
    """Return the mean square by which the common frames of two motions differ, at each shift with enough of them."""
    one, other = (poses.reshape(len(poses), -1) for poses in (query, entry))
    rows, columns = len(one), len(other)
    padded = np.zeros((rows, max(columns, rows) + 2 * most), dtype=np.float32)
    padded[:, most : most + columns] = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1) - 2 * one @ other.T
    step = padded.strides[1]
    sums = as_strided(padded, (2 * most + 1, rows), (step, padded.strides[0] + step), writeable=False).sum(axis=1)
    shifts = np.arange(-most, most + 1)
    frames = np.minimum(rows - np.maximum(-shifts, 0), columns - np.maximum(shifts, 0))
    enough = frames >= LEAST_COMMON * min(rows, columns)
    return (sums[enough] / frames[enough]).tolist(), shifts[enough].tolist()


def _at_shifts(query: np.ndarray, entry: np.ndarray, shifts: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the mean distance of the joints in each common frame of two motions, at each shift."""
    for shift in shifts:
        one, other = query[max(-shift, 0) :], entry[max(shift, 0) :]
        frames = min(len(one), len(other))
        if frames and frames >= LEAST_COMMON * min(len(query), len(entry)):
            yield shift, np.linalg.norm(one[:frames] - other[:frames], axis=-1).mean(axis=-1)


def _poses(features: np.ndarray) -> np.ndarray:
    """Return (T, J + 1, 3) metres: the root's height, its way in a second, and joints 1..J - 1 relative to it.

    The way keeps a walk and a walk on the spot apart. Heights are above the median of the lowest joints: a motion that
    was cut or resampled is put on the floor anew, by its one lowest joint, and stands up to 2 cm higher or lower. Each
    pose faces +z exactly: the features' facing is smoothed over two seconds, and is another one beside a cut.
    """
    frames, body = len(features), body_of(features.shape[1])
    joints = np.array(features[:, body.positions], dtype=np.float32).reshape(frames, body.num_joints - 1, 3)
    height = np.asarray(features[:, ROOT_HEIGHT][:, 0], dtype=np.float32)
    floor = np.median(np.minimum(joints[..., 1].min(axis=1), height))
    joints[..., 1] -= height[:, None]
    right_hip, left_hip, right_shoulder, left_shoulder = (joints[:, joint - 1] for joint in body.face_joints)
    across = (left_hip - right_hip + left_shoulder - right_shoulder)[:, [0, 2]]
    across /= np.linalg.norm(across, axis=1, keepdims=True) + 1e-9
    root = np.zeros((frames, 2, 3), dtype=np.float32)
    root[:, 0, 1] = height - floor
    # The way is told in the facing of the frame that it leads to.
    root[:, 1, [0, 2]] = _turned(
        features[:, ROOT_VELOCITY] * body.fps, across[np.minimum(np.arange(frames) + 1, frames - 1)]
    )
    joints[..., [0, 2]] = _turned(joints[..., [0, 2]], across[:, None])
    return np.concatenate([root, joints], axis=1) * np.float32(body.unit)


def _turned(points: np.ndarray, across: np.ndarray) -> np.ndarray:
    """Turn points (..., 2) on the ground so that the unit vectors `across` (..., 2) point along x."""
    x, z = points[..., 0], points[..., 1]
    return np.stack([x * across[..., 0] + z * across[..., 1], z * across[..., 0] - x * across[..., 1]], axis=-1)


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
