"""Rates under any key, more joints than ours, AMASS, bodies of any name, glTF keys, and files made to break readers."""

from __future__ import annotations

import base64
import json
import shutil
import struct
import time
from pathlib import Path

import numpy as np
import pytest

from remogpt.motion import Motion, load_motion
from remogpt.motion.files.gltf_keys import Track, sample
from remogpt.motion.files.read import clips_of
from remogpt.motion.kinematics import forward_kinematics
from remogpt.motion.skeleton import JOINT_NAMES, PARENTS, TARGET_OFFSETS
from remogpt.runtime.errors import MissingPathError, RemogptError


@pytest.fixture(scope="module")
def walk(tiny_set: Path) -> np.ndarray:
    """(61, 22, 3) of a clip."""
    return np.load(tiny_set / "new_joints" / "000004.npy")[:61]


@pytest.mark.parametrize(
    "rate",
    [
        {"mocap_framerate": 60.0}, {"mocap_frame_rate": [60.0]}, {"framerate": np.array([[60]])}, {"frame_rate": 60},
        {"FPS": np.float32(60)}, {"frame_time": 1 / 60}, {"fps": [60], "mocap_framerate": 60.0},
    ],
)  # fmt: skip
def test_rates_under_any_key(walk: np.ndarray, tmp_path: Path, rate: dict) -> None:
    np.savez(tmp_path / "a.npz", joints=walk, **rate)
    assert load_motion(tmp_path / "a.npz").num_frames == 21


@pytest.mark.parametrize(
    ("rate", "message"),
    [
        ({"fps": "thirty"}, "wanted fps as one number, the frames a second, got 'thirty'"),
        ({"fps": [20.0, 30.0]}, r"got an array of shape \(2,\)"),
        ({"fps": 20 + 3j}, "wanted fps as one number"),
        ({"fps": 1e-6}, "wanted 1 to 2000 frames a second, got 1e-06"),
        ({"fps": np.nan}, "wanted 1 to 2000 frames a second, got nan"),
        ({"fps": 20, "mocap_framerate": 60}, "wanted one frame rate, got fps 20, mocap_framerate 60"),
    ],
)
def test_rates_that_are_none(walk: np.ndarray, tmp_path: Path, rate: dict, message: str) -> None:
    np.savez(tmp_path / "a.npz", joints=walk, **rate)
    with pytest.raises(RemogptError, match=rf"a\.npz.*{message}"):
        load_motion(tmp_path / "a.npz")
    assert load_motion(tmp_path / "a.npz", fps=20).num_frames == 61


@pytest.mark.parametrize("count", [24, 52, 55])
def test_the_first_22_of_more_smpl_joints_are_taken(walk: np.ndarray, tmp_path: Path, count: int) -> None:
    more = np.concatenate([walk, np.repeat(walk[:, 20:21], count - 22, axis=1)], axis=1)
    np.save(tmp_path / "a.npy", more)
    np.testing.assert_array_equal(load_motion(tmp_path / "a.npy").joints, walk)
    np.savez(tmp_path / "a.npz", keypoints=more)
    np.testing.assert_array_equal(load_motion(tmp_path / "a.npz").joints, walk)


