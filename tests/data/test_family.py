"""The rule of families: the same answer in a set, a database's search, training's examples, evaluation and audit."""

from pathlib import Path

import numpy as np
import pytest

from remogpt.data.family import family_link, family_names
from remogpt.data.humanml3d import MotionTextSet
from remogpt.eval.runs.run import own_ids
from remogpt.retriever.database.entry import DatabaseEntry, EntryInfo, windowed
from remogpt.retriever.database.leave_one_out import family_numbers
from remogpt.retriever.database.overlap import Kind, find_overlaps
from remogpt.stages.database_audit import ClipsOf


@pytest.fixture
def motions(tmp_path: Path) -> MotionTextSet:
    """000012 with a caption of the whole and two of stretches, its mirror image likewise, and a stranger."""
    for folder in ("new_joint_vecs", "texts"):
        (tmp_path / folder).mkdir()
    rows = np.zeros((100, 263), dtype=np.float32)
    stretches = "a person walks#a/DET#0.0#0.0\na person turns#a/DET#1.0#3.5\na person stops#a/DET#2.0#5.0\n"
    for name, text in (("000012", stretches), ("M000012", stretches), ("000013", "a person sits#a/DET#0.0#0.0\n")):
        np.save(tmp_path / "new_joint_vecs" / f"{name}.npy", rows)
        (tmp_path / "texts" / f"{name}.txt").write_text(text)
    np.save(tmp_path / "Mean.npy", rows[0])
    np.save(tmp_path / "Std.npy", rows[0] + 1)
    (tmp_path / "all.txt").write_text("000012\nM000012\n000013\n")
    return MotionTextSet.open(tmp_path)


def test_stretches_mirror_images_and_the_whole_are_one_family(motions: MotionTextSet) -> None:
    clips = motions.clips("all")
    infos = list(ClipsOf(motions, clips).infos())
    *family, stranger = infos
    assert [info.id for info in family[:3]] == ["000012", "000012:1-3.5", "000012:2-5"] and len(family) == 6
    for clip in clips[:6]:
        held = {info.id for info in infos if family_names(info) & own_ids(clip)}
        assert held == {info.id for info in family}, "what a search leaves out for this query"
    numbers = family_numbers(infos).tolist()
    assert len(set(numbers[:6])) == 1 and numbers[6] != numbers[0], "training"
    links: list[Kind] = ["same id", "same source", "mirror"]
    found = find_overlaps(ClipsOf(motions, clips[:1]), ClipsOf(motions, clips), kinds=links)
    assert {one.query: one.kind for one in found} == {
        "000012": "same id", "000012:1-3.5": "same source", "000012:2-5": "same source", "M000012": "mirror",
        "M000012:1-3.5": "same source", "M000012:2-5": "same source",
    }  # fmt: skip
    assert not family_names(stranger) & set().union(*map(family_names, family))


def test_windows_of_a_recording_are_one_family() -> None:
    rows = np.zeros((450, 263), dtype=np.float32)
    tape = DatabaseEntry("take", "session", None, ("a person walks",), rows)
    mirrored = DatabaseEntry("Mtake", "Mtake", "take", ("a person walks",), rows)
    infos = [entry.info for entry in windowed([tape, mirrored])]
    assert [info.id for info in infos] == [f"{name}#{number}" for name in ("take", "Mtake") for number in range(3)]
    numbers = family_numbers(infos)
    assert len(set(numbers.tolist())) == 1
    assert family_link(infos[0], infos[1]) == "same source" and family_link(infos[4], infos[1]) == "mirror"


def test_a_clip_that_is_another_clips_source() -> None:
    """What a search leaves out for the clip, training leaves out too."""

    def info(name: str, source: str) -> EntryInfo:
        return EntryInfo(name, source, None, ("a person walks",), 40, "", "", {})

    whole, part, other = info("take", "session"), info("take_2s", "take"), info("x", "y")
    assert family_names(whole) & family_names(part)
    numbers = family_numbers([whole, part, other])
    assert numbers[0] == numbers[1] != numbers[2]
