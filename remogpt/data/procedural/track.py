"""Describe lower body and trunk frame by frame, before they become joints."""

from dataclasses import dataclass, fields

import numpy as np

from remogpt.data.procedural.curves import heading_vector


@dataclass
class Track:
    """T frames of targets. A leg action's track starts at the origin facing +Z, in the take's own stance.

    `root`: (T, 3) metres, y relative to straight-legged standing. `yaw`: (T,) heading. `pelvis`, `trunk`: (T, 3)
    pitch, yaw, roll of hips and chest relative to the heading. `ankle`: (T, 2, 3) world. `foot`: (T, 2, 2) yaw and
    pitch (positive points the toes down). `planted`: (T, 2) the ball of the foot (or the heel) carries weight and
    stays. `knee`: (T, 2) turns the knees outwards. `knees`, `hands`: (T, 2, 4) places in the world where knees and
    wrists rest, and from 0 to 1 how far they are held there. `head`: (T, 2) pitch, yaw on top of the chest. `arms`:
    (T, 2, 4) added to the hanging arms.
    """

    root: np.ndarray
    yaw: np.ndarray
    pelvis: np.ndarray
    ankle: np.ndarray
    foot: np.ndarray
    planted: np.ndarray
    knee: np.ndarray
    knees: np.ndarray
    hands: np.ndarray
    trunk: np.ndarray
    head: np.ndarray
    arms: np.ndarray

    @classmethod
    def still(cls, frames: int, stance: "Stance") -> "Track":
        """Stand in the neutral stance."""
        track = cls(
            root=np.zeros((frames, 3)),
            yaw=np.zeros(frames),
            pelvis=np.zeros((frames, 3)),
            ankle=np.tile(stance.ankles, (frames, 1, 1)),
            foot=np.zeros((frames, 2, 2)),
            planted=np.ones((frames, 2), dtype=bool),
            knee=np.zeros((frames, 2)),
            knees=np.zeros((frames, 2, 4)),
            hands=np.zeros((frames, 2, 4)),
            trunk=np.zeros((frames, 3)),
            head=np.zeros((frames, 2)),
            arms=np.zeros((frames, 2, 4)),
        )
        track.root[:, 1] = -stance.knee_bend
        track.foot[..., 0] = stance.foot_yaw
        return track

    @property
    def frames(self) -> int:
        """Number of frames."""
        return len(self.yaw)

    @property
    def places(self) -> tuple[np.ndarray, ...]:
        """Views of everything that has a place in the world, (..., 3)."""
        return self.root, self.ankle, self.knees[..., :3], self.hands[..., :3]

    def copy_range(self, start: int, end: int) -> "Track":
        """Cut frames [start, end)."""
        return Track(**{f.name: getattr(self, f.name)[start:end].copy() for f in fields(self)})

    def hold(self, frames: int) -> "Track":
        """Repeat the last frame; additions that belong to a movement (arms, trunk, head) are kept as they are."""
        return Track(**{f.name: np.repeat(getattr(self, f.name)[-1:], frames, axis=0) for f in fields(self)})

    def reverse(self) -> "Track":
        """Play backwards."""
        return Track(**{f.name: getattr(self, f.name)[::-1].copy() for f in fields(self)})

    def slower(self, factor: float) -> "Track":
        """Take `factor` times as long; what is still at the end is left out."""
        moves = np.abs(np.diff(np.concatenate([self.root, self.trunk], axis=1), axis=0)).max(axis=1) > 1e-4
        last = int(np.flatnonzero(moves)[-1]) + 1 if moves.any() else 0
        at = np.linspace(0.0, last, round(factor * last) + 1)
        low = np.floor(at).astype(int)
        high, share = np.minimum(low + 1, last), at - low

        def between(values: np.ndarray) -> np.ndarray:
            if values.dtype == bool:
                return values[low] & values[high]
            part = share.reshape(-1, *[1] * (values.ndim - 1))
            return np.asarray(values[low] * (1.0 - part) + values[high] * part)

        return Track(**{f.name: between(getattr(self, f.name)) for f in fields(self)})

    def placed(self, origin: np.ndarray, yaw: float) -> "Track":
        """Turn by yaw, then move so that the local origin lies at `origin` (3,)."""
        moved = self.copy_range(0, self.frames)
        for points in moved.places:
            turned = heading_vector(yaw, points[..., 0], points[..., 2])
            points[..., 0] = turned[..., 0] + origin[0]
            points[..., 1] += origin[1]
            points[..., 2] = turned[..., 2] + origin[2]
        moved.yaw += yaw
        moved.foot[..., 0] += yaw
        return moved


@dataclass(frozen=True)
class Stance:
    """The neutral stance of a take, around the origin facing +Z."""

    ankles: np.ndarray
    """(2, 3) metres."""
    foot_yaw: np.ndarray
    """(2,) radians; feet point outwards."""
    knee_bend: float


def concatenate(tracks: list[Track]) -> Track:
    """Join tracks in time."""
    return Track(**{f.name: np.concatenate([getattr(t, f.name) for t in tracks]) for f in fields(Track)})
