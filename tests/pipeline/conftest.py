"""A whole model on tiny untrained networks, and a motion."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import remogpt
from remogpt.motion import Motion
from remogpt.pipeline import ReMoGPT
from remogpt.retriever import MotionDatabase


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> ReMoGPT:
    return remogpt.ReMoGPT.from_pretrained(tiny_model, device="cpu")


@pytest.fixture(scope="module")
def motion(tiny_set: Path) -> Motion:
    return Motion.from_features(np.load(tiny_set / "new_joint_vecs" / "000004.npy"))


@pytest.fixture
def make_database(model: ReMoGPT, tmp_path: Path) -> Callable[..., MotionDatabase]:
    """The model's own database with other sources: `source_of(row)`."""

    def make(source_of: Callable[[int], str]) -> MotionDatabase:
        entries = [replace(entry, source_id=source_of(row)) for row, entry in enumerate(model.database().entries())]
        return MotionDatabase.build(entries, model.retriever, model.tokenizer, tmp_path / "made")

    return make
