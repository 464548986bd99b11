"""Second detectors on clips of known scripts: what is true is found, what is contradicted is refused."""

from functools import cache

import numpy as np
import pytest

from remogpt.data.procedural.animate import animate
from remogpt.data.procedural.script import Action, Script, Step
from remogpt.eval.detectors import facts_hold, holds, leaps
from remogpt.eval.detectors.event import DETECTORS
from remogpt.eval.detectors.figure import Figure
from remogpt.motion.facts import Fact
from remogpt.motion.predicates import PREDICATES
from remogpt.runtime.errors import RemogptError


@cache
def joints(*steps: tuple[Action, ...], seed: int = 3) -> np.ndarray:
    return animate(Script(tuple(Step(step) for step in steps)), np.random.default_rng(seed)).joints


def shown(*actions: Action) -> np.ndarray:
    return joints(actions)


def agree(motion: np.ndarray, true: list[Fact], wrong: list[Fact]) -> None:
    answers = facts_hold([*true, *wrong], motion)
    assert answers == [True] * len(true) + [False] * len(wrong)


def pair(name: str, first: Fact, second: Fact) -> Fact:
    return Fact(name, {"first": first.to_json(), "second": second.to_json()})


WALK = Action("walk", direction="forward", distance=3.0)
WAVE = Action("wave", "left", count=3)
CASES = {
    "walk": (
        WALK,
        [("walks", {"direction": "forward"}), ("walks", {"direction": "forward", "distance": 3.0})],
        [("walks", {"direction": "backward"}), ("walks", {"direction": "forward", "distance": 5.4}), ("runs", {})],
    ),
    "run": (
        Action("run", direction="forward", distance=6.0),
        [("runs", {}), ("runs", {"distance": 6.0})],
        [("runs", {"distance": 3.0}), ("walks", {"direction": "forward"}), ("jumps", {})],
    ),
    "sidestep": (
        Action("sidestep", direction="left", distance=1.6),
        [("sidesteps", {"direction": "left"})],
        [("sidesteps", {"direction": "right"}), ("walks", {"direction": "forward"})],
    ),
    "lean": (
        Action("lean", direction="backward"),
        [("leans", {"direction": "backward"}), ("leans", {})],
        [("leans", {"direction": "forward"}), ("bows", {}), ("is_pushed", {}), ("falls", {})],
    ),
    "sway": (
        Action("sway", count=3),
        [("sways", {}), ("sways", {"count": 3})],
        [("sways", {"count": 2}), ("sways", {"count": 4}), ("dances", {}), ("leans", {})],
    ),
    "pushed": (
        Action("pushed", direction="left"),
        [("is_pushed", {"direction": "left"}), ("is_pushed", {})],
        [("is_pushed", {"direction": "right"}), ("is_pushed", {"direction": "forward"}), ("stumbles", {})],
    ),
    "fall": (
        Action("fall", direction="forward"),
        [("falls", {"direction": "forward"}), ("falls", {})],
        [("falls", {"direction": "backward"}), ("is_pushed", {}), ("sits_on_floor", {})],
    ),
    "skip": (Action("skip", distance=3.0), [("skips", {})], [("gallops", {}), ("runs", {}), ("crawls", {})]),
    "gallop": (
        Action("gallop", "right", distance=3.0),
        [("gallops", {"side": "right"}), ("gallops", {})],
        [("gallops", {"side": "left"}), ("skips", {}), ("runs", {})],
    ),
    "side_gallop": (
        Action("side_gallop", direction="left", distance=2.0),
        [("gallops_sideways", {"direction": "left"})],
        [("gallops_sideways", {"direction": "right"}), ("gallops", {}), ("skips", {})],
    ),
    "turn": (
        Action("turn", direction="right", angle=180.0),
        [("turns", {"direction": "right", "angle": 180.0}), ("turns", {"direction": "right", "moving": False})],
        [("turns", {"direction": "left"}), ("turns", {"direction": "right", "angle": 90.0})],
    ),
    "circle": (
        Action("circle", direction="clockwise", distance=6.0),
        [("circles", {"direction": "clockwise"}), ("turns", {"direction": "right", "moving": True})],
        [("circles", {"direction": "counterclockwise"})],
    ),
    "jump": (
        Action("jump", direction="forward", count=2, distance=1.2),
        [("jumps", {"direction": "forward"}), ("jumps", {"count": 2})],
        [("jumps", {"count": 3}), ("jumps", {"direction": "up"}), ("hops", {"side": "left"})],
    ),
    "hop": (
        Action("hop", "right", "up", count=3),
        [("hops", {"side": "right", "count": 3})],
        [("hops", {"side": "left"}), ("hops", {"side": "right", "count": 2}), ("jumps", {})],
    ),
    "squat": (
        Action("squat", count=2),
        [("squats", {"count": 2})],
        [("squats", {"count": 3}), ("sits", {}), ("lunges", {"side": "left"})],
    ),
    "sit": (Action("sit"), [("sits", {})], [("squats", {}), ("kneels", {"side": "left"}), ("stands_up", {})]),
    "kneel": (Action("kneel", "left"), [("kneels", {"side": "left"})], [("kneels", {"side": "right"}), ("sits", {})]),
    "kick": (
        Action("kick", "right", "side", count=2),
        [("kicks", {"side": "right", "direction": "side", "count": 2})],
        [("kicks", {"side": "left"}), ("kicks", {"side": "right", "direction": "forward"})],
    ),
    "march": (
        Action("knee_raise", "both", count=4),
        [("lifts_knee", {"side": "both", "count": 4})],
        [("lifts_knee", {"side": "left"}), ("lifts_knee", {"side": "both", "count": 3})],
    ),
    "wave": (
        WAVE,
        [("waves", {"side": "left", "count": 3})],
        [
            ("waves", {"side": "right"}),
            ("waves", {"side": "left", "count": 2}),
            ("knocks", {"side": "left"}),
            ("swipes", {"side": "left"}),
        ],
    ),
    "raise": (
        Action("raise", "both", "side"),
        [("raises_hand", {"side": "both", "direction": "side"})],
        [("raises_hand", {"side": "left"}), ("raises_hand", {"side": "both", "direction": "forward"})],
    ),
    "punch": (
        Action("punch", "right", count=3),
        [("punches", {"side": "right", "count": 3})],
        [("punches", {"side": "both"}), ("punches", {"side": "right", "count": 4}), ("pushes", {})],
    ),
    "throw": (
        Action("throw", "left", "underhand"),
        [("throws", {"side": "left", "direction": "underhand"})],
        [("throws", {"side": "right"}), ("throws", {"side": "left", "direction": "overhand"})],
    ),
    "swipe": (
        Action("swipe", "right", "left"),
        [("swipes", {"side": "right", "direction": "left"})],
        [("swipes", {"side": "left"}), ("swipes", {"direction": "right"}), ("swings_arms", {})],
    ),
    "place": (
        Action("place", "right", "left"),
        [("puts_down", {"side": "right", "direction": "left"}), ("puts_down", {})],
        [("puts_down", {"side": "both"}), ("puts_down", {"side": "left"}), ("puts_down", {"direction": "forward"})],
    ),
    "reach": (
        Action("reach", "left", "forward"),
        [("reaches", {"side": "left", "direction": "forward"}), ("reaches", {})],
        [("reaches", {"side": "right"}), ("reaches", {"direction": "left"}), ("puts_down", {})],
    ),
    "move_aside": (
        Action("move_aside", "both", "right"),
        [("moves_aside", {"side": "both", "direction": "right"}), ("moves_aside", {})],
        [("moves_aside", {"side": "left"}), ("moves_aside", {"direction": "left"}), ("swipes", {"side": "left"})],
    ),
    "salute": (
        Action("salute", "right"),
        [("salutes", {"side": "right"})],
        [("salutes", {"side": "left"}), ("drinks", {"side": "right"}), ("scratches_head", {"side": "right"})],
    ),
    "clap": (Action("clap", count=4), [("claps", {"count": 4})], [("claps", {"count": 3}), ("crosses_arms", {})]),
    "arm_circle": (
        Action("arm_circle", "left", "backward", count=2),
        [("circles_arm", {"side": "left", "direction": "backward", "count": 2})],
        [("circles_arm", {"side": "right"}), ("circles_arm", {"side": "left", "direction": "forward"})],
    ),
    "bow": (Action("bow"), [("bows", {})], [("squats", {}), ("picks_up", {"side": "left"})]),
    "bend": (
        Action("side_bend", direction="left", count=2),
        [("bends_sideways", {"direction": "left", "count": 2})],
        [("bends_sideways", {"direction": "right"}), ("bends_sideways", {"direction": "left", "count": 1})],
    ),
    "twist": (
        Action("twist", count=2),
        [("twists", {"count": 2})],
        [("twists", {"count": 3}), ("looks", {"direction": "left"})],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_true_is_found_and_what_is_contradicted_is_refused(case: str) -> None:
    action, true, wrong = CASES[case]
    agree(shown(action), [Fact(*one) for one in true], [Fact(*one) for one in wrong])


def test_wiping_is_done_in_front_of_the_trunk() -> None:
    wipes = joints((Action("wipe", "right"),), seed=4)
    above = wipes.copy()
    above[:, 21, 1] += 0.5  # the wiping hand, as high as the head
    assert [holds(Fact("wipes"), motion) for motion in (wipes, above)] == [True, False]


def test_a_hand_is_raised_from_where_it_hung() -> None:
    motion = shown(Action("raise", "left", "side"))
    (event,) = DETECTORS["raises_hand"](Figure(motion))
    heights = motion[:, 20, 1] - motion[:, 15, 1]
    assert heights[event.start] < 0 < heights[event.start : event.end].max()


def test_a_flight_ends_after_its_top() -> None:
    """Also where the feet leave the floor only there."""
    rising, falling = np.array([0.0, 0.0, 0.05, 0.05, 0.0]), np.array([0.0, 0.05, 0.05, 0.0, 0.0])
    assert leaps._flight(rising, 2) == (2, 4) and leaps._flight(falling, 2) == (1, 3)


def test_styles_of_walking() -> None:
    styles = ("sneaky", "elderly", "drunk", "limping_left", "limping_right", "careful")
    for style in styles:
        motion = shown(Action("walk", direction="forward", distance=3.5, style=style))
        assert [holds(Fact("walks_like", {"style": one}), motion) for one in styles] == [one == style for one in styles]


@pytest.mark.parametrize("speed", ["slow", "normal"])
def test_a_walk_with_arms_held_out_is_not_careful(speed: str) -> None:
    walk, arms = Action("walk", direction="forward", distance=3.0, speed=speed), Action("arms_out", direction="side")
    agree(
        shown(walk, arms), [Fact("holds_arms_out", {"direction": "side"})], [Fact("walks_like", {"style": "careful"})]
    )


def test_paces_of_walking() -> None:
    for speed in ("slow", "fast"):
        motion = shown(Action("walk", direction="forward", distance=4.0, speed=speed))
        answers = {
            word: holds(Fact("walks", {"direction": "forward", "speed": word}), motion)
            for word in ("slow", "normal", "fast")
        }
        assert answers == {word: word == speed for word in answers}


def test_order_is_read_from_the_times_of_both() -> None:
    wave, bow = Fact("waves", {"side": "left"}), Fact("bows")
    motion = joints((WAVE,), (Action("bow"),))
    agree(motion, [pair("before", wave, bow)], [pair("before", bow, wave), pair("while", wave, bow)])


def test_what_comes_again_is_seen_on_both_sides() -> None:
    walk, turn = Fact("walks", {"direction": "forward"}), Fact("turns")
    there, back = Action("walk", direction="forward", distance=2.0), Action("turn", direction="left", angle=180.0)
    both = joints((there,), (back,), (there,))
    agree(both, [pair("then", walk, turn), pair("then", turn, walk), pair("then", walk, walk)], [])
    once = joints((there,), (back,))
    agree(once, [pair("then", walk, turn)], [pair("then", turn, walk), pair("then", turn, turn)])


def test_simultaneity_wants_a_common_time() -> None:
    walk, wave = Fact("walks", {"direction": "forward"}), Fact("waves", {"side": "left"})
    together, apart = shown(WALK, WAVE), joints((WALK,), (WAVE,))
    assert holds(pair("while", walk, wave), together) and not holds(pair("while", walk, wave), apart)
    assert not holds(pair("while", walk, Fact("waves", {"side": "right"})), together)


@pytest.mark.parametrize("case", ["walk", "wave", "kick", "turn", "throw"])
def test_start_heading_and_place_do_not_matter(case: str) -> None:
    action, true, wrong = CASES[case]
    motion, angle = shown(action), 2.2
    turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    agree(motion @ turn.T + [4.0, 0.3, -7.0], [Fact(*one) for one in true], [Fact(*one) for one in wrong])


def test_answers_are_the_same_every_time_and_joints_stay_as_they_are() -> None:
    motion = shown(WALK, WAVE)
    before = motion.copy()
    facts = [Fact("waves", {"side": "left", "count": 3}), Fact("walks", {"direction": "forward", "distance": 3.0})]
    assert facts_hold(facts, motion) == facts_hold(facts, motion) == [holds(fact, motion) for fact in facts]
    np.testing.assert_array_equal(motion, before)


def test_every_fact_of_the_catalogue_has_a_detector() -> None:
    assert set(DETECTORS) == set(PREDICATES)


def test_a_motion_at_rest_shows_nothing() -> None:
    still = np.repeat(shown(Action("stand"))[:1], 60, axis=0)
    assert {name for name, find in DETECTORS.items() if facts_hold([Fact(name)], still)[0]} == set()


def test_unknown_facts_and_unusable_joints_are_refused_with_the_reason() -> None:
    motion = shown(WALK)
    nameless = Fact("bows")
    object.__setattr__(nameless, "name", "flies")
    with pytest.raises(RemogptError, match="no second detector for 'flies'; known are balances, bends_sideways"):
        holds(nameless, motion)
    grand = Fact("walks_like", {"style": "sneaky"})
    grand.params["style"] = "grand"
    with pytest.raises(RemogptError, match=r"walks_like knows sneaky.*got 'grand'"):
        holds(grand, motion)
    with pytest.raises(RemogptError, match=r"shape \(T >= 16, 22, 3\), got \(15, 22, 3\)"):
        holds(Fact("bows"), motion[:15])
    with pytest.raises(RemogptError, match="finite joints"):
        holds(Fact("bows"), np.full((20, 22, 3), np.nan))
