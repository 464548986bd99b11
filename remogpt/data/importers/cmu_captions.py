"""Read descriptions of CMU's recordings: a phrase for each trial, and sentences with times for some.

Two files hold them: CMU's own list as CSV (columns Subject, Trial #, Motion Description, framerate), and a JSON
{"<subject>_<trial>": {"description": ..., "sentences": [{"text", "start_s", "end_s", "from"}]}} without leading zeros.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remogpt.motion.files.amc import CMU_FPS
from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.runtime.files import read_json

_SAME_SPAN_SECONDS = 0.25
"""Spans closer than this at both ends are merged, since annotators round differently."""


@dataclass(frozen=True)
class Span:
    """Sentences about one stretch of a trial."""

    start: float
    """Seconds from the trial's first frame."""
    end: float
    texts: tuple[str, ...]
    writers: tuple[str, ...]
    """Distinct sets that the sentences come from."""


@dataclass(frozen=True)
class TrialText:
    """Description and sentences of one trial."""

    description: str = ""
    spans: tuple[Span, ...] = ()
    fps: float = CMU_FPS
    """Frames a second of the trial's .amc file."""


def read_captions(*paths: Path) -> dict[str, TrialText]:
    """Read CSV and JSON files, the later ones adding to the earlier; keys are `<subject>_<trial>`.

    Raises:
        MissingPathError: if a file is not there.
        RemogptError: if a file does not have the columns or keys named above.
    """
    trials: dict[str, TrialText] = {}
    for path in paths:
        for key, text in (_read_csv(path) if path.suffix.lower() == ".csv" else _read_json(path)).items():
            known = trials.get(key, TrialText())
            fps = text.fps if path.suffix.lower() == ".csv" else known.fps
            trials[key] = TrialText(text.description or known.description, text.spans or known.spans, fps)
    return trials


def find_captions(folder: Path) -> list[Path]:
    """Return the caption files in a folder: CSV lists with CMU's header, and cmu_captions.json."""
    found = []
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", errors="replace") as file:
            if "Motion Description" in file.readline():
                found.append(path)
    return [*found, *sorted(folder.glob("cmu_captions.json"))]


def trial_key(name: str) -> str:
    """Turn a file's stem or an id such as 02_01 into the key 2_1; other names stay as they are."""
    numbers = name.split("_")
    is_trial = len(numbers) == 2 and all(number.isdigit() for number in numbers)
    return f"{int(numbers[0])}_{int(numbers[1])}" if is_trial else name


def _read_csv(path: Path) -> dict[str, TrialText]:
    if not path.is_file():
        raise MissingPathError(f"no file {path}; expected CMU's list of trial descriptions there")
    with path.open(newline="", encoding="utf-8", errors="replace") as file:
        rows = list(csv.DictReader(file))
    trials = {}
    for number, row in enumerate(rows, start=2):
        try:
            key = f"{int(row['Subject'])}_{int(row['Trial #'])}"
            fps = float(row.get("framerate") or CMU_FPS)
        except (KeyError, TypeError, ValueError) as error:
            raise RemogptError(
                f"{path}, line {number}: expected the columns Subject, Trial #, Motion Description with whole "
                f"numbers in the first two ({error!r}); take the list as CMU distributes it"
            ) from error
        trials[key] = TrialText((row.get("Motion Description") or "").strip(), (), fps)
    return trials


def _read_json(path: Path) -> dict[str, TrialText]:
    content = read_json(path)
    try:
        return {
            key: TrialText(entry.get("description", ""), _merge(entry.get("sentences", ())))
            for key, entry in content.items()
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RemogptError(
            f'{path}: expected {{"<subject>_<trial>": {{"description": ..., "sentences": [{{"text", "start_s", '
            f'"end_s"}}]}}}}, but it cannot be read so ({error!r})'
        ) from error


def _merge(sentences: Sequence[Mapping[str, Any]]) -> tuple[Span, ...]:
    """Merge sentences about the same stretch; identical texts are kept once."""
    spans: list[Span] = []
    for sentence in sentences:
        start, end = float(sentence["start_s"]), float(sentence["end_s"])
        text, writer = str(sentence["text"]).strip(), str(sentence.get("from", "unnamed annotators"))
        for index, span in enumerate(spans):
            if max(abs(span.start - start), abs(span.end - end)) < _SAME_SPAN_SECONDS:
                texts = tuple(dict.fromkeys((*span.texts, text)))
                spans[index] = Span(
                    min(span.start, start), max(span.end, end), texts, tuple(dict.fromkeys((*span.writers, writer)))
                )
                break
        else:
            spans.append(Span(start, end, (text,), (writer,)))
    return tuple(sorted(spans, key=lambda span: span.start))
