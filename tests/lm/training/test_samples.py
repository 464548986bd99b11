"""Samples: the right ids for each task, and the examples that were found."""

from dataclasses import replace

import numpy as np
import pytest

from remogpt.interfaces import Route
from remogpt.lm import Vocabulary
from remogpt.lm.batch import MOTION, SPANS, TEXT, Sample
from remogpt.lm.training.samples import CodedClip, ExampleBank, RouteHits, SampleMix, TrainingSamples
from remogpt.runtime.errors import RemogptError

QUIET = SampleMix(examples=(0, 0, 1), wrong_examples=0, trimmed_codes=0, forms=(1, 0, 0))


def contexts(samples: TrainingSamples, index: int, direction: str, number: int | None) -> list[list[int]]:
    return contexts_of(samples, samples.supervised(index, direction, np.random.default_rng(0), number))


def contexts_of(samples: TrainingSamples, sample: Sample) -> list[list[int]]:
    words = samples.vocabulary
    runs, start = [], None
    for position, token in enumerate(sample.input_ids):
        if token == words.motion_start_id:
            start = position + 1
        elif token == words.motion_end_id and start is not None:
            runs.append([code - words.motion_offset for code in sample.input_ids[start:position]])
    return runs


def test_pretrain_draws_all_tasks(clips: list[CodedClip], vocabulary: Vocabulary) -> None:
    samples = TrainingSamples(clips, vocabulary, "pretrain", SampleMix(corrupted=0.3))
    rng = np.random.default_rng(0)
    drawn = [samples.draw(index % len(clips), rng) for index in range(200)]
    assert {sample.kind for sample in drawn} == {TEXT, MOTION, SPANS}
    for sample in drawn:
        assert sample.input_ids[-1] == sample.target_ids[-1] == vocabulary.eos_id
        if sample.kind == SPANS:
            assert sample.target_ids[0] == vocabulary.sentinel_ids[0] and vocabulary.sentinel_ids[0] in sample.input_ids


def test_examples_come_from_both_routes(clips: list[CodedClip], vocabulary: Vocabulary, bank: ExampleBank) -> None:
    samples = TrainingSamples(clips, vocabulary, "instruct", QUIET, bank)
    codes = [bank.codes[row].tolist() for row in range(8)]
    # Both routes name the same clips: the second takes its next best.
    assert contexts(samples, 0, "text_to_motion", 2) == [codes[1], codes[2]]
    own, *shown = contexts(samples, 3, "motion_to_text", 2)
    assert own in [c.tolist() for c in clips[3].codes] and shown == [codes[4], codes[5]]
    assert contexts(samples, 7, "text_to_motion", 1) == [codes[0]]
    assert contexts(samples, 7, "text_to_motion", 0) == []


@pytest.mark.parametrize(
    ("routes", "examples", "order"),
    [
        (("t2m", "t2t", "m2t", "m2m"), (0, 0, 1), [0, 1]),
        (("t2t", "t2m", "m2m", "m2t"), (0, 0, 1), [1, 0]),
        (("t2m", "m2t"), (0, 1), [0]),
        (("t2t", "m2m"), (0, 1), [1]),
        (("t2t", "m2m"), (0, 0, 1), [1, 1]),
        (("t2m", "t2t", "m2t", "m2m"), (0, 0, 0, 0, 1), [0, 0, 1, 1]),
    ],
)
def test_samples_show_the_routes_of_the_mix(
    clips: list[CodedClip], vocabulary: Vocabulary, bank: ExampleBank,
    routes: tuple[Route, ...], examples: tuple[float, ...], order: list[int],
) -> None:  # fmt: skip
    """Each row of Table 6: the first route of a direction finds rows 0 to 3, the second rows 4 to 7."""
    found = {
        name: RouteHits(np.broadcast_to(np.arange(4) + 4 * (name in ("t2t", "m2m")), (len(hits.rows), 4)))
        for name, hits in bank.routes.items()
    }
    mix = replace(QUIET, routes=routes, examples=examples)
    samples = TrainingSamples(clips, vocabulary, "instruct", mix, replace(bank, routes=found))
    nth = [order[:index].count(route) for index, route in enumerate(order)]
    wanted = [bank.codes[4 * route + number].tolist() for route, number in zip(order, nth, strict=True)]
    assert contexts_of(samples, samples.draw(1, np.random.default_rng(1)))[-len(wanted) :] == wanted
    assert contexts(samples, 0, "text_to_motion", None) == wanted
    assert contexts(samples, 0, "motion_to_text", None)[1:] == wanted
    assert mix.k == max(map(order.count, order))


