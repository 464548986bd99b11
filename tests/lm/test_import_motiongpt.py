"""MotionGPT's language model: the weights as they were released give the same answers here."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import pre_tokenizers
from transformers import T5Config, T5ForConditionalGeneration, T5Tokenizer

from remogpt.lm import DecodeOptions, MotionLanguageModel, Sampling, requests_for
from remogpt.lm.import_motiongpt import language_model_from_reference, read_text_tokenizer
from remogpt.lm.training.train import LanguageModelConfig, build_model
from remogpt.prompts import ask_for_motion, ask_for_text
from remogpt.runtime.errors import RemogptError

NUM_CODES = 12
CAPTION = "a person walks in a circle."


def plain_tokenizer() -> T5Tokenizer:
    """A text tokenizer of flan-t5's kind, with few words."""
    words = [(f"▁{word}", -3.0) for word in ("a", "person", "walks", "text", "Generate", "motion", "frames")]
    letters = [(character, -6.0) for character in "▁abcdefghijklmnopqrstuvwxyzG0123456789:.,"]
    special = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    sentinels = [(f"<extra_id_{number}>", 0.0) for number in range(99, -1, -1)]
    return T5Tokenizer(vocab=[*special, *words, *letters, *sentinels])


def released_t5(num_text_ids: int, is_flan: bool = True) -> T5ForConditionalGeneration:
    """A small random T5 as MotionGPT makes its own: flan-t5 with an output matrix of its own, extended by 515 ids.

    Without `is_flan`, a T5 of the first kind: no gates, and one matrix for all embeddings.
    """
    torch.manual_seed(0)
    config = T5Config(
        vocab_size=num_text_ids + NUM_CODES + 3, d_model=24, d_kv=8, d_ff=40, num_layers=2, num_decoder_layers=3,
        num_heads=4, feed_forward_proj="gated-gelu" if is_flan else "relu", tie_word_embeddings=not is_flan,
        decoder_start_token_id=0,
    )  # fmt: skip
    t5 = T5ForConditionalGeneration(config).eval()
    torch.nn.init.normal_(t5.shared.weight)
    if is_flan:
        t5.lm_head.weight = torch.nn.Parameter(torch.randn_like(t5.shared.weight))
    return t5


@pytest.fixture(scope="module")
def tokenizer() -> T5Tokenizer:
    return plain_tokenizer()


@pytest.mark.parametrize("is_flan", [True, False])
def test_logits_and_motions_are_the_references(tokenizer: T5Tokenizer, tmp_path: Path, is_flan: bool) -> None:
    theirs = released_t5(len(tokenizer), is_flan)
    language_model_from_reference(theirs.state_dict(), tokenizer, NUM_CODES).save_pretrained(tmp_path)
    ours = MotionLanguageModel.from_pretrained(tmp_path)
    words = ours.vocabulary
    prompt = ask_for_motion("motiongpt", CAPTION, count=words.count)
    ids = torch.tensor([words.encode_prompt(prompt)])
    decoder_ids = torch.tensor([[0, words.motion_start_id, *(words.code_ids[[3, 0, 7]])]])
    with torch.no_grad():
        wanted = theirs(input_ids=ids, decoder_input_ids=decoder_ids).logits
        found = ours.t5(input_ids=ids, decoder_input_ids=decoder_ids).logits
        hidden = ours.t5.decoder(input_ids=decoder_ids, encoder_hidden_states=ours.t5.encoder(input_ids=ids)[0])[0]
    assert (found - wanted).abs().max() < 1e-5 < wanted.std()
    assert (hidden @ ours.t5.lm_head.weight.T * ours.output_scale - wanted).abs().max() < 1e-5
    motion = theirs.generate(
        ids, decoder_input_ids=decoder_ids[:, :2], do_sample=False, use_cache=False,
        min_new_tokens=20, max_new_tokens=20,
        suppress_tokens=[token for token in range(words.size) if token not in words.code_ids],
    )[0, 2:]  # fmt: skip
    (codes,) = ours.generate_codes(requests_for([prompt], length=[20]), DecodeOptions(Sampling(temperature=0.0)))
    assert codes.tolist() == (motion - words.motion_offset).tolist() and len(set(codes.tolist())) > 1


