"""Retrieved motions are joined, a stretch for each step of a caption, where none shows all of them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import remogpt
from remogpt.data.procedural.animate import animate
from remogpt.data.procedural.script import Action, Script, Step
from remogpt.lm.copying.copy_head import CopyHead
from remogpt.lm.copying.logit_mixers import Following
from remogpt.motion import features_to_joints, joints_to_features
from remogpt.motion.facts import Fact, Steps, facts_correct, facts_of_claims
from remogpt.motion.found_facts import FoundFacts, find_facts
from remogpt.options import GenerationOptions
from remogpt.pipeline import ReMoGPT
from remogpt.pipeline.described import describe_motion, made_of
from remogpt.pipeline.joined import LONGEST
from remogpt.pipeline.judge import facts_held
from remogpt.reader import Reading
from remogpt.retriever import MotionDatabase
from remogpt.retriever.database.entry import DatabaseEntry
from remogpt.runtime.errors import RemogptError

JUMPS, WAVES, SITS = Fact("jumps", {"count": 2}), Fact("waves", {"side": "left"}), Fact("sits")
WALKS = Fact("walks", {"direction": "forward"})
CLIPS = {
    "jumps": [Action("jump", direction="up", count=2)],
    "waves": [Action("wave", "left", count=3)],
    "jumps_and_sits": [Action("jump", direction="up", count=2), Action("sit")],
    "walks": [Action("walk", direction="forward", distance=2.0)],
}
OPTIONS = GenerationOptions(best_of=1, retrieved=4, fact_weight=100.0, verify=True, examples="show")
THEN: Steps = ((WAVES,), (JUMPS,))


class Understands:
    """A reader that reads the same claims in every caption."""

    def __init__(self, steps: Steps, confidence: float = 1.0) -> None:
        self.steps, self.confidence = steps, confidence

    def read(self, texts: Sequence[str]) -> list[Reading]:
        return [Reading(text, self.steps, 0, self.confidence) for text in texts]


@pytest.fixture(scope="module")
def database(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> MotionDatabase:
    model = remogpt.ReMoGPT.from_pretrained(tiny_model, device="cpu")
    entries = []
    for number, (name, actions) in enumerate(CLIPS.items()):
        script = Script(tuple(Step((action,)) for action in actions))
        features = joints_to_features(animate(script, np.random.default_rng(number)).joints)
        entries.append(DatabaseEntry(name, name, None, (f"a person {name}",), features))
    return MotionDatabase.build(entries, model.retriever, model.tokenizer, tmp_path_factory.mktemp("database"))


def understanding(tiny_model: Path, steps: Steps) -> ReMoGPT:
    model = remogpt.ReMoGPT.from_pretrained(tiny_model, device="cpu")
    model.__dict__["reader"] = Understands(steps)
    return model


def test_steps_that_no_motion_shows_are_joined(tiny_model: Path, database: MotionDatabase) -> None:
    model = understanding(tiny_model, THEN)
    (answer,) = model.generate("waves, then jumps", seed=0, database=database, options=OPTIONS)
    assert answer.joined_from in {("waves", "jumps"), ("waves", "jumps_and_sits")} and answer.copied_from is None
    assert all(facts_held(facts_of_claims(THEN), answer.motion.features)) and all(one.holds for one in answer.checks)
    assert all(not all(facts_held(facts_of_claims(THEN), database.features(row))) for row in range(len(database)))
    assert np.array_equal(answer.codes, model.tokenizer.encode(answer.motion.features))
    offered = [one.joined_from for one in answer.segments[0].candidates if one.joined_from]
    assert len(offered) == len(set(offered)) <= 4
    bones = np.linalg.norm(answer.motion.joints[:, 4] - answer.motion.joints[:, 1], axis=-1)
    assert np.ptp(bones) < 1e-4
    (again,) = model.generate("waves, then jumps", seed=0, database=database, options=OPTIONS)
    assert np.array_equal(again.motion.features, answer.motion.features)


def test_a_stretch_is_cut_out(tiny_model: Path, database: MotionDatabase) -> None:
    model = understanding(tiny_model, ((WAVES,), (SITS,)))
    (answer,) = model.generate("waves, then sits", seed=0, database=database, options=OPTIONS)
    assert answer.joined_from == ("waves", "jumps_and_sits")
    assert facts_held([SITS, JUMPS], answer.motion.features) == [True, False]


def test_a_stretch_that_begins_with_its_motion_begins_with_the_first_frame(
    tiny_model: Path, database: MotionDatabase
) -> None:
    model = understanding(tiny_model, ((WALKS,), (SITS,)))
    (answer,) = model.generate("walks, then sits", seed=0, database=database, options=OPTIONS)
    assert answer.joined_from == ("walks", "jumps_and_sits")
    walk = features_to_joints(database.features([info.id for info in database.infos()].index("walks")))
    first = answer.motion.joints[0] - answer.motion.joints[0, 0]
    away = [np.abs(first - (frame - frame[0])).max() for frame in walk[:2]]
    assert away[0] < 0.05 < 0.1 < away[1]


@pytest.mark.parametrize(("claim", "name"), [(("jumps", 3), "jumps"), (("jumps", 4), "jumps"), (("waves", 2), "waves")])
def test_repetitions_are_added_and_left_out(
    tiny_model: Path, database: MotionDatabase, claim: tuple[str, int], name: str
) -> None:
    fact = Fact(claim[0], {**({"side": "left"} if name == "waves" else {}), "count": claim[1]})
    assert not any(facts_held([fact], database.features(row))[0] for row in range(len(database)))
    model = understanding(tiny_model, ((fact,),))
    (answer,) = model.generate("several times", seed=0, database=database, options=OPTIONS)
    (source,) = answer.joined_from
    assert name in source and facts_held([fact], answer.motion.features) == [True]
    assert made_of(describe_motion(answer)) == f"the motion {source} of the database, with more or fewer repetitions"


def test_what_happens_together_is_laid_one_over_the_other(tiny_model: Path, database: MotionDatabase) -> None:
    steps: Steps = ((WALKS, WAVES), (SITS,))
    model = understanding(tiny_model, steps)
    (answer,) = model.generate("walks, waving, and sits", seed=0, database=database, options=OPTIONS)
    assert answer.joined_from == ("walks", "waves", "jumps_and_sits")
    assert all(facts_held(facts_of_claims(steps), answer.motion.features))
    (together,) = understanding(tiny_model, steps[:1]).generate("walks", seed=0, database=database, options=OPTIONS)
    assert together.joined_from == ("walks", "waves") and all(one.holds for one in together.checks)


def following(tiny_model: Path, steps: Steps, confidence: float = 1.0) -> ReMoGPT:
    """A model that understands, and follows examples whose cosines with the caption are large."""
    model = understanding(tiny_model, steps)
    model.__dict__["reader"] = Understands(steps, confidence)
    head = CopyHead(model.tokenizer.code_vectors)
    with torch.no_grad():
        for layer, weight in ((head.text_match.layers[0], 4.0), (head.text_match.layers[2], 1.0)):
            layer.weight.fill_(weight)
            layer.bias.zero_()
    model.__dict__["copy_head"] = head
    return model


WRITTEN = replace(OPTIONS, retrieved=0, examples="follow", strength=20.0, temperature=0.0)


def test_a_joined_motion_guides_what_is_written(
    tiny_model: Path, database: MotionDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed: list[object] = []
    mix = Following.codes

    def codes(self: Following, examples: Any, lengths: Any) -> Any:
        followed.extend(examples)
        return mix(self, examples, lengths)

    monkeypatch.setattr(Following, "codes", codes)
    model = following(tiny_model, THEN)
    (answer,) = model.generate("waves, then jumps", seed=0, database=database, options=WRITTEN)
    (segment,) = answer.segments
    assert segment.guide is not None and answer.follows == segment.guide.ids
    assert answer.follows in {("waves", "jumps"), ("waves", "jumps_and_sits")}
    assert len(segment.candidates) == 1 and not answer.joined_from, "it is not an answer itself"
    assert followed == [(segment.guide, *segment.examples[:-1])]
    assert segment.guide.caption == "waves, then jumps" and segment.guide.to_motion < 1.0
    assert answer.prompt.num_examples and answer.prompt.text().count("waves, then jumps") == 2, "asked for, and shown"
    assert [one.id for one in answer.examples] == [one.id for one in segment.examples], "of the database alone"
    names = " and ".join(answer.follows)
    assert (
        made_of(describe_motion(answer))
        == f"written by the model, which followed stretches of the motions {names} of the database, joined"
    )
    assert describe_motion(answer)["follows"] == [*answer.follows]


def test_a_guide_is_followed_more_strongly_than_an_example(tiny_model: Path, database: MotionDatabase) -> None:
    model = following(tiny_model, THEN)
    (answer,) = model.generate("waves, then jumps", seed=0, database=database, options=WRITTEN)
    assert answer.segments[0].guide is not None and answer.segments[0].guide.weight == 2.0
    assert {one.weight for one in answer.examples} == {1.0}


@pytest.mark.parametrize(
    ("steps", "confidence", "options"),
    [
        (((WAVES,),), 1.0, {}),
        (THEN, 0.1, {}),
        (THEN, 1.0, {"joined": 0}),
        (THEN, 1.0, {"verify": False}),
        (THEN, 1.0, {"examples": "show"}),
        (THEN, 1.0, {"strength": 0.0}),
        (THEN, 1.0, {"pinned": ["walks"]}),
        (((Fact("kicks", {"side": "left"}),), (Fact("crawls"),)), 1.0, {}),
    ],
    ids=["one claim", "not sure", "not wanted", "not checked", "as in the paper", "not followed", "pinned", "not held"],
)
def test_else_nothing_guides(
    tiny_model: Path, database: MotionDatabase, steps: Steps, confidence: float, options: dict[str, Any]
) -> None:
    model = following(tiny_model, steps, confidence)
    (answer,) = model.generate("waves", seed=0, database=database, options=replace(WRITTEN, **options))
    assert answer.segments[0].guide is None and not answer.follows
    assert (
        answer.segments[0].followed == answer.segments[0].examples
        and made_of(describe_motion(answer)) == "written by the model"
    )


def test_what_is_joined_follows_nothing(tiny_model: Path, database: MotionDatabase) -> None:
    options = replace(OPTIONS, examples="follow", strength=1.0)
    (answer,) = following(tiny_model, THEN).generate("waves", seed=0, database=database, options=options)
    assert answer.joined_from and answer.segments[0].guide is not None and not answer.follows


@pytest.mark.parametrize(
    ("steps", "options"),
    [
        (((WAVES,),), {}),
        (((WAVES,), (Fact("kicks", {"side": "left"}),)), {}),
        (THEN, {"joined": 0}),
        (THEN, {"verify": False}),
        (THEN, {"retrieved": 0}),
    ],
    ids=["one claim", "a step that nothing shows", "not wanted", "not checked", "always written"],
)
def test_else_nothing_is(
    tiny_model: Path, database: MotionDatabase, steps: Steps, options: dict[str, int | bool]
) -> None:
    model = understanding(tiny_model, steps)
    (answer,) = model.generate("waves", seed=0, database=database, options=replace(OPTIONS, **options))
    assert not any(one.joined_from for one in answer.segments[0].candidates) and not answer.joined_from


@pytest.mark.parametrize(("confidence", "joins"), [(0.59**2, False), (0.601**2, True)])  # of two steps
def test_nothing_is_joined_by_a_reading_that_is_not_sure(
    tiny_model: Path, database: MotionDatabase, confidence: float, joins: bool
) -> None:
    model = understanding(tiny_model, THEN)
    model.__dict__["reader"] = Understands(THEN, confidence)
    (answer,) = model.generate("waves, then jumps", seed=0, database=database, options=OPTIONS)
    assert any(one.joined_from for one in answer.segments[0].candidates) == joins


def test_what_is_excluded_is_not_joined(tiny_model: Path, database: MotionDatabase) -> None:
    options = replace(OPTIONS, exclude=["jumps"])
    model = understanding(tiny_model, THEN)
    (answer,) = model.generate("waves, then jumps", seed=0, database=database, options=options)
    offered = {one.joined_from for one in answer.segments[0].candidates if one.joined_from}
    assert offered == {("waves", "jumps_and_sits")}


def test_no_joined_motion_is_longer_than_one_that_is_written(tiny_model: Path, database: MotionDatabase) -> None:
    model = understanding(tiny_model, THEN * 4)
    (answer,) = model.generate("waves, then jumps", seed=0, database=database, options=OPTIONS)
    for one in answer.segments[0].candidates:
        assert not one.joined_from or (one.features is not None and len(one.features) < LONGEST)


def test_what_is_named_again_is_shown_again(tiny_model: Path, database: MotionDatabase) -> None:
    steps = ((WALKS,), (WAVES,), (WALKS,))
    (answer,) = understanding(tiny_model, steps).generate("walks", seed=0, database=database, options=OPTIONS)
    assert answer.joined_from == ("walks", "waves", "walks") and all(one.holds for one in answer.checks)
    assert [one.fact.name for one in answer.checks].count("then") == 2


def test_of_many_steps_each_has_little_time(tiny_model: Path, database: MotionDatabase) -> None:
    steps = ((WALKS,), (WAVES,), (JUMPS,), (WALKS,))
    (answer,) = understanding(tiny_model, steps).generate("walks", seed=0, database=database, options=OPTIONS)
    joined = [one for one in answer.segments[0].candidates if one.joined_from]
    assert joined and all(one.features is not None and len(one.features) <= LONGEST for one in joined)


@pytest.mark.parametrize("factor", [0.85, 1.2])
def test_they_have_the_length_that_is_asked_for(tiny_model: Path, database: MotionDatabase, factor: float) -> None:
    model = understanding(tiny_model, THEN)
    (free,) = model.generate("waves, then jumps", seed=0, database=database, options=OPTIONS)
    seconds = round(factor * free.motion.num_frames) / 20
    (answer,) = model.generate("waves, then jumps", seconds=seconds, seed=0, database=database, options=OPTIONS)
    assert answer.joined_from and answer.motion.num_frames == round(20 * seconds)
    assert all(facts_held(facts_of_claims(THEN), answer.motion.features))
    both = model.generate(
        ["waves, then jumps"] * 2, seconds=[seconds, None], seed=[0, 0], database=database, options=OPTIONS
    )
    assert [one.motion.num_frames for (one,) in both] == [answer.motion.num_frames, free.motion.num_frames]
    (far,) = model.generate("waves, then jumps", seconds=0.3 * seconds, seed=0, database=database, options=OPTIONS)
    assert not far.joined_from


class Finds:
    """A finder that finds what the predicates would, and counts the motions that it was asked about."""

    def __init__(self) -> None:
        self.seen = 0

    def find(self, motions: Sequence[np.ndarray]) -> list[FoundFacts]:
        self.seen += len(motions)
        return [find_facts(features_to_joints(motion)) for motion in motions]


@pytest.mark.parametrize("steps", [THEN, ((WALKS, WAVES),)], ids=["in order", "at one time"])
def test_a_finder_says_what_stretches_hold_where_nothing_is_verified(
    tiny_model: Path, database: MotionDatabase, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*facts: object) -> list[bool]:
        raise AssertionError("a predicate ran")

    model, finder = understanding(tiny_model, steps), Finds()
    model.__dict__["finder"] = finder
    monkeypatch.setattr("remogpt.pipeline.joined.holds", never)
    monkeypatch.setattr("remogpt.pipeline.judge.holds", never)
    options = replace(OPTIONS, verify=False)
    (answer,) = model.generate("waves, then jumps", seed=0, database=database, options=options)
    assert answer.joined_from and not answer.checks and finder.seen > len(answer.segments[0].candidates)
    assert all(facts_correct(facts_of_claims(steps), answer.motion.joints))


@pytest.mark.parametrize("joined", [4, 0])
def test_a_finder_chooses_the_guide_of_a_single_candidate(
    tiny_model: Path, database: MotionDatabase, joined: int
) -> None:
    model = following(tiny_model, THEN)
    model.__dict__["finder"] = Finds()
    options = replace(WRITTEN, verify=False, joined=joined)
    (answer,) = model.generate("waves, then jumps", seed=0, database=database, options=options)
    assert bool(answer.follows) == bool(joined) and not answer.checks
    assert (answer.segments[0].reading is not None) == bool(joined), "nothing else needs the reader"


def test_samples_share_the_joined_motions(tiny_model: Path, database: MotionDatabase) -> None:
    model = understanding(tiny_model, THEN)
    answers = model.generate("waves, then jumps", num_samples=2, seed=0, database=database, options=OPTIONS)
    offered = [one.joined_from for answer in answers for one in answer.segments[0].candidates if one.joined_from]
    assert len(offered) == len(set(offered)) > 1


def test_a_negative_number_is_refused() -> None:
    with pytest.raises(RemogptError, match="joined must be 0 or more, got -1"):
        GenerationOptions(joined=-1)


def test_an_answer_is_described_by_what_it_is_made_of(tiny_model: Path, database: MotionDatabase) -> None:
    (joined,) = understanding(tiny_model, THEN).generate("waves", seed=0, database=database, options=OPTIONS)
    assert (
        made_of(describe_motion(joined))
        == f"stretches of the motions {' and '.join(joined.joined_from)} of the database, joined"
    )
    assert made_of(describe_motion(replace(joined, joined_from=()))) == "written by the model"
    assert (
        made_of(describe_motion(replace(joined, joined_from=(), copied_from="a")))
        == "the motion a of the database, as it is"
    )
