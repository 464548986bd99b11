"""Write a motion file in the format of its suffix."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from remogpt.motion.door.given import UP_AXES, metres_in
from remogpt.motion.edit import Seconds, edit_motion
from remogpt.motion.skeleton import FPS
from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.runtime.files import atomic_path

if TYPE_CHECKING:
    from remogpt.motion.motion import Motion

CONTENTS = {".npy": ("joints", "features"), ".npz": ("joints", "rotations", "amass")}
"""What the arrays of a file may be; the first is the default."""


@dataclass(frozen=True)
class Layout:
    """How a format holds a motion; None leaves the choice to the format."""

    content: str | None
    skeleton: str | None
    unit: str | float | None
    up: str | None

    def axes(self, default: str = "y") -> np.ndarray:
        """Return the rotation (3, 3) from our axes to those of the file."""
        return UP_AXES[self.up or default].T

    def metres_per_unit(self, default: float) -> float:
        """Return the length of the file's unit."""
        return default if self.unit is None else metres_in(self.unit)


def save_motion(
    motion: Motion,
    path: str | Path,
    *,
    content: str | None = None,
    skeleton: str | None = None,
    fps: float | None = None,
    unit: str | float | None = None,
    up: str | None = None,
    in_place: bool = False,
    trim: Seconds | None = None,
    mirror: bool = False,
) -> Path:
    """Write a motion in the format that the suffix names; folders are created, an existing file is replaced.

    Args:
        motion: the motion to write.
        path: a file with one of the suffixes in `WRITABLE`.
        content: of a .npy "joints" or "features"; of a .npz "joints", "rotations" (root, joint quaternions, contacts)
            or "amass" (SMPL's poses and trans).
        skeleton: of a .bvh or .glb, a name in `remogpt.motion.rig.SKELETONS`, or a .bvh file with a rig of one's own.
        fps: frames a second of the file, by default the motion's.
        unit: m, cm, mm, inch, foot, or metres as a number; centimetres in .bvh and metres elsewhere by default.
        up: the axis that points up, by default y (z in AMASS files). With z, who faces +z faces -y, as in Blender.
        in_place: keep the pelvis above its starting point.
        trim: write only the piece from start to end, in seconds.
        mirror: swap left and right.

    Returns:
        The path.

    Raises:
        RemogptError: a suffix that cannot be written, or an option that the format has no place for.
    """
    path = Path(path)
    layout = Layout(content, skeleton, unit, up)
    check_layout(path, layout, fps)
    edited = edit_motion(motion, trim=trim, mirror=mirror, in_place=in_place, fps=fps)
    with atomic_path(path) as temporary:
        temporary.write_bytes(motion_bytes(edited, path.suffix, layout))
    return path


def check_layout(path: str | Path, layout: Layout, fps: float | None = None) -> None:
    """Refuse a suffix that cannot be written, and options that its format has no place for.

    Raises:
        RemogptError: says which, and what there is.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in _FORMATS:
        hint = "; animation programs that want .fbx import .glb or .bvh" if suffix == ".fbx" else ""
        raise RemogptError(
            f"{path}: cannot write {suffix or 'a file without suffix'}; expected {', '.join(WRITABLE)}{hint}"
        )
    allowed = _FORMATS[suffix][1]
    for name in ("content", "skeleton", "unit", "up"):
        if getattr(layout, name) is not None and name not in allowed:
            why = "; glTF is in metres with y up by definition" if suffix == ".glb" and name in ("unit", "up") else ""
            raise RemogptError(f"{path}: {name} {getattr(layout, name)!r} has no place in a {suffix} file{why}")
    _check_choice(path, "content", layout.content, CONTENTS.get(suffix, ()))
    if layout.up is not None:
        _check_choice(path, "up", layout.up, tuple(UP_AXES))
    if layout.content in ("features", "amass") and layout.metres_per_unit(1.0) != 1.0:
        raise RemogptError(f"{path}: {layout.content} are in metres by definition, got unit {layout.unit!r}")
    if layout.content == "features" and fps not in (None, FPS):
        raise RemogptError(f"{path}: features are at {FPS:g} fps by definition, got fps={fps:g}; leave fps out")
    if layout.content == "features" and layout.up not in (None, "y"):
        raise RemogptError(f"{path}: features have y up by definition, got up {layout.up!r}")
    if layout.skeleton is not None:
        _check_skeleton(path, layout)


def _check_skeleton(path: str | Path, layout: Layout) -> None:
    from remogpt.motion.rig import check_skeleton, is_own_rig

    if not is_own_rig(layout.skeleton):
        return check_skeleton(str(layout.skeleton))
    if layout.unit is not None or layout.up is not None:
        raise RemogptError(f"{path}: a rig of one's own keeps its unit and axes; leave unit and up out")
    if not Path(str(layout.skeleton)).is_file():
        raise MissingPathError(f"no file {layout.skeleton}; name a .bvh file with the rig to be moved")
    return None


def motion_bytes(motion: Motion, suffix: str, layout: Layout) -> bytes:
    """Return the content of a motion's file; `check_layout` says what is allowed."""
    if suffix.lower() != ".npy":
        motion.check_our_body(f"it cannot be written as {suffix.lower()}")
    return _FORMATS[suffix.lower()][0](motion, layout)


