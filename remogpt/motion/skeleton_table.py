"""Tables that say which joint of a foreign skeleton each of our 22 joints is, known ones and a user's own.

Keys of a table:
    title            name for people
    joints           ours -> theirs, or ours -> {theirs: weight, ...}; weights sum to one
    axes             our x, y, z as signed source axes, such as [x, z, -y]; must be a rotation; default [x, y, z]
    metres_per_unit  candidates, likeliest first; the first that gives a leg of human length is taken
    tilt_degrees     optional: ours -> turn of the bone that ends there, in degrees towards the front of the body
    without          optional: joints that a file of this skeleton does not have
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from remogpt.motion.anatomy.names import plain
from remogpt.motion.skeleton import JOINT_NAMES
from remogpt.runtime.errors import MissingPathError, RemogptError

_KEYS = ("title", "joints", "axes", "metres_per_unit", "tilt_degrees", "without")
_FOLDER = Path(__file__).parent / "skeletons"


@dataclass(frozen=True)
class SkeletonTable:
    """Conversion of one skeleton to ours; read from `skeletons/<name>.yaml` or a user's file."""

    name: str
    title: str
    joints: Mapping[str, Mapping[str, float]]
    axes: np.ndarray = field(default_factory=lambda: np.eye(3))
    """(3, 3) rotation from source axes to ours."""
    metres_per_unit: tuple[float, ...] = ()
    tilt_degrees: Mapping[str, float] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    notice: str = ""
    """How the file was understood, if that may be in doubt."""

    @property
    def source_names(self) -> tuple[str, ...]:
        """Source joints that a file must have, each once."""
        return tuple(dict.fromkeys(name for sources in self.joints.values() for name in sources))

    def missing(self, names: Sequence[str]) -> list[str]:
        """Return the joints of the table that a file lacks."""
        return [name for name in self.source_names if name not in names]

    def spelled_as(self, names: Sequence[str]) -> SkeletonTable:
        """Return the table with a file's spelling, where namespace, case and separators are all that differ."""
        theirs = {plain(name): name for name in reversed(names)}
        spelled = {
            ours: {theirs.get(plain(name), name): weight for name, weight in sources.items()}
            for ours, sources in self.joints.items()
        }
        return replace(self, joints=spelled, without=tuple(theirs.get(plain(name), name) for name in self.without))


@cache
def skeleton_tables() -> dict[str, SkeletonTable]:
    """Return the known skeleton tables by name."""
    return {path.stem: read_table(path) for path in sorted(_FOLDER.glob("*.yaml"))}


def read_table(path: Path) -> SkeletonTable:
    """Read a table.

    Raises:
        MissingPathError: no such file.
        RemogptError: not YAML, or no table as the module's docstring describes; names the key.
    """
    if not path.is_file():
        raise MissingPathError(f"no file {path}; wanted a skeleton table, which 'remogpt data map FILE' drafts")
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
        return _table(raw, path)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise RemogptError(f"{path} is not YAML ({' '.join(str(error).split())}); correct it") from error


def _table(raw: Any, path: Path) -> SkeletonTable:
    joints = raw.get("joints") if isinstance(raw, dict) else None
    if not isinstance(joints, dict):
        raise RemogptError(f"{path}: wanted a skeleton table with the key joints, ours: theirs; see 'remogpt data map'")
    made = {}
    for ours in JOINT_NAMES:
        theirs = joints.get(ours) or (joints.get(ours.replace("foot", "ankle")) if "foot" in ours else None)
        made[ours] = _weights(theirs, f"{path}: joints: {ours}")
    if unknown := [name for name in joints if name not in JOINT_NAMES]:
        raise RemogptError(f"{path}: joints: {unknown[0]!r} is none of ours; known: {', '.join(JOINT_NAMES)}")
    units = raw.get("metres_per_unit") or []
    if unknown := [str(name) for name in raw if name not in _KEYS]:
        raise RemogptError(f"{path}: there is no key {unknown[0]!r}; known: {', '.join(_KEYS)}")
    return SkeletonTable(
        path.stem, str(raw.get("title", path.stem)), made, _axes(raw.get("axes", ["x", "y", "z"]), path),
        tuple(_number(unit, f"{path}: metres_per_unit") for unit in (units if isinstance(units, list) else [units])),
        {str(name): _number(angle, f"{path}: tilt_degrees") for name, angle in (raw.get("tilt_degrees") or {}).items()},
        tuple(raw.get("without", ())),
    )  # fmt: skip


def _number(value: Any, where: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not np.isfinite(value):
        raise RemogptError(f"{where}: wanted a number, got {value!r}")
    return float(value)


def _weights(theirs: Any, where: str) -> dict[str, float]:
    if isinstance(theirs, str | int):
        return {str(theirs): 1.0}
    if not isinstance(theirs, dict) or not theirs:
        raise RemogptError(f"{where}: wanted the name of a joint, or {{name: weight, ...}}, got {theirs!r}")
    weights = {str(name): _number(weight, where) for name, weight in theirs.items()}
    total = sum(weights.values())
    if abs(total - 1) > 0.01:
        raise RemogptError(f"{where}: wanted weights that sum to 1, got {total:g}")
    return {name: weight / total for name, weight in weights.items()}


def _axes(words: Any, path: Path) -> np.ndarray:
    axes = np.zeros((3, 3))
    if isinstance(words, list) and len(words) == 3:
        for row, axis in enumerate(map(str, words)):
            if axis.removeprefix("-") in ("x", "y", "z"):
                axes[row, "xyz".index(axis[-1])] = -1.0 if axis.startswith("-") else 1.0
    if not np.isclose(np.linalg.det(axes), 1.0):
        raise RemogptError(
            f"{path}: axes: wanted three signed axes that do not mirror, such as [x, z, -y], got {words}"
        )
    return axes


def to_yaml(table: SkeletonTable, names: Sequence[str]) -> str:
    """Write a table as a text to correct, with the file's joints as a comment."""
    lines = [f"# {table.notice}" if table.notice else f"# {table.title}", f"title: {table.title}"]
    if table.metres_per_unit:
        lines.append(f"metres_per_unit: [{', '.join(f'{unit:g}' for unit in table.metres_per_unit)}]")
    signs = ["".join(("-" if row.min() < 0 else "", "xyz"[int(np.abs(row).argmax())])) for row in table.axes]
    lines += [f"axes: [{', '.join(signs)}]", "joints:"]
    for ours, sources in table.joints.items():
        lines.append(f"  {ours}: {_as_yaml(sources)}")
    if table.tilt_degrees:
        turns = ", ".join(f"{name}: {angle:g}" for name, angle in table.tilt_degrees.items())
        lines.append(f"tilt_degrees: {{{turns}}}")
    return "\n".join([*lines, "# Joints of the file:", *(f"#   {name}" for name in names)]) + "\n"


def _as_yaml(sources: Mapping[str, float]) -> str:
    several = {name: round(weight, 3) for name, weight in sources.items()}
    text = several if len(sources) > 1 else next(iter(sources))
    return yaml.safe_dump(text, default_flow_style=True, width=1000).removesuffix("...\n").strip()
