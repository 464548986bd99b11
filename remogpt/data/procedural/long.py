"""Make long recordings: three to six steps in a row, 10 to 20 s, with captions that tell where they start and end.

People record several actions in a row, and HumanML3D describes pieces of such recordings. A caption here describes a
stretch of two or three whole steps that is as short as the clips of the set; together the stretches hold every step.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from remogpt.data.clip import Caption
from remogpt.data.procedural.animate import MAX_FRAMES, MIN_FRAMES, Take
from remogpt.data.procedural.clip import ProceduralClip, animated, described, tags_of
from remogpt.data.procedural.curves import FPS
from remogpt.data.procedural.sample import RISES, draw_steps, estimated_seconds, shorten, styled
from remogpt.data.procedural.script import MOST_STEPS, Script
from remogpt.data.procedural.vocabularies import CORE, Vocabulary, get_vocabulary
from remogpt.motion.facts import Fact, Steps
from remogpt.motion.features import features_to_joints

FEWEST_STEPS = 3
SHORTEST, LONGEST = int(10 * FPS), int(20 * FPS)
"""Frames of the features of a recording."""
_STEP_BUDGET = 4.6
"""Seconds that a step may take by `estimated_seconds`, so that two in a row fit a stretch."""
_MARGIN = 5
"""Frames of standing that a stretch has before its first step and after its last one, at most."""
_ON_FLOOR = 0.1
"""Metres under which the lowest joint of a stretch comes; a stair is higher."""
_STRETCH_STEPS = (2, 3)


@dataclass(frozen=True)
class Stretch:
    """Whole steps of a recording, and the frames [start, end) of its features that show them."""

    steps: tuple[int, int]
    """First step, and the one behind the last."""
    start: int
    end: int

    def script(self, whole: Script) -> Script:
        """Return what the stretch shows."""
        return Script(whole.steps[slice(*self.steps)])


def make_recording(seed: int, index: int, *, vocabulary: str = CORE) -> ProceduralClip:
    """Make long recording `index` of the set with this seed and vocabulary; scripts are drawn until one fits."""
    rng = np.random.default_rng((seed, index, 2))
    known = get_vocabulary(vocabulary)
    script, (take, features, facts), stretches = _fitting(known, rng)
    captions: list[Caption] = []
    claims: list[Steps] = []
    tags: dict[str, dict[str, Any]] = {}
    for stretch in stretches:
        shown = stretch.script(script)
        worded, claimed = described(shown, rng, vocabulary)
        captions += [replace(one, start=stretch.start / FPS, end=stretch.end / FPS) for one in worded]
        claims += claimed
        steps = take.timeline[slice(*stretch.steps)]
        tags[captions[-1].times] = tags_of(
            shown, [(start - stretch.start, end - stretch.start) for start, end in steps]
        )
    return ProceduralClip(f"L{index:06d}", script, take, features, captions, facts, claims, tags)


def _fitting(
    known: Vocabulary, rng: np.random.Generator
) -> tuple[Script, tuple[Take, np.ndarray, list[Fact]], tuple[Stretch, ...]]:
    """Draw scripts of one number of steps until one is long enough and can be cut into stretches."""
    num_steps = int(rng.integers(FEWEST_STEPS, MOST_STEPS + 1))
    while True:
        script = _draw(known, num_steps, rng)
        if not SHORTEST <= FPS * estimated_seconds(script) <= LONGEST:
            continue
        try:
            shown = animated(script, rng, max_frames=LONGEST + 1)
        except ValueError:  # it does not fit, as the estimate is no measurement
            continue
        take, features, _ = shown
        lowest = features_to_joints(features)[..., 1].min(axis=1)
        ways = list(ways_to_cut(script, take.timeline, lowest, known))
        if len(features) >= SHORTEST and ways:
            return script, shown, ways[rng.integers(len(ways))]


def _draw(known: Vocabulary, num_steps: int, rng: np.random.Generator) -> Script:
    """Draw steps in a row, each of which leaves room for another one in a stretch where it can be shortened so far."""
    script = styled(known, draw_steps(known, rng, num_steps), rng)
    return Script(tuple(shorten(Script((step,)), budget=_STEP_BUDGET).steps[0] for step in script.steps))


def ways_to_cut(
    script: Script, timeline: Sequence[tuple[int, int]], lowest: np.ndarray, known: Vocabulary
) -> Iterator[tuple[Stretch, ...]]:
    """Yield the ways to cut a recording into stretches, in order and perhaps overlapping, which hold every step.

    A stretch is of a length that clips may have, touches the floor (not all of it is at the top of stairs), and does
    not begin while the person is down, unless it then rises: its captions do not tell what was before.

    Args:
        script: of the recording.
        timeline: frames [start, end) of every step.
        lowest: (T,) metres, height of the lowest joint in every frame of the features.
        known: tells after which actions the person stays down.
    """
    num_steps, down = len(timeline), _down_before(script, known)
    pieces = [
        Stretch((first, stop), *_frames(first, stop, timeline, len(lowest)))
        for first in range(num_steps)
        for stop in range(first + _STRETCH_STEPS[0], min(first + _STRETCH_STEPS[1], num_steps) + 1)
        if not down[first]
    ]
    fitting = [
        piece for piece in pieces
        if MIN_FRAMES <= piece.end - piece.start <= MAX_FRAMES and lowest[piece.start : piece.end].min() < _ON_FLOOR
    ]  # fmt: skip
    return _chains(fitting, -1, 0, num_steps)


def _chains(pieces: Sequence[Stretch], last: int, held: int, num_steps: int) -> Iterator[tuple[Stretch, ...]]:
    """Yield chains of pieces that begin behind step `last` and hold the steps from `held` on."""
    if held == num_steps:
        yield ()
    for piece in pieces:
        first, stop = piece.steps
        if last < first <= held < stop:
            for others in _chains(pieces, first, stop, num_steps):
                yield (piece, *others)


def _down_before(script: Script, known: Vocabulary) -> list[bool]:
    """Return for each step whether the person is down when it begins, and stays there."""
    found, down = [], False
    for step in script.steps:
        legs = step.legs
        found.append(down and not (legs is not None and legs.name in RISES))
        down = legs.name in known.postures if legs is not None else down
    return found


def _frames(first: int, stop: int, timeline: Sequence[tuple[int, int]], num_frames: int) -> tuple[int, int]:
    """Return the frames of steps `first` to `stop`, with a little of what lies between them and their neighbours."""
    before = timeline[first - 1][1] if first else 0
    after = timeline[stop][0] if stop < len(timeline) else num_frames
    return max(before, timeline[first][0] - _MARGIN), min(after, timeline[stop - 1][1] + _MARGIN)
