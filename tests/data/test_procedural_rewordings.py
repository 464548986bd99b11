"""Rewordings keep what a caption claims, or take the claim away with its words."""

import re

import numpy as np
import pytest

from remogpt.data.procedural.clauses import claimed_phrases
from remogpt.data.procedural.rewordings import ClaimedCaption, claimed_captions, people_captions, reword
from remogpt.data.procedural.vocabularies import CORE, VOCABULARIES, WIDE
from remogpt.motion.fact_catalogue import fact_number
from remogpt.motion.facts import Fact, completions

ROWS = list(claimed_captions(4, 0, 300, 0.8))


def test_the_same_seed_gives_the_same_captions() -> None:
    assert list(claimed_captions(4, 100, 20, 0.8)) == ROWS[300:360]


def test_captions_are_varied_and_some_name_actions_that_no_predicate_covers() -> None:
    texts = [caption.text for _, caption in ROWS]
    assert len(set(texts)) > 0.97 * len(texts) and all(text.strip() for text in texts)
    unknown = [caption.num_unknown > 0 for _, caption in ROWS]
    assert 0.1 < np.mean(unknown) < 0.25


def test_a_side_that_is_not_said_is_not_claimed() -> None:
    wave = ClaimedCaption("a person waves with their left hand.", ((Fact("waves", {"side": "left"}),),))
    seen = set()
    for seed in range(60):
        reworded = reword(wave, np.random.default_rng(seed))
        claims = [claim for step in reworded.steps for claim in step]
        if claims and " left " in reworded.text:
            seen.add(claims[0].params.get("side"))
        elif claims and not any(word in reworded.text for word in ("left", "lef", "lft", "eft", "elft", "letf")):
            assert "side" not in claims[0].params, reworded.text
            seen.add(None)
    assert seen == {"left", None}


def test_a_side_that_two_actions_share_is_said() -> None:
    actions = tuple((Fact(name, {"side": "left"}),) for name in ("waves", "salutes"))
    both = ClaimedCaption("a person waves and then salutes with their left hand.", actions)
    reworded = [reword(both, np.random.default_rng(seed)) for seed in range(60)]
    assert all(one.steps in (actions, ()) for one in reworded)
    assert any(one.steps and one.text != both.text for one in reworded)


def test_words_that_say_nothing_leave_the_claims() -> None:
    plain = ClaimedCaption("a man is sitting down.", ((Fact("sits"),),))
    for seed in range(40):
        reworded = reword(plain, np.random.default_rng(seed))
        assert reworded.steps in (plain.steps, ())
        assert reworded.steps or reworded.num_unknown


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
def test_clauses_of_people_claim_facts_of_the_catalogue(vocabulary: str) -> None:
    captions = list(people_captions(3, 600, vocabulary))
    assert captions == list(people_captions(3, 600, vocabulary))
    claims = {claim for caption in captions for step in caption.steps for claim in step}
    assert ("crawls" in {claim.name for claim in claims}) == (vocabulary == WIDE)
    for claim in claims:
        assert any(fact_number(fact) is not None for fact in completions(claim)), claim


def test_an_action_is_unknown_to_the_vocabulary_that_has_no_predicate_for_it() -> None:
    captions = {name: list(people_captions(3, 3000, name)) for name in VOCABULARIES}
    some = {name: " ".join(one.text for one in captions[name] if one.num_unknown) for name in VOCABULARIES}
    alone = {name: " ".join(one.text for one in captions[name] if not one.steps) for name in VOCABULARIES}
    assert "crawl" in some[CORE] and "cartwheel" in some[CORE] and "bicycle" in some[WIDE]
    assert "crawl" not in alone[WIDE]


def test_a_phrase_of_several_claims_keeps_their_order() -> None:
    steps = claimed_phrases(WIDE)["*sit* and then *stand*"]
    assert steps == ((Fact("sits"),), (Fact("stands_up"),))


def test_a_phrase_of_both_vocabularies_claims_what_the_wider_one_sees() -> None:
    phrase = "*pace* back and forth"
    assert claimed_phrases(CORE)[phrase] == ((Fact("walks"),),) and claimed_phrases(WIDE)[phrase] == ((Fact("paces"),),)
    still = ClaimedCaption("a man walks forward.", ((Fact("walks", {"direction": "forward"}),),))
    stops = [
        re.search("stop|and (then )?stands still|to rest", reword(still, np.random.default_rng(seed), WIDE).text)
        for seed in range(300)
    ]
    assert not any(stops)


def test_care_is_a_manner_of_the_wide_vocabulary_and_slowness_in_the_core_one() -> None:
    phrase, manner = "carefully *walk* at a slow speed", Fact("walks_like", {"style": "careful"})
    slowly = Fact("walks", {"speed": "slow"})
    assert claimed_phrases(CORE)[phrase] == ((slowly,),) and claimed_phrases(WIDE)[phrase] == ((slowly, manner),)
    steps = [step for caption in people_captions(3, 4000, WIDE) for step in caption.steps if manner in step]
    walks = {step[step.index(manner) - 1] for step in steps}
    assert walks == {Fact("walks"), slowly, Fact("walks", {"direction": "forward", "speed": "slow"})}
    slow = ClaimedCaption("a man is walking slowly.", ((slowly,),))
    said = {
        name: [reword(slow, np.random.default_rng(seed), name).text for seed in range(300)] for name in VOCABULARIES
    }
    assert any("carefully" in text for text in said[CORE]) and not any("careful" in text for text in said[WIDE])