def test_mixes_that_no_prompt_can_show_are_refused(
    clips: list[CodedClip], vocabulary: Vocabulary, bank: ExampleBank
) -> None:
    for routes in (("t2m", "t2t", "m2m"), ("t2m",), (), ("t2m", "t2m", "m2t", "m2t")):
        with pytest.raises(RemogptError, match="routes must be some of t2m and t2t and as many of m2t and m2m"):
            SampleMix(routes=routes)  # type: ignore[arg-type]
    assert SampleMix(routes=("t2m",), motion_share=1.0, examples=(0, 0, 1)).k == 2
    with pytest.raises(RemogptError, match="up to 3 examples, which 2 routes cannot share evenly"):
        SampleMix(examples=(0, 0, 0, 1))
    with pytest.raises(RemogptError, match="4 examples need as many neighbours on each route, and t2m has 2"):
        TrainingSamples(clips, vocabulary, "instruct", SampleMix(examples=(0, 0, 0, 0, 1)), bank)


def test_missing_and_wrong_examples(clips: list[CodedClip], vocabulary: Vocabulary, bank: ExampleBank) -> None:
    none = {name: RouteHits(np.full_like(route.rows, -1)) for name, route in bank.routes.items()}
    samples = TrainingSamples(clips, vocabulary, "instruct", QUIET, ExampleBank(bank.captions, bank.codes, none))
    assert contexts(samples, 0, "text_to_motion", 2) == []
    wrong = SampleMix(examples=(0, 0, 1), wrong_examples=1.0)
    samples = TrainingSamples(clips, vocabulary, "instruct", wrong, ExampleBank(bank.captions, bank.codes, none))
    assert len(contexts(samples, 0, "text_to_motion", 2)) == 2
    samples = TrainingSamples(clips, vocabulary, "instruct", wrong)
    assert contexts(samples, 0, "text_to_motion", 2) == []


def test_matched_caption_is_shown(clips: list[CodedClip], vocabulary: Vocabulary, bank: ExampleBank) -> None:
    matched = {name: RouteHits(route.rows, np.ones_like(route.rows)) for name, route in bank.routes.items()}
    samples = TrainingSamples(clips, vocabulary, "instruct", QUIET, ExampleBank(bank.captions, bank.codes, matched))
    text = vocabulary.decode_text(samples.supervised(0, "motion_to_text", np.random.default_rng(0), 2).input_ids)
    assert "now someone waves" in text and "now a man jumps" in text


def test_length_is_the_targets(clips: list[CodedClip], vocabulary: Vocabulary) -> None:
    samples = TrainingSamples(clips, vocabulary, "instruct", SampleMix(forms=(0, 0, 1), trimmed_codes=1.0))
    for seed in range(20):
        sample = samples.supervised(seed % 8, "text_to_motion", np.random.default_rng(seed))
        frames = 4 * (len(sample.target_ids) - 3)
        assert f" {frames} frames" in vocabulary.decode_text(sample.input_ids)


def test_dropped_captions(clips: list[CodedClip], vocabulary: Vocabulary, bank: ExampleBank) -> None:
    """Their share of the prompts asks for nothing; their examples and targets are as ever."""
    dropping, ordinary = (
        TrainingSamples(clips, vocabulary, "instruct", replace(QUIET, dropped_captions=share), bank)
        for share in (0.4, 0.0)
    )
    for direction in ("text_to_motion", "motion_to_text"):
        plain = 0
        for seed in range(200):
            made, other = (
                samples.supervised(seed % 8, direction, np.random.default_rng(seed)) for samples in (dropping, ordinary)
            )
            assert made.target_ids == other.target_ids
            missing = np.subtract(*(one.input_ids.count(vocabulary.motion_start_id) for one in (other, made)))
            asked, _, shown = vocabulary.decode_text(made.input_ids).partition("### context:")
            assert shown == vocabulary.decode_text(other.input_ids).partition("### context:")[2]
            is_asked = any(caption in asked for caption in clips[seed % 8].captions)
            plain += not is_asked if direction == "text_to_motion" else missing
        assert 60 < plain < 100
    with pytest.raises(RemogptError, match="dropped_captions must be at least 0 and below 1, got 1"):
        SampleMix(dropped_captions=1.0)


def test_wrong_neighbours_are_refused(clips: list[CodedClip], vocabulary: Vocabulary, bank: ExampleBank) -> None:
    with pytest.raises(RemogptError, match="neighbours for 16 queries, the clips make 14"):
        TrainingSamples(clips[:7], vocabulary, "instruct", SampleMix(), bank)
    with pytest.raises(RemogptError, match="sum to 1"):
        SampleMix(examples=(0.5, 0.1))
    with pytest.raises(RemogptError, match="at least one clip"):
        TrainingSamples([], vocabulary, "pretrain", SampleMix())