def test_amass_is_posed_by_the_users_body_model(tmp_path: Path) -> None:
    """A body model of 30 points whose regressor gives our rest pose."""
    rng = np.random.default_rng(0)
    turns = rng.normal(0, 0.2, (30, 22, 3))
    turns[:, 0] = [np.pi / 2, 0, 0]  # stands along z, as AMASS does
    places = np.zeros((22, 3))
    for joint, parent in enumerate(PARENTS):
        places[joint] = TARGET_OFFSETS[joint] + (places[parent] if parent >= 0 else 0)
    points = np.concatenate([places, rng.normal(size=(8, 3))])
    folder = tmp_path / "models" / "smplh" / "female"
    folder.mkdir(parents=True)
    np.savez(folder / "model.npz", J_regressor=np.eye(52, 30), v_template=points, shapedirs=np.zeros((30, 3, 16)),
             names=np.array([None], dtype=object))  # fmt: skip
    trans = np.cumsum(rng.normal(0, 0.01, (30, 3)), axis=0)
    poses = np.concatenate([turns.reshape(30, 66), np.zeros((30, 90))], axis=1)
    np.savez(tmp_path / "walk_poses.npz", poses=poses, trans=trans, gender="female", mocap_framerate=20.0,
             betas=np.zeros(16))  # fmt: skip
    from scipy.spatial.transform import Rotation

    matrices = Rotation.from_rotvec(turns.reshape(-1, 3)).as_matrix().reshape(30, 22, 3, 3)
    expected = forward_kinematics(matrices, trans + places[0], TARGET_OFFSETS.astype(np.float64))
    expected = expected @ np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]).T
    motion = load_motion(tmp_path / "walk_poses.npz", body_model=tmp_path / "models")
    np.testing.assert_allclose(motion.joints, expected, atol=1e-5)
    with pytest.raises(RemogptError, match=r"AMASS's pose angles .* smplh body model \(female\).*--body-model FOLDER"):
        load_motion(tmp_path / "walk_poses.npz")
    with pytest.raises(MissingPathError, match=r"no folder .*nowhere; wanted the body models"):
        load_motion(tmp_path / "walk_poses.npz", body_model=tmp_path / "nowhere")
    (folder / "model.npz").rename(folder / "model.pkl")
    with pytest.raises(MissingPathError, match=r"as \.npz.*found smplh/female/model.pkl \(.pkl files are pickles"):
        load_motion(tmp_path / "walk_poses.npz", body_model=tmp_path / "models")


def test_bodies_of_amc_files_under_other_names(data_dir: Path, tmp_path: Path) -> None:
    shutil.copy(data_dir / "raw/02_03.amc", tmp_path / "HDM_bd_walk_001.amc")
    shutil.copy(data_dir / "raw/02.asf", tmp_path / "skeleton.asf")
    only = load_motion(tmp_path / "HDM_bd_walk_001.amc")
    assert only.notices == ("body taken from skeleton.asf",)
    shutil.copy(data_dir / "raw/39.asf", tmp_path / "HDM.asf")
    shutil.move(tmp_path / "skeleton.asf", tmp_path / "HDM_bd.asf")
    np.testing.assert_array_equal(load_motion(tmp_path / "HDM_bd_walk_001.amc").joints, only.joints)
    (tmp_path / "02").mkdir()
    shutil.copy(data_dir / "raw/02_03.amc", tmp_path / "02" / "02_03.amc")
    shutil.copy(data_dir / "raw/02.asf", tmp_path / "02.asf")
    np.testing.assert_array_equal(load_motion(tmp_path / "02" / "02_03.amc").joints, only.joints)


def test_acclaim_bodies_with_other_bone_names_are_read_by_anatomy(data_dir: Path, tmp_path: Path) -> None:
    """The bones of CMU's body under names of where they begin."""
    names = {"femur": "UpLeg", "tibia": "Leg", "foot": "Foot", "toes": "Toe", "clavicle": "Shoulder", "humerus": "Arm",
             "radius": "ForeArm", "wrist": "Hand", "hand": "Palm"}  # fmt: skip
    for name in ("02.asf", "02_03.amc"):
        text = (data_dir / "raw" / name).read_text()
        for old, new in names.items():
            for letter, side in (("l", "Left"), ("r", "Right")):
                text = text.replace(f"{letter}{old}", f"{side}{new}")
        (tmp_path / name).write_text(text)
    mine, theirs = load_motion(tmp_path / "02_03.amc"), load_motion(data_dir / "raw/02_03.amc")
    assert mine.notices[0].startswith("read as Mixamo-like: ")
    assert np.linalg.norm(mine.joints - theirs.joints, axis=-1)[:, [1, 2, 4, 5, 7, 8]].max() < 0.02


