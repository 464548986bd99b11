"""Turn a body found in a foreign tree into weights for our 22 joints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from remogpt.motion.anatomy.limbs import SHORT, Limbs
from remogpt.motion.anatomy.tree import Tree
from remogpt.motion.skeleton import JOINT_NAMES

Weights = dict[int, float]
"""Weight of each source joint; they sum to one."""

_ON_SPINE = {"spine1": 0.24, "spine2": 0.5, "spine3": 0.6}
"""Where our spine joints lie on the way from pelvis to neck."""
_PELVIS_RISE = 0.13
"""Height of our pelvis over the line between the hips, as a share of the way to the neck."""
_LEANS = {"spine1": -16.0, "spine2": 10.0, "head": 35.0}
"""Degrees towards the front by which the bones of our upright body stand off the trunk (HumanML3D's mean pose)."""
_STRAIGHT = 20.0
"""Degrees of the head's bone below which a spine is a straight line of bones, not one like ours."""


def our_joints(limbs: Limbs, tree: Tree, positions: np.ndarray) -> dict[str, Weights]:
    """Return the weights of source joints that make each of our joints.

    Args:
        limbs: what was found.
        tree: the source's tree.
        positions: (T, J, 3) of some frames, to see how the joints lie.
    """
    made: dict[str, Weights] = {}
    for side in ("left", "right"):
        leg, arm = limbs.legs[side], limbs.arms[side]
        for ours, role in (("hip", "hip"), ("knee", "knee"), ("ankle", "ankle")):
            made[f"{side}_{ours}"] = {leg[role]: 1.0}
        made[f"{side}_foot"] = {_toe(leg, tree): 1.0}
        for role in ("shoulder", "elbow", "wrist"):
            made[f"{side}_{role}"] = {arm[role]: 1.0}
    made["neck"] = _neck(limbs)
    made["head"] = _head(limbs, tree, made["neck"])
    made["pelvis"] = _pelvis(limbs, made, positions)
    way = [made["pelvis"], *({joint: 1.0} for joint in limbs.spine), made["neck"]]
    for place, (name, share) in enumerate(_ON_SPINE.items(), start=1):
        made[name] = way[place] if len(limbs.spine) == len(_ON_SPINE) else _along(way, share, positions)
    for side in ("left", "right"):
        made[f"{side}_collar"] = _collar(limbs, side, made, positions)
    return {name: made[name] for name in JOINT_NAMES}


def leans(poses: Sequence[np.ndarray]) -> dict[str, float]:
    """Return by how many degrees single bones are to be turned towards the front.

    Most rigs have a straight spine and a head right above the neck; ours curves. A rig whose head stands before its
    neck, when it moves or at rest, is left as it is.

    Args:
        poses: our joints (T, 22, 3) of some frames, and of the rest pose (1, 22, 3) where there is one.
    """
    if max(_lean(joints, JOINT_NAMES.index("head")) for joints in poses) > _STRAIGHT:
        return {}
    turns = {}
    for name, ours in _LEANS.items():
        turn = ours - _lean(poses[0], JOINT_NAMES.index(name))
        turns[name] = float(np.clip(turn, min(ours, 0.0), max(ours, 0.0)))
    return {name: round(turn, 1) for name, turn in turns.items() if abs(turn) > 1}


def _lean(joints: np.ndarray, joint: int) -> float:
    """Return the median angle in degrees of the bone that ends at a joint, off the trunk towards the front."""
    parent = {"spine1": "pelvis", "spine2": "spine1", "head": "neck"}[JOINT_NAMES[joint]]
    at = {name: joints[:, JOINT_NAMES.index(name)] for name in ("left_hip", "right_hip", "neck", parent)}
    up = _unit(at["neck"] - (at["left_hip"] + at["right_hip"]) / 2)
    front = _unit(np.cross(at["left_hip"] - at["right_hip"], up))
    bone = joints[:, joint] - at[parent]
    return float(np.degrees(np.median(np.arctan2((bone * front).sum(-1), (bone * up).sum(-1)))))


def _unit(vectors: np.ndarray) -> np.ndarray:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9))


