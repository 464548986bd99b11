"""Products in each precision: close to float32, and a row's result its own."""

from typing import get_args

import pytest
import torch

from remogpt.lm import DecodeOptions, MotionLanguageModel, Sampling, requests_for
from remogpt.lm.decoding.matmul import Precision, check_precision, product
from remogpt.prompts import text_to_motion_prompt
from remogpt.runtime.errors import RemogptError

CLOSE = {"float32": 1e-5, "bfloat16": 1e-2, "int8": 2e-2 if torch.cpu._is_vnni_supported() else 4e-2}
"""Largest error, as a share of the largest value. Processors without VNNI have 7 bits for inputs instead of 8."""


@pytest.mark.parametrize("precision", get_args(Precision))
def test_products_are_close(precision: Precision) -> None:
    torch.manual_seed(0)
    weights = [torch.randn(48, 32), torch.randn(16, 32) * 20]
    multiply = product(weights, precision)
    for rows in (1, 2, 37):
        x = torch.randn(rows, 32) * torch.logspace(-3, 3, rows)[:, None]
        wanted, came = x @ torch.cat(weights).T, multiply(x)
        assert came.dtype == torch.float32 and came.shape == (rows, 64)
        error = ((came - wanted).abs().amax(1) / wanted.abs().amax(1)).max()
        assert error < CLOSE[precision]
    assert not multiply(torch.zeros(2, 32)).any()


def test_a_row_in_int8_is_its_own() -> None:
    torch.manual_seed(0)
    multiply, x = product([torch.randn(24, 32)], "int8"), torch.randn(9, 32)
    x[3] *= 1e4  # would coarsen all others
    together = multiply(x)
    for row in range(9):
        assert torch.equal(multiply(x[row : row + 1])[0], together[row])


@pytest.mark.parametrize("precision", ["bfloat16", "int8"])
def test_a_model_writes_in_every_precision_and_keeps_its_weights(
    model: MotionLanguageModel, precision: Precision
) -> None:
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    prompts = [text_to_motion_prompt(text, count=model.vocabulary.count) for text in ("a man", "a person walks")]
    exact = model.generate_codes(requests_for(prompts, length=[8, 12]), DecodeOptions(Sampling(temperature=0.0)))
    model.precision = precision
    coarse = model.generate_codes(requests_for(prompts, length=[8, 12]), DecodeOptions(Sampling(temperature=0.0)))
    assert [len(codes) for codes in coarse] == [8, 12]
    agree = [(a == b).mean() for a, b in zip(exact, coarse, strict=True)]
    assert min(agree) > 0.3  # of 32 codes: by chance 0.03
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_what_there_is_not() -> None:
    with pytest.raises(RemogptError, match="one of float32, bfloat16, int8, got 'float8'"):
        check_precision("float8", torch.device("cpu"))
    with pytest.raises(RemogptError, match="int8 is made for the CPU, the model is on cuda"):
        check_precision("int8", torch.device("cuda"))
