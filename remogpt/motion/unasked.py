"""Tell what a motion shows that nobody asked for, where that cannot be mistaken: a cartwheel, a climb, a run.

Facts are seen easily: a hand that rises while somebody walks may count as raised, as pointing and as thrown. So what a
caption does not claim says little, but for the first actions here. On 5,000 procedural clips a run was seen six times
where no caption claimed it, a triangle five times, a stagger three times, and every other one of `ALONE` twice at most;
on 2,500 those of `ON_FLOOR` only where another action of `LOW` was claimed; on 675, none walked backward where no claim
said so.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import yaml

from remogpt.motion.facts import Fact, Steps, facts_of_claims

Shows = Callable[[Fact], bool]
"""Tells whether a motion holds a fact."""
ALONE = (
    "crawls", "sits", "rolls", "cartwheels", "climbs", "climbs_ladder", "skips", "gallops", "gallops_sideways", "runs",
    "falls", "is_pushed", "swims", "swings_club", "swings_leg", "walks_on_toes", "touches_toes", "touches_other_foot",
    "rolls_hips", "brings_elbow_to_knee", "draws_circle", "draws_triangle", "draws_cross", "skates", "hugs",
    "jumps_to_side", "staggers", "sweeps", "bows_violin",
)  # fmt: skip
"""Actions that are seen where they are done, and nowhere else."""
GAITS = frozenset(("runs", "gallops", "skips"))
"""Those of them that a brisk walk may show in a recording."""
BACKWARD = Fact("walks", {"direction": "backward"})
"""Seen where a caption says "backward", and nowhere else: who walks, and no more is said, walks forward."""
ON_FLOOR = ("lies", "sits_on_floor", "gets_up_from_floor")
"""Actions that are seen where they are done, and in what leads down to the floor or up from it."""
LOW = frozenset((*ON_FLOOR, "crawls", "rolls", "kneels", "kneels_on_both", "sits", "stands_up", "falls"))
"""Actions that lead down or up."""
COST, SLIGHT = 0.5, 0.03
"""What showing something unasked takes from the share of a caption's facts that a motion holds: for any action that
cannot be mistaken; for each of those that anyone sees (`beside.yaml`), where true motions show it beside what is
claimed. Of several motions that show what is claimed the one with the fewest of them shows it best.
"""
STRANGE, MOST = 0.5, 0.25
"""What each action that anyone sees takes where true motions do not show it beside what is claimed, as a share of one
of the caption's facts; and the most that it takes from the share of all of them.
"""
MANNERS = {
    "sneaky": False,
    "careful": False,
    "limping_left": False,
    "limping_right": False,
    "drunk": True,
    "elderly": True,
}
"""Manners of walking, and whether walks in no manner show them now and then."""


def unasked(steps: Steps) -> tuple[Fact, ...]:
    """List the actions that a motion for these claims should not show; all of them where nothing is claimed."""
    claimed = {claim.name for step in steps for claim in step}
    if "stands_up" in claimed:
        claimed.add("sits")
    others = (*ALONE, *(() if claimed & LOW else ON_FLOOR))
    backward = any(claim.params.get("direction") == "backward" for step in steps for claim in step)
    return (*(Fact(name) for name in others if name not in claimed), *(() if backward else (BACKWARD,)))


def left_out(steps: Steps) -> tuple[Fact, ...]:
    """List the actions that a caption with these claims leaves out where its motion shows them."""
    walks = any(claim.name == "walks" for step in steps for claim in step)
    return tuple(fact for fact in unasked(steps) if not (walks and fact.name in GAITS))


def besides(steps: Steps) -> dict[Fact, float]:
    """Return what each action or manner that anyone sees and no claim names takes from a motion which shows it."""
    claimed, strange = {claim.name for step in steps for claim in step}, cost_of_strange(steps)
    shown = {fact: bool(claimed & others) for fact, others in _beside().items()}
    shown |= {Fact("walks_like", {"style": style}): seen for style, seen in MANNERS.items()}
    return {fact: SLIGHT if seen else strange for fact, seen in shown.items() if fact.name not in claimed}


def cost_of_strange(steps: Steps) -> float:
    """Return what an action that true motions do not show beside these claims takes from the share of their facts."""
    return max(SLIGHT, min(MOST, STRANGE / max(1, len(facts_of_claims(steps)))))


def costs(shows: Shows, steps: Steps) -> tuple[float, float]:
    """Return what a motion loses by showing what cannot be mistaken, and by the rest that is unasked."""
    slight = sum(cost for fact, cost in besides(steps).items() if shows(fact))
    return COST * any(map(shows, unasked(steps))), slight


@cache
def _beside() -> dict[Fact, frozenset[str]]:
    """Return the actions that anyone sees, and for each of them those beside which true motions show it."""
    table = yaml.safe_load(Path(__file__).with_name("beside.yaml").read_text(encoding="utf-8"))
    return {Fact(name): frozenset((others or "").split()) for name, others in table.items()}
