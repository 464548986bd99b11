"""Write a motion file in the format of its suffix."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from remogpt.motion.files.bvh_writer import write_bvh
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import atomic_path, write_npy, write_text

if TYPE_CHECKING:
    from remogpt.motion.motion import Motion

WRITABLE = (".npy", ".npz", ".bvh", ".html")
"""Suffixes that `save_motion` writes."""


def save_motion(motion: Motion, path: str | Path, *, content: str = "joints") -> None:
    """Write a motion in the format that the suffix names.

    Args:
        motion: the motion to write.
        path: a file with one of the suffixes in `WRITABLE`; folders are created, an existing file is replaced.
        content: for .npy, "joints" or "features".

    Raises:
        RemogptError: if the suffix cannot be written.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix == ".npy":
        _write_npy(path, motion, content)
    elif suffix == ".npz":
        _write_npz(path, motion)
    elif suffix == ".bvh":
        write_bvh(path, motion.joints, motion.fps)
    elif suffix == ".html":
        from remogpt.motion.player import motion_html  # keep reading cheap

        write_text(path, motion_html([motion]))
    else:
        raise RemogptError(f"{path}: cannot write {suffix or 'a file without suffix'}; expected {', '.join(WRITABLE)}")


def _write_npy(path: Path, motion: Motion, content: str = "joints") -> None:
    """Write one array: `content` is "joints" (T, 22, 3) or "features" (T', 263)."""
    if content not in ("joints", "features"):
        raise RemogptError(f"content: expected joints or features, got {content!r}")
    write_npy(path, motion.features if content == "features" else motion.joints)


def _write_npz(path: Path, motion: Motion) -> None:
    """Write joints, fps, the caption if there is one, and features if they were given."""
    content: dict[str, Any] = {"joints": motion.joints, "fps": np.array(motion.fps)}
    if motion.given_features is not None:
        content["features"] = motion.given_features
    if motion.caption is not None:
        content["caption"] = np.array(motion.caption)
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **content)
