"""Labels of people's captions: facts of the catalogue with allowed values, and the texts they were made for."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from remogpt.data.procedural.actions import descriptions
from remogpt.data.procedural.facts import SHOWN_STYLES
from remogpt.motion.fact_catalogue import fact_number
from remogpt.motion.facts import Fact, completions

LABELS = Path(__file__).with_name("people_captions.json")
WAYS = ("forward", "backward")
SIDES = ("left", "right")
DIRECTIONS = {
    "walks": WAYS,
    "steps": (*WAYS, *SIDES),
    "jumps": ("up", *WAYS, *SIDES),
    "hops": ("up", "forward"),
    "staggers": ("backward", *SIDES),
    "circles": ("clockwise", "counterclockwise"),
    "circles_arm": WAYS,
    "kicks": ("forward", "side", "back"),
    "throws": ("overhand", "underhand"),
    **dict.fromkeys(("raises_hand", "points"), ("forward", "side")),
    **dict.fromkeys(("sidesteps", "turns", "swipes", "swings_arms", "bends_sideways", "looks"), SIDES),
}
VALUES: dict[str, tuple[Any, ...]] = {
    "side": (*SIDES, "both"),
    "speed": ("slow", "normal", "fast"),
    "style": SHOWN_STYLES,
    "moving": (True, False),
}


@pytest.fixture(scope="module")
def labels() -> list[dict[str, Any]]:
    return list(json.loads(LABELS.read_text("utf-8")))


def _claims(label: dict[str, Any]) -> list[dict[str, Any]]:
    return [claim for step in label["steps"] for claim in step]


def test_there_are_201_captions_with_claims_and_39_without(labels: list[dict[str, Any]]) -> None:
    assert sum(bool(label["steps"]) for label in labels) == 201
    assert sum(not label["steps"] for label in labels) == 39
    assert len({label["sha256"] for label in labels}) == 240
    assert all(label["unknown"] for label in labels if not label["steps"])
    assert all(step for label in labels for step in label["steps"])


def test_claims_are_facts_of_the_catalogue(labels: list[dict[str, Any]]) -> None:
    for claim in (claim for label in labels for claim in _claims(label)):
        fact = Fact.from_json(claim)
        for key, value in fact.params.items():
            if key == "direction":
                assert value in DIRECTIONS[fact.name], claim
            elif key in VALUES:
                assert value in VALUES[key], claim
            else:
                assert key in ("count", "distance", "angle") and value > 0, claim


def test_labels_for_the_wide_vocabulary_say_more_by_facts_of_the_catalogue(labels: list[dict[str, Any]]) -> None:
    added = {one.claim[0] for one in descriptions().values()}
    told = [label for label in labels if "wide" in label]
    names = [{claim["name"] for claim in _claims(label["wide"])} for label in told]
    assert len(told) == 61 and sum(bool(added & own) for own in names) == 52
    for label in told:
        claims = [Fact.from_json(claim) for claim in _claims(label["wide"])]
        assert not added & {claim["name"] for claim in _claims(label)} and claims != _claims(label)
        assert all(any(fact_number(fact) is not None for fact in completions(claim)) for claim in claims), label


def test_labels_belong_to_the_texts(labels: list[dict[str, Any]], data_dir: Path) -> None:
    captions = json.loads((data_dir / "text" / "humanml3d_test_captions.json").read_text("utf-8"))["captions"]
    for label in labels:
        text = captions[label["id"]][label["caption"]]
        assert hashlib.sha256(text.encode()).hexdigest()[:12] == label["sha256"]
