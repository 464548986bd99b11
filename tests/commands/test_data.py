"""`remogpt data`."""

import json
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


def test_what_a_user_may_get_wrong(run, tiny_set: Path, packed: Path, tmp_path: Path) -> None:
    out = ("--out", tmp_path / "out")
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    cases = {
        (): "say which action: make, import, check, stats",
        ("stat", tiny_set): "no action 'stat'; did you mean 'stats'?",
        ("make", "--clips", 0, *out): "--clips and --workers must be at least 1, got 0",
        ("make", "--seed", -1, *out): "--seed must be 0 or more, got -1",
        ("make", "--out", tmp_path / "file"): "is a file; name another folder",
        ("make", "--clips", "many", *out): "--clips: wanted a whole number, got many",
        ("import", "amass", packed, *out): "no importer for 'amass'; there are bandai, cmu, utd_mhad",
        ("import", "bandai", tmp_path / "nowhere", *out): "nowhere",
        ("import", "bandai", tmp_path / "empty", *out): "empty",
        ("import", "utd_mhad", packed, "--out", tiny_set): "holds another set already",
        ("stats", tmp_path / "empty"): "is not in HumanML3D's layout",
        ("check", tiny_set, "--clips", 0): "--clips must be at least 1",
    }
    for words, message in cases.items():
        assert message in run("data", *words).complaint, words
    assert not (tmp_path / "out").exists()
