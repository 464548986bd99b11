"""Rigs of the user's own: an A-pose, z up, inches, a joint above the hips, twist joints, fingers; and foreign files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from remogpt.motion import Motion, load_motion
from remogpt.motion.files.bvh import parse_bvh, pose
from remogpt.motion.files.smpl_writer import SMPL_REST
from remogpt.motion.skeleton import PARENTS
from remogpt.runtime.errors import RemogptError
from tests.motion.made_motions import made_motion
from tests.motion.test_round_trips import read_with_bvhio

INCH = 0.0254
LIMBS = [index - 1 for index in (4, 5, 7, 8, 10, 11, 16, 17, 18, 19, 20, 21)]
"""Bones that every rig has: thighs, shins, feet, collars' ends, upper arms, forearms."""

#        name, parent, offset in inches, z up and facing -y as in Blender
RIG = (
    ("Root", -1, (0, 0, 0)), ("Hips", 0, (0, 0, 38)),
    ("Spine", 1, (0, 0, 4)), ("Spine1", 2, (0, 0, 5)), ("Spine2", 3, (0, 0, 5)), ("Neck", 4, (0, 0, 7)),
    ("Head", 5, (0, -1, 4)),
    ("LeftShoulder", 4, (1, 0, 5)), ("LeftArm", 7, (5, 0, 0)), ("LeftArmTwist", 8, (3, 0, -3)),
    ("LeftForeArm", 8, (7, 0, -7)), ("LeftHand", 10, (6.5, 0, -6.5)), ("LeftHandIndex1", 11, (2, 0, -2)),
    ("RightShoulder", 4, (-1, 0, 5)), ("RightArm", 13, (-5, 0, 0)), ("RightForeArm", 14, (-7, 0, -7)),
    ("RightHand", 15, (-6.5, 0, -6.5)),
    ("LeftUpLeg", 1, (4, 0, -2)), ("LeftLeg", 17, (0, 0, -17)), ("LeftFoot", 18, (0, 0, -17)),
    ("LeftToeBase", 19, (0, -5, -2)),
    ("RightUpLeg", 1, (-4, 0, -2)), ("RightLeg", 21, (0, 0, -17)), ("RightFoot", 22, (0, 0, -17)),
    ("RightToeBase", 23, (0, -5, -2)),
)  # fmt: skip


def hierarchy(joint: int = 0) -> str:
    """Write the rig from a joint on."""
    name, parent, offset = RIG[joint]
    channels = "6 Xposition Yposition Zposition" if parent < 0 else "3"
    below = "".join(hierarchy(child) for child in range(len(RIG)) if RIG[child][1] == joint)
    below = below or "End Site\n{\nOFFSET 0 0 1\n}\n"
    kind = "ROOT" if parent < 0 else "JOINT"
    numbers = " ".join(f"{value:g}" for value in offset)
    return f"{kind} {name}\n{{\nOFFSET {numbers}\nCHANNELS {channels} Zrotation Xrotation Yrotation\n{below}}}\n"


@pytest.fixture
def rig(tmp_path: Path) -> Path:
    """A file of one frame: the rig in its rest pose."""
    path = tmp_path / "hero.bvh"
    zeros = " ".join(["0"] * (3 * len(RIG) + 3))
    path.write_text(f"HIERARCHY\n{hierarchy()}MOTION\nFrames: 1\nFrame Time: 0.0333\n{zeros}\n")
    return path


def bones(joints: np.ndarray) -> np.ndarray:
    """(T, 21, 3) directions."""
    vectors = joints[:, 1:] - joints[:, list(PARENTS[1:])]
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def test_the_rig_keeps_its_tree_and_its_bones_turn_as_the_motions(rig: Path, tmp_path: Path) -> None:
    joints, _ = made_motion("turns 540 degrees", offsets=SMPL_REST)
    Motion(joints).save(tmp_path / "out.bvh", skeleton=str(rig))
    ours, theirs = (parse_bvh(path.read_text(), "x") for path in (tmp_path / "out.bvh", rig))
    assert [(one.name, one.parent) for one in ours.joints] == [(one.name, one.parent) for one in theirs.joints]
    np.testing.assert_allclose([one.offset for one in ours.joints], [one.offset for one in theirs.joints], atol=1e-6)
    assert [one.end for one in ours.joints] == [one.end for one in theirs.joints]
    assert sum("xposition" in one.channels for one in ours.joints) == 1
    positions, _ = read_with_bvhio(tmp_path / "out.bvh")
    y_up = {name: rows @ np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]) for name, rows in positions.items()}
    for first, last, (start, end) in (
        ("LeftUpLeg", "LeftLeg", (1, 4)), ("RightLeg", "RightFoot", (5, 8)), ("LeftArm", "LeftForeArm", (16, 18)),
        ("RightForeArm", "RightHand", (19, 21)), ("LeftForeArm", "LeftHand", (18, 20)),
    ):  # fmt: skip
        found, wanted = y_up[last] - y_up[first], joints[:, end] - joints[:, start]
        cosines = (found * wanted).sum(-1) / np.linalg.norm(found, axis=-1) / np.linalg.norm(wanted, axis=-1)
        assert np.degrees(np.arccos(np.clip(cosines, -1, 1))).max() < 0.5, first
    # Joints that we do not have stay as they are at rest: the twist joint half way along the arm.
    middle = (y_up["LeftArm"] + y_up["LeftForeArm"]) / 2
    assert np.abs(np.linalg.norm(y_up["LeftArmTwist"] - middle, axis=-1) - np.hypot(0.5, 0.5)).max() < 1e-3


