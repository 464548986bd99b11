"""Import UTD-MHAD: 27 actions by eight people, four times each, as skeletons of the first Kinect (noisy).

Left and right are the person's own: in all 861 clips the right hand does the one-handed actions, the lunge is on the
left foot, and clockwise is as the person sees it (measured).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from remogpt.data.importers.clip import MAX_FRAMES, ImportedClip, choose, windowed
from remogpt.data.importers.folder import find_files
from remogpt.data.importers.packed import read_packed
from remogpt.motion.files.read import motion_from_source, read_source
from remogpt.motion.motion import Motion
from remogpt.runtime.errors import RemogptError

LICENCE = "public for research, cite Chen, Jafari and Kehtarnavaz, ICIP 2015"
PROVENANCE = "UTD-MHAD Kinect skeletons; captions derived from its action labels"

_ACTIONS: tuple[tuple[str, ...], ...] = (
    (
        "swipes to the left with the right arm",
        "swipes the right arm leftward",
        "moves the right hand from right to left",
    ),
    (
        "swipes to the right with the right arm",
        "swipes the right arm rightward",
        "moves the right hand from left to right",
    ),
    ("waves with the right hand", "waves the right hand", "raises the right hand and waves"),
    ("claps both hands in front of the body", "claps in front of the chest", "claps the hands"),
    ("throws something with the right arm", "throws with the right hand", "makes a throw with the right arm"),
    ("crosses both arms in front of the chest", "crosses the arms", "folds the arms across the chest"),
    ("shoots a basketball", "throws a basketball with both hands", "takes a basketball shot"),
    (
        "draws an x in the air with the right hand",
        "draws a cross with the right hand",
        "makes an x shape with the right arm",
    ),
    (
        "draws a circle clockwise with the right hand",
        "moves the right hand in a clockwise circle",
        "draws a clockwise circle in the air",
    ),
    (
        "draws a circle counterclockwise with the right hand",
        "moves the right hand in a counterclockwise circle",
        "draws a counterclockwise circle in the air",
    ),
    ("draws a triangle with the right hand", "draws a triangle in the air", "moves the right hand in a triangle"),
    ("bowls with the right hand", "throws a bowling ball with the right hand", "steps forward and bowls"),
    ("boxes to the front", "punches forward with both fists", "throws punches to the front"),
    ("swings a baseball bat from the right", "makes a baseball swing", "swings a bat from right to left"),
    ("swings a tennis racket forehand", "makes a tennis forehand swing", "plays a forehand with the right arm"),
    ("curls both arms", "bends both elbows to curl the arms", "does arm curls with both arms"),
    ("serves in tennis", "makes a tennis serve", "hits a tennis serve over the head"),
    ("pushes forward with both hands", "pushes something away with two hands", "makes a push with both arms"),
    ("knocks on a door", "knocks on a door with the right hand", "knocks with the right hand"),
    (
        "catches something with the right hand",
        "reaches out to catch with the right hand",
        "makes a catch with one hand",
    ),
    (
        "picks something up and throws it",
        "bends down, picks something up and throws it",
        "picks up an object and throws it",
    ),
    ("jogs in place", "is jogging on the spot", "jogs on the spot"),
    ("walks in place", "is walking on the spot", "walks on the spot"),
    ("stands up from sitting", "gets up from a chair", "rises from a seat"),
    ("sits down from standing", "sits down on a chair", "takes a seat"),
    (
        "lunges forward with the left foot",
        "does a forward lunge with the left foot",
        "steps forward into a lunge on the left leg",
    ),
    ("squats", "does a squat", "bends the knees into a squat"),
)
"""Phrasings of actions a1 to a27."""

_SUBJECTS = ("a person", "someone", "the person")
_NAME = re.compile(r"a(\d+)_s(\d+)_t(\d+)(_skeleton)?")


def import_utd_mhad(path: str | Path, max_frames: int | None = MAX_FRAMES) -> Iterator[ImportedClip]:
    """Yield the captioned clips of the dataset.

    Args:
        path: the folder with its `a*_s*_t*_skeleton.mat` files, one of them, or a packed .npz.
        max_frames: longest clip at 20 fps, as in `import_bandai`.

    Raises:
        RemogptError: if there are no skeleton files, or one of them cannot be read.
    """
    for name, motion in _motions(Path(path)):
        labels = _NAME.fullmatch(name)
        if labels is None or not 1 <= int(labels[1]) <= len(_ACTIONS):
            raise RemogptError(
                f"{path}: {name!r} is not named like a skeleton of UTD-MHAD, "
                f"a<1-{len(_ACTIONS)}>_s<person>_t<trial>_skeleton. Keep the names as downloaded"
            )
        clip_id = name.removesuffix("_skeleton")
        phrases = [f"{subject} {action}" for subject in _SUBJECTS for action in _ACTIONS[int(labels[1]) - 1]]
        tags = {"action": f"a{labels[1]}", "subject": f"s{labels[2]}"}
        clip = ImportedClip(clip_id, clip_id, motion, choose(phrases, clip_id), PROVENANCE, LICENCE, tags)
        yield from windowed(clip, max_frames)


def _motions(path: Path) -> Iterator[tuple[str, Motion]]:
    if path.suffix == ".npz":
        for clip in read_packed(path):
            yield clip.id, motion_from_source(clip.source, clip.id, "utd_mhad")
        return
    files = find_files(path, (".mat",), "UTD-MHAD")
    for file in [file for file in files if file.stem.endswith("_skeleton")] or files:
        yield file.stem, motion_from_source(read_source(file), file.stem, "utd_mhad")
