"""Reading a version of a database without reading it into memory; its files: `version_files`."""

import logging
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np

from remogpt.motion.fact_catalogue import catalogue_hash
from remogpt.motion.feature_body import FeatureBody, body_of
from remogpt.retriever.database.entry import DatabaseEntry, EntryInfo, EntryNames
from remogpt.retriever.database.name_table import NameCollector, NameTable
from remogpt.retriever.database.packed_motion import PackedMotion
from remogpt.retriever.database.stored_facts import StoredFacts
from remogpt.retriever.database.version_files import (
    NAME_HASHES,
    NAME_ROWS,
    MotionsKept,
    check_small_files,
    current_version,
)
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_npy
from remogpt.runtime.network_outputs import check_unit_rows

_log = logging.getLogger(__name__)

BLOCK = 1 << 16
"""Embeddings that are checked at once."""


class VersionReader:
    """The entries of the version in use, as files that are mapped into memory when they are first asked for.

    Args:
        path: folder of the database.

    Raises:
        MissingPathError: if there is no database.
        RemogptError: if it cannot be read by this program.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.hash, self.folder, self.manifest = current_version(path)
        check_small_files(self.folder, self.manifest)
        self._arrays: dict[str, np.ndarray] = {}

    def __len__(self) -> int:
        return int(self.manifest["counts"]["entries"])

    @property
    def body(self) -> FeatureBody:
        """Whose features its motions are."""
        return body_of(self.manifest["num_features"])

    def info(self, row: int) -> EntryInfo:
        """Return what is known about entry `row`, 0 <= row < len(self)."""
        return self.infos_of([row])[0]

    def infos_of(self, rows: Sequence[int]) -> list[EntryInfo]:
        """Return what is known about some entries."""
        lines = self._lines
        return [EntryInfo.from_line(lines[start:end].tobytes()) for start, end in self._spans("entry", rows).tolist()]

    def infos(self) -> Iterator[EntryInfo]:
        """Yield what is known about every entry, in order."""
        for start, end in pairwise(self._array("entry_offsets").tolist()):
            yield EntryInfo.from_line(self._lines[start:end].tobytes())

    def names(self) -> Iterator[EntryNames]:
        """Yield how every entry is named, in order; takes a fraction of the time of `infos`."""
        for start, end in pairwise(self._array("entry_offsets").tolist()):
            yield EntryNames.from_line(self._lines[start:end].tobytes())

    @cached_property
    def name_table(self) -> NameTable:
        """Rows of the entries that bear a name: as their own, their source's or their mirror's."""
        if f"{NAME_HASHES}.npy" in self.manifest["files"]:
            return NameTable(self._array(NAME_HASHES), self._array(NAME_ROWS))
        collected = NameCollector()
        collected.add(self.names())
        return NameTable(*collected.sorted())

    @cached_property
    def rows(self) -> dict[str, int]:
        """Row of each entry id."""
        return {names.id: row for row, names in enumerate(self.names())}

    def codes(self, row: int) -> np.ndarray:
        """Return (N,) int64 codebook indices of an entry's motion."""
        return self.codes_of([row])[0]

    def codes_of(self, rows: Sequence[int]) -> list[np.ndarray]:
        """Return the codes of some entries."""
        codes = self._array("codes")
        spans = self._spans("code", rows, len(codes))
        codes = codes[numbers_within(spans)].astype(np.int64)
        ends = np.cumsum(spans[:, 1] - spans[:, 0]).tolist()
        return [codes[start:end] for start, end in pairwise([0, *ends])]

    @property
    def motions_kept(self) -> MotionsKept:
        """How motions are stored beside their codes."""
        kept: MotionsKept = self.manifest.get("motions", "nothing")
        return "features" if self.manifest.get("has_features") else kept  # as earlier versions wrote it

    def features(self, row: int) -> np.ndarray:
        """Return (T, F) raw features of an entry: memory-mapped, or made from its joint positions (about 4 ms).

        Raises:
            RemogptError: if the database has no motions, as an earlier version's compact ones.
        """
        motion = self.motion(row)
        return motion.unpack() if isinstance(motion, PackedMotion) else motion

    def motion(self, row: int) -> np.ndarray | PackedMotion:
        """Return the motion of an entry as it is stored; see `features`."""
        if self.motions_kept == "nothing":
            raise RemogptError(
                f"the database in {self.path} keeps no motions beside their codes; decode these with the tokenizer, or "
                "build the database again: remogpt db build SET --out DATABASE"
            )
        start, end = self._span("feature", row)
        if self.motions_kept == "features":
            return self._array("features")[start:end]
        rows, unit = slice(start + row, end + row + 1), float(self._array("joint_units")[row])
        if "joints.npy" in self.manifest["files"]:  # as earlier versions wrote it
            return PackedMotion(self._array("joints")[rows], unit)
        return PackedMotion.of_steps(self._array("joint_steps")[rows], unit)

    def entries(self) -> Iterator[DatabaseEntry]:
        """Yield every entry with its features, for a build with another retriever or tokenizer."""
        for row, info in enumerate(self.infos()):
            yield info.with_features(np.array(self.features(row)))

    @property
    def motion_embeddings(self) -> np.ndarray:
        """(E, D) unit rows, memory-mapped."""
        return self._array("motion_embeddings")

    @property
    def caption_embeddings(self) -> np.ndarray:
        """(C, D) unit rows, memory-mapped; entry e has rows caption_offsets[e]:caption_offsets[e + 1]."""
        rows, width = self._array("caption_embeddings"), self.motion_embeddings.shape[-1]
        if rows.ndim != 2 or rows.shape[1] != width:
            raise RemogptError(
                f"{self.folder}: caption_embeddings.npy holds {rows.shape}, wanted rows of {width} as in "
                "motion_embeddings.npy; copy the database again, or build it anew"
            )
        return rows

    @property
    def caption_offsets(self) -> np.ndarray:
        """(E + 1,) int64."""
        return self._array("caption_offsets")

    @property
    def has_part_encodings(self) -> bool:
        """Whether encodings of the body parts are stored; databases built by earlier versions have none."""
        return "part_encodings.npy" in self.manifest["files"]

    @property
    def part_encodings(self) -> np.ndarray:
        """(E, 6, W) float16 encodings of the body parts, memory-mapped; only if `has_part_encodings`."""
        return self._array("part_encodings")

    @property
    def has_reconstruction_errors(self) -> bool:
        """Whether it was measured what the tokenizer loses; databases built by earlier versions do not say it."""
        return "reconstruction_errors.npy" in self.manifest["files"]

    @property
    def reconstruction_errors(self) -> np.ndarray:
        """(E,) metres by which encoding and decoding moves joints, relative to the root; only if they are stored."""
        return self._array("reconstruction_errors")

    @cached_property
    def has_facts(self) -> bool:
        """Whether the facts of the entries are stored, found by the predicates that this program has."""
        stored = self.manifest.get("facts", {}).get("catalogue")
        if stored not in (None, catalogue_hash()):
            _log.warning(
                "the facts in the database in %s were found by another version of the predicates and are not used; to "
                "find them anew: remogpt db rebuild %s --only-facts", self.path, self.path
            )  # fmt: skip
        return bool(stored == catalogue_hash())

    @cached_property
    def facts(self) -> StoredFacts:
        """What was found of every entry's facts, memory-mapped.

        Raises:
            RemogptError: unless `has_facts`.
        """
        if not self.has_facts:
            raise RemogptError(
                f"the database in {self.path} has no facts of its motions that this program can use; find them with "
                f"'remogpt db rebuild {self.path} --only-facts'"
            )
        return StoredFacts(self._array("found_facts"), self._array("found_facts_offsets"))

    def check_sense(self) -> None:
        """Check that entries, offsets, codes and embeddings fit each other, and that embeddings are unit rows.

        Raises:
            RemogptError: naming the file and the entry.
        """
        counts, rows = self.manifest["counts"], [info.id for info in self.infos()]
        if len(set(rows)) != counts["entries"]:
            raise RemogptError(f"{self.folder}: {len(set(rows))} ids in entries.jsonl, the manifest says {len(self)}")
        if f"{NAME_HASHES}.npy" in self.manifest["files"]:
            collected = NameCollector()
            collected.add(self.names())
            stored = self.name_table.hashes, self.name_table.rows
            if not all(map(np.array_equal, stored, collected.sorted())):
                raise RemogptError(f"{self.folder}: {NAME_HASHES}.npy does not hold the names in entries.jsonl")
        sizes = {"code": len(self._array("codes")), "caption": len(self.caption_embeddings)}
        if self.motions_kept == "features":
            sizes["feature"] = len(self._array("features"))
        for name, size in sizes.items():
            offsets = self._array(f"{name}_offsets")
            if len(offsets) != len(rows) + 1 or offsets[0] != 0 or offsets[-1] != size or (np.diff(offsets) < 1).any():
                raise RemogptError(f"{self.folder}: {name}_offsets.npy does not divide {size} rows among {len(rows)}")
        owners = np.repeat(np.arange(len(rows)), np.diff(self.caption_offsets))
        for start in range(0, len(rows), BLOCK):
            block = self.motion_embeddings[start : start + BLOCK]
            check_unit_rows(block, lambda row, start=start: f"entry {rows[start + row]}")  # type: ignore[misc]
        for start in range(0, len(owners), BLOCK):
            block = self.caption_embeddings[start : start + BLOCK]
            check_unit_rows(block, lambda row, start=start: f"a caption of {rows[owners[start + row]]}")  # type: ignore[misc]

    def _span(self, name: str, row: int) -> tuple[int, int]:
        """Return where the rows of an entry begin and end; refuse offsets that do not tell it."""
        start, end = self._spans(name, [row])[0].tolist()
        return start, end

    def _spans(self, name: str, rows: Sequence[int], size: int | None = None) -> np.ndarray:
        """Return (n, 2) where the rows of some entries begin and end; refuse offsets that do not tell it.

        With `size` each has some, among that many.
        """
        offsets, wanted = self._array(f"{name}_offsets"), np.asarray(rows, dtype=np.int64)
        if offsets.ndim == 1 and len(offsets) and offsets.dtype.kind in "iu":
            is_there = (wanted >= 0) & (wanted < len(offsets) - 1)
            starts, ends = offsets[np.where(is_there, wanted, 0)], offsets[np.where(is_there, wanted + 1, 0)]
            is_bad = ~is_there | (starts < 0) | (starts > ends)
            bad = np.flatnonzero(is_bad if size is None else is_bad | (starts == ends) | (ends > size))
            if not len(bad):
                return np.stack([starts, ends], axis=1).astype(np.int64)
            rows = [rows[bad[0]]]
        raise RemogptError(f"{self.folder}: {name}_offsets.npy does not say what entry {rows[0]} has; build it again")

    def _array(self, name: str) -> np.ndarray:
        if name not in self._arrays:
            # A plain view: a slice of a memmap object takes ten times as long.
            self._arrays[name] = np.asarray(read_npy(self.folder / f"{name}.npy", mmap=True))
        return self._arrays[name]

    @cached_property
    def _lines(self) -> np.ndarray:
        """Bytes of entries.jsonl, which holds at least one entry: an empty file cannot be mapped."""
        return np.asarray(np.memmap(self.folder / "entries.jsonl", dtype=np.uint8, mode="r"))


def numbers_within(spans: np.ndarray) -> np.ndarray:
    """Return (n,) int64 all numbers of some spans (N, 2), from start to end, one span after the other."""
    starts, ends = spans.reshape(-1, 2).T
    lengths = ends - starts
    return np.arange(lengths.sum()) + np.repeat(starts - (np.cumsum(lengths) - lengths), lengths)
