"""What is said of captions: unknown words, other languages, negations, numbers out of range."""

from pathlib import Path

import pytest

from remogpt.notices import KnownWords, Notice, notices_of_caption, respelled
from remogpt.notices.numbers import find_numbers
from remogpt.notices.spelling import Spelling, is_english
from remogpt.notices.words import stem, words_of
from remogpt.runtime.errors import RemogptError

CAPTIONS = (
    "a person walks forward for 3.5 meters, then waves with the right hand three times",
    "someone kicks with the left leg ten times without moving",
    "the man turns around by 180 degrees, jumping up and down and clapping",
)


@pytest.fixture(scope="module")
def known() -> KnownWords:
    return KnownWords.from_captions(CAPTIONS)


class Meanings:
    """A text model that knows three words."""

    def nearest(self, word: str) -> str | None:
        return {"cartwheel": "jumping"}.get(word)


def kinds(text: str, known: KnownWords) -> list[str]:
    return [notice.kind for notice in notices_of_caption(text, known, Meanings())]


@pytest.mark.parametrize(
    "text",
    [
        *CAPTIONS,
        "He walked forwards while she waved both hands, and kicked.",
        "a girl's right hand waves twice without moving",
        "a person turns 45 degrees",
        "",
    ],
)
def test_ordinary_captions_are_not_doubted(text: str, known: KnownWords) -> None:
    assert kinds(text, known) == []


@pytest.mark.parametrize(
    ("text", "kind", "part"),
    [
        ("a person does a cartwheel", "unknown_word", '"cartwheel"; nearest in meaning of those it knows: "jumping"'),
        ("a person walls forward", "unknown_word", '"walls"'),
        ("a person wlaks forward", "misspelling", '"wlaks" is read as "walks"'),
        ("a person strums a guitar melody", "unknown_word", 'few of the caption\'s words; not "strums"'),
        ("una persona camina hacia adelante", "language", "Spanish"),
        ("eine Person geht nach vorne", "language", "German"),
        ("人が歩く", "language", "Latin letters"),
        ("a person does not walk", "negation", '"not walk"'),
        ("a person walks without waving the hand", "negation", '"without waving"'),
        ("the man doesn't jump", "negation", '"doesn\'t jump"'),
        ("a person jumps forty times", "out_of_range", '"forty times" is beyond what the model has learnt, up to 10'),
        ("a person walks 100 meters", "out_of_range", "up to 3.5 meters"),
        ("a person turns 720 degrees", "out_of_range", "up to 180 degrees"),
        ("a person claps zero times", "out_of_range", '"zero times"'),
    ],
)
def test_odd_captions_are(text: str, kind: str, part: str, known: KnownWords) -> None:
    (notice,) = notices_of_caption(text, known, Meanings())
    assert notice.kind == kind and part in notice.text and not notice.text.endswith(".")


def test_a_foreign_letter_makes_no_foreign_caption(known: KnownWords) -> None:
    assert "language" not in kinds("a person walks to the café", known)


def test_two_foreign_words_make_no_foreign_caption(known: KnownWords) -> None:
    assert "language" not in kinds("a person walks forward und waves with the right hand nach three times", known)


def test_misspelled_words_are_mended_and_nothing_else_changes(known: KnownWords) -> None:
    assert (
        respelled("A persno's leg wlaks FOWARD,  then-waves tiems!", known)
        == "A person's leg walks forward,  then-waves times!"
    )
    assert respelled("a person walls and saunters", known) == "a person walls and saunters"


def test_foreign_words_are_not_mended(known: KnownWords) -> None:
    spanish = "una persona camina hacia adelante con las manoss"
    assert respelled(spanish, known) == spanish


def test_each_word_and_each_reason_is_told(known: KnownWords) -> None:
    text = "a person waves without a ukulele, then walks for 80 meters and never yodels"
    assert sorted(kinds(text, known)) == ["negation", "negation", "out_of_range", "unknown_word", "unknown_word"]


