"""Facts of scripts hold on their own animation, and only there."""

from dataclasses import replace

import numpy as np
import pytest

from remogpt.data.procedural.animate import animate
from remogpt.data.procedural.facts import SHOWN_STYLES, facts_of
from remogpt.data.procedural.make import make_clip
from remogpt.data.procedural.phrases import NUMBERS
from remogpt.data.procedural.sample import atomic_actions
from remogpt.data.procedural.script import Action, Script, Step
from remogpt.data.procedural.validate import FactReport, opposite, validate
from remogpt.motion.facts import Fact, facts_correct, facts_of_claims
from remogpt.motion.features import features_to_joints
from remogpt.motion.mirror import mirror_joints
from remogpt.runtime.errors import RemogptError


@pytest.fixture(scope="module")
def report() -> FactReport:
    clips = [make_clip(20, index) for index in range(150)]
    return validate([(clip.id, clip.facts, features_to_joints(clip.features)) for clip in clips])


def test_facts_hold_on_their_own_motion(report: FactReport) -> None:
    assert report.rates["own"] is not None and report.rates["own"] >= 0.98, report.failures  # 500 clips: at least 0.99
    assert report.all_of_clip["own"] >= 0.95
    assert report.num_facts >= 300


def test_facts_do_not_hold_elsewhere(report: FactReport) -> None:
    assert report.rates["shuffled"] is not None and report.rates["shuffled"] <= 0.12
    assert report.rates["contradicted"] is not None and report.rates["contradicted"] <= 0.06
    assert report.all_of_clip["shuffled"] <= 0.06
    assert all(row["shuffled"] <= 0.3 for row in report.by_factor.values() if row["num_facts"] >= 20)


def test_the_report_prints_and_is_json(report: FactReport) -> None:
    assert "all facts of a clip" in str(report) and "direction" in str(report)
    assert set(report.to_json()["by_factor"]) >= {"side", "count", "direction", "action"}


def test_every_action_but_standing_claims_something() -> None:
    for action in atomic_actions():
        facts = facts_of(Script((Step((action,)),)))
        assert bool(facts) != (action.name == "stand"), action
        sided = [fact for fact in facts if "side" in fact.params]
        assert all(fact.params["side"] == (action.side or "both") for fact in sided)


def test_order_and_composition_are_claimed() -> None:
    wave, walk = Action("wave", "left", count=3), Action("walk", direction="forward", distance=2.0)
    script = Script((Step((walk, wave)), Step((Action("sit"),))))
    facts = {fact.factor: fact for fact in facts_of(script)}
    assert facts["composition"].params["second"] == {"name": "waves", "params": {"side": "left"}}
    assert facts["order"].params["first"]["name"] == "walks" and facts["order"].params["second"]["name"] == "sits"
    assert facts["count"] == Fact("waves", {"side": "left", "count": 3})


def test_what_another_action_disturbs_is_not_claimed() -> None:
    jump, jack = Action("jump", direction="up", count=2), Action("jumping_jack", count=3)
    names = [fact.name for fact in facts_of(Script((Step((jump,)), Step((jack,))))) if "count" in fact.params]
    assert names == ["jumping_jacks"]
    twice = Script((Step((jump,)), Step((Action("clap", count=3),)), Step((jump,))))
    assert [fact.name for fact in facts_of(twice) if "count" in fact.params] == ["claps"]


def test_mirrored_motion_shows_mirrored_facts() -> None:
    swap = {"left": "right", "right": "left", "clockwise": "counterclockwise", "counterclockwise": "clockwise"}
    held = []
    for index in range(40):
        clip = make_clip(22, index)
        facts = [fact for fact in clip.facts if fact.factor in ("side", "direction", "count")]
        mirrored = [replace(fact, params={k: swap.get(v, v) for k, v in fact.params.items()}) for fact in facts]
        held += facts_correct(mirrored, mirror_joints(clip.take.joints))
    assert len(held) > 50 and np.mean(held) >= 0.97


@pytest.mark.parametrize("style", SHOWN_STYLES)
def test_styles_of_walking_show(style: str) -> None:
    held = []
    for seed in range(8):
        walk = Action("walk", direction="forward", distance=3.0 + 0.2 * seed, style=style)
        script = Script((Step((walk,)),))
        assert Fact("walks_like", {"style": style}) in facts_of(script)
        joints = animate(script, np.random.default_rng(seed)).joints
        held.append(facts_correct([Fact("walks_like", {"style": one}) for one in SHOWN_STYLES], joints))
    shares = dict(zip(SHOWN_STYLES, np.mean(held, axis=0), strict=True))
    assert shares.pop(style) >= 0.85 and max(shares.values()) <= 0.15


def test_opposites() -> None:
    assert opposite(Fact("waves", {"side": "left"})) == Fact("waves", {"side": "right"})
    assert opposite(Fact("kicks", {"side": "left", "direction": "back"})) == Fact(
        "kicks", {"side": "left", "direction": "forward"}
    )
    assert opposite(Fact("squats", {"count": 2})) == Fact("squats", {"count": 4})
    assert opposite(Fact("sits")) is None


def test_validation_needs_facts() -> None:
    with pytest.raises(RemogptError, match="two clips or more"):
        validate([("a", [], np.zeros((40, 22, 3)))])


def test_the_claims_of_a_full_caption_say_the_facts_of_the_clip() -> None:
    known = found = 0
    for index in range(100):
        clip = make_clip(21, index)
        said = max((facts_of_claims(steps) for steps in clip.claims), key=len)
        known += len(clip.facts)
        found += sum(fact in said for fact in clip.facts)
    assert found >= 0.97 * known


def test_claims_hold_only_what_the_caption_names() -> None:
    numbers = {*NUMBERS, "once", "twice", "both", "a", "an"}
    for index in range(150):
        clip = make_clip(22, index)
        for caption, steps in zip(clip.captions, clip.claims, strict=True):
            counts = [claim.params["count"] for step in steps for claim in step if "count" in claim.params]
            words = caption.text.replace(".", "").replace(",", "").split()
            assert not counts or any(word.isdigit() or word in numbers for word in words), caption.text
            assert all("speed" not in claim.params for step in steps for claim in step) or any(
                word in caption.text for word in ("slow", "leisur", "hurr", "quick", "fast", "brisk", "swift", "rapid",
                                                  "stroll", "strid", "jog", "sprint", "dash")
            ), caption.text  # fmt: skip
