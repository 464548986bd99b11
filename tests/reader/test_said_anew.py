"""A caption in several wordings is read as most of them are."""

import pytest

from remogpt.reader.said_anew import said_anew


@pytest.mark.parametrize(
    ("caption", "last"),
    [
        ("a tall man walks forward.", "a person walks forward"),
        ("The figure is waving", "a person is waving"),
        ("she appears to be jumping", "a person is jumping"),
        ("somebody is in the air", "a person is in the air"),
        ("he waves", "a person waves"),
    ],
)
def test_somebody_is_a_person(caption: str, last: str) -> None:
    said = said_anew(caption)
    assert said[0] == caption and said[-1] == last and len(set(said)) == len(said)


@pytest.mark.parametrize("caption", ["walking in a circle", "humanly slow steps", "manages to sit"])
def test_a_caption_without_a_person_stays(caption: str) -> None:
    assert said_anew(caption) == [caption, f"{caption}."]
    assert said_anew(f"{caption}.") == [f"{caption}.", caption]
