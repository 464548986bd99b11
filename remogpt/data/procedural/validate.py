"""Measure whether facts are informative: true for their own motion and false for others.

Four rates, each over all facts, by name and by factor:

* `own`: the fact on its motion (wanted: 99 % at least);
* `shuffled`: the fact on a random other motion (wanted: 30 % at most; the score of a model that ignores its caption);
* `contradicted`: the opposite fact (other side, other direction, two more counts, other order) on its motion;
* `all_of_clip`: all facts of a clip together, own and shuffled.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from remogpt.data.humanml3d import MotionTextSet
from remogpt.motion.facts import RELATIONS, Fact, facts_correct
from remogpt.motion.features import features_to_joints
from remogpt.runtime.errors import RemogptError

_OPPOSITES = {
    "left": "right", "right": "left", "forward": "backward", "backward": "forward", "clockwise": "counterclockwise",
    "counterclockwise": "clockwise", "overhand": "underhand", "underhand": "overhand", "slow": "fast", "fast": "slow",
    "up": "forward", "limping_left": "limping_right", "limping_right": "limping_left",
}  # fmt: skip
_SIDEWAYS = {"forward": "side", "side": "forward", "back": "forward"}
_OWN_OPPOSITES: dict[str, dict[str, str]] = {
    **dict.fromkeys(("kicks", "points", "raises_hand", "holds_arms_out"), _SIDEWAYS),
    "climbs": {"up": "down", "down": "up"},
    "climbs_ladder": {"up": "down", "down": "up"},
    "stops": {"still": "again", "again": "still"},
}
"""Opposites of the directions of predicates whose directions are not those of a path."""


RATES = ("own", "shuffled", "contradicted")
MAX_FAILURES = 50


@dataclass
class _Tally:
    """Outcomes by rate, then by group."""

    outcomes: dict[str, dict[str, list[bool]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))

    def add(self, rate: str, fact: Fact, holds: bool) -> None:
        for group in ("all", f"name {fact.name}", f"factor {fact.factor}"):
            self.outcomes[rate][group].append(holds)

    def share(self, rate: str, group: str) -> float | None:
        values = self.outcomes[rate].get(group)
        return float(np.mean(values)) if values else None


def opposite(fact: Fact) -> Fact | None:
    """Return an opposite fact, which the motion of this fact must refute, or None if there is none."""
    params = dict(fact.params)
    if fact.name == "before":
        return replace(fact, params={"first": params["second"], "second": params["first"]})
    if fact.name in RELATIONS or fact.factor in ("action", "distance"):
        return None
    if fact.factor == "count":
        return replace(fact, params={**params, "count": params["count"] + 2})
    if fact.factor == "angle":
        return replace(fact, params={**params, "angle": params["angle"] / 2.0 if params["angle"] > 90 else 180.0})
    value = params[fact.factor]
    own = _OWN_OPPOSITES.get(fact.name) if fact.factor == "direction" else None
    opposites = _OPPOSITES if own is None else own
    return replace(fact, params={**params, fact.factor: opposites[value]}) if value in opposites else None


@dataclass(frozen=True)
class FactReport:
    """Rates of facts on motions, fractions."""

    rates: dict[str, float | None]
    """own, shuffled, contradicted: over all facts."""
    all_of_clip: dict[str, float]
    """own, shuffled: over clips, all facts of the clip together."""
    num_clips: int
    num_facts: int
    by_factor: dict[str, dict[str, Any]]
    """The three rates and the number of facts of every factor."""
    by_name: dict[str, dict[str, Any]]
    """The same of every predicate."""
    failures: tuple[tuple[str, dict[str, Any]], ...]
    """Clip and fact, up to `MAX_FAILURES`, that do not hold where they should."""

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary."""
        return asdict(self)

    def __str__(self) -> str:
        clip = self.all_of_clip
        lines = [
            f"{self.num_facts} facts of {self.num_clips} clips, percent that hold",
            f"{'':<18}{'own':>8}{'shuffled':>10}{'opposite':>10}{'facts':>8}",
            _line("all facts", {**self.rates, "num_facts": self.num_facts}),
            *(_line(f"  {name}", row) for name, row in self.by_factor.items()),
            *(_line(f"  {name}", row) for name, row in self.by_name.items()),
            f"all facts of a clip: {100 * clip['own']:.1f} own, {100 * clip['shuffled']:.1f} shuffled",
        ]
        return "\n".join(lines)


