"""Write the arrays and the manifest of a database's version; its files: `version_files`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from remogpt.motion.fact_catalogue import catalogue_hash
from remogpt.motion.feature_body import HUMANML3D, FeatureBody
from remogpt.motion.found_facts import FoundFacts
from remogpt.retriever.database.entry import EntryInfo
from remogpt.retriever.database.name_table import NameCollector
from remogpt.retriever.database.packed_motion import PackedMotion
from remogpt.retriever.database.vector_index import FAISS_ROWS, IndexKind, wants_inverted_file, write_inverted_file
from remogpt.retriever.database.version_files import (
    NAME_HASHES,
    NAME_ROWS,
    SCHEMA,
    SKELETONS,
    MotionsKept,
    manifest_hash,
)
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import sha256_file, write_json, write_npy


class RowAppender:
    """A .npy file that grows by rows, so that a build needs memory for one batch only."""

    def __init__(self, path: Path, row_shape: tuple[int, ...], dtype: str) -> None:
        self.row_shape, self.dtype, self.num_rows = row_shape, np.dtype(dtype), 0
        self.file = path.open("wb")
        self.header_bytes = self._write_header()

    def _write_header(self) -> int:
        header = {"descr": self.dtype.str, "fortran_order": False, "shape": (self.num_rows, *self.row_shape)}
        self.file.seek(0)
        np.lib.format.write_array_header_1_0(self.file, header)
        return self.file.tell()

    def add(self, rows: np.ndarray) -> None:
        """Append (n, *row_shape)."""
        if rows.shape[1:] != self.row_shape:
            raise RemogptError(f"{self.file.name} holds rows of shape {self.row_shape}, got {rows.shape[1:]}")
        self.file.write(np.ascontiguousarray(rows, dtype=self.dtype).tobytes())
        self.num_rows += len(rows)

    def written(self) -> np.ndarray:
        """Return the rows so far (num_rows, *row_shape), memory-mapped."""
        self.file.flush()
        if not self.num_rows:
            return np.zeros((0, *self.row_shape), self.dtype)
        shape = (self.num_rows, *self.row_shape)
        return np.memmap(self.file.name, self.dtype, mode="r", offset=self.header_bytes, shape=shape)

    def close(self) -> None:
        """Write the number of rows into the header; NumPy leaves room there for it to grow."""
        assert self._write_header() == self.header_bytes
        self.file.close()


@dataclass(frozen=True)
class NewEntries:
    """Entries on their way into a version. What is None is stored for no entry of it."""

    infos: Sequence[EntryInfo]
    motion_embeddings: np.ndarray
    """(n, D)"""
    caption_embeddings: np.ndarray
    """(c, D) of all their captions, in order."""
    codes: Sequence[np.ndarray]
    motions: Sequence[np.ndarray | PackedMotion] | None = None
    """(T, F) raw features, or packed; stored as the version stores motions."""
    part_encodings: np.ndarray | None = None
    """(n, 6, W); kept in float16, which moves an embedding that is made from them by 6e-5 at most (mini's)."""
    facts: Sequence[FoundFacts] | None = None
    errors: np.ndarray | None = None
    """(n,) metres, what the tokenizer loses."""


class VersionWriter:
    """Writes the entries of a new version into an empty folder.

    Args:
        folder: empty; see `new_version`.
        dim: width D of the embeddings.
        motions: how motions are stored beside their codes.
        embedding_dtype: float16 halves the file and costs about 5e-4 in a score.
        has_facts: whether facts come with the entries.
        body: whose features the motions are.
        index: how the embeddings will be searched.
    """

    def __init__(
        self, folder: Path, dim: int, motions: MotionsKept, embedding_dtype: str, has_facts: bool,
        *, body: FeatureBody = HUMANML3D, index: IndexKind = "auto",
    ) -> None:  # fmt: skip
        self.folder, self.body, self.index = folder, body, index
        self.seen, self.names = set[str](), NameCollector()
        self.licences: dict[str, int] = {}
        self.lines = (folder / "entries.jsonl").open("wb")
        self.arrays = {
            "codes": RowAppender(folder / "codes.npy", (), "<u2"),
            "motion_embeddings": RowAppender(folder / "motion_embeddings.npy", (dim,), embedding_dtype),
            "caption_embeddings": RowAppender(folder / "caption_embeddings.npy", (dim,), embedding_dtype),
        }
        if motions == "features":
            self.arrays["features"] = RowAppender(folder / "features.npy", (body.num_features,), "<f4")
        elif motions == "joints":
            self.arrays["joint_steps"] = RowAppender(folder / "joint_steps.npy", (body.num_joints, 3), "<i2")
            self.arrays["joint_units"] = RowAppender(folder / "joint_units.npy", (), "<f4")
        if has_facts:
            self.arrays["found_facts"] = RowAppender(folder / "found_facts.npy", (3,), "<u2")
        self.ends: dict[str, list[int]] = {name: [0] for name in ("entry", "code", "caption", "feature", "found_facts")}

    def add(self, new: NewEntries) -> None:
        """Append entries."""
        self.names.add(new.infos)
        for info, entry_codes in zip(new.infos, new.codes, strict=True):
            if info.id in self.seen:
                raise RemogptError(
                    f"two entries are called {info.id!r}; ids name an entry: rename or drop one ('remogpt db merge "
                    "--keep-first' drops the second)"
                )
            self.seen.add(info.id)
            self.licences[info.licence] = self.licences.get(info.licence, 0) + 1
            self.lines.write(info.to_line())
            self.ends["entry"].append(self.lines.tell())
            self.ends["code"].append(self.ends["code"][-1] + len(entry_codes))
            self.ends["caption"].append(self.ends["caption"][-1] + len(info.captions))
            self.ends["feature"].append(self.ends["feature"][-1] + info.num_frames)
            self.arrays["codes"].add(_checked_codes(info.id, entry_codes))
        self.arrays["motion_embeddings"].add(new.motion_embeddings)
        self.arrays["caption_embeddings"].add(new.caption_embeddings)
        if new.part_encodings is not None:
            self._optional("part_encodings", new.part_encodings.shape[1:], "<f2").add(new.part_encodings)
        if new.errors is not None:
            self._optional("reconstruction_errors", (), "<f4").add(new.errors)
        for motion in new.motions or ():
            self._add_motion(motion)
        if new.facts is not None and "found_facts" in self.arrays:
            for found in new.facts:
                self.arrays["found_facts"].add(found.rows)
                self.ends["found_facts"].append(self.arrays["found_facts"].num_rows)

    def rows(self, name: str) -> np.ndarray:
        """Return the rows of an array that have been written, memory-mapped."""
        return self.arrays[name].written()

    def _optional(self, name: str, row_shape: tuple[int, ...], dtype: str) -> RowAppender:
        """Return an array that has a row of every entry or is not there at all."""
        if name not in self.arrays:
            self.arrays[name] = RowAppender(self.folder / f"{name}.npy", row_shape, dtype)
        return self.arrays[name]

    def _add_motion(self, motion: np.ndarray | PackedMotion) -> None:
        if "features" in self.arrays:
            self.arrays["features"].add(motion.unpack() if isinstance(motion, PackedMotion) else np.asarray(motion))
        elif "joint_steps" in self.arrays:
            packed = motion if isinstance(motion, PackedMotion) else PackedMotion.pack(motion)
            self.arrays["joint_steps"].add(packed.steps)
            self.arrays["joint_units"].add(np.array([packed.unit]))

    def _motions_kept(self) -> MotionsKept:
        return "features" if "features" in self.arrays else "joints" if "joint_steps" in self.arrays else "nothing"

    def finish(self, origin: dict[str, Any], allow_empty: bool = False) -> str:
        """Write offsets, search structures and the manifest; return the version's hash."""
        if not self.seen and not allow_empty:
            raise RemogptError("a database needs at least one entry, got none; is the split or the filter empty?")
        self.lines.close()
        for array in self.arrays.values():
            array.close()
        assert all(
            self.arrays[name].num_rows == len(self.seen)
            for name in ("motion_embeddings", "part_encodings", "reconstruction_errors")
            if name in self.arrays
        )
        kept = self._motions_kept()
        absent = {"feature": kept == "nothing", "found_facts": "found_facts" not in self.arrays}
        for name, ends in self.ends.items():
            if not absent.get(name):
                write_npy(self.folder / f"{name}_offsets.npy", np.array(ends, dtype=np.int64))
        self._write_search_structures()
        manifest = {
            "schema": SCHEMA,
            "skeleton": next(name for name, body in SKELETONS.items() if body is self.body),
            "fps": self.body.fps,
            **origin,
            "motions": kept,
            **({"facts": {"catalogue": catalogue_hash()}} if "found_facts" in self.arrays else {}),
            **({} if self.index == "auto" else {"index": self.index}),
            "counts": {
                "entries": len(self.seen),
                "captions": self.ends["caption"][-1],
                "frames": self.ends["feature"][-1],
                "codes": self.ends["code"][-1],
            },
            "licences": dict(sorted(self.licences.items())),
            "files": {path.name: sha256_file(path) for path in sorted(self.folder.iterdir())},
        }
        write_json(self.folder / "manifest.json", manifest)
        return manifest_hash(manifest)

    def _write_search_structures(self) -> None:
        """Write what makes searches among many rows fast."""
        for name, index in (("motion_embeddings", "motions.ivf"), ("caption_embeddings", "captions.ivf")):
            rows = np.load(self.folder / f"{name}.npy", mmap_mode="r")
            if wants_inverted_file(len(rows), self.index):
                write_inverted_file(rows, self.folder / index)
        if len(self.seen) > FAISS_ROWS:
            for name, values in zip((NAME_HASHES, NAME_ROWS), self.names.sorted(), strict=True):
                write_npy(self.folder / f"{name}.npy", values)


def _checked_codes(name: str, codes: np.ndarray) -> np.ndarray:
    codes = np.asarray(codes)
    if codes.ndim != 1 or len(codes) == 0 or codes.min() < 0 or codes.max() > np.iinfo(np.uint16).max:
        raise RemogptError(f"entry {name} was encoded into {codes.shape} codes; wanted (N,) with 0 <= code < 65536")
    return codes
