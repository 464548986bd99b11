"""Tell people apart where one file holds several."""

from __future__ import annotations

from collections.abc import Sequence

from remogpt.motion.anatomy.names import read_names
from remogpt.runtime.errors import RemogptError

_FEWEST = 12
"""Joints of the smallest skeleton that is a person's: two legs, two arms, a trunk."""


def one_person(names: Sequence[str], parents: Sequence[int], person: str | None, origin: str) -> list[int]:
    """Return the joints of one person, those of other people and of things left out.

    Args:
        names: of all joints.
        parents: of each, smaller than its own index.
        person: name of the joint that the wanted person hangs on; needed where there are several people.
        origin: file, for messages.

    Raises:
        RemogptError: several people and none named, or no such person.
    """
    below: list[set[int]] = [{joint} for joint in range(len(names))]
    for joint in reversed(range(len(names))):
        if parents[joint] >= 0:
            below[parents[joint]] |= below[joint]
    roots = [joint for joint, parent in enumerate(parents) if parent < 0 and len(below[joint]) >= _FEWEST]
    if len(roots) == 1:
        roots = _pelvises(names, parents, below) or roots
    if person is not None:
        chosen = [root for root in roots if names[root].lower() == person.strip().lower()]
        if not chosen:
            known = ", ".join(names[root] for root in roots)
            raise RemogptError(f"{origin}: there is no person on the joint {person!r}; there is one on {known}")
        return sorted(below[chosen[0]])
    if len(roots) > 1:
        raise RemogptError(
            f"{origin} holds {len(roots)} people, on the joints {', '.join(names[root] for root in roots)}; say which "
            f"with clip= (--clip)"
        )
    tree = roots[0] if roots else 0
    while parents[tree] >= 0:
        tree = parents[tree]
    return sorted(below[tree])


def _pelvises(names: Sequence[str], parents: Sequence[int], below: Sequence[set[int]]) -> list[int]:
    """Return the joints called pelvis that each have a body below them, if there are several side by side."""
    called = [
        joint for joint, name in enumerate(read_names(names))
        if not name.side and "pelvis" in name.roles() and len(below[joint]) >= _FEWEST
    ]  # fmt: skip
    highest = [joint for joint in called if not any(joint in below[other] for other in called if other != joint)]
    return highest if len(highest) > 1 else []
