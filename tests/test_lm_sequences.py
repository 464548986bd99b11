"""The measurement of what a language model writes before masking, on a tiny model."""

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from remogpt import ReMoGPT
from remogpt.data.humanml3d import MotionTextSet
from remogpt.lm import MotionLanguageModel, Vocabulary, requests_for

FOLDER = Path(__file__).resolve().parents[1] / "benchmarks"


@pytest.fixture(scope="module")
def modules() -> Iterator[Any]:
    """The script and what it counts."""
    sys.path.insert(0, str(FOLDER))
    yield importlib.import_module("lm_sequences"), importlib.import_module("lm_answers")
    sys.path.remove(str(FOLDER))


@pytest.fixture(scope="module")
def words() -> Vocabulary:
    return Vocabulary.train(["a person walks", "a person runs"] * 3, num_codes=8, size=300)


def test_what_is_a_motion(modules: Any, words: Vocabulary) -> None:
    fault = modules[1].motion_fault
    whole, text = [*words.encode_codes([3, 3, 1]), words.eos_id], list(words.encode_text("walks"))
    assert fault(whole, words) is None
    assert fault([*whole[:-1], *text, words.eos_id], words) is None  # what follows the end is not looked at
    assert fault(whole[1:], words) == fault([], words) == fault(text, words) == "no motion start"
    assert fault(whole[:-2], words) == "no motion end"
    assert fault([whole[0], whole[-2]], words) == "no codes"
    for wrong in (text[0], words.motion_mask_id, words.motion_start_id, words.sentinel_ids[0], words.eos_id):
        assert fault([*whole[:2], wrong, *whole[2:]], words) == "ids of another kind"


def test_what_is_text(modules: Any, words: Vocabulary) -> None:
    fault, text = modules[1].text_fault, list(words.encode_text("a person walks"))
    assert fault([*text, words.eos_id], words) is None
    assert fault(text, words) == fault([], words) == "no end of sequence"
    assert fault([words.eos_id], words) == "no words"
    assert fault([*text, int(words.code_ids[0]), words.eos_id], words) == "ids of another kind"


def test_rates_and_length_errors(modules: Any, words: Vocabulary) -> None:
    good, endless = [*words.encode_codes([1]), words.eos_id], words.encode_codes([1])[:-1]
    found = modules[1].rates([good, endless, [], good], "motion", words)
    assert (found["invalid"], found["faults"]) == (0.5, {"no motion end": 1, "no motion start": 1})
    error = modules[1].length_error([10, 12, 20], [10, 11, 24])
    assert (error["mean_codes"], error["mean_seconds"], error["bias_codes"]) == (1.67, 0.33, -1.0)
    assert (error["exact"], error["within_a_code"], error["median_codes"]) == (0.333, 0.667, 1.0)
    assert modules[1].length_error([], []) == {"motions": 0}


def test_a_stiff_figure_that_slides_and_turns_is_frozen(modules: Any, tiny_set: Path) -> None:
    motions = MotionTextSet.open(tiny_set)
    features = motions.features(motions.clips("train")[0])
    stiff = np.repeat(features[:1], 60, axis=0)
    stiff[:, :3] = (0.1, 0.05, 0.05)  # turns and slides
    assert modules[1].tail_movement(stiff) < 1e-6
    moved = stiff.copy()
    moved[-5:, 4] += 0.03
    assert modules[1].tail_movement(moved) == pytest.approx(0.03, abs=1e-4)
    moved[-5:, 4], moved[:-20, 4] = stiff[-5:, 4], 1.0  # before the last second
    assert modules[1].tail_movement(moved) < 1e-6


def test_frozen_tails_beside_the_real_ones(modules: Any) -> None:
    found = modules[1].frozen_tails(np.array([0.01, 0.03, 0.07, 0.5]), np.array([0.5, 0.01, 0.5, 0.5]))
    assert found["below 10 cm"] == {"share": 0.75, "real_moves": 3, "where_the_real_moves": 0.667}
    assert found["below 2 cm"] == {"share": 0.25, "real_moves": 3, "where_the_real_moves": 0.333}
    assert found["median_movement_m"] == 0.05
    none = modules[1].frozen_tails(np.array([0.01]), np.array([0.01]))
    assert none["below 5 cm"] == {"share": 1.0, "real_moves": 0, "where_the_real_moves": None}


def test_unrestricted_writing_is_what_generation_restricts(modules: Any, tiny_model: Path, tiny_set: Path) -> None:
    """Greedy, both choose the same words up to the first id that is no text."""
    model, motions = ReMoGPT.from_pretrained(tiny_model, "cpu"), MotionTextSet.open(tiny_set)
    words, trained = model.lm.vocabulary, MotionLanguageModel.from_pretrained(model.folder)
    asked = modules[0].asked_of(model, motions, "train", 4, seed=0)
    assert set(asked.examples) == {"none", "retrieval"}
    prompts = modules[0].prompts_of(asked, "motion", "seconds", "retrieval", words)
    for codes, prompt in zip(asked.codes, prompts, strict=True):
        assert f"Generate motion of {len(codes) / 5:g} seconds:" in prompt.text()
    greedy, sampled = modules[0].DECODINGS["text"]["greedy"], modules[0].SAMPLED
    once, again, other = (modules[0].written_freely(trained, prompts, sampled, seed) for seed in (1, 1, 2))
    assert once == again != other and all(0 < len(ids) <= modules[0].MAX_NEW for ids in once)
    described = modules[0].prompts_of(asked, "text", "plain", "none", words)
    captions = model.lm.generate_text(requests_for(described))
    written = modules[0].written_freely(trained, described, greedy, seed=0)
    for ids, caption in zip(written, captions, strict=True):
        stop = next((place for place, token in enumerate(ids) if token not in words.text_ids), len(ids))
        assert caption.startswith(words.decode_text(ids[:stop])[: len(caption)])


def test_the_whole_measurement(
    modules: Any, tiny_model: Path, tiny_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "found.json"
    monkeypatch.setattr(sys, "argv", ["lm_sequences.py", str(tiny_set), "--model", str(tiny_model), "--split", "train",
                                      "--count", "3", "--out", str(out)])  # fmt: skip
    monkeypatch.setattr(
        modules[0], "DECODINGS", {wants: {"sampled": modules[0].SAMPLED} for wants in ("motion", "text")}
    )
    monkeypatch.setattr(modules[0], "MAX_NEW", 12)
    monkeypatch.setattr(modules[0], "NUM_SECONDS", 5)
    modules[0].main()
    found = json.loads(out.read_text())
    assert found["captions"] == 3 and found["seconds"]["honoured"] == found["seconds"]["prompts"] == 5
    assert found["before_masking"]["motion"]["retrieval"]["sampled"]["plain"]["prompts"] == 3
    assert set(found["stopping_error"]["masked"]["none"]) == {"plain", "seconds", "frames"}
    rows = found["forced_lengths"]
    assert rows["real"]["facts"]["share"] > rows["length 9.8 s, none"]["facts"]["share"]
    assert rows["length the real motion's, retrieval"]["mean_seconds"] == rows["real"]["mean_seconds"]
    assert rows["length 9.8 s, none"]["mean_seconds"] == 9.8
