"""Find a body by the tree's shape alone: two pairs of equal limbs, the longer pair the legs.

Sides are told by how the joints lie: feet point forward, and the person's left is left of that.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, pairwise

import numpy as np

from remogpt.motion.anatomy.limbs import SHORT, Limb, Limbs, with_trunk
from remogpt.motion.anatomy.names import JointName
from remogpt.motion.anatomy.tree import Tree

_ALIKE = 0.1
"""Largest difference of the two limbs of a pair, as a share of their length."""
_LONG = 0.15
"""Least length of a limb's two long bones, as a share of the longest way through the tree."""
_Long = tuple[float, list[int], int]
"""Length of the two longest bones in a row, the joints of the way down, and where in it these bones begin."""


def find_by_shape(names: Sequence[JointName], tree: Tree, positions: np.ndarray) -> Limbs | None:
    """Find pelvis, legs and arms by symmetry; None where there are no two pairs of limbs, or feet without toes.

    Args:
        names: what the names say; sides are not taken from them.
        tree: the source's tree.
        positions: (T, J, 3) of some frames.
    """
    pairs = _pairs(tree)
    if len(pairs) < 2:
        return None
    legs, arms = pairs[0], pairs[1]
    leg_limbs, arm_limbs = ([_limb(one, roles) for one in pair] for pair, roles in ((legs, _LEG), (arms, _ARM)))
    if any("toe" not in limb for limb in leg_limbs):
        return None
    pelvis, chest = tree.parents[legs[0][1][0]], tree.parents[arms[0][1][0]]
    up = positions[:, chest] - positions[:, pelvis]
    if pelvis == chest:
        up = positions[:, pelvis] - positions[:, [limb["ankle"] for limb in leg_limbs]].mean(axis=1)
    front = sum(positions[:, limb["toe"]] - positions[:, limb["ankle"]] for limb in leg_limbs)
    left = np.cross(up, front)
    return with_trunk(tree, _sides(leg_limbs, "hip", positions, left), _sides(arm_limbs, "shoulder", positions, left),
                      [JointName("", name.word, name.whole) for name in names])  # fmt: skip


_LEG = (None, "hip", "knee", "ankle", "toe")
_ARM = ("collar", "shoulder", "elbow", "wrist", None)


def _pairs(tree: Tree) -> list[tuple[_Long, _Long]]:
    """Return the pairs of like limbs that hang on one joint, the longest first, each joint in one pair."""
    found = []
    for children in tree.children:
        for one, other in combinations([_long(tree, child) for child in children], 2):
            longer = max(one[0], other[0])
            if longer > _LONG * tree.reach.max() and abs(one[0] - other[0]) < _ALIKE * longer:
                found.append((one, other))
    kept: list[tuple[_Long, _Long]] = []
    for pair in sorted(found, key=lambda pair: -pair[0][0]):
        used = {joint for earlier in kept for limb in earlier for joint in limb[1]}
        if not used & {joint for limb in pair for joint in limb[1]}:
            kept.append(pair)
    return kept


def _long(tree: Tree, joint: int) -> _Long:
    """Find the two longest bones in a row on the longest way down from a joint."""
    way = [step for step in tree.longest_way(joint) if step == joint or tree.lengths[step] > SHORT * tree.reach.max()]
    if len(way) < 3:
        return 0.0, way, 0
    sums = [float(tree.lengths[one] + tree.lengths[other]) for one, other in pairwise(way[1:])]
    begin = int(np.argmax(sums))
    return sums[begin], way, begin


def _limb(long: _Long, roles: Sequence[str | None]) -> Limb:
    """Name the joints around the two long bones: the one before, the three of them, the one after."""
    _, way, begin = long
    return {role: way[place] for place, role in enumerate(roles, start=begin - 1) if role and 0 <= place < len(way)}


def _sides(limbs: Sequence[Limb], top: str, positions: np.ndarray, left: np.ndarray) -> dict[str, Limb]:
    across = positions[:, limbs[0][top]] - positions[:, limbs[1][top]]
    first_is_left = np.median((across * left).sum(-1)) > 0
    ordered = limbs if first_is_left else limbs[::-1]
    return {"left": ordered[0], "right": ordered[1]}
