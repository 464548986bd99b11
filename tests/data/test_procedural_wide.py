"""The wide vocabulary: every action that it adds shows what it claims, and nothing of the core changes."""

import hashlib
import json
import re
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from remogpt.data.procedural import make, sample
from remogpt.data.procedural.actions import descriptions
from remogpt.data.procedural.animate import MAX_FRAMES, Take, animate
from remogpt.data.procedural.body import FOOT_HEIGHT
from remogpt.data.procedural.captions import wordings
from remogpt.data.procedural.clip import ProceduralClip, animated, described_clip
from remogpt.data.procedural.facts import claims_of, facts_of
from remogpt.data.procedural.grammar import lexicon
from remogpt.data.procedural.make import make_clip, make_procedural_set
from remogpt.data.procedural.sample import atomic_actions, fill_action, sample_script, shorten
from remogpt.data.procedural.script import Action, Script, Step
from remogpt.data.procedural.vocabularies import CORE, WIDE, get_vocabulary
from remogpt.eval.detectors import facts_hold
from remogpt.motion.facts import Fact, facts_correct
from remogpt.motion.features import features_to_joints, joints_to_features
from remogpt.motion.predicates import PREDICATES
from remogpt.motion.skeleton import FPS
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_json

ADDED = tuple(descriptions())
CLAIMED = {one.claim[0] for one in descriptions().values()}
SEEDS = (1, 2)
CORE_WORDS = "e4244400c7f4b0f5"
"""Of the scripts, captions, facts and claims of twelve core clips, which never change."""
CORE_JOINTS = (-0.4324075, 0.998513, 0.326113)
"""Means of the joints of the first three of them, metres."""


@cache
def takes(name: str) -> tuple[tuple[Script, Take], ...]:
    """Return takes of an added action: every side and direction, two seeds."""
    found = []
    for action in atomic_actions(WIDE):
        for seed in SEEDS if action.name == name else ():
            rng = np.random.default_rng((seed, len(found)))
            script = Script((Step((fill_action(name, action.side, action.direction, rng),)),))
            found.append((script, animate(script, rng)))
    return tuple(found)


def test_a_core_set_is_what_it_was() -> None:
    clips = [make_clip(0, index) for index in range(12)]
    words = [
        [
            clip.script.to_json(), [[one.text, *one.tokens] for one in clip.captions],
            [fact.to_json() for fact in clip.facts],
            [[[claim.to_json() for claim in step] for step in steps] for steps in clip.claims], clip.take.timeline,
        ]
        for clip in clips
    ]  # fmt: skip
    assert hashlib.sha256(json.dumps(words).encode()).hexdigest()[:16] == CORE_WORDS
    means = [float(clip.take.joints.mean()) for clip in clips[:3]]
    np.testing.assert_allclose(means, CORE_JOINTS, atol=1e-6)


def test_every_added_action_claims_a_predicate_that_no_core_action_claims() -> None:
    core = {fact.name for index in range(400) for fact in facts_of(sample_script(np.random.default_rng((5, index))))}
    assert {*PREDICATES} >= CLAIMED and not CLAIMED & core


@pytest.mark.parametrize("name", ADDED)
def test_facts_of_an_added_action_hold_by_both_detectors(name: str) -> None:
    for script, take in takes(name):
        facts = facts_of(script)
        assert facts and all(facts_correct(facts, take.joints)), (script.combination(), facts)
        assert all(facts_hold(facts, take.joints)), (script.combination(), facts)
        assert len(take.joints) <= MAX_FRAMES


def test_added_facts_do_not_hold_elsewhere() -> None:
    held: dict[str, list[bool]] = {name: [] for name in CLAIMED}
    for name in ADDED:
        script, take = takes(name)[0]
        claimed = {fact.name for fact in facts_of(script)}
        others = [Fact(other) for other in sorted(CLAIMED) if other not in claimed]
        for fact, first, second in zip(
            others, facts_correct(others, take.joints), facts_hold(others, take.joints), strict=True
        ):
            held[fact.name] += [first, second]
    assert {name: np.mean(values) for name, values in held.items() if np.mean(values) > 0.3} == {}


@pytest.mark.parametrize("name", ADDED)
def test_an_added_action_keeps_bones_and_planted_feet(name: str) -> None:
    for script, take in takes(name):
        joints = take.joints.astype(float)
        assert joints[..., 1].min() > -0.015, script.combination()
        legs = np.linalg.norm(joints[:, [4, 5, 7, 8]] - joints[:, [1, 2, 4, 5]], axis=-1)
        arms = np.linalg.norm(joints[:, [18, 19, 20, 21]] - joints[:, [16, 17, 18, 19]], axis=-1)
        assert max(np.ptp(legs, axis=0).max(), np.ptp(arms, axis=0).max()) < 1e-4
        feet = joints[:, [10, 11]]
        flat = np.abs(feet[..., 1] - FOOT_HEIGHT) < 5e-4
        planted = flat[1:-1] & flat[:-2] & flat[2:]
        slides = 20.0 * np.linalg.norm(np.diff(feet, axis=0)[:-1], axis=-1)[planted]
        assert np.percentile(slides, 99) < 0.02 if len(slides) else True, script.combination()


