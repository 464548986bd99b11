"""What a motion is: skeleton, rotations, kinematics, features, mirroring, facts, files, player.

Conventions everywhere in this package: metres, radians unless a name says degrees, y up, right-handed, 20 fps.

Letters: `B` batch, `T` frames at 20 fps, `N` codes = T / 4, `F` features (263), `J` joints (22),
`D` embedding width, `K` codebook size, `L` text tokens.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from remogpt.motion.cleanup.clean import clean_features
    from remogpt.motion.features import (
        features_to_joints,
        features_to_joints_from_rotations,
        joints_to_features,
        joints_to_features_batch,
    )
    from remogpt.motion.files.read import load_motion
    from remogpt.motion.files.write import save_motion
    from remogpt.motion.mirror import mirror_caption, mirror_joints
    from remogpt.motion.motion import Motion
    from remogpt.motion.player import motion_html

_HOMES = {
    "Motion": "motion",
    "load_motion": "files.read",
    "save_motion": "files.write",
    "joints_to_features": "features",
    "joints_to_features_batch": "features",
    "features_to_joints": "features",
    "features_to_joints_from_rotations": "features",
    "mirror_joints": "mirror",
    "mirror_caption": "mirror",
    "motion_html": "player",
    "clean_features": "cleanup.clean",
}

__all__ = [
    "Motion",
    "clean_features",
    "features_to_joints",
    "features_to_joints_from_rotations",
    "joints_to_features",
    "joints_to_features_batch",
    "load_motion",
    "mirror_caption",
    "mirror_joints",
    "motion_html",
    "save_motion",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that `import remogpt.motion` costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
