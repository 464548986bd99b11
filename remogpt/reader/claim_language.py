"""Write claims as a sequence of tokens, and read them back.

    walks direction=forward distance=2.0 waves side=left <step> sits <end>

Claims of one step follow each other, `<step>` begins what comes next. A step's claims stand in the order of the
catalogue, whatever the order of the words. `<other>` stands for an action that no predicate covers.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from remogpt.motion.fact_catalogue import GRID
from remogpt.motion.facts import Fact, Steps
from remogpt.motion.predicates import PREDICATES
from remogpt.runtime.errors import RemogptError

END, STEP, OTHER = "<end>", "<step>", "<other>"
MAX_TOKENS = 40
"""Most tokens of a caption's claims, the end included."""
_GRIDS = {**GRID, "angle": tuple(angle for angle in GRID["angle"] if angle != 270.0)}
"""Values of parameters that are numbers; a claim takes the nearest. No procedural caption claims 270 degrees."""


@dataclass(frozen=True)
class ClaimLanguage:
    """The tokens, and which of them may follow which.

    Args:
        tokens: all of them; the first three are END, STEP and OTHER.
        values: for each predicate, the tokens that its claims have used.
    """

    tokens: tuple[str, ...]
    values: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, captions: Iterable[tuple[Steps, int]]) -> "ClaimLanguage":
        """Collect the tokens of claims and their numbers of unknown actions."""
        used: dict[str, set[str]] = {name: set() for name in PREDICATES}
        for steps, _ in captions:
            for claim in (claim for step in steps for claim in step):
                used[claim.name].update(_tokens(claim)[1:])
        values = {name: tuple(sorted(tokens)) for name, tokens in used.items()}
        params = sorted({token for tokens in values.values() for token in tokens})
        return cls((END, STEP, OTHER, *values, *params), values)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary."""
        return {"tokens": list(self.tokens), "values": {name: list(own) for name, own in self.values.items()}}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "ClaimLanguage":
        """Rebuild what `to_json` wrote."""
        return cls(tuple(data["tokens"]), {name: tuple(own) for name, own in data["values"].items()})

    @cached_property
    def _number(self) -> dict[str, int]:
        return {token: index for index, token in enumerate(self.tokens)}

    @property
    def first_value(self) -> int:
        """Id of the first parameter: before it stand END, STEP, OTHER and the predicates."""
        return len((END, STEP, OTHER)) + len(self.values)

    def encode(self, steps: Steps, num_unknown: int = 0) -> list[int]:
        """Return the ids of claims, the end included; unknown actions come last."""
        number, order = self._number, list(self.values)
        words: list[str] = []
        for step in steps:
            words += [STEP] if words else []
            words += [
                token for claim in sorted(step, key=lambda one: order.index(one.name)) for token in _tokens(claim)
            ]
        words += [OTHER] * num_unknown
        return [number[word] for word in words[: MAX_TOKENS - 1]] + [0]

    def decode(self, ids: Sequence[int]) -> tuple[Steps, int]:
        """Return the claims of ids, and the number of unknown actions."""
        steps: list[list[Fact]] = [[]]
        num_unknown = 0
        for token in (self.tokens[index] for index in ids):
            if token == END:
                break
            if token == STEP:
                steps.append([])
            elif token == OTHER:
                num_unknown += 1
            elif token in self.values:
                steps[-1].append(Fact(token))
            else:
                claim = steps[-1].pop()
                key, _, value = token.partition("=")
                steps[-1].append(Fact(claim.name, {**claim.params, key: _value(key, value)}))
        return tuple(tuple(step) for step in steps if step), num_unknown

    def may_follow(self) -> np.ndarray:
        """Return (N + 1, N, N) bool: after token a of the claim that predicate p began, token b may follow.

        The first axis is p's id, N where no claim is open yet; parameters come in the predicate's own order.
        """
        size, number = len(self.tokens), self._number
        names = [number[name] for name in self.values]
        allowed = np.zeros((size + 1, size, size), dtype=bool)
        allowed[size, :, names] = True
        allowed[size, :, [0, 2]] = True
        for name, tokens in self.values.items():
            own = allowed[number[name]]
            own[:, [0, 1, 2, *names]] = True
            ranks = {token: _parameters(name).index(token.partition("=")[0]) for token in tokens}
            for token, rank in ranks.items():
                before = [number[name], *(number[other] for other in tokens if ranks[other] < rank)]
                own[before, number[token]] = True
        return allowed


def _tokens(claim: Fact) -> list[str]:
    """Write a claim: its name, then its parameters in the predicate's order."""
    said = [(key, claim.params.get(key)) for key in _parameters(claim.name)]
    return [claim.name, *(f"{key}={_nearest(key, value)}" for key, value in said if value is not None)]


def _parameters(name: str) -> tuple[str, ...]:
    """Return the parameters of a predicate; raises RemogptError for a name that this program does not know."""
    predicate = PREDICATES.get(name)
    if predicate is None:
        raise RemogptError(f"claims of {name!r} are of a later version of the program; upgrade remogpt")
    return predicate.parameters


def _nearest(key: str, value: Any) -> Any:
    grid = _GRIDS.get(key)
    return value if grid is None else min(grid, key=lambda one: abs(one - float(value)))


def _value(key: str, text: str) -> Any:
    if key == "count":
        return int(text)
    if key in ("distance", "angle"):
        return float(text)
    return text == "True" if key == "moving" else text
