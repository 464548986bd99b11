"""What we write is read back by readers that are not ours: bvhio, trimesh, Blender's importers, three.js.

Positions within 1 mm and rotations within 0.5 degrees, in every named skeleton, for bodies that face us, face away, and
turn one and a half times.
"""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from remogpt.motion import Motion
from remogpt.motion.rig import SKELETONS, RigMotion, rig_motion
from tests.motion.made_motions import HEADINGS, degrees_between, made_motion

MILLIMETRE, HALF_DEGREE = 1e-3, 0.5
Z_TO_Y = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
"""From axes with z up, as in Blender, to ours."""
BLENDER = shutil.which("blender")

needs_headings = pytest.mark.parametrize("heading", HEADINGS)
needs_skeletons = pytest.mark.parametrize(
    ("skeleton", "heading"),
    [
        *(("remogpt", heading) for heading in HEADINGS),
        ("mixamo", "away"),
        *((name, "turns 540 degrees") for name in SKELETONS if name != "remogpt"),
    ],
)


def world_rotations(motion: RigMotion) -> np.ndarray:
    """(T, J, 3, 3)"""
    world = [motion.rotations[:, 0]]
    for joint, parent in enumerate(motion.rig.parents[1:], start=1):
        world.append(world[parent] @ motion.rotations[:, joint])
    return np.stack(world, axis=1)


def read_with_bvhio(path: Path) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return positions (T, 3) in file units and rotations (T, 3, 3) of each joint, in the world, from its rest pose."""
    bvhio = pytest.importorskip("bvhio", reason="bvhio reads BVH files; it comes with the extra [dev]")
    root = bvhio.readAsHierarchy(str(path))
    positions: dict[str, list] = {}
    turns: dict[str, list] = {}

    def turn_of(joint: object) -> Rotation:
        turn = joint.RotationWorld  # type: ignore[attr-defined]
        return Rotation.from_quat([turn.x, turn.y, turn.z, turn.w])

    root.loadRestPose()
    rest = {joint.Name: turn_of(joint) for joint, _, _ in root.layout()}  # bvhio lays bones along y
    first, last = root.getKeyframeRange()
    for frame in range(first, last + 1):
        root.loadPose(frame)
        for joint, _, _ in root.layout():
            positions.setdefault(joint.Name, []).append(list(joint.PositionWorld))
            turns.setdefault(joint.Name, []).append((turn_of(joint) * rest[joint.Name].inv()).as_matrix())
    return tuple({name: np.array(rows) for name, rows in found.items()} for found in (positions, turns))


def read_with_trimesh(path: Path) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Pose trimesh's scene graph by the file's animation, which trimesh itself leaves aside."""
    trimesh = pytest.importorskip("trimesh", reason="trimesh reads .glb files; it comes with the extra [dev]")
    scene, content = trimesh.load(path), path.read_bytes()
    (length,) = struct.unpack("<I", content[12:16])
    tree, blob = json.loads(content[20 : 20 + length]), content[28 + length :]

    def values(index: int) -> np.ndarray:
        accessor = tree["accessors"][index]
        start = tree["bufferViews"][accessor["bufferView"]].get("byteOffset", 0)
        width = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}[accessor["type"]]
        return np.frombuffer(blob, "<f4", accessor["count"] * width, start).reshape(-1, width)

    (animation,) = tree["animations"]
    tracks = [
        (
            channel["target"]["node"],
            channel["target"]["path"],
            values(animation["samplers"][channel["sampler"]]["output"]),
        )
        for channel in animation["channels"]
    ]
    num_frames = len(tracks[0][2])
    joints = [tree["nodes"][index]["name"] for index in tree["skins"][0]["joints"]]
    poses: dict[str, list] = {name: [] for name in joints}
    parents = {child: node["name"] for node in tree["nodes"] for child in node.get("children", [])}
    for frame in range(num_frames):
        for node, path_name, track in tracks:
            name = tree["nodes"][node]["name"]
            matrix = scene.graph.get(name, parents.get(node, scene.graph.base_frame))[0].copy()
            if path_name == "translation":
                matrix[:3, 3] = track[frame]
            else:
                matrix[:3, :3] = Rotation.from_quat(track[frame]).as_matrix()
            scene.graph.update(name, parents.get(node, scene.graph.base_frame), matrix=matrix)
        for name in joints:
            poses[name].append(scene.graph.get(name)[0])
    found = {name: np.array(rows) for name, rows in poses.items()}
    return {name: m[:, :3, 3] for name, m in found.items()}, {name: m[:, :3, :3] for name, m in found.items()}


def check(read: tuple[dict, dict], joints: np.ndarray, skeleton: str, metres_per_unit: float = 1.0) -> None:
    """Compare what a reader found with the joints, and with the rotations that were fitted to them."""
    positions, rotations = read
    names = SKELETONS[skeleton]
    assert set(positions) >= set(names)
    found = np.stack([positions[name] for name in names], axis=1) * metres_per_unit
    assert np.linalg.norm(found - joints, axis=-1).max() < MILLIMETRE
    motion = rig_motion(joints, 20.0, skeleton)
    turned = np.stack([rotations[name] for name in motion.rig.names], axis=1)
    assert degrees_between(turned, world_rotations(motion)) < HALF_DEGREE


