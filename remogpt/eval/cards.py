"""The card that says how a number was made.

Two numbers may stand side by side only if their cards agree in everything but the model: `check_comparable` refuses the
rest and says where the cards differ.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any, NotRequired, TypedDict
from zlib import crc32

import remogpt
from remogpt.data.humanml3d import Clip, MotionTextSet
from remogpt.interfaces import Model
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.schema import Count

Card = dict[str, Any]


class ResultFile(TypedDict):
    """One result of an evaluation, as `parts/<name>.json` and `results.json` hold it."""

    card: Card
    scores: dict[str, Any]


class ReportFile(TypedDict):
    """Content of `results.json`."""

    results: dict[str, ResultFile]
    format: NotRequired[Count]
    missing_splits: NotRequired[list[str]]
    left_out: NotRequired[dict[str, str]]


class ItemEntry(TypedDict):
    """An answer, and whatever its writer adds."""

    id: str
    caption: str


class ItemsFile(TypedDict):
    """The answers of a model under one card: `samples.json`, and the JSON files of captions."""

    card: Card
    items: list[ItemEntry]


def sha256_of(value: Any) -> str:
    """Return the SHA-256 of a JSON-ready value, first 16 hexadecimal digits."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]


def show_order(ids: Iterable[str]) -> list[str]:
    """Sort ids by a hash of each: pages show the first, which nobody chose."""
    return sorted(ids, key=lambda one: crc32(one.encode()))


def protocol_card(
    model: Model | None, motions: MotionTextSet, split: str, clips: Sequence[Clip], **protocol: Any
) -> Card:
    """Describe how a number is made: model, items, code, and the protocol's own choices.

    Args:
        model: gives the answers that are scored; None where answers come from files.
        clips: the items, in the order in which they are used; their ids, lengths and captions are hashed.
        protocol: JSON-ready choices such as seed, gallery, positives, captions, database.
    """
    items = [[clip.id, clip.num_frames, list(clip.captions)] for clip in clips]
    return {
        "model": None if model is None else model.manifest.get("name", "unnamed"),
        "hashes": {} if model is None else dict(model.manifest.get("hashes", {})),
        "code_version": remogpt.__version__,
        "set": motions.name,
        "licence": motions.licence,
        "split": split,
        "num_items": len(clips),
        "items_sha256": sha256_of(items),
        **protocol,
    }


OF_THE_MODEL = frozenset([
    "model", "hashes", "code_version", "database_sha256", "retrieval", "sampling", "batch_size", "made_by",
    "best_of", "files_sha256", "shown_sha256", "clips_without_file", "evaluator_dependence", "rareness_database",
    "motions_sha256", "uses_facts", "retrieved", "retriever", "routes", "k", "windows", "cleanup",
])  # fmt: skip
"""Card entries ignored when deciding comparability: they describe the model, not the protocol. `motions_sha256` is
ignored because features differ in the last digits between machines."""


ON_REQUEST = frozenset(["memorisation", "multimodal", "bertscore", "sentences", "dissimilar", "second_detectors"])
"""Card entries of optional scores; an entry that either side lacks is not compared."""


def differing_entries(left: Card, right: Card) -> list[str]:
    """Return the names of the entries in which two cards differ beyond the model."""
    names = (set(left) | set(right)) - OF_THE_MODEL
    names -= {name for name in ON_REQUEST if not (left.get(name) and right.get(name))}
    if left.get("prompts_sha256") and right.get("prompts_sha256"):
        names.discard("captions")  # says in words how the prompts were chosen; their hash says which they are
    # What one card says is off or absent, the other may leave out.
    return sorted(name for name in names if (left.get(name) or None) != (right.get(name) or None))


def check_comparable(left: Card, right: Card, force: bool = False, what: str = "results") -> list[str]:
    """Return the entries in which two cards differ beyond the model.

    Args:
        force: return them without complaint.
        what: what is compared, for the message.

    Raises:
        RemogptError: if there are any and `force` is not set; the message gives each of them on both sides.
    """
    differing = differing_entries(left, right)
    if differing and not force:
        sides = ", ".join(f"{name}: {short(left.get(name))} / {short(right.get(name))}" for name in differing)
        raise RemogptError(
            f"{what} of different protocols cannot be compared ({sides}); evaluate both on the same items with the "
            "same settings, or force the comparison (--force)"
        )
    return differing


def short(value: Any) -> str:
    """Write a card's entry in one line, hashes by their first 12 digits."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {short(entry)}" for key, entry in value.items() if entry is not None)
    if value is None:
        return "none"
    text = str(value)
    return text[:12] if len(text) == 64 and not set(text) - set("0123456789abcdef") else text
