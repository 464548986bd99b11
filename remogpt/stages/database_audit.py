"""Look into databases: what one shares with a set's clips, and its entries as a table."""

import csv
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from remogpt.data.humanml3d import Clip, MotionTextSet
from remogpt.retriever import MotionDatabase
from remogpt.retriever.database.entry import EntryInfo
from remogpt.retriever.database.overlap import KINDS, MAX_DISTANCE, Overlap, find_overlaps
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import atomic_path, check_output_file
from remogpt.runtime.text import csv_cell
from remogpt.stages.inputs import open_database, open_set


@dataclass(frozen=True)
class ClipsOf:
    """Clips of a set, as `find_overlaps` reads them."""

    motions: MotionTextSet
    clips: list[Clip]

    def infos(self) -> Iterator[EntryInfo]:
        """Yield what is known about each clip."""
        for clip in self.clips:
            yield EntryInfo(
                clip.id, clip.source_id, clip.mirror_of, tuple(clip.captions), clip.num_frames, self.motions.name,
                self.motions.licence, {},
            )  # fmt: skip

    def features(self, row: int) -> np.ndarray:
        """Return (T, 263) raw features of a clip."""
        return self.motions.features(self.clips[row])


def audit_database(
    database: str | Path | MotionDatabase, against: str, *, max_distance: float | None = None
) -> list[Overlap]:
    """Find what a database shares with the clips of a split; see `find_overlaps`.

    Args:
        database: motions are compared where it keeps them.
        against: SET:SPLIT, a folder in HumanML3D's layout and one of its splits.
        max_distance: metres between joints; default: `overlap.MAX_DISTANCE`.

    Raises:
        RemogptError: if `against` does not name a split of a set.
    """
    opened = open_database(database)
    folder, mark, split = against.rpartition(":")
    if not mark or not folder:
        raise RemogptError(f"wanted --against SET:SPLIT, e.g. sets/procedural:test, came {against!r}")
    motions = open_set(folder)
    clips = ClipsOf(motions, motions.clips(split))
    kinds = KINDS if opened.motions_kept != "nothing" else tuple(kind for kind in KINDS if "motion" not in kind)
    return find_overlaps(opened, clips, kinds=kinds, max_distance=max_distance or MAX_DISTANCE)


def export_entries(database: str | Path | MotionDatabase, out: str | Path) -> int:
    """Write what is known about every entry as a table, one row an entry; returns their number.

    Args:
        database: to read.
        out: .jsonl, .csv (captions and tags as JSON) or .parquet (needs pyarrow).

    Raises:
        RemogptError: for another suffix, or without pyarrow.
    """
    opened, path = open_database(database), check_output_file(out)
    rows = [asdict(info) for info in opened.infos()]
    if path.suffix == ".jsonl":
        with atomic_path(path) as temporary:
            lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            temporary.write_text("".join(lines), encoding="utf-8")
    elif path.suffix == ".csv":
        with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(EntryInfo.__dataclass_fields__))
            writer.writeheader()
            for row in rows:
                flat = {**row, "captions": _json(row["captions"]), "tags": _json(row["tags"])}
                writer.writerow({name: csv_cell(value) for name, value in flat.items()})
    elif path.suffix == ".parquet":
        _write_parquet(path, rows)
    else:
        raise RemogptError(f"wanted --out to end in .jsonl, .csv or .parquet, came {path}")
    return len(rows)


def _write_parquet(path: Path, rows: list[dict[str, object]]) -> None:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise RemogptError("parquet files need pyarrow; install it (pip install pyarrow), or take .jsonl") from error
    table = pyarrow.Table.from_pylist([{**row, "tags": _json(row["tags"])} for row in rows])
    with atomic_path(path) as temporary:
        pyarrow.parquet.write_table(table, temporary)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
