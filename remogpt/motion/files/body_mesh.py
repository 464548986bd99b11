"""Shape a simple body around a skeleton at rest: tubes for limbs and trunk, an egg for the head, one skinned mesh.

The shape is ours and depends on nothing but the joints, so it may be passed on with any motion. About 900 vertices.
Conventions: metres, y up, the body faces +z; colours as in the player, left blue and right orange.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from remogpt.motion.inverse_kinematics import unit
from remogpt.motion.skeleton import BONE_LENGTHS, JOINT_INDEX, NUM_JOINTS

COLOURS = {"left": (38, 118, 214), "right": (232, 119, 34), "trunk": (150, 158, 174)}
"""sRGB of each side."""
_SIDES = 12
"""Corners of a tube's cross-section."""
_LEG = float(BONE_LENGTHS[[4, 5, 7, 8]].sum() / 2)
"""Metres from hip to ankle of the body that the radii below are told for."""
Weights = Mapping[str, float]


@dataclass(frozen=True)
class BodyMesh:
    """A closed surface with the joints that move it."""

    vertices: np.ndarray
    """(V, 3) float32 metres."""
    normals: np.ndarray
    """(V, 3) float32, unit length, outwards."""
    colours: np.ndarray
    """(V, 3) uint8 sRGB."""
    triangles: np.ndarray
    """(M, 3) uint16 vertex indices, counterclockwise from outside."""
    weights: np.ndarray
    """(V, 22) float32 share of each of our joints; rows sum to one, with at most four above zero."""


@dataclass(frozen=True)
class _Ring:
    """An elliptic cross-section."""

    centre: np.ndarray
    wide: float
    """Radius across."""
    deep: float
    """Radius along the tube's front."""
    weights: Weights


def body_mesh(joints: np.ndarray) -> BodyMesh:
    """Build the mesh around joints (22, 3) in metres, in a pose with legs and trunk about upright."""
    at = {name: joints[index] for name, index in JOINT_INDEX.items()}
    legs = [np.linalg.norm(at[f"{side}_hip"] - at[f"{side}_knee"]) for side in ("left", "right")]
    shins = [np.linalg.norm(at[f"{side}_knee"] - at[f"{side}_ankle"]) for side in ("left", "right")]
    size = float(sum(legs + shins) / 2 / _LEG)
    forward, up = np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0])
    tubes = [(_trunk(at, size), forward, "trunk"), (_head(at, size), forward, "trunk")]
    for side in ("left", "right"):
        tubes += [(_leg(at, side, size), forward, side), (_foot(at, side, size), up, side)]
        tubes += [(_arm(at, side, size), forward, side)]
    return _joined([_tube(rings, front, colour) for rings, front, colour in tubes])


def _trunk(at: Mapping[str, np.ndarray], size: float) -> list[_Ring]:
    hips = (at["left_hip"] + at["right_hip"]) / 2
    shoulders = (at["left_shoulder"] + at["right_shoulder"]) / 2
    reach = float(np.linalg.norm(at["left_shoulder"] - at["right_shoulder"])) / 2
    seat = float(np.linalg.norm(at["left_hip"] - at["right_hip"])) / 2 + 0.07 * size
    spine = [at[f"spine{number}"] for number in (1, 2, 3)]
    collar = shoulders + 0.6 * (at["neck"] - shoulders) + (0.0, 0.03 * size, 0.0)
    low = hips - (0.0, 0.07 * size, 0.0)
    rings = [
        (low, 0.6 * seat, 0.08 * size, {"pelvis": 1.0}),
        (hips, seat, 0.105 * size, {"pelvis": 1.0}),
        (at["pelvis"], 0.95 * seat, 0.1 * size, {"pelvis": 0.8, "spine1": 0.2}),
        (spine[0], 0.125 * size, 0.09 * size, {"pelvis": 0.5, "spine1": 0.5}),
        (spine[1], 0.125 * size, 0.092 * size, {"spine1": 0.5, "spine2": 0.5}),
        (spine[2], max(0.75 * reach, 0.13 * size), 0.1 * size, {"spine2": 0.4, "spine3": 0.6}),
        ((spine[2] + shoulders) / 2, max(0.85 * reach, 0.14 * size), 0.1 * size, {"spine3": 1.0}),
        (shoulders, 0.8 * reach, 0.075 * size, {"spine3": 1.0}),
        (collar, 0.07 * size, 0.06 * size, {"spine3": 1.0}),
    ]  # fmt: skip
    rings.sort(key=lambda ring: float(ring[0][1]))
    return [_Ring(*ring) for ring in rings]


