"""Sets of recordings in many formats: windows, mirror images, captions, splits; interrupted, in parallel, anew.

The body model is a stand-in of 30 points: SMPL's own is licensed to each user and cannot be here.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from remogpt import cli
from remogpt.data.doctor.examine import examine
from remogpt.data.humanml3d import MotionTextSet
from remogpt.data.prepare import work
from remogpt.data.prepare.prepare import prepare_set
from remogpt.motion import Motion, features_to_joints, joints_to_features, load_motion, mirror_joints
from remogpt.motion.skeleton import PARENTS, TARGET_OFFSETS
from remogpt.runtime.errors import MissingPathError, RemogptError
from tests.motion.test_features import moving

SENTENCES = ("a person walks and waves the left hand number {}", "someone swings the right leg, {}")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Eight recordings in three formats, captions beside all but one; one is long, one too short, one damaged."""
    folder = tmp_path / "recordings"
    (folder / "take").mkdir(parents=True)
    for number, (name, frames) in enumerate(
        {
            "a.bvh": 60,
            "take/b.glb": 70,
            "c.npy": 450,
            "d.bvh": 50,
            "e.npy": 44,
            "short.npy": 6,
            "silent.npy": 50,
        }.items()
    ):
        Motion.from_joints(moving(frames, seed=number), name="walk").save(folder / name)
        if name != "silent.npy":
            text = "".join(f"{sentence.format(number)}\n" for sentence in SENTENCES)
            (folder / name).with_suffix(".txt").write_text(text)
    (folder / "broken.bvh").write_text("HIERARCHY\n")
    (folder / "broken.txt").write_text("nothing moves\n")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_becomes_a_set(source: Path, tmp_path: Path) -> None:
    report = prepare_set([source], tmp_path / "set", workers=1, licence="CC0")
    motions = MotionTextSet.open(tmp_path / "set")
    clips = {clip.id: clip for clip in motions.clips("all", 0, 10**9)}
    assert len(clips) == 14 and report["mirror_images"] == 7  # c.npy gives three windows
    assert motions.licence == "CC0" and {"train", "val", "test"} <= set(motions.splits())
    by_file = {motions.item(name)["tags"]["file"]: name for name in clips if not name.startswith("M")}
    assert set(by_file) == {"a.bvh", "take/b.glb", "c.npy", "d.bvh", "e.npy"}
    name = by_file["e.npy"]
    true = joints_to_features(moving(44, seed=4))
    np.testing.assert_allclose(motions.features(name), true, atol=1e-5)
    np.testing.assert_allclose(motions.joints(name), features_to_joints(true), atol=1e-5)
    np.testing.assert_allclose(
        motions.features(f"M{name}"), joints_to_features(mirror_joints(moving(44, seed=4))), atol=1e-5
    )
    assert clips[name].captions == tuple(sentence.format(4) for sentence in SENTENCES)
    assert clips[f"M{name}"].captions == (
        "a person walks and waves the right hand number 4", "someone swings the left leg, 4",
    )  # fmt: skip
    assert clips[f"M{name}"].mirror_of == name and clips[f"M{name}"].source_id == clips[name].source_id == "e.npy"
    homes = {split: {clip.source_id for clip in motions.clips(split, 0, 10**9)} for split in ("train", "val", "test")}
    assert sum(map(len, homes.values())) == 5
    windows = [clip.num_frames for clip in clips.values() if clip.source_id == "c.npy"]
    assert len(windows) == 6 and max(windows) <= 196
    assert set(report["left_out"]) == {"short.npy from 0 s", "silent.npy", "broken.bvh"}
    assert "6 frames there" in report["left_out"]["short.npy from 0 s"]
    of_source = report["sources"]["recordings"]
    assert (of_source["recordings"], of_source["used"], of_source["clips"]) == (8, 5, 7)
    assert not [one for one in examine(tmp_path / "set").findings if one.kind != "overlap"]
    assert json.loads((tmp_path / "set" / "report.json").read_text()) == report
    page = (tmp_path / "set" / "report.html").read_text()
    assert page.count('<figure class="remogpt-player"') == 7 and "someone swings" not in page  # the first caption alone
    assert "a person walks and waves the left hand number 4" in page and "broken.bvh" in page


