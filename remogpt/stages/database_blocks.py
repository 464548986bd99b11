"""Embed the blocks of a database's sources, by one process or several, each into a small database of its own.

    <database>/parts/<hash>/    one block; the hash names its clips and all that decides what becomes of them
    <database>/parts/<hash>.json   what was told of it

A killed build finds the blocks that are finished, whatever else has changed; they go when the database is complete.
`accelerate launch --num_processes N -m remogpt.cli db build ...` divides the blocks among the processes of one or
several machines with a common file system, each on a GPU of its own.
"""

import json
import multiprocessing
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from tqdm import tqdm

from remogpt.data.humanml3d import MAX_FRAMES
from remogpt.finder import FactFinder
from remogpt.motion import Motion
from remogpt.pipeline import ReMoGPT
from remogpt.retriever import TextMotionRetriever
from remogpt.retriever.database.build import write_entries
from remogpt.retriever.database.entry import windowed
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import fingerprint, read_json, write_json
from remogpt.runtime.progress import progress
from remogpt.runtime.schema import Count
from remogpt.stages.database_sources import Block, Notes
from remogpt.stages.inputs import open_finder, open_model, open_retriever, open_tokenizer
from remogpt.tokenizer_vqvae import MotionTokenizer

if TYPE_CHECKING:
    from accelerate import PartialState

PARTS = "parts"


class _NotesFile(TypedDict):
    """Content of `<hash>.json`."""

    left_out: dict[str, str]
    notices: dict[str, list[str]]
    captioned: Count


@dataclass
class Components:
    """The networks that embed, tokenize, caption and find facts; opened in each process that needs them."""

    retriever: str | Path | TextMotionRetriever | None
    tokenizer: str | Path | MotionTokenizer | None
    model: str | Path | ReMoGPT | None
    finder: str | Path | FactFinder | None
    compact: bool
    facts: bool

    @cached_property
    def opened(self) -> tuple[TextMotionRetriever, MotionTokenizer, FactFinder | None]:
        """Retriever, tokenizer, and the finder if there is one."""
        opened = open_retriever(self.retriever, self.model), open_tokenizer(self.tokenizer, "a database", self.model)
        return *opened, open_finder(self.finder)

    @cached_property
    def captioning(self) -> ReMoGPT:
        """The model that captions what has no caption."""
        return open_model(self.model)

    @property
    def name(self) -> str:
        """How entries call the model that captioned them."""
        return str(self.captioning.manifest["name"])

    def write(self, motions: list[Motion]) -> list[str]:
        """Caption motions; one's caption does not depend on the others."""
        return [one.text for one in self.captioning.caption(motions, seed=[0] * len(motions))] if motions else []

    def key(self, block: Block) -> str:
        """Return a hash of everything that decides what becomes of a block."""
        retriever, tokenizer, finder = self.opened
        hashes = [retriever.hash, retriever.statistics_hash, tokenizer.hash, finder.hash if finder else ""]
        if block.needs_captions:
            hashes.append(json.dumps(self.captioning.manifest["hashes"], sort_keys=True))
        return fingerprint([*hashes, f"{self.compact} {self.facts}", block.identity()])

    def check_for_processes(self) -> None:
        """Refuse opened objects, which other processes cannot have."""
        for name in ("retriever", "tokenizer", "model", "finder"):
            if not isinstance(getattr(self, name), str | Path | None):
                raise RemogptError(
                    f"with several workers, {name} must be a folder that each can open, not an opened one"
                )


def embed_block(components: Components, block: Block, out: Path, notes: Notes, bar: Any) -> None:
    """Embed a block and write it as a database; what was left out of it is noted, and a progress bar moved on."""
    retriever, tokenizer, finder = components.opened
    write_entries(
        windowed(block.entries(notes, components), MAX_FRAMES), retriever, tokenizer, out,
        compact=components.compact, facts=components.facts, finder=finder, total=len(block), allow_empty=True, bar=bar,
    )  # fmt: skip


def embed_blocks(components: Components, blocks: Sequence[Block], folder: Path, workers: int) -> list[Path]:
    """Embed those blocks that no earlier run has finished.

    Args:
        components: given as folders where there are several processes.
        blocks: of all sources.
        folder: of the parts.
        workers: processes on this machine.

    Returns:
        a database for each block, in their order; some may be empty.
    """
    folder.mkdir(parents=True, exist_ok=True)
    parts = [folder / components.key(block) for block in blocks]
    state = _distributed()
    share = slice(None) if state is None else slice(state.process_index, None, state.num_processes)
    # Divided first: the processes do not look at the same moment for what is finished.
    own = list(zip(blocks, parts, strict=True))[share]
    todo = [(block, part) for block, part in own if not _notes_of(part).is_file()]
    total = sum(len(block) for block, _ in todo)
    with progress(total=total, desc="database", unit="clip") as bar:
        if workers > 1 and len(todo) > 1:
            # A copy, without the networks that this process has opened.
            workers, given = min(workers, len(todo)), replace(components)
            with multiprocessing.get_context("spawn").Pool(workers, _keep_in_process, (given,)) as pool:
                for size in pool.imap_unordered(_embed_in_process, todo):
                    bar.update(size)
        else:
            for block, part in todo:
                _embed_part(components, block, part, bar)
    wait_for_everyone()
    return parts


def notes_of_all(parts: Sequence[Path]) -> Notes:
    """Return what was told of finished blocks."""
    notes = Notes()
    for part in parts:
        told = read_json(_notes_of(part), _NotesFile)
        notices = {file: tuple(phrases) for file, phrases in told["notices"].items()}
        notes.add(Notes(told["left_out"], notices, told["captioned"]))
    return notes


def is_main_process() -> bool:
    """Say whether this process puts the parts together: it is the only one, or the first that accelerate started."""
    state = _distributed()
    return state is None or state.is_main_process


def wait_for_everyone() -> None:
    """Wait until every process that accelerate started is here."""
    state = _distributed()
    if state is not None:
        state.wait_for_everyone()


def _distributed() -> "PartialState | None":
    """Return this process's place among those that accelerate started, if there are several."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return None
    import torch
    from accelerate import PartialState

    return PartialState(cpu=not torch.cuda.is_available())


def _embed_part(components: Components, block: Block, part: Path, bar: Any) -> None:
    """Embed a block; its notes are written last and say that it is finished."""
    notes = Notes()
    embed_block(components, block, part, notes, bar)
    write_json(_notes_of(part), asdict(notes))


def _notes_of(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


_of_process: list[Components] = []
"""The networks of a worker process, opened once for all its blocks."""


def _keep_in_process(components: Components) -> None:
    _of_process[:] = [components]


def _embed_in_process(one: tuple[Block, Path]) -> int:
    """Embed a block in a worker, whose process shows nothing; return its clips."""
    block, part = one
    _embed_part(_of_process[0], block, part, tqdm(disable=True))
    return len(block)
