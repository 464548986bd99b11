"""Facts found once say what the predicates say, for every fact of the catalogue, and are tied to their version."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from remogpt.data.procedural.animate import animate
from remogpt.data.procedural.facts import facts_of
from remogpt.data.procedural.make import make_clip
from remogpt.data.procedural.sample import sample_script
from remogpt.data.procedural.script import Action, Script, Step
from remogpt.data.procedural.vocabularies import VOCABULARIES, WIDE
from remogpt.motion.body import Body
from remogpt.motion.fact_catalogue import PREDICATES_VERSION, catalogue, catalogue_hash, fact_number, weaker
from remogpt.motion.facts import Fact, events, facts_correct, holds, related
from remogpt.motion.found_facts import FoundFacts, find_facts
from remogpt.motion.predicates import PREDICATES
from remogpt.runtime.errors import RemogptError
from tests.motion.test_facts import recordings, standing, waving

FOUND = {
    1: "7db8df58bfa9c189",
    2: "92e3ca99f4535f3d",
    3: "74ac2e6142162d09",
    4: "76c85636ed054ee4",
    5: "83a865f6a03c11b7",
    6: "5387af01ea981f53",
    7: "fd01395512c673ac",
    8: "60bbbc2692bcba5c",
}
"""Version of the predicates -> what they find in the recordings below."""


def test_what_is_shaken_is_not_carried() -> None:
    carry = animate(Script((Step((Action("carry"),)),)), np.random.default_rng(1)).joints
    shaken = carry.copy()
    shaken[:, [20, 21], 1] += 0.09 * np.sin(2 * np.pi * np.arange(len(carry)) / 16)[:, None]
    assert [facts_correct([Fact("carries")], motion) for motion in (carry, shaken)] == [[True], [False]]


def real_clips(data_dir: Path) -> list[np.ndarray]:
    contents = (
        "bow", "bye", "call", "dance-short", "dash", "guide", "kick", "punch", "raise-up-both-hands", "respond", "run",
        "slash", "walk", "walk-back", "walk-left", "walk-turn-left", "wave-both-hands", "wave-left-hand",
    )  # fmt: skip
    return [joints for content in contents for joints in recordings(data_dir, content, num=1)]


def assert_equal_to_predicates(joints: np.ndarray) -> None:
    found, body = find_facts(joints), Body(joints)
    expected = [(number, *one) for number, fact in enumerate(catalogue()) for one in events(fact, body)]
    assert found.rows.tolist() == [list(row) for row in expected]


def test_statements_say_most_once_for_each_side_and_nothing_that_is_easily_seen() -> None:
    wave = Script((Step((Action("wave", side="right", count=3),)), Step((Action("wave", side="left", count=2),))))
    walk = Script((Step((Action("walk", direction="forward", distance=3.0),)),))
    waving, walking = (find_facts(animate(one, np.random.default_rng(0)).joints).statements() for one in (wave, walk))
    assert {Fact("waves", {"side": "right", "count": 3}), Fact("waves", {"side": "left", "count": 2})} <= set(waving)
    assert [fact for fact in walking if fact.name == "walks"] == [Fact("walks", {"direction": "forward"})]
    assert len({(one.name, one.params.get("side")) for one in waving}) == len(waving)
    curl = find_facts(
        animate(Script((Step((Action("curl", side="left", count=3),)),)), np.random.default_rng(0)).joints
    )
    assert curl.holds(Fact("curls", {"side": "left"})) and "curls" not in {one.name for one in curl.statements()}


def test_found_facts_are_what_the_predicates_say_of_procedural_clips() -> None:
    for index in range(20):
        assert_equal_to_predicates(make_clip(9, index).take.joints)
    assert_equal_to_predicates(make_clip(9, 35).take.joints)  # kicks: four of five are back
    for index in range(10):
        assert_equal_to_predicates(make_clip(9, index, vocabulary=WIDE).take.joints)


@pytest.mark.slow
def test_found_facts_are_what_the_predicates_say_of_recordings(data_dir: Path) -> None:
    for joints in real_clips(data_dir):
        assert_equal_to_predicates(joints)


def test_what_bodies_remember_changes_no_fact() -> None:
    joints = make_clip(9, 3).take.joints
    found = find_facts(joints)
    for fact in catalogue()[::7]:
        assert found.holds(fact) == holds(fact, Body(joints))


def test_relations_follow_from_the_stored_intervals() -> None:
    num_true = 0
    for index in range(40):
        clip = make_clip(9, index)
        relations = [fact for fact in clip.facts if fact.name in ("before", "while")]
        found, body = find_facts(clip.take.joints), Body(clip.take.joints)
        for fact in relations:
            first, second = Fact.from_json(fact.params["first"]), Fact.from_json(fact.params["second"])
            for asked in (fact, related(fact.name, second, first)):
                assert found.holds(asked) == holds(asked, body)
                num_true += found.holds(asked)
    assert num_true > 8


def test_share_counts_the_facts_that_hold() -> None:
    found = find_facts(waving("left", 3))
    left, right = Fact("waves", {"side": "left"}), Fact("waves", {"side": "right"})
    thrice = Fact("waves", {"side": "left", "count": 3})
    assert found.events(thrice) == [(int(a), int(b)) for a, b in events(thrice, Body(waving("left", 3)))]
    assert found.share([left, thrice]) == 1.0 and found.share([left, right, thrice, Fact("sits")]) == 0.5
    assert found.share([related("while", left, thrice), related("while", left, right)]) == 0.5
    assert np.isnan(found.share([]))


def test_what_a_fact_leaves_open_may_be_anything() -> None:
    for index in range(12):
        joints = make_clip(9, index).take.joints
        found, body = find_facts(joints), Body(joints)
        for fact in (Fact("waves"), Fact("walks"), Fact("walks", {"speed": "slow"}), Fact("turns"), Fact("kicks")):
            assert found.events(fact) == list(events(fact, body)) and found.holds(fact) == holds(fact, body)
    assert find_facts(waving("right", 3)).holds(Fact("waves", {"side": None, "count": 3}))


def test_numbers_off_the_grid_are_taken_for_the_nearest() -> None:
    def numbered(name: str, **params: object) -> Fact | None:
        number = fact_number(Fact(name, dict(params)))
        return None if number is None else catalogue()[number]

    assert numbered("walks", direction="forward", distance=3.3) == numbered("walks", direction="forward", distance=3.5)
    assert numbered("turns", direction="left", angle=100) == Fact("turns", {"direction": "left", "angle": 90.0})
    assert numbered("squats", count=14) == Fact("squats", {"count": 10})
    assert numbered("squats", count=None) == Fact("squats")
    # What no caption of the vocabulary claims is not in the catalogue, and holds for no motion.
    assert numbered("waves") is None and numbered("walks", direction="left") is None
    assert not find_facts(waving("left", 3)).holds(Fact("walks", {"direction": "left"}))
    assert fact_number(related("before", Fact("sits"), Fact("bows"))) is None


def test_the_catalogue_has_every_predicate_once_and_what_clips_claim() -> None:
    facts = catalogue()
    assert {fact.name for fact in facts} == set(PREDICATES)
    assert len({json.dumps(fact.to_json(), sort_keys=True) for fact in facts}) == len(facts) < 65536
    assert all(number < own for own, says_less in enumerate(weaker()) for number in says_less)
    rng = np.random.default_rng(0)
    scripts = [sample_script(rng, name) for name in VOCABULARIES for _ in range(1000)]
    claimed = [fact for script in scripts for fact in facts_of(script)]
    assert all(fact_number(fact) is not None for fact in claimed if fact.name not in ("before", "while"))


def test_a_short_or_still_motion_proves_nothing() -> None:
    for joints in (standing(8), standing(40)):
        found = find_facts(joints)
        assert found.rows.shape == (0, 3) and not found.holds(Fact("sits"))
    with pytest.raises(RemogptError, match="finite"):
        find_facts(standing(20) * np.nan)


def test_rows_keep_the_order_in_which_intervals_were_found() -> None:
    rows = np.array([[4, 9, 12], [4, 2, 5], [6, 0, 3]], dtype=np.uint16)
    assert FoundFacts(rows).events(catalogue()[4]) == [(9, 12), (2, 5)]


def test_a_change_of_what_is_found_needs_a_new_version(data_dir: Path) -> None:
    rows = [find_facts(joints).rows.tolist() for joints in real_clips(data_dir)]
    found = hashlib.sha256(json.dumps([catalogue_hash(), rows]).encode()).hexdigest()[:16]
    assert FOUND.get(PREDICATES_VERSION) == found, (
        "the predicates, the body's measurements or the catalogue find something else than version "
        f"{PREDICATES_VERSION} did: raise PREDICATES_VERSION in motion/fact_catalogue.py, enter {found!r} for it in "
        "FOUND here, and build the databases that ship with the package anew"
    )
