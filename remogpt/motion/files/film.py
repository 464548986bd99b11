"""Write motions as films (.gif, .mp4) and as strips of poses (.png)."""

from __future__ import annotations

import io
import shutil
import subprocess
import tempfile
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from remogpt.motion.edit import edit_motion
from remogpt.motion.pictures import film_frames, strip_image
from remogpt.runtime.errors import RemogptError

if TYPE_CHECKING:
    from remogpt.motion.motion import Motion


def png_bytes(motion: Motion) -> bytes:
    """Return a strip of ten poses as a PNG picture."""
    content = io.BytesIO()
    strip_image(motion.joints, motion.fps).save(content, "PNG", optimize=True)
    return content.getvalue()


def gif_bytes(motion: Motion) -> bytes:
    """Return an endless GIF; its clock counts hundredths of a second, so some rates are resampled to the nearest."""
    from PIL import Image  # slow to import

    hundredths = max(2, round(100 / motion.fps))  # browsers slow anything faster down
    motion = edit_motion(motion, fps=100 / hundredths)
    frames = film_frames(motion.joints, caption=motion.caption or "")
    first = next(frames).quantize(64)
    others = (frame.quantize(palette=first, dither=Image.Dither.NONE) for frame in frames)  # of a few inks, all alike
    content = io.BytesIO()
    first.save(content, "GIF", save_all=True, append_images=others, duration=10 * hundredths, loop=0, disposal=1)
    return content.getvalue()


def mp4_bytes(motion: Motion) -> bytes:
    """Return an MP4 film (H.264, which all browsers and editors play).

    Raises:
        RemogptError: there is no ffmpeg, or it fails.
    """
    frames = film_frames(motion.joints, caption=motion.caption or "")
    first = next(frames)
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as told:
        path = Path(folder) / "film.mp4"  # MP4 cannot be written to a pipe: its index comes first
        command = [
            find_ffmpeg(), "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24",
            "-s", f"{first.width}x{first.height}", "-r", f"{motion.fps:g}", "-i", "-",
            "-c:v", "libx264", "-pix_fmt", "yuv420p", "-movflags", "+faststart", str(path),
        ]  # fmt: skip
        # Each picture goes as soon as it is drawn: those of a minute would take 1.7 GB.
        with suppress(BrokenPipeError), subprocess.Popen(command, stdin=subprocess.PIPE, stderr=told) as process:
            assert process.stdin is not None
            for frame in chain([first], frames):
                process.stdin.write(frame.tobytes())
        if process.returncode:
            told.seek(0)
            why = told.read().decode(errors="replace").strip().splitlines()
            raise RemogptError(f"ffmpeg could not write the film ({why[-1] if why else process.returncode}); try .gif")
        return path.read_bytes()


def has_ffmpeg() -> bool:
    """Say whether an .mp4 can be written."""
    try:
        find_ffmpeg()
    except RemogptError:
        return False
    return True


def find_ffmpeg() -> str:
    """Return the path of ffmpeg: that of the package imageio-ffmpeg, or the system's.

    Raises:
        RemogptError: if there is none.
    """
    try:
        import imageio_ffmpeg
    except ImportError:
        found = shutil.which("ffmpeg")
    else:
        found = imageio_ffmpeg.get_ffmpeg_exe()
    if found is None:
        raise RemogptError(
            'an .mp4 needs ffmpeg, and there is none: pip install "remogpt[video]", or install ffmpeg; or write a .gif'
        )
    return found
