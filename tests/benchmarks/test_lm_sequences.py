"""The measurement of what a language model writes before masking, on a tiny model."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import lm_answers, lm_sequences
from remogpt import ReMoGPT
from remogpt.data.humanml3d import MotionTextSet
from remogpt.lm import MotionLanguageModel, Vocabulary, requests_for


@pytest.fixture(scope="module")
def words() -> Vocabulary:
    return Vocabulary.train(["a person walks", "a person runs"] * 3, num_codes=8, size=300)


def test_what_is_a_motion(words: Vocabulary) -> None:
    fault = lm_answers.motion_fault
    whole, text = [*words.encode_codes([3, 3, 1]), words.eos_id], list(words.encode_text("walks"))
    assert fault(whole, words) is None
    assert fault([*whole[:-1], *text, words.eos_id], words) is None  # what follows the end is not looked at
    assert fault(whole[1:], words) == fault([], words) == fault(text, words) == "no motion start"
    assert fault(whole[:-2], words) == "no motion end"
    assert fault([whole[0], whole[-2]], words) == "no codes"
    for wrong in (text[0], words.motion_mask_id, words.motion_start_id, words.sentinel_ids[0], words.eos_id):
        assert fault([*whole[:2], wrong, *whole[2:]], words) == "ids of another kind"


def test_what_is_text(words: Vocabulary) -> None:
    fault, text = lm_answers.text_fault, list(words.encode_text("a person walks"))
    assert fault([*text, words.eos_id], words) is None
    assert fault(text, words) == fault([], words) == "no end of sequence"
    assert fault([words.eos_id], words) == "no words"
    assert fault([*text, int(words.code_ids[0]), words.eos_id], words) == "ids of another kind"


def test_rates_and_length_errors(words: Vocabulary) -> None:
    good, endless = [*words.encode_codes([1]), words.eos_id], words.encode_codes([1])[:-1]
    found = lm_answers.rates([good, endless, [], good], "motion", words)
    assert (found["invalid"], found["faults"]) == (0.5, {"no motion end": 1, "no motion start": 1})
    error = lm_answers.length_error([10, 12, 20], [10, 11, 24])
    assert (error["mean_codes"], error["mean_seconds"], error["bias_codes"]) == (1.67, 0.33, -1.0)
    assert (error["exact"], error["within_a_code"], error["median_codes"]) == (0.333, 0.667, 1.0)
    assert lm_answers.length_error([], []) == {"motions": 0}


def test_a_stiff_figure_that_slides_and_turns_is_frozen(tiny_set: Path) -> None:
    motions = MotionTextSet.open(tiny_set)
    features = motions.features(motions.clips("train")[0])
    stiff = np.repeat(features[:1], 60, axis=0)
    stiff[:, :3] = (0.1, 0.05, 0.05)  # turns and slides
    assert lm_answers.tail_movement(stiff) < 1e-6
    moved = stiff.copy()
    moved[-5:, 4] += 0.03
    assert lm_answers.tail_movement(moved) == pytest.approx(0.03, abs=1e-4)
    moved[-5:, 4], moved[:-20, 4] = stiff[-5:, 4], 1.0  # before the last second
    assert lm_answers.tail_movement(moved) < 1e-6


def test_frozen_tails_beside_the_real_ones() -> None:
    found = lm_answers.frozen_tails(np.array([0.01, 0.03, 0.07, 0.5]), np.array([0.5, 0.01, 0.5, 0.5]))
    assert found["below 10 cm"] == {"share": 0.75, "real_moves": 3, "where_the_real_moves": 0.667}
    assert found["below 2 cm"] == {"share": 0.25, "real_moves": 3, "where_the_real_moves": 0.333}
    assert found["median_movement_m"] == 0.05
    none = lm_answers.frozen_tails(np.array([0.01]), np.array([0.01]))
    assert none["below 5 cm"] == {"share": 1.0, "real_moves": 0, "where_the_real_moves": None}


@pytest.mark.slow
def test_unrestricted_writing_is_what_generation_restricts(tiny_model: Path, tiny_set: Path) -> None:
    """Greedy, both choose the same words up to the first id that is no text."""
    model, motions = ReMoGPT.from_pretrained(tiny_model, "cpu"), MotionTextSet.open(tiny_set)
    words, trained = model.lm.vocabulary, MotionLanguageModel.from_pretrained(model.folder)
    asked = lm_sequences.asked_of(model, motions, "train", 4, seed=0)
    assert set(asked.examples) == {"none", "retrieval"}
    prompts = lm_sequences.prompts_of(asked, "motion", "seconds", "retrieval", words)
    for codes, prompt in zip(asked.codes, prompts, strict=True):
        assert f"Generate motion of {len(codes) / 5:g} seconds:" in prompt.text()
    greedy, sampled = lm_sequences.DECODINGS["text"]["greedy"], lm_sequences.SAMPLED
    once, again, other = (lm_sequences.written_freely(trained, prompts, sampled, seed) for seed in (1, 1, 2))
    assert once == again != other and all(0 < len(ids) <= lm_sequences.MAX_NEW for ids in once)
    described = lm_sequences.prompts_of(asked, "text", "plain", "none", words)
    captions = model.lm.generate_text(requests_for(described))
    written = lm_sequences.written_freely(trained, described, greedy, seed=0)
    for ids, caption in zip(written, captions, strict=True):
        stop = next((place for place, token in enumerate(ids) if token not in words.text_ids), len(ids))
        assert caption.startswith(words.decode_text(ids[:stop])[: len(caption)])


@pytest.mark.slow
def test_the_whole_measurement(
    tiny_model: Path, tiny_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "found.json"
    monkeypatch.setattr(
        lm_sequences, "DECODINGS", {wants: {"sampled": lm_sequences.SAMPLED} for wants in ("motion", "text")}
    )
    monkeypatch.setattr(lm_sequences, "MAX_NEW", 12)
    monkeypatch.setattr(lm_sequences, "NUM_SECONDS", 5)
    lm_sequences.main(
        [str(tiny_set), "--model", str(tiny_model), "--split", "train", "--count", "3", "--out", str(out)]
    )
    found = json.loads(out.read_text())
    assert found["captions"] == 3 and found["seconds"]["honoured"] == found["seconds"]["prompts"] == 5
    assert found["before_masking"]["motion"]["retrieval"]["sampled"]["plain"]["prompts"] == 3
    assert set(found["stopping_error"]["masked"]["none"]) == {"plain", "seconds", "frames"}
    rows = found["forced_lengths"]
    assert rows["real"]["facts"]["share"] > rows["length 9.8 s, none"]["facts"]["share"]
    assert rows["length the real motion's, retrieval"]["mean_seconds"] == rows["real"]["mean_seconds"]
    assert rows["length 9.8 s, none"]["mean_seconds"] == 9.8
