"""What is checked of every body that is read: axes, units, sides, missing joints, inserted frames, no body at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import remogpt
from remogpt.data.procedural.animate import animate
from remogpt.data.procedural.script import Action, Script, Step
from remogpt.motion import features_to_joints, load_motion
from remogpt.motion.door.given import UP_AXES
from remogpt.motion.door.legs import hold_legs
from remogpt.motion.door.measure import bone_lengths
from remogpt.motion.features import joints_to_features
from remogpt.motion.files.bvh_writer import write_bvh
from remogpt.motion.mirror import MIRROR_ORDER
from remogpt.runtime.errors import RemogptError


@pytest.fixture(scope="module")
def walk(cases_dir: Path) -> np.ndarray:
    """(80, 22, 3) a person who walks."""
    return np.load(cases_dir / "motion/04-arrays-lying-upside-down-or-crossed/good.npy")


def _load(tmp_path: Path, array: np.ndarray, **how: object):
    np.save(tmp_path / "a.npy", array.astype(np.float32))
    return load_motion(tmp_path / "a.npy", **how)


@pytest.mark.parametrize("axis", UP_AXES)
def test_an_axis_that_points_up_is_found_or_given(walk: np.ndarray, tmp_path: Path, axis: str) -> None:
    turned = walk @ UP_AXES[axis]  # the inverse of what brings it back
    found = _load(tmp_path, turned)
    np.testing.assert_allclose(found.joints, walk, atol=1e-5)
    assert found.notices == (() if axis == "y" else (f"turned: {axis} pointed up",))
    given = _load(tmp_path, turned, up=axis)
    np.testing.assert_allclose(given.joints, walk, atol=1e-5)
    assert not given.notices


def test_a_body_that_may_lie_or_stand_is_asked_for(walk: np.ndarray, tmp_path: Path) -> None:
    standing = np.repeat(walk[:1], 40, axis=0) + np.linspace(0, 0.01, 40)[:, None, None]
    lying = (standing - [0, 0, 0.0]) @ UP_AXES["z"] + [3.0, 3.0, 3.0]  # above both floors
    with pytest.raises(RemogptError, match=r"stands along z in 100% .*or a person lies on the floor.*--up z or --up y"):
        _load(tmp_path, lying)
    assert _load(tmp_path, lying, up="y").joints[..., 1].max() < 4
    on_floor = lying - [0, lying[..., 1].min(), 0]
    np.testing.assert_allclose(_load(tmp_path, on_floor).joints, on_floor, atol=1e-5)


@pytest.mark.parametrize(("unit", "metres"), [("cm", 0.01), ("mm", 0.001), ("inch", 0.0254), ("foot", 0.3048)])
def test_units_are_told_by_the_leg_or_given(walk: np.ndarray, tmp_path: Path, unit: str, metres: float) -> None:
    found = _load(tmp_path, walk / metres)
    np.testing.assert_allclose(found.joints, walk, atol=1e-4)
    assert found.notices[0].startswith(f"taken as {unit}: the leg measures ")
    given = _load(tmp_path, walk / metres, unit=unit)
    np.testing.assert_allclose(given.joints, walk, atol=1e-4)
    assert not given.notices
    np.testing.assert_allclose(_load(tmp_path, walk / metres, unit=metres).joints, walk, atol=1e-4)


def test_bodies_of_no_size_are_refused(walk: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(RemogptError, match=r"leg of 0.5-1.3 m, but it measures 0.008209 file units.*--unit"):
        _load(tmp_path, walk * 0.01)
    with pytest.raises(RemogptError, match="joints of the legs lie on one another"):
        _load(tmp_path, walk * 0)
    assert _load(tmp_path, walk * 0.01, unit=100).joints == pytest.approx(walk, abs=1e-3)
    for word, message in (("parsec", "unit: wanted one of m, cm"), ("-1", "got '-1'"), ("0", "got '0'")):
        with pytest.raises(RemogptError, match=message):
            _load(tmp_path, walk, unit=word)
    with pytest.raises(RemogptError, match="up: wanted the axis"):
        _load(tmp_path, walk, up="w")


def test_crossed_sides_are_refused_and_exchanged_on_demand(walk: np.ndarray, tmp_path: Path) -> None:
    crossed = walk[:, list(MIRROR_ORDER)]
    with pytest.raises(RemogptError, match=r"feet point backwards in 100% .*--swap-sides"):
        _load(tmp_path, crossed)
    np.testing.assert_array_equal(_load(tmp_path, crossed, swap_sides=True).joints, walk)
    with pytest.raises(RemogptError, match="feet point backwards"):  # a mirrored space
        _load(tmp_path, walk * [-1, 1, 1])
    legs = walk.copy()
    legs[:, [1, 2, 4, 5, 7, 8, 10, 11]] = walk[:, [2, 1, 5, 4, 8, 7, 11, 10]]
    with pytest.raises(RemogptError, match="left hip is on the side of the right shoulder"):
        _load(tmp_path, legs)


def test_missing_joints_are_put_where_a_body_has_them(walk: np.ndarray, tmp_path: Path) -> None:
    for lacking, onto in (((10, 11), (7, 8)), ((15,), (12,)), ((3, 6), (0, 0)), ((13, 14), (9, 9))):
        cut = walk.copy()
        cut[:, list(lacking)] = walk[:, list(onto)]
        found = _load(tmp_path, cut)
        assert found.notices[0].startswith("estimated, since the recording has none: ")
        assert np.linalg.norm(found.joints - walk, axis=-1)[:, list(lacking)].mean() < 0.08
        assert np.isfinite(found.features).all()
    cut = walk.copy()
    cut[:, 18] = cut[:, 16]
    with pytest.raises(RemogptError, match="left_elbow lies on the joint before it"):
        _load(tmp_path, cut)


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("at_end", [False, True])
def test_inserted_rest_frames_are_left_out(walk: np.ndarray, tmp_path: Path, count: int, at_end: bool) -> None:
    arms_out = walk[0].copy()
    arms_out[[18, 20]] = arms_out[16] + [[0.25, 0, 0], [0.5, 0, 0]]
    arms_out[[19, 21]] = arms_out[17] - [[0.25, 0, 0], [0.5, 0, 0]]
    arms_out += [0.3, 0, -0.5]
    rest = np.repeat(arms_out[None], count, axis=0)
    long = np.concatenate([walk, walk[::-1]])
    found = _load(tmp_path, np.concatenate([long, rest] if at_end else [rest, long]))
    np.testing.assert_allclose(found.joints, long, atol=1e-5)
    assert f"at the {'end' if at_end else 'start'} left out" in found.notices[0]
    if not at_end:
        kept = _load(tmp_path, np.concatenate([rest, long]), first_frame=0)
        assert kept.num_frames == len(long) + count
        assert _load(tmp_path, np.concatenate([rest, long]), first_frame=count).joints == pytest.approx(long, abs=1e-5)


def test_a_jump_within_a_take_is_said_and_inhuman_speed_refused(walk: np.ndarray, tmp_path: Path) -> None:
    cut = np.concatenate([walk, walk + np.array([4.0, 0, 0])])
    assert any(notice.startswith("a jump of ") and "at 4.00 s" in notice for notice in _load(tmp_path, cut).notices)
    with pytest.raises(RemogptError, match=r"m/s in half of the frames.*--fps"):
        _load(tmp_path, walk, fps=1000)
    with pytest.raises(RemogptError, match="first_frame: wanted one of the file's 80 frames, from 0, got 80"):
        _load(tmp_path, walk, first_frame=80)


def test_arrays_that_are_no_body_are_refused(walk: np.ndarray, tmp_path: Path) -> None:
    normalised = (walk - walk.mean(0)) / (walk.std(0) + 1e-3)
    with pytest.raises(RemogptError, match=r"bones change their lengths|leg of"):
        _load(tmp_path, normalised)
    with pytest.raises(RemogptError, match=r"no joint positions of one body|leg of"):
        _load(tmp_path, np.random.default_rng(0).normal(size=(50, 22, 3)))


def test_features_that_are_not_raw_are_refused(walk: np.ndarray, tmp_path: Path) -> None:
    features = joints_to_features(walk)
    np.testing.assert_array_equal(_load(tmp_path, features).features, features)
    with pytest.raises(RemogptError, match="holds features, which are metres, y up, at 20 fps by definition"):
        _load(tmp_path, features, up="z")
    for wrong, message in (
        (features * 100, "100 times those of a body; the features seem to be scaled"),
        (features * 0, "all values are zero"),
        ((features - features.mean(0)) / (features.std(0) + 1e-3), "seem to be normalised"),
    ):
        with pytest.raises(RemogptError, match=message):
            _load(tmp_path, wrong)


def test_models_write_features_that_pass() -> None:
    """Decoded codes wobble; the check is for values that are no body at all."""
    from remogpt.motion.door.bones import check_features
    from remogpt.tokenizer_vqvae import MotionTokenizer

    tokenizer = MotionTokenizer.from_pretrained(Path(remogpt.__file__).parent / "models/mini")
    check_features(np.asarray(tokenizer.decode(np.arange(20) % 7)), "decoded")


def test_cases(cases_dir: Path, tmp_path: Path) -> None:
    """Inputs made from public reports, with their right values."""
    folder = cases_dir / "motion"
    first = folder / "01-rest-pose-as-first-frame"
    np.testing.assert_allclose(
        load_motion(first / "with.bvh").joints, load_motion(first / "without.bvh").joints, atol=1e-4
    )
    axes = folder / "02-bvh-z-up"
    assert _apart(load_motion(axes / "walk_z_up.bvh").joints, load_motion(axes / "walk_y_up.bvh").joints) < 1e-3
    arrays = folder / "04-arrays-lying-upside-down-or-crossed"
    good = load_motion(arrays / "good.npy").joints
    for name in ("centimetres", "z_up", "y_down"):
        motion = load_motion(arrays / f"{name}.npy")
        assert _apart(motion.joints, good) < 1e-3 and motion.notices, name
    for name, message in (("left_right_crossed", "--swap-sides"), ("features_normalised", "normalised")):
        with pytest.raises(RemogptError, match=message):
            load_motion(arrays / f"{name}.npy")
    inches = folder / "07-bvh-in-inches"
    plain = load_motion(folder / "06-joint-names-prefix-case-space/plain.bvh").joints
    for name in ("walk_inches", "walk_mm"):
        np.testing.assert_allclose(load_motion(inches / f"{name}.bvh").joints, plain, atol=1e-3)
    toes = load_motion(folder / "15-skeleton-without-toes/toes_on_ankles.npy")
    assert toes.notices and np.isfinite(toes.features).all()


def _apart(one: np.ndarray, other: np.ndarray) -> float:
    """Return the largest distance of two motions, up to a turn about the vertical and a shift, metres."""
    a, b = one - one[:1, :1], other - other[:1, :1]
    cross, dot = (a[..., 0] * b[..., 2] - a[..., 2] * b[..., 0]).sum(), (a[..., [0, 2]] * b[..., [0, 2]]).sum()
    angle = np.arctan2(cross, dot)
    turned = a.copy()
    turned[..., 0] = np.cos(angle) * a[..., 0] - np.sin(angle) * a[..., 2]
    turned[..., 2] = np.sin(angle) * a[..., 0] + np.cos(angle) * a[..., 2]
    return float(np.abs(turned - b).max())


def test_recordings_of_real_people_pass_unchanged(data_dir: Path) -> None:
    """Every hundredth clip of four sets: nothing is refused; Kinect's legs apart, all but cut-off starts stay."""
    from remogpt.data.importers.packed import read_packed
    from remogpt.motion.door.check import check_body
    from remogpt.motion.door.given import Given
    from remogpt.motion.retarget import to_joints

    changed = 0
    for name in ("bandai", "cmu", "cmu_bvh", "utd_mhad"):
        for number, clip in enumerate(read_packed(data_dir / f"mocap/{name}.npz")):
            if number % 100 == 0:
                joints = to_joints(clip.source)
                checked = check_body(joints, clip.source.fps, Given(), clip.id)
                changed += not np.array_equal(checked.joints, joints)
        if name == "cmu_bvh":
            assert changed <= 1
    assert changed <= 6