@pytest.mark.parametrize("direction", ["up", "down"])
@pytest.mark.parametrize("speed", ["slow", "fast"])
def test_stairs_are_taken_one_by_one_at_most_two_a_second(direction: str, speed: str) -> None:
    stairs = Script((Step((Action("stairs", direction=direction, count=4, speed=speed),)),))
    for seed in range(6):
        ((start, end),) = animate(stairs, np.random.default_rng(seed)).timeline
        assert 2.0 <= (end - start) / FPS <= 6.0


@pytest.mark.parametrize("name", ADDED)
def test_an_added_action_is_worded_in_many_ways_and_claims_what_it_says(name: str) -> None:
    texts, phrases = set(), sum(map(len, descriptions()[name].words.values()))
    for seed in range(12):
        for script, _ in takes(name):
            for wording in wordings(script, np.random.default_rng(seed), vocabulary=WIDE):
                texts.add(wording.caption.text)
                assert claims_of(script, wording.said)[0][0].name == descriptions()[name].claim[0]
    assert phrases >= 5 and len(texts) >= 12


def test_wide_scripts_hold_core_and_added_actions_alone_together_and_in_order() -> None:
    scripts = [sample_script(np.random.default_rng((4, index)), WIDE) for index in range(400)]
    names = {action.name for script in scripts for action in script.actions}
    assert len(names & {*ADDED}) > 0.8 * len(ADDED) and len(names - {*ADDED}) > 30
    added = [script for script in scripts if {action.name for action in script.actions} & {*ADDED}]
    assert 0.2 < len(added) / len(scripts) < 0.75
    assert any(len(script.steps) > 1 for script in added) and any(
        len(step.actions) > 1 for s in added for step in s.steps
    )
    assert not {action.name for script in scripts for action in script.actions} - {*get_vocabulary(WIDE).actions}


def test_a_set_keeps_its_vocabulary(tmp_path: Path) -> None:
    make_procedural_set(tmp_path / "wide", 2, 0, 1, vocabulary=WIDE)
    assert read_json(tmp_path / "wide" / "set.json", dict)["vocabulary"] == WIDE
    with pytest.raises(RemogptError, match=r"holds a set of the vocabulary wide; wanted core"):
        make_procedural_set(tmp_path / "wide", 3, 0, 1, vocabulary=CORE)
    with pytest.raises(RemogptError, match="one of core, wide, got 'huge'"):
        make_procedural_set(tmp_path / "huge", 1, 0, 1, vocabulary="huge")
    make_procedural_set(tmp_path / "core", 2, 0, 1)
    assert "vocabulary" not in read_json(tmp_path / "core" / "set.json", dict)


@pytest.mark.parametrize("frames", [16, 300])
def test_added_facts_take_short_and_still_motions(frames: int) -> None:
    still = np.repeat(animate(sample_script(np.random.default_rng(0)), np.random.default_rng(0)).joints[:1], frames, 0)
    for name in sorted(CLAIMED):
        predicate = PREDICATES[name]
        params = {key: {"side": "left", "direction": "left", "count": 2}[key] for key in predicate.parameters}
        facts = [Fact(name), Fact(name, params)]
        assert facts_correct(facts, still) == facts_hold(facts, still) == [False, False], name


def test_the_longest_paces_fit() -> None:
    slowest = Script((Step((Action("pace", speed="slow", count=2, distance=2.2, style="elderly"),)),))
    for seed in range(4):
        assert len(animate(shorten(slowest), np.random.default_rng(seed)).joints) <= MAX_FRAMES


def careful(speed: str, distance: float, seed: int, *, style: str = "careful") -> np.ndarray:
    walk = Action("walk", direction="forward", speed=speed, distance=distance, style=style)
    return animate(Script((Step((walk,)),)), np.random.default_rng(seed)).joints


@pytest.mark.parametrize("speed", ["slow", "normal"])
def test_a_careful_walk_is_slow_with_short_flat_steps_and_arms_out(speed: str) -> None:
    for seed in range(4):
        joints, plain = (careful(speed, 2.4, seed, style=style)[5:-25] for style in ("careful", "normal"))
        speeds = [FPS * np.linalg.norm(np.diff(one[:, 0, [0, 2]], axis=0), axis=-1).mean() for one in (joints, plain)]
        assert speeds[0] < 0.8 * speeds[1]
        apart = [np.abs(one[:, 7, 2] - one[:, 8, 2]).max() for one in (joints, plain)]
        assert apart[0] < 0.42 and apart[0] < apart[1]
        toes = [np.ptp(one[:, 10, 1] - one[:, 7, 1]) for one in (joints, plain)]
        assert toes[0] < 0.7 * toes[1]
        assert np.median(joints[:, 20, 0] - joints[:, 21, 0]) > 0.85


def _without_careful(rng: np.random.Generator) -> Script:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sample, "get_vocabulary", lambda name: replace(get_vocabulary(name), careful=0.0))
        return sample_script(rng, WIDE)


