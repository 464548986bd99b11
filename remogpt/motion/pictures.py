"""Draw motions as pixels: a strip of poses, and the frames of a film.

The left side of the body is blue and the right side orange, as in the player. The camera of a film stands in front and
to the person's right, looks down a little, and follows the pelvis over a floor with lines at every half metre.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from remogpt.motion.skeleton import CHAINS, JOINT_INDEX
from remogpt.motion.strips import LOWEST, side_of, view_directions

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

INK = {"left": (38, 118, 214), "right": (232, 119, 34), "trunk": (92, 101, 119)}
_PAPER, _LINES, _TEXT = (255, 255, 255), (214, 220, 231), (93, 103, 120)
_SHARP = 2
"""Pictures are drawn this many times larger and scaled down, for smooth edges."""
_TILT = np.radians(14.0)
"""Angle by which a film's camera looks down."""
_HEAD = 0.1
"""Metres, radius of the head."""


def strip_image(joints: np.ndarray, fps: float, *, num_poses: int = 10, metre: int = 150) -> Image.Image:
    """Draw poses side by side at equal distances in time, the first and the last frame among them.

    Args:
        joints: (T, 22, 3) metres, y up.
        fps: frames a second, for the labels.
        num_poses: poses drawn; fewer where the motion has fewer frames.
        metre: pixels of a metre.
    """
    from PIL import Image, ImageDraw  # slow to import

    frames = np.round(np.linspace(0, len(joints) - 1, min(num_poses, len(joints)))).astype(int)
    across, depth = (joints @ direction for direction in view_directions(joints))
    scale = metre * _SHARP
    top = max(float(joints[..., 1].max()) + 0.2, LOWEST)
    column, floor = 1.1 * scale, scale * top
    image = Image.new("RGB", (int(column * len(frames)), int(floor + 0.3 * scale)), _PAPER)
    draw = ImageDraw.Draw(image)
    draw.line([(0, floor), (image.width, floor)], fill=_LINES, width=2 * _SHARP)
    for number, frame in enumerate(frames):
        middle = column * (number + 0.5)
        x = middle + scale * (across[frame] - across[frame, 0])
        _pose(draw, np.stack([x, floor - scale * joints[frame, :, 1]], axis=-1), depth[frame], scale)
        _write(draw, (middle, floor + 0.15 * scale), f"{frame / fps:.1f} s", 0.1 * scale)
    return image.resize((image.width // _SHARP, image.height // _SHARP), Image.Resampling.LANCZOS)


def film_frames(joints: np.ndarray, *, caption: str = "", size: int = 480) -> Iterator[Image.Image]:
    """Yield one square picture a frame.

    Args:
        joints: (T, 22, 3) metres, y up.
        caption: written below the body.
        size: pixels of a side, even.
    """
    from PIL import Image, ImageDraw  # slow to import

    side = size * _SHARP
    camera = _camera(joints)
    span = np.ptp(joints - joints[:, :1] * (1.0, 0.0, 1.0), axis=(0, 1)).max()
    scale = 0.72 * side / max(float(span), LOWEST)
    for pose in joints:
        ground = pose[0] * (1.0, 0.0, 1.0)
        image = Image.new("RGB", (side, side), _PAPER)
        draw = ImageDraw.Draw(image)

        def pixels(points: np.ndarray, ground: np.ndarray = ground) -> np.ndarray:
            flat = (points - ground) @ camera.T
            return np.stack([side / 2 + scale * flat[..., 0], 0.84 * side - scale * flat[..., 1]], axis=-1)

        for start, end in _floor_lines(ground):
            draw.line([tuple(point) for point in pixels(np.stack([start, end]))], fill=_LINES, width=_SHARP)
        _pose(draw, pixels(pose), pose @ camera[2], scale)
        _write(draw, (side / 2, 0.955 * side), caption, 0.033 * side)
        yield image.resize((size, size), Image.Resampling.LANCZOS)


def _camera(joints: np.ndarray) -> np.ndarray:
    """Return rows: to the right in the picture, upwards in the picture, towards the camera."""
    right, near = view_directions(joints)
    up = np.array([0.0, 1.0, 0.0])
    return np.stack([right, np.cos(_TILT) * up - np.sin(_TILT) * near, np.cos(_TILT) * near + np.sin(_TILT) * up])


def _floor_lines(ground: np.ndarray, reach: float = 4.0, step: float = 0.5) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield lines of a floor that stays where it is while the camera moves."""
    for axis, other in ((0, 2), (2, 0)):
        first = step * np.ceil((ground[axis] - reach) / step)
        for place in np.arange(first, ground[axis] + reach, step):
            line = np.zeros((2, 3))
            line[:, axis] = place
            line[:, other] = ground[other] - reach, ground[other] + reach
            yield line[0], line[1]


def _pose(draw: ImageDraw.ImageDraw, points: np.ndarray, depth: np.ndarray, scale: float) -> None:
    """Draw one pose, far limbs first: points (22, 2) in pixels, depth (22,) towards the camera."""
    width = max(1, round(0.035 * scale))
    for chain in sorted(CHAINS, key=lambda chain: float(depth[list(chain[1:])].mean())):
        ink = INK[side_of(chain)]
        corners = [tuple(point) for point in points[list(chain)]]
        draw.line(corners, fill=ink, width=width, joint="curve")
        for x, y in (corners[0], corners[-1]):
            draw.ellipse([x - width / 2, y - width / 2, x + width / 2, y + width / 2], fill=ink)
    x, y = points[JOINT_INDEX["head"]]
    radius = _HEAD * scale
    draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=INK["trunk"])


def _write(draw: ImageDraw.ImageDraw, middle: tuple[float, float], text: str, height: float) -> None:
    from PIL import ImageFont

    font = ImageFont.load_default(size=height)
    while text and draw.textlength(text, font=font) > 0.96 * draw._image.width:
        text = text.removesuffix("…")[:-2] + "…"
    draw.text(middle, text, fill=_TEXT, font=font, anchor="mm")
