"""Sets, tables and captions that once went wrong, kept beside the checkout; what is right stands in their notes."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from remogpt.commands.caption import motion_files
from remogpt.data.humanml3d import MotionTextSet
from remogpt.data.importers.tmr import import_tmr
from remogpt.data.writer import finish_set
from remogpt.motion import Motion


@pytest.fixture
def case(cases_dir: Path, tmp_path: Path) -> Any:
    """Copy a case to a folder that may be written."""

    def copied(name: str) -> Path:
        folder = tmp_path / Path(name).name
        shutil.copytree(cases_dir / name, folder)
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        return folder

    return copied


def test_what_a_killed_run_left_is_no_split(run: Any, case: Any) -> None:
    folder = case("attack/04-ghost-split")
    with_ghost = run("data", "stats", folder / "set")
    (folder / "set" / ".all.dyh12x4e.txt").unlink()
    assert with_ghost.code == 0 and with_ghost.out == run("data", "stats", folder / "set").out
    (folder / "set" / ".all.dyh12x4e.txt").touch()
    motions = MotionTextSet.open(folder / "set")
    finish_set(motions.folder, motions.name, motions.licence, {"train": motions.ids("train")})
    assert not list(motions.folder.glob(".*")), "the next run that writes the set removes it"


def test_what_an_interrupted_save_left_is_no_motion(tiny_set: Path, tmp_path: Path) -> None:
    """Case attack/09, without its kill: the name is that of the file with eight characters put in."""
    path = tmp_path / "recordings" / "0001_a.bvh"
    motion = Motion(np.load(tiny_set / "new_joints" / "000004.npy")[:20])
    motion.save(path)
    left = path.with_name(".0001_a.a1b2c3d4.bvh")
    left.write_bytes(path.read_bytes())
    assert motion_files([str(path.parent)]) == [path]
    motion.save(path)
    assert not left.exists()


@pytest.mark.parametrize("gap", ["no text", "an empty text", "an empty caption"])
def test_a_gap_in_a_set_is_left_out_and_counted(gap: str, run: Any, tiny_set: Path, tmp_path: Path) -> None:
    """Case model/08; building and training keep the same rule (`tests/stages/test_left_out.py`)."""
    shutil.copytree(tiny_set, tmp_path / "set")
    name = MotionTextSet.open(tiny_set).ids("train")[5]
    text = tmp_path / "set" / "texts" / f"{name}.txt"
    text.write_text("##0.0#0.0\n" if gap == "an empty caption" else "")
    if gap == "no text":
        text.unlink()
    ran = run("data", "stats", tmp_path / "set")
    assert ran.code == 1 and "could not be used and were left out" in ran.err and f"{name}.txt" in ran.err
    kept = {clip.file_id for clip in MotionTextSet.open(tmp_path / "set").clips("train", 1, 10**9)}
    assert kept == set(MotionTextSet.open(tiny_set).ids("train")) - {name}


def test_a_latin_letter_is_named_and_can_be_read(run: Any, case: Any) -> None:
    folder = case("attack/13-latin1-set-text")
    ran = run("data", "stats", folder / "set")
    assert ran.code == 1 and "is not UTF-8 text: byte 0xe9 at 3 (line 1)" in ran.err and "Traceback" not in ran.err
    assert run("data", "stats", folder / "set", "--encoding", "latin-1").code == 0


@pytest.mark.parametrize("line", ["a person walks#x#-1#2", "a person walks#x#0.0#inf", "##0.0#0.0"])
def test_times_and_words_that_are_none_are_left_out(line: str, run: Any, case: Any) -> None:
    folder = case("attack/14-set-times")
    text = sorted((folder / "set" / "texts").iterdir())[0]
    text.write_text(f"a person waves#x#0.0#0.0\n{line}\n")
    ran = run("data", "stats", folder / "set")
    assert ran.code == 1 and f"{text.name}, line 2" in ran.err
    motions = MotionTextSet.open(folder / "set")
    (clip,) = (clip for clip in motions.clips("all", 1, 10**9) if clip.file_id == text.stem)
    assert clip.captions == ("a person waves",) and len(motions.features(clip)) == clip.num_frames


def test_an_empty_caption_is_left_out(run: Any, case: Any) -> None:
    folder = case("motion/12-set-with-an-empty-caption")
    ran = run("data", "stats", folder / "set")
    assert ran.code == 1 and "an empty caption in" in ran.err
    assert all(all(clip.captions) for clip in MotionTextSet.open(folder / "set").clips("all", 1, 10**9))


@pytest.mark.parametrize("kind", ["bom", "latin1", "split_utf16"])
def test_sets_in_other_encodings(kind: str, run: Any, case: Any) -> None:
    folder = case("motion/10-set-text-encodings") / kind
    ran = run("data", "stats", folder)
    assert "Traceback" not in ran.err
    if kind == "bom":  # taken off ids and captions
        assert ran.code == 0
        clips = MotionTextSet.open(folder).clips("train", 1, 10**9)
        assert clips and not any("\ufeff" in text for clip in clips for text in (clip.id, *clip.captions))
    else:
        assert ran.code in (1, 2) and "is not UTF-8 text: byte 0x" in ran.err
        encoding = "latin-1" if kind == "latin1" else "utf-16"
        assert f"--encoding {encoding}" in ran.err


def test_a_clip_of_nan_is_found(run: Any, case: Any, tmp_path: Path, tiny_model: Path) -> None:
    folder = case("motion/11-set-with-a-nan-clip") / "set"
    ran = run("db", "build", folder, "--out", tmp_path / "db", "--model", tiny_model, "--no-facts", "--min-frames", 4)
    assert ran.code == 1 and ".npy holds nan in frame" in ran.err and (tmp_path / "db" / "CURRENT").is_file()


def test_one_bad_annotation_does_not_stop_an_import(case: Any, tmp_path: Path) -> None:
    folder = case("motion/17-tmr-one-bad-annotation")
    result = import_tmr(folder / "ann", folder / "feats", tmp_path / "set")
    assert result.num_clips == 2 and not result.failed


@pytest.mark.slow
def test_a_word_as_long_as_a_page_costs_its_line_alone(run: Any, tmp_path: Path) -> None:
    """Asked of the embedded model, whose tokenizer has no room for it."""
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("a person walks\n" + "qz7!" * 125 + "\na man sits down\n")
    words = ("--format", "npy", "--seconds", 1, "--best-of", 1, "--no-retrieval")
    ran = run("generate", "--file", prompts, "--out", tmp_path / "out", *words)
    assert ran.code == 1 and len(list((tmp_path / "out").iterdir())) == 2, ran.err
    assert "line 2: " in ran.err and "is longer than a prompt has room for" in ran.err
