"""BVH in and out, checked by a reader that shares no code with ours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from remogpt.motion.features import to_target_skeleton
from remogpt.motion.files.bvh import parse_bvh, read_bvh
from remogpt.motion.files.bvh_writer import write_bvh
from remogpt.motion.files.euler import euler_to_matrix, matrix_to_zxy
from remogpt.motion.files.read import load_motion
from remogpt.motion.retarget import to_joints
from remogpt.motion.skeleton import JOINT_NAMES, TARGET_OFFSETS
from remogpt.runtime.errors import RemogptError


def independent_positions(text: str, names: tuple[str, ...]) -> np.ndarray:
    """Pose a BVH with homogeneous matrices, one frame and joint at a time."""
    words = text.replace("{", " { ").replace("}", " } ").split()
    motion = words.index("MOTION")
    joints, stack, cursor = [], [], 0
    while cursor < motion:
        word = words[cursor]
        if word in ("ROOT", "JOINT"):
            joints.append({"name": words[cursor + 1], "parent": stack[-1] if stack else None, "channels": []})
            pending = len(joints) - 1
        elif word == "End":
            pending = "end"
        elif word == "{":
            stack.append(pending)
        elif word == "}":
            stack.pop()
        elif word == "OFFSET" and stack[-1] != "end":
            joints[stack[-1]]["offset"] = [float(value) for value in words[cursor + 1 : cursor + 4]]
        elif word == "CHANNELS":
            joints[stack[-1]]["channels"] = words[cursor + 2 : cursor + 2 + int(words[cursor + 1])]
        cursor += 1
    num_frames = int(words[motion + 2])
    rows = np.array(words[motion + 6 :], dtype=float).reshape(num_frames, -1)
    result = np.zeros((num_frames, len(names), 3))
    for frame, row in enumerate(rows):
        world, values = [], iter(row)
        for joint in joints:
            translation, turn = np.array(joint["offset"]), np.eye(4)
            for channel in joint["channels"]:
                value, axis = next(values), "XYZ".index(channel[0])
                if channel.endswith("position"):
                    translation[axis] = value
                else:
                    c, s = np.cos(np.radians(value)), np.sin(np.radians(value))
                    step = np.eye(4)
                    a, b = [(1, 2), (2, 0), (0, 1)][axis]
                    step[a, a], step[a, b], step[b, a], step[b, b] = c, -s, s, c
                    turn = turn @ step
            matrix = np.eye(4)
            matrix[:3, 3] = translation
            matrix = matrix @ turn
            world.append(matrix if joint["parent"] is None else world[joint["parent"]] @ matrix)
        position_of = {joint["name"]: matrix[:3, 3] for joint, matrix in zip(joints, world, strict=True)}
        result[frame] = [position_of[name] for name in names]
    return result


def _millimetres(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.linalg.norm(first - second, axis=-1).max() * 1000)


def test_bones_are_constant_and_only_the_root_has_positions(tiny_set: Path, tmp_path: Path) -> None:
    joints = np.load(tiny_set / "new_joints/000004.npy")
    write_bvh(tmp_path / "out.bvh", joints)
    text = (tmp_path / "out.bvh").read_text()
    assert text.count("CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation") == 1
    assert text.count("CHANNELS 3 Zrotation Xrotation Yrotation") == 21
    assert _millimetres(independent_positions(text, JOINT_NAMES) * 0.01, joints) < 0.1


@pytest.mark.parametrize(("noise", "millimetres"), [(0.002, 12), (0.01, 60)])
def test_bones_of_changing_length_stay_near_their_joints(
    tiny_set: Path, tmp_path: Path, noise: float, millimetres: float
) -> None:
    joints = np.load(tiny_set / "new_joints/000004.npy")[:60]
    joints = joints + np.random.default_rng(0).normal(0, noise, joints.shape)
    write_bvh(tmp_path / "out.bvh", joints)
    text = (tmp_path / "out.bvh").read_text()
    assert text.count("CHANNELS 6") == 1
    posed = independent_positions(text, JOINT_NAMES) * 0.01
    assert _millimetres(posed, joints) < millimetres


def test_recorded_motions_come_back_from_their_bvh(data_dir: Path, tmp_path: Path) -> None:
    """Brought to one body's bones; what a reading at 20 fps has interpolated is not quite rigid."""
    for file in [*sorted((data_dir / "raw").glob("*.bvh")), data_dir / "raw/02_03.amc"]:
        joints = to_target_skeleton(load_motion(file).joints[:40])
        write_bvh(tmp_path / "out.bvh", joints)
        posed = independent_positions((tmp_path / "out.bvh").read_text(), JOINT_NAMES) * 0.01
        assert _millimetres(posed, joints) < 1.0, file.name
        assert _millimetres(load_motion(tmp_path / "out.bvh").joints, joints) < 1.0, file.name


