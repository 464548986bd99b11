"""Find pelvis, legs, arms, spine and head in a joint tree, by what the names say and in which order they come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from remogpt.motion.anatomy.names import JointName
from remogpt.motion.anatomy.tree import Tree

LEG = ("hip", "knee", "ankle", "toe")
ARM = ("collar", "shoulder", "elbow", "wrist")
_NEEDED = {"hip", "knee", "ankle", "shoulder", "elbow", "wrist"}
SHORT = 0.01
"""Share of the tree's reach below which a bone has no length: its joint lies on its parent."""

Limb = Mapping[str, int]
"""Joint of the source by its role in a leg or arm."""


@dataclass(frozen=True)
class Limbs:
    """Joints of a source that make up a human body."""

    pelvis: int
    legs: Mapping[str, Limb]
    """By side: hip, knee, ankle and perhaps toe."""
    arms: Mapping[str, Limb]
    """By side: perhaps collar; shoulder, elbow, wrist."""
    spine: tuple[int, ...]
    """Between pelvis and neck, upwards."""
    neck: tuple[int, ...]
    head: int | None


def find_by_names(names: Sequence[JointName], tree: Tree) -> Limbs | str:
    """Find the body in a tree; return what is missing, in words, where there is none."""
    legs: dict[str, Limb] = {}
    arms: dict[str, Limb] = {}
    for side in ("left", "right"):
        for found, roles, what in ((legs, LEG, "leg (hip, knee, ankle)"), (arms, ARM, "arm (shoulder, elbow, hand)")):
            limb = _limb(names, tree, side, roles)
            if limb is None:
                return f"no {side} {what}"
            found[side] = limb
    return with_trunk(tree, legs, arms, names)


def with_trunk(tree: Tree, legs: Mapping[str, Limb], arms: Mapping[str, Limb], names: Sequence[JointName]) -> Limbs:
    """Add pelvis, spine, neck and head to the limbs that hang on them."""
    hips = [limb["hip"] for limb in legs.values()]
    tops = [limb.get("collar", limb["shoulder"]) for limb in arms.values()]
    between = tree.common([tree.parents[hip] for hip in hips])
    chest = tree.common([tree.parents[top] for top in tops])
    if between is None or chest is None or min(tree.parents[hip] for hip in hips) < 0:
        between, chest = hips[0] if between is None else between, tops[0] if chest is None else chest
    named = [joint for joint in tree.path(between) if "pelvis" in names[joint].roles()]
    pelvis = named[-1] if named else between
    root = tree.common([pelvis, chest]) or 0
    above = set(tree.path(root)) | {pelvis}
    spine = [joint for joint in tree.path(chest) if joint not in above]
    neck: list[int] = []
    while spine and {"neck", "head"} & set(names[spine[-1]].roles()):
        neck.insert(0, spine.pop())
    head = _head(names, tree, chest, tops, pelvis)
    if head is not None:
        neck += [joint for joint in tree.path(head)[:-1] if joint not in {*above, *spine, *neck, *tree.path(chest)}]
    neck = [joint for joint in neck if joint != head]
    tall = SHORT * float(tree.reach.max())
    has_length = [joint for joint in spine if tree.lengths[joint] > tall]
    return Limbs(pelvis, legs, arms, tuple(has_length), tuple(_apart(neck, tree, tall)), head)


def _apart(neck: Sequence[int], tree: Tree, tall: float) -> list[int]:
    """Keep the neck joints that do not lie on their parents; the only one is kept in any case."""
    kept = [joint for joint in neck if tree.lengths[joint] > tall]
    return kept or list(neck[:1])


def _head(names: Sequence[JointName], tree: Tree, chest: int, tops: Sequence[int], pelvis: int) -> int | None:
    """Choose the joint called head, or else the last joint that has one below it, on the way up from the chest."""
    called = [joint for joint, name in enumerate(names) if "head" in name.roles() and chest in tree.path(joint)]
    if called:
        return min(called, key=lambda joint: len(tree.path(joint)))
    arms = {joint for top in tops for joint in tree.path(top)}
    ways = [tree.longest_way(child) for child in tree.children[chest] if child not in arms and child != pelvis]
    ways = [way for way in ways if not any(names[joint].side for joint in way)]
    if not ways:
        return None
    way = max(ways, key=lambda way: float(sum(tree.lengths[way])))
    return way[-2] if len(way) > 1 else way[-1]


def _limb(names: Sequence[JointName], tree: Tree, side: str, roles: Sequence[str]) -> Limb | None:
    """Choose the chain of one side whose names say best what a leg or an arm consists of, from the trunk outwards."""
    best: tuple[float, Limb] | None = None
    for tip, name in enumerate(names):
        if name.side == side and set(name.roles()) & set(roles[-2:]):
            tall = SHORT * float(tree.reach.max())
            chain = [joint for joint in tree.path(tip) if names[joint].side == side and tree.lengths[joint] > tall]
            score, limb = _assign(tuple(chain), tuple(roles), names)
            if limb is not None and (best is None or score > best[0]):
                best = score, limb
    return None if best is None else best[1]


def _assign(chain: tuple[int, ...], roles: tuple[str, ...], names: Sequence[JointName]) -> tuple[float, Limb | None]:
    """Give the joints of a chain their roles in order, so that the words fit best; earlier joints win draws."""
    if not roles:
        return 0.0, {}
    options: list[tuple[float, Limb]] = []
    if roles[0] not in _NEEDED:
        score, limb = _assign(chain, roles[1:], names)
        if limb is not None:
            options.append((score, limb))
    for place, joint in enumerate(chain):
        sure = names[joint].roles().get(roles[0], 0.0)
        if sure:
            score, limb = _assign(chain[place + 1 :], roles[1:], names)
            if limb is not None:
                options.append((score + sure - 0.01 * place, {roles[0]: joint, **limb}))
    return max(options, key=lambda option: option[0]) if options else (0.0, None)
