"""Define the vocabulary of procedural scripts, and what each word means on the joints.

Left and right are always the person's own. A person starts at the origin facing +Z; y is up; left is +X.
`side` names a body side, `direction` a way in space, `count` repetitions, `distance` metres of pelvis path,
`angle` degrees of heading change.

What the joints show (thresholds: tests/data/test_procedural_animation.py):

| action | what happens |
|---|---|
| stand | feet stay, pelvis stays within a few centimetres |
| walk | straight line of `distance`, forward or backward, body faces the start heading |
| run | straight line of `distance` forward, with flight phases and bent elbows |
| walk_curve | walks `distance` along an arc that turns the heading by `angle` to the left or right |
| circle | walks one full circle (clockwise = turning right, seen from above), ends near the start |
| sidestep | moves `distance` to the left or right without turning |
| turn | turns by `angle` on the spot with small steps |
| walk_turn | walks, turns by `angle` while stepping, walks on; `distance` is the whole path |
| jump / hop | both feet / the foot of `side` leave the floor together, `count` times; forward moves `distance` in all |
| squat, lunge | pelvis goes down and up `count` times; lunge steps forward with the `side` foot |
| sit / stand_up | pelvis down to a seat and stays / from the seat up to standing |
| kneel | the `side` knee touches the floor, then the person stays down |
| kick | the `side` foot is thrown forward, to the side or back, `count` times |
| knee_raise | the `side` knee is lifted to hip height `count` times; both = marching in place, alternating |
| balance | stands on one leg; `side` is the lifted one |
| jumping_jack | `count` jumps apart and together, arms overhead when apart |
| step | one step with the `side` foot, the other foot follows |
| dance | steps from side to side in place, arms and hips swing |
| wave | forearm up, hand at head height or above, swings sideways `count` times, then is lowered |
| raise | arm goes up until the wrist is clearly above the head, stays, is lowered |
| punch | fist shoots forward from a guard; both = alternating, `count` in all |
| throw | overhand: hand from behind the head to the front; underhand: swings forward from behind the hip |
| clap | palms meet in front of the chest `count` times |
| bow, side_bend | trunk goes forward / to a side `count` times |
| twist, look | shoulders turn left and right `count` times / turn to one side and stay a while |
| stretch | both hands overhead, held |
| point, salute, drink, scratch_head, knock, catch, push, swipe | what the word says; hand returns to the side |
| cross_arms, hands_on_hips, guard | pose taken and held until the end of the step |
| pick_up | bends down, the hand comes near the floor, then up |
| arm_circle | straight arm(s) turn in the sagittal plane `count` times |
| swing | both hands together sweep from one side to the other at waist to shoulder height |
"""

from dataclasses import dataclass

SPEEDS = ("slow", "normal", "fast")
STYLES = (
    "normal",
    "tired",
    "happy",
    "angry",
    "elderly",
    "sneaky",
    "drunk",
    "proud",
    "limping_left",
    "limping_right",
)
"""Styles that are drawn in every vocabulary."""
CAREFUL = "careful"
"""Style of the wide vocabulary: as on ice or on a beam, with short flat steps and arms held out for balance."""
ALL_STYLES = (*STYLES, CAREFUL)

LEFT_RIGHT = ("left", "right")
LEFT_RIGHT_BOTH = ("left", "right", "both")


@dataclass(frozen=True)
class ActionSpec:
    """What one action may carry and which body parts it occupies."""

    legs: bool = False
    """True: decides where the feet and the pelvis go (at most one such action in a step)."""
    arms: str = "free"
    """"free" (arms stay available), "side" (the arm named by `side`; both for "both") or "both"."""
    torso: bool = False
    """True: bends or turns the trunk on purpose; two such actions exclude each other."""
    sides: tuple[str, ...] = ()
    """Allowed sides; empty means that `side` is None."""
    directions: tuple[str, ...] = ()
    """Allowed directions; empty means that `direction` is None."""
    counts: tuple[int, int] | None = None
    """Smallest and largest count; None means that `count` is None."""
    distances: tuple[float, float] | None = None
    """Metres, smallest and largest; None means that `distance` is None."""
    angles: tuple[float, ...] = ()
    """Allowed degrees; empty means that `angle` is None."""
    travels: bool = False
    """True: the pelvis ends somewhere else than it began."""
    speeds: tuple[str, ...] = SPEEDS
    """Allowed speeds."""


