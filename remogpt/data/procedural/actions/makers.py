"""Enter what animates each added action: a function for actions of the legs, the key poses for gestures."""

from collections.abc import Callable

import numpy as np

from remogpt.data.procedural.actions import (
    bounds,
    descriptions,
    falling,
    floor,
    ladder,
    leaning,
    poses,
    routes,
    tumbles,
)
from remogpt.data.procedural.gestures import Maker
from remogpt.data.procedural.locomotion import Performer
from remogpt.data.procedural.script import Action
from remogpt.data.procedural.track import Track

LEGS: dict[str, Callable[[Action, Performer, np.random.Generator], Track]] = {
    "pace": routes.pace, "diagonal": routes.diagonal, "zigzag": routes.zigzag, "figure_eight": routes.figure_eight,
    "walk_stop": routes.walk_stop, "jog_in_place": routes.jog_in_place, "stairs": routes.stairs,
    "stumble": routes.stumble, "ladder": ladder.ladder, "skip": bounds.skip, "gallop": bounds.gallop,
    "side_gallop": bounds.side_gallop, "crawl": floor.crawl,
    "kneel_both": floor.kneel_both, "sit_floor": floor.sit_floor, "lie_down": floor.lie_down, "get_up": floor.get_up,
    "roll": tumbles.roll, "cartwheel": tumbles.cartwheel, "lean": leaning.lean, "sway": leaning.sway,
    "pushed": falling.pushed, "fall": falling.fall,
}  # fmt: skip
"""Maker of every added action that uses the legs."""

GESTURES: dict[str, Maker] = {one.name: poses.gesture for one in descriptions().values() if one.poses}
"""Maker of every added action of arms and trunk."""
