"""Read a set whose motions and captions lie in files of their own, item by item, each with its first fault."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from remogpt.data.doctor.captions import LYING, CaptionFile, examine_captions
from remogpt.data.doctor.findings import Report
from remogpt.data.doctor.layouts import Layout
from remogpt.data.doctor.motions import MotionFault, examine_features, read_motion, stands_elsewhere
from remogpt.data.doctor.other_bodies import examine_kit, examine_smplx
from remogpt.data.doctor.splits import mirror_base, read_list
from remogpt.motion.features import features_to_joints
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_npy
from remogpt.runtime.progress import progress


@dataclass
class Item:
    """A motion and its captions, examined."""

    name: str
    array: np.ndarray | None
    """As the file holds it, where it can be read; also what is faulty."""
    fault: MotionFault | None
    text: CaptionFile | None


@dataclass
class Examination:
    """A set whose motions and captions lie in files of their own."""

    layout: Layout
    report: Report
    by_content: dict[bytes, str] = field(default_factory=dict)
    """First id with the same numbers."""

    @cached_property
    def splits(self) -> dict[str, list[str]]:
        """Ids of each split file."""
        return {name: read_list(path, self.report) for name, path in self.layout.splits.items()}

    @cached_property
    def statistics(self) -> tuple[np.ndarray, np.ndarray] | tuple[None, None]:
        """Mean and deviation of the set, if both are there and usable; faults are noted."""
        if self.layout.name == "Motion-X":
            return None, None
        found = [self._statistic(name) for name in ("Mean.npy", "Std.npy")]
        return (found[0], found[1]) if found[0] is not None and found[1] is not None else (None, None)

    def _statistic(self, name: str) -> np.ndarray | None:
        remedy = "Compute it anew over the training split, or let --fix do it"
        path = self.layout.folder / name
        if not path.is_file():
            self.report.add("missing", name, "not there", remedy)
            return None
        try:
            values = read_npy(path)
        except (RemogptError, OSError) as error:
            self.report.add("statistics", name, str(error).partition(";")[0].replace(str(path), "it"), remedy)
            return None
        if values.shape != (self.layout.channels,) or values.dtype.kind not in "fiu":
            what = f"{values.dtype} of shape {values.shape}, not {self.layout.channels} numbers"
        elif not np.isfinite(values).all():
            what = f"{int((~np.isfinite(values)).sum())} values that are no numbers"
        elif name == "Std.npy" and not (values > 0).all():
            what = f"{int((values <= 0).sum())} deviations of zero or less"
        else:
            return values.astype(np.float32)
        self.report.add("statistics", name, what, remedy)
        return None

    @cached_property
    def names(self) -> list[str]:
        """Ids that a split file lists or of which there is a motion."""
        listed = {name for names in self.splits.values() for name in names}
        assert self.layout.motions is not None
        return list(listed | stems(self.layout.motions, ".npy"))

    def motion_file(self, name: str) -> Path:
        """Return the path of a motion."""
        assert self.layout.motions is not None
        return self.layout.motions / f"{name}.npy"

    def text_file(self, name: str) -> Path:
        """Return the path of its captions."""
        return self.layout.texts / f"{name}.txt"

    def place(self, path: Path) -> str:
        """Return a path as findings name it."""
        return path.relative_to(self.layout.folder).as_posix()

    def items(self, order: Callable[[str], Any] = str) -> Iterator[Item]:
        """Read every motion and its captions, in an order of the ids; what is missing is None."""
        for name in progress(sorted(self.names, key=order), desc="examine", unit="motion"):
            array, fault = self._motion(name)
            seconds = None if array is None else len(array) / self.layout.fps
            path = self.text_file(name)
            text = examine_captions(path, seconds, self.layout.has_tokens) if path.is_file() else None
            if fault is None and array is not None and self.layout.channels == 263:
                fault = _lies(array, text)
            yield Item(name, array, fault, text)

    def _motion(self, name: str) -> tuple[np.ndarray | None, MotionFault | None]:
        path = self.motion_file(name)
        if not path.is_file():
            return None, None
        array = read_motion(path, self.layout.channels)
        if isinstance(array, MotionFault):
            return (read_npy(path) if array.mend is not None else None), array
        return array, self.fault_of(array)

    def fault_of(self, array: np.ndarray) -> MotionFault | None:
        """Find the first fault of a motion of finite numbers."""
        if self.layout.name == "Motion-X":
            return examine_smplx(array)
        mean, std = self.statistics
        return (examine_kit if self.layout.name == "KIT-ML" else examine_features)(array, mean, std)

    def twin_of(self, array: np.ndarray, name: str) -> str | None:
        """Return an earlier id whose motion has the same numbers, unless it is the own mirror image."""
        key = hashlib.sha256(array.tobytes()).digest()
        first = self.by_content.setdefault(key, name)
        return None if first == name or mirror_base(name) == first or mirror_base(first) == name else first


def stems(folder: Path, suffix: str) -> set[str]:
    """Return the ids of the files with a suffix in a folder and below."""
    found = folder.rglob(f"[!.]*{suffix}") if folder.is_dir() else []
    return {path.relative_to(folder).as_posix().removesuffix(suffix) for path in found}


def _lies(features: np.ndarray, text: CaptionFile | None) -> MotionFault | None:
    """Find a body that stands along another axis than y, although no caption speaks of lying or the like."""
    axis = stands_elsewhere(features_to_joints(features))
    if axis is None or any(LYING.search(caption.text) for caption in (text.captions if text else ())):
        return None
    what = f"the body stands along {axis} in nearly all frames, and no caption speaks of lying"
    return MotionFault("up", what, "Turn the source so that y points up, and make the features anew")