def test_careful_scripts_are_drawn_from_those_without_a_style_and_move_no_other() -> None:
    drawn = []
    for index in range(1500):
        rng, before = (np.random.default_rng((6, index)) for _ in range(2))
        script, plain = sample_script(rng, WIDE), _without_careful(before)
        assert rng.random() == before.random()
        assert script == plain or (script.style, plain.style) == ("careful", "normal")
        assert sample_script(np.random.default_rng((6, index))).style != "careful"
        drawn += [script] if script.style == "careful" else []
    assert 4 <= len(drawn) <= 40
    for script in drawn:
        first = script.steps[0]
        assert all(action.speed != "fast" for action in script.actions)
        assert first.legs is not None and first.legs.name in ("walk", "walk_curve", "circle", "walk_turn")
        assert not first.upper


def test_manners_of_the_wide_vocabulary_are_worded_with_words_of_their_own() -> None:
    script = Script((Step((Action("walk", direction="forward", distance=3.0, style="careful"),)),))
    texts = {
        wording.caption.text: "style" in wording.said[0]
        for seed in range(60)
        for wording in wordings(script, np.random.default_rng(seed), vocabulary=WIDE)
    }
    signs = re.compile("care|cautio|wari|ice|slip|beam|tightrope|balance")
    assert all(bool(signs.search(text)) == said for text, said in texts.items()) and sum(texts.values()) > 40
    others = [style for name, style in lexicon(WIDE)["styles"].items() if name != "careful"]
    slow = lexicon(WIDE)["speeds"]["slow_gait"]
    words = " ".join(word for one in (*others, slow) for word in (*one["phrases"], *one["adverbs"]))
    assert not re.search("care|cautio", words)
    assert "cautiously" in lexicon(CORE)["styles"]["sneaky"]["adverbs"]


@pytest.mark.parametrize("seed", [4, 8])  # whose first takes lose the way in HumanML3D's features
def test_features_of_a_clip_show_its_facts(seed: int) -> None:
    walk, arms = Action("figure_eight", speed="normal", distance=6.0), Action("arms_out", direction="forward")
    script = Script((Step((walk, arms)),))
    _, features, facts = animated(script, np.random.default_rng(seed))
    assert "walks_figure_eight" in {fact.name for fact in facts} and facts == facts_of(script)
    assert all(facts_correct(facts, features_to_joints(features)))
    first = animate(script, np.random.default_rng(seed))
    assert not all(facts_correct(facts, features_to_joints(joints_to_features(first.joints))))


def test_a_script_that_takes_longer_than_estimated_is_shortened(monkeypatch: pytest.MonkeyPatch) -> None:
    run, claps = Action("run", direction="forward", speed="normal", distance=3.5), Action("clap", count=2)
    long = Script((Step((Action("stir", side="right"),)), Step((run, claps))))
    monkeypatch.setattr(make, "sample_script", lambda *_: long)
    monkeypatch.setattr(make, "described_clip", partial(_refusing, long))
    clip = make_clip(700, 0, vocabulary=WIDE)
    assert len(clip.features) <= MAX_FRAMES and clip.script.combination() == "stir[right]"


def _refusing(long: Script, clip_id: str, script: Script, *args: Any) -> ProceduralClip:
    if script == long:
        raise ValueError("one in 46,000 such takes is longer than 196 frames")
    return described_clip(clip_id, script, *args)


def added(action: Action, seed: int) -> np.ndarray:
    return animate(Script((Step((action,)),)), np.random.default_rng(seed)).joints


def test_who_climbs_leans_back_from_the_ladder_before_the_first_step() -> None:
    for seed in range(4):
        joints = added(Action("ladder", direction="up", count=4), seed)
        step = np.flatnonzero(np.abs(np.diff(joints[:, [10, 11], 1], axis=0)).max(axis=1) > 0.01)[0]
        ahead = joints[:step, 0, 2] - joints[0, 0, 2]
        assert ahead.max() < 0.03 and ahead.min() < -0.03


def test_who_skips_pushes_off_with_a_foot_below_the_body() -> None:
    for seed in range(4):
        joints = added(Action("skip", distance=3.0), seed)
        soles = np.minimum(joints[:, [10, 11], 1], joints[:, [7, 8], 1] - 0.03)
        flying = soles.min(axis=1) > 0.05
        leaves = np.flatnonzero(flying[1:] & ~flying[:-1])
        feet = joints[leaves, 10 + soles[leaves].argmin(axis=1), 2]
        assert len(leaves) >= 3 and np.abs(joints[leaves, 0, 2] - feet).max() < 0.12


def test_who_gallops_with_bent_knees_flies_no_higher() -> None:
    for seed in range(3):
        upright, *low = (
            added(Action("side_gallop", direction="left", distance=2.0, style=style), seed)[:, 0, 1]
            for style in ("normal", "sneaky", "elderly")
        )
        assert all(one[0] < upright[0] - 0.03 and one.max() < upright.max() + 0.02 for one in low)
