"""Read a motion file of any format, at 20 fps on our 22 joints."""

from __future__ import annotations

import difflib
from dataclasses import replace
from pathlib import Path

from remogpt.motion.door.bones import check_features
from remogpt.motion.door.check import Format, check_body
from remogpt.motion.door.given import Given
from remogpt.motion.door.legs import hold_legs
from remogpt.motion.door.measure import stands
from remogpt.motion.files.amc import CMU_FPS, read_amc
from remogpt.motion.files.arrays import read_npy_recording, read_npz_recording
from remogpt.motion.files.bvh import read_bvh
from remogpt.motion.files.gltf import GltfFile
from remogpt.motion.files.mat import read_mat
from remogpt.motion.files.rates import check_rate
from remogpt.motion.files.recording import Recording
from remogpt.motion.motion import Motion
from remogpt.motion.resample import resample
from remogpt.motion.retarget import SourceMotion, find_table, of_one_person, place_joints, tilt, to_joints
from remogpt.motion.skeleton import FPS, JOINT_NAMES, PARENTS
from remogpt.motion.skeleton_table import skeleton_tables
from remogpt.runtime.errors import MissingPathError, RemogptError

READABLE = (".npy", ".npz", ".bvh", ".glb", ".gltf", ".amc", ".mat")
"""Suffixes that `load_motion` reads."""


def load_motion(
    path: str | Path,
    *,
    fps: float | None = None,
    skeleton: str | Path | None = None,
    asf: str | Path | None = None,
    up: str | None = None,
    unit: str | float | None = None,
    swap_sides: bool = False,
    first_frame: int | None = None,
    clip: str | None = None,
    body_model: str | Path | None = None,
    rate: float | None = FPS,
) -> Motion:
    """Read a motion in the format that its suffix names, at 20 fps on our 22 joints.

    What was understood and mended is in the motion's `notices`; what cannot be known for certain is refused, and the
    message names the argument that settles it.

    Args:
        path: a file with one of the suffixes in `READABLE`; `moves.glb#Walk` names an animation in it.
        fps: frames a second of the recording, if the file does not hold it or holds a wrong one.
        skeleton: name of a table in `remogpt/motion/skeletons`, or path of a table (.yaml) of your own; by default
            the joints are told by their names and by the tree.
        asf: body file of an .amc motion; by default the one in its folder.
        up: axis that points up: y, z, x, -y, -z or -x.
        unit: unit of length: m, cm, mm, dm, inch, foot, or its metres as a number.
        swap_sides: exchange left and right joints.
        first_frame: frame of the file, counted from 0, where the motion begins; nothing else is cut then.
        clip: which animation of a file that holds several, by name; of several people in a .bvh, the joint on which
            one hangs.
        body_model: folder of the licensed SMPL body models, for AMASS's .npz.
        rate: frames a second of the result; None keeps the recording's own. Features are at 20 by definition.

    Raises:
        MissingPathError: no such file; names similar ones in the folder.
        RemogptError: unknown suffix, or content that cannot be used.
    """
    path, clip = with_clip(path, clip)
    given = Given.read(up, unit, swap_sides, first_frame)
    recording = read_recording(path, fps=fps, asf=asf, clip=clip, body_model=body_model)
    return to_motion(recording, path, given, skeleton, rate)


def with_clip(path: str | Path, clip: str | None = None) -> tuple[Path, str | None]:
    """Split `moves.glb#Walk` into the file and the name of an animation in it; other paths stay whole."""
    file, mark, name = str(path).rpartition("#")
    if clip is None and mark and not Path(path).is_file() and Path(file).is_file():
        return Path(file), name
    return Path(path), clip


def recordings_in(folder: Path) -> list[Path]:
    """Return the readable files in a folder and below it, sorted; names that begin with a dot are a killed run's."""
    return sorted(path for path in folder.rglob("[!.]*") if path.suffix.lower() in READABLE and not path.is_dir())


def clips_of(path: str | Path) -> list[Path]:
    """Return the paths by which `load_motion` reads every motion of a file: itself, or one for each animation in it.

    A file that cannot be read is returned as it is; `load_motion` says why.
    """
    path = Path(path)
    if path.suffix.lower() not in (".glb", ".gltf") or not path.is_file():
        return [path]
    try:
        clips = GltfFile(path).short_names
    except RemogptError:
        return [path]
    return [path] if len(clips) == 1 else [path.with_name(f"{path.name}#{clip}") for clip in clips]