def test_words_of_further_captions_are_known_too(known: KnownWords) -> None:
    wider = known.with_words_of(["someone plays a ukulele", "a man walks"])
    assert wider.knows("ukuleles") and not known.knows("ukulele")
    assert (wider.negations, wider.largest) == (known.negations, known.largest)
    assert known.with_words_of(["a man walks"]) is known


def test_each_stem_means_what_its_most_frequent_word_does() -> None:
    captions = ("he walks and walks, then he walked and waves twice without moving", "walking 3.5 to the wave, waves")
    assert KnownWords.from_captions(captions).meaningful == ("walks", "waves", "moving")


def test_words_of_a_large_set_are_known_from_their_second_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a large set says once is a typing error."""
    monkeypatch.setattr("remogpt.notices.known_words.CAPTIONS_A_USE", 2)
    captions = ("a man waves", "a man wawes and jumps 9 times", "a man waves without moving", "a man jumps 3 times")
    known = KnownWords.from_captions([*captions, captions[-1]])
    assert list(known.words) == ["a", "man", "jumps", "times", "3", "waves"]
    assert not known.negations and known.largest == {"times": 3.0}


def test_words_are_kept_in_a_file(known: KnownWords, tmp_path: Path) -> None:
    assert KnownWords.load(tmp_path) is None
    known.save(tmp_path)
    loaded = KnownWords.load(tmp_path)
    assert loaded is not None and list(loaded.words) == list(known.words)
    assert (loaded.negations, loaded.largest) == (known.negations, known.largest) == (
        {"without moving"}, {"times": 10.0, "meters": 3.5, "degrees": 180.0},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[]", "wanted object, got array"),
        ('{"format": 1, "words": ["a"]}', "missing required field negations"),
        ('{"format": 2, "words": [], "negations": [], "largest": {}}', "has format 2, newer than 1"),
    ],
)
def test_a_damaged_file_is_refused(content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "words.json").write_text(content, encoding="utf-8")
    with pytest.raises(RemogptError, match=message):
        KnownWords.load(tmp_path)


@pytest.mark.parametrize(
    "forms",
    [
        "walk walks walked walking",
        "run runs ran running",
        "catch catches caught",
        "raise raises raised raising",
        "metre meter meters m",
        "slow slowly",
        "hurry hurries hurried",
    ],
)
def test_forms_of_a_word_have_one_stem(forms: str) -> None:
    assert len({stem(word) for word in forms.split()}) == 1


def test_words_of_a_caption() -> None:
    assert words_of("The man’s side-kick, 2.5 m: don't!") == ["the", "man", "side-kick", "2.5", "m", "don't"]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("jumps forty-five times", [(45, "times")]),
        ("walks 5.5 meters, turns 90 degrees, waves twice", [(5.5, "meters"), (90, "degrees"), (2, "times")]),
        ("for four and a half meters", [(4.5, "meters")]),
        ("half a meter", [(0.5, "meter")]),
        ("a hundred claps and a dozen hops", [(100, "claps"), (12, "hops")]),
        ("two thousand meters", [(2000, "meters")]),
        ("a person, once", [(1, "times")]),
        ("an arm", []),
    ],
)
def test_numbers_of_a_caption(text: str, values: list[tuple[float, str]]) -> None:
    assert [(number.value, number.unit) for number in find_numbers(text)] == values


def test_spelling() -> None:
    spelling = Spelling(["catches", "walk", "clapping", "jumping", "scratches", "arm", "sidestep"])
    meant = {"jumpping": "jumping", "wlak": "walk", "armm": "arm", "scatches": "scratches", "clappnigg": "clapping"}
    assert {word: spelling.meant(word) for word in meant} == meant
    far = ("wak", "zebrah", "wllakk", "jmpngi", "mid-step")
    assert not any(map(spelling.meant, far))


def test_english_words_are_not_misspelled() -> None:
    assert is_english("gait") and is_english("stoops") and not is_english("wlaks")
    assert Spelling(["wait", "stops"]).meant("gait") is Spelling(["wait", "stops"]).meant("stoops") is None


def test_a_notice_reads_as_its_sentence() -> None:
    notice = Notice("negation", "never")
    assert str(notice) == "never" and notice.to_json() == {"kind": "negation", "text": "never"}