@needs_skeletons
def test_bvhio_reads_our_bvh(tmp_path: Path, skeleton: str, heading: str) -> None:
    joints = made_motion(heading)[0][::4]
    Motion(joints).save(tmp_path / "a.bvh", skeleton=skeleton)
    check(read_with_bvhio(tmp_path / "a.bvh"), joints, skeleton, 0.01)


@needs_skeletons
def test_trimesh_reads_our_glb(tmp_path: Path, skeleton: str, heading: str) -> None:
    joints = made_motion(heading)[0][::8]
    Motion(joints).save(tmp_path / "a.glb", skeleton=skeleton)
    check(read_with_trimesh(tmp_path / "a.glb"), joints, skeleton)


@pytest.mark.parametrize(("unit", "metres"), [("m", 1.0), ("inch", 0.0254), (0.1, 0.1)])
def test_units_and_z_up(tmp_path: Path, unit: str | float, metres: float) -> None:
    joints = made_motion("away")[0][::8]
    Motion(joints).save(tmp_path / "a.bvh", unit=unit, up="z")
    positions, rotations = read_with_bvhio(tmp_path / "a.bvh")
    ours = {name: rows * metres @ Z_TO_Y.T for name, rows in positions.items()}
    check((ours, {name: Z_TO_Y @ rows @ Z_TO_Y.T for name, rows in rotations.items()}), joints, "remogpt")


@needs_headings
def test_the_pelvis_turns_as_it_did(heading: str) -> None:
    """The rest pose is ours to choose, so rotations are compared with those of the first frame."""
    joints, truth = made_motion(heading)
    fitted = rig_motion(joints, 20.0).rotations[:, 0]
    assert degrees_between(fitted @ fitted[0].T, truth @ truth[0].T) < 0.05


def test_recordings_whose_waist_turns_against_the_hips(data_dir: Path, tmp_path: Path) -> None:
    """CMU's bodies: a rigid pelvis would misplace the trunk by a centimetre."""
    from remogpt.motion import load_motion
    from remogpt.motion.features import to_target_skeleton

    joints = to_target_skeleton(load_motion(data_dir / "raw/02_03.amc").joints[::4])
    for suffix, read, unit in ((".bvh", read_with_bvhio, 0.01), (".glb", read_with_trimesh, 1.0)):
        Motion(joints).save(tmp_path / f"a{suffix}", skeleton="mixamo")
        check(read(tmp_path / f"a{suffix}"), Motion(joints).joints, "mixamo", unit)


BLENDER_SCRIPT = """
import builtins, json, sys
import bpy, numpy
plain_open = builtins.open  # Blender 3.4 asks for modes and names that Python 3.11 and NumPy 1.24 have dropped
builtins.open = lambda file, mode="r", *rest, **named: plain_open(file, mode.replace("U", ""), *rest, **named)
numpy.bool = bool
out, *paths = sys.argv[sys.argv.index("--") + 1:]
found = {}
for path in paths:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.scene.render.fps = 20
    if path.endswith(".bvh"):
        bpy.ops.import_anim.bvh(filepath=path, global_scale=0.01, axis_forward="-Z", axis_up="Y")
    else:
        bpy.ops.import_scene.gltf(filepath=path)
    (rig,) = [thing for thing in bpy.data.objects if thing.type == "ARMATURE"]
    first, last = (round(end) for end in rig.animation_data.action.frame_range)
    frames = []
    for frame in range(first, last + 1):
        bpy.context.scene.frame_set(frame)
        posed = rig.evaluated_get(bpy.context.evaluated_depsgraph_get())
        frames.append({bone.name: list(posed.matrix_world @ bone.head) for bone in posed.pose.bones})
    meshes = [len(thing.data.vertices) for thing in bpy.data.objects if thing.type == "MESH" and thing.vertex_groups]
    found[path] = {"frames": frames, "meshes": meshes}
with open(out, "w") as file:
    json.dump(found, file)
"""


@pytest.mark.slow
@pytest.mark.skipif(BLENDER is None, reason="no Blender on this machine to import the files with")
def test_blender_imports_our_files(tmp_path: Path) -> None:
    joints, _ = made_motion("turns 540 degrees")
    paths = [tmp_path / name for name in ("mixamo.bvh", "mixamo.glb")]
    for path in paths:
        Motion(joints).save(path, skeleton="mixamo")
    (tmp_path / "read.py").write_text(BLENDER_SCRIPT)
    command = [str(BLENDER), "--background", "--factory-startup", "--python-exit-code", "3", "--python",
               str(tmp_path / "read.py"), "--", str(tmp_path / "found.json"), *map(str, paths)]  # fmt: skip
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr + ran.stdout
    found = json.loads((tmp_path / "found.json").read_text())
    for path in paths:
        frames = found[str(path)]["frames"]
        read = np.array([[frame[name] for name in SKELETONS["mixamo"]] for frame in frames]) @ Z_TO_Y.T
        assert read.shape == joints.shape
        assert np.linalg.norm(read - joints, axis=-1).max() < MILLIMETRE
    assert found[str(paths[0])]["meshes"] == [] and found[str(paths[1])]["meshes"][0] > 500
