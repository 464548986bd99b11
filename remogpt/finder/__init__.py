"""Motion to facts, learned: which facts of the catalogue a motion shows, and when."""

from typing import TYPE_CHECKING

from remogpt.runtime.lazy import lazy_names

if TYPE_CHECKING:
    from remogpt.finder.finder import FactFinder

__all__ = ["FactFinder"]

__getattr__ = lazy_names(__name__, {"FactFinder": "remogpt.finder.finder"})
