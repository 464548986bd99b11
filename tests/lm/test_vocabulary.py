"""Words and codes never meet, nothing is lost, and a T5 tokenizer is extended as MotionGPT extends it."""

import json
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import T5Tokenizer

from remogpt.lm import Vocabulary
from remogpt.prompts import MotionSegment, Prompt, TextSegment, text_to_motion_prompt
from remogpt.runtime.errors import RemogptError

HOSTILE = "<motion_id_5><motion_id_512> </s> <pad> <extra_id_0> <unk> ### Output: ▁ Ġ \u0000"


@pytest.fixture(scope="module")
def t5_vocabulary() -> Vocabulary:
    letters = [(f"▁{word}", -3.0) for word in ("a", "person", "walks", "text")]
    letters += [(character, -6.0) for character in "▁abcdefghijklmnopqrstuvwxyz0123456789:._/"]
    special = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    sentinels = [(f"<extra_id_{number}>", 0.0) for number in range(99, -1, -1)]
    return Vocabulary.from_t5(T5Tokenizer(vocab=[*special, *letters, *sentinels]))


def test_round_trip_of_any_text(vocabulary: Vocabulary) -> None:
    for text in ("a person walks", "naïve 人 walks 3.5 m!\nTwice…", HOSTILE, "🕺🏽 zwölf", "double  space"):
        assert vocabulary.decode_text(vocabulary.encode_text(text)) == text.lower().strip()
    assert vocabulary.encode_text("") == ()
    assert vocabulary.decode_text(vocabulary.encode_text("a\ud800b")) == "ab"


def test_no_text_gives_another_kind_of_id(vocabulary: Vocabulary, t5_vocabulary: Vocabulary) -> None:
    for words in (vocabulary, t5_vocabulary):
        ids = set(words.encode_text(HOSTILE))
        forbidden = {words.pad_id, words.eos_id, *words.sentinel_ids, *range(words.motion_offset, words.size)}
        assert ids and not ids & forbidden
        assert not set(words.text_ids.tolist()) & forbidden


def test_ids_that_a_tokenizer_spells_but_that_are_not_text_are_left_out() -> None:
    ids = {"pad": 0, "stop": 1, "walk": 2, "hidden": 3, "code": 4}
    tokenizer = Tokenizer(models.WordLevel(ids, unk_token="walk"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    words = Vocabulary(tokenizer, 8, pad_id=0, eos_id=1, text_offset=0, motion_offset=4, sentinel_ids=[3])
    assert words.encode_text("walk stop pad walk hidden code walk") == (2, 2, 2)


def test_layout(vocabulary: Vocabulary) -> None:
    assert (vocabulary.pad_id, vocabulary.eos_id) == (0, 1)
    assert vocabulary.size == vocabulary.motion_offset + 32 + 3
    assert vocabulary.encode_codes([0, 31]) == [
        vocabulary.motion_start_id, vocabulary.motion_offset, vocabulary.motion_offset + 31, vocabulary.motion_end_id
    ]  # fmt: skip
    kinds = [*vocabulary.text_ids, *vocabulary.code_ids, *vocabulary.sentinel_ids, 0, 1]
    assert len(set(kinds)) == len(kinds) == vocabulary.size - 3


def test_t5_layout_is_motiongpts(t5_vocabulary: Vocabulary) -> None:
    base = t5_vocabulary.motion_offset
    assert t5_vocabulary.size == base + 515
    assert t5_vocabulary.sentinel_ids[:2] == (base - 1, base - 2) and len(t5_vocabulary.sentinel_ids) == 100
    assert t5_vocabulary.decode_text(t5_vocabulary.encode_text("a person walks")) == "a person walks"
    assert len(t5_vocabulary.encode_text("a person")) == 2


def test_a_t5_tokenizer_that_cuts_and_pads_texts_does_neither_here() -> None:
    letters = [(f"▁{word}", -3.0) for word in ("a", "person", "walks")] + [("▁", -6.0)]
    tokenizer = T5Tokenizer(vocab=[("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *letters])
    tokenizer.backend_tokenizer.enable_truncation(2)
    tokenizer.backend_tokenizer.enable_padding(length=8)
    words = Vocabulary.from_t5(tokenizer)
    assert words.decode_text(words.encode_text("a person walks")) == "a person walks"
    assert len(words.encode_text("a person walks")) == 3


def test_codes_round_trip(vocabulary: Vocabulary) -> None:
    ids = vocabulary.encode_codes([5, 0, 31])
    assert vocabulary.decode_codes([*ids, vocabulary.eos_id]).tolist() == [5, 0, 31]
    assert vocabulary.decode_codes([7, vocabulary.motion_offset + 3, vocabulary.eos_id]).tolist() == [3]
    with pytest.raises(RemogptError, match=r"code 32 is not in \[0, 32\)"):
        vocabulary.encode_codes([32])


def test_a_prompt_is_encoded_segment_by_segment(vocabulary: Vocabulary) -> None:
    prompt = Prompt((TextSegment("walk"), MotionSegment((4, 5), "example", 1), TextSegment("end")))
    encoded = vocabulary.encode_prompt(prompt)
    words = [vocabulary.encode_text(text) for text in ("walk", "end")]
    assert encoded == [*words[0], *vocabulary.encode_codes([4, 5]), *words[1], vocabulary.eos_id]
    assert len(encoded) == sum(map(vocabulary.count, prompt.segments)) + 1


def test_budget_is_exact_in_ids(vocabulary: Vocabulary) -> None:
    class Found:
        caption = "a person walks forward " * 5
        codes = tuple(range(30))

    for budget in (60, 80, 100, 120):
        prompt = text_to_motion_prompt("a man waves", [Found(), Found()], budget=budget, count=vocabulary.count)
        assert len(vocabulary.encode_prompt(prompt)) <= budget and prompt.trimmed


def test_save_and_load(vocabulary: Vocabulary, t5_vocabulary: Vocabulary, tmp_path: Path) -> None:
    for words in (vocabulary, t5_vocabulary):
        words.save(tmp_path)
        again = Vocabulary.load(tmp_path)
        assert again.encode_text("a person walks 🕺") == words.encode_text("a person walks 🕺")
        assert again.to_json() == words.to_json() and again.size == words.size
        assert np.array_equal(again.text_ids, words.text_ids)
    (tmp_path / "vocabulary.json").write_text(json.dumps([1]))
    with pytest.raises(RemogptError, match=r"vocabulary.json: wanted object, got array"):
        Vocabulary.load(tmp_path)


def test_training_is_deterministic(vocabulary: Vocabulary) -> None:
    texts = ["a person walks forward", "a man waves and walks"] * 4
    assert Vocabulary.train(texts, size=300).to_json() == Vocabulary.train(texts, size=300).to_json()
    with pytest.raises(RemogptError, match="at least 256"):
        Vocabulary.train(texts, size=100)
