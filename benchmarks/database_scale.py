"""Measure databases of 10,000 to a million entries: build, disk, opening, searches, what the index misses, memory.

  OMP_NUM_THREADS=1 python -m benchmarks.database_scale --out benchmarks/results/database_scale.json

Embeddings of 256 numbers are drawn around those of mini's database: a real row, lifted to 256 numbers by a fixed
rotation, and noise of a third of its length. Entries have one caption, 25 codes and no motion, and are written as
'remogpt db merge' writes them: without embedding anything. Each size is built and then searched in processes of their
own, one thread each; all times are the CPU's, which a busy machine changes less than a clock's. Queries are drawn as
the rows are. recall@10 compares with all dot products; where all rows are scanned it is 1 by construction.
Milliseconds are a query's, k = 4; excluding names 1,000 entries. Sizes of `--milvus` are also sent to Milvus Lite,
which answers from a process of its own: its times are the clock's.
"""

import argparse
import json
import multiprocessing
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks.command import command
from remogpt.retriever import MotionDatabase
from remogpt.retriever.database.entry import EntryInfo
from remogpt.retriever.database.milvus import send
from remogpt.retriever.database.version_files import name_in_use, new_version, publish
from remogpt.retriever.database.version_writer import NewEntries, VersionWriter
from remogpt.runtime.files import write_json
from remogpt.runtime.folders.find_model import embedded_model

DIM, CODES, FRAMES, NOISE = 256, 25, 100, 1 / 3
BLOCK = 4096
EXCLUDED, MANY = 1000, 50_000
RETRIEVER = SimpleNamespace(hash="0" * 64, statistics_hash="1" * 64, dim=DIM)
"""Stands for the retriever: queries are embeddings already."""


