"""Read a motion file of any format, at 20 fps on our 22 joints."""

from __future__ import annotations

import difflib
from pathlib import Path

from remogpt.motion.files.amc import CMU_FPS, read_amc
from remogpt.motion.files.arrays import read_npy_motion, read_npz_motion
from remogpt.motion.files.bvh import read_bvh
from remogpt.motion.files.mat import read_mat
from remogpt.motion.motion import Motion
from remogpt.motion.retarget import SourceMotion, to_joints
from remogpt.motion.skeleton import FPS
from remogpt.runtime.errors import MissingPathError, RemogptError

READABLE = (".npy", ".npz", ".bvh", ".amc", ".mat")
"""Suffixes that `load_motion` reads."""


def load_motion(
    path: str | Path, *, fps: float | None = None, skeleton: str | None = None, asf: str | Path | None = None
) -> Motion:
    """Read a motion in the format that its suffix names, at 20 fps on our 22 joints.

    Args:
        path: a file with one of the suffixes in `READABLE`.
        fps: frames a second of the recording, if the file does not hold it or holds a wrong one.
        skeleton: name of a table in `remogpt/motion/skeletons`; by default chosen by the joint names.
        asf: body file of an .amc motion; by default the subject's .asf beside it.

    Raises:
        MissingPathError: no such file; names similar ones in the folder.
        RemogptError: unknown suffix, or content that cannot be used.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if not path.is_file():
        raise MissingPathError(_missing(path))
    if suffix == ".npy":
        motion = read_npy_motion(path, FPS if fps is None else fps)
    elif suffix == ".npz":
        motion = read_npz_motion(path, fps)
    else:
        motion = motion_from_source(read_source(path, fps=fps, asf=asf), path.stem, skeleton)
    if motion.num_frames < 2:
        raise RemogptError(
            f"{path}: expected a motion of at least 2 frames at {FPS:g} fps, found {motion.num_frames}; a single pose "
            f"has no velocities. Give a longer recording, or correct its frame rate"
        )
    return motion


def read_source(path: Path, *, fps: float | None = None, asf: str | Path | None = None) -> SourceMotion:
    """Read joint positions of another skeleton, in the file's units and axes.

    Raises:
        RemogptError: if the suffix is none of .bvh, .amc, .mat, or the content cannot be used.
    """
    suffix = path.suffix.lower()
    if suffix == ".bvh":
        source = read_bvh(path)
    elif suffix == ".amc":
        source = read_amc(path, asf, CMU_FPS if fps is None else fps)
    elif suffix == ".mat":
        source = read_mat(path)
    else:
        hint = "Give the .amc motion; its body is found beside it" if suffix == ".asf" else "Convert it to .bvh or .npy"
        raise RemogptError(
            f"{path}: cannot read {suffix or 'a file without suffix'}; expected {', '.join(READABLE)}. {hint}"
        )
    return SourceMotion(source.names, source.positions, source.fps if fps is None else fps, source.origin)


def motion_from_source(source: SourceMotion, name: str, skeleton: str | None = None) -> Motion:
    """Convert a motion of another skeleton to our joints and to 20 fps.

    Raises:
        RemogptError: unknown skeleton or units, or positions that are not finite.
    """
    return Motion.from_joints(to_joints(source, skeleton), source.fps, name=name)


def _missing(path: Path) -> str:
    if path.is_dir():
        return f"{path} is a folder; expected one motion file ({', '.join(READABLE)}). Name a file in it"
    folder = path.parent
    if not folder.is_dir():
        return f"no file {path}: there is no folder {folder}. Check the path"
    names = [file.name for file in folder.iterdir() if file.suffix.lower() in READABLE]
    similar = difflib.get_close_matches(path.name, names, n=3, cutoff=0.5)
    similar += [name for name in names if Path(name).stem == path.stem and name not in similar]
    hint = (
        f"did you mean {' or '.join(similar)}?"
        if similar
        else f"the folder has {len(names)} motion files. Check the name"
    )
    return f"no file {path}; {hint}"
