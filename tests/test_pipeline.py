"""The main path in Python, on a tiny untrained model."""

from pathlib import Path

import numpy as np
import pytest

import remogpt
from remogpt.motion import Motion
from remogpt.pipeline import ReMoGPT
from remogpt.runtime.errors import RemogptError


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> ReMoGPT:
    return remogpt.ReMoGPT.from_pretrained(tiny_model, device="cpu")


def test_generate_gives_motion_codes_and_examples(model: ReMoGPT) -> None:
    (answer,) = model.generate("a person walks", seed=1)
    assert answer.motion.joints.shape == (4 * len(answer.codes), 22, 3)
    assert np.isfinite(answer.motion.joints).all() and answer.motion.caption == "a person walks"
    assert [example.route for example in answer.examples] == ["t2m", "t2t"]
    assert answer.examples[0].id != answer.examples[1].id
    assert answer.examples[0].caption in str(answer.prompt.text)
