"""Claims survive being written as tokens, and only claims can be written."""

import numpy as np

from remogpt.data.procedural.make import make_clip
from remogpt.motion.facts import Fact, Steps, facts_of_claims
from remogpt.motion.predicates import PREDICATES
from remogpt.reader.claim_language import END, OTHER, STEP, ClaimLanguage

CLIPS = [make_clip(31, index) for index in range(60)]
LANGUAGE = ClaimLanguage.of((steps, 1) for clip in CLIPS for steps in clip.claims)


def rounded(steps: Steps) -> set[str]:
    """Facts of claims without distances, which lie on a grid after reading."""
    return {str(fact.to_json()) for fact in facts_of_claims(steps) if "distance" not in str(fact.to_json())}


def test_claims_survive_being_written() -> None:
    for clip in CLIPS:
        for steps in clip.claims:
            read, unknown = LANGUAGE.decode(LANGUAGE.encode(steps, 2))
            assert unknown == 2
            named = [sorted(claim.name for claim in step) for step in steps]
            assert [sorted(claim.name for claim in step) for step in read] == named
            if all(len(step) == 1 for step in steps):
                assert rounded(read) == rounded(steps)


def test_distances_become_the_nearest_on_the_grid() -> None:
    walk = Fact("walks", {"direction": "forward", "distance": 3.2})
    language = ClaimLanguage.of([(((walk,),), 0)])
    ((read,),), _ = language.decode(language.encode(((walk,),)))
    assert read.params == {"direction": "forward", "distance": 3.0}


def test_order_within_a_step_does_not_matter() -> None:
    walk, wave = Fact("walks", {"direction": "forward"}), Fact("waves", {"side": "left", "count": 3})
    language = ClaimLanguage.of([(((walk, wave),), 0)])
    assert language.encode(((walk, wave),)) == language.encode(((wave, walk),))
    assert language.encode(((walk,), (wave,))) != language.encode(((wave,), (walk,)))


def test_everything_that_is_written_may_be_written() -> None:
    may_follow, number = LANGUAGE.may_follow(), {token: index for index, token in enumerate(LANGUAGE.tokens)}
    for clip in CLIPS:
        for steps in clip.claims:
            opened, last = len(LANGUAGE.tokens), 0
            for index in LANGUAGE.encode(steps, 1):
                token = LANGUAGE.tokens[index]
                assert may_follow[opened, last, index], (clip.claims, token)
                opened = len(LANGUAGE.tokens) if token in (STEP, OTHER) else index if "=" not in token else opened
                last = index
    assert not may_follow[number["sits"], number["sits"], number["count=2"]]
    assert not may_follow[number["waves"], number["count=2"], number["side=left"]]
    assert np.array_equal(ClaimLanguage.from_json(LANGUAGE.to_json()).may_follow(), may_follow)
    assert LANGUAGE.tokens[0] == END


def test_a_language_holds_every_predicate() -> None:
    crawl, wave = Fact("crawls", {"direction": "forward"}), Fact("waves", {"side": "left"})
    language = ClaimLanguage.of([(((crawl,), (wave,)), 0)])
    assert language.decode(language.encode(((crawl,), (wave,)))) == (((crawl,), (wave,)), 0)
    assert ClaimLanguage.from_json(language.to_json()).may_follow().tolist() == language.may_follow().tolist()
    assert {*PREDICATES} <= {*LANGUAGE.tokens}
