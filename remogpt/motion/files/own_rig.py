"""Move a rig of the user's own, given as a BVH file, by our motions: its names, tree, bones, unit and axes are kept.

Which of its joints does what is found as for any file that is read (`retarget.find_table`). A reference pose connects
the two bodies: the rig's rest pose if a person could stand so, else the frame of its file in which it stands most
upright. In it both bodies are laid over each other; from there every joint of the rig turns as ours does. So a rig in
an A-pose, one whose rest pose is folded (LaFAN1), and one with other spines or fingers come out upright; what we do not
have stays as it is in the reference pose. Paths are scaled by the legs, so that feet neither float nor slide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from remogpt.motion.door.given import UP_AXES
from remogpt.motion.door.measure import at, leg_length, stands, unit
from remogpt.motion.door.scale import metres_per_unit
from remogpt.motion.files.bvh import BvhFile, BvhJoint, parse_bvh, read_bvh
from remogpt.motion.files.euler import euler_to_matrix
from remogpt.motion.files.glb_writer import Bind
from remogpt.motion.kinematics import bone_offsets
from remogpt.motion.retarget import find_table, place_joints, tilt
from remogpt.motion.rig import Rig, RigMotion
from remogpt.motion.rotation_fit import fit_rotations, world_rotations
from remogpt.motion.skeleton import JOINT_INDEX, JOINT_NAMES, PARENTS
from remogpt.motion.skeleton_table import SkeletonTable
from remogpt.runtime.errors import MissingPathError, RemogptError


@dataclass(frozen=True)
class OwnRig:
    """A rig with its reference pose; lengths in the rig's unit."""

    rig: Rig
    """Offsets in the rig's own axes."""
    drivers: tuple[int, ...]
    """Our joint that turns each joint of the rig; -1: it stays towards its parent as in the reference pose."""
    upright: np.ndarray
    """(3, 3) from the rig's axes to ours, y up, the reference pose facing +z."""
    rotations: np.ndarray
    """(J, 3, 3) of each joint in the reference pose, in the rig's world."""
    body: np.ndarray
    """(22, 3) our joints in the reference pose, in our axes."""
    hips: np.ndarray
    """(3,) from the rig's joint that stands for our pelvis to our pelvis, in our axes."""
    up: np.ndarray
    """(3, 3) from the rig's axes to ours, without turning its front."""


def read_rig(path: str | Path) -> OwnRig:
    """Read a rig from a BVH file; its frames, if it has any, show how it stands.

    Raises:
        MissingPathError: no such file.
        RemogptError: the file is no BVH, or no human body is found in it.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingPathError(f"no file {path}; name a .bvh file with the rig to be moved")
    file = parse_bvh(path.read_text(encoding="utf-8", errors="replace"), str(path))
    source = read_bvh(path, fps=30.0)  # no matter how fast
    table = find_table(source)
    bodies = tilt(place_joints(source, table), table.tilt_degrees)
    rest = tilt(place_joints(replace(source, positions=np.asarray(source.rest)[None]), table), table.tilt_degrees)[0]
    axis = UP_AXES[_up(bodies)]
    if stands(rest):
        body, positions, rotations = rest, np.asarray(source.rest), np.tile(np.eye(3), (len(file.joints), 1, 1))
    else:
        frame = int(np.argmax((at(bodies, "head") - at(bodies, "ankles")) @ axis[1]))
        body, positions, rotations = bodies[frame], source.positions[frame], _posed(file, frame)
    body, up = body @ axis.T, axis @ table.axes
    front = _front_to_z(body)
    places = _places(table, file.joints, str(path))
    hips = body[0] - up @ positions[places[0]]
    return OwnRig(
        _rig(file, places), _drivers(places, len(file.joints)), front @ up, rotations, body @ front.T, front @ hips, up
    )


def follow(own: OwnRig, joints: np.ndarray, fps: float) -> RigMotion:
    """Move a rig as joints (T, 22, 3) in metres move; the result is in the rig's own axes and unit."""
    joints = joints.astype(np.float64)
    scale = leg_length(joints) / leg_length(own.body[None])
    turns = world_rotations(fit_rotations(joints, bone_offsets(own.body)).rotations)  # from the reference pose
    world: list[np.ndarray] = []
    back = own.up.T
    for joint, parent in enumerate(own.rig.parents):
        driver = own.drivers[joint]
        if driver >= 0:
            world.append(back @ turns[:, driver] @ own.upright @ own.rotations[joint])
        elif parent < 0:
            world.append(np.tile(own.rotations[joint], (len(joints), 1, 1)))
        else:
            world.append(world[parent] @ (own.rotations[parent].T @ own.rotations[joint]))
    local = [world[0]] + [
        world[parent].swapaxes(1, 2) @ world[joint] for joint, parent in enumerate(own.rig.parents[1:], start=1)
    ]
    root = (joints[:, 0] / scale - turns[:, 0] @ own.hips) @ own.up
    joint = own.drivers.index(0)
    while joint > 0:
        root -= world[own.rig.parents[joint]] @ own.rig.offsets[joint]
        joint = own.rig.parents[joint]
    return RigMotion(own.rig, np.stack(local, axis=1), root, fps)


