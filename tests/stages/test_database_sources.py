"""Databases built from sets, recordings, captions by the model and other databases, in one step."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from filelock import FileLock

from remogpt import ReMoGPT, load_motion, stages
from remogpt.data.humanml3d import MotionTextSet
from remogpt.motion.features import features_to_joints
from remogpt.retriever import MotionDatabase
from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.stages import database_blocks, database_sources
from remogpt.stages.database_sources import Notes


@pytest.fixture
def recordings(tiny_set: Path, tmp_path: Path) -> Path:
    """Three recordings of joints at 20 fps, one of them unreadable, and a table of captions as JSON Lines."""
    folder = tmp_path / "recordings"
    folder.mkdir()
    motions = MotionTextSet.open(tiny_set)
    for name, clip in zip(("walk", "wave"), motions.clips("test", 8, 999) + motions.clips("val", 8, 999), strict=False):
        np.save(folder / f"{name}.npy", features_to_joints(motions.features(clip))[:60].astype(np.float32))
    (folder / "broken.bvh").write_text("HIERARCHY\n")
    rows = [{"file": "walk.npy", "caption": "a person walks", "by": ["anna"]},
            {"file": "walk.npy", "caption": "walking"},
            {"file": "wave.npy", "caption": "a person waves", "start": 1, "end": 2.5}]  # fmt: skip
    (tmp_path / "captions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows) + '{"file": "walk.npy"\n')
    return folder


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut the tiny set into blocks of four clips."""
    monkeypatch.setattr(database_sources, "CLIPS", 4)


def entries(database: MotionDatabase) -> dict[str, Any]:
    """Return captions, codes and licence by id."""
    return {
        info.id: (info.captions, database.codes(row).tolist(), info.licence)
        for row, info in enumerate(database.infos())
    }


def test_sources_of_every_kind_make_one_database(
    run: Any, tiny_set: Path, tiny_model: Path, recordings: Path, tmp_path: Path, caplog: Any
) -> None:
    val = stages.build_database(tiny_set, out=tmp_path / "val", split="val", model=tiny_model)
    table = tmp_path / "captions.jsonl"
    ran = run("db", "build", tiny_set, recordings, val.path, "--captions", table, "--licence", "CC0", "--out",
              tmp_path / "all", "--model", tiny_model)  # fmt: skip
    assert ran.code == 1, "a line of the table is broken"
    assert "captions.jsonl, line 4: wanted one object" in ran.err and "1 recordings have no caption" in caplog.text
    database = MotionDatabase.open(tmp_path / "all")
    found, train = entries(database), stages.build_database(tiny_set, out=tmp_path / "train", model=tiny_model)
    assert list(found) == [*entries(train), "walk", "wave_s0", *entries(val)]
    assert all(found[name] == entry for part in (train, val) for name, entry in entries(part).items())
    assert found["walk"][0] == ("a person walks", "walking") and found["walk"][2] == "CC0"
    assert database.info(database.rows["wave_s0"]).num_frames == 29, "of 30 poses, 29 frames of features"
    assert not (tmp_path / "all" / "parts").exists()


def test_recordings_without_captions_are_captioned_by_the_model_and_say_so(
    run: Any, tiny_model: Path, recordings: Path, tmp_path: Path, caplog: Any
) -> None:
    notes = Notes()
    database = stages.build_database(recordings, out=tmp_path / "db", model=tiny_model, compact=True, notes=notes)
    model = ReMoGPT.from_pretrained(tiny_model, device="cpu")
    assert list(notes.left_out) == ["broken.bvh"] and "left out: " in caplog.text
    for info in database.infos():
        motion = load_motion(recordings / f"{info.id}.npy")
        assert info.captions == (model.caption(motion, seed=0).text,)
        name = model.manifest["name"]
        assert info.tags == {"captioned_by": name} and info.provenance.endswith(f"captioned by {name}")
    assert len(database) == notes.captioned == 2
    added = run("db", "add", database.path, recordings / "walk.npy", "--model", tiny_model)
    assert added.code == 2 and "have a clip 'walk'" in added.err
    again = run("db", "add", database.path, recordings / "walk.npy", "--model", tiny_model, "--keep-first")
    assert again.code == 0 and len(MotionDatabase.open(database.path)) == 2


@pytest.mark.slow
def test_blocks_and_processes_change_nothing(
    tiny_set: Path, tiny_model: Path, tmp_path: Path, small_blocks: None
) -> None:
    options: dict[str, Any] = {"split": "all", "model": tiny_model}
    two = stages.build_database(tiny_set, out=tmp_path / "two", workers=2, **options)
    one = stages.build_database(tiny_set, out=tmp_path / "one", **options)
    whole = MotionTextSet.open(tiny_set).clips("all", 8, 999)
    assert two.hash == one.hash and [info.id for info in one.infos()] == [clip.id for clip in whole]
    with pytest.raises(RemogptError, match="with several workers, model must be a folder"):
        stages.build_database(
            tiny_set, out=tmp_path / "x", workers=2, split="all", model=ReMoGPT.from_pretrained(tiny_model)
        )


