"""Turn a script into joints: the actions' tracks and gestures in order, for one performer.

Steps start and end in the performer's neutral stance (or seated, or kneeling), so they join without jumps. Legs are
planned in space and solved by inverse kinematics, so planted feet stay where they are; arms and trunk are forward
kinematics with slow noise on top. 20 frames a second, metres, y up, facing +Z at the start.
"""

from dataclasses import dataclass, replace

import numpy as np

from remogpt.data.procedural import in_place, jumps, locomotion
from remogpt.data.procedural.actions import descriptions, makers
from remogpt.data.procedural.body import Body, assemble, chest_frame, sample_body
from remogpt.data.procedural.curves import FPS, smooth_noise
from remogpt.data.procedural.gestures import GESTURES, Gesture, reach
from remogpt.data.procedural.locomotion import Performer
from remogpt.data.procedural.posture import Posture, sample_posture
from remogpt.data.procedural.script import Action, Script, Step
from remogpt.data.procedural.track import Stance, Track, concatenate

MIN_FRAMES, MAX_FRAMES = 41, 196
"""Frames of a take, least and most: features have one row less, and HumanML3D's protocol wants 40."""
_MOST_HURRY = 1.5
_RISE = 2.4
"""Who has fallen takes as many times longer to get up."""
_STAIR = 0.05
"""Metres from which the floor is another than at the start: stairs have led there."""


@dataclass(frozen=True)
class Take:
    """A performed script."""

    joints: np.ndarray
    """(T, 22, 3) float32 metres, 20 fps, on the floor, facing +Z at the start, pelvis over the origin."""
    timeline: list[tuple[int, int]]
    """Frames [start, end) of every step of the script."""


@dataclass
class _Stage:
    """The tracks so far, and the performer's position."""

    tracks: list[Track]
    gestures: list[Gesture]
    origin: np.ndarray
    yaw: float
    low: Track | None
    """Track of the sit or kneel that the performer is still in, in its own frame."""

    @property
    def frames(self) -> int:
        return sum(track.frames for track in self.tracks)


def animate(script: Script, rng: np.random.Generator, *, max_frames: int = MAX_FRAMES) -> Take:
    """Perform a script; the random generator decides what the script leaves open.

    Raises:
        ValueError: if the script does not fit `max_frames` even at the highest tempo.
    """
    seed = int(rng.integers(2**63))
    hurry = 1.0
    while hurry <= _MOST_HURRY:
        take = _perform(script, seed, hurry)
        if len(take.joints) <= max_frames:
            return take
        hurry *= max(1.04, 0.99 * len(take.joints) / max_frames)
    raise ValueError(
        f"script {script.combination()!r} takes {len(take.joints)} frames, at most {max_frames} are allowed; "
        "use smaller counts or distances, or fewer steps"
    )


def _perform(script: Script, seed: int, hurry: float, cut: bool = True) -> Take:
    """Perform with every duration divided by `hurry`; `cut` allows clips that begin or end in full stride."""
    rng = np.random.default_rng(seed)
    posture, body = sample_posture(script.style, rng), sample_body(rng)
    performer = Performer(body, posture, _stance(body, posture), hurry)
    stage = _Stage([], [], np.zeros(3), 0.0, None)
    first = script.steps[0].legs
    if first is not None and first.name == "stand_up":
        stage.low = in_place.sit(replace(first, name="sit"), performer, rng)
    elif first is not None and first.name == "get_up":
        stage.low = makers.LEGS["get_up"](first, performer, rng).reverse()
    open_ends = _open_ends(script, rng) if cut else (False, False)
    if not open_ends[0]:
        _idle(stage, performer, rng.uniform(0.05, 0.5) / hurry)
    timeline = []
    for index, step in enumerate(script.steps):
        if index:
            _idle(stage, performer, rng.uniform(0.0, 0.25) / hurry**2)
        timeline.append(_play(stage, step, performer, rng, open_ends))
    if not open_ends[1]:
        _idle(stage, performer, rng.uniform(0.05, 0.5) / hurry)
    missing = MIN_FRAMES - stage.frames
    if missing > 0 and any(open_ends):
        return _perform(script, seed, hurry, cut=False)
    if missing > 0:
        _idle(stage, performer, (missing + 1) / FPS)
    on_hands = np.concatenate([track.hands[..., 3] for track in stage.tracks]).min(axis=1) > 0.99
    joints = _render(stage, performer, rng)
    return _cropped(Take(joints, timeline), on_hands, script, rng)


