"""Answers say what the model has not learnt, that nothing comes near, and how sure they are."""

import math

import pytest
import torch

from remogpt.lm.copying.copy_head import CopyHead
from remogpt.motion import Motion
from remogpt.notices import KnownWords
from remogpt.options import GenerationOptions
from remogpt.pipeline import ReMoGPT
from remogpt.pipeline.confidence import UNLEARNT

ALONE = GenerationOptions(examples="none")


def test_an_answer_says_what_the_model_has_not_learnt(model: ReMoGPT, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(model.__dict__, "known_words", KnownWords.from_captions(["a person walks twice"]))
    monkeypatch.setitem(model.__dict__, "_meanings", None)
    one, other = model.generate(["a person wlaks", "a person never walks forty times"], seed=0, options=ALONE)
    assert [[warning.kind for warning in answer.warnings] for (answer,) in (one, other)] == [
        ["misspelling"], ["negation", "out_of_range"],
    ]  # fmt: skip
    assert model.generate("a person walks", seed=0, options=ALONE)[0].warnings == ()
    assert one[0].motion.caption == "a person wlaks" and one[0].segments[0].text == "a person walks"


def test_what_an_example_says_is_known(model: ReMoGPT, monkeypatch: pytest.MonkeyPatch) -> None:
    example, *_ = model.examples_for_texts(["a person walks"])[0]
    monkeypatch.setitem(model.__dict__, "known_words", KnownWords.from_captions(["a person sneezes"]))
    monkeypatch.setitem(model.__dict__, "_meanings", None)

    def doubted(options: GenerationOptions) -> list[str]:
        (answer,) = model.generate(example.caption, seed=0, options=options)
        return [warning.kind for warning in answer.warnings if warning.kind == "unknown_word"]

    assert doubted(ALONE) and not doubted(GenerationOptions(pinned=[example.id]))


def test_an_answer_says_that_no_example_comes_near(
    model: ReMoGPT, motion: Motion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(model.__dict__, "known_words", None)
    chance = 0.01
    for kind in ("text", "motion"):
        monkeypatch.setattr(f"remogpt.lm.copying.logit_mixers.Following.chance_for_{kind}", lambda *_: chance)
    answers = [model.generate("a person walks", seed=0)[0], model.caption(motion)]
    assert [[warning.kind for warning in answer.warnings] for answer in answers] == [["no_example"], ["no_example"]]
    chance = 0.5
    assert model.generate("a person walks", seed=0)[0].warnings == model.caption(motion).warnings == ()


def test_hits_of_a_search_are_told_from_answers(
    model: ReMoGPT, motion: Motion, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert all(hit.answers is None for hit in model.search("a person walks"))
    head = CopyHead(torch.zeros(4, 2))
    monkeypatch.setitem(model.__dict__, "copy_head", head)
    for query in ({"text": "a person walks"}, {"motion": motion}):
        hits = model.search(**query, k=4)  # type: ignore[arg-type]
        chances = head.chances(hits, head.text_match if "text" in query else head.motion_match)
        assert [hit.answers for hit in hits] == [chance > 0.5 for chance in chances]
    assert all(hit.answers is None for hit in model.search("a person walks", part="legs"))


def test_answers_have_a_confidence(model: ReMoGPT, motion: Motion, monkeypatch: pytest.MonkeyPatch) -> None:
    known = model.generate("a person walks", seed=0)[0]
    assert 0 < known.confidence < 1 and 0 < model.caption(motion).confidence < 1
    monkeypatch.setitem(model.__dict__, "known_words", KnownWords.from_captions(["a person walks twice"]))
    monkeypatch.setitem(model.__dict__, "_meanings", None)
    mended = model.generate("a person wlaks", seed=0)[0]
    assert [one.kind for one in mended.warnings] == ["misspelling"] and mended.confidence == known.confidence
    doubted = model.generate("a person walks a thousand times", seed=0)[0]
    assert [one.kind for one in doubted.warnings] == ["out_of_range"]
    assert doubted.confidence < max(UNLEARNT, known.confidence)


def test_without_retrieval_nothing_tells(model: ReMoGPT, motion: Motion) -> None:
    assert math.isnan(model.generate("a person walks", seed=0, options=ALONE)[0].confidence)
    assert math.isnan(model.caption(motion, options=ALONE).confidence)
