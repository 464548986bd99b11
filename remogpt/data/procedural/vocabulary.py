"""Everything that a procedural script may say, and what each word means on the joints.

Left and right are always the person's own. A person starts at the origin facing +Z; y is up; left is +X.
`side` names a body side, `direction` a way in space, `count` repetitions, `distance` metres of pelvis path,
`angle` degrees of heading change.

What the joints show (thresholds below, one place; "standing height" is the pelvis height of the neutral stance):

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

LEFT_RIGHT = ("left", "right")
LEFT_RIGHT_BOTH = ("left", "right", "both")


@dataclass(frozen=True)
class ActionSpec:
    """What one action may carry and which parts of the body it needs for itself."""

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
"""Actions that own the legs. `jump` and `hop` up carry no distance; `step` goes left with the left foot, right with
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
"""Metres a second of walks in the steady part, before a style changes it; +- 10 % between takes."""
RUN_SPEED = {"slow": 2.2, "normal": 2.8, "fast": 3.4}
"""Metres a second of runs in the steady part; +- 8 % between takes."""


@dataclass(frozen=True)
class Semantics:
    """What the animator guarantees on the joints (metres, degrees); a fact's threshold may sit inside these."""

    raise_wrist_above_head: float = 0.08
    """`raise`, `stretch`, apart-phase of `jumping_jack`: wrist above joint `head` by at least this, for >= 0.3 s."""
    wave_wrist_below_head: float = 0.10
    """`wave`: the wrist is never lower than the head joint minus this while waving."""
    wave_swing: float = 0.18
    """`wave`: sideways peak-to-peak path of the wrist relative to the elbow, for every count."""
    squat_pelvis_ratio: float = 0.65
    """`squat`: lowest pelvis height over standing height is at most this; back above 0.9 between counts."""
    kick_ankle_ratio: float = 0.40
    """`kick`: highest ankle height over leg length (hip to floor) at least this for forward and side, 0.3 for back."""
    kick_reach: float = 0.35
    """`kick`: the ankle is at least this far from its hip in the named direction at the peak (side/back: 0.3)."""
    knee_raise_drop: float = 0.12
    """`knee_raise`: the knee comes within this below its hip."""
    jump_clearance: float = 0.08
    """`jump`: both feet above their standing height by at least this in flight (`hop`, `jumping_jack`: 0.03)."""
    distance_error: float = 0.08
    """Relative error of the pelvis displacement (path for curves) against `distance`."""
    angle_error: float = 0.08
    """Relative error of the heading change against `angle`."""
    circle_return: float = 0.45
    """`circle`: final distance from the start of the step, metres, at most."""
    sit_pelvis: tuple[float, float] = (0.40, 0.56)
    """`sit`: pelvis height range while seated, metres; thighs within 20 degrees of level."""
    kneel_knee: float = 0.14
    """`kneel`: height of the kneeling knee at most this while down."""
    lunge_pelvis_ratio: float = 0.82
    """`lunge`: lowest pelvis height over standing height is at most this."""
    bow_angle: float = 35.0
    """`bow`: trunk (pelvis to neck) leans forward by at least this against the vertical."""
    side_bend_angle: float = 18.0
    """`side_bend`: trunk (pelvis to neck) leans sideways by at least this."""
    look_angle: float = 20.0
    """`look`: the shoulders' heading turns by at least this against the hips' heading."""
    twist_angle: float = 25.0
    """`twist`: the shoulders turn by at least this to both sides of the hips' heading, `count` times."""
    punch_reach: float = 0.42
    """`punch`, `push`, `point`: wrist at least this far from its shoulder at full extension."""
    clap_gap: float = 0.12
    """`clap`: wrists at most this far apart at the meeting, more than twice as far between meetings."""
    pick_up_hand: float = 0.35
    """`pick_up`: lowest wrist height at most this."""
    step_length: tuple[float, float] = (0.3, 0.7)
    """`step`: pelvis displacement range, metres (sideways from 0.2)."""


SEMANTICS = Semantics()
