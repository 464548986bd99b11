"""Actions that cannot be mistaken are unasked where no claim names them."""

import pytest

from remogpt.motion.fact_catalogue import fact_number
from remogpt.motion.facts import Fact, Steps, completions
from remogpt.motion.predicates.style import STYLES
from remogpt.motion.unasked import (
    ALONE,
    BACKWARD,
    COST,
    GAITS,
    MANNERS,
    MOST,
    ON_FLOOR,
    SLIGHT,
    STRANGE,
    Shows,
    besides,
    costs,
    left_out,
    unasked,
)


def names(*claimed: str) -> set[str]:
    steps: Steps = tuple((Fact(name),) for name in claimed)
    return {fact.name for fact in unasked(steps)}


def test_who_claims_nothing_asks_for_nothing() -> None:
    assert names() == {*ALONE, *ON_FLOOR, "walks"}


def test_who_walks_walks_forward_unless_a_claim_says_backward() -> None:
    assert BACKWARD in unasked(((Fact("walks"),),)) and BACKWARD in unasked(
        ((Fact("walks", {"direction": "forward"}),),)
    )
    for claim in (Fact("walks", {"direction": "backward"}), Fact("crawls", {"direction": "backward"})):
        assert BACKWARD not in unasked(((Fact("waves"),), (claim,)))
        assert BACKWARD not in left_out(((claim,),))
    assert BACKWARD in left_out(((Fact("walks"),),)), "a caption that does not say so leaves it out"


@pytest.mark.parametrize(
    ("claimed", "may_show", "may_not_show"),
    [
        (("walks",), set(), {*ALONE, *ON_FLOOR}),
        (("walks", "runs"), {"runs"}, {"sits", "lies"}),
        (("lies",), {"lies", "sits_on_floor", "gets_up_from_floor"}, {"crawls", "cartwheels"}),
        (("stands_up",), {"sits", "gets_up_from_floor"}, {"climbs"}),
    ],
)
def test_what_may_be_shown(claimed: tuple[str, ...], may_show: set[str], may_not_show: set[str]) -> None:
    found = names(*claimed)
    assert not found & may_show and found >= may_not_show


def test_a_caption_leaves_out_what_it_does_not_claim_but_a_brisk_walk_is_no_run() -> None:
    walks: Steps = ((Fact("walks", {"direction": "forward"}),),)
    assert {fact.name for fact in left_out(walks)} == names("walks") - GAITS
    assert {fact.name for fact in left_out(())} == names() >= GAITS


def test_every_unasked_action_is_of_the_catalogue() -> None:
    seen = {fact.name for fact in besides(())} - {"walks_like"}
    assert len(seen) == 44 and set(MANNERS) == set(STYLES)
    for name in (*ALONE, *ON_FLOOR, *seen):
        assert any(fact_number(fact) is not None for fact in completions(Fact(name))), name


def test_what_is_shown_besides_costs_little_where_true_motions_show_it_too() -> None:
    steps: Steps = ((Fact("waves"),), (Fact("walks"),))
    costly, strange = besides(steps), STRANGE / 3  # two actions and their order
    assert {fact.name for fact in costly} == {fact.name for fact in besides(())} - {"waves", "walks"}
    expected = {name: costly[Fact(name)] for name in ("kicks", "lunges", "squats", "jumps", "jumping_jacks")}
    assert expected == {
        "kicks": strange,
        "lunges": SLIGHT,
        "squats": strange,
        "jumps": strange,
        "jumping_jacks": strange,
    }
    assert besides(((Fact("waves"),),))[Fact("turns")] == MOST, "who waves stays where they are"
    nothing = besides(())
    shown = {fact for fact, cost in nothing.items() if cost != MOST}
    assert shown == {Fact("walks_like", {"style": style}) for style in ("drunk", "elderly")}, (
        "and who does nothing nothing"
    )


def test_who_walks_plainly_walks_in_no_manner() -> None:
    careful, drunk = (Fact("walks_like", {"style": style}) for style in ("careful", "drunk"))
    plain: Steps = ((Fact("walks"),),)
    assert besides(plain)[careful] == MOST and besides(plain)[drunk] == SLIGHT
    assert not {careful, drunk} & besides(((Fact("walks"), drunk),)).keys(), "some manners look alike"


def test_what_is_unasked_adds_up() -> None:
    steps: Steps = ((Fact("waves"),), (Fact("walks"),))

    def shows(*names: str) -> Shows:
        return lambda fact: fact != BACKWARD and fact.name in {"waves", "walks", *names}

    assert costs(shows(), steps) == (0, 0)
    assert costs(shows("lunges", "squats"), steps) == (0, pytest.approx(SLIGHT + STRANGE / 3))
    assert costs(shows("crawls", "runs", "lunges"), steps) == (COST, pytest.approx(SLIGHT))
    assert costs(lambda _: True, ()) == (COST, pytest.approx(48 * MOST + 2 * SLIGHT)) and costs(
        lambda _: False, ()
    ) == (0, 0)
