"""A published T5 answers on text as it was published: loaded, resized, with LoRA, merged, saved and loaded again."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import T5Config, T5ForConditionalGeneration, T5Tokenizer

from remogpt.lm import MotionLanguageModel
from remogpt.lm.decoding.inference_t5 import InferenceT5
from remogpt.lm.decoding.kv_cache import Decoder
from remogpt.lm.training.lora import add_lora, merge_lora
from remogpt.lm.training.samples import CodedClip
from remogpt.lm.training.train import LanguageModelConfig, train_language_model
from remogpt.lm.transformers_t5 import is_tied
from remogpt.lm.writer import MotionWriter
from remogpt.runtime.training.loop import LoopConfig

NUM_CODES = 12
TEXT = "a person walks in a circle"
KINDS = {"first T5": True, "flan-T5": False}
"""Published kinds: plain feed-forward and one embedding matrix; gates and an output of its own."""


def publish(folder: Path, is_tied: bool) -> T5ForConditionalGeneration:
    """Save a small random T5 and its text tokenizer as they stand on the hub, with spare rows as in 32,128 for 32,100.

    Returns:
        what transformers itself loads from there.
    """
    letters = [(character, -6.0) for character in "▁abcdefghijklmnopqrstuvwxyzG0123456789:.,"]
    special = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    sentinels = [(f"<extra_id_{number}>", 0.0) for number in range(99, -1, -1)]
    tokenizer = T5Tokenizer(vocab=[*special, *letters, *sentinels])
    tokenizer.save_pretrained(folder)
    torch.manual_seed(3)
    config = T5Config(
        vocab_size=len(tokenizer) + 5, d_model=24, d_kv=8, d_ff=40, num_layers=2, num_decoder_layers=3, num_heads=4,
        feed_forward_proj="relu" if is_tied else "gated-gelu", tie_word_embeddings=is_tied, decoder_start_token_id=0,
    )  # fmt: skip
    t5 = T5ForConditionalGeneration(config)
    torch.nn.init.normal_(t5.shared.weight)
    if not is_tied:
        t5.lm_head.weight = torch.nn.Parameter(torch.randn_like(t5.shared.weight))
    t5.save_pretrained(folder)
    return T5ForConditionalGeneration.from_pretrained(folder).eval()


@pytest.fixture(params=KINDS.values(), ids=KINDS.keys())
def published(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, T5ForConditionalGeneration]:
    folder = tmp_path / "published"
    return folder, publish(folder, request.param)


@torch.no_grad()
def by_transformers(t5: T5ForConditionalGeneration, prompt: list[int], answer: list[int]) -> Tensor:
    """Logits (L, ids) at each id of the answer."""
    return t5.eval()(input_ids=torch.tensor([prompt]), decoder_input_ids=torch.tensor([[0, *answer]])).logits[0]


@torch.no_grad()
def by_snapshot(t5: InferenceT5, prompt: list[int], answer: list[int], ids: np.ndarray) -> Tensor:
    """The same, of some ids, by the T5 that writes."""
    decoder = Decoder(t5, t5.encode([prompt]), np.zeros(1, dtype=np.int64), len(answer) + 1)
    outputs = [decoder.step(torch.tensor([[token]])) for token in (0, *answer)]
    return t5.head(ids)(torch.cat(outputs))


def test_logits_on_text_stay(published: tuple[Path, T5ForConditionalGeneration], tmp_path: Path) -> None:
    folder, theirs = published
    ours = MotionLanguageModel.from_hub(str(folder), NUM_CODES)
    words, was_tied = ours.vocabulary, is_tied(theirs)
    prompt, answer = [*words.encode_text(TEXT), words.eos_id], list(words.encode_text("somebody turns"))
    text = np.arange(words.motion_offset)
    wanted = by_transformers(theirs, prompt, answer)[:, text]

    def check(model: MotionLanguageModel) -> None:
        assert (by_transformers(model.t5, prompt, answer)[:, text] - wanted).abs().max() < 1e-5 < wanted.std()

    check(ours)
    assert is_tied(ours.t5) == was_tied and ours.t5.lm_head.weight.shape[0] == words.size
    before = {name: tensor.clone() for name, tensor in ours.state_dict().items()}
    add_lora(ours, rank=2)
    check(ours)
    merge_lora(ours)
    check(ours)
    assert is_tied(ours.t5) == was_tied
    assert all(torch.equal(tensor, before[name]) for name, tensor in ours.state_dict().items())
    ours.save_pretrained(tmp_path / "lm")
    again = MotionLanguageModel.from_pretrained(tmp_path / "lm")
    check(again)
    assert is_tied(again.t5) == was_tied
    for snapshot in (again.writer().t5, MotionWriter.from_pretrained(tmp_path / "lm").t5):
        assert (by_snapshot(snapshot, prompt, answer, text) - wanted).abs().max() < 1e-5
    again.t5.resize_token_embeddings(words.size + 3)
    check(again)


def test_lora_trains_the_motion_rows_of_both_embeddings(
    published: tuple[Path, T5ForConditionalGeneration], clips: list[CodedClip], tmp_path: Path
) -> None:
    """Rows of words stay as they were published; every motion row of the output is learnt, and those that are read."""
    folder, theirs = published
    loop = LoopConfig(steps=1, batch_size=4, learning_rate=1e-2, warmup_steps=0, cpu=True)
    config = LanguageModelConfig(hub=str(folder), num_codes=32, lora_rank=2, loop=loop)
    weights = []
    for steps in (1, 2):
        name = f"lm{steps}"
        config = replace(config, loop=replace(loop, steps=steps))
        train_language_model(config, clips, tmp_path / name, tmp_path / f"run{steps}")
        weights.append(MotionLanguageModel.from_pretrained(tmp_path / name))
    once, twice = weights
    offset = once.vocabulary.motion_offset
    for ours, source in ((twice.t5.shared, theirs.shared), (twice.t5.lm_head, theirs.lm_head)):
        assert torch.equal(ours.weight[:offset], source.weight[:offset])
    assert is_tied(once.t5) == is_tied(theirs)
    changed = {
        name: (getattr(once.t5, name).weight != getattr(twice.t5, name).weight)[offset:].any(1)
        for name in ("shared", "lm_head")
    }
    assert changed["lm_head"].all() and changed["shared"].any()
