"""Left and right, in motions and in words."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from remogpt.motion import mirror_caption, mirror_joints
from remogpt.motion.skeleton import JOINT_INDEX


def test_mirroring_twice_changes_nothing():
    joints = np.random.default_rng(0).normal(size=(7, 22, 3)).astype(np.float32)
    np.testing.assert_array_equal(mirror_joints(mirror_joints(joints)), joints)
    np.testing.assert_array_equal(mirror_joints(torch.from_numpy(joints)).numpy(), mirror_joints(joints))


def test_the_left_hand_becomes_the_right_hand():
    joints = np.zeros((1, 22, 3))
    joints[0, JOINT_INDEX["left_wrist"]] = [0.5, 1.2, 0.3]
    np.testing.assert_array_equal(mirror_joints(joints)[0, JOINT_INDEX["right_wrist"]], [-0.5, 1.2, 0.3])


@pytest.mark.parametrize("clip", ["sample_012314", "synth_0", "spin"])
def test_mirrored_joints_equal_the_reference(full_golden_dir: Path, clip):
    with np.load(full_golden_dir / "features.npz", allow_pickle=False) as golden:
        np.testing.assert_allclose(mirror_joints(golden[f"{clip}/joints_in"]), golden[f"{clip}_M/joints_in"], atol=1e-7)


SENTENCES = json.loads((Path(__file__).parents[1] / "data" / "mirror_sentences.json").read_text(encoding="utf-8"))
"""Sentences and their mirror images, those that stay as they are among them: words that only look like sides."""
ONE_WAY = ("counter-clock", "counter clock", "anti-clock", "anti clock", "clock wise", "leans left over")
"""Words that are spelt otherwise after two mirrors; and a left whose mirror image reads as "directly"."""


@pytest.mark.parametrize(("sentence", "mirrored"), SENTENCES)
def test_sentences_by_grammar(sentence: str, mirrored: str) -> None:
    assert mirror_caption(sentence) == mirrored


@pytest.mark.parametrize(("sentence", "mirrored"), SENTENCES)
def test_sentences_mirrored_twice_are_themselves(sentence: str, mirrored: str) -> None:
    if not any(words in sentence.lower() for words in ONE_WAY):
        assert mirror_caption(mirrored) == sentence


def test_there_are_sentences_of_both_kinds() -> None:
    kept = sum(sentence == mirrored for sentence, mirrored in SENTENCES)
    assert kept > 80 and len(SENTENCES) - kept > 80


def test_case_and_everything_else_is_kept() -> None:
    text = "  LEFT\tfoot…  Right-hand\n«left», Łeft, brightly; l'arm left?! "
    assert mirror_caption(text) == "  RIGHT\tfoot…  Left-hand\n«right», Łeft, brightly; l'arm right?! "


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("a person waves with the left hand.", "a person waves with the right hand."),
        ("Left foot, then RIGHT foot", "Right foot, then LEFT foot"),
        ("a left-handed throw to the rightmost side", "a right-handed throw to the leftmost side"),
        ("throws two lefts and steps rightwards", "throws two rights and steps leftwards"),
        ("walks in a clockwise circle", "walks in a counterclockwise circle"),
        ("turns counter-clockwise", "turns clockwise"),
        ("turns counter clockwise", "turns clockwise"),
        ("walks in an anti-clockwise circle", "walks in a clockwise circle"),
        ("kicks at 3 o'clock, then at eleven o'clock", "kicks at 9 o'clock, then at one o'clock"),
        ("an 8 o'clock turn", "a 4 o'clock turn"),
        ("6 o'clock, Twelve o'clock, 12 o'clock, 0 o'clock", "6 o'clock, Twelve o'clock, 12 o'clock, 0 o'clock"),
        ("right/left foot", "left/right foot"),
        ("stands upright right away", "stands upright right away"),
        ("bends the right arm at a right angle right now", "bends the left arm at a right angle right now"),
        ("moves brightly, leftover", "moves brightly, leftover"),
        ("", ""),
    ],
)
def test_captions(caption, expected):
    assert mirror_caption(caption) == expected


def test_agrees_with_humanml3ds_own_mirrored_texts(data_dir: Path):
    captions = json.loads((data_dir / "text/humanml3d_test_captions.json").read_text())["captions"]
    same = total = 0
    for clip, texts in captions.items():
        mirrored = captions.get(f"M{clip}", [])
        for text, theirs in zip(texts, mirrored, strict=False) if len(texts) == len(mirrored) else ():
            total += 1
            same += mirror_caption(text) == theirs
    # The rest is theirs: "counter counterclockwise", "upleft", and four captions that were written anew.
    assert total > 5000 and same / total > 0.985