def test_frame_time_zero_needs_a_rate(walk: np.ndarray, tmp_path: Path) -> None:
    Motion(walk).save(tmp_path / "a.bvh")
    text = (tmp_path / "a.bvh").read_text().replace("Frame Time: 0.050000", "Frame Time: 0.000000")
    assert "0.000000" in text
    (tmp_path / "a.bvh").write_text(text)
    with pytest.raises(RemogptError, match=r"Frame Time is 0; say the frames a second with fps= \(--fps\)"):
        load_motion(tmp_path / "a.bvh")
    np.testing.assert_allclose(load_motion(tmp_path / "a.bvh", fps=20).joints, walk, atol=1e-3)


def gltf_of(walk: np.ndarray, mode: str = "LINEAR") -> dict:
    """A glTF document of our joints as free nodes, moved by translations; two animations, the second a pose."""
    times = (np.arange(len(walk)) / 20).astype(np.float32)
    local = walk - walk[:, [max(parent, 0) for parent in PARENTS]] + np.eye(1, 22).T * walk[:, :1]
    blob, views, accessors = b"", [], []
    for array, kind in [(times, "SCALAR"), *((local[:, joint], "VEC3") for joint in range(22))]:
        data = np.ascontiguousarray(array, np.float32).tobytes()
        views.append({"buffer": 0, "byteOffset": len(blob), "byteLength": len(data)})
        accessors.append({"bufferView": len(views) - 1, "componentType": 5126, "count": len(array), "type": kind})
        blob += data
    nodes = [{"name": f"rig:{name}"} for name in JOINT_NAMES]
    for joint, parent in enumerate(PARENTS[1:], start=1):
        nodes[parent].setdefault("children", []).append(joint)  # type: ignore[attr-defined]
    channels = [{"sampler": joint, "target": {"node": joint, "path": "translation"}} for joint in range(22)]
    samplers = [{"input": 0, "output": joint + 1, "interpolation": mode} for joint in range(22)]
    return {
        "asset": {"version": "2.0"}, "nodes": nodes, "accessors": accessors, "bufferViews": views,
        "buffers": [{"byteLength": len(blob), "uri": "data:;base64," + base64.b64encode(blob).decode()}],
        "animations": [{"name": name, "channels": channels, "samplers": samplers} for name in ("A|Walk", "A|Again")],
    }  # fmt: skip


