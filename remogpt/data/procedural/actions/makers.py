"""Enter what animates each added action: a function for actions of the legs, the key poses for gestures."""

from collections.abc import Callable

import numpy as np

from remogpt.data.procedural.actions import (
    bounds,
    descriptions,
    exercises,
    falling,
    floor,
    footing,
    footwork,
    handling,
    ladder,
    leaning,
    poses,
    resting,
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
    "roll": tumbles.roll, "cartwheel": tumbles.cartwheel, "step_over": footwork.step_over,
    "rise_on_toes": footwork.rise_on_toes, "swing_leg": footwork.swing_leg, "tap_foot": footwork.tap_foot,
    "walk_on_toes": footwork.walk_on_toes, "touch_toes": exercises.touch_toes, "roll_hips": exercises.roll_hips,
    "duck": exercises.duck, "touch_foot": exercises.touch_foot, "elbow_to_knee": exercises.elbow_to_knee,
    "lean": leaning.lean, "sway": leaning.sway, "pushed": falling.pushed, "fall": falling.fall,
    "step_in_place": footing.step_in_place, "side_jump": footing.side_jump, "stagger": footing.stagger,
    "skate": footing.skate,
    "hands_on_knees": resting.hands_on_knees,
}  # fmt: skip
"""Maker of every added action that uses the legs."""

GESTURES: dict[str, Maker] = {
    **{one.name: poses.gesture for one in descriptions().values() if one.poses},
    "roll_head": exercises.roll_head, "place": handling.place, "reach": handling.reach_out,
    "move_aside": handling.move_aside,
}  # fmt: skip
"""Maker of every added action of arms and trunk."""
