"""Read command-line arguments that are captions, motion files or folders, and open the retriever that embeds them.

An argument that names a folder stands for its motion files, one that names a file for that motion; any other argument
is a caption. The name of a missing motion file is an error, not a caption. `--text` marks an argument as a caption.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import remogpt
from remogpt.motion.files.read import READABLE, clips_of, recordings_in
from remogpt.prompts import clean_text
from remogpt.runtime.errors import ITEM_ERRORS, MissingPathError, RemogptError, why
from remogpt.runtime.network_outputs import check_finite
from remogpt.runtime.progress import progress

if TYPE_CHECKING:  # slow to import, and `--help` should be fast
    from remogpt.retriever import TextMotionRetriever


@dataclass(frozen=True, eq=False)  # == of arrays has no single answer
class Query:
    """A query: a caption or a motion."""

    name: str
    """The caption, or the file's path as given."""
    features: np.ndarray | None = None
    """(T, 263) of a motion; None for a caption."""

    @property
    def kind(self) -> str:
        """`text` or `motion`."""
        return "text" if self.features is None else "motion"


@dataclass(frozen=True)
class Queries:
    """The queries of a command line."""

    found: tuple[Query, ...]
    """In the order of the arguments; `--text` comes last."""
    failed: tuple[tuple[str, str], ...]
    """Files that could not be read, and why."""

    def report(self) -> int:
        """Print the unreadable files; return the command's exit code, 1 if there are any."""
        for name, reason in self.failed:
            print(reason if name in reason else f"{name}: {reason}", file=sys.stderr)
        if self.failed:
            total = len(self.failed) + sum(query.kind == "motion" for query in self.found)
            print(f"{len(self.failed)} of {total} files could not be read", file=sys.stderr)
        return 1 if self.failed else 0


def add_query_options(parser: Any) -> None:
    """Add the arguments, --text, --retriever and --model."""
    parser.add_argument("words", type=str, nargs="*", help="captions, motion files, folders of motion files")
    parser.add_argument("--text", type=str, action="append", help="a caption, even if a file has that name")
    add_retriever_options(parser)


def add_retriever_options(parser: Any) -> None:
    """Add --retriever and --model."""
    parser.add_argument("--retriever", type=str, default=None, help="retriever folder, instead of the model's")
    parser.add_argument("--model", type=str, default=None, help="model folder; default: the embedded 'mini'")


def load_retriever(args: Any) -> "TextMotionRetriever":
    """Return the retriever that --retriever or --model names, on a GPU if there is one.

    Raises:
        RemogptError: if both are given, or the retriever cannot be used.
    """
    check_one_retriever(args)
    from remogpt.stages.inputs import open_retriever

    return open_retriever(args.retriever, args.model)


def check_one_retriever(args: Any) -> None:
    """Refuse both --retriever and --model."""
    if args.retriever is not None and args.model is not None:
        raise RemogptError("give --retriever or --model, not both: a model has a retriever of its own")


def read_queries(words: Sequence[str], texts: Sequence[str] | None = None) -> Queries:
    """Read captions and motions; one unreadable file of several does not stop the others.

    Raises:
        MissingPathError: if a file is not there, or a folder holds no motion file.
        RemogptError: if a caption holds no words, or the only file cannot be read.
    """
    items: list[str | Path] = []
    for word in words:
        items += _meaning(word)
    items += texts or []
    for text in items:
        if isinstance(text, str) and not clean_text(text):
            raise RemogptError(f"the caption {text!r} holds no words; describe a motion, e.g. 'a person waves'")
    num_files = sum(isinstance(item, Path) for item in items)
    found: list[Query] = []
    failed: list[tuple[str, str]] = []
    for item in progress(items, desc="read", unit="file") if num_files > 1 else items:
        if isinstance(item, str):
            found.append(Query(item))
            continue
        try:
            found.append(Query(str(item), remogpt.load_motion(item).features))
        except ITEM_ERRORS as error:
            if num_files == 1:
                raise
            failed.append((str(item), why(error)))
    return Queries(tuple(found), tuple(failed))


def embed(retriever: "TextMotionRetriever", queries: Sequence[Query]) -> np.ndarray:
    """Return (N, D) float32 unit rows of captions and motions, in their order."""
    rows = np.zeros((len(queries), retriever.dim), dtype=np.float32)
    texts = [index for index, query in enumerate(queries) if query.features is None]
    motions = [index for index, query in enumerate(queries) if query.features is not None]
    if texts:
        rows[texts] = retriever.encode_text([queries[index].name for index in texts])
    features = [query.features for query in queries if query.features is not None]
    for start in progress(range(0, len(motions), 256), desc="encode", unit="batch"):
        rows[motions[start : start + 256]] = retriever.encode_motion(features[start : start + 256])
    return check_finite(rows, lambda row: repr(queries[row].name), "embedding")


def _meaning(word: str) -> list[str | Path]:
    """Return an argument as a caption (str), a motion file, or the motion files of a folder."""
    path = Path(word)
    if not word.strip():  # Path("") would be the current folder
        return [word]
    try:
        is_folder, is_file = path.is_dir(), path.is_file()
    except (OSError, ValueError):  # a caption may be longer than a path can be
        return [word]
    if is_folder:
        found = recordings_in(path)
        files: list[str | Path] = [clip for file in found for clip in clips_of(file)]
        if not files:
            raise MissingPathError(f"no motion files in {path}; looked for {', '.join(sorted(READABLE))}")
        return files
    # Any existing file is read as a motion, whatever its suffix; its reader reports errors. Other words are captions.
    if path.suffix.lower() in READABLE or (is_file and path.suffix):
        if not is_file:
            remogpt.load_motion(path)  # raises, and names similar files
        return [path]
    return [word]
