"""Facts that the asked caption itself says are scored beside all of its clip's."""

import shutil
from pathlib import Path

import pytest

from remogpt.data.humanml3d import MotionTextSet
from remogpt.data.procedural.make import make_procedural_set
from remogpt.eval.runs.config import EvalConfig
from remogpt.eval.runs.run import Run
from remogpt.eval.runs.samples import Samples
from remogpt.eval.tasks.facts import known_facts, said_facts, score
from remogpt.motion.facts import Fact
from remogpt.runtime.files import read_json, write_json

LIES = [[[{"name": "sits", "params": {}}]], [[{"name": "kneels", "params": {}}]]]


@pytest.fixture
def motions(tiny_set: Path, tmp_path: Path) -> MotionTextSet:
    """A set of which one clip's captions claim what it does not show, and another's tell nothing."""
    shutil.copytree(tiny_set, tmp_path / "set")
    ids = MotionTextSet.open(tiny_set).ids("train")
    for name, claims in ((ids[0], LIES), (ids[1], None)):
        path = tmp_path / "set" / "items" / f"{name}.json"
        item = read_json(path)
        item |= {} if claims is None else {"claims": claims}
        if claims is None:
            item.pop("claims", None)
        write_json(path, item)
    return MotionTextSet.open(tmp_path / "set")


def test_the_claims_of_the_asked_caption_are_checked(motions: MotionTextSet, tmp_path: Path) -> None:
    run = Run(motions, tmp_path / "out", EvalConfig())
    clips = motions.clips("train", 16, 10**9)
    first, *others = clips
    asked = [clip.captions[-1] for clip in clips]
    assert first.file_id == motions.ids("train")[0] and len(first.captions) > 1
    said = said_facts(run, clips, [first.captions[1], *asked[1:]])
    assert said[0] == [Fact("kneels")] and said[1] == [] and all(said[2:])
    assert said_facts(run, [first], ["somebody else wrote this"]) == [[]]

    items = [{"id": clip.id, "caption": clip.captions[0]} for clip in clips]
    found = score(run, clips, Samples(items, lambda index: motions.features(clips[index]), {}))
    assert found["share"] == pytest.approx(1.0)
    assert found["said"]["num_items"] == len(clips) - 1
    # Of the first caption nothing holds, of the others (nearly) everything.
    assert found["said"]["share"] == found["said"]["real"] == pytest.approx(1 - 1 / (len(clips) - 1), abs=0.02)
    assert found["second_detectors"]["said"]["num_items"] == len(clips) - 1 and len(others) > 4


def test_stretches_of_long_recordings_are_left_alone(tmp_path: Path) -> None:
    make_procedural_set(tmp_path / "set", 2, workers=1, long=2)
    motions = MotionTextSet.open(tmp_path / "set")
    run = Run(motions, tmp_path / "out", EvalConfig())
    clips = motions.clips("all")
    known = known_facts(run, clips)
    said = said_facts(run, clips, [clip.captions[1] for clip in clips])
    assert [":" in clip.id for clip in clips] == [not facts for facts in known] == [not facts for facts in said]
    assert len(clips) > 4 and all(len(motions.claims(clip)) == len(clip.captions) for clip in clips)


def test_a_set_that_does_not_tell_has_no_such_score(motions: MotionTextSet, tmp_path: Path) -> None:
    clips = motions.clips("train", 16, 10**9)[1:2]
    items = [{"id": clips[0].id, "caption": clips[0].captions[0]}]
    run = Run(motions, tmp_path / "out", EvalConfig())
    assert "said" not in score(run, clips, Samples(items, lambda _: motions.features(clips[0]), {}))
