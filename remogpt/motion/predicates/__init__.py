"""Predicates on joints, by body part: gait, legs, trunk, arms; of the wide vocabulary: hands, routes, ground, feet."""

from remogpt.motion.predicates import (
    arms,
    bounds,
    drawing,
    exercises,
    footwork,
    gait,
    ground,
    handling,
    hands,
    held,
    legs,
    pairs,
    poise,
    routes,
    strokes,
    style,
    trunk,
    tumbles,
)
from remogpt.motion.predicates.catalogue import PREDICATES, Predicate
from remogpt.motion.predicates.relations import relation

__all__ = [
    "PREDICATES",
    "Predicate",
    "arms",
    "bounds",
    "drawing",
    "exercises",
    "footwork",
    "gait",
    "ground",
    "handling",
    "hands",
    "held",
    "legs",
    "pairs",
    "poise",
    "relation",
    "routes",
    "strokes",
    "style",
    "trunk",
    "tumbles",
]
