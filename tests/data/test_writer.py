"""Writing sets, and their statistics."""

from pathlib import Path

import numpy as np
import pytest

from remogpt.data.analysis.statistics import channel_groups, mean_and_std
from remogpt.data.humanml3d import Caption, MotionTextSet
from remogpt.data.writer import SetItem, finish_set, is_written, write_item
from remogpt.runtime.errors import RemogptError


def item(name: str, seed: int, **more: object) -> SetItem:
    features = np.random.default_rng(seed).normal(size=(50, 263)).astype(np.float32)
    return SetItem(name, features, [Caption("a person walks", ("walk/VERB",))], **more)


def test_an_item_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    joints = np.random.default_rng(1).normal(size=(51, 22, 3)).astype(np.float32)
    one = item("a", 0, joints=joints, source_id="rec7", tags={"n": 1}, provenance="here")
    write_item(tmp_path, one)
    finish_set(tmp_path, "small", "CC0", {"train": ["a"], "val": []}, version=2)
    motions = MotionTextSet.open(tmp_path)
    (clip,) = motions.clips("train")
    assert np.array_equal(motions.features(clip), one.features) and np.array_equal(motions.joints("a"), joints)
    assert (clip.source_id, clip.tags, clip.captions) == ("rec7", {"n": 1}, ("a person walks",))
    assert motions.item("a")["provenance"] == "here" and motions.info["counts"] == {"train": 1, "val": 0}
    assert motions.ids("all") == ["a"] and motions.ids("val") == []


@pytest.mark.parametrize("text", ["walks #1", "walks\nforward", "a#b#c", "walks\r\n\tslowly"])
def test_a_caption_cannot_break_its_file(text: str) -> None:
    line = Caption(text, ("walk#/VERB",)).to_line()
    assert "\n" not in line and line.count("#") == 3
    assert Caption.from_line(line).text == " ".join(text.replace("#", " ").split())


def test_an_item_counts_as_written_when_it_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from remogpt.data import writer

    def fails(*_: object) -> None:
        raise OSError(28, "no space left on device")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="no space"):
        patch.setattr(writer, "write_text", fails)
        write_item(tmp_path, item("a", 0))
    assert not is_written(tmp_path, "a")
    write_item(tmp_path, item("a", 0))
    assert is_written(tmp_path, "a")


def test_statistics_are_of_training_frames_alone(tmp_path: Path) -> None:
    for seed, name in enumerate("abc"):
        write_item(tmp_path, item(name, seed))
    finish_set(tmp_path, "small", "CC0", {"train": ["a", "b"], "test": ["c"]})
    frames = np.concatenate([item(name, seed).features for seed, name in enumerate("ab")]).astype(np.float64)
    motions = MotionTextSet.open(tmp_path)
    np.testing.assert_allclose(motions.mean, frames.mean(axis=0), atol=1e-6)
    for group in channel_groups(263):
        np.testing.assert_allclose(motions.std[group], frames.std(axis=0)[group].mean(), rtol=1e-5)


def test_a_channel_that_never_moves_does_not_divide_by_zero() -> None:
    mean, std = mean_and_std([np.full((10, 263), 5.0, dtype=np.float32)])
    assert np.allclose(mean, 5) and (std > 0).all()


def test_statistics_of_large_offsets_keep_their_digits() -> None:
    motion = np.random.default_rng(0).normal(1000.0, 0.1, (5000, 263)).astype(np.float32)
    _, std = mean_and_std([motion])
    np.testing.assert_allclose(std[0], motion[:, 0].astype(np.float64).std(), rtol=1e-3)


def test_statistics_need_a_motion() -> None:
    with pytest.raises(RemogptError, match="at least one motion, got none"):
        mean_and_std([])


def test_what_a_power_cut_emptied_is_written_anew(tmp_path: Path) -> None:
    write_item(tmp_path, item("a", 0))
    for name in ("new_joint_vecs/a.npy", "texts/a.txt", "items/a.json"):
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(b"")
        assert not is_written(tmp_path, "a"), name
        (tmp_path / name).write_bytes(content)
    assert is_written(tmp_path, "a")