LEG_ACTIONS: dict[str, ActionSpec] = {
    "stand": ActionSpec(legs=True, speeds=("normal",)),
    "walk": ActionSpec(legs=True, directions=("forward", "backward"), distances=(1.0, 7.0), travels=True),
    "run": ActionSpec(legs=True, directions=("forward",), distances=(3.5, 12.0), travels=True),
    "walk_curve": ActionSpec(
        legs=True,
        directions=LEFT_RIGHT,
        distances=(2.0, 6.0),
        angles=(45.0, 60.0, 90.0, 120.0, 180.0),
        travels=True,
    ),
    "circle": ActionSpec(legs=True, directions=("clockwise", "counterclockwise"), distances=(5.0, 8.0)),
    "sidestep": ActionSpec(legs=True, directions=LEFT_RIGHT, distances=(0.5, 2.5), travels=True),
    "turn": ActionSpec(legs=True, directions=LEFT_RIGHT, angles=(90.0, 180.0, 360.0)),
    "walk_turn": ActionSpec(
        legs=True,
        directions=LEFT_RIGHT,
        distances=(2.0, 6.0),
        angles=(90.0, 180.0),
        travels=True,
    ),
    "jump": ActionSpec(
        legs=True,
        directions=("up", "forward", "backward"),
        counts=(1, 4),
        distances=(0.3, 2.4),
        travels=True,
        speeds=("normal",),
    ),
    "hop": ActionSpec(
        legs=True,
        sides=LEFT_RIGHT,
        directions=("up", "forward"),
        counts=(2, 6),
        distances=(0.4, 2.4),
        travels=True,
        speeds=("normal",),
    ),
    "squat": ActionSpec(legs=True, counts=(1, 4)),
    "sit": ActionSpec(legs=True),
    "stand_up": ActionSpec(legs=True),
    "kneel": ActionSpec(legs=True, sides=LEFT_RIGHT, speeds=("slow", "normal")),
    "lunge": ActionSpec(legs=True, sides=LEFT_RIGHT, counts=(1, 3)),
    "kick": ActionSpec(
        legs=True,
        sides=LEFT_RIGHT,
        directions=("forward", "side", "back"),
        counts=(1, 4),
    ),
    "knee_raise": ActionSpec(legs=True, sides=LEFT_RIGHT_BOTH, counts=(1, 10)),
    "balance": ActionSpec(legs=True, sides=LEFT_RIGHT, speeds=("normal",)),
    "jumping_jack": ActionSpec(legs=True, arms="both", counts=(2, 6)),
    "step": ActionSpec(
        legs=True,
        sides=LEFT_RIGHT,
        directions=("forward", "backward", "left", "right"),
        travels=True,
    ),
    "dance": ActionSpec(legs=True, arms="both"),
    "pick_up": ActionSpec(legs=True, arms="side", torso=True, sides=LEFT_RIGHT_BOTH),
}
"""Actions that use the legs. `jump` and `hop` up carry no distance; `step` goes left with the left foot, right with
the right one."""

UPPER_ACTIONS: dict[str, ActionSpec] = {
    "wave": ActionSpec(arms="side", sides=LEFT_RIGHT_BOTH, counts=(2, 7)),
    "raise": ActionSpec(arms="side", sides=LEFT_RIGHT_BOTH, directions=("forward", "side")),
    "punch": ActionSpec(arms="both", sides=LEFT_RIGHT_BOTH, counts=(1, 6)),
    "throw": ActionSpec(arms="side", torso=True, sides=LEFT_RIGHT, directions=("overhand", "underhand")),
    "clap": ActionSpec(arms="both", counts=(2, 8)),
    "bow": ActionSpec(torso=True, speeds=("slow", "normal")),
    "stretch": ActionSpec(arms="both", speeds=("slow", "normal")),
    "side_bend": ActionSpec(torso=True, directions=LEFT_RIGHT, counts=(1, 3), speeds=("slow", "normal")),
    "point": ActionSpec(arms="side", sides=LEFT_RIGHT, directions=("forward", "side")),
    "salute": ActionSpec(arms="side", sides=LEFT_RIGHT),
    "cross_arms": ActionSpec(arms="both", speeds=("normal",)),
    "hands_on_hips": ActionSpec(arms="both", speeds=("normal",)),
    "push": ActionSpec(arms="both"),
    "swipe": ActionSpec(arms="side", sides=LEFT_RIGHT, directions=LEFT_RIGHT),
    "drink": ActionSpec(arms="side", sides=LEFT_RIGHT, speeds=("slow", "normal")),
    "scratch_head": ActionSpec(arms="side", sides=LEFT_RIGHT, speeds=("slow", "normal")),
    "arm_circle": ActionSpec(arms="side", sides=LEFT_RIGHT_BOTH, directions=("forward", "backward"), counts=(2, 5)),
    "look": ActionSpec(torso=True, directions=LEFT_RIGHT, speeds=("slow", "normal")),
    "twist": ActionSpec(torso=True, counts=(1, 4)),
    "guard": ActionSpec(arms="both", speeds=("normal",)),
    "knock": ActionSpec(arms="side", sides=LEFT_RIGHT, counts=(2, 5)),
    "catch": ActionSpec(arms="side", sides=LEFT_RIGHT_BOTH, speeds=("normal", "fast")),
    "swing": ActionSpec(arms="both", torso=True, directions=LEFT_RIGHT, speeds=("normal", "fast")),
}
"""Actions of arms and trunk; they go with any leg action, or with standing, sitting or kneeling still."""

ACTIONS: dict[str, ActionSpec] = {**LEG_ACTIONS, **UPPER_ACTIONS}

LOCOMOTION = ("walk", "run", "walk_curve", "circle", "walk_turn", "sidestep")
"""Leg actions with a gait: the arms that nothing else needs swing."""

WALK_SPEED = {"slow": 0.65, "normal": 1.15, "fast": 1.65}
"""Metres a second of steady walking, before a style changes it; +- 10 % between takes."""
RUN_SPEED = {"slow": 2.2, "normal": 2.8, "fast": 3.4}
"""Metres a second of steady running; +- 8 % between takes."""