def test_gltf_of_several_animations(walk: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "a.gltf"
    path.write_text(json.dumps(gltf_of(walk)))
    with pytest.raises(RemogptError, match=r"holds 2 animations; say which with clip= \(--clip\): A\|Walk, A\|Again"):
        load_motion(path)
    for clip in ("A|Walk", "walk"):
        motion = load_motion(path, clip=clip)
        assert motion.num_frames == len(walk)  # keys are 32-bit seconds
        np.testing.assert_allclose(motion.joints, walk, atol=1e-5)
    assert [clip.name for clip in clips_of(path)] == ["a.gltf#Walk", "a.gltf#Again"]
    np.testing.assert_allclose(load_motion(f"{path}#Again").joints, walk, atol=1e-5)
    with pytest.raises(RemogptError, match="has no animation 'Run'; it holds"):
        load_motion(path, clip="Run")
    document = json.dumps(gltf_of(walk)).encode()
    blob = struct.pack("<I4s", len(document), b"JSON") + document
    (tmp_path / "a.glb").write_bytes(b"glTF" + struct.pack("<II", 2, 12 + len(blob)) + blob)
    np.testing.assert_allclose(load_motion(tmp_path / "a.glb", clip="Walk").joints, walk, atol=1e-5)


def test_damaged_gltf_is_one_clear_error(walk: np.ndarray, tmp_path: Path, data_dir: Path) -> None:
    whole = (data_dir / "raw/glb/kaykit_MovementBasic.glb").read_bytes()
    rng = np.random.default_rng(3)
    refused = 0
    for attempt in range(60):
        damaged = bytearray(whole)
        if attempt % 3:
            for index in rng.integers(0, 100_000, 8):
                damaged[index] = rng.integers(0, 256)
        else:
            del damaged[rng.integers(0, len(damaged)) :]
        (tmp_path / "damaged.glb").write_bytes(damaged)
        try:
            assert load_motion(tmp_path / "damaged.glb", clip="Walking_A").joints.shape[1:] == (22, 3)
        except RemogptError as error:
            refused += 1
            assert "damaged.glb" in str(error)
    assert refused > 30
    for change, message in (
        (lambda made: made["accessors"][0].update(count=10**12), "lies outside its buffer"),
        (lambda made: made["nodes"][0].update(children=[0]), "no tree"),
        (lambda made: made["buffers"][0].update(uri="../../etc/passwd"), "lies outside the file's folder"),
        (lambda made: made.pop("animations"), "expected an animation"),
        (lambda made: made.update(asset={"version": "1.0"}), "no glTF of version 2"),
    ):
        made = gltf_of(walk)
        change(made)
        (tmp_path / "bad.gltf").write_text(json.dumps(made))
        with pytest.raises(RemogptError, match=message):
            load_motion(tmp_path / "bad.gltf", clip="Walk")


def test_keys_are_interpolated_as_the_specification_says() -> None:
    times = np.array([0.0, 0.5, 1.0])
    keys = np.array([[0.0], [2.0]])
    ends = np.array([0.0, 1.0])
    assert sample(Track(ends, keys, "LINEAR"), times)[:, 0].tolist() == [0, 1, 2]
    assert sample(Track(ends, keys, "STEP"), times)[:, 0].tolist() == [0, 0, 2]
    spline = np.array([[0.0], [0.0], [0.0], [0.0], [2.0], [0.0]])  # flat tangents: halfway at half time
    assert sample(Track(ends, spline, "CUBICSPLINE"), times)[:, 0] == pytest.approx([0, 1, 2])
    steep = np.array([[0.0], [0.0], [4.0], [0.0], [2.0], [0.0]])
    assert sample(Track(ends, steep, "CUBICSPLINE"), times)[1, 0] == pytest.approx(1.5)
    turn = np.array([[0, 0, 0, 1.0], [0, 0, -np.sqrt(0.5), -np.sqrt(0.5)]])  # a quarter turn, the long way written
    half = sample(Track(ends, turn, "LINEAR"), times)[1]
    assert np.abs(half) == pytest.approx([0, 0, np.sin(np.pi / 8), np.cos(np.pi / 8)])


@pytest.mark.parametrize("mode", ["LINEAR", "CUBICSPLINE"])
def test_a_body_of_a_gltf_file_does_not_grow(walk: np.ndarray, tmp_path: Path, mode: str) -> None:
    """Squash and stretch of a cartoon are left out; the tangents of splines are no sizes."""
    made = gltf_of(walk)
    sizes = np.array([[1, 1, 1], [3, 2, 3], [1, 1, 1]], np.float32)
    rows = np.stack([0 * sizes, sizes, 0 * sizes], axis=1).reshape(-1, 3) if mode == "CUBICSPLINE" else sizes
    blob = np.array([0, 1, 2], np.float32).tobytes() + rows.tobytes()
    made["buffers"].append({"byteLength": len(blob), "uri": "data:;base64," + base64.b64encode(blob).decode()})
    made["bufferViews"].append({"buffer": 1, "byteLength": len(blob)})
    view = {"bufferView": len(made["bufferViews"]) - 1, "componentType": 5126}
    made["accessors"] += [
        {**view, "count": 3, "type": "SCALAR"},
        {**view, "count": len(rows), "type": "VEC3", "byteOffset": 12},
    ]
    animation = made["animations"][0]
    animation["samplers"].append({"input": 23, "output": 24, "interpolation": mode})
    animation["channels"].append({"sampler": 22, "target": {"node": 0, "path": "scale"}})
    (tmp_path / "a.gltf").write_text(json.dumps(made))
    np.testing.assert_allclose(load_motion(tmp_path / "a.gltf", clip="Walk").joints, walk, atol=1e-5)


def test_no_file_takes_long_or_much_memory(tmp_path: Path) -> None:
    hostile = {
        "many_lines.bvh": "HIERARCHY" + "\n" * 300_000 + "MOTIO",
        "many_spaces.bvh": "HIERARCHY\n" + " \n" * 200_000 + "x MOTION y",
        "spaces.bvh": "HIERARCHY\n" + (" " * 100 + "\n") * 20_000 + "MOTIONx",
        "header.bvh": "HIERARCHY\nROOT a\n{\nOFFSET 0 0 0\nCHANNELS 0\n}\nMOTION\n" + "\n" * 300_000,
        "begin.asf": ":units\n length 1\n angle deg\n:bonedata\n" + "begin " * 200_000,
    }
    for name, text in hostile.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "begin.amc").write_text("1\nroot 0 0 0 0 0 0\n")
    (tmp_path / "huge.npy").write_bytes(
        b"\x93NUMPY\x01\x00v\x00"
        + b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000, 22, 3), }".ljust(117)
        + b"\n"
    )
    for path in sorted(tmp_path.iterdir()):
        if path.suffix != ".asf":
            begin = time.perf_counter()
            with pytest.raises(RemogptError, match=path.stem):
                load_motion(path)
            assert time.perf_counter() - begin < 2, path.name  # a second on a free machine