def rows_around(base: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Draw (count, 256) unit rows around rows of `base` (N, D)."""
    lift = np.linalg.qr(np.random.default_rng(0).normal(size=(DIM, base.shape[1])))[0].T.astype(np.float32)
    rows = base[rng.integers(len(base), size=count)] @ lift
    rows += NOISE * rng.normal(size=rows.shape).astype(np.float32) / DIM**0.5
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def build(folder: Path, count: int, base: tuple[np.ndarray, np.ndarray]) -> float:
    """Write a database of `count` entries; return the seconds."""
    begin = time.process_time()
    rng = np.random.default_rng(count)
    with new_version(folder) as version:
        writer = VersionWriter(version, DIM, "nothing", "float32", has_facts=False)
        for start in range(0, count, BLOCK):
            numbers = range(start, min(start + BLOCK, count))
            infos = [
                EntryInfo(f"clip_{n:07d}", f"source_{n // 4:07d}", None, (f"caption {n}",), FRAMES, "", "CC0", {})
                for n in numbers
            ]
            codes = rng.integers(512, size=(len(infos), CODES))
            motions, captions = (rows_around(one, len(infos), rng) for one in base)
            writer.add(NewEntries(infos, motions, captions, list(codes)))
        origin = {"num_features": 263, "retriever_hash": RETRIEVER.hash, "statistics_hash": RETRIEVER.statistics_hash,
                  "tokenizer_hash": "2" * 64}  # fmt: skip
        publish(folder, version, writer.finish(origin), name_in_use(folder))
    return round(time.process_time() - begin, 1)


def milliseconds(
    work: Callable[[int], object], count: int, clock: Callable[[], float] = time.process_time
) -> dict[str, float]:
    """Return the median and the 95th percentile of the time of some works."""
    times = []
    for number in range(count):
        begin = clock()
        work(number)
        times.append(1000 * (clock() - begin))
    return {"p50": round(float(np.percentile(times, 50)), 3), "p95": round(float(np.percentile(times, 95)), 3)}


def seconds(work: Callable[[], object]) -> float:
    """Return how long a work takes."""
    begin = time.process_time()
    work()
    return round(time.process_time() - begin, 3)


def search(folder: Path, base: tuple[np.ndarray, np.ndarray], queries: int) -> dict[str, Any]:
    """Open a database in this new process, and search it."""
    rng = np.random.default_rng(1)
    asked = rows_around(base[1], queries, rng)
    opened: list[MotionDatabase] = []
    found: dict[str, Any] = {
        "open_s": seconds(lambda: opened.append(MotionDatabase.open(folder, RETRIEVER))),
        "first_search_s": seconds(lambda: opened[0].search_embedding(asked[0], "t2m", 4)),
    }
    (database,) = opened
    excluded = [f"clip_{number:07d}" for number in rng.choice(len(database), EXCLUDED, replace=False)]
    found["first_excluding_s"] = seconds(lambda: database.search_embedding(asked[0], "t2m", 4, excluded))
    found["search_ms"] = milliseconds(lambda number: database.search_embedding(asked[number], "t2m", 4), queries)
    found["excluding_ms"] = milliseconds(
        lambda number: database.search_embedding(asked[number], "t2m", 4, excluded), queries
    )
    found["resident_mib"] = resident()
    many = min(MANY, len(database))
    found[f"k_{many}_s"] = seconds(lambda: database.search_embedding(asked[0], "t2m", many))
    return {**found, "recall_at_10": recall(database, asked[:200])}


def resident() -> dict[str, int]:
    """Return this process's own memory in MiB, and the pages of mapped files, which the system takes back at need."""
    told = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return {name: int(told[key].split()[0]) >> 10 for name, key in (("own", "RssAnon"), ("mapped", "RssFile"))}


def recall(database: MotionDatabase, asked: np.ndarray) -> float:
    """Return the share of the ten best rows of each query that a search finds."""
    best = np.full((len(asked), 10), -np.inf, np.float32), np.zeros((len(asked), 10), np.int64)
    for start in range(0, len(database), 1 << 16):
        block = np.asarray(database.motion_embeddings[start : start + (1 << 16)], np.float32)
        scores = np.concatenate([best[0], asked @ block.T], axis=1)
        rows = np.concatenate(
            [best[1], np.broadcast_to(np.arange(start, start + len(block)), (len(asked), len(block)))], axis=1
        )
        order = np.argsort(-scores, axis=1)[:, :10]
        best = np.take_along_axis(scores, order, 1), np.take_along_axis(rows, order, 1)
    found = [{hit.row for hit in database.search_embedding(query, "t2m", 10)} for query in asked]
    return round(
        float(np.mean([len(one & set(rows.tolist())) / 10 for one, rows in zip(found, best[1], strict=True)])), 4
    )


def search_in_milvus(folder: Path, base: tuple[np.ndarray, np.ndarray], queries: int) -> dict[str, Any]:
    """Send a database to Milvus Lite, and search it there as in `search`."""
    rng = np.random.default_rng(1)
    asked = rows_around(base[1], queries, rng)
    begin = time.perf_counter()
    send(MotionDatabase.open(folder, RETRIEVER), str(folder.with_suffix(".db")))
    found: dict[str, Any] = {"send_s": round(time.perf_counter() - begin, 1)}
    database = MotionDatabase.open(folder, RETRIEVER)
    excluded = [f"clip_{number:07d}" for number in rng.choice(len(database), EXCLUDED, replace=False)]
    database.search_embedding(asked[0], "t2m", 4, excluded)  # loads the collection
    for name, without in (("search_ms", []), ("excluding_ms", excluded)):
        found[name] = milliseconds(
            lambda number, without=without: database.search_embedding(asked[number], "t2m", 4, without),  # type: ignore[misc]
            queries, time.perf_counter,
        )  # fmt: skip
    return {**found, "recall_at_10": recall(database, asked[:200])}


def measure(count: int, base: tuple[np.ndarray, np.ndarray], queries: int, work: Path, milvus: bool) -> dict[str, Any]:
    """Build and search a database of one size."""
    folder = work / str(count)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        built = pool.apply(build, (folder, count, base))
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found = pool.apply(search, (folder, base, queries))
    if milvus:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            found["milvus_lite"] = pool.apply(search_in_milvus, (folder, base, queries))
    shutil.rmtree(folder)
    return {"entries": count, "build_s": built, "disk_mib": round(size / 2**20), **found}


def main(words: Sequence[str] | None = None) -> int:
    """Measure all sizes; print and write JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--entries", type=int, nargs="+", default=[10_000, 100_000, 150_000, 1_000_000])
    parser.add_argument("--milvus", type=int, nargs="*", default=[], help="sizes that Milvus Lite answers too")
    parser.add_argument("--queries", type=int, default=500)
    parser.add_argument("--out", type=Path, default=None, help="JSON file of the results")
    args = parser.parse_args(words)
    real = MotionDatabase.open(embedded_model("mini") / "database")
    base = tuple(np.asarray(rows, np.float32) for rows in (real.motion_embeddings, real.caption_embeddings))
    sizes = []
    with tempfile.TemporaryDirectory(prefix="database_scale.") as name:
        for count in args.entries:
            sizes.append(measure(count, base, args.queries, Path(name), count in args.milvus))  # type: ignore[arg-type]
            print(json.dumps(sizes[-1]), file=sys.stderr, flush=True)
    result = {"command": command(), "numbers": DIM, "queries": args.queries, "sizes": sizes}
    print(json.dumps(result, indent=2))
    if args.out is not None:
        write_json(args.out, result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
