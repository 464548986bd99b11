"""Skeletons of any spelling: names, namespaces, prefixes, missing joints, tables of one's own."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from remogpt.motion import load_motion
from remogpt.motion.anatomy.names import read_names
from remogpt.motion.files.bvh_writer import write_bvh
from remogpt.motion.files.read import clips_of, read_recording
from remogpt.motion.retarget import draft_table
from remogpt.motion.skeleton import JOINT_INDEX
from remogpt.runtime.errors import RemogptError

# Names of pelvis, hip, knee, ankle, toe, spine (3), neck, head, collar, shoulder, elbow, wrist; {} is the side.
FAMILIES = {
    "Mixamo": (
        "mixamorig:Hips mixamorig:{}UpLeg mixamorig:{}Leg mixamorig:{}Foot mixamorig:{}ToeBase mixamorig:Spine "
        "mixamorig:Spine1 mixamorig:Spine2 mixamorig:Neck mixamorig:Head mixamorig:{}Shoulder mixamorig:{}Arm "
        "mixamorig:{}ForeArm mixamorig:{}Hand",
        "Left Right",
    ),
    "HumanIK": (
        "Character1_Hips Character1_{}UpLeg Character1_{}Leg Character1_{}Foot Character1_{}ToeBase Character1_Spine "
        "Character1_Spine1 Character1_Spine2 Character1_Neck Character1_Head Character1_{}Shoulder Character1_{}Arm "
        "Character1_{}ForeArm Character1_{}Hand",
        "Left Right",
    ),
    "Unreal": (
        "pelvis thigh_{} calf_{} foot_{} ball_{} spine_01 spine_02 spine_03 neck_01 head clavicle_{} upperarm_{} "
        "lowerarm_{} hand_{}",
        "l r",
    ),
    "Biped": (
        "Bip01_Pelvis Bip01_{}_Thigh Bip01_{}_Calf Bip01_{}_Foot Bip01_{}_Toe0 Bip01_Spine Bip01_Spine1 Bip01_Spine2 "
        "Bip01_Neck Bip01_Head Bip01_{}_Clavicle Bip01_{}_UpperArm Bip01_{}_Forearm Bip01_{}_Hand",
        "L R",
    ),
    "Blender": (
        "hips thigh.{} shin.{} foot.{} toe.{} spine chest chest.001 neck head shoulder.{} upper_arm.{} forearm.{} "
        "hand.{}",
        "L R",
    ),
    "Rigify without names of the trunk": (
        "DEF-spine DEF-thigh.{} DEF-shin.{} DEF-foot.{} DEF-toe.{} DEF-spine.001 DEF-spine.002 DEF-spine.003 "
        "DEF-spine.004 DEF-spine.006 DEF-shoulder.{} DEF-upper_arm.{} DEF-forearm.{} DEF-hand.{}",
        "L R",
    ),
    "SMPL": (
        "m_avg_Pelvis m_avg_{}_Hip m_avg_{}_Knee m_avg_{}_Ankle m_avg_{}_Foot m_avg_Spine1 m_avg_Spine2 m_avg_Spine3 "
        "m_avg_Neck m_avg_Head m_avg_{}_Collar m_avg_{}_Shoulder m_avg_{}_Elbow m_avg_{}_Wrist",
        "L R",
    ),
    "DAZ": (
        "hip {}Thigh {}Shin {}Foot {}Toe abdomen chest chest2 neck head {}Collar {}Shldr {}ForeArm {}Hand",
        "l r",
    ),
    "DAZ Genesis": (
        "hip {}ThighBend {}Shin {}Foot {}Toe abdomenLower chestLower chestUpper neckLower head {}Collar {}ShldrBend "
        "{}ForearmBend {}Hand",
        "l r",
    ),
    "MotionBuilder": (
        "Hips {}Hip {}Knee {}Ankle {}Toe Chest Chest2 Chest3 Neck Head {}Collar {}Shoulder {}Elbow {}Wrist",
        "Left Right",
    ),
    "Xsens": (
        "Pelvis {}_Upper_Leg {}_Lower_Leg {}_Foot {}_Toe L5 L3 T8 Neck Head {}_Shoulder {}_Upper_Arm {}_Forearm "
        "{}_Hand",
        "Left Right",
    ),
    "Vicon": (
        "pelvis {}femur {}tibia {}foot {}toes lowerback upperback thorax neck head {}clavicle {}humerus {}radius "
        "{}hand",
        "l r",
    ),
    "VRM": (
        "J_Bip_C_Hips J_Bip_{}_UpperLeg J_Bip_{}_LowerLeg J_Bip_{}_Foot J_Bip_{}_ToeBase J_Bip_C_Spine J_Bip_C_Chest "
        "J_Bip_C_UpperChest J_Bip_C_Neck J_Bip_C_Head J_Bip_{}_Shoulder J_Bip_{}_UpperArm J_Bip_{}_LowerArm "
        "J_Bip_{}_Hand",
        "L R",
    ),
    "Kinect": (
        "SpineBase Hip{} Knee{} Ankle{} Foot{} Spine SpineMid SpineTop Neck Head Clavicle{} Shoulder{} Elbow{} Wrist{}",
        "Left Right",
    ),
    "Reallusion": (
        "CC_Base_Hip CC_Base_{}_Thigh CC_Base_{}_Calf CC_Base_{}_Foot CC_Base_{}_ToeBase CC_Base_Waist "
        "CC_Base_Spine01 CC_Base_Spine02 CC_Base_NeckTwist01 CC_Base_Head CC_Base_{}_Clavicle CC_Base_{}_Upperarm "
        "CC_Base_{}_Forearm CC_Base_{}_Hand",
        "L R",
    ),
    "a namespace and capitals": (
        "Actor1:HIPS Actor1:{}UPLEG Actor1:{}LEG Actor1:{}FOOT Actor1:{}TOEBASE Actor1:SPINE Actor1:SPINE1 "
        "Actor1:SPINE2 Actor1:NECK Actor1:HEAD Actor1:{}SHOULDER Actor1:{}ARM Actor1:{}FOREARM Actor1:{}HAND",
        "LEFT RIGHT",
    ),
    "numbers alone": ("j0 a{} b{} c{} d{} j1 j2 j3 j4 j5 e{} f{} g{} h{}", "1 2"),
}
_ROLES = (
    "pelvis", "hip", "knee", "ankle", "foot", "spine1", "spine2", "spine3", "neck", "head", "collar", "shoulder",
    "elbow", "wrist",
)  # fmt: skip


@pytest.fixture(scope="module")
def walk(tiny_set: Path) -> np.ndarray:
    """(40, 22, 3) of a clip in which the body stands on its feet."""
    return np.load(tiny_set / "new_joints" / "000004.npy")[:40]


def _renamed(path: Path, walk: np.ndarray, family: str, metres_per_unit: float = 0.01) -> Path:
    """Write a motion as BVH with the names of a family."""
    words, sides = FAMILIES[family][0].split(), FAMILIES[family][1].split()
    theirs = {}
    for role, word in zip(_ROLES, words, strict=True):
        if "{}" in word:
            theirs |= {f"{ours}_{role}": word.format(side) for ours, side in zip(("left", "right"), sides, strict=True)}
        else:
            theirs[role] = word
    write_bvh(path, walk, metres_per_unit=metres_per_unit)
    text = re.sub(r"(ROOT|JOINT) (\w+)", lambda found: f"{found[1]} {theirs[found[2]]}", path.read_text())
    path.write_text(text)
    return path


@pytest.mark.parametrize("family", FAMILIES)
def test_the_same_motion_under_any_names(family: str, walk: np.ndarray, tmp_path: Path) -> None:
    motion = load_motion(_renamed(tmp_path / "a.bvh", walk, family))
    assert np.abs(motion.joints - walk).max() < 0.03
    assert motion.notices[0].startswith("read ")


@pytest.mark.parametrize("unit", [1.0, 0.001, 0.0254, 0.3048, 0.1])
def test_units_of_unknown_rigs_are_told_by_the_leg(unit: float, walk: np.ndarray, tmp_path: Path) -> None:
    motion = load_motion(_renamed(tmp_path / "a.bvh", walk, "Unreal", unit))
    assert np.abs(motion.joints - walk).max() < 0.03
    assert unit == 1.0 or any(notice.startswith("taken as ") for notice in motion.notices)


def test_names_are_read_for_side_and_part() -> None:
    names = ["Bip01 L Thigh", "upperarm.R", "lfemur", "LeftUpLeg", "lowerback", "handslot.l", "rShldr", "hand_right"]
    read = [(name.side, name.word) for name in (read_names([one])[0] for one in names)]
    assert read == [
        ("left", "thigh"), ("right", "upperarm"), ("left", "femur"), ("left", "upleg"), ("", "lowerback"),
        ("left", "handslot"), ("right", "shldr"), ("right", "hand"),
    ]  # fmt: skip
    smpl = ["m_avg_L_Hip", "m_avg_Pelvis", "m_avg_Head", "m_avg_Neck", "m_avg_R_Hip"]
    assert [name.word for name in read_names(smpl)] == ["hip", "pelvis", "head", "neck", "hip"]


def test_cases_of_names(cases_dir: Path) -> None:
    """Prefix, case and spaces on our own names; five common rigs with one walk."""
    folder = cases_dir / "motion/06-joint-names-prefix-case-space"
    plain = load_motion(folder / "plain.bvh").joints
    for name in ("armature_bar", "capital", "namespace", "space"):
        np.testing.assert_array_equal(load_motion(folder / f"{name}.bvh").joints, plain)
    folder = cases_dir / "motion/08-common-skeletons"
    expected = np.load(folder / "expected.npy")
    for name in ("daz", "lafan", "mixamo", "mixamo_no_prefix", "motionbuilder_optitrack"):
        assert np.abs(load_motion(folder / f"{name}.bvh").joints - expected).max() < 0.03, name


def _check_person(joints: np.ndarray, name: str) -> None:
    height = joints[:, JOINT_INDEX["head"], 1] - joints[:, [7, 8, 10, 11], 1].min(axis=1)
    assert 1.4 < height.max() < 1.9, f"{name}: {height.max():.2f}"
    left = joints[:, 1] - joints[:, 2] + joints[:, 16] - joints[:, 17]
    toes = joints[:, 10] - joints[:, 7] + joints[:, 11] - joints[:, 8]
    assert ((toes * np.cross(left, [0, 1, 0])).sum(-1) > 0).mean() > 0.9, name


def test_files_of_other_tools_stand_upright_and_are_not_mirrored(data_dir: Path) -> None:
    files = sorted((data_dir / "raw/foreign").glob("*.bvh"))
    assert len(files) == 6
    for file in files:
        _check_person(load_motion(file).joints, file.name)


def test_trials_of_cmu_with_daz_names_lose_their_rest_pose(data_dir: Path, tmp_path: Path) -> None:
    """Every seventh of the 58 trials."""
    import tarfile

    with tarfile.open(data_dir / "mocap/cmu_daz_30fps.tar.xz") as archive:
        members = [member for member in archive if member.name.endswith(".bvh")]
        assert len(members) == 58
        for member in members[::7]:
            content = archive.extractfile(member)
            assert content is not None
            path = tmp_path / Path(member.name).name
            path.write_bytes(content.read())
            motion = load_motion(path)
            _check_person(motion.joints, path.name)
            assert any("at the start left out" in notice for notice in motion.notices), path.name


def test_a_waving_right_hand_is_the_right_one(data_dir: Path) -> None:
    joints = load_motion(data_dir / "raw/foreign/fair1_wave_hello.bvh").joints
    late = joints[len(joints) // 2 :]  # it begins with both arms held out
    rise = [(late[:, JOINT_INDEX[f"{side}_wrist"], 1] - late[:, 15, 1]).max() for side in ("left", "right")]
    assert rise[1] > rise[0] + 0.3


def test_a_drafted_table_reads_as_the_file_was_understood(data_dir: Path, tmp_path: Path) -> None:
    file = data_dir / "raw/foreign/cmu_daz_10_03.bvh"
    source = read_recording(file).source
    assert source is not None
    (tmp_path / "table.yaml").write_text(draft_table(source))
    mine = load_motion(file, skeleton=tmp_path / "table.yaml")
    assert np.abs(mine.joints - load_motion(file).joints).max() < 0.005
    assert not any(notice.startswith("read ") for notice in mine.notices)


def test_a_table_of_ones_own_says_what_is_wrong_in_it(walk: np.ndarray, tmp_path: Path) -> None:
    file = _renamed(tmp_path / "a.bvh", walk, "Unreal")
    source = read_recording(file).source
    assert source is not None
    good = draft_table(source)
    table = tmp_path / "table.yaml"
    for old, new, message in (
        ("  left_knee: calf_l\n", "", r"table.yaml: joints: left_knee: wanted the name of a joint"),
        ("left_knee: calf_l", "left_knee: calf_x", "wants joints that the file lacks: calf_x"),
        ("left_knee: calf_l", "left_knee: {calf_l: 2}", "weights that sum to 1, got 2"),
        ("axes: [x, y, z]", "axes: [x, z, y]", "axes that do not mirror"),
        ("  left_knee", "  left_elbows", "'left_elbows' is none of ours|left_knee"),
        ("title:", "titel:", "no key 'titel'; known: title, joints"),
        ("joints:", "joints: 3 #", "with the key joints|is not YAML"),
    ):
        table.write_text(good.replace(old, new, 1))
        with pytest.raises(RemogptError, match=message):
            load_motion(file, skeleton=table)
    with pytest.raises(RemogptError, match=r"no file .*nowhere\.yaml; wanted a skeleton table"):
        load_motion(file, skeleton=tmp_path / "nowhere.yaml")


def test_two_people_in_one_file_are_asked_for(walk: np.ndarray, tmp_path: Path) -> None:
    texts = [_renamed(tmp_path / f"{family}.bvh", walk, family).read_text() for family in ("Unreal", "Mixamo")]
    trees = [text.partition("MOTION")[0].removeprefix("HIERARCHY\n") for text in texts]
    rows = [text.strip().splitlines()[-len(walk) :] for text in texts]
    both = "\n".join(f"{one} {other}" for one, other in zip(*rows, strict=True))
    path = tmp_path / "both.bvh"
    path.write_text(f"HIERARCHY\n{''.join(trees)}MOTION\nFrames: {len(walk)}\nFrame Time: 0.05\n{both}\n")
    with pytest.raises(RemogptError, match=r"holds 2 people, on the joints pelvis, mixamorig:Hips; .*--clip"):
        load_motion(path)
    for person in ("pelvis", "mixamorig:Hips"):
        assert np.abs(load_motion(path, clip=person).joints - walk).max() < 0.03
    with pytest.raises(RemogptError, match="no person on the joint 'Anna'; there is one on pelvis"):
        load_motion(path, clip="Anna")


@pytest.mark.slow
def test_all_animations_of_toy_figures_read(data_dir: Path) -> None:
    """Standing, they are upright with their toes ahead; the figure's legs are short, as its makers drew them."""
    names = []
    for file in sorted((data_dir / "raw/glb").glob("*.glb")):
        for clip in clips_of(file):
            motion = load_motion(clip)
            assert motion.joints.shape[1:] == (22, 3)
            names.append(clip.name)
    walk = load_motion(data_dir / "raw/glb/kaykit_MovementBasic.glb", clip="Walking_A").joints
    left = walk[:, 1] - walk[:, 2]
    toes = walk[:, 10] - walk[:, 7] + walk[:, 11] - walk[:, 8]
    assert ((toes * np.cross(left, [0, 1, 0])).sum(-1) > 0).mean() > 0.95
    assert (walk[:, 15, 1] > walk[:, 0, 1]).all()
    assert len(names) == 75