@pytest.mark.parametrize("marks_space", [False, True])
def test_prompts_are_tokenized_as_motiongpt_does(marks_space: bool) -> None:
    """Equal to the tokenizer with motion tokens added; one that only splits at "▁" makes a token of a last space."""
    tokenizer = plain_tokenizer()
    if marks_space:
        tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    ours = language_model_from_reference(released_t5(len(tokenizer)).state_dict(), tokenizer)
    words = ours.vocabulary
    tokenizer.add_tokens([f"<motion_id_{number}>" for number in range(NUM_CODES + 3)])
    start, end = f"<motion_id_{NUM_CODES}>", f"<motion_id_{NUM_CODES + 1}>"
    cases = {
        f"Generate motion: {CAPTION}": ask_for_motion("motiongpt", CAPTION),
        f"Generate motion with 13 frames: {CAPTION}": ask_for_motion("motiongpt", CAPTION, num_frames=50),
        f"Generate text: {start}<motion_id_3><motion_id_11>{end}": ask_for_text("motiongpt", [3, 11]),
    }
    for text, prompt in cases.items():
        assert words.encode_prompt(prompt) == tokenizer(text).input_ids, text
    assert marks_space == (tokenizer("Generate text: ").input_ids[-2] == tokenizer.convert_tokens_to_ids("▁"))
    known = tokenizer.get_vocab()
    assert words.code_ids.tolist() == [known[f"<motion_id_{code}>"] for code in range(NUM_CODES)]
    assert (words.motion_start_id, words.motion_end_id) == (known[start], known[end])
    assert words.motion_mask_id == known[f"<motion_id_{NUM_CODES + 2}>"]


def test_the_form_of_its_prompts_stays_with_the_weights(tokenizer: T5Tokenizer, tmp_path: Path) -> None:
    ours = language_model_from_reference(released_t5(len(tokenizer)).state_dict(), tokenizer)
    assert ours.prompt_form == "motiongpt"
    ours.save_pretrained(tmp_path)
    assert MotionLanguageModel.from_pretrained(tmp_path).prompt_form == "motiongpt"
    trained = build_model(LanguageModelConfig(stage="instruct", start_from=str(tmp_path)), [])
    assert trained.prompt_form == "remogpt" and trained.hash == ours.hash


def renamed(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name.replace("decoder.final", "decoder.last"): tensor for name, tensor in state.items()}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            renamed,
            r"1 are missing \(first: \['decoder.final_layer_norm.weight'\]\), 1 are unknown \(first: \['decoder.l",
        ),
        (lambda state: state | {"extra": torch.zeros(2)}, r"1 are unknown \(first: \['extra'\]\)"),
        (lambda state: {"a": torch.zeros(2)}, "not a T5: no shared.weight, encoder.block.0"),
        (lambda state: state | {"lm_head.weight": torch.zeros(3, 24)}, r"lm_head.weight has shape \(3, 24\), wanted"),
        (lambda state: state | {"encoder.embed_tokens.weight": 2 * state["shared.weight"]}, "is not shared.weight"),
        (
            lambda state: state | {"shared.weight": state["shared.weight"][:140]},
            "the checkpoint has 140 embeddings, but",
        ),
    ],
)
def test_other_networks_are_refused(tokenizer: T5Tokenizer, change: Callable, message: str) -> None:
    with pytest.raises(RemogptError, match=message):
        language_model_from_reference(change(released_t5(len(tokenizer)).state_dict()), tokenizer)


def test_another_text_tokenizer_is_refused(tokenizer: T5Tokenizer, tmp_path: Path) -> None:
    state: Any = released_t5(len(tokenizer) + 1).state_dict()
    with pytest.raises(
        RemogptError, match=rf"embeddings, but the text tokenizer has {len(tokenizer)} ids and 12 codes"
    ):
        language_model_from_reference(state, tokenizer, NUM_CODES)
    with pytest.raises(RemogptError, match=r"no text tokenizer '.*nowhere'"):
        read_text_tokenizer(str(tmp_path / "nowhere"))
    extended = plain_tokenizer()
    extended.add_tokens(["<motion_id_0>"])
    extended.save_pretrained(tmp_path)
    with pytest.raises(RemogptError, match="holds motion tokens already"):
        read_text_tokenizer(str(tmp_path))


def test_codes_are_rows_of_numbers(tokenizer: T5Tokenizer) -> None:
    """Half precision, as some checkpoints are stored, becomes float32."""
    state = {name: tensor.half() for name, tensor in released_t5(len(tokenizer)).state_dict().items()}
    ours = language_model_from_reference(state, tokenizer)
    assert ours.t5.shared.weight.dtype == torch.float32
    (codes,) = ours.generate_codes(
        requests_for([ask_for_motion("motiongpt", CAPTION)], length=[5]), DecodeOptions(seed=0)
    )
    assert codes.dtype == np.int64 and len(codes) == 5
