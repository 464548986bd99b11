"""Understand a foreign skeleton: its names' anatomy first, the shape of its tree where names tell nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from remogpt.motion.anatomy.limbs import Limbs, find_by_names
from remogpt.motion.anatomy.names import family, read_names
from remogpt.motion.anatomy.shape import find_by_shape
from remogpt.motion.anatomy.table import leans, our_joints, place
from remogpt.motion.anatomy.tree import Tree

_FRAMES = 60
"""Frames that are looked at."""


class Understood:
    """A foreign skeleton in terms of ours."""

    def __init__(
        self, names: Sequence[str], parents: tuple[int, ...], positions: np.ndarray, rest: np.ndarray | None
    ) -> None:
        """Find our joints.

        Args:
            names: of the source's joints.
            parents: of each, -1 for a root, smaller than the joint's own index.
            positions: (T, J, 3) in any units and axes.
            rest: (J, 3) in the rest pose, if known.
        """
        read = read_names(names)
        some = positions[:: max(1, len(positions) // _FRAMES)]
        tree = Tree.of(parents, some if rest is None else rest[None])
        found = find_by_names(read, tree)
        self.missing = found if isinstance(found, str) else ""
        """What the names do not tell, in words; the tree's shape may tell it none the less."""
        by_shape = None if isinstance(found, Limbs) else find_by_shape(read, tree, some)
        self.limbs = found if isinstance(found, Limbs) else by_shape
        self.title, self.unit = family(read)
        if self.limbs is None:
            return
        weights = our_joints(self.limbs, tree, some)
        self.joints = {ours: {names[joint]: weight for joint, weight in of.items()} for ours, of in weights.items()}
        poses = [some] if rest is None else [some, rest[None]]
        self.tilt_degrees = leans([np.stack([place(of, pose) for of in weights.values()], axis=1) for pose in poses])
        self.notice = _notice(self.limbs, names, self.title, by_shape is not None)


def guesses(names: Sequence[str]) -> dict[str, str]:
    """Return what single names suggest: our joints by the first joint of the source that is called so."""
    ours = {"toe": "foot"}
    found: dict[str, str] = {}
    for name, read in zip(names, read_names(names), strict=True):
        for role in sorted(read.roles(), key=lambda role: -read.roles()[role])[:1]:
            joint = f"{read.side}_{ours.get(role, role)}" if read.side else role
            found.setdefault(joint, name)
    return found


def _notice(limbs: Limbs, names: Sequence[str], title: str, is_by_shape: bool) -> str:
    """Say in one phrase what was understood."""
    like = "by the tree's shape" if is_by_shape else f"as {title}"
    leg, arm = (_chain(limb["left"], names) for limb in (limbs.legs, limbs.arms))
    trunk = [limbs.pelvis, *limbs.spine, *limbs.neck, *([] if limbs.head is None else [limbs.head])]
    lacking = [
        word for word, is_there in (
            ("toes", "toe" in limbs.legs["left"]), ("collars", "collar" in limbs.arms["left"]),
            ("neck", bool(limbs.neck)), ("head", limbs.head is not None),
        ) if not is_there
    ]  # fmt: skip
    without = f"; without {', '.join(lacking)}" if lacking else ""
    return f"read {like}: {' > '.join(names[joint] for joint in trunk)}; leg {leg}; arm {arm}{without}"


def _chain(limb: Mapping[str, int], names: Sequence[str]) -> str:
    return " > ".join(names[joint] for joint in limb.values())