def test_cases_of_attack(cases_dir: Path) -> None:
    """Each a clear error that names the file."""
    files = [
        *(cases_dir / "attack/10-asf-root-order").rglob("*.amc"), *(cases_dir / "attack/16-bvh-hangs").rglob("*.bvh"),
        *(file for file in (cases_dir / "attack/17-npy-npz-asf-tracebacks").rglob("*.*")
          if file.suffix in (".bvh", ".npy", ".npz", ".mat", ".amc")),
    ]  # fmt: skip
    assert len(files) >= 18
    for file in files:
        with pytest.raises(RemogptError) as error:
            load_motion(file)
        assert file.name in str(error.value) or file.with_name("02.asf").name in str(error.value)
    for folder in ("asf-flips_head-97", "asf-numswap-281"):
        with pytest.raises(RemogptError, match=r"02\.asf, line \d+: "):
            load_motion(cases_dir / "attack/10-asf-root-order" / folder / "02_01.amc")


def test_cases_of_arrays(cases_dir: Path) -> None:
    folder = cases_dir / "motion"
    expected = load_motion(folder / "05-npz-rate-under-another-name/fps_60.npz")
    for name in ("mocap_frame_rate_60", "mocap_framerate_60"):
        motion = load_motion(folder / f"05-npz-rate-under-another-name/{name}.npz")
        np.testing.assert_array_equal(motion.joints, expected.joints)
    rates = folder / "03-npz-fps-not-a-scalar"
    np.testing.assert_array_equal(
        load_motion(rates / "fps_in_a_list.npz").joints, load_motion(rates / "good.npz").joints
    )
    advice = folder / "18-advice-that-was-followed"
    assert load_motion(advice / "joints_24.npy").num_frames == load_motion(advice / "joints_52.npy").num_frames
    with pytest.raises(RemogptError, match=r"AMASS's pose angles.*smplx body model"):
        load_motion(advice / "amass_stageii.npz")
    assert load_motion(folder / "09-frame-time-zero-with-fps-given/walk.bvh", fps=20).num_frames == 80
    assert load_motion(folder / "14-asf-with-another-name/HDM_bd_walk_001_120.amc").notices
