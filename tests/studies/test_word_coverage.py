"""The share of captions whose words are all shown: forms, spellings, halves."""

import json
import zlib
from pathlib import Path

import pytest

from remogpt.data.procedural.sample import atomic_actions
from remogpt.runtime.errors import RemogptError
from studies import word_coverage
from studies.word_coverage import coverage, main, missing_words, of_half, shown_words

SHOWN = frozenset(("walk", "hand", "counterclockwis", "wav"))


def test_forms_spellings_and_frames_of_shown_words_are_known() -> None:
    assert missing_words("A man appears to be waving with two hands.", SHOWN) == set()
    assert missing_words("they walked counter clockwise", SHOWN) == set()
    assert missing_words("a person juggles and walks", SHOWN) == {"juggl"}


def test_coverage_counts_captions_and_missing_words() -> None:
    share, lacking = coverage(["he waves", "he juggles", "he walks and juggles", "walk!"], SHOWN)
    assert share == 0.5 and lacking == {"juggl": 2}


def test_halves_part_the_ids() -> None:
    captions = {f"{number:06d}": [f"caption {number}"] for number in range(60)}
    even, odd = of_half(captions, "even"), of_half(captions, "odd")
    assert even and odd and sorted(even + odd) == sorted(of_half(captions, "both"))
    assert all(zlib.crc32(text.split()[1].zfill(6).encode()) % 2 == 0 for text in even)


def test_words_are_listed_of_one_half_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(word_coverage, "shown_words", lambda vocabulary: SHOWN)
    file = tmp_path / "captions.json"
    file.write_text(json.dumps({"captions": {str(number): ["he juggles"] for number in range(8)}}))
    with pytest.raises(RemogptError, match="add --half even"):
        main(["--captions", str(file), "--missing", "5"])
    assert main(["--captions", str(file), "--half", "even", "--missing", "5"]) == 0
    assert json.loads(capsys.readouterr().out)["missing"].keys() == {"juggl"}


def test_words_of_actions_speeds_and_styles_are_shown_where_detectors_tell_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few = [one for one in atomic_actions("wide") if one.name in ("walk", "stand", "crawl", "bow", "squat")]
    monkeypatch.setattr(word_coverage, "atomic_actions", lambda vocabulary: few)
    shown = shown_words("wide")
    assert {"walk", "crawl", "quick", "limp", "backward"} <= shown
    assert not {"wav", "stir", "happi"} & shown
