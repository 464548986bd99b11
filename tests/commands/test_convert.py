"""remogpt convert: one file, several, folders, standard output, and one sentence for what cannot be done."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from remogpt.motion import Motion, load_motion
from tests.motion.made_motions import made_motion


@pytest.fixture
def take(tmp_path: Path) -> Path:
    """A motion file of 41 frames."""
    path = tmp_path / "take.npz"
    Motion(made_motion("ahead")[0], caption="waves the left hand").save(path)
    return path


@pytest.mark.parametrize("suffix", [".bvh", ".glb", ".npy", ".npz", ".html", ".png"])
def test_the_suffix_names_the_format(run, take: Path, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / "new" / f"out{suffix}"
    ran = run("convert", take, out)
    assert (ran.code, ran.out) == (0, f"{out}  (41 frames at 20 fps, 2.0 s)\n")
    assert out.stat().st_size > 500
    if suffix in (".bvh", ".npy", ".npz"):
        np.testing.assert_allclose(load_motion(out).joints, load_motion(take).joints, atol=1e-3)


def test_options_of_the_result(run, take: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.bvh"
    ran = run("convert", take, out, "--to-skeleton", "mixamo", "--fps", 30, "--unit", "m", "--up", "z", "--trim",
              "0.5:1.5", "--mirror", "--in-place", "--json")  # fmt: skip
    (row,) = json.loads(ran.out)
    assert row == {"path": str(out), "source": str(take), "frames": 31, "fps": 30.0, "seconds": pytest.approx(31 / 30)}
    text = out.read_text()
    assert "ROOT mixamorig:Hips" in text and "Frame Time: 0.033333333" in text
    rows = np.array([line.split() for line in text.splitlines()[-31:]], dtype=float)
    assert np.ptp(rows[:, :2]) < 10 and (np.ptp(rows[:, :2], axis=0) < 1e-5).all()  # in place, on the floor's axes
    assert (rows[:, 2] > 0.8).all() and (rows[:, 2] < 1.1).all()  # metres above it


def test_how_the_file_is_read_has_names_of_its_own(run, take: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "fast.npy", load_motion(take).joints * 1000)
    ran = run("convert", tmp_path / "fast.npy", tmp_path / "out.npy", "--in-fps", 40, "--in-unit", "mm", "--fps", 10)
    assert ran.code == 0
    np.testing.assert_allclose(np.load(tmp_path / "out.npy"), load_motion(take).joints[::4], atol=1e-3)


def test_nothing_is_replaced_without_force(run, take: Path, tmp_path: Path) -> None:
    (tmp_path / "out.bvh").write_text("precious")
    assert (
        "out.bvh is there already; give --force to replace it, or another name"
        in run("convert", take, tmp_path / "out.bvh").complaint
    )
    assert (tmp_path / "out.bvh").read_text() == "precious"
    assert "take.npz is there already" in run("convert", take, take).complaint
    assert run("convert", take, tmp_path / "out.bvh", "--force").code == 0
    assert (tmp_path / "out.bvh").read_text().startswith("HIERARCHY")


def test_several_files_go_to_a_folder_and_a_bad_one_does_not_stop_them(run, take: Path, tmp_path: Path) -> None:
    (tmp_path / "in/deep").mkdir(parents=True)
    (tmp_path / "in/a.npz").write_bytes(take.read_bytes())
    (tmp_path / "in/deep/b.npz").write_bytes(take.read_bytes())
    (tmp_path / "in/broken.bvh").write_text("HIERARCHY\n")
    ran = run("convert", take, tmp_path / "in", tmp_path / "out", "--format", "glb")
    assert ran.code == 1
    assert sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.glb")) == [
        "a.glb", "deep/b.glb", "take.glb",
    ]  # fmt: skip
    assert "broken.bvh" in ran.err and "1 of 4 files could not be converted" in ran.err
    assert "a.glb is there already" in run("convert", tmp_path / "in", tmp_path / "out", "--format", "glb").complaint


def test_frame_rates_are_kept(run, tmp_path: Path) -> None:
    joints = np.repeat(made_motion("ahead")[0], 3, axis=0)
    Motion(joints, fps=120).save(tmp_path / "fast.bvh")
    assert "(123 frames at 120 fps" in run("convert", tmp_path / "fast.bvh", tmp_path / "fast.glb").out
    assert "(21 frames at 20 fps" in run("convert", tmp_path / "fast.bvh", tmp_path / "slow.bvh", "--fps", 20).out
    assert run("convert", tmp_path / "fast.bvh", tmp_path / "features.npy", "--content", "features").code == 0
    assert np.load(tmp_path / "features.npy").shape == (20, 263)


def test_every_animation_of_a_file(run, tmp_path: Path) -> None:
    from pygltflib import GLTF2

    Motion(made_motion("ahead")[0], name="Walk").save(tmp_path / "moves.glb")
    content = GLTF2().load(str(tmp_path / "moves.glb"))
    content.animations.append(type(content.animations[0])(
        name="Hop/High", samplers=content.animations[0].samplers, channels=content.animations[0].channels,
    ))  # fmt: skip
    content.save(str(tmp_path / "moves.glb"))
    assert run("convert", tmp_path / "moves.glb", tmp_path / "clips", "--format", "npy").code == 0
    assert sorted(path.name for path in (tmp_path / "clips").iterdir()) == ["moves_Hop_High.npy", "moves_Walk.npy"]
    assert run("convert", tmp_path / "moves.glb", tmp_path / "one.npy", "--clip", "walk").code == 0
    assert "say which with clip= (--clip)" in run("convert", tmp_path / "moves.glb", tmp_path / "two.npy").complaint


def test_standard_output(run, take: Path) -> None:
    assert run("convert", take, "-", "--format", "bvh").out.startswith("HIERARCHY")
    command = [sys.executable, "-m", "remogpt.cli", "convert", str(take), "-", "--format", "bvh"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout.startswith("HIERARCHY") and len(ran.stdout.splitlines()[-41].split()) == 69
    assert ran.stderr == "-  (41 frames at 20 fps, 2.0 s)\n"


def test_what_a_user_may_get_wrong(run, take: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for words, why in {
        (take,): "name what to read and what to write",
        (take, "-"): "standard output needs a format; add for example --format bvh",
        (take, take, "-", "--format", "bvh"): "2 files cannot be written to standard output; name a folder",
        (take, folder): "need a format; add for example --format bvh",
        (take, take, tmp_path / "one.bvh"): "2 files need a folder to be written to, but",
        (take, take, folder, "--format", "bvh"): "two of the files would be written to",
        (take, tmp_path / "a.fbx"): "cannot write .fbx",
        (take, folder, "--format", "fbx"): "--format must be one of npy, npz, bvh, glb, html, gif, mp4, png, got 'fbx'",
        (folder, tmp_path / "out", "--format", "bvh"): "no motion files in",
        (tmp_path / "tak.npz", tmp_path / "a.bvh"): "did you mean take.npz?",
        (take, tmp_path / "a.bvh", "--fps", 0): "--fps must be above 0",
        (take, tmp_path / "a.bvh", "--trim", "3"): "trim: wanted START:END in seconds, such as 1.5:3",
        (take, tmp_path / "a.bvh", "--trim", "3:4"): "holds 0 frames of take, which has 41 (2.05 s)",
        (take, tmp_path / "a.bvh", "--to-skeleton", "biped"): "no skeleton named 'biped' to write; there are remogpt",
        (take, tmp_path / "a.glb", "--up", "z"): "up 'z' has no place in a .glb file",
        (take, take / "a.bvh"): "is a file, not a folder; choose another path",
    }.items():
        assert why in run("convert", *words).complaint, words
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "take.npz"]
