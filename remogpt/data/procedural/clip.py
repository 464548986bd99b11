"""Animate and describe one script, and write the clip that comes of it into a set."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from remogpt.data.clip import Caption
from remogpt.data.procedural.animate import MAX_FRAMES, Take, animate
from remogpt.data.procedural.captions import wordings
from remogpt.data.procedural.facts import claims_of, facts_of
from remogpt.data.procedural.script import Script
from remogpt.data.procedural.vocabularies import CORE
from remogpt.data.writer import SetItem, write_item
from remogpt.motion.facts import Fact, Steps, facts_correct
from remogpt.motion.features import features_to_joints, joints_to_features

NUM_CAPTIONS = 3
TAKES = 5
"""Takes of a script at most."""


@dataclass(frozen=True)
class ProceduralClip:
    """One clip, ready to be written."""

    id: str
    script: Script
    take: Take
    features: np.ndarray
    """(T - 1, 263) float32, raw."""
    captions: list[Caption]
    facts: list[Fact]
    claims: list[Steps]
    """What each caption claims."""
    stretches: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Tags of the stretches that captions describe, by their times; none where captions describe the whole."""


def described_clip(clip_id: str, script: Script, rng: np.random.Generator, vocabulary: str) -> ProceduralClip:
    """Animate and describe a script.

    In the core vocabulary, whose clips stay as they are, the first take and all facts are kept.
    """
    take, features, facts = animated(script, rng, keeps_first=vocabulary == CORE)
    captions, claims = described(script, rng, vocabulary)
    return ProceduralClip(clip_id, script, take, features, captions, facts, claims)


def described(script: Script, rng: np.random.Generator, vocabulary: str) -> tuple[list[Caption], list[Steps]]:
    """Return captions of a script and what each claims."""
    worded = wordings(script, rng, num=NUM_CAPTIONS, vocabulary=vocabulary)
    return [one.caption for one in worded], [claims_of(script, one.said) for one in worded]


def animated(
    script: Script, rng: np.random.Generator, *, keeps_first: bool = False, max_frames: int = MAX_FRAMES
) -> tuple[Take, np.ndarray, list[Fact]]:
    """Animate a script, and again, `TAKES` times at most, while its features do not show its facts.

    HumanML3D's features smooth the heading over a second and turn one frame the wrong way where it crosses 180 degrees,
    so that quick turns to and fro come back on another path. Facts that the last take does not show either are not
    stated: four in a thousand.

    Args:
        script: what is shown.
        rng: of the takes.
        keeps_first: keep the first take and all facts, whatever its features show.
        max_frames: longest take.

    Raises:
        ValueError: if the script does not fit `max_frames`.
    """
    facts = facts_of(script)
    for _ in range(TAKES):
        take = animate(script, rng, max_frames=max_frames)
        features = joints_to_features(take.joints)
        if keeps_first:
            return take, features, facts
        shown = facts_correct(facts, features_to_joints(features))
        if all(shown):
            break
    return take, features, [fact for fact, is_shown in zip(facts, shown, strict=True) if is_shown]


def write_clip(folder: Path, clip: ProceduralClip, more_tags: Mapping[str, str]) -> None:
    """Write a clip's files, with further tags."""
    item = SetItem(
        id=clip.id, features=clip.features, captions=clip.captions, joints=clip.take.joints,
        tags={**tags_of(clip.script, clip.take.timeline), **more_tags},
        facts=[fact.to_json() for fact in clip.facts],
        claims=[[[claim.to_json() for claim in step] for step in steps] for steps in clip.claims],
        stretches=clip.stretches, provenance="remogpt procedural animation and grammar",
    )  # fmt: skip
    write_item(folder, item)


def tags_of(script: Script, timeline: list[tuple[int, int]]) -> dict[str, Any]:
    """Return the tags of a script whose steps take these frames."""
    return {
        "script": script.to_json(),
        "combination": script.combination(),
        "num_actions": len(script.actions),
        "style": script.style,
        "timeline": [list(frames) for frames in timeline],
    }
