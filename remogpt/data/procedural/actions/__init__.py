"""Describe the actions that the wide vocabulary adds: one YAML file for each, named like the action.

A file says what a script may ask of the action (`spec`), how often it is drawn (`weight`), how long it takes
(`seconds`: fixed, and per count), what a caption of it claims (`claim`: a predicate, then the parameters that it
names), how people word it (`words`, keys and mark-up as in `lexicon.yaml`), and, for a gesture, its key poses (`poses`,
see `poses.py`). Actions of the whole body are animated by a function in this folder, entered in `makers.py`. The
predicate is one of `remogpt.motion.predicates`; it has a second detector in `remogpt.eval.detectors`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

from remogpt.data.procedural.vocabulary import ActionSpec


@dataclass(frozen=True)
class Description:
    """What one file of this folder says of its action."""

    name: str
    spec: ActionSpec
    weight: float
    """How often it is drawn, relative to the other actions; the core's walk has 15."""
    seconds: tuple[float, float]
    """Seconds at normal speed: fixed, and per count."""
    claim: tuple[str, ...]
    """Predicate, then the fields of the action that are its parameters. Captions say no other count or distance."""
    words: Mapping[str, list[str]]
    """Phrases by key, as the actions of `lexicon.yaml`."""
    pace: float | None = None
    """Metres a second of an action with a distance, at normal speed."""
    rests: bool = False
    """Whether the person stays down afterwards; only gestures and standing up may follow."""
    moves: tuple[str, ...] = ()
    """Leg actions that people do at the same time as this gesture."""
    disturbs: tuple[str, ...] = ()
    """Predicates whose counts, lengths and speeds this action disturbs elsewhere in a script."""
    local: tuple[str, ...] = ()
    """Parameters of the claim that hold only where the script has no other step."""
    poses: tuple[Mapping[str, Any], ...] = ()
    """Key poses of a gesture: ways of doing it, of which each take draws one."""


@cache
def descriptions() -> dict[str, Description]:
    """Read every file of the folder, by the name of the action, in order of the alphabet."""
    folder = resources.files(__package__)
    names = sorted(file.name.removesuffix(".yaml") for file in folder.iterdir() if file.name.endswith(".yaml"))
    return {name: _read(name, folder.joinpath(f"{name}.yaml").read_text(encoding="utf-8")) for name in names}


def _read(name: str, text: str) -> Description:
    data = yaml.safe_load(text)
    spec = ActionSpec(**_with_tuples(data.pop("spec")))
    return Description(name, spec, **{**_with_tuples(data), "words": data["words"]})


def _with_tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
