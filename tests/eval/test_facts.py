"""Shares of facts on joints for which it is known which facts hold."""

import numpy as np
import pytest

from remogpt.eval import facts as scores
from remogpt.motion.facts import Fact

WAVES = Fact("waves", {"side": "left", "count": 2})
WALKS = Fact("walks", {"direction": "forward"})
SITS = Fact("sits")
NUMBER = {fact: number for number, fact in enumerate(["waves", "walks", "sits"])}


@pytest.fixture(autouse=True)
def marked_joints(monkeypatch):
    """Let a motion carry the facts that hold in it, so that only the counting is tested here."""

    def read_marks(facts, joints):
        return [bool(joints[0, NUMBER[fact.name], 0]) for fact in facts]

    monkeypatch.setattr(scores, "facts_correct", read_marks)
    monkeypatch.setattr(scores, "facts_hold", lambda facts, joints: [not held for held in read_marks(facts, joints)])


def motion(*holding, num_frames=20):
    joints = np.zeros((num_frames, 22, 3))
    for name in holding:
        joints[0, NUMBER[name], 0] = 1.0
    return joints


def test_shares_by_item_and_by_factor():
    facts = [[WAVES, WALKS], [SITS], []]
    result = scores.evaluate(facts, [motion("waves"), motion("sits"), motion()])
    assert result["share"] == 0.75
    assert result["all_hold"] == 0.5
    assert (result["num_items"], result["num_facts"]) == (2, 3)
    assert result["by_factor"] == {
        "action": {"share": 1.0, "num_facts": 1},
        "count": {"share": 1.0, "num_facts": 1},
        "direction": {"share": 0.0, "num_facts": 1},
    }


def test_the_second_detectors_are_asked_on_request():
    facts, joints = [[WAVES, WALKS], [SITS]], [motion("waves"), motion("sits")]
    assert scores.check_all(facts, joints) == [[True, False], [True]]
    assert scores.check_all(facts, joints, second=True) == [[False, True], [False]]
    assert scores.evaluate(facts, joints, second=True)["share"] == 0.25
    assert scores.floor(facts, joints, second=True)["share"] == 1.0


def test_no_fact_holds_in_a_motion_too_short_to_show_one():
    assert scores.evaluate([[SITS]], [motion("sits", num_frames=8)])["share"] == 0.0


def test_the_floor_gives_every_item_another_ones_motion():
    facts, joints = [[WAVES], [WALKS], [SITS]], [motion("waves"), motion("walks"), motion("sits")]
    assert scores.evaluate(facts, joints)["share"] == 1.0
    for seed in range(5):
        assert scores.floor(facts, joints, seed)["share"] == 0.0


def test_unusable_input_is_refused_with_the_reason():
    with pytest.raises(ValueError, match="no item has facts"):
        scores.evaluate([[]], [motion()])
    with pytest.raises(ValueError, match="facts of 2 items but 1 motions"):
        scores.evaluate([[], []], [motion()])
    with pytest.raises(ValueError, match="at least two items"):
        scores.floor([[SITS]], [motion()])