def test_resting_body_is_written_as_a_t_pose(tmp_path: Path) -> None:
    from remogpt.motion.kinematics import forward_kinematics

    identity = np.broadcast_to(np.eye(3, dtype=np.float32), (3, 22, 3, 3))
    joints = forward_kinematics(identity, np.zeros((3, 3), dtype=np.float32), TARGET_OFFSETS)
    write_bvh(tmp_path / "out.bvh", joints)
    file = parse_bvh((tmp_path / "out.bvh").read_text(), "out.bvh")
    offsets = {joint.name: np.array(joint.offset) for joint in file.joints}
    assert offsets["left_elbow"][0] > 20 and abs(offsets["left_elbow"][1]) < 1e-6  # centimetres, arm to the left
    assert offsets["right_elbow"][0] < -20
    assert offsets["left_knee"][1] < -30
    assert offsets["left_hip"][0] > 0 > offsets["right_hip"][0]


def test_root_keeps_turning_without_jumps() -> None:
    yaw = np.linspace(0, 900, 200)
    matrix = euler_to_matrix(np.stack([yaw], axis=-1), "y")[:, None]
    angles = matrix_to_zxy(matrix)
    assert np.abs(np.diff(angles[:, 0], axis=0)).max() < 10
    np.testing.assert_allclose(euler_to_matrix(angles, "zxy"), matrix, atol=1e-9)


def test_angles_round_trip_even_at_gimbal_lock() -> None:
    degrees = np.random.default_rng(2).uniform(-180, 180, (50, 4, 3))
    degrees[::5, 0, 1] = 90.0
    degrees[::5, 1, 1] = -90.0
    matrix = euler_to_matrix(degrees, "zxy")
    np.testing.assert_allclose(euler_to_matrix(matrix_to_zxy(matrix), "zxy"), matrix, atol=1e-6)


def test_forward_kinematics_equals_the_published_positions(data_dir: Path) -> None:
    """Tolerance 0.06 mm: the packed positions are rounded to a tenth of a millimetre."""
    with np.load(data_dir / "mocap/bandai.npz") as packed:
        ids, names, offsets = list(packed["ids"]), list(packed["joint_names"]), packed["offsets"]
        hips, relative = packed["hips_0p1mm"], packed["rel_to_hips_0p1mm"]
    compared = 0
    for file in sorted((data_dir / "raw").glob("*.bvh")):
        if file.stem not in ids:
            continue
        rows = slice(*offsets[ids.index(file.stem) :][:2])
        expected = (hips[rows, None].astype(np.float64) + relative[rows]) / 1e4
        source = read_bvh(file)
        ours = source.positions[:, [source.names.index(name) for name in names]] * 0.01
        assert source.fps == 30.0
        assert np.abs(ours - expected).max() < 6e-5
        compared += 1
    assert compared == 2


@pytest.mark.parametrize("channels", ["Zrotation Xrotation Yrotation", "Xrotation Yrotation Zrotation", "Yrotation"])
def test_any_channel_order_is_posed_as_the_independent_reader_does(channels: str) -> None:
    count = len(channels.split())
    text = (
        f"HIERARCHY\nROOT a {{\n OFFSET 1 2 3\n CHANNELS {count + 3} Xposition Zposition Yposition {channels}\n"
        f" JOINT b\n {{\n OFFSET 0 4 1\n CHANNELS {count} {channels}\n JOINT c\n{{\nOFFSET 1 1 1\nCHANNELS 0\n"
        "End Site\n{\nOFFSET 0 1 0\n}\n}\n}\n}\nMOTION\nFrames: 2\nFrame Time: 0.05\n"
    )
    rows = np.random.default_rng(3).uniform(-90, 90, (2, 2 * count + 3))
    text += "\n".join(" ".join(f"{value:.5f}" for value in row) for row in rows) + "\n"
    file = parse_bvh(text, "made up")
    from remogpt.motion.files.bvh import pose

    np.testing.assert_allclose(pose(file)[:, :3], independent_positions(text, ("a", "b", "c")), atol=1e-9)