def _head(at: Mapping[str, np.ndarray], size: float) -> list[_Ring]:
    axis = unit(at["head"] - at["neck"])
    centre = at["head"] + 0.085 * size * axis
    rings = [_Ring(at["neck"] - 0.03 * size * axis, 0.058 * size, 0.058 * size, {"spine3": 0.7, "neck": 0.3})]
    rings += [_Ring(at["neck"] + 0.5 * (at["head"] - at["neck"]), 0.05 * size, 0.052 * size, {"neck": 1.0})]
    for height, share in ((-0.75, 0.66), (-0.4, 0.92), (0.0, 1.0), (0.45, 0.9), (0.8, 0.6), (0.95, 0.31)):
        shape = (0.08 * size * share, 0.098 * size * share, {"head": 1.0})
        rings.append(_Ring(centre + 0.118 * size * height * axis + (0.0, 0.0, 0.012 * size), *shape))
    return rings


def _leg(at: Mapping[str, np.ndarray], side: str, size: float) -> list[_Ring]:
    hip, knee, ankle = (f"{side}_{joint}" for joint in ("hip", "knee", "ankle"))
    return _limb(
        (at[hip], at[knee], at[ankle]),
        (("pelvis", hip), (hip, knee), (knee, ankle)),
        ((-0.02, 0.078), (0.15, 0.084), (0.5, 0.07), (0.88, 0.054), (1.0, 0.053), (1.12, 0.05), (1.35, 0.054),
         (1.7, 0.043), (1.95, 0.035), (2.05, 0.035)),
        size,
    )  # fmt: skip


def _arm(at: Mapping[str, np.ndarray], side: str, size: float) -> list[_Ring]:
    collar, shoulder, elbow, wrist = (f"{side}_{joint}" for joint in ("collar", "shoulder", "elbow", "wrist"))
    rings = _limb(
        (at[shoulder], at[elbow], at[wrist]),
        ((collar, shoulder), (shoulder, elbow), (elbow, wrist)),
        ((-0.22, 0.05), (0.0, 0.058), (0.25, 0.049), (0.6, 0.044), (0.9, 0.038), (1.0, 0.037), (1.1, 0.037),
         (1.35, 0.039), (1.7, 0.032), (1.95, 0.026)),
        size,
    )  # fmt: skip
    along = unit(at[wrist] - at[elbow])
    for distance, thick, broad in (
        (0.03, 0.027, 0.034),
        (0.085, 0.026, 0.042),
        (0.14, 0.022, 0.034),
        (0.175, 0.013, 0.018),
    ):
        rings.append(_Ring(at[wrist] + distance * size * along, thick * size, broad * size, {wrist: 1.0}))
    return rings


def _foot(at: Mapping[str, np.ndarray], side: str, size: float) -> list[_Ring]:
    ankle, toe = at[f"{side}_ankle"], at[f"{side}_foot"]
    ahead = unit((toe - ankle) * (1.0, 0.0, 1.0))
    sole = min(float(toe[1]), float(ankle[1]) - 0.05 * size) - 0.02 * size
    length = float(np.linalg.norm((toe - ankle) * (1.0, 0.0, 1.0)))
    heel, tip = {f"{side}_ankle": 1.0}, {f"{side}_foot": 1.0}
    ball = {f"{side}_ankle": 0.5, f"{side}_foot": 0.5}
    rings = []
    for distance, height, wide, weights in (
        (-0.05 * size, 0.045, 0.03, heel), (-0.02 * size, 0.085, 0.037, heel), (0.35 * length, 0.08, 0.04, heel),
        (0.75 * length, 0.055, 0.045, heel), (length, 0.042, 0.047, ball), (length + 0.05 * size, 0.03, 0.038, tip),
    ):  # fmt: skip
        centre = ankle + distance * ahead
        centre = np.array([centre[0], sole + height * size / 2, centre[2]])
        rings.append(_Ring(centre, wide * size, height * size / 2, weights))
    return rings


