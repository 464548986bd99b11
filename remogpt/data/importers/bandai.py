"""Import the Bandai-Namco Research Motion Dataset, 1 and 2: acted everyday motions in many styles.

A file's name holds its labels, `dataset-2_walk-turn-left_elderly_001.bvh`; captions are sentences made from these
labels, as their provenance says. The meaning of a label (bye: one hand, byebye: both) was measured on the recordings:
which hand rises, which way and how far the person goes.

Consecutive files are often cut from one take: the last pose of one is the first of the next (1,751 of the 2,775 files
lie in 46 such takes). Such files have their take's first file as source, so that no take is in both
training and test, and none serves as its own example.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from remogpt.data.importers.clip import MAX_FRAMES, ImportedClip, choose, windowed
from remogpt.data.importers.folder import find_files
from remogpt.data.importers.packed import read_packed
from remogpt.motion.files.read import motion_from_source, read_source
from remogpt.motion.motion import Motion
from remogpt.runtime.errors import RemogptError

LICENCE = "CC BY-NC 4.0"
PROVENANCE = "Bandai-Namco Research Motion Dataset; captions derived from its content and style labels"
TOUCH = 0.3
"""Largest joint movement in metres between the last pose of a file and the first of the next within one take. Generous:
resampling may lose a pose, files between them may be missing, and actors that return to their start are better kept
together."""

_CONTENTS: dict[str, tuple[str, ...]] = {
    "bow": ("bows", "bends forward in a bow", "bows and straightens up again"),
    "bye": ("waves goodbye with the right hand", "raises the right hand and waves goodbye", "waves with one hand"),
    "byebye": ("waves goodbye with both hands", "raises both hands and waves goodbye", "waves both arms in farewell"),
    "call": ("calls someone over", "calls out to somebody", "gestures to call someone"),
    "dance-long": ("dances", "performs a long dance", "moves in a dance"),
    "dance-short": ("dances", "performs a dance", "moves in a dance"),
    "dash": ("dashes forward", "sprints ahead", "runs forward very fast"),
    "guide": ("shows the way with the right hand", "gestures to guide someone", "points the way with an open hand"),
    "kick": ("kicks", "kicks several times", "performs kicks"),
    "punch": ("punches", "throws punches", "punches several times"),
    "respond": (
        "raises the left hand in response",
        "responds to a call by raising the left hand",
        "raises the left hand",
    ),
    "run": ("runs forward", "runs", "is running"),
    "slash": ("slashes as if with a sword", "makes slashing movements with the arms", "swings an imaginary sword"),
    "walk": ("walks forward", "walks", "is walking"),
    "walk-back": ("walks backwards", "walks backward", "takes steps backwards"),
    "walk-left": ("walks forward and to the left", "walks diagonally to the left", "walks forward, veering left"),
    "walk-right": ("walks forward and to the right", "walks diagonally to the right", "walks forward, veering right"),
    "walk-turn-left": (
        "walks and turns left",
        "walks forward, then turns to the left",
        "makes a left turn while walking",
    ),
    "walk-turn-right": (
        "walks and turns right",
        "walks forward, then turns to the right",
        "makes a right turn while walking",
    ),
    "raise-up-left-hand": ("raises the left hand", "lifts the left hand up high", "puts the left hand up"),
    "raise-up-right-hand": ("raises the right hand", "lifts the right hand up high", "puts the right hand up"),
    "raise-up-both-hands": ("raises both hands", "lifts both hands up high", "puts both hands up"),
    "wave-left-hand": ("waves with the left hand", "waves the left hand", "raises the left hand and waves it"),
    "wave-right-hand": ("waves with the right hand", "waves the right hand", "raises the right hand and waves it"),
    "wave-both-hands": ("waves with both hands", "waves both hands", "raises both hands and waves them"),
}

_STYLES: dict[str, tuple[str, ...]] = {
    "normal": ("a person {}", "someone {}", "the person {}"),
    "active": ("a person {} energetically", "an active person {}", "a person {} in a lively way"),
    "angry": ("a person {} angrily", "an angry person {}", "someone angry {}"),
    "childish": ("a person {} like a child", "a person {} in a childish way", "someone {} childishly"),
    "chimpira": ("a person {} like a thug", "a swaggering person {}", "a person {} with a thug's swagger"),
    "elderly": ("an elderly person {}", "a person {} like an elderly person", "an old person {}"),
    "exhausted": ("an exhausted person {}", "a person {} with exhaustion", "a very tired person {}"),
    "feminine": ("a person {} in a feminine way", "a woman {}", "a person {} with feminine movements"),
    "giant": ("a person {} like a giant", "a giant {}", "a person {} with heavy movements like a giant"),
    "happy": ("a person {} happily", "a happy person {}", "a cheerful person {}"),
    "masculine": ("a person {} in a masculine way", "a man {}", "a person {} with masculine movements"),
    "musical": ("a person {} as if to music", "a person {} rhythmically", "a person {} like in a musical"),
    "not-confident": ("a person {} without confidence", "an insecure person {}", "a person {} timidly"),
    "old": ("an old person {}", "an elderly person {}", "a person {} like an old person"),
    "proud": ("a person {} proudly", "a proud person {}", "a person {} with pride"),
    "sad": ("a person {} sadly", "a sad person {}", "a dejected person {}"),
    "tired": ("a tired person {}", "a person {} tiredly", "a weary person {}"),
    "youthful": ("a youthful person {}", "a young person {}", "a person {} youthfully"),
}
_STYLES["masculinity"] = _STYLES["masculine"]

_NAME = re.compile(r"(dataset-\d+)_([a-z-]+)_([a-z-]+)_(\d+)")


def import_bandai(path: str | Path, max_frames: int | None = MAX_FRAMES) -> Iterator[ImportedClip]:
    """Yield the captioned clips of the dataset.

    Args:
        path: the downloaded folder (searched for .bvh), one .bvh file, or a packed .npz.
        max_frames: longest clip at 20 fps; longer recordings are cut into windows under one source id. None: never.

    Raises:
        RemogptError: if there are no files of this dataset, or a file cannot be read.
    """
    take = ""
    before: Motion | None = None
    for name, motion in _motions(Path(path)):
        labels = _NAME.fullmatch(name)
        if labels is None:
            raise RemogptError(
                f"{path}: {name!r} is not named like a file of this dataset, dataset-<n>_<content>_<style>_<number>. "
                f"Keep the names as downloaded, or move other files elsewhere"
            )
        dataset, content, style, _ = labels.groups()
        captions = captions_from_labels(content, style, name)
        tags = {"dataset": dataset, "content": content, "style": style}
        take, before = take if before is not None and _is_next(before, motion) else name, motion
        yield from windowed(ImportedClip(name, take, motion, captions, PROVENANCE, LICENCE, tags), max_frames)


def _is_next(before: Motion, motion: Motion) -> bool:
    """Return whether a file starts where the previous one, of the same content and style, ended."""
    if before.name.rpartition("_")[0] != motion.name.rpartition("_")[0]:
        return False
    return bool(np.linalg.norm(motion.joints[0] - before.joints[-1], axis=-1).max() < TOUCH)


def _motions(path: Path) -> Iterator[tuple[str, Motion]]:
    if path.suffix == ".npz":
        for clip in read_packed(path):
            yield clip.id, motion_from_source(clip.source, clip.id, "bandai")
        return
    for file in find_files(path, (".bvh",), "Bandai-Namco Research Motion Dataset"):
        yield file.stem, motion_from_source(read_source(file), file.stem, "bandai")


def captions_from_labels(content: str, style: str, key: str) -> tuple[str, ...]:
    """Write three sentences for a content and a style; `key` selects the phrasings.

    Unknown labels are used as plain words, so that later releases of the dataset can be imported.
    """
    actions = _CONTENTS.get(content, (f"performs the action {content.replace('-', ' ')}",))
    manners = _STYLES.get(style, (f"a person {{}} in the style {style.replace('-', ' ')}",))
    return choose([manner.format(action) for manner in manners for action in actions], key)
