"""The frozen T5 against transformers': the same ids, for every kind of T5, in every order of work."""

from itertools import product

import numpy as np
import pytest
import torch
from torch import nn
from transformers import T5ForConditionalGeneration

from remogpt.lm import DecodeOptions, MotionLanguageModel, Sampling, T5Size, Vocabulary, requests_for
from remogpt.lm.batch import pad
from remogpt.lm.training.lora import add_lora, merge_lora
from remogpt.lm.transformers_t5 import InferenceCache, for_inference
from remogpt.prompts import text_to_motion_prompt
from remogpt.runtime.errors import RemogptError

CAPTIONS = ("a person walks", "someone waves with the left hand and then jumps three times", "a man", "kick", "a man")
GREEDY = Sampling(temperature=0.0)


def made(
    vocabulary: Vocabulary, activation: str = "gated-gelu", scaled: bool = True, tied: bool = True
) -> MotionLanguageModel:
    """Three decoder layers on two encoder layers, heads that are together wider than the model.

    Livelier than T5's start, which repeats what it has read last.
    """
    torch.manual_seed(4)
    size = T5Size(32, 48, 2, 3, 3, 16, activation, 0.1, scaled)  # type: ignore[arg-type]
    model = MotionLanguageModel.build(vocabulary, size).eval()
    with torch.no_grad():
        for name, weight in model.t5.named_parameters():
            if "relative_attention_bias" in name or "layer_norm" in name:
                weight.add_(torch.randn_like(weight))
            elif "SelfAttention" in name or "EncDecAttention" in name:
                weight.mul_(2.5)
        model.t5.shared.weight.mul_(0.05)
        model.t5.shared.weight[vocabulary.motion_end_id].mul_(2.0)
    if not tied:
        model.t5.lm_head.weight = nn.Parameter(torch.randn_like(model.t5.lm_head.weight))
        model.t5.lm_head.weight.data[vocabulary.motion_end_id].mul_(2.0)
    if not scaled:
        model.t5.lm_head.weight.data.mul_(0.3)
    return model


def prompt_ids(model: MotionLanguageModel) -> list[list[int]]:
    words = model.vocabulary
    return [words.encode_prompt(text_to_motion_prompt(text, count=words.count)) for text in CAPTIONS]


def by_transformers(model: MotionLanguageModel, max_codes: int) -> list[list[int]]:
    """Greedy `transformers.generate`, held to the codes and an end that is not the first."""
    words, prompts = model.vocabulary, prompt_ids(model)
    codes = words.code_ids.tolist()
    written = model.t5.generate(
        input_ids=pad(prompts, words.pad_id),
        attention_mask=pad([[1] * len(prompt) for prompt in prompts], 0),
        decoder_input_ids=torch.tensor([[words.pad_id, words.motion_start_id]] * len(prompts)),
        prefix_allowed_tokens_fn=lambda _, ids: codes if len(ids) == 2 else [*codes, words.motion_end_id],
        eos_token_id=words.motion_end_id,
        max_new_tokens=max_codes,
        do_sample=False,
        use_cache=False,  # its cache has as many layers as the encoder
    )
    rows = [row[2:].tolist() for row in written]
    ends = [row.index(words.motion_end_id) if words.motion_end_id in row else len(row) for row in rows]
    return [[token - words.motion_offset for token in row[:end]] for row, end in zip(rows, ends, strict=True)]


@pytest.mark.parametrize(
    ("activation", "scaled", "tied"), list(product(("relu", "gated-gelu"), (True, False), (True, False)))
)
def test_greedy_ids_are_those_of_transformers(
    vocabulary: Vocabulary, activation: str, scaled: bool, tied: bool
) -> None:
    model = made(vocabulary, activation, scaled, tied)
    wanted = by_transformers(model, 24)
    prompts = [text_to_motion_prompt(text, count=vocabulary.count) for text in CAPTIONS]
    for batch_size in (5, 2, 1):
        ours = model.generate_codes(requests_for(prompts), DecodeOptions(GREEDY, max_length=24, batch_size=batch_size))
        assert [row.tolist() for row in ours] == wanted
    assert len({len(row) for row in wanted}) > 2, "rows that all end together would show little"


def test_encoder_output_is_that_of_transformers(vocabulary: Vocabulary) -> None:
    model = made(vocabulary)
    prompts = prompt_ids(model)
    for prompt, ours in zip(prompts, for_inference(model.t5).encode(prompts), strict=True):
        with torch.no_grad():
            theirs = model.t5.encoder(input_ids=torch.tensor([prompt])).last_hidden_state[0]
        assert torch.allclose(ours, theirs, atol=1e-5)


def test_merged_lora_writes_what_it_has_learnt(vocabulary: Vocabulary) -> None:
    model = made(vocabulary)
    prompts = [text_to_motion_prompt(text, count=vocabulary.count) for text in CAPTIONS]
    before = model.generate_codes(requests_for(prompts, length=[12] * 5), DecodeOptions(GREEDY))
    add_lora(model, rank=2)
    with torch.no_grad():
        for name, weight in model.t5.named_parameters():
            if "lora_B" in name:
                weight.normal_()
    with pytest.raises(RemogptError, match="merge them before it writes"):
        model.generate_codes(requests_for(prompts, length=[12] * 5), DecodeOptions(GREEDY))
    merge_lora(model)
    after = model.generate_codes(requests_for(prompts), DecodeOptions(GREEDY, max_length=12))
    assert [row.tolist() for row in after] == by_transformers(model, 12)
    assert not all(map(np.array_equal, before, after))


def test_a_frozen_t5_is_kept_until_the_weights_change(vocabulary: Vocabulary) -> None:
    t5, freeze = made(vocabulary).t5, InferenceCache()
    first = freeze(t5, "float32")
    assert freeze(t5, "float32") is first and freeze(t5, "bfloat16") is not first
    again = freeze(t5, "float32")
    with torch.no_grad():
        t5.decoder.block[0].layer[0].SelfAttention.q.weight.mul_(2.0)
    assert freeze(t5, "float32") is not again
    other = T5ForConditionalGeneration(t5.config).eval()
    assert freeze(other, "float32") is not freeze(t5, "float32")
