"""Draw scripts: a long tail over actions, sides, directions, speeds, styles and their combinations.

About half of the scripts show one action, a quarter several at once, a quarter two or three in a row. Everyday actions
are frequent; three in ten single draws (nearly half in the wide vocabulary) ignore the weights, so that every (action,
side, direction) is seen often enough. Counts and distances are cut before the animation so that every script fits 196
frames.
"""

from dataclasses import replace
from itertools import product

import numpy as np

from remogpt.data.procedural.actions import descriptions
from remogpt.data.procedural.script import Action, Script, Step
from remogpt.data.procedural.vocabularies import CORE, Vocabulary, action_seconds, get_vocabulary, spec_of
from remogpt.data.procedural.vocabulary import CAREFUL, LOCOMOTION, RUN_SPEED, STYLES, WALK_SPEED, ActionSpec

_TRUNK_WITH_ARMS = {
    "look": ("point", "wave", "hands_on_hips", "cross_arms", "salute"),
    "side_bend": ("hands_on_hips", "stretch", "raise"),
    "twist": ("hands_on_hips", "cross_arms", "guard", "stretch"),
    "bow": ("cross_arms", "hands_on_hips", "wave"),
}
_HIGH_ARM, _LOW_ARM = ("wave", "raise", "salute", "drink", "scratch_head"), ("point", "knock")

RISES = ("stand_up", "get_up")
"""Actions that begin low: first in a script, or after a posture."""

_CAREFUL_WALKS = ("walk", "walk_curve", "circle", "walk_turn")
"""Leg actions that can be done with care; no other way of travelling goes with them."""
_UNHURRIED = {"slow": "slow", "normal": "normal", "fast": "normal"}
_STYLE_WEIGHTS = (0.0, 4.0, 4.0, 3.0, 4.0, 2.5, 2.5, 2.0, 1.0, 1.0)
_BUDGET = 8.6
"""Seconds that a script may take by this file's estimate; 196 frames are 9.8."""


def sample_script(rng: np.random.Generator, vocabulary: str = CORE) -> Script:
    """Draw one script of a vocabulary that fits 196 frames."""
    known = get_vocabulary(vocabulary)
    kind = rng.choice(3, p=[0.5, 0.25, 0.25])
    if kind == 0:
        steps = [Step((_single(known, rng),))]
    elif kind == 1:
        steps = [_together(known, rng)]
    else:
        steps = draw_steps(known, rng, 2 if rng.random() < 0.72 else 3)
    return shorten(styled(known, steps, rng))


def atomic_actions(vocabulary: str = CORE) -> tuple[Action, ...]:
    """Every (action, side, direction) of a vocabulary once, with small counts and distances."""
    return tuple(_plain(*triple) for triple in _triples(get_vocabulary(vocabulary)))


def _triples(known: Vocabulary) -> list[tuple[str, str | None, str | None]]:
    found = []
    for name, spec in known.actions.items():
        for side, direction in product(spec.sides or (None,), spec.directions or (None,)):
            if name == "step" and direction in ("left", "right") and direction != side:
                continue
            found.append((name, side, direction))
    return found


def _plain(name: str, side: str | None, direction: str | None) -> Action:
    spec = _spec(name)
    upwards = direction == "up"
    return Action(
        name, side, direction,
        count=max(spec.counts[0], min(2, spec.counts[1])) if spec.counts else None,
        distance=None if spec.distances is None or upwards else max(spec.distances[0], min(2.0, spec.distances[1])),
        angle=spec.angles[0] if spec.angles else None,
    )  # fmt: skip


def _spec(name: str) -> ActionSpec:
    spec = spec_of(name)
    if spec is None:
        raise ValueError(f"unknown action {name!r}")
    return spec


def _single(known: Vocabulary, rng: np.random.Generator) -> Action:
    if rng.random() < known.even:
        triples = _triples(known)
        return fill_action(*triples[rng.integers(len(triples))], rng)
    return _draw(known, tuple(known.weights), rng)


def _draw(known: Vocabulary, names: tuple[str, ...], rng: np.random.Generator, side: str | None = None) -> Action:
    """Draw an action by weight; `side` fixes the arm of one-armed actions."""
    weights = np.array([known.weights[name] for name in names])
    name = str(rng.choice(names, p=weights / weights.sum()))
    triples = [t for t in _triples(known) if t[0] == name and (side is None or t[1] in (side, None))]
    odds = np.array([0.8 if t[1] == "both" and name != "punch" else 2.0 if t[2] == "forward" else 1.0 for t in triples])
    return fill_action(*triples[rng.choice(len(triples), p=odds / odds.sum())], rng)


