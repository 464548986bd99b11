"""Model one person's proportions, and turn poses into joints: legs by inverse, the rest by forward kinematics.

Metres and radians; y up; left is +x when facing +z.
"""

from dataclasses import dataclass

import numpy as np

from remogpt.data.procedural.curves import apply, ease, heading_vector, rotation, smooth, two_bone, unit
from remogpt.data.procedural.track import Track
from remogpt.motion.skeleton import BONE_LENGTHS, PARENTS

_REST = np.array(
    [
        (0.0, 0.0, 0.0), (0.56, -0.81, -0.17), (-0.56, -0.81, -0.17), (0.0, 0.96, -0.24), (0.0, -1.0, 0.0),
        (0.0, -1.0, 0.0), (0.0, 0.98, 0.17), (0.0, -1.0, 0.0), (0.0, -1.0, 0.0), (0.0, 1.0, 0.05),
        (0.12, -0.35, 0.93), (-0.12, -0.35, 0.93), (0.0, 0.99, -0.13), (0.53, 0.84, -0.13), (-0.53, 0.84, -0.13),
        (0.0, 0.88, 0.47), (0.97, 0.16, -0.14), (-0.97, 0.16, -0.14), (0.0, -1.0, 0.0), (0.0, -1.0, 0.0),
        (0.0, -1.0, 0.0), (0.0, -1.0, 0.0),
    ]
)  # fmt: skip
"""(22, 3) bone directions of a person who stands upright, feet flat: hips lie below the pelvis, feet point down to
the ball. The skeleton's raw offsets are a convention for features, not a body."""

FOOT_HEIGHT = 0.010
"""Height of the foot joint (ball) of a flat foot, metres."""
_HEEL_BEHIND = 0.045
"""Distance of the heel behind the ankle, metres."""
_SIDES = np.array([1.0, -1.0])
_LEG_REACH = 0.997
"""Share of the straight leg that a planted leg may use."""

_PLACEMENT_SPREAD = (
    ((1, 2), 10.0, 10.0), ((3,), 8.0, 0.0), ((6,), 8.0, 0.0), ((9,), 8.0, 0.0), ((12,), 8.0, 0.0),
    ((15,), 18.0, 0.0), ((13, 14), 12.0, 20.0), ((16, 17), 12.0, 22.0), ((10, 11), 5.0, 6.0),
)  # fmt: skip
"""Bones (left, right) and by how many degrees at most their rest direction tilts forward and sideways."""


@dataclass(frozen=True)
class Body:
    """Bone offsets of one person."""

    offsets: np.ndarray
    """(22, 3) rest offsets in metres."""

    @property
    def leg_lengths(self) -> np.ndarray:
        """(2, 2): thigh and shin of the left and the right leg."""
        lengths = np.linalg.norm(self.offsets, axis=-1)
        return np.array([[lengths[4], lengths[7]], [lengths[5], lengths[8]]])

    @property
    def foot_vectors(self) -> np.ndarray:
        """(2, 3) from ankle to ball, foot flat and pointing forward."""
        return self.offsets[[10, 11]]

    @property
    def ankle_height(self) -> np.ndarray:
        """(2,) height of the ankles when the feet are flat."""
        return FOOT_HEIGHT - self.foot_vectors[:, 1]

    @property
    def pelvis_height(self) -> float:
        """Height of the pelvis over straight legs, feet flat and under the hips."""
        return float((self.leg_lengths.sum(1) + self.ankle_height - self.offsets[[1, 2], 1]).min())


