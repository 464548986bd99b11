"""Import CMU motion capture: .asf/.amc as CMU distributes it, the .bvh conversion, or packed positions.

A trial with sentences about a stretch of it gives one clip for each stretch; the rest of it is captioned by CMU's
description. Long clips are cut into windows. The trial is the source of all its clips.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from remogpt.data.importers.clip import MAX_FRAMES, ImportedClip, windowed
from remogpt.data.importers.cmu_captions import Span, TrialText, find_captions, read_captions, trial_key
from remogpt.data.importers.cmu_phrases import sentences_from_description
from remogpt.data.importers.folder import find_files
from remogpt.data.importers.packed import PackedClip, read_packed
from remogpt.motion.files.read import load_motion, motion_from_source
from remogpt.motion.motion import Motion
from remogpt.motion.skeleton import FPS
from remogpt.runtime.errors import RemogptError

LICENCE = "free to use (mocap.cs.cmu.edu)"
_RECORDED = "CMU Graphics Lab Motion Capture Database"
_WHOLE = 0.9
"""Share of a trial from which a span counts as the whole trial."""
_SHORTEST_GAP = 40
"""Shortest stretch between two spans that is kept, frames."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Trial:
    id: str
    motion: Motion
    start_seconds: float


def import_cmu(
    path: str | Path, captions: Sequence[str | Path] = (), max_frames: int | None = MAX_FRAMES
) -> Iterator[ImportedClip]:
    """Yield captioned clips of the described trials; a warning counts the others.

    Args:
        path: the folder with subjects' .asf and .amc files (or .bvh), one such file, or a packed .npz.
        captions: CSV and JSON files, see `cmu_captions`; default: those in the folder itself.
        max_frames: longest clip at 20 fps, as in `import_bandai`.

    Raises:
        RemogptError: if there are no trials or no captions, or a file cannot be read.
    """
    path = Path(path)
    folder = path if path.is_dir() else path.parent
    texts = read_captions(*([Path(file) for file in captions] or find_captions(folder)))
    if not texts:
        raise RemogptError(
            f"{path}: CMU's recordings come without captions; expected a CSV with the columns Subject, Trial #, Motion "
            f"Description, or cmu_captions.json, in {folder}. Put one there, or name it with captions="
        )
    for trial in _trials(path, texts):
        for clip in _clips(trial, texts[trial_key(trial.id)]):
            yield from windowed(clip, max_frames)


def _trials(path: Path, texts: Mapping[str, TrialText]) -> Iterator[_Trial]:
    """Yield the described trials; others are not read."""
    num_silent = 0
    for name, read in _readers(path, texts):
        text = texts.get(trial_key(name), TrialText())
        if text.spans or sentences_from_description(text.description):
            yield read()
        else:
            num_silent += 1
    if num_silent:
        _log.warning("%s: %d trials have no caption and were left out", path, num_silent)


def _readers(path: Path, texts: Mapping[str, TrialText]) -> Iterator[tuple[str, Callable[[], _Trial]]]:
    """Yield each trial's name and its reader."""
    if path.suffix == ".npz":
        for clip in read_packed(path):
            yield _padded(clip.id), partial(_from_packed, clip)
        return
    files = find_files(path, (".amc", ".bvh"), "CMU motion capture database")
    # Some folders hold both forms of a trial; .amc, the original, comes last and so wins.
    by_trial = {_padded(file.stem): file for file in sorted(files, key=lambda file: file.suffix.lower(), reverse=True)}
    for name, file in sorted(by_trial.items()):
        fps = texts.get(trial_key(name), TrialText()).fps if file.suffix.lower() == ".amc" else None
        yield name, partial(_from_file, name, file, fps)


def _from_packed(clip: PackedClip) -> _Trial:
    name = _padded(clip.id)
    return _Trial(name, motion_from_source(clip.source, name), clip.start_seconds)


def _from_file(name: str, file: Path, fps: float | None) -> _Trial:
    # Through the door that every recording passes: conversions differ in names and units, and begin with a rest pose.
    return _Trial(name, load_motion(file, fps=fps), 0.0)


def _padded(name: str) -> str:
    key = trial_key(name)
    subject, _, trial = key.partition("_")
    return f"{int(subject):02d}_{int(trial):02d}" if subject.isdigit() and trial.isdigit() else name


def _clips(trial: _Trial, text: TrialText) -> Iterator[ImportedClip]:
    num_frames = trial.motion.num_frames
    stretches = []
    for span in text.spans:
        start = max(0, round((span.start - trial.start_seconds) * FPS))
        end = min(num_frames, round((span.end - trial.start_seconds) * FPS))
        if end - start >= _WHOLE * num_frames:
            start, end = 0, num_frames
        if end - start >= 2:
            stretches.append((start, end, span))
    covered = [(start, end) for start, end, _ in stretches]
    gaps = _gaps(covered, num_frames)
    is_whole = covered + gaps == [(0, num_frames)]
    for number, (start, end, span) in enumerate(stretches):
        yield _cut(trial, trial.id if is_whole else f"{trial.id}_s{number}", start, end, span.texts, span)
    sentences = sentences_from_description(text.description)
    for number, (start, end) in enumerate(gaps if sentences else []):
        yield _cut(trial, trial.id if is_whole else f"{trial.id}_g{number}", start, end, sentences, None)


def _gaps(covered: list[tuple[int, int]], num_frames: int) -> list[tuple[int, int]]:
    """Return the stretches that no span covers, if long enough; the whole trial without spans."""
    if not covered:
        return [(0, num_frames)]
    gaps, position = [], 0
    for start, end in [*sorted(covered), (num_frames, num_frames)]:
        if start - position >= _SHORTEST_GAP:
            gaps.append((position, start))
        position = max(position, end)
    return gaps


def _cut(trial: _Trial, name: str, start: int, end: int, captions: tuple[str, ...], span: Span | None) -> ImportedClip:
    motion = Motion.from_joints(trial.motion.joints[start:end], name=name)
    words = f"sentences from {', '.join(span.writers)}" if span else "captions derived from its trial description"
    tags = {"subject": trial.id.split("_")[0], "captions": "sentences" if span else "description"}
    return ImportedClip(name, trial.id, motion, captions, f"{_RECORDED}; {words}", LICENCE, tags)