def _line(name: str, row: dict[str, Any]) -> str:
    opposite_rate = "" if row["contradicted"] is None else f"{100 * row['contradicted']:.1f}"
    return f"{name:<18}{100 * row['own']:>8.1f}{100 * row['shuffled']:>10.1f}{opposite_rate:>10}{row['num_facts']:>8}"


def validate(items: Sequence[tuple[str, Sequence[Fact], np.ndarray]], seed: int = 0) -> FactReport:
    """Measure the rates of facts on motions.

    Args:
        items: (name, facts, joints (T, 22, 3) metres, 20 fps) of at least two clips.
        seed: of the shuffling.

    Raises:
        RemogptError: if there are fewer than two clips, or no facts.
    """
    with_facts = [index for index, (_, facts, _) in enumerate(items) if facts]
    if len(items) < 2 or not with_facts:
        raise RemogptError(f"facts are validated on two clips or more of which one has facts, got {len(items)} clips")
    rng = np.random.default_rng(seed)
    tally = _Tally()
    clips: dict[str, list[bool]] = {"own": [], "shuffled": []}
    failures: list[tuple[str, dict[str, Any]]] = []
    for index in with_facts:
        name, facts, joints = items[index]
        other = items[(index + int(rng.integers(1, len(items)))) % len(items)][2]
        held, elsewhere = facts_correct(facts, joints), facts_correct(facts, other)
        for fact, own, shuffled in zip(facts, held, elsewhere, strict=True):
            tally.add("own", fact, own)
            tally.add("shuffled", fact, shuffled)
        failures += [(name, fact.to_json()) for fact, own in zip(facts, held, strict=True) if not own]
        pairs = [(fact, against) for fact in facts if (against := opposite(fact)) is not None]
        for (fact, _), holds in zip(pairs, facts_correct([pair[1] for pair in pairs], joints), strict=True):
            tally.add("contradicted", fact, holds)
        clips["own"].append(all(held))
        clips["shuffled"].append(all(elsewhere))
    return FactReport(
        rates={rate: tally.share(rate, "all") for rate in RATES},
        all_of_clip={rate: float(np.mean(values)) for rate, values in clips.items()},
        num_clips=len(with_facts),
        num_facts=len(tally.outcomes["own"]["all"]),
        by_factor=_groups(tally, "factor "),
        by_name=_groups(tally, "name "),
        failures=tuple(failures[:MAX_FAILURES]),
    )


def _groups(tally: _Tally, prefix: str) -> dict[str, dict[str, Any]]:
    return {
        group.removeprefix(prefix): {
            **{rate: tally.share(rate, group) for rate in RATES},
            "num_facts": len(values),
        }
        for group, values in sorted(tally.outcomes["own"].items())
        if group.startswith(prefix)
    }


def validate_set(motions: MotionTextSet, num_clips: int = 500, split: str = "train", seed: int = 0) -> FactReport:
    """Measure the facts of a set on the joints of its features, as a model sees them.

    Raises:
        RemogptError: if the set has no facts, or no clip is to be tested.
    """
    if num_clips < 1:
        raise RemogptError(f"--clips must be at least 1, got {num_clips}")
    ids = motions.ids(split)
    chosen = np.random.default_rng(seed).permutation(len(ids))[:num_clips]
    names = [ids[index] for index in sorted(chosen.tolist())]
    items = [(name, motions.facts(name), features_to_joints(motions.features(name))) for name in names]
    if not any(facts for _, facts, _ in items):
        raise RemogptError(f"{motions.name} holds no facts; only sets made by 'remogpt data make' do")
    return validate(items, seed)