def test_feet_stay_on_the_floor_and_paths_fit_the_legs(rig: Path, tmp_path: Path, tiny_set: Path) -> None:
    joints = np.load(tiny_set / "new_joints/000004.npy")
    Motion(joints).save(tmp_path / "out.bvh", skeleton=str(rig))
    back = load_motion(tmp_path / "out.bvh", up="z", unit="inch").joints
    assert abs(back[..., 1].min() - joints[..., 1].min()) < 0.06
    assert np.abs(back[:, 0, [0, 2]] - joints[: len(back), 0, [0, 2]] * (34 * INCH / 0.82)).max() < 0.1
    angles = np.degrees(np.arccos(np.clip((bones(back) * bones(joints[: len(back)])).sum(-1)[:, LIMBS], -1, 1)))
    assert np.median(angles, axis=0)[[0, 1, 2, 3, 4, 5, 8, 9, 10, 11]].max() < 2


def test_a_rest_pose_that_nobody_stands_in_is_replaced_by_a_frame(rig: Path, tmp_path: Path) -> None:
    """As LaFAN1's: every bone lies along the spine, and the first frame holds what makes a person of it."""
    file = parse_bvh(rig.read_text(), "x")
    upright = pose(file)[0]
    world = np.tile(np.eye(3), (len(RIG), 1, 1))
    for joint, (name, _, _) in enumerate(RIG):
        if name.startswith(("LeftUp", "LeftLeg", "RightUp", "RightLeg", "LeftFoot", "RightFoot")):
            world[joint] = Rotation.from_euler("x", 180, degrees=True).as_matrix()
    lines = rig.read_text().splitlines()
    values = np.zeros(3 * len(RIG) + 3)
    for joint, one in enumerate(file.joints):
        name, parent, _ = RIG[joint]
        local = world[parent].T @ world[joint] if parent >= 0 else world[joint]
        values[3 + 3 * joint : 6 + 3 * joint] = (0.0, np.degrees(np.arctan2(local[2, 1], local[2, 2])), 0.0)
        if parent >= 0:
            folded = world[parent].T @ (upright[joint] - upright[parent])
            index = next(number for number, line in enumerate(lines) if line.split()[-1] == name)
            lines[index + 2] = "OFFSET " + " ".join(f"{value:.6f}" for value in folded)
        assert one.name == name
    lines[-1] = " ".join(f"{value:.6f}" for value in values)
    (tmp_path / "folded.bvh").write_text("\n".join(lines) + "\n")
    joints, _ = made_motion("away", offsets=SMPL_REST)
    outs = [tmp_path / "a.bvh", tmp_path / "b.bvh"]
    for out, skeleton in zip(outs, (rig, tmp_path / "folded.bvh"), strict=True):
        Motion(joints).save(out, skeleton=str(skeleton))
    straight, folded_out = (pose(parse_bvh(out.read_text(), "x")) for out in outs)
    assert np.abs(straight - folded_out).max() < 0.05  # inches


def test_foreign_rigs_follow_a_motion(data_dir: Path, tmp_path: Path, tiny_set: Path) -> None:
    joints = np.load(tiny_set / "new_joints/000004.npy")[:40]
    for rig in sorted((data_dir / "raw/foreign").glob("*.bvh")):
        Motion(joints).save(tmp_path / rig.name, skeleton=str(rig))
        back = load_motion(tmp_path / rig.name).joints
        cosines = (bones(back) * bones(joints[: len(back)])).sum(-1)
        limbs = np.degrees(np.arccos(np.clip(np.median(cosines, axis=0), -1, 1)))
        assert limbs[[3, 4, 6, 7, 9, 10, 17, 18, 19, 20]].max() < 3, rig.name  # thighs, shins, feet, arms
        assert abs(back[..., 1].min() - joints[..., 1].min()) < 0.08, rig.name


