"""Check the query and the route of a search."""

from typing import Any

import numpy as np

from remogpt.interfaces import MOTION_ROUTES, TEXT_ROUTES, Route
from remogpt.runtime.errors import RemogptError

ROUTES: tuple[Route, ...] = (*TEXT_ROUTES, *MOTION_ROUTES)


def checked_route(text: str | None, motion: Any, route: Route | None = None, has_part: bool = False) -> Route:
    """Return the route of a query; without one, t2m for a text and m2t for a motion, m2m where parts are chosen.

    Raises:
        RemogptError: unless there is either a text with words or a motion, and the route fits query and parts.
    """
    if (text is None) == (motion is None):
        raise RemogptError("search wants either text=... or motion=..., one of them")
    kind, default = ("text", "t2m") if motion is None else ("motion", "m2m" if has_part else "m2t")
    chosen = route or default
    if chosen not in ROUTES or chosen[0] != kind[0]:
        wanted = " or ".join(name for name in ROUTES if name[0] == kind[0])
        raise RemogptError(f"a {kind} searches by route {wanted}, got {chosen!r}")
    if text is not None and not text.strip():
        raise RemogptError("search wants a text that says something, got an empty one")
    if has_part and chosen.endswith("t"):
        raise RemogptError(
            f"route {chosen} searches captions, which have no body parts; leave the parts out, or take {chosen[:2]}m"
        )
    return chosen


def plain_features(motion: Any) -> np.ndarray:
    """Return the features (T, F) of a motion given as an array or as an object with `features`."""
    return np.asarray(getattr(motion, "features", motion))
