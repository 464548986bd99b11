"""Answers that a component's source gave: which files of them are read, and what differs from them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.stages.source_outputs import compare_with_source, read_source_outputs
from remogpt.tokenizer_vqvae import MotionTokenizer
from remogpt.tokenizer_vqvae.normalizer import Normalizer
from remogpt.tokenizer_vqvae.vqvae import MotionVQVAE

SIZES = {"width": 16, "code_dim": 8, "num_codes": 32}
MOTIONS = np.random.default_rng(0).normal(size=(11, 64, 263)).astype(np.float32)


@pytest.fixture(scope="module")
def tokenizer() -> MotionTokenizer:
    torch.manual_seed(0)
    vqvae, normalizer = MotionVQVAE(**SIZES), Normalizer.fit(list(MOTIONS))
    vqvae.train()(normalizer.normalize(torch.from_numpy(MOTIONS)))
    return MotionTokenizer(vqvae, normalizer, SIZES)


def asked(tokenizer: MotionTokenizer) -> dict[str, Any]:
    """Eleven motions, so that numbers have two digits, and what the tokenizer makes of them."""
    content = {f"motion_{number}": motion for number, motion in enumerate(MOTIONS)}
    content |= {f"codes_{number}": tokenizer.encode(motion) for number, motion in enumerate(MOTIONS)}
    return content | {"decoded_10": tokenizer.decode(content["codes_10"])}


def test_each_answer_is_compared_with_the_one_to_its_question(tokenizer: MotionTokenizer, tmp_path: Path) -> None:
    np.savez(tmp_path / "e.npz", **asked(tokenizer))
    codes, decoded = compare_with_source(tokenizer, read_source_outputs(tmp_path / "e.npz"))
    assert codes.startswith("codes: 11 as the source gave them, largest difference 0")
    assert decoded.startswith("decoded: 1 as the source gave them")
    changed = asked(tokenizer)
    changed["decoded_10"][0, 0] += 0.01 * np.abs(changed["decoded_10"]).max()
    with pytest.raises(RemogptError, match=r"decoded_10 is not what the source gave: off by 0\.01 of its largest"):
        compare_with_source(tokenizer, changed)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"motion_0": np.zeros((8, 263))}, "holds no answer to compare with"),
        ({"codes_0": np.zeros(2)}, "holds the answer codes_0 without motion_0"),
        ({"motion_1": np.zeros((8, 263)), "codes_0": np.zeros(2)}, "holds the answer codes_0 without motion_0"),
        ({"motions": np.zeros(2)}, "holds 'motions'; wanted"),
        ({"codes_0": np.array([{}], dtype=object)}, r"is not a readable \.npz"),
        ({"text_0": "walk", "text_embedding_0": np.zeros(4)}, "hold none of a MotionTokenizer"),
        ({"motion_0": np.zeros((64, 263)), "codes_0": np.zeros(3)}, r"codes_0 has shape \(3,\)"),
    ],
)
def test_what_cannot_be_compared(tokenizer: MotionTokenizer, tmp_path: Path, content: Any, message: str) -> None:
    np.savez(tmp_path / "e.npz", **content)
    with pytest.raises(RemogptError, match=message):
        compare_with_source(tokenizer, read_source_outputs(tmp_path / "e.npz"))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MissingPathError, match=r"no such file; wanted a \.npz of the source's answers"):
        read_source_outputs(tmp_path / "e.npz")
