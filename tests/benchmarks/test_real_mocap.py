"""What is counted as a right label in the real-mocap recipe's numbers."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from benchmarks import real_mocap
from remogpt.data.humanml3d import Clip

WORDS = ("walks", "runs", "sadly", "happily", "old", "elderly")


class Evaluator:
    """A caption is which words it has; a motion is the caption whose vector it holds."""

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        rows = np.array([[word in text.split() for word in WORDS] for text in texts], dtype=float)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def encode_motion(self, motions: Sequence[np.ndarray]) -> np.ndarray:
        return np.stack(motions)


def clip(number: int, content: str, style: str, *captions: str) -> Clip:
    name = f"c{number}"
    tags = {"content": content, "style": style}
    return Clip(name, name, name, None, captions, ((),) * len(captions), 0, 60, tags)


@pytest.fixture
def clips() -> list[Clip]:
    return [
        clip(0, "walk", "sad", "walks sadly"), clip(1, "walk", "happy", "walks happily", "walks"),
        clip(2, "run", "sad", "runs sadly"), clip(3, "run", "happy", "runs happily"),
        clip(4, "walk", "old", "old walks"), clip(5, "walk", "elderly", "old walks", "elderly walks"),
    ]  # fmt: skip


def test_labels_of_motions_and_captions(clips: list[Clip]) -> None:
    labels = real_mocap.Labels(clips, Evaluator())
    assert labels.names == {"content": ["run", "walk"], "style": ["elderly", "happy", "sad"]}  # old is elderly
    made = labels.of_motions(list(Evaluator().encode_text(["runs sadly", "walks happily", "elderly walks"])))
    assert made == [{"content": {"run"}, "style": {"sad"}}, {"content": {"walk"}, "style": {"happy"}},
                    {"content": {"walk"}, "style": {"elderly"}}]  # fmt: skip
    told = labels.of_captions(["walks", "old walks", "walks like nobody"])
    assert told == [{"content": {"walk"}, "style": {"happy"}}, {"content": {"walk"}, "style": {"elderly"}},
                    {"content": set(), "style": set()}]  # fmt: skip


def test_shares_of_right_labels_by_what_was_trained_on(clips: list[Clip]) -> None:
    labels = real_mocap.Labels(clips, Evaluator())
    found = labels.of_captions(["walks sadly", "runs happily", "runs sadly", "no such words"])
    seen = np.array([True, True, True, False])
    result = real_mocap.accuracy(found, clips[:4], {"seen": seen, "new": ~seen})
    assert result["all"] | {"ci95_content": 0} == {"content": 50.0, "style": 75.0, "both": 50.0, "ci95_content": 0,
                                                   "clips": 4}  # fmt: skip
    assert (result["seen"]["content"], result["new"]["style"], result["new"]["clips"]) == (66.7, 0.0, 1)
    assert "new" not in real_mocap.accuracy(found[:2], clips[:2], {"new": np.array([False, False])})


def test_a_combination_that_only_mirror_images_show_is_new(clips: list[Clip]) -> None:
    image = replace(clips[2], id="Mc2", mirror_of="c2")
    groups = real_mocap.groups_of(clips[:4], [clips[0], clips[1], image])
    assert {name: own.tolist() for name, own in groups.items()} == {
        "seen": [True, True, False, False], "new": [False, False, True, True], "mirrored": [False, False, True, False],
        "apart": [False, False, False, True],
    }  # fmt: skip


def test_a_row_is_of_swaps_or_of_generation_and_captioning() -> None:
    results = {f"{name}/test/{row}": {"scores": {name: row}} for name, row in (
        ("swap", "own"), ("generation", "default"), ("captioning", "default"),
    )}  # fmt: skip
    assert real_mocap._scores(results, "own") == {"swap": "own"}
    assert real_mocap._scores(results, "default") == {
        "generation": {"generation": "default"}, "captioning": {"captioning": "default"},
    }  # fmt: skip


def test_numbers_are_taken_from_swaps_and_from_controls() -> None:
    scored = {name: {"mean": 0.123456, "ci95": 0.0} for name in ("t2m/R1", "t2m/R3", "fid", "mm_dist", "diversity")}
    text = {"raw": {"bleu1": 0.5, "bleu4": 0.25, "rougeL": 0.5, "cider": 1.0, "num_items": 3}, "distinct_share": 0.5}
    motion = {"evaluator": scored, "copied_share": 0.1, "memorisation": {"share_nearer_than_real": 0.25}}
    swap = real_mocap.picked({"generation": motion, "captioning": text})
    assert swap["generation"]["fid"] == {"mean": 0.1235, "ci95": 0.0} and swap["captioning"]["cider"] == 1.0
    assert swap["generation"]["nearer_to_training_than_real"] == 0.25 and swap["generation"]["copied_share"] == 0.1
    assert real_mocap.picked(motion) == {"generation": swap["generation"]}
    assert real_mocap.picked(text) == {"captioning": swap["captioning"]} and real_mocap.picked({}) == {}