def _limb(
    points: Sequence[np.ndarray],
    joints: Sequence[tuple[str, str]],
    profile: Sequence[tuple[float, float]],
    size: float,
) -> list[_Ring]:
    """Follow a limb of two bones: `profile` gives (0 to 1 the upper bone, 1 to 2 the lower one; radius)."""
    rings = []
    for place, radius in profile:
        bone = min(max(int(place), 0), 1)
        centre = points[bone] + (place - bone) * (points[bone + 1] - points[bone])
        nearest = min(max(round(place), 0), 2)
        above, below = joints[nearest]
        share = float(np.clip(0.5 + (place - nearest) / 0.3, 0.0, 1.0))
        rings.append(_Ring(centre, radius * size, radius * size, {above: 1.0 - share, below: share}))
    return rings


def _tube(rings: Sequence[_Ring], front: np.ndarray, colour: str) -> BodyMesh:
    """Sweep a closed surface through cross-sections; `front` is the direction of their radius `deep`."""
    centres = np.stack([ring.centre for ring in rings])
    along = unit(np.gradient(centres, axis=0))
    across = unit(np.cross(front, along))
    ahead = np.cross(along, across)
    angle = np.arange(_SIDES) * (2 * np.pi / _SIDES)
    wide = np.array([ring.wide for ring in rings])[:, None, None]
    deep = np.array([ring.deep for ring in rings])[:, None, None]
    circle = np.cos(angle)[:, None] * across[:, None] * wide + np.sin(angle)[:, None] * ahead[:, None] * deep
    tips = [
        centres[end] + 0.6 * min(rings[end].wide, rings[end].deep) * sign * along[end]
        for end, sign in ((0, -1), (-1, 1))
    ]
    vertices = np.concatenate([(centres[:, None] + circle).reshape(-1, 3), tips])
    weights = np.zeros((len(vertices), NUM_JOINTS))
    for number, ring in enumerate([*rings, rings[0], rings[-1]]):
        begin = min(number, len(rings)) * _SIDES + max(number - len(rings), 0)
        rows = slice(begin, begin + (_SIDES if number < len(rings) else 1))
        for name, share in ring.weights.items():
            weights[rows, JOINT_INDEX[name]] += share
    triangles = _tube_triangles(len(rings))
    colours = np.tile(np.array(COLOURS[colour], dtype=np.uint8), (len(vertices), 1))
    return BodyMesh(vertices, _normals(vertices, triangles), colours, triangles, weights)


def _tube_triangles(num_rings: int) -> np.ndarray:
    corner = np.arange(_SIDES)
    after = (corner + 1) % _SIDES
    faces = []
    for ring in range(num_rings - 1):
        low, high = ring * _SIDES, (ring + 1) * _SIDES
        faces += [np.stack([low + corner, low + after, high + after], -1)]
        faces += [np.stack([low + corner, high + after, high + corner], -1)]
    bottom, top, last = num_rings * _SIDES, num_rings * _SIDES + 1, (num_rings - 1) * _SIDES
    faces += [np.stack([np.full(_SIDES, bottom), after, corner], -1)]
    faces += [np.stack([np.full(_SIDES, top), last + corner, last + after], -1)]
    return np.concatenate(faces)


def _normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Average the normals of the triangles at each vertex, by their areas."""
    a, b, c = (vertices[triangles[:, corner]] for corner in range(3))
    normals = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(normals, triangles[:, corner], np.cross(b - a, c - a))
    return unit(normals)


def _joined(parts: Sequence[BodyMesh]) -> BodyMesh:
    starts = np.cumsum([0, *(len(part.vertices) for part in parts)])
    return BodyMesh(
        np.concatenate([part.vertices for part in parts]).astype(np.float32),
        np.concatenate([part.normals for part in parts]).astype(np.float32),
        np.concatenate([part.colours for part in parts]),
        np.concatenate([part.triangles + start for part, start in zip(parts, starts[:-1], strict=True)]).astype(
            np.uint16
        ),
        np.concatenate([part.weights for part in parts]).astype(np.float32),
    )