def test_legs_that_a_camera_shortens_are_held_and_feet_stay_on_the_floor(walk: np.ndarray) -> None:
    """In a squat seen from the front a camera finds the knees under the hips: thighs of 45 cm measure 10."""
    squat = animate(Script((Step((Action("squat", count=1),)),)), np.random.default_rng(0)).joints
    seen = squat.copy()
    for hip, knee, ankle in ((1, 4, 7), (2, 5, 8)):
        share = np.linalg.norm(squat[:, ankle] - squat[:, hip], axis=-1) / bone_lengths(squat)[0, [knee, ankle]].sum()
        straight = (squat[:, hip] + squat[:, ankle]) / 2
        seen[:, knee] = straight + np.clip(share, 0.4, 1.0)[:, None] * 0.5 * (squat[:, knee] - straight)
    held, (said,) = hold_legs(seen)
    assert "legs held at one length" in said
    lengths = bone_lengths(held)[:, [4, 5, 7, 8, 10, 11]]
    np.testing.assert_allclose(lengths.std(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(held[:, [0, 1, 2]], seen[:, [0, 1, 2]], atol=1e-9)
    assert np.abs(held[:, [7, 8]] - seen[:, [7, 8]]).max() < 0.01, "ankles stay where they were measured"

    def lowest(joints: np.ndarray) -> np.ndarray:
        return np.asarray(features_to_joints(joints_to_features(joints))[:, [7, 8, 10, 11], 1].min(axis=1))

    assert np.ptp(lowest(seen)) > 0.15 and np.ptp(lowest(held)) < 0.06
    for rigid in (walk, squat):
        kept, said_nothing = hold_legs(rigid)
        assert kept is rigid and said_nothing == ()


def test_squats_before_a_kinect_keep_their_feet_on_the_floor(data_dir: Path) -> None:
    from remogpt.data.importers.packed import read_packed
    from remogpt.motion.files.read import motion_from_source

    spans, notices = [], 0
    for clip in read_packed(data_dir / "mocap" / "utd_mhad.npz"):
        if clip.id.startswith("a27_") and clip.id.endswith("t1"):
            motion = motion_from_source(clip.source, clip.id)
            heights = features_to_joints(motion.features)[:, [7, 8, 10, 11], 1].min(axis=1)
            spans.append(np.ptp(heights))
            notices += len(motion.notices)
    assert len(spans) == notices == 8
    assert np.median(spans) < 0.06, "0.27 m with the directions of the bones alone"


def test_files_as_users_have_them_are_of_human_height(data_dir: Path) -> None:
    """Bandai-Namco's rig has a trunk of 0.42 of the leg; its motion, in features, is as the importer reads it."""
    from remogpt.data.importers.packed import read_packed
    from remogpt.motion.files.read import motion_from_source

    found = [path for path in sorted((data_dir / "raw").iterdir()) if path.suffix in (".bvh", ".amc", ".mat")]
    assert len(found) == 7
    for path in found:
        joints = load_motion(path).joints
        assert 1.4 < (joints[:, 15, 1] - joints[:, [10, 11], 1].mean(axis=1)).max() < 1.9, path.name
    (kick,) = (path for path in found if "kick" in path.name)
    mended = load_motion(kick)
    assert mended.notices[-1].endswith("it has 0.42 of the leg, people 0.67")
    clips = read_packed(data_dir / "mocap" / "bandai.npz")
    recorded = next(clip for clip in clips if clip.id == kick.stem)
    features = motion_from_source(recorded.source, kick.stem).features
    np.testing.assert_allclose(mended.features, features, atol=0.02)  # the head, by a degree


def test_rest_frames_of_a_bvh_are_left_out_at_its_own_rate(walk: np.ndarray, tmp_path: Path) -> None:
    write_bvh(tmp_path / "a.bvh", walk, fps=120)
    text = (tmp_path / "a.bvh").read_text().splitlines()
    start = next(index for index, line in enumerate(text) if line.startswith("Frame Time"))
    text[start - 1] = f"Frames: {len(walk) + 1}"
    text.insert(start + 1, " ".join(["0"] * len(text[start + 1].split())))
    (tmp_path / "b.bvh").write_text("\n".join(text))
    np.testing.assert_allclose(
        load_motion(tmp_path / "b.bvh").joints, load_motion(tmp_path / "a.bvh").joints, atol=1e-4
    )