def _toe(leg: Mapping[str, int], tree: Tree) -> int:
    """Return the toe, or what the foot ends in, or the ankle itself where the foot has no length."""
    if "toe" in leg:
        return leg["toe"]
    tip = tree.longest_way(leg["ankle"])[-1]
    return tip if tree.reach[leg["ankle"]] - tree.lengths[leg["ankle"]] > SHORT * tree.reach.max() else leg["ankle"]


def _neck(limbs: Limbs) -> Weights:
    if limbs.neck:
        return {limbs.neck[0]: 1.0}
    shoulders = {limbs.arms[side]["shoulder"]: 0.25 for side in ("left", "right")}
    if limbs.head is None:
        return dict.fromkeys(shoulders, 0.5)
    return {**shoulders, limbs.head: 0.5}


def _head(limbs: Limbs, tree: Tree, neck: Weights) -> Weights:
    if limbs.head is None:
        return dict(neck)
    if tree.lengths[limbs.head] > 2 * SHORT * tree.reach.max() or limbs.head not in _below(limbs.neck, tree):
        return {limbs.head: 1.0}
    return {limbs.head: 0.5, tree.longest_way(limbs.head)[-1]: 0.5}


def _below(joints: Sequence[int], tree: Tree) -> set[int]:
    return {child for joint in joints for child in tree.children[joint]}


def _pelvis(limbs: Limbs, made: Mapping[str, Weights], positions: np.ndarray) -> Weights:
    """Return the pelvis; one that lies on or below the line between the hips is put where ours is."""
    hips = mix([(made["left_hip"], 0.5), (made["right_hip"], 0.5)])
    below, neck, here = (place(weights, positions) for weights in (hips, made["neck"], {limbs.pelvis: 1.0}))
    trunk = neck - below
    rise = np.median(((here - below) * trunk).sum(-1) / np.maximum((trunk**2).sum(-1), 1e-9))
    if 0.3 * _PELVIS_RISE < rise < 3 * _PELVIS_RISE:
        return {limbs.pelvis: 1.0}
    return mix([(hips, 1 - _PELVIS_RISE), (made["neck"], _PELVIS_RISE)])


def _along(way: Sequence[Weights], share: float, positions: np.ndarray) -> Weights:
    """Return the point at a share of the way along a chain of joints."""
    points = np.stack([place(weights, positions) for weights in way])
    bones = np.median(np.linalg.norm(np.diff(points, axis=0), axis=-1), axis=-1)
    ends = np.concatenate([[0.0], np.cumsum(bones)]) / max(float(bones.sum()), 1e-9)
    step = min(int(np.searchsorted(ends, share, side="right")) - 1, len(bones) - 1)
    inside = float((share - ends[step]) / max(ends[step + 1] - ends[step], 1e-9))
    return mix([(way[step], 1 - inside), (way[step + 1], inside)])


def _collar(limbs: Limbs, side: str, made: Mapping[str, Weights], positions: np.ndarray) -> Weights:
    """Return the collar joint where it lies between spine and shoulder, or else a point where ours is."""
    shoulder, arm = made[f"{side}_shoulder"], limbs.arms[side]
    if "collar" in arm:
        axis = _unit(place(made["left_shoulder"], positions) - place(made["right_shoulder"], positions))
        out, far = (
            np.median(np.abs(((place(weights, positions) - place(made["neck"], positions)) * axis).sum(-1)))
            for weights in ({arm["collar"]: 1.0}, shoulder)
        )
        if 0.15 * far < out < 0.85 * far:
            return {arm["collar"]: 1.0}
    return mix([(shoulder, 0.39), (made["neck"], 0.38), (made["spine3"], 0.23)])


def mix(parts: Sequence[tuple[Weights, float]]) -> Weights:
    """Return the weighted mean of points that are weighted means themselves."""
    mixed: Weights = {}
    for weights, share in parts:
        for joint, weight in weights.items():
            mixed[joint] = mixed.get(joint, 0.0) + share * weight
    return mixed


def place(weights: Mapping[int, float], positions: np.ndarray) -> np.ndarray:
    """Return where a weighted mean of source joints lies, (T, 3)."""
    return np.asarray(sum(weight * positions[:, joint] for joint, weight in weights.items()))