def skinned(file: Any, frame: int) -> tuple[np.ndarray, np.ndarray]:
    """Pose a .glb as the specification says: vertices (V, 3) of its body, and its joints (J, 3)."""
    blob = file.binary_blob()

    def read(index: int) -> np.ndarray:
        accessor = file.accessors[index]
        kind = {5126: np.float32, 5123: np.uint16}[accessor.componentType]
        width = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}[accessor.type]
        start = file.bufferViews[accessor.bufferView].byteOffset
        return np.frombuffer(blob, kind, accessor.count * width, start).reshape(accessor.count, width)

    (animation,), (skin,) = file.animations, file.skins
    local = np.tile(np.eye(4), (len(file.nodes), 1, 1))
    for matrix, node in zip(local, file.nodes, strict=True):
        matrix[:3, 3] = node.translation or 0
    for channel in animation.channels:
        value = read(animation.samplers[channel.sampler].output)[frame]
        if channel.target.path == "translation":
            local[channel.target.node, :3, 3] = value
        else:
            local[channel.target.node, :3, :3] = Rotation.from_quat(value).as_matrix()
    world = local.copy()
    for index, node in enumerate(file.nodes):  # parents come first
        for child in node.children or ():
            world[child] = world[index] @ local[child]
    joints = world[skin.joints]
    inverse = read(skin.inverseBindMatrices).reshape(-1, 4, 4).swapaxes(1, 2)
    attributes = file.meshes[0].primitives[0].attributes
    points = np.c_[read(attributes.POSITION), np.ones(file.accessors[attributes.POSITION].count)]
    moved = np.einsum("jab,jbc,vc->vja", joints, inverse, points)[..., :3]
    chosen = np.take_along_axis(moved, read(attributes.JOINTS_0)[..., None].astype(int), axis=1)
    return (chosen * read(attributes.WEIGHTS_0)[..., None]).sum(axis=1), joints[:, :3, 3]


def test_a_glb_on_the_rig_moves_as_the_bvh_and_the_body_stays_on_it(rig: Path, tmp_path: Path) -> None:
    import pygltflib

    joints, _ = made_motion("away", offsets=SMPL_REST)
    for out in ("a.bvh", "a.glb"):
        Motion(joints, name="walk").save(tmp_path / out, skeleton=str(rig))
    file = pygltflib.GLTF2().load(str(tmp_path / "a.glb"))
    assert [node.name for node in file.nodes[: len(RIG)]] == [name for name, _, _ in RIG]
    bvh, glb = (load_motion(tmp_path / name).joints for name in ("a.bvh", "a.glb"))
    np.testing.assert_allclose(np.linalg.norm(glb[:, 4] - glb[:, 1], axis=-1), 17 * INCH, atol=1e-3)
    length = min(len(bvh), len(glb))
    np.testing.assert_allclose(bones(glb[:length]), bones(bvh[:length]), atol=0.02)
    for frame in (0, 20):
        vertices, places = skinned(file, frame)
        nearest = np.linalg.norm(vertices[:, None] - places[None], axis=-1).min(axis=1)
        assert nearest.max() < 0.25 and np.median(nearest) < 0.14  # the body is on the bones
        assert -0.15 < vertices[:, 1].min() - places[1:, 1].min() < 0.05 and 1.3 < np.ptp(vertices[:, 1]) < 2.1


def test_what_a_rig_cannot_be(rig: Path, tmp_path: Path) -> None:
    motion = Motion(made_motion("ahead")[0])
    for name, options, why in (
        ("a.bvh", {"skeleton": str(rig), "unit": "m"}, "keeps its unit and axes"),
        ("a.bvh", {"skeleton": str(tmp_path / "none.bvh")}, "no file .*none.bvh; name a .bvh file with the rig"),
    ):
        with pytest.raises(RemogptError, match=why):
            motion.save(tmp_path / name, **options)
    (tmp_path / "fish.bvh").write_text(
        "HIERARCHY\nROOT a\n{\nOFFSET 0 0 0\nCHANNELS 3 Zrotation Xrotation Yrotation\nEnd Site\n{\n"
        "OFFSET 0 1 0\n}\n}\n"
        "MOTION\nFrames: 1\nFrame Time: 0.05\n0 0 0\n"
    )
    with pytest.raises(RemogptError, match=r"fish\.bvh"):
        motion.save(tmp_path / "a.bvh", skeleton=str(tmp_path / "fish.bvh"))
    assert not (tmp_path / "a.bvh").exists()