def sample_body(rng: np.random.Generator) -> Body:
    """Draw proportions: limbs vary by a few percent; the full length of the leg is fixed, since features are
    scaled by it and distances would change."""
    lengths = np.asarray(BONE_LENGTHS, dtype=float).copy()
    shift = rng.uniform(-0.03, 0.03)
    for thigh, shin in ((4, 7), (5, 8)):
        whole = lengths[thigh] + lengths[shin]
        lengths[thigh] *= 1.0 + shift
        lengths[shin] = whole - lengths[thigh]
    lengths[[1, 2]] *= rng.uniform(0.93, 1.07)
    lengths[[3, 6, 9, 12]] *= rng.uniform(0.95, 1.06)
    lengths[15] *= rng.uniform(0.92, 1.08)
    lengths[[13, 14, 16, 17]] *= rng.uniform(0.94, 1.06)
    lengths[[18, 19]] *= rng.uniform(0.95, 1.05)
    lengths[[20, 21]] *= rng.uniform(0.95, 1.05)
    lengths[[10, 11]] *= rng.uniform(0.95, 1.05)
    return Body(_sample_directions(rng) * lengths[:, None])


def _sample_directions(rng: np.random.Generator) -> np.ndarray:
    """Draw (22, 3) unit bone directions at rest, symmetric.

    Recording systems place hips, collars, shoulders and head of the same person differently; a model trained on one
    placement would mistake another for a gesture.
    """
    directions = unit(_REST).copy()
    for joints, forward, sideways in _PLACEMENT_SPREAD:
        pitch, roll = rng.uniform(-1.0, 1.0, 2) * np.deg2rad((forward, sideways))
        for joint, sign in zip(joints, _SIDES, strict=False):
            directions[joint] = apply(rotation(0.0, pitch, sign * roll), directions[joint])
    return directions


def assemble(body: Body, track: Track, arms: np.ndarray) -> np.ndarray:
    """Turn a track and arm angles into joints.

    Args:
        body: proportions.
        track: T frames; `root` heights are relative to `body.pelvis_height`.
        arms: (T, 2, 4) flexion, abduction, elbow, forearm turn, in the chest's frame.

    Returns:
        (T, 22, 3) metres; planted feet stay where the track put them.
    """
    joints = np.zeros((track.frames, 22, 3))
    pelvis_turn = rotation(track.yaw + track.pelvis[:, 1], track.pelvis[:, 0], track.pelvis[:, 2])
    root = track.root + np.array([0.0, body.pelvis_height, 0.0])
    hips = np.stack([apply(pelvis_turn, body.offsets[i]) for i in (1, 2)], axis=1)  # (T, 2, 3) from the pelvis
    ankle, pitch = _raise_heels(body, track, root[:, None] + hips)
    root[:, 1] -= _needed_drop(body, track, root[:, None] + hips, ankle)
    joints[:, 0] = root
    _place_legs(body, track, root[:, None] + hips, ankle, pitch, joints)
    chest_turn = _place_trunk(body, track, pelvis_turn, joints)
    _place_arms(body, chest_turn, arms, joints)
    return joints


def _foot_vector(body: Body, yaw: np.ndarray, pitch: np.ndarray) -> np.ndarray:
    """(T, 2, 3) from ankle to ball; positive pitch points the toes down."""
    return apply(rotation(yaw, pitch, 0.0), body.foot_vectors)


