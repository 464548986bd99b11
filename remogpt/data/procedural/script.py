"""Represent what a procedural clip shows as a script. Actions happen together in a step, steps follow each other.

`remogpt.data.procedural.vocabularies` holds the allowed words and their ranges. A script carries every factor
that a caption may mention; a take adds only details without words (posture, proportions, noise).
"""

from dataclasses import asdict, dataclass
from typing import Any

from remogpt.data.procedural.vocabularies import WIDE, get_vocabulary, spec_of
from remogpt.data.procedural.vocabulary import ALL_STYLES, SPEEDS, ActionSpec

MOST_STEPS = 6
"""Of a script; those of short clips have three at most."""


@dataclass(frozen=True)
class Action:
    """An action of the body. Fields that the action's vocabulary does not use are None."""

    name: str
    side: str | None = None
    """Body side: "left", "right", "both"; for `hop` the foot that hops, for `kneel` the knee on the floor."""
    direction: str | None = None
    speed: str = "normal"
    count: int | None = None
    distance: float | None = None
    """Metres."""
    angle: float | None = None
    """Degrees."""
    style: str | None = None
    """None or "normal": neutral. All actions of a script share one style."""

    def __post_init__(self) -> None:
        spec = self.spec
        self._require("side", self.side, spec.sides)
        self._require("direction", self.direction, spec.directions)
        self._require("angle", self.angle, spec.angles)
        self._require("speed", self.speed, SPEEDS)
        self._require("style", self.style or "normal", ALL_STYLES)
        self._require_range("count", self.count, spec.counts)
        if not (self.name in ("jump", "hop") and self.direction == "up"):
            self._require_range("distance", self.distance, spec.distances)

    def _require(self, field: str, value: object, allowed: tuple[Any, ...]) -> None:
        if value not in (allowed or (None,)):
            wanted = ", ".join(map(str, allowed)) if allowed else "none"
            raise ValueError(f"action {self.name}: {field} must be one of ({wanted}), got {value!r}")

    def _require_range(self, field: str, value: float | None, bounds: tuple[float, float] | None) -> None:
        if bounds is None and value is None:
            return
        if bounds is None or value is None or not bounds[0] <= value <= bounds[1]:
            wanted = f"between {bounds[0]} and {bounds[1]}" if bounds else "none"
            raise ValueError(f"action {self.name}: {field} must be {wanted}, got {value!r}")

    @property
    def spec(self) -> ActionSpec:
        """The vocabulary's entry of this action."""
        spec = spec_of(self.name)
        if spec is None:
            known = ", ".join(sorted(get_vocabulary(WIDE).actions))
            raise ValueError(f"unknown action {self.name!r}; known are {known}")
        return spec

    @property
    def parts(self) -> frozenset[str]:
        """Body parts that this action occupies: legs, torso, left_arm, right_arm."""
        parts = {name for name, used in (("legs", self.spec.legs), ("torso", self.spec.torso)) if used}
        if self.spec.arms == "both" or (self.spec.arms == "side" and self.side == "both"):
            parts |= {"left_arm", "right_arm"}
        elif self.spec.arms == "side":
            parts.add(f"{self.side}_arm")
        return frozenset(parts)

    @property
    def factors(self) -> str:
        """Name, side and direction in one word, without speed or numbers: "kick[left,forward]"."""
        inner = ",".join(value for value in (self.side, self.direction) if value)
        return f"{self.name}[{inner}]" if inner else self.name


@dataclass(frozen=True)
class Step:
    """Actions that happen at the same time; no two may occupy the same body part."""

    actions: tuple[Action, ...]

    def __post_init__(self) -> None:
        if not self.actions:
            raise ValueError("a step needs at least one action")
        taken: set[str] = set()
        for action in self.actions:
            clash = taken & action.parts
            if clash:
                names = ", ".join(other.name for other in self.actions)
                raise ValueError(f"actions of one step ({names}) both need {', '.join(sorted(clash))}")
            taken |= action.parts

    @property
    def legs(self) -> Action | None:
        """The action that uses the legs, or None (the person keeps the stance of the previous step)."""
        return next((action for action in self.actions if action.spec.legs), None)

    @property
    def upper(self) -> tuple[Action, ...]:
        """The actions of arms and trunk."""
        return tuple(action for action in self.actions if not action.spec.legs)


@dataclass(frozen=True)
class Script:
    """Steps in order, one to six."""

    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.steps) <= MOST_STEPS:
            raise ValueError(f"a script has one to {MOST_STEPS} steps, got {len(self.steps)}")
        styles = {action.style or "normal" for action in self.actions}
        if len(styles) > 1:
            raise ValueError(f"all actions of a script share one style, got {', '.join(sorted(styles))}")

    @property
    def actions(self) -> tuple[Action, ...]:
        """All actions, in order."""
        return tuple(action for step in self.steps for action in step.actions)

    @property
    def style(self) -> str:
        """The one style of all actions; "normal" when none is named."""
        return self.steps[0].actions[0].style or "normal"

    def combination(self) -> str:
        """Name the factors without speeds and numbers: "walk[forward]+wave[left] > sit @tired". Splits use it."""
        steps = (" + ".join(sorted(action.factors for action in step.actions)) for step in self.steps)
        style = "" if self.style == "normal" else f" @{self.style}"
        return " > ".join(steps) + style

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary; fields that are None are left out."""
        return {
            "steps": [
                [{key: value for key, value in asdict(action).items() if value is not None} for action in step.actions]
                for step in self.steps
            ]
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Script":
        """Rebuild a script from `to_json`'s dictionary. Raises ValueError for words outside the vocabulary."""
        return cls(tuple(Step(tuple(Action(**action) for action in step)) for step in data["steps"]))
