"""save_motion: options of every format, edits before writing, SMPL poses, films; and what edits leave as it was."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from remogpt.motion import Motion, load_motion, mirror_joints, save_motion
from remogpt.motion.cleanup.bones import RIGID
from remogpt.motion.edit import edit_motion, parse_trim
from remogpt.motion.files.film import find_ffmpeg
from remogpt.motion.files.smpl_writer import PELVIS, SMPL_REST
from remogpt.motion.kinematics import forward_kinematics
from remogpt.motion.rig import rig_motion
from remogpt.motion.rotations import quaternion_to_matrix
from remogpt.motion.skeleton import JOINT_INDEX, PARENTS
from remogpt.runtime.errors import RemogptError
from tests.motion.made_motions import degrees_between, made_motion

Z_UP = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])


def walk(**options: object) -> Motion:
    return Motion(made_motion("ahead")[0], caption="raises the left hand", **options)  # type: ignore[arg-type]


def bones(joints: np.ndarray) -> np.ndarray:
    """(T, 21, 3) directions."""
    vectors = joints[:, 1:] - joints[:, list(PARENTS[1:])]
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def test_edits_come_before_writing(tmp_path: Path) -> None:
    path = save_motion(walk(), tmp_path / "new" / "a.npz", trim=(0.5, 1.5), mirror=True, in_place=True, fps=40)
    with np.load(path) as found:
        joints, fps, caption = found["joints"], float(found["fps"]), str(found["caption"])
    assert (joints.shape, fps, caption) == ((41, 22, 3), 40.0, "raises the right hand")
    np.testing.assert_allclose(joints[:, 0, [0, 2]], joints[:1, 0, [0, 2]].repeat(41, 0), atol=1e-6)
    expected = mirror_joints(walk().joints[10:31])
    np.testing.assert_allclose(joints[::2, :, 1], expected[..., 1], atol=RIGID)  # bones are held


def test_units_and_axes_of_arrays(tmp_path: Path) -> None:
    motion = walk()
    motion.save(tmp_path / "a.npy", unit="mm", up="z")
    np.testing.assert_allclose(np.load(tmp_path / "a.npy"), motion.joints @ Z_UP.T * 1000, rtol=1e-5, atol=1e-3)


def test_rotations_pose_the_stored_skeleton(tmp_path: Path) -> None:
    motion = walk()
    motion.save(tmp_path / "a.npz", content="rotations")
    with np.load(tmp_path / "a.npz") as found:
        assert found["quaternions"].shape == (41, 22, 4) and found["contacts"].shape == (41, 4)
        np.testing.assert_allclose(np.linalg.norm(found["quaternions"], axis=-1), 1.0, atol=1e-6)
        matrices = quaternion_to_matrix(found["quaternions"].astype(np.float64))
        posed = forward_kinematics(matrices, found["root"].astype(np.float64), found["offsets"])
        assert list(found["parents"]) == list(PARENTS)
    assert np.abs(posed - motion.joints).max() < 1e-4
    assert np.abs(load_motion(tmp_path / "a.npz").joints - motion.joints).max() < 1e-6


def test_contacts_are_of_feet_that_rest(tmp_path: Path) -> None:
    still = np.repeat(walk().joints[:1], 20, axis=0)
    still[10:, [7, 10]] += np.linspace(0, 1, 10)[:, None, None]  # the left foot flies off
    Motion(still).save(tmp_path / "a.npz", content="rotations")
    contacts = np.load(tmp_path / "a.npz")["contacts"]
    assert contacts[:9].all() and not contacts[11:, :2].any() and contacts[:, 2:].all()


def smpl_joints(path: Path, to_y_up: np.ndarray) -> np.ndarray:
    """Pose the mean body's skeleton as SMPL does: about its resting pelvis, then moved by trans."""
    with np.load(path) as found:
        poses = found["poses"].reshape(len(found["poses"]), 52, 3)
        local = Rotation.from_rotvec(poses[:, :22].reshape(-1, 3)).as_matrix().reshape(-1, 22, 3, 3)
        return forward_kinematics(local, found["trans"] + PELVIS, SMPL_REST) @ to_y_up.T


