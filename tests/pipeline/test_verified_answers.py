"""Candidates compete, written and retrieved, and are checked by what the caption claims."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import remogpt
from remogpt import stages
from remogpt.data.procedural.animate import animate
from remogpt.data.procedural.script import Action, Script, Step
from remogpt.motion import features_to_joints, joints_to_features
from remogpt.motion.body import Body
from remogpt.motion.facts import Fact, Steps, facts_of_claims, holds
from remogpt.motion.unasked import COST, SLIGHT, costs
from remogpt.options import GenerationOptions
from remogpt.pipeline import ReMoGPT
from remogpt.pipeline.judge import Judge, checked, facts_held
from remogpt.reader import Reading
from remogpt.retriever import MotionDatabase
from remogpt.runtime.errors import RemogptError

WALK: Steps = ((Fact("walks", {"direction": "forward", "distance": 3.0}),), (Fact("jumps", {"count": 2}),))
OPTIONS = GenerationOptions(examples="show", best_of=2, retrieved=4, joined=0, fact_weight=2.0, verify=True)


class Understands:
    """A reader that reads the same claims in every caption, and an unknown action for each "plays"."""

    def read(self, texts: Sequence[str]) -> list[Reading]:
        return [Reading(text, WALK, text.count("plays"), 1.0) for text in texts]


@pytest.fixture
def model(tiny_model: Path) -> ReMoGPT:
    model = remogpt.ReMoGPT.from_pretrained(tiny_model, device="cpu")
    model.__dict__["reader"] = Understands()
    return model


def test_retrieved_motions_compete_as_they_are(model: ReMoGPT) -> None:
    (answer,) = model.generate("a person walks", seed=1, options=OPTIONS)
    (segment,) = answer.segments
    written, copies = segment.candidates[:2], segment.candidates[2:]
    assert [one.copied_from for one in written] == [None, None]
    database = model.database()
    codes = {info.id: database.codes(row) for row, info in enumerate(database.infos())}
    assert len(copies) == 4 and all(np.array_equal(one.codes, codes[str(one.copied_from)]) for one in copies)
    assert answer.copied_from == segment.candidates[segment.chosen].copied_from
    assert answer.copied_from is None or np.array_equal(answer.codes, codes[answer.copied_from])


@pytest.mark.parametrize("kept", ["features", "joints", "nothing"])
def test_a_retrieved_answer_is_the_recording_where_it_is_kept(
    model: ReMoGPT, tiny_set: Path, tmp_path: Path, kept: str
) -> None:
    stages.build_database(tiny_set, out=tmp_path, model=model, compact=kept != "features")
    database = MotionDatabase.open(tmp_path)
    if kept == "nothing":  # as compact databases of earlier versions
        database.manifest["motions"] = "nothing"
    options = replace(OPTIONS, best_of=1, fact_weight=100.0)
    for text in ("a person walks", "a person jumps", "a person waves"):
        (answer,) = model.generate(text, seed=0, database=database, options=options)
        whole = [one for one in answer.segments[0].candidates[1:] if "#" not in str(one.copied_from)]
        for one in whole:
            recorded = np.load(tiny_set / "new_joint_vecs" / f"{one.copied_from}.npy")
            if kept == "nothing":
                assert one.features is None
            else:
                assert one.features is not None and one.features.shape == recorded.shape
                assert np.allclose(features_to_joints(one.features), features_to_joints(recorded), atol=1e-3)
        if answer.copied_from is not None and "#" not in answer.copied_from and kept == "features":
            recorded = np.load(tiny_set / "new_joint_vecs" / f"{answer.copied_from}.npy")
            assert np.array_equal(answer.motion.features, recorded)


def test_without_them_the_answer_is_always_written(model: ReMoGPT) -> None:
    for seed in range(3):
        (answer,) = model.generate("a person walks", seed=seed, options=replace(OPTIONS, retrieved=0))
        assert answer.copied_from is None and len(answer.segments[0].candidates) == 2


def test_samples_of_a_caption_are_never_one_retrieved_motion(model: ReMoGPT) -> None:
    options = replace(OPTIONS, best_of=1, fact_weight=100.0)
    answers = model.generate("a person walks", num_samples=4, seed=0, options=options)
    copied = [one.copied_from for one in answers if one.copied_from]
    assert len(copied) == len(set(copied))
    offered = [one.copied_from for answer in answers for one in answer.segments[0].candidates if one.copied_from]
    assert len(offered) == len(set(offered)) == 4


@pytest.mark.parametrize("seconds", [1.0, 2.55, 30.0])
def test_a_retrieved_motion_has_the_length_asked_for(model: ReMoGPT, seconds: float) -> None:
    (answer,) = model.generate("a person walks", seconds=seconds, seed=0, options=replace(OPTIONS, best_of=1))
    assert answer.motion.num_frames == round(20 * seconds)
    wanted = -(-answer.motion.num_frames // 4)
    for segment in answer.segments if len(answer.segments) == 1 else ():
        assert all(len(one.codes) == wanted for one in segment.candidates if one.copied_from)
    assert len(answer.segments) == 1 or answer.copied_from is None


def test_ids_that_are_excluded_do_not_compete(model: ReMoGPT) -> None:
    (first,) = model.generate("a person walks", seed=0, options=OPTIONS)
    rivals = [str(one.copied_from) for one in first.segments[0].rivals]
    (second,) = model.generate("a person walks", seed=0, options=replace(OPTIONS, exclude=rivals[:2]))
    assert not {one.copied_from for one in second.segments[0].rivals} & set(rivals[:2])


def test_the_answer_tells_which_claims_hold(model: ReMoGPT) -> None:
    (answer,) = model.generate("a person walks", seed=0, options=OPTIONS)
    assert [check.fact for check in answer.checks] == facts_of_claims(WALK)
    features = answer.motion.features
    assert [check.holds for check in answer.checks] == facts_held(facts_of_claims(WALK), features)
    counted = [check for check in answer.checks if check.fact.params.get("count")]
    assert len(counted) == 1 and isinstance(counted[0].seen, int)
    assert counted[0].holds == (counted[0].seen == 2)
    (unchecked,) = model.generate("a person walks", seed=0, options=replace(OPTIONS, verify=False))
    assert unchecked.checks == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a person walks", []),
        ("a person walks and plays", ["an action that the model does not know; the motion may leave it out"]),
        ("he plays and plays", ["actions that the model does not know; the motion may leave them out"]),
    ],
)
def test_an_answer_says_that_an_action_is_not_known(model: ReMoGPT, text: str, said: list[str]) -> None:
    model.__dict__["known_words"] = None
    (answer,) = model.generate(text, seed=0, options=OPTIONS)
    found = [warning.text for warning in answer.warnings if warning.kind == "unknown_action"]
    assert found == [f"the caption seems to name {words}" for words in said]


def test_the_judge_adds_the_share_of_facts_to_the_cosine(model: ReMoGPT, tiny_set: Path) -> None:
    motions = [np.load(path) for path in sorted((tiny_set / "new_joint_vecs").glob("*.npy"))[:6]]
    (reading,) = Understands().read(["a person walks"])
    judge = Judge(model.retriever, 3.0)
    (alone,) = judge.scores(["a person walks"], [None], [motions])
    (both,) = judge.scores(["a person walks"], [reading], [motions])
    cosines = model.retriever.encode_motion(motions) @ model.retriever.encode_text(["a person walks"])[0]
    shares = np.array([np.mean(facts_held(reading.facts, motion)) for motion in motions])
    shares -= [sum(costs(partial(holds, body=Body(features_to_joints(one))), reading.steps)) for one in motions]
    assert np.allclose(alone, cosines, atol=1e-6) and np.allclose(both, cosines + 3.0 * shares, atol=1e-6)
    assert len(set(shares.round(3))) > 1, "the motions do not differ in these facts"


def test_what_nobody_asked_for_costs_a_motion_its_place(model: ReMoGPT) -> None:
    walk, sit = Action("walk", direction="forward", distance=2.0), Action("sit")
    scripts = [Script((Step((walk,)),)), Script((Step((walk,)), Step((sit,))))]
    motions = [joints_to_features(animate(script, np.random.default_rng(0)).joints) for script in scripts]
    judge = Judge(model.retriever, 2.0)
    steps = (Fact("walks"),), (Fact("sits"),)
    walks, both = Reading("walks", steps[:1], 0, 1.0), Reading("walks, sits", steps, 0, 1.0)
    cosines = {reading.text: judge.scores([reading.text], [None], [motions])[0] for reading in (walks, both)}
    gains = {one.text: judge.scores([one.text], [one], [motions])[0] - cosines[one.text] for one in (walks, both)}
    few = 2.0 * SLIGHT * 4  # a step or a turn that nobody named
    assert 2.0 - few <= gains["walks"][0] <= 2.0 and gains["walks"][1] <= 2.0 * (1 - COST)
    assert gains["walks, sits"][0] <= 2 / 3 + 1e-5 and 2.0 - few <= gains["walks, sits"][1] <= 2.0 + 1e-5


def test_who_asks_for_nothing_gets_a_motion_that_shows_nothing(model: ReMoGPT) -> None:
    still, sits = Script((Step((Action("stand"),)),)), Script((Step((Action("sit"),)),))
    motions = [joints_to_features(animate(script, np.random.default_rng(0)).joints) for script in (still, sits)]
    judge = Judge(model.retriever, 2.0)
    text = "a person stands there"
    (cosines,) = judge.scores([text], [None], [motions])
    (nothing,) = judge.scores([text], [Reading(text, (), 0, 1.0)], [motions])
    assert nothing[0] - cosines[0] == pytest.approx(0.0, abs=1e-6)
    assert nothing[1] - cosines[1] <= -2.0 * COST + 1e-5
    (unknown,) = judge.scores([text], [Reading(text, (), 1, 1.0)], [motions])
    assert np.array_equal(unknown, cosines), "an action that nobody knows may look like any"


def test_a_motion_too_short_to_measure_holds_nothing() -> None:
    features = np.zeros((4, 263), dtype=np.float32)
    assert facts_held([Fact("sits")], features) == [False]
    assert [check.holds for check in checked([Fact("sits")], features)] == [False]


@pytest.mark.parametrize("option", [{"retrieved": -1}, {"fact_weight": -0.1}, {"fact_weight": float("inf")}])
def test_options_out_of_range_are_refused(option: dict[str, float]) -> None:
    with pytest.raises(RemogptError, match="must be 0 or more"):
        GenerationOptions(**option)  # type: ignore[arg-type]


def test_facts_count_as_much_as_the_reading_of_a_step_is_sure(model: ReMoGPT) -> None:
    script = Script((Step((Action("walk", direction="forward", distance=3.0),)),))
    walks = joints_to_features(animate(script, np.random.default_rng(0)).joints)
    judge = Judge(model.retriever, 2.0)
    scores = {
        confidence: judge.scores(["walks"], [Reading("walks", WALK, 0, confidence)], [[walks]])[0][0]
        for confidence in (0.0, 0.5, 1.0)
    }
    share = np.mean(facts_held(facts_of_claims(WALK), walks))
    assert scores[1.0] - scores[0.0] == pytest.approx(2.0 * share) and share > 0
    assert scores[0.5] - scores[0.0] == pytest.approx(2.0 * 0.5**0.5 * share)