def fill_action(name: str, side: str | None, direction: str | None, rng: np.random.Generator) -> Action:
    """Draw speed, count, distance and angle of an action. Raises ValueError for a side or direction that it has not."""
    spec = _spec(name)
    speed = str(rng.choice(["slow", "normal", "fast"], p=[0.18, 0.64, 0.18]))
    count = None
    if spec.counts is not None:
        low, high = spec.counts
        low = max(low, 2) if side == "both" else low  # one for each side
        count = int(min(high, low + rng.geometric(0.45 if high < 6 else 0.32) - 1))
    distance = None
    if spec.distances is not None and direction != "up":
        distance = float(np.round(rng.uniform(*spec.distances), 1))
        if count is not None:
            distance = float(np.clip(np.round(count * rng.uniform(0.25, 0.75), 1), *spec.distances))
    angle = None
    if spec.angles:
        odds = np.array([3.0 if value in (90.0, 180.0) else 1.0 for value in spec.angles])
        angle = float(rng.choice(spec.angles, p=odds / odds.sum()))
    return Action(name, side, direction, speed if speed in spec.speeds else "normal", count, distance, angle)


def _together(known: Vocabulary, rng: np.random.Generator) -> Step:
    """Draw actions that happen at the same time."""
    draw = rng.random()
    if draw < 0.80:
        names = tuple(known.together)
        weights = np.array([known.together[name][0] for name in names])
        legs = _draw(known, (str(rng.choice(names, p=weights / weights.sum())),), rng)
        actions = [legs, _calm(_draw(known, known.together[legs.name][1], rng), rng)]
    elif draw < 0.92:
        trunk = _draw(known, tuple(_TRUNK_WITH_ARMS), rng)
        actions = [trunk, _calm(_draw(known, _TRUNK_WITH_ARMS[trunk.name], rng), rng)]
    else:
        high, low = ("left", "right") if rng.random() < 0.5 else ("right", "left")
        actions = [_draw(known, _HIGH_ARM, rng, high), _calm(_draw(known, _LOW_ARM, rng, low), rng)]
    return Step(tuple(actions))


def _calm(action: Action, rng: np.random.Generator) -> Action:
    """Remove the speed of most second actions."""
    return action if rng.random() < 0.15 else replace(action, speed="normal")


def draw_steps(known: Vocabulary, rng: np.random.Generator, length: int) -> list[Step]:
    """Draw steps in a row; after sitting or kneeling come upper-body actions or standing up."""
    while_low = tuple(name for name in known.upper if name not in ("bow", "swing"))
    from_standing = tuple(known.weights)
    steps: list[Step] = []
    low = False
    while len(steps) < length:
        if low:
            names = ("stand_up",) if rng.random() < 0.55 else while_low
            step = Step((_draw(known, names, rng),))
        elif rng.random() < 0.12:
            step = _together(known, rng)
        else:
            step = Step((_draw(known, tuple(n for n in from_standing if n not in RISES or not steps), rng),))
        if steps and step.actions[0].factors == steps[-1].actions[0].factors:
            continue
        steps.append(step)
        legs = step.legs
        low = (legs.name in known.postures) if legs is not None else low
    return steps


def styled(known: Vocabulary, steps: list[Step], rng: np.random.Generator) -> Script:
    """Add a fitting style to one script in five; the wide vocabulary does some of the others with care."""
    legs = {step.legs.name for step in steps if step.legs is not None}
    travels = bool(legs & {"walk", "run", "walk_curve", "circle", "walk_turn"})
    draw, share = rng.random(), 0.34 if travels else 0.12
    if draw >= share:
        return _careful(steps) if draw < share + _careful_share(known, steps) else Script(tuple(steps))
    weights = np.array(_STYLE_WEIGHTS)
    if not travels or "run" in legs:
        weights[[STYLES.index(style) for style in ("sneaky", "limping_left", "limping_right")]] = 0.0
    if "run" in legs:
        weights[[STYLES.index(style) for style in ("elderly", "drunk")]] = 0.0
    style = str(rng.choice(STYLES, p=weights / weights.sum()))
    return Script(tuple(Step(tuple(replace(action, style=style) for action in step.actions)) for step in steps))


