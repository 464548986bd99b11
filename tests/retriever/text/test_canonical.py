"""Normal forms of captions."""

import pytest

from remogpt.retriever.text.canonical import canonical_caption, worded


@pytest.mark.parametrize(
    ("caption", "normal"),
    [
        (
            "The man lifts his left arm, and then steps backwards.",
            "a person lifts their left arm then steps backward",
        ),
        ("someone  turns anti-clockwise", "a person turns counterclockwise"),
        ("a tired woman walks. after that, she sits down", "a tired person walks then sits down"),
        ("He jumps two times.", "a person jumps twice"),
        ("walks 2.5 metres at the same time", "walks 2.5 meters simultaneously"),
        ("hops on the right one", "hops on the right one"),
        ("claps a couple of times", "claps twice"),
        ("next, he stands next to a chair", "then stands next to a chair"),
    ],
)
def test_normal_forms(caption: str, normal: str) -> None:
    assert canonical_caption(caption) == normal == canonical_caption(normal)


def test_what_a_motion_shows_is_kept() -> None:
    pairs = [("turns left", "turns right"), ("steps up", "steps down"), ("waves three times", "waves four times"),
             ("walks then waves", "waves then walks"), ("raises an arm", "raises a leg")]  # fmt: skip
    for one, other in pairs:
        assert canonical_caption(f"a man {one}") != canonical_caption(f"a man {other}")


def test_two_forms() -> None:
    caption = "The man waves."
    assert worded(caption, "written") == caption
    assert worded(caption, "canonical") == "a person waves"
