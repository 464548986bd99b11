"""The best of several candidates, also of each segment of a long motion."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from remogpt.lm import DecodeOptions, Sampling, requests_for
from remogpt.motion import clean_features
from remogpt.options import GenerationOptions
from remogpt.pipeline import ReMoGPT
from remogpt.runtime.errors import RemogptError

ALONE = GenerationOptions(examples="none")


def test_the_best_candidate_is_the_one_closest_to_the_caption(model: ReMoGPT) -> None:
    text = "a person walks forward"
    wanted = model.retriever.encode_text([text])[0]

    def closeness(best_of: int) -> float:
        (answer,) = model.generate(text, seed=4, seconds=2.0, options=replace(ALONE, best_of=best_of))
        return float(model.retriever.encode_motion([answer.motion.features])[0] @ wanted)

    assert closeness(6) >= closeness(1)
    chosen = model.generate(text, seed=4, seconds=2.0, options=replace(ALONE, best_of=6))[0].codes.tolist()
    alone = model.generate(text, num_samples=6, seconds=2.0, seed=4, options=replace(ALONE, best_of=1))
    similarities = [float(model.retriever.encode_motion([one.motion.features])[0] @ wanted) for one in alone]
    assert chosen == alone[int(np.argmax(similarities))].codes.tolist()


def test_each_segment_goes_on_from_the_best_candidate(model: ReMoGPT) -> None:
    """The first segment of the best of six is what is chosen for it alone, and the rest goes on from it."""
    (answer,) = model.generate("a person walks", seed=4, seconds=12.0, options=replace(ALONE, best_of=6))
    first = [answer.segments[0].length] * 6
    assert first == [36] * 6
    sampling = Sampling()
    drawn = model.lm.generate_codes(
        requests_for([answer.prompts[0]] * 6, length=first), DecodeOptions(sampling, seed=4)
    )
    wanted = model.retriever.encode_text(["a person walks"])[0]
    bodies = [clean_features(one) for one in model.tokenizer.decode_batch(drawn)]
    similarities = [float(row @ wanted) for row in model.retriever.encode_motion(bodies)]
    assert answer.codes[:36].tolist() == drawn[int(np.argmax(similarities))].tolist() and len(answer.codes) == 60


def test_every_candidate_of_a_segment_goes_on_from_the_chosen_one(model: ReMoGPT) -> None:
    """Motions of one, two and three segments together: each is written as it is alone."""
    texts, seconds, options = ["a person walks", "kick", "a man"], [20.0, 1.8, 12.0], replace(ALONE, best_of=3)
    answers = [one for (one,) in model.generate(texts, seconds=seconds, seed=5, options=options)]
    assert [len(one.segments) for one in answers] == [3, 1, 2] and [len(one.codes) for one in answers] == [100, 9, 60]
    for answer in answers:
        whole = [segment.codes[segment.overlap :] for segment in answer.segments]
        assert np.array_equal(np.concatenate(whole), answer.codes)
        for before, after in pairwise(answer.segments):
            assert len(after.candidates) == 3 and len({tuple(one.codes) for one in after.candidates}) > 1
            assert all(np.array_equal(one.codes[:12], before.codes[-12:]) for one in after.candidates)
    chosen = {segment.chosen for answer in answers for segment in answer.segments}
    assert len(chosen) > 1, "no choice was made"
    segment = answers[0].segments[1]
    drawn = model.lm.generate_codes(
        requests_for(
            [segment.prompt] * 3, length=[29] * 3, begun=[segment.begun] * 3, stream=[[row, 1] for row in range(3)]
        ),
        DecodeOptions(seed=5),
    )
    assert all(np.array_equal(new, one.codes[12:]) for new, one in zip(drawn, segment.candidates, strict=True))


def test_no_candidates_are_refused(model: ReMoGPT) -> None:
    with pytest.raises(RemogptError, match="best_of must be at least 1, got 0"):
        model.generate("a person walks", options=GenerationOptions(best_of=0))
