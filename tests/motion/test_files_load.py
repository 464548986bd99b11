"""load_motion and save_motion: every format, and one clear message for every bad input."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from remogpt.motion import Motion, load_motion
from remogpt.motion.files.amc import read_amc
from remogpt.motion.files.asf import parse_asf
from remogpt.motion.files.mat import read_mat
from remogpt.motion.files.write import save_motion
from remogpt.runtime.errors import MissingPathError, RemogptError


def _walk(num_frames: int = 30) -> np.ndarray:
    """A body that slides forward and wobbles; enough for shapes and values."""
    from remogpt.motion.kinematics import forward_kinematics
    from remogpt.motion.skeleton import TARGET_OFFSETS

    rotations = np.broadcast_to(np.eye(3, dtype=np.float32), (num_frames, 22, 3, 3))
    root = np.zeros((num_frames, 3), dtype=np.float32)
    root[:, 1] = 0.9
    root[:, 2] = np.linspace(0, 1, num_frames)
    return np.asarray(forward_kinematics(rotations, root, TARGET_OFFSETS), dtype=np.float32)


def test_arrays_are_told_apart_by_shape(tmp_path: Path) -> None:
    joints = _walk()
    features = Motion.from_joints(joints).features
    np.save(tmp_path / "joints.npy", joints)
    np.save(tmp_path / "flat.npy", joints.reshape(len(joints), 66))
    np.save(tmp_path / "features.npy", features)
    np.testing.assert_array_equal(load_motion(tmp_path / "joints.npy").joints, joints)
    np.testing.assert_array_equal(load_motion(tmp_path / "flat.npy").joints, joints)
    motion = load_motion(tmp_path / "features.npy")
    np.testing.assert_array_equal(motion.features, features)
    assert (motion.name, motion.fps, motion.joints.dtype) == ("features", 20.0, np.float32)


def test_frame_rate_of_arrays_can_be_given(tmp_path: Path) -> None:
    joints = _walk(61)
    np.save(tmp_path / "fast.npy", joints)
    np.savez(tmp_path / "fast.npz", joints=joints, fps=60)
    expected = joints[::3]
    np.testing.assert_allclose(load_motion(tmp_path / "fast.npy", fps=60).joints, expected, atol=1e-6)
    np.testing.assert_allclose(load_motion(tmp_path / "fast.npz").joints, expected, atol=1e-6)


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".bvh"])
def test_save_and_load_give_the_joints_back(tmp_path: Path, suffix: str) -> None:
    motion = Motion.from_joints(_walk(), name="walk", caption="a person slides")
    motion.save(tmp_path / f"walk{suffix}")
    back = load_motion(tmp_path / f"walk{suffix}")
    np.testing.assert_allclose(back.joints, motion.joints, atol=1e-3 if suffix == ".bvh" else 0)
    assert back.name == "walk"
    assert back.caption == ("a person slides" if suffix == ".npz" else None)


def test_features_survive_npz_and_can_be_saved_as_npy(tmp_path: Path) -> None:
    features = Motion.from_joints(_walk()).features
    motion = Motion.from_features(features)
    save_motion(motion, tmp_path / "a.npz")
    np.testing.assert_array_equal(load_motion(tmp_path / "a.npz").features, features)
    np.testing.assert_array_equal(load_motion(tmp_path / "a.npz").joints, motion.joints)
    save_motion(motion, tmp_path / "a.npy", content="features")
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), features)


def test_html_page_is_written(tmp_path: Path) -> None:
    save_motion(Motion.from_joints(_walk(), caption="a <b>bold</b> walk"), tmp_path / "walk.html")
    page = (tmp_path / "walk.html").read_text()
    assert "<canvas" in page or "canvas" in page
    assert "<b>bold</b>" not in page


def test_unwritable_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RemogptError, match=r"cannot write \.fbx; expected \.npy, \.npz, \.bvh"):
        save_motion(Motion.from_joints(_walk()), tmp_path / "walk.fbx")
    with pytest.raises(RemogptError, match="content: expected joints or features"):
        save_motion(Motion.from_joints(_walk()), tmp_path / "walk.npy", content="both")


def test_missing_file_suggests_its_neighbours(tmp_path: Path) -> None:
    np.save(tmp_path / "walking.npy", _walk())
    with pytest.raises(MissingPathError, match=r"walkin\.npy; did you mean walking\.npy\?"):
        load_motion(tmp_path / "walkin.npy")
    with pytest.raises(MissingPathError, match=r"did you mean walking\.npy\?"):
        load_motion(tmp_path / "walking.bvh")
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        load_motion(tmp_path / "nowhere/a.npy")
    with pytest.raises(MissingPathError, match="is a folder"):
        load_motion(tmp_path)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((30, 251), np.float32), "251.*KIT"),
        (np.zeros((30, 100), np.float32), r"\(30, 100\)"),
        (np.zeros((30, 23, 3), np.float32), r"\(30, 23, 3\)"),
        (np.zeros((30, 2, 22, 3), np.float32), "two people"),
        (np.zeros(7, np.float32), r"expected features \(T, 263\)"),
        (np.full((30, 22, 3), np.nan, np.float32), "finite"),
        (np.full((30, 263), np.inf, np.float32), "finite"),
        (_walk(1), "at least 2 frames"),
        (np.array([["a"] * 66] * 3), "numbers"),
    ],
)
def test_unusable_arrays_say_what_came(tmp_path: Path, array: np.ndarray, message: str) -> None:
    np.save(tmp_path / "bad.npy", array)
    with pytest.raises(RemogptError, match=message) as error:
        load_motion(tmp_path / "bad.npy")
    assert "bad.npy" in str(error.value)


def test_pickles_and_damage_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "pickle.npy", np.array([{"joints": 1}], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "pickle.npz", joints=np.array([None], dtype=object))
    np.save(tmp_path / "cut.npy", _walk())
    (tmp_path / "cut.npy").write_bytes((tmp_path / "cut.npy").read_bytes()[:500])
    (tmp_path / "junk.npy").write_bytes(b"\x00\x01nothing")
    (tmp_path / "junk.npz").write_bytes(b"PK\x03\x04nothing")
    (tmp_path / "empty.npy").write_bytes(b"")
    for name in ("pickle.npy", "pickle.npz", "cut.npy", "junk.npy", "junk.npz", "empty.npy"):
        with pytest.raises(RemogptError, match=name.replace(".", r"\.")):
            load_motion(tmp_path / name)


def test_npz_without_a_motion_lists_what_it_has(tmp_path: Path) -> None:
    np.savez(tmp_path / "poses.npz", poses=np.zeros((5, 156)), trans=np.zeros((5, 3)))
    with pytest.raises(RemogptError, match=r"AMASS's pose angles \(poses \(5, 156\).*--body-model FOLDER"):
        load_motion(tmp_path / "poses.npz")
    np.savez(tmp_path / "poses.npz", poses=np.zeros((5, 156)), hands=np.zeros((5, 3)))
    with pytest.raises(RemogptError, match=r"named joints .* found poses \(5, 156\), hands \(5, 3\)"):
        load_motion(tmp_path / "poses.npz")


def test_other_suffixes_say_what_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.fbx").write_text("x")
    (tmp_path / "a.asf").write_text("x")
    with pytest.raises(RemogptError, match=r"cannot read \.fbx; expected \.npy"):
        load_motion(tmp_path / "a.fbx")
    with pytest.raises(RemogptError, match=r"Give the \.amc motion"):
        load_motion(tmp_path / "a.asf")


def test_amc_positions_equal_the_published_ones(data_dir: Path) -> None:
    """Tolerance 0.001 mm: the packed positions are float32 metres at 30 fps, every fourth frame of the recording."""
    with np.load(data_dir / "mocap/cmu.npz") as packed:
        ids, names, offsets, joints = (
            list(packed["ids"]),
            list(packed["joint_names"]),
            packed["offsets"],
            packed["joints_m"],
        )
    for name, key in (("02_01", "2_1"), ("02_03", "2_3"), ("39_01", "39_1")):
        source = read_amc(data_dir / f"raw/{name}.amc")
        ours = source.positions[::4, [source.names.index(bone) for bone in names]]
        expected = joints[slice(*offsets[ids.index(key) :][:2])]
        assert ours.shape == expected.shape
        assert np.abs(ours - expected).max() < 1e-6


def test_amc_finds_its_body_despite_zeros_and_case(data_dir: Path, tmp_path: Path) -> None:
    shutil.copy(data_dir / "raw/02_03.amc", tmp_path / "2_03.AMC")
    with pytest.raises(MissingPathError, match=r"expected 2\.asf .* the folder has no \.asf"):
        load_motion(tmp_path / "2_03.AMC")
    shutil.copy(data_dir / "raw/39.asf", tmp_path / "39.asf")
    with pytest.raises(MissingPathError, match=r"the folder has 39\.asf"):
        load_motion(tmp_path / "2_03.AMC")
    named = load_motion(tmp_path / "2_03.AMC", asf=data_dir / "raw/02.asf")
    shutil.copy(data_dir / "raw/02.asf", tmp_path / "02.ASF")
    np.testing.assert_array_equal(load_motion(tmp_path / "2_03.AMC").joints, named.joints)
    assert named.num_frames == (173 - 1) * 20 // 120 + 1
    assert load_motion(tmp_path / "2_03.AMC", fps=60).num_frames == (173 - 1) // 3 + 1


def test_damaged_amc_says_where(data_dir: Path, tmp_path: Path) -> None:
    lines = (data_dir / "raw/02_03.amc").read_text().splitlines()
    shutil.copy(data_dir / "raw/02.asf", tmp_path / "02.asf")
    cases = {
        "cut": (lines[:-3], r"frame 173 is broken.*after 172 whole frames"),
        "lost": (lines[:100] + lines[101:], "line 101: frame 4 is broken"),
        "word": (
            [*lines[:4], lines[4].replace(lines[4].split()[1], "x"), *lines[5:]],
            "'root' has a value that is no number",
        ),
        "other": ([line.replace("lfoot", "lpaw") for line in lines], "'lpaw' has 2 values.*another subject"),
        "not": (["hello world"], "not an .amc file"),
    }
    for name, (content, message) in cases.items():
        (tmp_path / f"02_{name}.amc").write_text("\n".join(content))
        with pytest.raises(RemogptError, match=message):
            load_motion(tmp_path / f"02_{name}.amc")


def test_damaged_asf_is_refused(data_dir: Path) -> None:
    text = (data_dir / "raw/02.asf").read_text()
    assert len(parse_asf(text, "02.asf").bones) == 30
    with pytest.raises(RemogptError, match=r"02\.asf: expected an Acclaim body"):
        parse_asf(text.replace("length 0.45", ""), "02.asf")
    with pytest.raises(RemogptError, match="cannot be read"):
        parse_asf(text[:3000], "02.asf")


def test_kinect_file_and_its_errors(data_dir: Path, tmp_path: Path) -> None:
    raw = scipy.io.loadmat(data_dir / "raw/a1_s1_t1_skeleton.mat")["d_skel"]
    source = read_mat(data_dir / "raw/a1_s1_t1_skeleton.mat")
    np.testing.assert_array_equal(source.positions[5, 11], raw[11, :, 5])
    assert load_motion(data_dir / "raw/a1_s1_t1_skeleton.mat").num_frames == (raw.shape[2] - 1) * 2 // 3 + 1
    scipy.io.savemat(tmp_path / "inertial.mat", {"d_iner": np.zeros((180, 6))})
    with pytest.raises(RemogptError, match=r"expected the variable d_skel .* found d_iner"):
        load_motion(tmp_path / "inertial.mat")
    scipy.io.savemat(tmp_path / "flat.mat", {"d_skel": np.zeros((60, 48))})
    with pytest.raises(RemogptError, match=r"\(20 joints, 3, frames\), found \(60, 48\)"):
        load_motion(tmp_path / "flat.mat")
    (tmp_path / "junk.mat").write_bytes(b"no matlab file at all" * 20)
    with pytest.raises(RemogptError, match="cannot be read as a MATLAB file"):
        load_motion(tmp_path / "junk.mat")
    scipy.io.savemat(tmp_path / "one.mat", {"d_skel": raw[:, :, :1][:, :, [0]]})
    with pytest.raises(RemogptError, match="at least 2 frames at 20 fps, found 1"):
        load_motion(tmp_path / "one.mat")


def test_random_damage_never_escapes_as_another_error(data_dir: Path, tmp_path: Path) -> None:
    """Flipped, lost and cut bytes: a motion or a RemogptError, nothing else."""
    shutil.copy(data_dir / "raw/02.asf", tmp_path / "02.asf")
    np.savez_compressed(tmp_path / "whole.npz", joints=_walk())
    np.save(tmp_path / "whole.npy", _walk())
    sources = [tmp_path / "whole.npz", tmp_path / "whole.npy"]
    sources += [data_dir / "raw" / name for name in ("02_03.amc", "a1_s1_t1_skeleton.mat")]
    rng = np.random.default_rng(5)
    refused = 0
    for source in sources:
        content = source.read_bytes()[:20000]
        for attempt in range(40):
            damaged = bytearray(content)
            if attempt % 3 == 0:
                del damaged[rng.integers(0, len(damaged)) :]
            else:
                for index in rng.integers(0, len(damaged) if attempt % 3 == 1 else 200, 6):
                    damaged[index] = rng.integers(0, 256)
            path = tmp_path / f"02_damaged{source.suffix}"
            path.write_bytes(damaged)
            try:
                assert load_motion(path).joints.shape[1:] == (22, 3)
            except RemogptError as error:
                refused += 1
                assert "02_damaged" in str(error)
    assert refused > 100


def test_archive_with_a_wrong_suffix_and_rates_of_zero_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", _walk())
    shutil.copy(tmp_path / "a.npy", tmp_path / "b.npz")
    with pytest.raises(RemogptError, match=r"b\.npz is not a readable \.npz"):
        load_motion(tmp_path / "b.npz")
    with pytest.raises(RemogptError, match="fps: wanted 1 to 2000 frames a second, got 0"):
        load_motion(tmp_path / "a.npy", fps=0)
