"""Refuse wrong arguments before a model is loaded, and before torch is imported."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from remogpt.motion.feature_body import HUMANML3D, FeatureBody, body_of
from remogpt.prompts import clean_text
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.folders.envelope import read_envelope
from remogpt.runtime.folders.find_model import find_model
from remogpt.runtime.folders.model_folder import check_belongs, read_manifest

if TYPE_CHECKING:
    from remogpt.retriever import MotionDatabase


def check_words(text: str) -> None:
    """Refuse a caption that holds no words.

    Raises:
        RemogptError: with an example of one that does.
    """
    if not clean_text(text):
        raise RemogptError(f"the caption {text!r} holds no words; describe a motion, e.g. 'a person waves'")


def check_seed(seed: int | Sequence[int] | None, count: int | None = None) -> None:
    """Refuse a seed below 0, and seeds that are not one for each of `count` captions or motions.

    Raises:
        RemogptError: with the seed, or with how many there are.
    """
    seeds = [] if seed is None else [seed] if isinstance(seed, int) else list(seed)
    if seed is not None and not isinstance(seed, int) and len(seeds) != count:
        raise RemogptError(
            f"seed has {len(seeds)} seeds for {count} captions or motions; give one each, or one for all"
        )
    for one in seeds:
        if one < 0:
            raise RemogptError(f"a seed must be 0 or more, got {one}")


def check_num_samples(num_samples: int) -> None:
    """Refuse fewer than one sample.

    Raises:
        RemogptError: with the number.
    """
    if num_samples < 1:
        raise RemogptError(f"num_samples must be at least 1, got {num_samples}")


def check_model(model: str | Path | None, database: str | Path | None = None) -> None:
    """Refuse a model folder that is not whole, and a database that is another model's, by their descriptions alone.

    Args:
        model: folder or hub id; the embedded `mini` without it.
        database: folder of a database to use in place of the model's own.

    Raises:
        MissingPathError: if something is missing.
        RemogptError: if hashes do not agree.
    """
    folder = find_model(model)
    hashes = read_manifest(folder)["hashes"]
    if database is not None:
        from remogpt.retriever import MotionDatabase

        check_database(MotionDatabase.open(database), hashes, folder)


def body_of_model(folder: Path) -> FeatureBody:
    """Return whose motions a model reads and writes, by its tokenizer's description alone."""
    return body_of(read_envelope(folder / "tokenizer", "tokenizer")["config"].get("num_features", 263))


def check_our_body(body: FeatureBody, what: str, remedy: str) -> None:
    """Refuse a model of another body than our 22 joints, where these are needed.

    Args:
        body: the model's.
        what: what needs our joints.
        remedy: what to do instead.

    Raises:
        RemogptError: with both bodies.
    """
    if body is not HUMANML3D:
        raise RemogptError(
            f"{what} our {HUMANML3D.num_joints} joints, and this model's motions have {body.name}'s {body.num_joints}; "
            f"{remedy}"
        )


def check_database(database: "MotionDatabase", hashes: Mapping[str, str], model: Path) -> None:
    """Refuse a database that was built by another retriever or tokenizer than the model's.

    Args:
        database: opened.
        hashes: of the model's components.
        model: its folder, for the message.

    Raises:
        RemogptError: with both hashes.
    """
    own = {kind: hashes[kind] for kind in ("retriever", "tokenizer")}
    check_belongs(database.path, database.manifest, own, model)


def length_of_each(seconds: float | Sequence[float | None] | None, count: int) -> list[float | None]:
    """Return a length for each of `count` captions: one for all, or one each.

    Raises:
        RemogptError: if there are not as many.
    """
    if seconds is None or isinstance(seconds, int | float):
        return [seconds] * count
    if len(seconds) != count:
        raise RemogptError(f"seconds has {len(seconds)} lengths for {count} captions; give one each, or one for all")
    return list(seconds)