def _check_choice(path: str | Path, name: str, value: str | None, choices: tuple[str, ...]) -> None:
    if value is not None and value not in choices:
        raise RemogptError(f"{path}: {name}: expected {' or '.join(choices)}, got {value!r}")


def _npy(motion: Motion, layout: Layout) -> bytes:
    if layout.content == "features":
        array = motion.features
    else:
        array = _placed(motion.joints, layout)
    content = io.BytesIO()
    np.save(content, array, allow_pickle=False)
    return content.getvalue()


def _npz(motion: Motion, layout: Layout) -> bytes:
    from remogpt.motion.files.smpl_writer import amass_arrays, rotation_arrays

    if layout.content == "amass":
        return _zipped(amass_arrays(motion.joints, motion.fps, layout.axes("z")))
    arrays: dict[str, Any] = {"joints": _placed(motion.joints, layout), "fps": np.array(motion.fps)}
    if layout.content == "rotations":
        arrays |= rotation_arrays(motion.joints, motion.fps, layout.axes(), layout.metres_per_unit(1.0))
    elif motion.given_features is not None:
        arrays["features"] = motion.given_features
    if motion.caption is not None:
        arrays["caption"] = np.array(motion.caption)
    return _zipped(arrays)


def _zipped(arrays: dict[str, Any]) -> bytes:
    content = io.BytesIO()
    np.savez(content, **arrays)
    return content.getvalue()


def _placed(joints: np.ndarray, layout: Layout) -> np.ndarray:
    """Express joints in the file's axes and unit."""
    if layout.unit is None and layout.up is None:
        return joints
    return (joints @ layout.axes().T / layout.metres_per_unit(1.0)).astype(np.float32)


def _bvh(motion: Motion, layout: Layout) -> bytes:
    from remogpt.motion.files.bvh_writer import CENTIMETRES, bvh_text
    from remogpt.motion.rig import is_own_rig, rig_motion

    if is_own_rig(layout.skeleton):
        from remogpt.motion.files.own_rig import follow, read_rig

        return bvh_text(follow(read_rig(str(layout.skeleton)), motion.joints, motion.fps), 1.0).encode()
    moving = rig_motion(motion.joints, motion.fps, layout.skeleton or "remogpt").turned(layout.axes())
    return bvh_text(moving, layout.metres_per_unit(CENTIMETRES)).encode()


def _glb(motion: Motion, layout: Layout) -> bytes:
    from remogpt.motion.files.glb_writer import glb_bytes
    from remogpt.motion.rig import is_own_rig, rig_motion

    name = motion.name or motion.caption or "motion"
    if is_own_rig(layout.skeleton):
        from remogpt.motion.files.own_rig import follow_in_metres, read_rig

        moving, bind = follow_in_metres(read_rig(str(layout.skeleton)), motion.joints, motion.fps)
        return glb_bytes(moving, name, bind)
    return glb_bytes(rig_motion(motion.joints, motion.fps, layout.skeleton or "remogpt"), name)


def _html(motion: Motion, layout: Layout) -> bytes:
    from remogpt.motion.player import motion_html

    return motion_html([motion]).encode()


def _picture(kind: str) -> Callable[[Motion, Layout], bytes]:
    def write(motion: Motion, layout: Layout) -> bytes:
        from remogpt.motion.files import film

        content: bytes = getattr(film, f"{kind}_bytes")(motion)
        return content

    return write


_FORMATS: dict[str, tuple[Callable[[Motion, Layout], bytes], tuple[str, ...]]] = {
    ".npy": (_npy, ("content", "unit", "up")),
    ".npz": (_npz, ("content", "unit", "up")),
    ".bvh": (_bvh, ("skeleton", "unit", "up")),
    ".glb": (_glb, ("skeleton",)),
    ".html": (_html, ()),
    ".gif": (_picture("gif"), ()),
    ".mp4": (_picture("mp4"), ()),
    ".png": (_picture("png"), ()),
}
"""Writer of each format, and which parts of a layout it has a place for."""
WRITABLE = tuple(_FORMATS)
"""Suffixes that `save_motion` writes."""
