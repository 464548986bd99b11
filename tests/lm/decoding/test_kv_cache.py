"""The decoder's memory: rows that leave, and the step as a graph."""

import numpy as np
import torch

from remogpt.lm import MotionLanguageModel
from remogpt.lm.decoding.cuda_graph import GraphedDecoder, Step
from remogpt.lm.decoding.kv_cache import Decoder, close_up
from remogpt.lm.transformers_t5 import for_inference

PROMPTS = [[5, 6, 7, 8, 9], [10, 11], [12, 13, 14]]
PROMPT_OF = np.array([0, 1, 2, 0, 1, 0])


def decoder_of(model: MotionLanguageModel) -> Decoder:
    t5 = for_inference(model.t5)
    return Decoder(t5, t5.encode(PROMPTS), PROMPT_OF, capacity=12)


def outputs_of_transformers(model: MotionLanguageModel, prompt: list[int], read: list[int]) -> torch.Tensor:
    hidden = model.t5.encoder(input_ids=torch.tensor([prompt])).last_hidden_state
    decoded = model.t5.decoder(input_ids=torch.tensor([read]), encoder_hidden_states=hidden, use_cache=False)
    return decoded.last_hidden_state[0, -1]


def test_the_last_rows_fill_the_holes() -> None:
    assert close_up(np.array([True, False, True, False, True, True])).tolist() == [0, 4, 2, 5]
    assert close_up(np.array([True, True, False])).tolist() == [0, 1]
    assert close_up(np.array([False, False, True])).tolist() == [2]


@torch.no_grad()
def test_rows_that_stay_go_on_as_if_alone(model: MotionLanguageModel) -> None:
    """Several ids at once, one at a time, and rows and whole prompts that leave."""
    decoder, rows = decoder_of(model), np.arange(len(PROMPT_OF))
    read = [[0, 20 + row] for row in rows]
    decoder.step(torch.tensor(read))
    for step, leave in enumerate(([3], [], [1, 4], [0, 5])):
        order = close_up(~np.isin(rows, leave))
        decoder.keep(order)
        rows = rows[order]
        new = 30 + 5 * step + rows
        for row, token in zip(rows, new.tolist(), strict=True):
            read[row].append(token)
        output = decoder.step(torch.as_tensor(new)[:, None])
        for row, own in zip(rows, output, strict=True):
            theirs = outputs_of_transformers(model, PROMPTS[PROMPT_OF[row]], read[row])
            assert torch.allclose(own, theirs, atol=1e-5)
    assert rows.tolist() == [2]


@torch.no_grad()
def test_a_graphed_decoder_gives_the_same(model: MotionLanguageModel) -> None:
    """Here without CUDA: the step that would be recorded is called, its shapes must stay until it is made anew."""
    made: list[int] = []

    def call(step: Step, ids: torch.Tensor, position: torch.Tensor) -> Step:
        made.append(len(ids))
        shape = ids.shape

        def again(ids: torch.Tensor, position: torch.Tensor) -> torch.Tensor:
            assert ids.shape == shape and position.shape == (1,)
            return step(ids, position)

        return again

    plain, graphed = decoder_of(model), GraphedDecoder(decoder_of(model), len(PROMPT_OF), call)
    rows = np.arange(len(PROMPT_OF))
    for leave in ([], [2], [0], [5], [1]):
        order = close_up(~np.isin(rows, leave))
        plain.keep(order)
        graphed.keep(order)
        rows = rows[order]
        ids = torch.as_tensor(rows + 20)[:, None]
        first = torch.cat([torch.zeros_like(ids), ids], dim=1) if len(rows) == 6 else ids
        assert torch.allclose(plain.step(first), graphed.step(first), atol=1e-5)
    assert made == [6, 3]