def follow_in_metres(own: OwnRig, joints: np.ndarray, fps: float) -> tuple[RigMotion, Bind]:
    """Move a rig as `follow` does, in metres with y up as glTF has them, and put a body on its reference pose.

    Returns:
        The moving rig, and how the body is put on.
    """
    metres, _ = metres_per_unit(own.body[None], (), False, "the rig")
    moving = follow(own, joints, fps).turned(own.up)
    ends = {joint: metres * end for joint, end in moving.rig.ends.items()}
    rig = replace(moving.rig, offsets=metres * moving.rig.offsets, ends=ends)
    positions = np.zeros_like(own.rig.offsets)
    for joint, parent in enumerate(own.rig.parents[1:], start=1):
        positions[joint] = positions[parent] + own.rotations[parent] @ own.rig.offsets[joint]
    hips = own.drivers.index(0)
    places = [own.drivers.index(0)] * len(JOINT_NAMES)
    for ours, above in enumerate(PARENTS):  # what the rig lacks hangs on what is before it
        places[ours] = own.drivers.index(ours) if ours in own.drivers else places[max(above, 0)]
    bind = Bind(
        metres * own.body,
        tuple(places),
        own.upright @ own.rotations @ own.up.T,
        metres * ((positions - positions[hips]) @ own.upright.T + own.body[0] - own.hips),
    )
    return RigMotion(rig, moving.rotations, metres * moving.root, fps), bind


def _up(bodies: np.ndarray) -> str:
    """Return the axis along which a rig stands in most frames; y if it ever does: somebody may lie in the others."""
    directions = unit(at(bodies, "head") - at(bodies, "ankles"))
    shares = {axis: float((directions @ turn[1] > 0.7).mean()) for axis, turn in UP_AXES.items()}
    return "y" if shares["y"] > 0.3 else max(shares, key=lambda axis: shares[axis])


def _posed(file: BvhFile, frame: int) -> np.ndarray:
    """Return the rotation (J, 3, 3) of each joint of a frame in the world."""
    world: list[np.ndarray] = []
    column = 0
    for joint in file.joints:
        values = file.values[frame, column : column + len(joint.channels)]
        column += len(joint.channels)
        turns = [index for index, name in enumerate(joint.channels) if name.endswith("rotation")]
        local = euler_to_matrix(values[turns], "".join(joint.channels[index][0] for index in turns))
        world.append(local if joint.parent < 0 else world[joint.parent] @ local)
    return np.stack(world)


def _places(table: SkeletonTable, joints: Sequence[BvhJoint], origin: str) -> tuple[int, ...]:
    """Return the rig's joint that stands for each of ours, -1 where none does; no joint stands for two."""
    names = [joint.name for joint in joints]
    places: list[int] = []
    for ours in JOINT_NAMES:
        theirs, weight = max(table.joints[ours].items(), key=lambda item: item[1])
        found = names.index(theirs) if theirs in names and weight > 0.45 and ours != "pelvis" else -1
        places.append(-1 if found in places else found)
    above = [_ancestors(places[JOINT_INDEX[f"{side}_hip"]], joints) for side in ("left", "right")]
    shared = [joint for joint in above[0] if joint in above[1]]
    if not shared:
        raise RemogptError(f"{origin}: found no joint that carries both thighs; name a .bvh file with a whole body")
    places[0] = shared[0]
    return tuple(places)


def _ancestors(joint: int, joints: Sequence[BvhJoint]) -> list[int]:
    """Return the joints above one, nearest first."""
    above = []
    while joint >= 0:
        joint = joints[joint].parent
        above.append(joint)
    return above[:-1]


def _drivers(places: tuple[int, ...], count: int) -> tuple[int, ...]:
    """Return our joint that turns each of the rig's; leaves turn with the bone that carries them."""
    return tuple(places.index(joint) if joint in places else -1 for joint in range(count))


def _rig(file: BvhFile, places: tuple[int, ...]) -> Rig:
    offsets = np.array([joint.offset for joint in file.joints], dtype=np.float64)
    offsets[0] = 0.0  # its position channels say where it is
    ends = {index: np.array(joint.end) for index, joint in enumerate(file.joints) if joint.end is not None}
    names = tuple(joint.name for joint in file.joints)
    return Rig(names, tuple(joint.parent for joint in file.joints), offsets, places, ends)


def _front_to_z(body: np.ndarray) -> np.ndarray:
    """Return the turn about y that makes a body (22, 3) face +z."""
    across = sum(body[JOINT_INDEX[f"left_{part}"]] - body[JOINT_INDEX[f"right_{part}"]] for part in ("hip", "shoulder"))
    x, z = unit(np.asarray(across) * (1.0, 0.0, 1.0))[[0, 2]]
    return np.array([[x, 0.0, z], [0.0, 1.0, 0.0], [-z, 0.0, x]])
