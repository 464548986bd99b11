"""Animate gestures from the key poses of their YAML files.

A gesture rises into its pose, goes through its rounds or holds still, and falls back to the idle arms. `poses` lists
ways of doing it, of which each take draws one. Their entries; pairs are ranges from which each take draws:

    direction    of the actions that are done this way; left out: of all
    rise, fall   seconds from the idle arms into the pose, and back (`fall`: as `rise` if left out)
    round        seconds of one round through the places of `hand`; left out: the pose is held for `hold` seconds
    rounds       number of rounds of an action without a count
    hand         places of the wrist in a round at equal intervals, metres (outward, up, ahead) from the upper spine
    open         whether a round ends at its last place, instead of coming back to the first
    straight     whether the hand goes from place to place in straight lines, slower at each, instead of in one curve
    spread       metres by which a take moves all places; `size`: factor of the way around their mean
    elbow        where the elbow points, same axes
    other        `hand` and `elbow` of the second arm, where the two do different things
    lag          share of a round by which the second arm follows the first
    trunk        degrees (forward, turn, lean) in a round; turn and lean count towards the acting arm
    head         degrees (down, turn), alike
    sustained    whether the gesture goes on as long as the legs' action
    along        whether the hands rise along the body instead of in an arc
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.interpolate import CubicSpline

from remogpt.data.procedural.actions import descriptions
from remogpt.data.procedural.curves import ease, smooth_noise, window
from remogpt.data.procedural.gestures import Gesture, arms_of, reach
from remogpt.data.procedural.in_place import seconds
from remogpt.data.procedural.locomotion import Performer
from remogpt.data.procedural.script import Action

_SIGN = (1.0, -1.0)
_TRUNK_LEADS = 0.06
"""Share of a round by which the trunk is ahead of the hands."""
_SLOWER = 0.6
"""How much a hand on straight lines slows down at their ends; 1 stops it there."""


def gesture(action: Action, who: Performer, rng: np.random.Generator, hold: float) -> Gesture:
    """Perform a described gesture; `hold` is the time of the legs' action, seconds, 0 for none."""
    ways = [
        way for way in descriptions()[action.name].poses if way.get("direction", action.direction) == action.direction
    ]
    poses = ways[int(rng.integers(len(ways)))]
    rise = seconds(action, who, rng.uniform(*poses["rise"]))
    fall = seconds(action, who, rng.uniform(*poses["fall"])) if "fall" in poses else rise
    least = max(hold - rise - fall - 0.1, 0.0) if poses.get("sustained") else 0.0
    going, phase = _timing(action, poses, who, rng, least)
    made, t = Gesture.empty(rise + going + fall)
    done = phase((t - rise) / max(going, 1e-6))
    there = window(t, 0.0, t[-1], rise, fall)
    main = arms_of(action.side)
    spread = rng.uniform(-1.0, 1.0, 3) * poses.get("spread", 0.02)
    size = rng.uniform(*poses.get("size", (0.9, 1.1))) * who.posture.reach
    for order, arm in enumerate((*main, *(one for one in (0, 1) if one not in main and "other" in poses))):
        own = poses["other"] if arm not in main else poses
        uneven = 1.0 + 0.08 * smooth_noise(rng, len(t), 1, 0.3, 0.9)
        way = _lines if poses.get("straight") else _along
        place = way(own["hand"], done - order * poses.get("lag", 0.0), size * uneven, "open" in poses) + spread
        made.arms[:, arm] = reach(who.body, arm, place, tuple(own.get("elbow", (0.7, -1.0, 0.0))))
        made.weight[:, arm] = there
    sign = _SIGN[main[0]] if len(main) == 1 else 1.0 if rng.random() < 0.5 else -1.0
    strength = rng.uniform(0.75, 1.25) * there[:, None]
    for name, directions in (("trunk", [1.0, sign, -sign]), ("head", [1.0, sign])):
        if name in poses:
            angles = np.radians(_along(poses[name], done + _TRUNK_LEADS, is_open="open" in poses))
            setattr(made, name, getattr(made, name) + angles * strength * directions)
    return made.bend_first() if poses.get("along") else made


def _timing(
    action: Action, poses: Mapping[str, Any], who: Performer, rng: np.random.Generator, least: float
) -> tuple[float, Any]:
    """Return the seconds between rise and fall, and rounds done as a function of the share of them."""
    if "round" not in poses:
        return max(rng.uniform(*poses["hold"]), least), np.zeros_like
    period = seconds(action, who, rng.uniform(*poses["round"]))
    rounds = action.count or int(rng.integers(poses["rounds"][0], poses["rounds"][1] + 1))
    rounds = max(rounds, round(least / period)) if action.count is None else rounds
    pull = rng.uniform(-0.06, 0.06)

    def done(share: np.ndarray) -> np.ndarray:
        u = np.clip(share, 0.0, 1.0)
        soft = u + 0.35 / max(rounds, 1) * (ease(u) - u)  # begins and ends a little slower
        return np.asarray(rounds * (soft + pull * np.sin(np.pi * u) ** 2 * 0.5))

    return rounds * period, done


def _along(
    places: Sequence[Sequence[float]], rounds: np.ndarray, size: np.ndarray | float = 1.0, is_open: bool = False
) -> np.ndarray:
    """Return the places of a way at some rounds; `size` stretches the way around the mean of its places.

    A closed way comes back to its first place; an open one is gone once, from the first place to the last.
    """
    keys = np.asarray(places, dtype=float)
    if len(keys) == 1:
        return np.tile(keys[0], (len(rounds), 1))
    if is_open:
        way = CubicSpline(np.linspace(0.0, 1.0, len(keys)), keys, bc_type="clamped")(np.clip(rounds, 0.0, 1.0))
    else:
        closed = np.concatenate([keys, keys[:1]])
        way = CubicSpline(np.linspace(0.0, 1.0, len(closed)), closed, bc_type="periodic")(rounds % 1.0)
    middle = keys.mean(axis=0)
    return np.asarray(middle + (way - middle) * np.reshape(size, (-1, 1)))


def _lines(places: Sequence[Sequence[float]], rounds: np.ndarray, size: np.ndarray, is_open: bool) -> np.ndarray:
    """Return the places of a way of straight lines at some rounds, as `_along` does for a curved one."""
    keys = np.asarray(places, dtype=float)
    corners = keys if is_open else np.concatenate([keys, keys[:1]])
    lines = len(corners) - 1
    at = lines * (np.clip(rounds, 0.0, 1.0) if is_open else rounds % 1.0)
    first = np.minimum(at.astype(int), lines - 1)
    share = at - first
    share = (share + _SLOWER * (ease(share) - share))[:, None]
    way = corners[first] * (1.0 - share) + corners[first + 1] * share
    middle = keys.mean(axis=0)
    return np.asarray(middle + (way - middle) * np.reshape(size, (-1, 1)))
