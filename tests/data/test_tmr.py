"""TMR's annotation layout, on a made-up set of a few sequences."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from remogpt.data.humanml3d import MotionTextSet
from remogpt.data.importers.tmr import Annotation, import_tmr, keep
from remogpt.runtime.errors import MissingPathError, RemogptError


def note(text: str, start: float, end: float) -> dict[str, Any]:
    return {"seg_id": "x", "text": text, "start": start, "end": end}


TABLE = {
    "00001": {"path": "KIT/1/walk_poses", "duration": 5.82,
              "annotations": [note("walks", 0.0, 5.82), note("a person # walks", 0.0, 5.82)]},
    "M00001": {"path": "M/KIT/1/walk_poses", "duration": 5.82, "annotations": [note("walks mirrored", 0.0, 5.82)]},
    "00002": {"path": "CMU/2/long_poses", "duration": 15.0,
              "annotations": [note("runs", 1.1, 4.35), note("hops", 8.0, 12.0), note("all of it", 0.0, 15.0)]},
    "00003": {"path": "KIT/1/walk_poses", "duration": 1.0, "annotations": [note("a step", 0.0, 1.0)]},
    "00004": {"path": "KIT/1/walk_poses", "duration": 1.0, "annotations": [note("a test step", 0.0, 1.0)]},
    "00005": {"path": "CMU/2/long_poses", "duration": 15.0,
              "annotations": [note("first", 0.5, 3.0), note("second", 4.0, 7.0), note("first again", 0.5, 3.0)]},
    "00006": {"path": "KIT/9/gone_poses", "duration": 3.0, "annotations": [note("gone", 0.0, 3.0)]},
    "00007": {"path": "KIT/1/walk_poses", "duration": 9.0, "annotations": [note("behind the end", 6.5, 9.0)]},
}  # fmt: skip
SPLITS = {
    "train": ["00001", "M00001", "00002", "00003", "00006", "00099"],
    "val": ["00007"],
    "test": ["00004", "00005"],
    "nsim_test": ["00005"],
    "all": ["00001"],
}


@pytest.fixture
def layout(tmp_path: Path) -> tuple[Path, Path]:
    """Folders of annotations and of features."""
    annotations, features = tmp_path / "annotations" / "made_up", tmp_path / "guoh3dfeats"
    (annotations / "splits").mkdir(parents=True)
    (annotations / "annotations.json").write_text(json.dumps(TABLE))
    for split, keys in SPLITS.items():
        (annotations / "splits" / f"{split}.txt").write_text("\n".join(keys))
    rng = np.random.default_rng(0)
    for path, frames in (("KIT/1/walk_poses", 116), ("M/KIT/1/walk_poses", 116), ("CMU/2/long_poses", 299)):
        (features / path).parent.mkdir(parents=True, exist_ok=True)
        np.save(features / f"{path}.npy", rng.normal(size=(frames, 263)).astype(np.float32))
    return annotations, features


def test_keys_are_cut_as_tmr_cuts_them(layout: tuple[Path, Path], tmp_path: Path) -> None:
    result = import_tmr(*layout, tmp_path / "set", licence="CC BY")
    assert (result.num_clips, result.num_dropped, result.num_silent) == (5, 1, 1)
    assert list(result.failed) == ["00006", "00007"]
    assert (
        "gone_poses.npy" in result.failed["00006"]
        and "116 frames, none of them from 6.5 to 9 s" in result.failed["00007"]
    )
    motions = MotionTextSet.open(tmp_path / "set")
    assert (motions.name, motions.licence) == ("made_up", "CC BY")
    assert {split: motions.ids(split) for split in motions.splits()} == {
        "all": ["00001", "00002", "00004", "00005", "M00001"], "train": ["00001", "M00001", "00002"], "val": [],
        "test": ["00004", "00005"], "nsim_test": ["00005"],
    }  # fmt: skip
    walk, long = (np.load(layout[1] / path) for path in ("KIT/1/walk_poses.npy", "CMU/2/long_poses.npy"))
    clips = {clip.id: clip for clip in motions.clips("all", 1, 10**9)}
    assert list(clips) == ["00001", "00002:1.1-4.35", "00002:8-12", "00004", "00005", "M00001"]
    assert np.array_equal(motions.features(clips["00001"]), walk[0 : int(5.82 * 20)])
    assert clips["00001"].captions == ("walks", "a person walks")
    assert np.array_equal(motions.features(clips["00002:1.1-4.35"]), long[int(1.1 * 20) : int(4.35 * 20)])
    assert np.array_equal(motions.features(clips["00002:8-12"]), long[160:240])
    assert np.array_equal(motions.features(clips["00005"]), long[10:60])
    assert clips["00005"].captions == ("first", "first again")  # as TMR tests: the stretch of the first annotation
    assert clips["M00001"].mirror_of == "00001"
    assert clips["M00001"].source_id == clips["00001"].source_id == clips["00004"].source_id == "KIT/1/walk_poses"


def test_every_stretch_of_a_test_key_on_request(layout: tuple[Path, Path], tmp_path: Path) -> None:
    import_tmr(*layout, tmp_path / "set", every_stretch=True)
    clips = MotionTextSet.open(tmp_path / "set").clips("test", 1, 10**9)
    assert [(clip.id, clip.captions) for clip in clips] == [
        ("00004", ("a test step",)), ("00005:0.5-3", ("first", "first again")), ("00005:4-7", ("second",)),
    ]  # fmt: skip
    with pytest.raises(RemogptError, match="holds another set already"):
        import_tmr(*layout, tmp_path / "set")


@pytest.mark.parametrize(
    ("splits", "kept"),
    [(["train"], "bcd"), (["val"], "b"), (["test"], "a"), (["nsim_test", "test"], "a"), (["train_tiny"], "bcd")],
)
def test_which_annotations_count(splits: list[str], kept: str) -> None:
    durations = {"a": 1.9, "b": 2.0, "c": 10.0, "d": 5.0, "e": 10.1}
    found = [Annotation(name, 0.0, duration) for name, duration in durations.items()]
    assert "".join(one.text for one in keep(found, splits)) == kept


def test_an_import_goes_on_and_takes_over_what_changed(layout: tuple[Path, Path], tmp_path: Path) -> None:
    import_tmr(*layout, tmp_path / "set")
    vectors = tmp_path / "set" / "new_joint_vecs"
    times = {path.name: path.stat().st_mtime_ns for path in vectors.iterdir()}
    (tmp_path / "set" / "items" / "00001.json").unlink()  # as if killed while writing it
    np.save(layout[1] / "M/KIT/1/walk_poses.npy", np.ones((116, 263), dtype=np.float32))
    import_tmr(*layout, tmp_path / "set")
    again = {path.name for path in vectors.iterdir() if path.stat().st_mtime_ns != times[path.name]}
    assert again == {"00001.npy", "M00001.npy"}
    assert (MotionTextSet.open(tmp_path / "set").features("M00001") == 1).all()


def test_what_may_be_wrong(layout: tuple[Path, Path], tmp_path: Path) -> None:
    annotations, features = layout
    with pytest.raises(MissingPathError, match=r"no folder .*nowhere; name the one with the features"):
        import_tmr(annotations, tmp_path / "nowhere", tmp_path / "set")
    with pytest.raises(MissingPathError, match=r"annotations\.json"):
        import_tmr(tmp_path, features, tmp_path / "set")
    with pytest.raises(RemogptError, match=r"none of the 9 keys .*the first failed: no file"):
        import_tmr(annotations, tmp_path, tmp_path / "set")
    for table, message in (
        ({"a": {"path": "x"}}, "key 'a': object missing required field annotations"),
        ([1], "got a list"),
        ({"../a": {"path": "x", "annotations": []}}, "is no file name"),
        ({"a": {"path": "x", "annotations": [note("walks", 3.0, 2.0)]}}, "without 0 <= start < end"),
        ({"a": {"path": "x", "annotations": [note(" ", 0.0, 2.0)]}}, "an annotation without words"),
    ):
        (annotations / "annotations.json").write_text(json.dumps(table))
        with pytest.raises(RemogptError, match=message):
            import_tmr(annotations, features, tmp_path / "set")
    (annotations / "annotations.json").write_text(json.dumps({"00001": {**TABLE["00001"], "path": "../../secret"}}))
    with pytest.raises(RemogptError, match="leads out of"):
        import_tmr(annotations, features, tmp_path / "set")
    (annotations / "annotations.json").write_text(json.dumps(TABLE))
    np.save(features / "KIT/1/walk_poses.npy", np.zeros((116, 251), dtype=np.float32))
    broken = np.load(features / "CMU/2/long_poses.npy")
    broken[30, 5] = np.nan  # the others' statistics would be NaN too
    np.save(features / "CMU/2/long_poses.npy", broken)
    assert "not finite" in import_tmr(annotations, features, tmp_path / "broken").failed["00002"]
    assert np.isfinite(MotionTextSet.open(tmp_path / "broken").mean).all()
    np.save(features / "KIT/1/walk_poses.npy", np.zeros((116, 251), dtype=np.float32))
    assert (
        "KIT-ML's own 251 channels are another body"
        in import_tmr(annotations, features, tmp_path / "kit").failed["00001"]
    )
    for path in (annotations / "splits").iterdir():
        path.unlink()
    with pytest.raises(MissingPathError, match="no split files"):
        import_tmr(annotations, features, tmp_path / "set")
