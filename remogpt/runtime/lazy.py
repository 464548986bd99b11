"""Import a room's public names when they are first asked for, so that importing the room costs nothing."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy_names(room: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """Make the `__getattr__` of a room: it imports a name from its module in `homes`.

    Args:
        room: name of the package, for the error.
        homes: module of each public name.
    """

    def find(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {room!r} has no attribute {name!r}")
        return getattr(import_module(homes[name]), name)

    return find
