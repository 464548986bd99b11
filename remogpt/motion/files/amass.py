"""Read AMASS archives: pose angles of an SMPL body, which become joints through the user's own body model.

The body models are licensed to each user and no part of this package; their .npz form is read, never a pickle. A
joint's place does not depend on the mesh: the model's regressor places the joints of the rest shape, angles turn them.

Source: SMPL (Loper et al. 2015), eq. 2-4 and 10; AMASS (Mahmood et al. 2019) for keys, units (metres) and axes (z up).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from remogpt.motion.files.archives import Archive, open_npz
from remogpt.motion.kinematics import forward_kinematics
from remogpt.motion.retarget import SourceMotion
from remogpt.motion.skeleton import JOINT_NAMES, NUM_JOINTS, PARENTS
from remogpt.runtime.errors import MissingPathError, RemogptError

_KINDS = {72: "smpl", 156: "smplh", 165: "smplx"}
"""Body model by the number of pose angles of a frame."""


def is_amass(archive: Archive) -> bool:
    """Return whether an archive holds SMPL pose angles rather than joints."""
    return "trans" in archive and ("poses" in archive or {"root_orient", "pose_body"} <= set(archive.keys))


def read_amass(archive: Archive, path: Path, fps: float | None, body_model: str | Path | None) -> SourceMotion:
    """Pose the user's body model by an archive's angles.

    Args:
        archive: with `trans` and `poses`, or `root_orient` and `pose_body`; `betas` and `gender` are used if there.
        path: the archive's file.
        fps: frames a second.
        body_model: folder in which the licensed models lie, in any layout.

    Returns:
        22 joints in metres, z up.

    Raises:
        RemogptError: no frame rate, no body model, or arrays of other shapes.
    """
    angles = _angles(archive, path)
    kind = _KINDS.get(angles.shape[1], "smplh")
    if "surface_model_type" in archive:
        kind = str(archive.read("surface_model_type")).lower()
    gender = _word(archive.read("gender")) if "gender" in archive else "neutral"
    if body_model is None:
        raise RemogptError(
            f"{path} holds AMASS's pose angles ({archive.describe(4)}), which are no joints without the {kind} body "
            f"model ({gender}). Download the model under its licence from https://smpl-x.is.tue.mpg.de or "
            f"https://mano.is.tue.mpg.de, unpack its .npz files into a folder, and name it with body_model= "
            f"(--body-model FOLDER)"
        )
    if fps is None:
        raise RemogptError(f"{path}: AMASS's archives hold their rate as mocap_framerate; say it with fps= (--fps)")
    rest = _rest_joints(find_body_model(Path(body_model), kind, gender), archive)
    matrices = _matrices(angles[:, : 3 * NUM_JOINTS].reshape(-1, NUM_JOINTS, 3))
    offsets = rest - rest[[max(parent, 0) for parent in PARENTS]]
    joints = forward_kinematics(matrices, archive.read("trans") + rest[0], offsets)
    return SourceMotion(JOINT_NAMES, joints, fps, str(path), PARENTS, metres_per_unit=1.0, up="z")


def _angles(archive: Archive, path: Path) -> np.ndarray:
    if "poses" in archive:
        angles = archive.read("poses")
    else:
        angles = np.concatenate([archive.read("root_orient"), archive.read("pose_body")], axis=-1)
    trans = archive.shape("trans")
    if angles.ndim != 2 or angles.shape[1] < 3 * NUM_JOINTS or trans != (len(angles), 3) or angles.dtype.kind != "f":
        raise RemogptError(
            f"{path}: wanted AMASS's poses (T, 66 or more) and trans (T, 3), got {angles.shape} and {trans}; "
            f"download the file again"
        )
    return angles.astype(np.float64)


def _matrices(angles: np.ndarray) -> np.ndarray:
    from scipy.spatial.transform import Rotation  # slow to import

    return np.asarray(Rotation.from_rotvec(angles.reshape(-1, 3)).as_matrix().reshape(*angles.shape[:-1], 3, 3))


def _word(value: np.ndarray) -> str:
    text = value.item() if value.size == 1 else "neutral"
    return text.decode() if isinstance(text, bytes) else str(text)


def find_body_model(folder: Path, kind: str, gender: str) -> Path:
    """Find a body model's .npz in a folder: its path names the model and the gender, or else neutral.

    Raises:
        MissingPathError: if there is none; lists what the folder holds.
    """
    if not folder.is_dir():
        raise MissingPathError(f"no folder {folder}; wanted the body models there, such as {kind}/{gender}/model.npz")
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in (".npz", ".pkl"))
    of_kind = [file for file in files if kind in _letters(file.relative_to(folder)) or len(files) == 1]
    for sex in (gender.lower(), "neutral"):
        for file in of_kind:
            named = _letters(file.relative_to(folder)).replace("female", "f_" if sex == "male" else "female")
            if file.suffix.lower() == ".npz" and (sex in named or len(files) == 1):
                return file
    found = ", ".join(str(file.relative_to(folder)) for file in files[:6]) or "no .npz"
    pickled = " (.pkl files are pickles and not opened)" if any(file.suffix.lower() == ".pkl" for file in files) else ""
    raise MissingPathError(
        f"{folder}: wanted the {kind} body model ({gender}) as .npz, such as {kind}/{gender}/model.npz, found "
        f"{found}{pickled}. Download the .npz form of the model"
    )


def _letters(path: Path) -> str:
    return path.as_posix().lower()


def _rest_joints(model: Path, archive: Archive) -> np.ndarray:
    """Return the 22 joints of the rest pose (22, 3), for the archive's `betas`."""
    with open_npz(model) as file:
        if missing := {"J_regressor", "v_template", "shapedirs"} - set(file.keys):
            raise RemogptError(f"{model}: wanted a body model, without {', '.join(sorted(missing))}; download it again")
        arrays: Mapping[str, np.ndarray] = {key: file.read(key) for key in ("J_regressor", "v_template", "shapedirs")}
    regressor = arrays["J_regressor"][:NUM_JOINTS]
    joints = regressor @ arrays["v_template"]
    if "betas" in archive:
        betas = np.atleast_2d(archive.read("betas"))[0]
        count = min(len(betas), arrays["shapedirs"].shape[-1])
        shape = np.einsum("jv,vcb->jcb", regressor, arrays["shapedirs"][..., :count])
        joints = joints + shape @ betas[:count]
    return np.asarray(joints, dtype=np.float64)
