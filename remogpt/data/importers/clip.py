"""Define an imported clip: one motion with its captions and origin."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from remogpt.motion.motion import Motion

MAX_FRAMES = 196
"""Longest window in frames: the longest clip of HumanML3D's protocols."""


@dataclass(frozen=True)
class ImportedClip:
    """A captioned motion from a recording."""

    id: str
    """Unique within the source, and valid as a file name."""
    source_id: str
    """Recording that the clip was cut from; its clips must be in one split."""
    motion: Motion
    """20 fps, our 22 joints."""
    captions: tuple[str, ...]
    provenance: str
    """Origin of recording and captions."""
    licence: str
    tags: Mapping[str, str] = field(default_factory=dict)
    """Labels of the source, such as content and style."""


def cut_windows(num_frames: int, max_frames: int | None = MAX_FRAMES) -> list[tuple[int, int]]:
    """Split a long recording into windows of nearly equal length, none longer than `max_frames` (None: never cut)."""
    if max_frames is None or num_frames <= max_frames:
        return [(0, num_frames)]
    edges = np.linspace(0, num_frames, math.ceil(num_frames / max_frames) + 1).round().astype(int)
    return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))


def cut_motion(motion: Motion, start: int, end: int, name: str) -> Motion:
    """Return frames `start` to `end` of a motion at 20 fps; given features are cut, not recomputed."""
    if motion.given_features is not None:
        return Motion.from_features(motion.given_features[start:end], name=name, caption=motion.caption)
    return Motion.from_joints(motion.joints[start:end], name=name, caption=motion.caption)


def windowed(clip: ImportedClip, max_frames: int | None = MAX_FRAMES) -> Iterator[ImportedClip]:
    """Yield a clip, or its windows with ids `<id>_w0`, `<id>_w1`, ... under the same source id."""
    windows = cut_windows(clip.motion.num_frames, max_frames)
    if len(windows) == 1:
        yield clip
        return
    for number, (start, end) in enumerate(windows):
        name = f"{clip.id}_w{number}"
        motion = cut_motion(clip.motion, start, end, name)
        tags = {**clip.tags, "window": f"{number + 1} of {len(windows)}"}
        yield ImportedClip(name, clip.source_id, motion, clip.captions, clip.provenance, clip.licence, tags)


def choose(phrases: Sequence[str], key: str, count: int = 3) -> tuple[str, ...]:
    """Pick `count` different phrasings by a clip's id, the same ones on every run and machine."""
    distinct = list(dict.fromkeys(phrases))
    order = np.random.default_rng(zlib.crc32(key.encode())).permutation(len(distinct))
    return tuple(distinct[index] for index in order[:count])
