"""Swapped captions: what is swapped, what is left alone, and what never counts."""

from remogpt.motion.mirror import mirror_caption, mirror_each
from remogpt.retriever.hard_negatives import chosen_swaps, swapped_captions
from remogpt.retriever.wording import canonical_caption


def test_each_side_word_alone() -> None:
    assert mirror_each("an anticlockwise turn to his left, right away") == (
        "a clockwise turn to his left, right away",
        "an anticlockwise turn to his right, right away",
    )
    assert mirror_each("a person jumps") == ()
    one = "raises the left-handed bat"
    assert mirror_each(one) == (mirror_caption(one),)


def test_one_word_changes_and_the_order_of_two_actions() -> None:
    assert swapped_captions("a man waves his left hand then sits down") == (
        "a man waves his right hand then sits down",
        "a man waves his left hand then stands up",
        "a man sits down then waves his left hand",
    )
    assert swapped_captions("Someone walks Forward.") == ("Someone walks Backward.",)
    assert swapped_captions("he raises an arm before bowing") == (
        "he lowers an arm before bowing",
        "he raises an arm after bowing",
    )


def test_halves_change_places_under_their_subjects() -> None:
    (swap,) = swapped_captions("a person is waving. after that, he is bowing.")
    assert swap == "a person is bowing. after that, he is waving."
    # A gerund cannot take the place of a finite verb.
    assert swapped_captions("a person is waving and then bows") == ()


def test_phrases_that_name_both_ends_stay() -> None:
    assert swapped_captions("a person hops up and down") == ()
    assert swapped_captions("she steps left and right") == ()
    assert swapped_captions("a person jumps") == ()


def test_true_captions_never_count() -> None:
    caption = "the man turns left"
    assert chosen_swaps(caption, 4) == ("the man turns right",)
    assert chosen_swaps(caption, 4, {canonical_caption("A woman turns right.")}) == ()


def test_the_choice_is_the_same_in_every_run_and_differs_between_captions() -> None:
    captions = [f"a person raises the left arm, walks forward {n} meters and steps down" for n in range(12)]
    chosen = [chosen_swaps(caption, 1) for caption in captions]
    assert chosen == [chosen_swaps(caption, 1) for caption in captions]
    assert all(len(swap) == 1 for swap in chosen) and all(len(chosen_swaps(caption, 9)) == 4 for caption in captions)
    kinds = {swap.replace(str(n), "") for n, (swap,) in enumerate(chosen)}
    assert len(kinds) > 1