def _own_text(tmp_path: Path) -> str:
    joints = np.random.default_rng(4).normal(0, 0.3, (6, 22, 3))
    write_bvh(tmp_path / "own.bvh", joints)
    return (tmp_path / "own.bvh").read_text()


def test_cut_off_file_says_line_and_frames(tmp_path: Path) -> None:
    lines = _own_text(tmp_path).splitlines()
    (tmp_path / "short.bvh").write_text("\n".join(lines[:-2]) + "\n")
    with pytest.raises(RemogptError, match=rf"short\.bvh, line {len(lines) - 2}: expected 6 frames .* found 4"):
        load_motion(tmp_path / "short.bvh")
    (tmp_path / "half.bvh").write_text("\n".join([*lines[:-1], lines[-1][:40]]))
    with pytest.raises(RemogptError, match=rf"half\.bvh, line {len(lines)}: expected 69 values in frame 6 of 6"):
        load_motion(tmp_path / "half.bvh")


def test_damaged_text_names_the_line(tmp_path: Path) -> None:
    text = _own_text(tmp_path)
    lines = text.splitlines()
    broken = "\n".join([*lines[:-1], lines[-1].replace(" ", " oops ", 1)])
    (tmp_path / "word.bvh").write_text(broken)
    with pytest.raises(RemogptError, match=rf"word\.bvh, line {len(lines)}: 'oops' is not a number"):
        load_motion(tmp_path / "word.bvh")
    with pytest.raises(RemogptError, match=r"line 4: cannot read 'OFFSET 0.000000'"):
        parse_bvh(text.replace("OFFSET 0.000000 0.000000 0.000000", "OFFSET 0.000000", 1), "x.bvh")
    with pytest.raises(RemogptError, match="HIERARCHY and MOTION"):
        parse_bvh("hello", "x.bvh")
    with pytest.raises(RemogptError, match="Frame Time"):
        parse_bvh(
            text.replace("Frame Time: 0.05", "Frame Time: 0.0", 1).replace("Frame Time: 0.00", "Frame Time: 0 "), "x"
        )
    with pytest.raises(RemogptError, match="frame 0, channel 0 is not a finite number"):
        parse_bvh("\n".join([*lines[:-6], "nan " + lines[-6].split(" ", 1)[1], *lines[-5:]]), "x.bvh")


def test_a_skeleton_without_a_leg_says_what_is_missing(tmp_path: Path) -> None:
    turns = "CHANNELS 3 Zrotation Xrotation Yrotation"
    (tmp_path / "snake.bvh").write_text(
        f"HIERARCHY\nROOT Head {{\n OFFSET 0 0 0\n {turns}\n JOINT Tail {{\n OFFSET 0 0 9\n {turns}\n End Site {{\n"
        f" OFFSET 0 0 9\n}}\n}}\n}}\nMOTION\nFrames: 2\nFrame Time: 0.05\n0 0 0 0 0 0\n0 0 0 0 0 0\n"
    )
    with pytest.raises(RemogptError, match=r"snake\.bvh: no human body found .*: no left leg .*remogpt data map FILE"):
        load_motion(tmp_path / "snake.bvh")


def test_size_that_no_unit_explains_is_refused(tmp_path: Path, tiny_set: Path) -> None:
    joints = np.load(tiny_set / "new_joints/000004.npy")[:5]
    write_bvh(tmp_path / "metres.bvh", joints, metres_per_unit=1.0)
    np.testing.assert_allclose(load_motion(tmp_path / "metres.bvh").joints, joints, atol=1e-4)
    write_bvh(tmp_path / "giant.bvh", joints * 30)
    with pytest.raises(RemogptError, match=r"expected a leg of 0.5-1.3 m"):
        load_motion(tmp_path / "giant.bvh")


def test_retargeting_twice_changes_nothing(data_dir: Path, tmp_path: Path) -> None:
    joints = to_joints(read_bvh(data_dir / "raw/dataset-2_wave-left-hand_active_001.bvh"))[:20]
    write_bvh(tmp_path / "a.bvh", joints)
    assert _millimetres(to_joints(read_bvh(tmp_path / "a.bvh")), joints) < 0.1