def test_a_killed_build_goes_on_with_the_blocks_that_are_missing(
    tiny_set: Path, tiny_model: Path, tmp_path: Path, small_blocks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, done = database_blocks.embed_block, list[str]()

    def embed(components: Any, block: Any, *args: Any, **options: Any) -> None:
        done.append(block.clips[0].id)
        if len(done) == 3:
            raise KeyboardInterrupt
        real(components, block, *args, **options)

    monkeypatch.setattr(database_blocks, "embed_block", embed)
    with pytest.raises(KeyboardInterrupt):
        stages.build_database(tiny_set, out=tmp_path / "db", split="all", model=tiny_model)
    assert not (tmp_path / "db" / "CURRENT").exists()
    database = stages.build_database(tiny_set, out=tmp_path / "db", split="all", model=tiny_model)
    assert done == ["000000", "000004", "000008", "000008", "000012"] and len(database) == 15
    assert database.hash == stages.build_database(tiny_set, out=tmp_path / "new", split="all", model=tiny_model).hash


def test_each_process_that_accelerate_starts_takes_its_share(
    tiny_set: Path, tiny_model: Path, tmp_path: Path, small_blocks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second of two embeds every other block; the first, which finds them, puts all together."""
    place = SimpleNamespace(process_index=1, num_processes=2, is_main_process=False, wait_for_everyone=lambda: None)
    monkeypatch.setattr(database_blocks, "_distributed", lambda: place)
    with pytest.raises(MissingPathError):  # what the first one would have written
        stages.build_database(tiny_set, out=tmp_path / "db", split="all", model=tiny_model)
    assert len(list((tmp_path / "db" / "parts").glob("*.json"))) == 2
    place.process_index, place.is_main_process = 0, True
    assert len(stages.build_database(tiny_set, out=tmp_path / "db", split="all", model=tiny_model)) == 15


def test_what_is_refused(tiny_set: Path, tiny_model: Path, recordings: Path, tmp_path: Path) -> None:
    def build(*sources: Path, **options: Any) -> MotionDatabase:
        return stages.build_database(sources, out=tmp_path / "db", model=tiny_model, **options)

    table = tmp_path / "captions.jsonl"
    with pytest.raises(RemogptError, match="captions one folder of recordings, given are none"):
        build(tiny_set, captions=table)
    with pytest.raises(RemogptError, match=r"given are .*recordings, .*more; build the others apart"):
        build(recordings, shutil.copytree(recordings, tmp_path / "more"), captions=table)
    with pytest.raises(RemogptError, match="have a clip 'walk', and an id names one entry"):
        build(recordings, recordings / "walk.npy")
    with pytest.raises(RemogptError, match=r"nothing of .*broken.bvh can be used: .*broken.bvh"):
        build(recordings / "broken.bvh")
    with pytest.raises(MissingPathError, match=r"no .*nowhere; wanted a set"):
        build(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingPathError, match="no motion files in"):
        build(tmp_path / "empty")
    with pytest.raises(RemogptError, match=f"{tiny_set.parent} has these in it: {tiny_set} is one; name that folder"):
        build(tiny_set.parent)
    with pytest.raises(RemogptError, match="--workers at least 1"):
        build(tiny_set, workers=0)
    assert not (tmp_path / "db").exists()
    (tmp_path / "db").mkdir()
    with FileLock(tmp_path / "db" / ".build.lock"), pytest.raises(RemogptError, match=r"another build into .* runs"):
        build(tiny_set)


def test_garbage_of_a_killed_build_is_collected_and_of_a_running_one_is_not(
    run: Any, tiny_set: Path, tiny_model: Path, tmp_path: Path, small_blocks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, done = database_blocks.embed_block, list[str]()

    def embed(components: Any, block: Any, *args: Any, **options: Any) -> None:
        if done:
            raise KeyboardInterrupt
        done.append(block.clips[0].id)
        real(components, block, *args, **options)

    monkeypatch.setattr(database_blocks, "embed_block", embed)
    with pytest.raises(KeyboardInterrupt):
        stages.build_database(tiny_set, out=tmp_path / "db", split="all", model=tiny_model)
    (part,) = [path.name for path in (tmp_path / "db" / "parts").iterdir() if path.is_dir()]
    with FileLock(tmp_path / "db" / ".build.lock"):
        assert stages.collect_garbage(tmp_path / "db") == []
    ran = run("db", "gc", tmp_path / "db")
    assert ran.code == 0 and "1 folders deleted" in ran.out
    assert part and not (tmp_path / "db" / "parts").exists()
    with pytest.raises(MissingPathError, match="no motion database"):
        stages.collect_garbage(tmp_path / "db")


def test_a_build_that_is_refused_leaves_a_running_one_alone(tiny_set: Path, tiny_model: Path, tmp_path: Path) -> None:
    """The running one has written nothing yet but its lock."""
    (tmp_path / "db").mkdir()
    with FileLock(tmp_path / "db" / ".build.lock"), pytest.raises(RemogptError, match="another build into"):
        stages.build_database(tiny_set, out=tmp_path / "db", model=tiny_model)
    assert (tmp_path / "db" / ".build.lock").exists()
