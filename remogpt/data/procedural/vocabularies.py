"""Name the vocabularies of procedural sets: which actions are drawn, how often, and which go together.

`core` has 45 actions; a set of it never changes. `wide`, on which the shipped models were trained, adds the actions of
the folder `actions`, the words of `lexicon_wide.yaml` and the style `careful`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from remogpt.data.procedural.actions import Description, descriptions
from remogpt.data.procedural.vocabulary import LEG_ACTIONS, UPPER_ACTIONS, ActionSpec
from remogpt.runtime.errors import RemogptError

CORE, WIDE = "core", "wide"
VOCABULARIES = (CORE, WIDE)

_WEIGHTS: dict[str, float] = {
    "walk": 15.0, "run": 8.0, "walk_turn": 7.0, "turn": 5.0, "walk_curve": 4.0, "circle": 3.0, "sidestep": 3.0,
    "jump": 5.0, "kick": 7.0, "squat": 3.0, "sit": 3.0, "stand_up": 2.0, "kneel": 2.0, "lunge": 2.0, "knee_raise": 3.0,
    "balance": 1.5, "jumping_jack": 2.0, "step": 2.0, "hop": 2.5, "dance": 2.5, "pick_up": 3.0, "stand": 1.5,
    "wave": 10.0, "raise": 8.0, "punch": 6.0, "throw": 4.0, "clap": 2.5, "bow": 3.0, "stretch": 2.0, "side_bend": 2.0,
    "point": 2.5, "salute": 1.3, "cross_arms": 1.5, "hands_on_hips": 1.2, "push": 2.0, "swipe": 2.5, "drink": 2.0,
    "scratch_head": 1.3, "arm_circle": 2.0, "look": 2.0, "twist": 1.5, "guard": 1.5, "knock": 1.3, "catch": 1.5,
    "swing": 1.8,
}  # fmt: skip
"""How often an action is drawn, relative to the others."""

_SECONDS: dict[str, tuple[float, float]] = {
    "stand": (3.2, 0.0), "jump": (0.3, 1.35), "hop": (1.2, 0.75), "squat": (0.3, 1.8), "sit": (2.7, 0.0),
    "stand_up": (2.7, 0.0), "kneel": (3.0, 0.0), "lunge": (0.3, 2.2), "kick": (0.75, 1.35), "knee_raise": (0.7, 1.3),
    "balance": (4.3, 0.0), "jumping_jack": (0.5, 1.9), "step": (1.9, 0.0), "dance": (6.0, 0.0), "pick_up": (2.9, 0.0),
    "wave": (1.6, 0.65), "raise": (3.0, 0.0), "punch": (1.1, 0.78), "throw": (2.3, 0.0), "clap": (1.3, 0.55),
    "bow": (0.2, 2.4), "stretch": (4.0, 0.0), "side_bend": (0.2, 2.1), "point": (2.8, 0.0), "salute": (2.6, 0.0),
    "cross_arms": (4.0, 0.0), "hands_on_hips": (4.0, 0.0), "push": (2.6, 0.0), "swipe": (2.0, 0.0), "drink": (3.2, 0.0),
    "scratch_head": (3.5, 0.0), "arm_circle": (0.9, 1.25), "look": (0.2, 2.3), "twist": (0.2, 1.8), "guard": (3.3, 0.0),
    "knock": (1.3, 0.42), "catch": (2.5, 0.0), "swing": (2.5, 0.0),
}  # fmt: skip
"""Seconds of an action at normal speed: fixed, and per count. Travelling ones follow from their distance."""

_MOVING_GESTURES = (
    "wave", "raise", "clap", "point", "salute", "cross_arms", "hands_on_hips", "drink", "scratch_head", "arm_circle",
    "look", "swipe", "punch", "throw", "guard", "stretch",
)  # fmt: skip
_TOGETHER: dict[str, tuple[float, tuple[str, ...]]] = {
    "walk": (9.0, _MOVING_GESTURES),
    "walk_turn": (2.5, _MOVING_GESTURES[:10]),
    "walk_curve": (2.0, _MOVING_GESTURES[:10]),
    "circle": (1.5, _MOVING_GESTURES[:9]),
    "turn": (1.5, _MOVING_GESTURES[:10]),
    "sidestep": (1.5, ("wave", "raise", "clap", "guard", "cross_arms", "hands_on_hips", "punch", "arm_circle")),
    "run": (1.5, ("wave", "raise", "point", "clap", "punch")),
    "squat": (1.5, ("raise", "stretch", "cross_arms", "hands_on_hips", "clap", "point", "guard", "punch")),
    "jump": (1.2, ("raise", "clap", "punch", "stretch", "hands_on_hips")),
    "hop": (0.5, ("hands_on_hips", "clap", "wave")),
    "kick": (1.5, ("guard", "hands_on_hips", "cross_arms")),
    "knee_raise": (1.5, ("clap", "hands_on_hips", "punch", "wave", "raise", "arm_circle", "cross_arms")),
    "balance": (1.0, ("hands_on_hips", "cross_arms", "wave", "drink", "stretch")),
    "lunge": (1.2, ("hands_on_hips", "punch", "raise", "stretch", "twist", "guard")),
    "step": (1.2, ("punch", "push", "swipe", "point", "wave", "guard", "catch")),
    "sit": (1.0, ("wave", "cross_arms", "drink")),
}
"""Leg action: weight among simultaneous steps, and the upper actions that people do with it."""


@dataclass(frozen=True)
class Vocabulary:
    """The actions that scripts are drawn from."""

    name: str
    legs: Mapping[str, ActionSpec]
    upper: Mapping[str, ActionSpec]
    weights: Mapping[str, float]
    """How often each action is drawn, relative to the others."""
    together: Mapping[str, tuple[float, tuple[str, ...]]]
    """Leg action: weight among simultaneous steps, and the upper actions that people do with it."""
    even: float
    """Share of single actions that are drawn without weights, every side and direction alike."""
    postures: frozenset[str]
    """Actions after which the person stays down."""
    careful: float = 0.0
    """Share of scripts that are careful where they may be, taken from those without a style."""

    @property
    def actions(self) -> dict[str, ActionSpec]:
        """All actions by name: legs first."""
        return {**self.legs, **self.upper}


@cache
def get_vocabulary(name: str) -> Vocabulary:
    """Return the vocabulary of a name; raises RemogptError for another name."""
    if name == CORE:
        return Vocabulary(CORE, LEG_ACTIONS, UPPER_ACTIONS, _WEIGHTS, _TOGETHER, 0.3, frozenset(("sit", "kneel")))
    if name != WIDE:
        raise RemogptError(f"a vocabulary is one of {', '.join(VOCABULARIES)}, got {name!r}")
    core, added = get_vocabulary(CORE), descriptions()
    return Vocabulary(
        WIDE,
        {**core.legs, **{one.name: one.spec for one in added.values() if one.spec.legs}},
        {**core.upper, **{one.name: one.spec for one in added.values() if not one.spec.legs}},
        {**core.weights, **{one.name: one.weight for one in added.values()}},
        {
            **{legs: (weight, (*upper, *_done_with(legs, added))) for legs, (weight, upper) in core.together.items()},
            **{legs: (1.5, upper) for legs in added if added[legs].spec.legs and (upper := _done_with(legs, added))},
        },
        0.45,
        core.postures | {one.name for one in added.values() if one.rests},
        0.1,
    )


def _done_with(legs: str, added: Mapping[str, Description]) -> tuple[str, ...]:
    """Return the added gestures that people do with a leg action."""
    return tuple(one.name for one in added.values() if legs in one.moves)


def spec_of(name: str) -> ActionSpec | None:
    """Return what an action of any vocabulary may carry; None for an unknown name."""
    return get_vocabulary(WIDE).actions.get(name)


def action_seconds(name: str) -> tuple[float, float]:
    """Return the seconds of an action at normal speed: fixed, and per count."""
    return _SECONDS[name] if name in _SECONDS else descriptions()[name].seconds
