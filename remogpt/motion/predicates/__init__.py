"""Predicates on joints, by body part: gait, legs, trunk, arms."""

from remogpt.motion.predicates import arms, gait, legs, strokes, style, trunk
from remogpt.motion.predicates.catalogue import PREDICATES, Predicate
from remogpt.motion.predicates.relations import relation

__all__ = ["PREDICATES", "Predicate", "arms", "gait", "legs", "relation", "strokes", "style", "trunk"]