def test_amass_poses_of_the_mean_body_are_exact(tmp_path: Path) -> None:
    joints, _ = made_motion("turns 540 degrees", offsets=SMPL_REST)
    Motion(joints).save(tmp_path / "a.npz", content="amass")
    with np.load(tmp_path / "a.npz") as found:
        assert {key: found[key].shape for key in found.files} == {
            "poses": (41, 156), "trans": (41, 3), "betas": (16,), "gender": (), "mocap_framerate": (),
        }  # fmt: skip
        assert (str(found["gender"]), float(found["mocap_framerate"])) == ("neutral", 20.0)
        assert not found["poses"][:, 66:].any()
    assert np.abs(smpl_joints(tmp_path / "a.npz", Z_UP.T) - joints).max() < 1e-3
    Motion(joints).save(tmp_path / "y.npz", content="amass", up="y")
    assert np.abs(smpl_joints(tmp_path / "y.npz", np.eye(3)) - joints).max() < 1e-3


def test_amass_poses_of_another_body_keep_its_directions(tmp_path: Path) -> None:
    motion = walk()
    motion.save(tmp_path / "a.npz", content="amass")
    limbs = [index - 1 for index in (4, 5, 7, 8, 10, 11, 18, 19, 20, 21)]
    cosines = (bones(smpl_joints(tmp_path / "a.npz", Z_UP.T)) * bones(motion.joints)).sum(-1)[:, limbs]
    assert np.degrees(np.arccos(np.clip(cosines, -1, 1))).max() < 0.5


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("a.fbx", {}, r"cannot write \.fbx; expected \.npy.*import \.glb or \.bvh"),
        ("a.glb", {"up": "z"}, r"up 'z' has no place in a \.glb file; glTF is in metres with y up"),
        ("a.glb", {"unit": "cm"}, r"unit 'cm' has no place"),
        ("a.html", {"skeleton": "smpl"}, r"skeleton 'smpl' has no place in a \.html file"),
        ("a.bvh", {"content": "amass"}, r"content 'amass' has no place"),
        ("a.npz", {"content": "features"}, r"content: expected joints or rotations or amass, got 'features'"),
        ("a.npz", {"content": "amass", "unit": "cm"}, r"amass are in metres by definition"),
        ("a.npy", {"content": "features", "fps": 30.0}, r"features are at 20 fps by definition"),
        ("a.npy", {"content": "features", "up": "z"}, r"features have y up"),
        ("a.npy", {"unit": "furlong"}, r"unit: wanted one of m, cm"),
        ("a.bvh", {"up": "w"}, r"up: expected y or -y or z"),
        ("a.bvh", {"skeleton": "mixamoo"}, r"no skeleton named 'mixamoo' to write; there are remogpt, smpl, mixamo"),
        ("a.bvh", {"trim": (1.0, 0.5)}, r"trim: wanted 0 <= start < end in seconds, got 1:0.5"),
        ("a.bvh", {"trim": (5.0, None)}, r"trim: wanted 0 <= start < end"),
        ("a.bvh", {"trim": (1.99, 5.0)}, r"holds 1 frames of .*at least two frames"),
    ],
)  # fmt: skip
def test_what_a_format_has_no_place_for_is_refused(tmp_path: Path, name: str, options: dict, message: str) -> None:
    with pytest.raises(RemogptError, match=message):
        walk().save(tmp_path / name, **options)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["1", "a:b", "", "1:2:3", "1-2"])
def test_trim_is_start_and_end(text: str) -> None:
    with pytest.raises(RemogptError, match="trim: wanted START:END"):
        parse_trim(text)
    assert [parse_trim(good) for good in ("1.5:3", ":2", "1:")] == [(1.5, 3.0), (None, 2.0), (1.0, None)]


def test_pictures_show_left_blue_and_right_orange(tmp_path: Path) -> None:
    from PIL import Image

    walk().save(tmp_path / "a.png", trim=(0.0, 0.5))
    walk().save(tmp_path / "a.gif", fps=30, trim=(0.0, 1.0))
    strip = np.asarray(Image.open(tmp_path / "a.png").convert("RGB")).astype(int)
    film = Image.open(tmp_path / "a.gif")
    # 30 a second are 3.33 hundredths a frame, which a GIF cannot say: it plays 33.3 a second, in the same time.
    assert film.n_frames == 34 and film.info["duration"] == 30
    for picture in (strip, np.asarray(film.convert("RGB")).astype(int)):
        blue = (np.abs(picture - (38, 118, 214)).sum(-1) < 40).sum()
        orange = (np.abs(picture - (232, 119, 34)).sum(-1) < 40).sum()
        assert blue > 200 and orange > 200