def _raise_heels(body: Body, track: Track, hips: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Raise the heels of planted feet until the legs reach, by up to about 60 degrees."""
    yaw, pitch, ankle = track.foot[..., 0], track.foot[..., 1], track.ankle
    ball = ankle + _foot_vector(body, yaw, pitch)
    limit = body.leg_lengths.sum(1) * _LEG_REACH
    far = track.planted & (np.linalg.norm(ankle - hips, axis=-1) > limit) & (pitch > -0.05)
    if not far.any():
        return ankle, pitch
    low, high = pitch, np.maximum(pitch, 1.05)
    for _ in range(9):
        middle = 0.5 * (low + high)
        fits = np.linalg.norm(ball - _foot_vector(body, yaw, middle) - hips, axis=-1) <= limit
        low, high = np.where(fits, low, middle), np.where(fits, middle, high)
    pitch = np.where(far, high, pitch)
    return ball - _foot_vector(body, yaw, pitch), pitch


def _needed_drop(body: Body, track: Track, hips: np.ndarray, ankle: np.ndarray) -> np.ndarray:
    """(T,) metres by which the pelvis must be lowered so that planted legs reach, smooth in time."""
    limit = body.leg_lengths.sum(1) * _LEG_REACH
    way = hips - ankle
    flat = (way[..., [0, 2]] ** 2).sum(-1)
    height = np.sqrt(np.maximum(limit**2 - flat, 0.01))
    drop = np.where(track.planted, np.maximum(way[..., 1] - height, 0.0), 0.0).max(axis=1)
    if not drop.any():
        return drop
    reach = 3
    padded = np.pad(drop, reach, mode="edge")
    highest = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).max(axis=-1)
    return np.maximum(smooth(highest, 1.2), drop)


def _place_legs(
    body: Body, track: Track, hips: np.ndarray, ankle: np.ndarray, pitch: np.ndarray, joints: np.ndarray
) -> None:
    heading = track.yaw + track.pelvis[:, 1]
    for side in (0, 1):
        yaw, way = track.foot[:, side, 0], unit(ankle[:, side] - hips[:, side])
        between = heading + 0.5 * np.arctan2(np.sin(yaw - heading), np.cos(yaw - heading))
        between = between + _SIDES[side] * track.knee[:, side]
        bend = np.cross(way, heading_vector(between, 1.0, 0.0)) + 0.15 * heading_vector(between, 0.0, 1.0)
        thigh, shin = body.leg_lengths[side]
        knee, end = two_bone(hips[:, side], ankle[:, side], thigh, shin, bend)
        knee, end = _rest_knee(hips[:, side], knee, end, track.knees[:, side], ankle[:, side], (thigh, shin))
        joints[:, 1 + side], joints[:, 4 + side], joints[:, 7 + side] = hips[:, side], knee, end
        foot = apply(rotation(yaw, pitch[:, side], 0.0), body.foot_vectors[side])
        joints[:, 10 + side] = end + foot


def _rest_knee(
    hip: np.ndarray,
    knee: np.ndarray,
    end: np.ndarray,
    place: np.ndarray,
    ankle: np.ndarray,
    lengths: tuple[float, float],
) -> tuple[np.ndarray, np.ndarray]:
    """Draw a knee to the place (T, 4) where it rests on the floor; the shin then points at the ankle's target."""
    if not place[:, 3].any():
        return knee, end
    weight = place[:, 3:]
    drawn = hip + lengths[0] * unit(knee + weight * (place[:, :3] - knee) - hip)
    return drawn, drawn + lengths[1] * unit(end + weight * (ankle - end) - drawn)


def _place_trunk(body: Body, track: Track, pelvis_turn: np.ndarray, joints: np.ndarray) -> np.ndarray:
    chest = track.trunk
    turns = [pelvis_turn]
    for share in (1 / 3, 2 / 3, 1.0):
        angles = (1.0 - share) * track.pelvis + share * chest
        turns.append(rotation(track.yaw + angles[:, 1], angles[:, 0], angles[:, 2]))
    for turn, joint in zip(turns, (3, 6, 9, 12), strict=True):
        joints[:, joint] = joints[:, PARENTS[joint]] + apply(turn, body.offsets[joint])
    roll = chest[:, 2]
    # Four fifths of a chest's lean, and all of a cartwheel's turn.
    over = 0.4 * np.pi * np.sign(roll) * ease((np.abs(roll) - 1.4) / (2.0 * np.pi - 2.8))
    head_turn = rotation(
        track.yaw + chest[:, 1] + track.head[:, 1], 0.75 * chest[:, 0] + track.head[:, 0], 0.8 * roll + over
    )
    joints[:, 15] = joints[:, 12] + apply(head_turn, body.offsets[15])
    return turns[-1]


def chest_frame(track: Track) -> np.ndarray:
    """(T, 3, 3) rotation of the chest in the world."""
    return rotation(track.yaw + track.trunk[:, 1], track.trunk[:, 0], track.trunk[:, 2])


def _place_arms(body: Body, chest_turn: np.ndarray, arms: np.ndarray, joints: np.ndarray) -> None:
    for side in (0, 1):
        sign = _SIDES[side]
        upper, fore = arm_directions(arms[:, side], sign)
        collar = body.offsets[13 + side]
        joints[:, 13 + side] = joints[:, 9] + apply(chest_turn, collar)
        joints[:, 16 + side] = joints[:, 9] + apply(chest_turn, shoulder_place(body, side, upper))
        lengths = np.linalg.norm(body.offsets[[18 + side, 20 + side]], axis=-1)
        joints[:, 18 + side] = joints[:, 16 + side] + lengths[0] * apply(chest_turn, upper)
        joints[:, 20 + side] = joints[:, 18 + side] + lengths[1] * apply(chest_turn, fore)


def shoulder_place(body: Body, side: int, upper: np.ndarray) -> np.ndarray:
    """(..., 3) shoulder in the chest's frame from spine3; the collar bone follows a lifted or reaching upper arm."""
    sign = _SIDES[side]
    shrug = sign * 0.4 * np.clip(np.arccos(np.clip(-upper[..., 1], -1, 1)) - 0.5, 0.0, 2.2)
    ahead = -sign * 0.28 * np.clip(upper[..., 2], -0.8, 1.0)
    return body.offsets[13 + side] + apply(rotation(ahead, 0.0, shrug), body.offsets[16 + side])


def arm_directions(angles: np.ndarray, sign: float) -> tuple[np.ndarray, np.ndarray]:
    """Turn arm angles into unit directions of the upper arm and the forearm in the chest's frame.

    Flexion lifts the hanging arm forward, abduction sideways; the elbow folds the forearm forward and up, and a
    positive forearm turn takes it towards the body's middle.

    Args:
        angles: (..., 4) radians. sign: +1 left, -1 right.

    Returns:
        Two (..., 3) arrays.
    """
    flexion, abduction, elbow, turn = np.moveaxis(angles, -1, 0)
    cf, sf, ca, sa = np.cos(flexion), np.sin(flexion), np.cos(abduction), np.sin(abduction)
    upper = np.stack([sign * sa, -ca * cf, ca * sf], axis=-1)
    ahead = np.stack([np.zeros_like(sf), sf, cf], axis=-1)
    inward = np.stack([-sign * ca, -sa * cf, sa * sf], axis=-1)
    fold = np.cos(turn)[..., None] * ahead + np.sin(turn)[..., None] * inward
    fore = np.cos(elbow)[..., None] * upper + np.sin(elbow)[..., None] * fold
    return upper, fore


def arm_angles(upper: np.ndarray, fore: np.ndarray, sign: float) -> np.ndarray:
    """Invert `arm_directions`: (..., 4) angles; flexion in (-150, 210] degrees keeps overhead poses continuous."""
    abduction = np.arcsin(np.clip(sign * upper[..., 0], -1.0, 1.0))
    flexion = np.arctan2(upper[..., 2], -upper[..., 1])
    flexion = np.where(flexion < np.radians(-150.0), flexion + 2.0 * np.pi, flexion)
    elbow = np.arccos(np.clip((upper * fore).sum(-1), -1.0, 1.0))
    cf, sf, ca, sa = np.cos(flexion), np.sin(flexion), np.cos(abduction), np.sin(abduction)
    ahead = np.stack([np.zeros_like(sf), sf, cf], axis=-1)
    inward = np.stack([-sign * ca, -sa * cf, sa * sf], axis=-1)
    turn = np.arctan2((fore * inward).sum(-1), (fore * ahead).sum(-1))
    return np.stack([flexion, abduction, elbow, turn], axis=-1)


def heel_offset(body: Body) -> np.ndarray:
    """(2, 3) from the heel, on the floor, to the ankle, foot flat and pointing forward."""
    return np.stack([np.zeros(2), body.ankle_height, np.full(2, _HEEL_BEHIND)], axis=-1)