def _careful_share(known: Vocabulary, steps: list[Step]) -> float:
    """Return the share that is careful of scripts like this: they begin with a walk that leaves the arms free.

    It is twice as large for straight walks, on which joints prove it, and 0 where somebody travels in another way.
    """
    first = steps[0].legs
    others = (step.legs for step in steps if step.legs is not None and step.legs.name not in _CAREFUL_WALKS)
    if first is None or first.name not in _CAREFUL_WALKS or steps[0].upper or any(one.spec.travels for one in others):
        return 0.0
    return known.careful * (2.0 if (first.name, first.direction) == ("walk", "forward") else 1.0)


def _careful(steps: list[Step]) -> Script:
    """Do everything with care; nothing is fast."""
    actions = [[replace(one, style=CAREFUL, speed=_UNHURRIED[one.speed]) for one in step.actions] for step in steps]
    return Script(tuple(Step(tuple(step)) for step in actions))


_STYLE_TEMPO = {
    "tired": 1.2, "elderly": 1.3, "sneaky": 1.35, "drunk": 1.2, "limping_left": 1.2, "limping_right": 1.2, CAREFUL: 1.7,
}  # fmt: skip


def estimated_seconds(script: Script) -> float:
    """Estimate a script's duration at an average tempo."""
    tempo = _STYLE_TEMPO.get(script.style, 1.0)
    return sum(max(_action_seconds(action) for action in step.actions) * tempo + 0.25 for step in script.steps) + 0.3


def _action_seconds(action: Action) -> float:
    slow = {"slow": 1.45, "normal": 1.0, "fast": 0.75}[action.speed]
    if action.name == "turn":
        return (action.angle or 90.0) / 82.0 * (1.33 if action.speed == "slow" else slow) + 0.5
    if action.name in LOCOMOTION:
        speed = RUN_SPEED[action.speed] if action.name == "run" else WALK_SPEED[action.speed]
        speed *= {"backward": 0.72}.get(action.direction or "", 1.0) * (1.0 if action.name in ("walk", "run") else 0.92)
        if action.name == "sidestep":
            speed = 0.62 / slow
        return (action.distance or 0.0) / speed + 0.6
    fixed, each = action_seconds(action.name)
    if action.distance is not None and action.name in descriptions():
        going = action.distance / (descriptions()[action.name].pace or 1.0)
        return (fixed + (going + each) * (action.count or 1)) * slow
    if action.name == "knee_raise" and action.side == "both":
        each = 0.72
    return (fixed + each * (action.count or 1)) * slow


def shorten(script: Script, *, budget: float = _BUDGET) -> Script:
    """Cut counts, distances, slowness and at last steps until the estimate fits the budget, in seconds."""
    while estimated_seconds(script) > budget:
        seconds = [max(_action_seconds(action) for action in step.actions) for step in script.steps]
        longest = int(np.argmax(seconds))
        smaller = _smaller(script.steps[longest])
        if smaller != script.steps[longest]:
            steps = (*script.steps[:longest], smaller, *script.steps[longest + 1 :])
        elif any(_smaller(step) != step for step in script.steps):
            steps = tuple(_smaller(step) for step in script.steps)
        elif len(script.steps) > 1:
            steps = script.steps[:-1]
        else:
            return script
        script = Script(steps)
    return script


def _smaller(step: Step) -> Step:
    """Make the slowest action of a step a little shorter, or return the step as it is."""
    order = sorted(range(len(step.actions)), key=lambda i: -_action_seconds(step.actions[i]))
    for i in order:
        action = step.actions[i]
        cut = _smaller_action(action)
        if cut != action:
            return Step((*step.actions[:i], cut, *step.actions[i + 1 :]))
    return step


def _smaller_action(action: Action) -> Action:
    spec = action.spec
    if (
        action.count is not None
        and spec.counts is not None
        and action.count > max(spec.counts[0], 2 if action.side == "both" else 1)
    ):
        return replace(action, count=action.count - 1)
    if action.distance is not None and spec.distances is not None and action.count is None:
        shorter = round(max(spec.distances[0], 0.85 * action.distance), 1)
        if shorter < action.distance:
            return replace(action, distance=shorter)
    if action.angle is not None and action.angle > 180.0 and action.name == "turn":
        return replace(action, angle=180.0)
    if action.speed == "slow":
        return replace(action, speed="normal")
    return action
