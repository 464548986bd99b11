"""`remogpt data`."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from remogpt.data.humanml3d import MotionTextSet


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_make_is_seeded_resumes_and_grows(run, tmp_path: Path) -> None:
    whole, begun = tmp_path / "whole", tmp_path / "begun"
    assert run("data", "make", "--out", whole, "--clips", 5, "--workers", 1, "--seed", 3).code == 0
    ran = run("data", "make", "--out", begun, "--clips", 3, "--workers", 1, "--seed", 3)
    assert "train" in ran.out and "captions" in ran.out
    (begun / "items" / "000001.json").unlink()  # as if killed while writing it
    assert run("data", "make", "--out", begun, "--clips", 5, "--workers", 1, "--seed", 3).code == 0
    assert files_of(begun) == files_of(whole)


def test_make_adds_long_recordings_which_are_read_in_stretches(run, tmp_path: Path) -> None:
    words = ("data", "make", "--out", tmp_path / "set", "--clips", 3, "--workers", 1)
    assert run(*words).code == 0
    before = files_of(tmp_path / "set" / "items")
    assert run(*words, "--long", 2).code == 0
    after = files_of(tmp_path / "set" / "items")
    assert after.keys() - before.keys() == {"L000000.json", "L000001.json"} and after | before == after
    motions = MotionTextSet.open(tmp_path / "set")
    assert motions.info["long"] == 2 and motions.ids("all")[-2:] == ["L000000", "L000001"]
    assert {clip.file_id for clip in motions.clips("all") if ":" in clip.id} == {"L000000", "L000001"}
    assert run("data", "check", tmp_path / "set").code == run("data", "stats", tmp_path / "set").code == 0
    assert "--families and --long must be 0 or more" in run(*words, "--long", -1).complaint


def test_make_in_a_set_of_another_seed_is_refused(run, tmp_path: Path) -> None:
    run("data", "make", "--out", tmp_path / "set", "--clips", 2, "--workers", 1)
    before = files_of(tmp_path / "set")
    complaint = run("data", "make", "--out", tmp_path / "set", "--clips", 2, "--workers", 1, "--seed", 9).complaint
    assert "holds a set of seed 0" in complaint and files_of(tmp_path / "set") == before


def test_stats_counts(run, tiny_set: Path) -> None:
    report = json.loads(run("data", "stats", tiny_set, "--json").out)
    assert {name: row["clips"] for name, row in report["splits"].items()} == {
        "all": 15,
        "test": 1,
        "train": 12,
        "val": 2,
    }
    assert report["splits"]["all"]["captions"] == 45 and report["licence"] == "MIT"
    lines = run("data", "stats", tiny_set).out.splitlines()
    assert lines[0] == "remogpt-procedural (MIT)" and len(lines) == 5


def test_check_measures_facts(run, tiny_set: Path) -> None:
    ran = run("data", "check", tiny_set, "--clips", 6, "--json")
    assert ran.code == 0 and isinstance(json.loads(ran.out), dict)
    assert run("data", "check", tiny_set, "--clips", 6).out.strip()


def pack_utd(path: Path, names: list[str]) -> None:
    """Write joints of standing people with one moving hand, as the packed UTD-MHAD set has them."""
    pose = np.array([
        [0, 0.6, 3], [0, 0.4, 3], [0, 0.1, 3], [0, 0, 3],
        [0.2, 0.4, 3], [0.3, 0.15, 3], [0.35, -0.1, 3], [0.35, -0.15, 3],
        [-0.2, 0.4, 3], [-0.3, 0.15, 3], [-0.35, -0.1, 3], [-0.35, -0.15, 3],
        [0.1, -0.05, 3], [0.12, -0.45, 3], [0.12, -0.85, 3], [0.12, -0.9, 2.9],
        [-0.1, -0.05, 3], [-0.12, -0.45, 3], [-0.12, -0.85, 3], [-0.12, -0.9, 2.9],
    ], dtype=np.float32)  # fmt: skip
    clips = []
    for number in range(len(names)):
        clip = np.repeat(pose[None], 70 + number, axis=0)
        clip[:, 10:12, 1] += 0.2 * np.sin(np.arange(len(clip)) / 5)[:, None]
        clips.append(clip)
    offsets = np.cumsum([0, *(len(clip) for clip in clips)])
    np.savez(path, joints=np.concatenate(clips), offsets=offsets, ids=np.array(names), fps=np.float32(30))


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    path = tmp_path / "utd_mhad.npz"
    pack_utd(path, [f"a{action}_s{subject}_t1" for action in (1, 3) for subject in range(1, 5)])
    return path


def test_import_writes_a_set_that_opens_and_goes_on_after_a_kill(run, packed: Path, tmp_path: Path) -> None:
    whole, begun = tmp_path / "whole", tmp_path / "begun"
    ran = run("data", "import", "utd_mhad", packed, "--out", whole)
    assert ran.code == 0 and ran.out.startswith("utd_mhad (")
    motions = MotionTextSet.open(whole)
    clips = motions.clips("all")
    assert len(clips) == 8 and all(clip.captions for clip in clips)
    assert all(np.isfinite(motions.features(clip)).all() for clip in clips)
    assert sorted(motions.ids("all")) == sorted(i for split in ("train", "val", "test") for i in motions.ids(split))
    assert run("data", "import", "utd_mhad", packed, "--out", begun).code == 0
    sorted((begun / "items").iterdir())[3].unlink()
    (begun / "set.json").unlink()
    (begun / "Mean.npy").unlink()
    assert run("data", "import", "utd_mhad", packed, "--out", begun).code == 0
    assert files_of(begun) == files_of(whole)


@pytest.fixture
def own_set(tiny_set: Path, tmp_path: Path) -> Path:
    """A copy that may be written to."""
    return Path(shutil.copytree(tiny_set, tmp_path / "own"))


def test_stats_count_similar_captions_by_the_text_model(
    run, own_set: Path, own_cache: Path, tiny_text_model: Path
) -> None:
    command = ("data", "stats", own_set, "--similar", "--text-model", tiny_text_model)
    report = json.loads(run(*command, "--json").out)
    row = report["splits"]["train"]["similar"]
    assert report["text_model"] == str(tiny_text_model) and row["captions"] == 36
    assert row["pairs"] == 36 * 35 // 2 - 12 * 3 and set(row["above"]) == {"0.8", "0.9", "0.95"}
    pairs = [row["above"][threshold]["pairs"] for threshold in ("0.8", "0.9", "0.95")]
    assert pairs == sorted(pairs, reverse=True) and 0 < pairs[0] <= row["pairs"]
    (kept,) = own_cache.rglob("about.json")
    assert json.loads(kept.read_text())["what"] == "sentence vectors"
    lines = run(*command).out.splitlines()
    assert len(lines) == 1 + 4 * 5 and "above 0.95:" in lines[5] and "identical:" in lines[2]
    assert "similar" not in json.loads(run("data", "stats", own_set, "--json").out)["splits"]["train"]


def test_dissimilar_writes_a_list_that_is_a_split(run, own_set: Path, tiny_text_model: Path) -> None:
    model = ("--text-model", tiny_text_model)
    ran = run("data", "dissimilar", own_set, "--split", "train", "--size", 4, *model, "--json")
    report = json.loads(ran.out)
    assert report["chosen"]["mean_cosine"] <= report["random"]["mean_cosine"] and report["of"] == 12
    assert all(value == round(value, 4) for one in ("chosen", "random") for value in report[one].values())
    motions = MotionTextSet.open(own_set)
    ids = motions.ids("nsim_train")
    assert len(ids) == 4 and set(ids) < set(motions.ids("train")) and len(motions.clips("nsim_train")) == 4
    again = own_set / "again.txt"
    assert run("data", "dissimilar", own_set, "--split", "train", "--size", 4, "--out", again, *model).code == 0
    assert again.read_text().split() == ids


def test_dissimilar_reads_the_first_caption_of_each_motion(run, own_set: Path, tiny_text_model: Path) -> None:
    command = ("data", "dissimilar", own_set, "--split", "train", "--size", 4, "--text-model", tiny_text_model)
    of_all = run(*command, "--out", own_set / "of_all.txt", "--json")
    for path in (own_set / "texts").glob("*.txt"):
        path.write_text(path.read_text(encoding="utf-8").splitlines(keepends=True)[0], encoding="utf-8")
    of_first = run(*command, "--out", own_set / "of_first.txt", "--json")
    assert of_first.code == 0 and json.loads(of_first.out)["chosen"] == json.loads(of_all.out)["chosen"]
    assert (own_set / "of_first.txt").read_text() == (own_set / "of_all.txt").read_text()


def test_only_motions_described_as_a_whole_are_listed(run, own_set: Path, tiny_text_model: Path) -> None:
    """In a split file an id stands for all clips of its motion."""
    ids = MotionTextSet.open(own_set).ids("train")
    for name in ids[:9]:
        with (own_set / "texts" / f"{name}.txt").open("a") as file:
            file.write("a part##0.0#2.5\n")
    command = ("data", "dissimilar", own_set, "--split", "train", "--text-model", tiny_text_model)
    assert "--size must lie between 2 and 3" in run(*command, "--size", 4).complaint
    assert run(*command, "--size", 3).code == 0
    assert MotionTextSet.open(own_set).ids("nsim_train") == ids[9:]


def test_unseen_share_decides_what_training_never_sees(run, tmp_path: Path) -> None:
    for share, out in ((0, "none"), (0.9, "most")):
        command = ("data", "make", "--clips", 8, "--workers", 1, "--unseen-share", share, "--out", tmp_path / out)
        assert run(*command).code == 0
    assert MotionTextSet.open(tmp_path / "none").ids("test_unseen") == []
    unseen = MotionTextSet.open(tmp_path / "most").ids("test_unseen")
    actions = {name: MotionTextSet.open(tmp_path / "most").item(name)["tags"]["num_actions"] for name in unseen}
    assert unseen and min(actions.values()) > 1


def test_own_recordings_become_a_set(run, tiny_set: Path, tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    for name in ("000003", "000004", "000005"):
        (folder / f"{name}.npy").write_bytes((tiny_set / "new_joints" / f"{name}.npy").read_bytes())
    (folder / "bad.bvh").write_text("x")
    (tmp_path / "c.csv").write_text(
        "file,caption\n000003.npy,a person walks\n000004.npy,a person waves\n000005.npy,someone runs\nbad.bvh,a fall\n"
        "000005.npy,\n"
    )
    command = ("data", "import", "folder", folder, "--captions", tmp_path / "c.csv", "--licence", "CC0", "--out")
    ran = run(*command, tmp_path / "mine")
    assert ran.code == 1 and "bad.bvh" in ran.err and "could not be used, left out: 2" in ran.err
    assert "c.csv, line 6: wanted a file and its caption, got '000005.npy' and ''" in ran.err
    assert ran.out.startswith("mine (CC0)") and MotionTextSet.open(tmp_path / "mine").ids("all") == [
        "000003", "000004", "000005",
    ]  # fmt: skip
    (tmp_path / "c.csv").write_text("file,caption,start,end\n000003.npy,walks,,\n000004.npy,a twitch,1,1.2\n")
    ran = run(*command, tmp_path / "short")
    assert ran.code == 0 and "fewer than 9 frames (two codes), left out: 1" in ran.err
    (tmp_path / "c.csv").write_text("file,caption\nbad.bvh,a fall\n")
    ran = run(*command, tmp_path / "none")
    assert ran.code == 2 and "no usable captioned recording" in ran.err and "bad.bvh" in ran.err


def test_prepare_tells_what_is_left_out_and_what_was_made(run, tiny_set: Path, tmp_path: Path) -> None:
    folder, out = tmp_path / "recordings", tmp_path / "set"
    folder.mkdir()
    for name in ("000003", "000004", "000005"):
        (folder / f"{name}.npy").write_bytes((tiny_set / "new_joints" / f"{name}.npy").read_bytes())
        (folder / f"{name}.txt").write_text("a person walks\n")
    np.save(folder / "000005.npy", np.zeros((3, 5)))
    ran = run("data", "prepare", folder, "--out", out, "--workers", 1, "--no-mirror")
    why, count = ran.err.splitlines()[-2:]
    assert ran.code == 1 and why.startswith("left out: ") and "000005.npy" in why and "(3, 5)" in why
    assert count == f"left out: 1, all in {out / 'report.json'}"
    made, told = ran.out.splitlines()
    assert made.startswith("recordings: 2 of 3 recordings, 2 clips, ")
    assert told.startswith(f"{out}: train") and "0 of them mirror images" in told


def test_tmr_annotations_become_a_set(run, tiny_set: Path, tmp_path: Path) -> None:
    annotations, features = tmp_path / "kit", tmp_path / "features"
    (annotations / "splits").mkdir(parents=True)
    features.mkdir()
    (features / "walk.npy").write_bytes((tiny_set / "new_joint_vecs" / "000004.npy").read_bytes())
    frames = len(np.load(features / "walk.npy"))
    whole = {"seg_id": "1", "text": "a person walks", "start": 0.0, "end": 2.5}
    table = {
        "1": {"path": "walk", "duration": frames / 20, "annotations": [whole]},
        "2": {"path": "gone", "duration": 3.0, "annotations": [whole]},
        "3": {"path": "walk", "duration": 1.0, "annotations": [{**whole, "end": 1.0}]},
    }
    (annotations / "annotations.json").write_text(json.dumps(table))
    (annotations / "splits" / "train.txt").write_text("1\n2\n3\n")
    ran = run("data", "import", "tmr", annotations, "--features", features, "--out", tmp_path / "set")
    assert ran.code == 1 and ran.out.startswith("kit (unknown)")
    assert "keys left out: 1 without a caption of 2 to 10 s" in ran.err
    assert "keys without usable features, left out: 1" in ran.err
    (clip,) = MotionTextSet.open(tmp_path / "set").clips("train")
    assert (clip.num_frames, clip.source_id) == (50, "walk")


def test_what_a_user_may_get_wrong(run, tiny_set: Path, packed: Path, tmp_path: Path) -> None:
    out = ("--out", tmp_path / "out")
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    cases = {
        (): "say which action: make, import, check, stats, dissimilar",
        ("stat", tiny_set): "no action 'stat'; did you mean 'stats'?",
        ("make", "--clips", 0, *out): "--clips and --workers must be at least 1, got 0",
        ("make", "--seed", -1, *out): "--seed must be 0 or more, got -1",
        ("make", "--out", tmp_path / "file"): "is a file; name another folder",
        ("make", "--clips", "many", *out): "--clips: wanted a whole number, got many",
        ("make", "--unseen-share", 1.5, *out): "--unseen-share must lie between 0 and 1, got 1.5",
        ("import",): "say which source: bandai, cmu, utd_mhad, folder, tmr",
        ("import", "amass", packed, *out): "no source 'amass'; choose from bandai, cmu, utd_mhad, folder, tmr",
        ("import", "bandai", packed, "--captions", "x.csv", *out): "no option '--captions'",
        ("import", "folder", tmp_path, *out): "captions",
        ("import", "folder", tmp_path, "--captions", tmp_path / "x.csv", *out): "no file",
        ("import", "tmr", tmp_path, "--features", tmp_path, *out): "annotations.json",
        ("import", "bandai", tmp_path / "nowhere", *out): "nowhere",
        ("import", "bandai", tmp_path / "empty", *out): "empty",
        ("import", "utd_mhad", packed, "--out", tiny_set): "holds another set already",
        ("stats", tmp_path / "empty"): "is not in HumanML3D's layout",
        ("check", tiny_set, "--clips", 0): "--clips must be at least 1",
        ("stats", tiny_set, "--similar", "--text-model", tmp_path / "empty"): "no text model in",
        ("dissimilar", tiny_set, "--split", "tset"): "no split 'tset'",
        ("dissimilar", tiny_set, "--size", 5): "--size must lie between 2 and 1, the motions of split test",
        ("dissimilar", tiny_set, "--seed", -1): "--seed must be 0 or more",
        ("dissimilar", tiny_set, "--out", tmp_path / "empty"): "is a folder; name a file in it",
    }
    for words, message in cases.items():
        assert message in run("data", *words).complaint, words
    assert not (tmp_path / "out").exists()
