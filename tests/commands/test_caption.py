"""`remogpt caption`."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

import remogpt

UNKNOWN_SKELETON = """HIERARCHY
ROOT Anchor
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Tentacle
  {
    OFFSET 0 10 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 0 10 0
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.05
0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0
"""


@pytest.fixture
def broken(tmp_path: Path) -> dict[str, Path]:
    """Motion files that cannot be used, by what is wrong with them."""
    folder = tmp_path / "broken"
    folder.mkdir()
    good = np.zeros((40, 263), dtype=np.float32)
    hole = np.zeros((40, 22, 3), dtype=np.float32)
    hole[7, 3, 1] = np.nan
    arrays = {
        "kit": good[:, :251], "nan": hole, "one_frame": hole[:1], "words": np.array(["walk"]), "scalar": np.float32(3),
        "empty": good[:0], "infinite": np.full((40, 263), np.inf, dtype=np.float32),
    }  # fmt: skip
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    np.save(folder / "pickle.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    np.savez(folder / "other.npz", poses=good[:, :77])
    (folder / "cut.npy").write_bytes((folder / "kit.npy").read_bytes()[:500])
    (folder / "text.npz").write_text("not a zip")
    (folder / "unknown.bvh").write_text(UNKNOWN_SKELETON)
    (folder / "truncated.bvh").write_text(UNKNOWN_SKELETON[:150])
    (folder / "no_frames.bvh").write_text(UNKNOWN_SKELETON[: UNKNOWN_SKELETON.index("0 0 0 0 0 0 0 0 0")])
    (folder / "lonely.amc").write_text(":FULLY-SPECIFIED\n:DEGREES\n1\nroot 0 0 0 0 0 0\n")
    (folder / "zero.bvh").write_bytes(b"")
    (folder / "bytes.bvh").write_bytes(bytes(range(256)))
    (folder / "bytes.mat").write_bytes(bytes(range(256)))
    return {path.name: path for path in folder.iterdir()}


EXPECTED = {
    "kit.npy": "251 channels are KIT-ML's",
    "nan.npy": "got nan at index (7, 3, 1)",
    "one_frame.npy": "at least 2 frames",
    "words.npy": "features (T, 263), joints (T, 22, 3)",
    "scalar.npy": "features (T, 263), joints (T, 22, 3)",
    "empty.npy": "0",
    "infinite.npy": "got inf",
    "pickle.npy": "not a readable numeric .npy array",
    "other.npz": "found poses (40, 77)",
    "cut.npy": "not a readable numeric .npy array",
    "text.npz": "not a readable .npz",
    "unknown.bvh": "Tentacle",
    "truncated.bvh": "truncated.bvh",
    "no_frames.bvh": "no_frames.bvh",
    "lonely.amc": ".asf",
    "zero.bvh": "zero.bvh",
    "bytes.bvh": "bytes.bvh",
    "bytes.mat": "bytes.mat",
}


def test_each_broken_file_is_one_line_that_names_it(run, tiny_model: Path, broken: dict[str, Path]) -> None:
    assert EXPECTED.keys() == broken.keys()
    for name, path in broken.items():
        complaint = run("caption", path, "--model", tiny_model).complaint
        assert EXPECTED[name] in complaint and name in complaint, complaint


def test_a_missing_file_is_named_with_similar_ones(run, tiny_model: Path, wave: Path) -> None:
    complaint = run("caption", wave.with_name("wavee.npy"), "--model", tiny_model).complaint
    assert "no file" in complaint and "did you mean wave.npy?" in complaint


def test_one_file_gives_one_line(run, tiny_model: Path, wave: Path) -> None:
    first, second = (run("caption", wave, "--model", tiny_model) for _ in range(2))
    assert first.code == 0 and first.out == second.out and first.out.count("\n") <= 1


def test_a_temperature_draws_and_the_seed_decides(run, tiny_model: Path, wave: Path) -> None:
    words = ("caption", wave, "--model", tiny_model, "--temperature", 2)
    first, again, other = (run(*words, "--seed", seed).out for seed in (1, 1, 2))
    assert first == again != other


def test_json_holds_captions_and_examples(run, tiny_model: Path, wave: Path) -> None:
    ran = run("caption", wave, "--model", tiny_model, "--json")
    (row,) = json.loads(ran.out)
    assert row["file"] == str(wave) and row["error"] == "" and row["seconds"] > 1
    assert [example["route"] for example in row["examples"]] == ["m2t", "m2m"] and row["warnings"] == []
    absent = wave.with_name("absent.npy")
    rows = json.loads(run("caption", wave, absent, "--model", tiny_model, "--json").out)
    assert rows[0].keys() == rows[1].keys() and rows[1]["examples"] == [] and "no file" in rows[1]["error"]


def test_a_folder_goes_on_past_broken_files_and_lists_them(
    run, tiny_model: Path, tiny_set: Path, tmp_path: Path, broken: dict[str, Path]
) -> None:
    folder = broken["kit.npy"].parent
    np.save(folder / "features.npy", np.load(tiny_set / "new_joint_vecs" / "000003.npy"))
    (folder / "deeper").mkdir()
    np.savez(folder / "deeper" / "joints.npz", joints=np.load(tiny_set / "new_joints" / "000005.npy"), fps=20)
    out = tmp_path / "captions.csv"
    ran = run("caption", folder, "--out", out, "--model", tiny_model)
    assert ran.code == 1 and ran.out == f"{out}: captions of 2 files\n"
    with out.open(newline="", encoding="utf-8") as file:
        rows = {Path(row["file"]).name: row for row in csv.DictReader(file)}
    assert rows.keys() == {*broken, "features.npy", "joints.npz"}
    assert {name for name, row in rows.items() if not row["error"]} == {"features.npy", "joints.npz"}
    assert all(float(rows[name]["seconds"]) > 1 for name in ("features.npy", "joints.npz"))
    assert ran.err.strip().splitlines()[-1] == f"{len(broken)} of {len(rows)} files could not be captioned"
    for name in broken:
        assert any(name in line for line in ran.err.splitlines())


def test_what_a_user_may_get_wrong(run, tiny_model: Path, wave: Path, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    (tmp_path / "readme.txt").write_text("x")
    cases = {
        (tmp_path / "nothing",): "no motion files in",
        (tmp_path / "readme.txt",): "cannot read .txt",
        (tmp_path / "readme.txt" / "x.bvh",): "no file",
        (wave, "--out", tmp_path / "nothing"): "is a folder; name a file in it",
        (wave, "--out", tmp_path / "readme.txt" / "c.csv"): "is a file, not a folder",
        (wave, "--database", tmp_path): "no motion database in",
        (wave, "--temperature", -1): "temperature >= 0",
        (wave, "--seed", "x"): "--seed: wanted a whole number, got x",
        (wave, "--precision", "8"): "precision must be one of float32, bfloat16, int8, got '8'",
    }
    for words, message in cases.items():
        assert message in run("caption", *words, "--model", tiny_model).complaint, words
    assert "PATHS is missing" in run("caption", "--model", tiny_model).complaint


def rows_of(table: Path) -> list[dict[str, str]]:
    with table.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_an_interrupt_keeps_the_rows_and_the_next_run_goes_on(
    run, tiny_model: Path, wave: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unreadable file costs itself alone; rows of finished files stand in the table when the interrupt comes."""
    folder, table = tmp_path / "rec", tmp_path / "captions.csv"
    folder.mkdir()
    for number in range(4):
        (folder / f"{number}.npy").write_bytes(wave.read_bytes())
    (folder / ".5.x1y2z3.npy").write_bytes(b"half of a save")
    words = ("caption", folder, "--out", table, "--model", tiny_model)
    load, opened = remogpt.load_motion, []

    def interrupted(path: Path, **how):
        opened.append(Path(path).name)
        if Path(path).name == "0.npy":
            raise PermissionError(13, "Permission denied", str(path))
        if len(opened) == 4:
            raise KeyboardInterrupt
        return load(path, **how)

    monkeypatch.setattr(remogpt, "load_motion", interrupted)
    assert run(*words).code == 130
    first = rows_of(table)
    assert [Path(row["file"]).name for row in first] == ["0.npy", "1.npy", "2.npy"]
    assert first[0]["error"].endswith("0.npy: permission denied") and first[1]["caption"]
    with table.open("a") as file:
        file.write(f"{folder / '3.npy'},half a ro")  # a kill while a row is written
    opened.clear()
    monkeypatch.setattr(remogpt, "load_motion", lambda path, **how: opened.append(Path(path).name) or load(path, **how))
    ran = run(*words)
    assert ran.code == 0 and opened == ["0.npy", "3.npy"] and "2 captions were in" in ran.err
    second = rows_of(table)
    assert sorted(Path(row["file"]).name for row in second) == [f"{number}.npy" for number in range(4)]
    assert len({row["caption"] for row in second}) == 1 and not any(row["error"] for row in second)
    opened.clear()
    assert run(*words).code == 0 and opened == [] and rows_of(table) == second
    assert run(*words, "--force").code == 0 and len(opened) == 4


def test_a_table_is_written_over_only_by_force_and_no_cell_is_a_formula(
    run, tiny_model: Path, wave: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = tmp_path / "notes.csv"
    notes.write_text("day,note\n1,keep me\n")
    words = ("caption", wave, "--out", notes, "--model", tiny_model)
    assert "is no table of file, caption, seconds, error" in run(*words).complaint
    assert "keep me" in notes.read_text()
    assert run(*words, "--force").code == 0 and rows_of(notes)[0]["file"] == str(wave)
    monkeypatch.chdir(tmp_path)
    for name in ("=cmd.npy", "-1.npy"):
        Path(name).write_bytes(wave.read_bytes())
    assert run("caption", "./", "--out", "c.csv", "--model", tiny_model).code == 0
    assert {row["file"] for row in rows_of(tmp_path / "c.csv")} >= {"'=cmd.npy", "'-1.npy"}
    again = run("caption", "./", "--out", "c.csv", "--model", tiny_model)
    assert again.code == 0 and "3 captions were in" in again.err
