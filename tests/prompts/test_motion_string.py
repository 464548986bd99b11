"""Motion strings against MotionGPT's, with the differences named one by one."""

import json
from pathlib import Path

import pytest

from remogpt.prompts import codes_to_string, string_to_codes
from remogpt.prompts.motion_string import PLACEHOLDER

DIFFERS = {
    # The reference answers [0], a motion of the real code 0, where there is no complete motion.
    "no_start": (),
    "no_end": (),
    "empty_body": (),
    "plain_text": (),
    "empty": (),
    "end_before_start": (),
    # Start and mask are not codes.
    "mask_token_inside": (4, 6),
    "start_inside": (4, 6),
    # The reference splits at "><" and loses what white space or words separate.
    "spaces_between": (3, 4),
    "words_inside": (3, 4),
}


def test_golden_strings(golden_dir: Path) -> None:
    golden = json.loads((golden_dir / "lm_parts.json").read_text())
    for name, case in golden["motion_string_to_token"].items():
        parsed = string_to_codes(case["in"])
        assert parsed.codes == DIFFERS.get(name, tuple(case["tokens"])), name
        assert parsed.text == case["cleaned_text"], name
    assert [codes_to_string([3, 500, 0, 511, 7, 7, 9, 1]), codes_to_string([1, 2, 3, 4, 5])] == golden[
        "motion_token_to_string"
    ]


def test_round_trip_and_white_space() -> None:
    text = codes_to_string([0, 511, 7])
    assert string_to_codes(text).codes == (0, 511, 7)
    assert string_to_codes("so: " + text.replace("><", "> \n <") + " end").text == f"so: {PLACEHOLDER} end"
    assert string_to_codes("<motion_id_513>" + text).codes == (0, 511, 7)
    assert string_to_codes(codes_to_string([3, 9], num_codes=16), num_codes=16).codes == (3, 9)


def test_codes_outside_the_codebook() -> None:
    with pytest.raises(ValueError, match=r"\[0, 512\), got 512"):
        codes_to_string([1, 512])