def _cropped(take: Take, on_hands: np.ndarray, script: Script, rng: np.random.Generator) -> Take:
    """Cut a clip of nothing but crawling, as recordings are cut: often it begins or ends on hands and knees."""
    legs = script.steps[0].legs
    if len(script.steps) > 1 or legs is None or legs.name != "crawl":
        return take
    crawling, begins, ends = np.flatnonzero(on_hands), rng.random() < 0.6, rng.random() < 0.6
    start = int(crawling[0]) if begins else 0
    end = max(int(crawling[-1]) + 1 if ends else len(take.joints), start + MIN_FRAMES)
    joints = take.joints[start:end].copy()
    joints -= joints[0, 0] * np.array([1.0, 0.0, 1.0], dtype=np.float32)
    return Take(joints, [(0, len(joints))])


def _stance(body: Body, posture: Posture) -> Stance:
    x = np.array([0.5, -0.5]) * posture.stance
    z = -0.03 + np.array([0.5, -0.5]) * posture.stagger
    ankles = np.stack([x, body.ankle_height, z], axis=-1)
    flat = (body.offsets[1, 0] - x[0]) ** 2 + 0.03**2
    leg = body.leg_lengths.sum(1).min() * 0.996
    spread = leg - np.sqrt(leg**2 - flat)
    return Stance(ankles, np.array([1.0, -1.0]) * posture.toe_out, posture.knee_bend + spread + 0.006)


def _open_ends(script: Script, rng: np.random.Generator) -> tuple[bool, bool]:
    """Return whether the clip starts and ends in the middle of a walk or run, as cut recordings do."""
    legs = script.steps[0].legs
    share = rng.random(2)
    if len(script.steps) > 1 or legs is None or legs.name not in ("walk", "run"):
        return False, False
    likely = 0.75 if legs.name == "run" else 0.5
    return bool(share[0] < likely), bool(share[1] < likely)


def _idle(stage: _Stage, performer: Performer, duration: float) -> None:
    frames = round(duration * FPS)
    if frames > 0:
        _append(stage, _resting(stage, performer, frames), [])


def _resting(stage: _Stage, performer: Performer, frames: int) -> Track:
    """Stay in the current stance."""
    if stage.low is not None:
        return stage.low.hold(frames).placed(stage.origin, stage.yaw)
    return Track.still(frames, performer.stance).placed(stage.origin, stage.yaw)


def _append(stage: _Stage, track: Track, gestures: list[tuple[int, Gesture]]) -> None:
    """Add placed frames and the gestures that start at given frames of them."""
    merged = Gesture.idle(track.frames)
    for start, gesture in gestures:
        frames = slice(start, start + len(gesture.weight))
        used = gesture.weight > 0.0
        merged.arms[frames] = np.where(used[..., None], gesture.arms, merged.arms[frames])
        merged.weight[frames] = np.where(used, gesture.weight, merged.weight[frames])
        merged.order[frames] = np.where(used[..., None], gesture.order, merged.order[frames])
        merged.trunk[frames] += gesture.trunk
        merged.head[frames] += gesture.head
    stage.tracks.append(track)
    stage.gestures.append(merged)


def _play(
    stage: _Stage, step: Step, performer: Performer, rng: np.random.Generator, open_ends: tuple[bool, bool]
) -> tuple[int, int]:
    """Perform one step; returns its frames."""
    legs = step.legs
    if stage.low is not None and legs is not None and legs.name not in ("stand_up", "get_up", "stand"):
        _append(stage, stage.low.reverse().placed(stage.origin, stage.yaw), [])
        stage.low = None
    start = stage.frames
    track = None
    rises = legs is not None and legs.name in ("stand_up", "get_up")
    if legs is not None and legs.name != "stand":
        track = stage.low.reverse() if rises and stage.low is not None else _leg_track(legs, performer, rng, open_ends)
    held = 0.0 if track is None else (track.frames - 1) / FPS
    gestures = [_GESTURES[action.name](action, performer, rng, held) for action in step.upper]
    longest = max((len(gesture.weight) for gesture in gestures), default=0)
    if track is None:
        frames = longest or int(rng.uniform(45, 80) / performer.hurry)
        track = _resting(stage, performer, frames)
    else:
        track = _lengthen(track, longest, rng).placed(stage.origin, stage.yaw)
    placed = [(int(rng.uniform(0.0, 0.6) * (track.frames - len(g.weight))), g) for g in gestures]
    _append(stage, track, placed)
    if rises:
        stage.low = None
    elif legs is not None and legs.name in _RESTS:
        stage.low = _local(track.slower(_RISE) if legs.name == "fall" else track, stage)
    elif stage.low is None:
        stage.origin = track.root[-1] * np.array([1.0, 0.0, 1.0])
        floor = float(track.ankle[-1, 0, 1] - performer.stance.ankles[0, 1])
        stage.origin[1] = floor if abs(floor) > _STAIR else 0.0
        stage.yaw = float(track.yaw[-1])
    return start, stage.frames


