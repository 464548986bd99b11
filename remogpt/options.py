"""Define the options of one call: use of examples, number of candidates, sampling."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from remogpt.interfaces import MOTION_ROUTES, TEXT_ROUTES, Route
from remogpt.runtime.errors import RemogptError

ExampleUse = Literal["follow", "show", "none"]
MAX_GUIDANCE = 10.0


@dataclass(frozen=True, kw_only=True)
class GenerationOptions:
    """Options for writing motions and captions; None takes the model's default (`generation` in its remogpt.json)."""

    examples: ExampleUse = "follow"
    """follow: examples that match the prompt are shown and copied from, others dropped (like `show` if the model has no
    copy head); show: all are shown in the prompt, as in the paper; none: nothing is retrieved."""
    strength: float | None = None
    """How strongly examples are followed, 0 or more; 0 only shows them in the prompt."""
    routes: Sequence[Route] | None = None
    """Routes by which examples are retrieved, in the order in which the prompt shows their hits: some of t2m and t2t
    for a caption, of m2t and m2m for a motion; each call takes those of its own kind. Default: as the language model
    was trained, all four in the paper's main setting."""
    k: int | None = None
    """Examples of each route, at least 1; where an earlier route has one already, the next best follows. Default: as
    the language model was trained, 1 in the paper's main setting."""
    min_score: float = -1.0
    """Hits whose cosine on their route is smaller are no examples, so that fewer may be left than asked for."""
    max_alike: float = 1.0
    """Hits whose motion's cosine with an earlier example's is larger are passed over for the next best, so that
    examples differ; 1: none is."""
    exclude: Sequence[str] | Sequence[Sequence[str]] = ()
    """Ids of clips or recordings not to retrieve: one collection for the call, or one for each caption or motion;
    they are compared with an entry's own id, its source's and its mirror's."""
    pinned: Sequence[str] | Sequence[Sequence[str]] = ()
    """Ids of database entries that are examples of a written motion in place of as many retrieved ones, and are shown
    whatever the match test finds: one collection for the call, or one for each caption; at most as many as are
    retrieved. Not used for captioning."""
    best_of: int | None = None
    """Candidates written for each answer, of which the one that fits best is kept."""
    check_numbers: bool = True
    """Whether numbers and directions of written captions are checked on the motion's joints, and corrected."""
    retrieved: int | None = None
    """Retrieved motions that compete with the written candidates, as they are; 0: the answer is always written."""
    joined: int | None = None
    """Motions joined of retrieved ones, stretches that show what the caption claims, where facts are checked (`verify`,
    or by the model's finder); 0: none. The best guides what is written, as an example does, and where retrieved motions
    compete these do too."""
    fact_weight: float | None = None
    """What the share of the caption's facts that a motion holds counts beside the retriever's cosine, where retrieved
    motions are ranked that compete (by the facts that a database keeps), and among candidates; times how
    sure the reader is of a step. 0: nothing."""
    verify: bool | None = None
    """Check candidates, motions or captions, by what the caption claims; answers then tell which of it holds."""
    cleanup: bool = True
    """Whether written motions get bones of constant length and feet that rest where they stand; retrieved motions that
    are given as they are stay so."""
    temperature: float | None = None
    """0 takes the likeliest id at each step; the default for captions."""
    guidance: float | None = None
    """Weight of guidance by the caption, or by the motion where a caption is asked for: 1 is off, above 1 the answer is
    pushed away from what would be written without it. Takes two rows of the decoder for each sequence."""
    top_k: int | None = None
    """Draw from the k likeliest ids; 0: from all."""
    top_p: float | None = None
    """Draw from the fewest likeliest ids whose probabilities reach this sum."""

    def __post_init__(self) -> None:
        if self.examples not in get_args(ExampleUse):
            raise RemogptError(f"examples must be one of {', '.join(get_args(ExampleUse))}, got {self.examples!r}")
        if self.strength is not None and not 0 <= self.strength < math.inf:
            raise RemogptError(f"strength must be 0 or more, got {self.strength:g}")
        _check_routes(self.routes)
        if self.examples == "none" and (self.routes is not None or self.k is not None or any(self.pinned)):
            raise RemogptError(
                "examples='none' retrieves nothing, so that routes, k and pinned would be without effect; leave them "
                "out"
            )
        if self.k is not None and self.k < 1:
            raise RemogptError(f"k must be at least 1, got {self.k}; examples='none' retrieves nothing")
        for name in ("min_score", "max_alike"):
            if not -1 <= getattr(self, name) <= 1:
                raise RemogptError(f"{name} must be a cosine, -1 to 1, got {getattr(self, name):g}")
        if self.best_of is not None and self.best_of < 1:
            raise RemogptError(f"best_of must be at least 1, got {self.best_of}")
        if self.guidance is not None and not 0 < self.guidance <= MAX_GUIDANCE:
            raise RemogptError(
                f"guidance must be above 0 and at most {MAX_GUIDANCE:g} (1 is off), got {self.guidance:g}"
            )
        if self.retrieved is not None and self.retrieved < 0:
            raise RemogptError(f"retrieved must be 0 or more, got {self.retrieved}")
        if self.joined is not None and self.joined < 0:
            raise RemogptError(f"joined must be 0 or more, got {self.joined}")
        if self.fact_weight is not None and not 0 <= self.fact_weight < math.inf:
            raise RemogptError(f"fact_weight must be 0 or more, got {self.fact_weight:g}")
        for name in ("exclude", "pinned"):
            if isinstance(value := getattr(self, name), str):
                raise RemogptError(f"{name} must be a list of ids, got one string; give [{value!r}]")

    def routes_for(self, query: Literal["caption", "motion"]) -> tuple[Route, ...]:
        """Return the routes by which the examples of a caption or of a motion are retrieved, in the prompt's order.

        Raises:
            RemogptError: if routes are given, but none that begins with that query.
        """
        possible = TEXT_ROUTES if query == "caption" else MOTION_ROUTES
        given = possible if self.routes is None else self.routes
        own = tuple(route for route in given if route in possible)
        if not own:
            raise RemogptError(
                f"a {query}'s examples are retrieved by {' or '.join(possible)}, but the routes are "
                f"{', '.join(given)}; add one"
            )
        return own

    def choice_for(self, query: Literal["caption", "motion"]) -> "ExampleChoice":
        """Return which examples of a caption or of a motion are retrieved; raises as `routes_for` does."""
        return ExampleChoice(self.routes_for(query), self.k or 1, self.min_score, self.max_alike)

    @property
    def sampling(self) -> dict[str, Any]:
        """Return those of temperature, top_k and top_p that are set."""
        values = {"temperature": self.temperature, "top_k": self.top_k, "top_p": self.top_p}
        return {name: value for name, value in values.items() if value is not None}

    def with_defaults(self, defaults: Mapping[str, Any]) -> "GenerationOptions":
        """Return these options with values of `defaults` for those that are None."""
        unused = ("routes", "k") if self.examples == "none" else ()
        missing = {name for name in defaults if getattr(self, name) is None}.difference(unused)
        return replace(self, **{name: defaults[name] for name in defaults if name in missing})

    def excluded(self, count: int) -> list[frozenset[str]]:
        """Return the ids that are not retrieved for each of `count` captions or motions.

        Raises:
            RemogptError: if there is one collection for each, but not for `count`.
        """
        return [frozenset(ids) for ids in self._of_each("exclude", count)]

    def pinned_for(self, count: int) -> list[tuple[str, ...]]:
        """Return the ids of the entries that are examples of each of `count` captions; errors as in `excluded`."""
        return [tuple(dict.fromkeys(ids)) for ids in self._of_each("pinned", count)]

    def _of_each(self, name: str, count: int) -> list[Sequence[str]]:
        ids = getattr(self, name)
        if all(isinstance(one, str) for one in ids):
            return [ids] * count
        if len(ids) != count:
            raise RemogptError(f"{name} has ids for {len(ids)} captions or motions, expected {count}")
        return list(ids)


@dataclass(frozen=True)
class ExampleChoice:
    """Which examples of one caption or motion are retrieved; fields as in `GenerationOptions`."""

    routes: tuple[Route, ...]
    k: int = 1
    min_score: float = -1.0
    max_alike: float = 1.0


def _check_routes(routes: Sequence[Route] | None) -> None:
    if routes is None:
        return
    known = (*TEXT_ROUTES, *MOTION_ROUTES)
    if isinstance(routes, str):
        raise RemogptError(f"routes must be a list, got one string; give [{routes!r}]")
    unknown = [route for route in routes if route not in known]
    if unknown or not routes or len(set(routes)) < len(routes):
        raise RemogptError(f"routes must be some of {', '.join(known)}, each once, got {', '.join(routes) or 'none'}")
