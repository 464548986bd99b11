"""Pairs that differ in one thing: drawn anew, and those of a set's own families; what a retriever tells of them."""

from pathlib import Path

import numpy as np
import pytest

from remogpt.data.procedural.make import make_procedural_set
from remogpt.runtime.files import read_json
from studies import minimal_pairs as study
from studies.minimal_pairs import Pair


class Sees:
    """A retriever whose embeddings are what the motions and captions begin with."""

    def encode_motion(self, motions: list[np.ndarray]) -> np.ndarray:
        return np.array([[motion[0, 0], 1 - motion[0, 0]] for motion in motions])

    def encode_each_text(self, texts: list[str]) -> list[np.ndarray]:
        return [np.array([float(text[0]), 1 - float(text[0])]) for text in texts]


def test_right_is_who_is_nearer_to_its_own() -> None:
    motions = np.zeros((20, 263)), np.ones((20, 263))
    right, swapped = Pair(motions, ("0", "1"), ("0", "0 more")), Pair(motions, ("1", "0"), None)
    found = study.score(Sees(), [right, right, right, swapped])  # type: ignore[arg-type]
    assert found["pairs"] == 4 and found["caption_to_motion"] == found["motion_to_caption"] == 75.0
    assert found["cosine_of_captions"] == 0.0 and found["cosine_of_paraphrases"] == 1.0
    facts = np.tile(np.array([[2.0, 1.0], [3.0, 2.5]]), (4, 1, 1))  # the second caption ranks the first motion higher
    found = study.score(Sees(), [right, right, right, swapped], lambda _: facts)  # type: ignore[arg-type]
    assert found["caption_to_motion"] == 75.0
    assert found["with_facts"] == {"caption_to_motion": 50.0, "motion_to_caption": 50.0}


@pytest.mark.parametrize("source", ["drawn", "families"])
def test_each_caption_is_true_of_its_own_motion_alone(tmp_path: Path, source: str) -> None:
    words = ["--pairs", "2", "--factors", "side", "--out", str(tmp_path / "pairs.json")]
    if source == "families":
        make_procedural_set(tmp_path / "set", num_clips=40, seed=0, families=30)
        words += ["--data", str(tmp_path / "set")]
    study.main([*words, "--vocabulary", "core"])
    results = read_json(tmp_path / "pairs.json")
    assert list(results["factors"]) == ["side"] and results["factors"]["side"]["pairs"] == 2
    assert results["command"].endswith("--data SET") == (source == "families")
