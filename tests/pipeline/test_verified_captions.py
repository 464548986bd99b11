"""What a written caption claims is checked on its motion's joints, decides between candidates, and is told."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import remogpt
from remogpt.data.procedural.animate import animate
from remogpt.data.procedural.script import Action, Script, Step
from remogpt.motion import Motion, joints_to_features
from remogpt.motion.facts import Fact
from remogpt.motion.found_facts import FoundFacts
from remogpt.options import GenerationOptions
from remogpt.pipeline import ReMoGPT, captioning
from remogpt.pipeline.captioning import Window
from remogpt.pipeline.described import describe_answer, describe_caption
from remogpt.pipeline.judge import CLAIM_FAILS, CLAIM_HOLDS, LEFT_OUT, Judge
from remogpt.reader import Reading

CLAIMS = {
    "left": (Fact("waves", {"side": "left"}),),
    "right": (Fact("waves", {"side": "right"}),),
    "walks": (Fact("walks"),),
}


class Understands:
    """A reader that reads a step for each known word of a caption."""

    def read(self, texts: Sequence[str]) -> list[Reading]:
        return [
            Reading(text, tuple(claims for word, claims in CLAIMS.items() if word in text), 0, 1.0) for text in texts
        ]


@pytest.fixture(scope="module")
def waving() -> Motion:
    """A person waves with the right hand."""
    take = animate(Script((Step((Action("wave", side="right", count=3),)),)), np.random.default_rng(0))
    return Motion.from_features(joints_to_features(take.joints))


@pytest.fixture
def checking(tiny_model: Path) -> ReMoGPT:
    model = remogpt.ReMoGPT.from_pretrained(tiny_model, device="cpu")
    model.__dict__["reader"] = Understands()
    return model


def window(motion: Motion, *captions: str) -> Window:
    return Window(0, motion.features, np.zeros(8, dtype=np.int64), candidates=list(captions))


def test_claims_that_hold_count_for_a_caption_and_others_against_it(checking: ReMoGPT, waving: Motion) -> None:
    captions = ["he waves his left hand", "he waves his right hand and walks", "he waves his right hand", "he bows"]
    readings = Understands().read(captions)
    judge = Judge(checking.retriever, 0.0)
    (plain,) = judge.caption_scores([captions], [[]], [waving.features])
    (scores,) = judge.caption_scores([captions], [readings], [waving.features])
    # "right" then "walks" claims three facts: both actions, and their order, which fails with one of them.
    wanted = [-CLAIM_FAILS, CLAIM_HOLDS - 2 * CLAIM_FAILS, CLAIM_HOLDS, 0.0]
    assert np.allclose(scores - plain, wanted, atol=1e-5)


def test_a_caption_that_leaves_out_what_cannot_be_mistaken_costs(checking: ReMoGPT) -> None:
    take = animate(Script((Step((Action("crawl", direction="forward", distance=1.2),)),)), np.random.default_rng(0))
    features, captions = joints_to_features(take.joints), ["he crawls", "he is there"]
    readings = [Reading("he crawls", ((Fact("crawls"),),), 0, 1.0), Reading("he is there", (), 0, 1.0)]
    judge = Judge(checking.retriever, 0.0)
    (plain,), (scores,) = (judge.caption_scores([captions], [own], [features]) for own in ([], readings))
    assert np.allclose(scores - plain, [CLAIM_HOLDS, -LEFT_OUT], atol=1e-5)


def test_of_captions_that_are_equally_close_the_true_one_is_chosen(
    checking: ReMoGPT, waving: Motion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking.retriever, "encode_text", lambda texts: np.ones((len(texts), 4)))
    monkeypatch.setattr(checking.retriever, "encode_motion", lambda motions: np.ones((len(motions), 4)))
    own = window(waving, "he waves his left hand", "he waves his right hand", "he walks")
    captioning.choose([own], Judge(checking.retriever, 0.0))
    assert own.chosen == 0, "without readings the first of equals is kept"
    captioning.read([own], Understands())  # type: ignore[arg-type]
    captioning.choose([own], Judge(checking.retriever, 0.0))
    assert own.chosen == 1


def test_a_caption_of_an_example_is_passed_over_for_another_as_good(
    checking: ReMoGPT, waving: Motion, monkeypatch: pytest.MonkeyPatch
) -> None:
    (example,) = checking.database().search(text="a person waves", k=1)
    monkeypatch.setattr(checking.retriever, "encode_text", lambda texts: np.ones((len(texts), 4)))
    monkeypatch.setattr(checking.retriever, "encode_motion", lambda motions: np.ones((len(motions), 4)))
    own = window(waving, "he waves his right hand", "a man waves his right hand")
    own.examples = (replace(example, caption="he waves his right hand "),)
    captioning.choose([own], Judge(checking.retriever, 0.0))
    assert own.chosen == 1
    own.candidates = own.candidates[:1]
    captioning.choose([own], Judge(checking.retriever, 0.0))
    assert own.chosen == 0, "if there is no other"


def test_the_caption_of_an_example_is_said_where_what_was_written_is_false(
    checking: ReMoGPT, waving: Motion, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "he walks and waves his left hand"  # three claims that do not hold
    monkeypatch.setattr(checking.lm, "generate_text", lambda requests, *_: [said for _ in requests])
    (example,) = checking.database().search(text="a person waves", k=1)
    example = replace(example, caption="a man waves his right hand")
    monkeypatch.setattr(captioning, "examples_for_motions", lambda *_, **__: [(example,)])
    options = GenerationOptions(best_of=2, check_numbers=False, verify=True)
    answer = checking.caption(waving, options=options)
    assert answer.is_stated and "right hand" in answer.text and all(check.holds for check in answer.checks)
    monkeypatch.setattr(FoundFacts, "statements", lambda _: [])
    answer = checking.caption(waving, options=options)
    assert answer.text == example.caption and answer.copied_from == (example.id,) and not answer.is_stated
    assert describe_caption(answer)["copied_from"] == [example.id] and all(check.holds for check in answer.checks)
    for other in (replace(options, verify=False), replace(options, best_of=1)):
        assert checking.caption(waving, options=other).text == said, "else only what was written is chosen from"


def test_what_was_corrected_is_read_again(waving: Motion) -> None:
    own = window(waving, "he waves his left hand 3 times")
    reader = Understands()
    captioning.read([own], reader)  # type: ignore[arg-type]
    captioning.correct([own], reader)  # type: ignore[arg-type]
    assert "left" not in own.candidates[0]
    assert [fact for step in own.readings[0].steps for fact in step] == list(
        CLAIMS["right"] if "right" in own.candidates[0] else ()
    )


def test_an_answer_tells_which_claims_hold_and_warns_of_others(
    checking: ReMoGPT, waving: Motion, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = ["he waves his right hand", "he walks"]
    monkeypatch.setattr(
        checking.lm, "generate_text", lambda requests, *_: [said[row % 2] for row in range(len(requests))]
    )
    options = GenerationOptions(examples="none", best_of=1, check_numbers=False, verify=True)
    true = checking.caption(waving, options=options)
    assert [(check.fact, check.holds) for check in true.checks] == [(CLAIMS["right"][0], True)] and not true.warnings
    said.reverse()
    false = checking.caption(waving, options=options)
    assert [(check.fact, check.holds) for check in false.checks] == [(CLAIMS["walks"][0], False)]
    (warning,) = false.warnings
    assert warning.kind == "not_seen" and warning.text.endswith("not seen: walks")
    (row,) = describe_answer(false)["checks"]
    assert row == {"fact": "walks", "holds": False, "seen": None}
    unchecked = checking.caption(waving, options=replace(options, verify=False))
    assert unchecked.checks == () and unchecked.warnings == ()