def _local(track: Track, stage: _Stage) -> Track:
    """Transform a placed track back to its own coordinates."""
    c, s = np.cos(-stage.yaw), np.sin(-stage.yaw)
    moved = track.placed(np.zeros(3), -stage.yaw)
    x, z = stage.origin[0], stage.origin[2]
    back = np.array([c * x + s * z, stage.origin[1], -s * x + c * z])
    for points in moved.places:
        points -= back
    return moved


def _lengthen(track: Track, frames: int, rng: np.random.Generator) -> Track:
    """Extend a track for a longer gesture: hold its first and last stance."""
    missing = frames - track.frames
    if missing <= 0:
        return track
    before = int(rng.uniform(0.2, 0.7) * missing)
    lead = track.reverse().hold(before) if before else None
    tail = track.hold(missing - before)
    return concatenate([piece for piece in (lead, track, tail) if piece is not None])


def _leg_track(action: Action, performer: Performer, rng: np.random.Generator, open_ends: tuple[bool, bool]) -> Track:
    if action.name in ("walk", "run"):
        return locomotion.straight(action, performer, rng, open_ends)
    return _LEGS[action.name](action, performer, rng)


_LEGS = {
    "walk_curve": locomotion.curved, "circle": locomotion.curved, "walk_turn": locomotion.curved,
    "sidestep": locomotion.sidestep, "turn": locomotion.turn, "jump": jumps.jump, "hop": jumps.hop,
    "jumping_jack": jumps.jumping_jack, "squat": in_place.squat, "sit": in_place.sit, "kneel": in_place.kneel,
    "lunge": in_place.lunge, "kick": in_place.kick, "knee_raise": in_place.knee_raise, "balance": in_place.balance,
    "step": in_place.step, "dance": in_place.dance, "pick_up": in_place.pick_up, **makers.LEGS,
}  # fmt: skip
_GESTURES = {**GESTURES, **makers.GESTURES}
_RESTS = {"sit", "kneel", *(one.name for one in descriptions().values() if one.rests)}
"""Actions after which the performer stays down."""


def hold_on(body: Body, track: Track, arms: np.ndarray) -> np.ndarray:
    """Return arm angles (T, 2, 4) that bring the wrists to the places in the world where they rest."""
    origin, turn = assemble(body, track, arms)[:, 9], chest_frame(track)
    held = arms.copy()
    for side, sign in ((0, 1.0), (1, -1.0)):
        place = np.einsum("tji,tj->ti", turn, track.hands[:, side, :3] - origin) * [sign, 1.0, 1.0]
        resting = reach(body, side, place, (0.35, -1.0, -0.25))
        way = (resting - arms[:, side] + np.pi) % (2.0 * np.pi) - np.pi
        held[:, side] += track.hands[:, side, 3:] * way
    return held


def _render(stage: _Stage, performer: Performer, rng: np.random.Generator) -> np.ndarray:
    """Add posture and noise, blend gestures over idle arms, make joints."""
    track, posture = concatenate(stage.tracks), performer.posture
    gesture = Gesture(
        *(
            np.concatenate([getattr(g, name) for g in stage.gestures])
            for name in ("arms", "weight", "trunk", "head", "order")
        )
    )
    noise = smooth_noise(rng, track.frames, 17)
    size = posture.noise
    track.trunk += gesture.trunk + np.array([posture.lean, 0.0, 0.0]) + size * noise[:, 0:3]
    forward = np.maximum(gesture.trunk[:, 0], 0.0)
    track.pelvis[:, 0] += 0.5 * forward + 0.3 * posture.lean
    track.pelvis[:, 1] += 0.25 * gesture.trunk[:, 1]
    track.pelvis[:, 2] += 0.25 * gesture.trunk[:, 2]
    track.root[:, 2] -= 0.10 * forward * np.cos(track.yaw)
    track.root[:, 0] -= 0.10 * forward * np.sin(track.yaw)
    track.pelvis += 0.4 * size * noise[:, 3:6]
    track.head += gesture.head + np.array([posture.head_pitch - 0.55 * posture.lean, 0.0]) + 2.2 * size * noise[:, 6:8]
    track.root[:, [0, 2]] += posture.drift * noise[:, 8:10]
    arms = track.arms + posture.arms
    arms[..., 0] += 0.8 * track.trunk[:, None, 0]
    weight = gesture.weight[..., None] ** gesture.order
    arms = arms + weight * (gesture.arms - arms)
    arms[..., :3] += 1.5 * size * noise[:, 10:16].reshape(-1, 2, 3)
    arms[..., 2] = np.clip(arms[..., 2], 0.04, 2.6)
    if track.hands[..., 3].any():
        arms = hold_on(performer.body, track, arms)
    joints = assemble(performer.body, track, arms)
    lowest = float((track.ankle[..., 1] - performer.body.ankle_height)[track.planted].min(initial=0.0))
    if lowest < -_STAIR:
        joints[..., 1] -= lowest
    joints -= joints[0, 0] * np.array([1.0, 0.0, 1.0])
    return joints.astype(np.float32)
