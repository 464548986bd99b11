"""Read packed sets of joint positions: many clips in one .npz, `ids[i]` in rows `offsets[i]` to `offsets[i + 1]`.

Positions are `joints_m` or `joints` in metres, or `hips_0p1mm` and `rel_to_hips_0p1mm` in tenths of a millimetre.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from remogpt.motion.files.archives import DAMAGE
from remogpt.motion.files.mat import KINECT_JOINTS
from remogpt.motion.retarget import SourceMotion
from remogpt.runtime.errors import RemogptError


@dataclass(frozen=True)
class PackedClip:
    """One clip of a packed set."""

    id: str
    source: SourceMotion
    start_seconds: float
    """Seconds of the recording before the clip's first frame."""


def read_packed(path: Path) -> Iterator[PackedClip]:
    """Yield the clips of a packed set in its order.

    Raises:
        RemogptError: if the file is damaged or has none of the known position arrays.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            content = {key: archive[key] for key in archive.files}
    except DAMAGE as error:
        raise RemogptError(f"{path} is not a readable .npz of numeric arrays ({error}); copy it again") from error
    if missing := {"ids", "offsets", "fps"} - set(content):
        raise RemogptError(
            f"{path}: expected ids, offsets, fps and joint positions, without {', '.join(sorted(missing))}"
        )
    names = tuple(str(name) for name in content["joint_names"]) if "joint_names" in content else KINECT_JOINTS
    firsts = content.get("first_amc_frame_120fps", np.ones(len(content["ids"]), dtype=np.int64))
    for index, name in enumerate(content["ids"]):
        rows = slice(*content["offsets"][index : index + 2])
        source = SourceMotion(names, _positions(content, rows, path), float(content["fps"]), f"{path} ({name})")
        yield PackedClip(str(name), source, (int(firsts[index]) - 1) / 120.0)


def _positions(content: dict[str, np.ndarray], rows: slice, path: Path) -> np.ndarray:
    for key in ("joints_m", "joints"):
        if key in content:
            return content[key][rows].astype(np.float64)
    if "hips_0p1mm" not in content or "rel_to_hips_0p1mm" not in content:
        raise RemogptError(f"{path}: expected joints_m, joints or hips_0p1mm; found {', '.join(sorted(content))}")
    hips = content["hips_0p1mm"][rows].astype(np.float64)
    return (hips[:, None] + content["rel_to_hips_0p1mm"][rows]) / 1e4
