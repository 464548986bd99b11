"""Bodies of written motions hold together, and are judged as they are given."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from remogpt.motion import Motion, clean_features
from remogpt.motion.kinematics import bone_offsets
from remogpt.options import GenerationOptions
from remogpt.pipeline import ReMoGPT
from remogpt.pipeline.judge import Judge


def bone_range(motion: Motion) -> float:
    """Return by how much the length of a bone differs between frames, at most, in metres."""
    return float(np.ptp(np.linalg.norm(bone_offsets(motion.joints), axis=-1), axis=0).max())


@pytest.mark.parametrize("seconds", [2.0, 20.0])
def test_written_bodies_are_cleaned_and_can_be_had_as_decoded(model: ReMoGPT, seconds: float) -> None:
    options = GenerationOptions(best_of=1)
    (given,) = model.generate("a person walks", seconds=seconds, seed=3, options=options)
    (raw,) = model.generate("a person walks", seconds=seconds, seed=3, options=replace(options, cleanup=False))
    assert np.array_equal(given.codes, raw.codes)
    decoded = model.tokenizer.decode(raw.codes)[: raw.motion.num_frames]
    assert np.allclose(raw.motion.features, decoded, atol=1e-5)
    assert np.allclose(
        given.motion.features, clean_features(model.tokenizer.decode(raw.codes))[: len(decoded)], atol=1e-4
    )
    assert bone_range(given.motion) < 1e-4 < 1e-3 < bone_range(raw.motion)


def test_candidates_are_judged_by_the_bodies_that_are_given(model: ReMoGPT, monkeypatch: pytest.MonkeyPatch) -> None:
    judged = []
    scores = Judge.scores

    def spy(self: Judge, texts: Any, readings: Any, motions: Any) -> Any:
        judged.extend(motion for own in motions for motion in own)
        return scores(self, texts, readings, motions)

    monkeypatch.setattr(Judge, "scores", spy)
    (answer,) = model.generate("a person walks", seed=3, options=GenerationOptions(best_of=3))
    assert len(judged) == 3 and all(bone_range(Motion.from_features(motion)) < 1e-4 for motion in judged)
    assert any(np.array_equal(answer.motion.features, motion) for motion in judged)