def test_an_interrupted_run_goes_on(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare_set([source], tmp_path / "whole", workers=1)
    read: list[str] = []

    def load(path: str, **options: Any) -> Motion:
        read.append(Path(path).name)
        if len(read) == 4:
            raise KeyboardInterrupt
        return load_motion(path, **options)

    monkeypatch.setattr(work, "load_motion", load)
    with pytest.raises(KeyboardInterrupt):
        prepare_set([source], tmp_path / "again", workers=1)
    assert not (tmp_path / "again" / "set.json").exists()
    done = read[:3]
    prepare_set([source], tmp_path / "again", workers=1)
    assert len(read) == 4 + 7 - 3 and not set(done) & set(read[4:])
    whole, again = contents(tmp_path / "whole"), contents(tmp_path / "again")
    for name in ("set.json", "report.html"):  # hold the folder's name
        whole[name], again[name] = (files[name].replace(b"whole", b"again") for files in (whole, again))
    assert whole == again
    read.clear()
    prepare_set([source], tmp_path / "again", workers=1)
    assert not read and contents(tmp_path / "again") | {"report.html": b"", "set.json": b""} == again | {
        "report.html": b"", "set.json": b"",
    }  # fmt: skip
    (source / "e.txt").write_text("a person does something else\n")
    (source / "aa.npy").write_bytes((source / "e.npy").read_bytes())
    (source / "aa.txt").write_text("one more comes later\n")
    prepare_set([source], tmp_path / "again", workers=1)
    assert sorted(read) == ["aa.npy", "e.npy"]  # what changed and what is new; the others keep their numbers
    motions = MotionTextSet.open(tmp_path / "again")
    assert len(motions.ids("all")) == 16 and not [
        one for one in examine(motions.folder).findings if "no list" in one.what
    ]


@pytest.mark.slow
def test_several_processes_write_the_same(source: Path, tmp_path: Path) -> None:
    prepare_set([source], tmp_path / "one", workers=1, name="same")
    prepare_set([source], tmp_path / "two", workers=2, name="same")
    one, two = (contents(tmp_path / name) for name in ("one", "two"))
    one["report.html"], two["report.html"] = (page["report.html"].replace(b"two", b"one") for page in (one, two))
    assert one == two


def test_a_table_of_stretches(source: Path, tmp_path: Path) -> None:
    table = tmp_path / "captions.csv"
    table.write_text(
        "file,caption,start,end\nc.npy,steps to the left,0,4\nc.npy,stands,4,\n"
        f"{source / 'take' / 'b.glb'},waves,,\nnowhere.bvh,flies,,\n"
    )
    report = prepare_set([source], tmp_path / "set", captions=table, workers=1, mirror=False, max_frames=None)
    motions = MotionTextSet.open(tmp_path / "set")
    frames = {clip.captions[0]: clip.num_frames for clip in motions.clips("all", 0, 10**9)}
    assert frames == {"steps to the left": 79, "stands": 369, "waves": 69}
    assert report["left_out"]["nowhere.bvh"] == f"{table} names it, but no source holds it"
    assert report["left_out"]["a.bvh"] == f"{table} has no caption of it"
    assert (report["sources"]["recordings"]["recordings"], report["sources"]["recordings"]["used"]) == (8, 2)


def test_humanml3d_is_made_of_amass_and_humanact12_by_its_index(tmp_path: Path) -> None:
    amass, texts = tmp_path / "AMASS", tmp_path / "texts"
    body = _body_model(tmp_path / "models" / "smplh" / "neutral")
    for path, frames in (("ACCAD/Male 2/A1_poses.npz", 200), ("Transitions_mocap/x/jump_poses.npz", 240)):
        _amass(amass / path, frames)
    (amass / "humanact12" / "humanact12").mkdir(parents=True)
    np.save(amass / "humanact12" / "humanact12" / "P01.npy", np.concatenate([moving(60), moving(60)[:, :2]], axis=1))
    texts.mkdir()
    for name in ("000000", "000001", "000002", "M000001"):
        (texts / f"{name}.txt").write_text(f"the text of {name}, left#the/DET text/NOUN left/ADJ#0.0#0.0\n")
    index = tmp_path / "index.csv"
    index.write_text(
        "source_path,start_frame,end_frame,new_name\n"
        "./pose_data/ACCAD/Male 2/A1_poses.npy,10,50,000000.npy\n"
        "./pose_data/Transitions_mocap/x/jump_poses.npy,0,30,000001.npy\n"
        "./pose_data/humanact12/humanact12/P01.npy,0,60,000002.npy\n"
        "./pose_data/KIT/3/away_poses.npy,0,60,000003.npy\n"
    )
    (tmp_path / "lists").mkdir()
    for split, names in {"train": "000000\nM000000\n000002\n", "test": "000001\nM000001\n"}.items():
        (tmp_path / "lists" / f"{split}.txt").write_text(names)
    words = [str(amass), "--out", str(tmp_path / "set"), "--index", str(index), "--texts", str(texts), "--splits",
             str(tmp_path / "lists"), "--workers", "1", "--body-model", str(body)]  # fmt: skip
    assert cli.main(["data", "prepare", *words]) == 1
    motions = MotionTextSet.open(tmp_path / "set")
    assert motions.ids("train") == ["000000", "M000000", "000002"] and motions.ids("test") == ["000001", "M000001"]
    clips = {clip.id: clip for clip in motions.clips("train", 0, 999) + motions.clips("test", 0, 999)}
    assert clips["M000000"].captions == ("the text of 000000, right",)
    assert clips["M000000"].tokens == (("the/DET", "text/NOUN", "right/ADJ"),)
    assert clips["M000001"].captions == ("the text of M000001, left",)  # as someone wrote it
    whole = load_motion(amass / "Transitions_mocap/x/jump_poses.npz", body_model=body).joints
    expected = joints_to_features(whole[10:40])  # half a second is dropped first
    np.testing.assert_allclose(motions.features("000001"), expected, atol=1e-5)
    assert json.loads((tmp_path / "set" / "report.json").read_text())["left_out"] == {
        "000003": "no ./pose_data/KIT/3/away_poses.npy in the sources"
    }


def _body_model(folder: Path) -> Path:
    places = np.zeros((22, 3))
    for joint, parent in enumerate(PARENTS):
        places[joint] = TARGET_OFFSETS[joint] + (places[parent] if parent >= 0 else 0)
    points = np.concatenate([places, np.random.default_rng(0).normal(size=(8, 3))])
    folder.mkdir(parents=True)
    np.savez(folder / "model.npz", J_regressor=np.eye(52, 30), v_template=points, shapedirs=np.zeros((30, 3, 16)))
    return folder.parents[1]


def _amass(path: Path, frames: int) -> None:
    """A file of pose angles at 40 frames a second of a person who sways."""
    turns = 0.2 * np.sin(np.arange(frames)[:, None, None] / 15 + np.arange(66).reshape(22, 3))
    turns[:, 0] = [np.pi / 2, 0, 0]
    path.parent.mkdir(parents=True)
    poses = np.concatenate([turns.reshape(frames, 66), np.zeros((frames, 90))], axis=1)
    np.savez(path, poses=poses, trans=np.zeros((frames, 3)), gender="neutral", mocap_framerate=40.0, betas=np.zeros(16))


def test_motion_x_has_its_texts_and_splits_under_its_own_paths(tmp_path: Path) -> None:
    names = {"train": "dance/subset_0000/Mambo_clip_1", "val": "dance/subset_0000/Waltz", "test": "kungfu/Ao_Palm"}
    for number, (split, name) in enumerate(names.items()):
        body = moving(90, seed=number)
        with_hands = np.concatenate([body, np.repeat(body[:, 20:22], 15, axis=1)], axis=1)  # (T, 52, 3)
        for path in (tmp_path / "joints" / f"{name}.npy", tmp_path / "texts" / f"{name}.txt"):
            path.parent.mkdir(parents=True, exist_ok=True)
        np.save(tmp_path / "joints" / f"{name}.npy", with_hands)
        (tmp_path / "texts" / f"{name}.txt").write_text(f"a person dances number {number} to the left")
        (tmp_path / f"{split}.txt").write_text(f"{name}\n")
    source = {"texts": tmp_path / "texts", "splits": tmp_path, "fps": 30.0, "workers": 1}
    report = prepare_set([tmp_path / "joints"], tmp_path / "set", **source)
    assert report["splits"] == {"train": 2, "val": 2, "test": 2} and not report["left_out"]
    motions = MotionTextSet.open(tmp_path / "set")
    clips = {clip.id: clip for clip in motions.clips("test")}
    assert {clip.captions[0] for clip in clips.values()} == {
        "a person dances number 2 to the left", "a person dances number 2 to the right",
    }  # fmt: skip
    assert {clip.num_frames for clip in clips.values()} == {59}  # 3 s at 20 frames a second
    with pytest.raises(MissingPathError, match="no folder of texts"):
        prepare_set([tmp_path / "joints"], tmp_path / "other", **source | {"texts": tmp_path / "nowhere"})
    (tmp_path / "texts" / "kungfu" / "Ao_Palm.txt").unlink()
    left_out = prepare_set([tmp_path / "joints"], tmp_path / "other", **source)["left_out"]
    assert left_out == {"kungfu/Ao_Palm.npy": f"no caption: neither a table nor Ao_Palm.txt in {tmp_path / 'texts'}"}


def test_captions_in_other_encodings_are_read(source: Path, tmp_path: Path) -> None:
    (source / "a.txt").write_bytes("a girl in a café walks".encode("latin-1"))
    (source / "d.txt").write_bytes("a dog wälks".encode("utf-16"))
    (source / "e.txt").write_bytes(b"")
    report = prepare_set([source], tmp_path / "set", workers=1, mirror=False)
    texts = {clip.captions[0] for clip in MotionTextSet.open(tmp_path / "set").clips("all", 0, 10**9)}
    assert {"a girl in a café walks", "a dog wälks"} <= texts
    assert report["left_out"]["e.npy"] == f"{source / 'e.txt'} holds no caption that can be used"


def test_what_cannot_be_prepared_is_refused(source: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingPathError, match=r"no folder .*nowhere; name folders of recordings"):
        prepare_set([tmp_path / "nowhere"], tmp_path / "set")
    for text in source.rglob("*.txt"):
        text.unlink()
    with pytest.raises(RemogptError, match=r"8 recordings, and none has captions. Write a table"):
        prepare_set([source], tmp_path / "set")
    with pytest.raises(RemogptError, match=r"name the folder of their texts too \(--texts\)"):
        prepare_set([source], tmp_path / "set", index=tmp_path / "index.csv")
    (source / "broken.txt").write_text("nothing moves\n")
    with pytest.raises(RemogptError, match=r"none of 1 recordings can be used, the first: broken.bvh: "):
        prepare_set([source], tmp_path / "set")


def test_another_set_is_not_overwritten(source: Path, tiny_set: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_set, tmp_path / "set")
    with pytest.raises(RemogptError, match="holds another set already"):
        prepare_set([source], tmp_path / "set")