def test_a_film_needs_ffmpeg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "imageio_ffmpeg", None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(RemogptError, match=r"ffmpeg, and there is none.*remogpt\[video\].*\.gif"):
        walk().save(tmp_path / "a.mp4")
    assert not list(tmp_path.iterdir())


def test_a_film_is_an_mp4(tmp_path: Path) -> None:
    try:
        find_ffmpeg()
    except RemogptError as error:
        pytest.skip(str(error))
    walk().save(tmp_path / "a.mp4", trim=(0.0, 0.5))
    content = io.BytesIO((tmp_path / "a.mp4").read_bytes()).getvalue()
    assert content[4:8] == b"ftyp" and len(content) > 2000


angles, shifts = st.floats(-np.pi, np.pi), st.floats(-5, 5)


@settings(max_examples=15, deadline=None)
@given(angle=angles, x=shifts, z=shifts, seed=st.integers(0, 100))
def test_a_body_that_stands_and_faces_elsewhere_is_posed_alike(angle: float, x: float, z: float, seed: int) -> None:
    joints = made_motion("ahead", seed=seed)[0][::10]
    turn = Rotation.from_rotvec([0, angle, 0]).as_matrix()
    here, there = rig_motion(joints, 20.0), rig_motion(joints @ turn.T + (x, 0, z), 20.0)
    assert np.abs(here.rig.offsets - there.rig.offsets).max() < 1e-5
    assert degrees_between(here.rotations[:, 1:], there.rotations[:, 1:]) < 0.01
    assert degrees_between(turn @ here.rotations[:, 0], there.rotations[:, 0]) < 0.01
    assert np.abs(here.root @ turn.T + (x, 0, z) - there.root).max() < 1e-6


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 100), rate=st.integers(1, 6))
def test_edits_that_undo_each_other(seed: int, rate: int) -> None:
    motion = Motion(made_motion("turns 540 degrees", seed=seed)[0], caption="turns left")
    twice = edit_motion(edit_motion(motion, mirror=True), mirror=True)
    np.testing.assert_array_equal(twice.joints, motion.joints)
    assert twice.caption == motion.caption
    retimed = edit_motion(edit_motion(motion, fps=20.0 * rate), fps=20.0)
    np.testing.assert_allclose(retimed.joints, motion.joints, atol=2 * RIGID)  # bones are held, twice
    assert edit_motion(motion, fps=20.0 * rate).num_frames == 40 * rate + 1
    assert edit_motion(motion) is motion
    np.testing.assert_array_equal(edit_motion(motion, trim=(0.0, None)).joints, motion.joints)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 100))
def test_a_mirrored_body_has_mirrored_rotations(seed: int) -> None:
    from remogpt.motion.mirror import MIRROR_ORDER

    joints = made_motion("ahead", seed=seed)[0][::10]
    flip = np.diag([-1.0, 1.0, 1.0])
    ours, other = rig_motion(joints, 20.0), rig_motion(mirror_joints(joints), 20.0)
    assert degrees_between(flip @ ours.rotations[:, list(MIRROR_ORDER)] @ flip, other.rotations) < 0.05


def test_limbs_do_not_spin_between_frames() -> None:
    """A thigh that is raised to the front, an arm that circles: the twist changes no faster than the limb."""
    frames = 181
    local = np.tile(np.eye(3), (frames, 22, 1, 1))
    local[:, JOINT_INDEX["left_hip"]] = Rotation.from_rotvec(
        np.linspace(0, -2.4, frames)[:, None] * [1, 0, 0]
    ).as_matrix()
    circle = Rotation.from_rotvec(np.linspace(0, 2 * np.pi, frames)[:, None] * [-1.0, 0.0, 0.0])
    down = Rotation.from_rotvec([0.0, 0.0, -np.pi / 2])
    local[:, JOINT_INDEX["left_shoulder"]] = (circle * down).as_matrix()
    joints = forward_kinematics(local, np.zeros((frames, 3)), SMPL_REST)
    rotations = rig_motion(joints, 20.0).rotations
    for joint in ("left_hip", "left_shoulder"):
        turns = rotations[:, JOINT_INDEX[joint]]
        assert degrees_between(turns[1:], turns[:-1]) < 6.0, joint  # the limb itself turns by up to 2
