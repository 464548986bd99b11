"""The six body parts of a motion, as lists of feature channels.

Parts: the root's trajectory and the five kinematic chains. Two layouts:
    shared    the chest joint where the chains meet belongs to the backbone and to both arms (287 channels in all)
    disjoint  it belongs to the backbone alone, so that every channel has one part (263 channels)
Within a chain the channels run joint by joint as [3 position, 6 rotation, 3 velocity], a leg's two contact flags last.

Source: ReMoGPT (AAAI 2025) for the six parts; ParCo (0fa4af0) for the shared channels and their order.
"""

import difflib
from collections.abc import Mapping, Sequence
from typing import Literal

from remogpt.motion.feature_body import KIT
from remogpt.motion.skeleton import CHAINS
from remogpt.runtime.errors import RemogptError

Layout = Literal["shared", "disjoint"]
Skeleton = Literal["humanml3d", "kit"]

PARTS: tuple[str, ...] = ("root", "right_leg", "left_leg", "backbone", "right_arm", "left_arm")
"""In the order in which their embeddings are concatenated."""

PART_GROUPS: Mapping[str, tuple[str, ...]] = {
    "legs": ("right_leg", "left_leg"),
    "arms": ("right_arm", "left_arm"),
    "upper_body": ("backbone", "right_arm", "left_arm"),
    "lower_body": ("root", "right_leg", "left_leg"),
}
"""Names for several parts at once."""

_CHAINS: Mapping[str, tuple[tuple[int, ...], ...]] = {"humanml3d": CHAINS, "kit": KIT.chains}


def part_channels(layout: Layout = "shared", skeleton: Skeleton = "humanml3d") -> dict[str, tuple[int, ...]]:
    """Return the 0-based feature channels of each of `PARTS`.

    Raises:
        RemogptError: for an unknown layout or skeleton.
    """
    if layout not in ("shared", "disjoint") or skeleton not in _CHAINS:
        raise RemogptError(
            f"wanted layout shared or disjoint and skeleton humanml3d or kit, got {layout!r} and {skeleton!r}"
        )
    chains = _CHAINS[skeleton]
    num_joints = 1 + max(joint for chain in chains for joint in chain)
    velocities = 4 + 9 * (num_joints - 1)  # after root, positions and rotations
    contacts = velocities + 3 * num_joints  # left ankle, left foot, right ankle, right foot
    channels: dict[str, tuple[int, ...]] = {"root": (0, 1, 2, 3, velocities, velocities + 1, velocities + 2)}
    for name, chain in zip(PARTS[1:], chains, strict=True):
        starts_at_chest = chain[0] != 0
        joints = chain if starts_at_chest and layout == "shared" else chain[1:]
        channels[name] = tuple(channel for joint in joints for channel in _joint_channels(joint, num_joints))
    channels["left_leg"] += (contacts, contacts + 1)
    channels["right_leg"] += (contacts + 2, contacts + 3)
    return channels


def named_parts(names: str | Sequence[str]) -> tuple[int, ...]:
    """Return the indices into `PARTS` of the named body parts, ascending, each once.

    Args:
        names: parts and groups, as a sequence or as one string with commas: "right_arm", "legs", "root,arms".

    Raises:
        RemogptError: for a name that is neither a part nor a group; the message offers the nearest one.
    """
    wanted = names.split(",") if isinstance(names, str) else names
    known = {part: (part,) for part in PARTS} | dict(PART_GROUPS)
    indices: set[int] = set()
    for name in wanted:
        plain = name.strip().lower().replace(" ", "_").replace("-", "_")
        if plain not in known:
            close = difflib.get_close_matches(plain, known, n=1, cutoff=0.5)
            hint = f"did you mean {close[0]!r}? " if close else ""
            raise RemogptError(f"no part is called {name!r}; {hint}there are {', '.join(known)}")
        indices |= {PARTS.index(part) for part in known[plain]}
    if not indices:
        raise RemogptError(f"no part is named; there are {', '.join(known)}")
    return tuple(sorted(indices))


def _joint_channels(joint: int, num_joints: int) -> tuple[int, ...]:
    others = num_joints - 1
    position = 4 + 3 * (joint - 1)
    rotation = 4 + 3 * others + 6 * (joint - 1)
    velocity = 4 + 9 * others + 3 * joint
    return (*range(position, position + 3), *range(rotation, rotation + 6), *range(velocity, velocity + 3))
