"""Options that say how motion files are read, and what is said about files that were mended."""

import csv
import json
from pathlib import Path

import numpy as np
import yaml

from remogpt.motion import load_motion
from remogpt.motion.files.bvh_writer import write_bvh


def test_a_file_is_mended_and_said_on_one_line(run, tiny_model: Path, wave: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "z_up.npy", np.load(wave)[..., [0, 2, 1]] * np.float32([100, -100, 100]))
    ran = run("caption", tmp_path / "z_up.npy", "--model", tiny_model)
    notes = [line for line in ran.err.splitlines() if line.startswith("note: ")]
    assert ran.code == 0 and len(notes) == 1
    assert notes[0].startswith("note: taken as cm: the leg measures ") and notes[0].endswith("turned: z pointed up")
    told = run("caption", tmp_path / "z_up.npy", "--model", tiny_model, "--up", "z", "--unit", "cm")
    assert told.code == 0 and "note: " not in told.err and told.out == ran.out


def test_files_that_are_mended_alike_share_a_line(run, wave: Path, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        np.save(tmp_path / f"{name}.npy", np.load(wave)[..., [0, 2, 1]] * np.float32([1, -1, 1]))
    np.save(tmp_path / "d.npy", np.load(wave))
    ran = run("convert", *(tmp_path / f"{name}.npy" for name in "abcd"), tmp_path / "out", "--format", "bvh")
    notes = [line for line in ran.err.splitlines() if line.startswith("note: ")]
    assert ran.code == 0 and notes == [f"note: {tmp_path / 'a.npy'} and 2 more: turned: z pointed up"]


def test_what_is_not_certain_is_refused_with_the_option_that_settles_it(
    run, tiny_model: Path, wave: Path, tmp_path: Path
) -> None:
    np.save(tmp_path / "crossed.npy", np.load(wave) * np.float32([-1, 1, 1]))
    assert "(--swap-sides)" in run("caption", tmp_path / "crossed.npy", "--model", tiny_model).complaint
    assert run("caption", tmp_path / "crossed.npy", "--model", tiny_model, "--swap-sides").code == 0
    assert "wanted one of m, cm" in run("caption", wave, "--model", tiny_model, "--unit", "yard").complaint


def test_data_map_drafts_a_table_that_reads_the_file(run, wave: Path, tmp_path: Path) -> None:
    write_bvh(tmp_path / "a.bvh", np.load(wave))
    text = (tmp_path / "a.bvh").read_text()
    for ours, theirs in (("left_", "Lft "), ("right_", "Rgt "), ("pelvis", "Beckenknochen"), ("knee", "Knie")):
        text = text.replace(ours, theirs)
    (tmp_path / "a.bvh").write_text(text)
    table = tmp_path / "mine.yaml"
    ran = run("data", "map", tmp_path / "a.bvh", "--out", table)
    assert ran.code == 0 and f"--skeleton {table}" in ran.out
    drafted = yaml.safe_load(table.read_text())
    assert drafted["joints"]["left_knee"] == "Lft Knie"
    assert run("data", "map", tmp_path / "a.bvh").out == table.read_text()
    motion = load_motion(tmp_path / "a.bvh", skeleton=table)
    assert np.abs(motion.joints - np.load(wave)).max() < 0.03
    assert "there is nothing to map" in run("data", "map", wave).complaint


def test_folders_are_imported_with_every_animation(run, wave: Path, tmp_path: Path) -> None:
    """Two animations of one glTF file: one named in the table, or both."""
    from tests.motion.test_files_foreign import gltf_of

    folder = tmp_path / "recordings"
    folder.mkdir()
    (folder / "moves.gltf").write_text(json.dumps(gltf_of(np.load(wave)[:60])))
    for file, count in (("moves.gltf", 2), ("moves.gltf#Walk", 1)):
        with (tmp_path / "captions.csv").open("w", newline="") as table:
            csv.writer(table).writerows([("file", "caption"), (file, "a person waves")])
        out = tmp_path / f"set {count}"
        ran = run("data", "import", "folder", folder, "--captions", tmp_path / "captions.csv", "--out", out)
        assert ran.code == 0, ran.err
        assert len(list((out / "new_joint_vecs").glob("moves*.npy"))) == count