def read_recording(
    path: Path,
    *,
    fps: float | None = None,
    asf: str | Path | None = None,
    clip: str | None = None,
    body_model: str | Path | None = None,
) -> Recording:
    """Read what a file holds: features, or joint positions of any skeleton in the file's units and axes.

    Raises:
        MissingPathError, RemogptError: as `load_motion`.
    """
    if not path.is_file():
        raise MissingPathError(_missing(path))
    if fps is not None:
        check_rate(fps, "fps")
    suffix = path.suffix.lower()
    if suffix in (".glb", ".gltf"):
        source = GltfFile(path).read(clip)
        name = path.stem if clip is None else f"{path.stem}_{clip}"
        return Recording(name, of_one_person(source if fps is None else replace(source, fps=fps)))
    if clip is not None and suffix != ".bvh":
        raise RemogptError(f"{path}: clip= (--clip) chooses among several animations; {suffix} files hold one")
    if suffix == ".npy":
        return read_npy_recording(path, fps)
    if suffix == ".npz":
        return read_npz_recording(path, fps, body_model)
    return Recording(path.stem, of_one_person(read_source(path, fps=fps, asf=asf), clip))


def to_motion(
    recording: Recording, path: Path, given: Given, skeleton: str | Path | None = None, rate: float | None = FPS
) -> Motion:
    """Bring a recording through the door: our 22 joints, metres, y up, `rate` frames a second (None: its own).

    Raises:
        RemogptError: as `load_motion`.
    """
    if recording.features is not None:
        if given != Given():
            raise RemogptError(
                f"{path} holds features, which are metres, y up, at 20 fps by definition; leave out up, unit, "
                f"swap_sides and first_frame (--up, --unit, --swap-sides, --first-frame), or give joints"
            )
        check_features(recording.features, str(path))
        motion = Motion.from_features(recording.features, name=recording.name, caption=recording.caption)
        if recording.source is not None:
            motion = replace(motion, joints=recording.source.positions)
    else:
        source = recording.source
        assert source is not None
        motion = _from_joints(recording, source, path, given, skeleton, rate)
    if motion.num_frames < 2:
        raise _single_pose(path, motion.num_frames)
    return motion


def _from_joints(
    recording: Recording,
    source: SourceMotion,
    path: Path,
    given: Given,
    skeleton: str | Path | None,
    rate: float | None,
) -> Motion:
    """Bring joint positions of any skeleton through the door."""
    if len(source.positions) < 2:
        raise _single_pose(path, len(source.positions))
    fixed = () if source.metres_per_unit is None else (source.metres_per_unit,)
    known = Format(units=fixed, is_unit_fixed=bool(fixed), up=source.up)
    if source.names == JOINT_NAMES and source.parents == PARENTS and skeleton is None:  # an array: nothing to place
        checked = check_body(source.positions, source.fps, given, source.origin, known)
        joints, notices = checked.joints, checked.notices
    else:
        table = find_table(source, skeleton)
        rest = None if source.rest is None else place_joints(replace(source, positions=source.rest[None]), table)[0]
        known = replace(
            known, units=fixed or table.metres_per_unit, rest=rest if rest is not None and stands(rest) else None,
            is_rig=True, is_guessed=table.name not in skeleton_tables(),
        )  # fmt: skip
        checked = check_body(place_joints(source, table), source.fps, given, source.origin, known)
        joints = tilt(checked.joints, table.tilt_degrees)
        notices = (table.notice, *checked.notices) if table.notice else checked.notices
    rate = source.fps if rate is None else rate
    motion = Motion(resample(joints, source.fps, rate), rate, recording.name, recording.caption)
    return replace(motion, notices=(*source.notices, *notices))


def _single_pose(path: Path, count: int) -> RemogptError:
    return RemogptError(
        f"{path}: expected a motion of at least 2 frames at {FPS:g} fps, found {count}; a single pose has no "
        f"velocities. Give a longer recording, or correct its frame rate"
    )


def read_source(path: Path, *, fps: float | None = None, asf: str | Path | None = None) -> SourceMotion:
    """Read joint positions of another skeleton, in the file's units and axes.

    Raises:
        RemogptError: if the suffix is none of .bvh, .amc, .mat, or the content cannot be used.
    """
    suffix = path.suffix.lower()
    if suffix == ".bvh":
        source = read_bvh(path, fps)
    elif suffix == ".amc":
        source = read_amc(path, asf, CMU_FPS if fps is None else fps)
    elif suffix == ".mat":
        source = read_mat(path)
    else:
        hint = "Give the .amc motion; its body is found beside it" if suffix == ".asf" else "Convert it to .bvh or .npy"
        raise RemogptError(
            f"{path}: cannot read {suffix or 'a file without suffix'}; expected {', '.join(READABLE)}. {hint}"
        )
    return source if fps is None else replace(source, fps=fps)


def motion_from_source(source: SourceMotion, name: str, skeleton: str | None = None) -> Motion:
    """Convert a motion of a known data set's skeleton to our joints and to 20 fps.

    Raises:
        RemogptError: unknown skeleton or units, or positions that are not finite.
    """
    joints, notices = hold_legs(to_joints(source, skeleton))
    return replace(Motion.from_joints(joints, source.fps, name=name), notices=notices)


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
