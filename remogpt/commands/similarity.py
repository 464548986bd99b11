"""Measure how well captions and motions match.

Examples:
  remogpt similarity "a person waves" wave.bvh
  remogpt similarity "a person waves" "a person kicks" recordings/ --csv scores.csv
  remogpt similarity "a person walks" "someone is walking"

Captions are compared with motions; where there are only captions, or only motions, each is compared with each. The
score is cosine / 2 + 0.5: 1 is a perfect match, 0.5 none. Two items print their cosine and score, more of them a table
of scores.
"""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from remogpt.commands.cli_parts.queries import Query, add_query_options, embed, load_retriever, read_queries
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import atomic_path, check_output_file
from remogpt.runtime.text import csv_cell

_WIDTH = 40
"""Longest name in a table; a longer one is cut."""


def add_arguments(parser: Any) -> None:
    """Declare the command's options."""
    add_query_options(parser)
    parser.add_argument("--csv", type=str, default=None, help="CSV file: row, column, cosine, score")
    parser.add_argument("--json", action="store_true", help="print names, cosines and scores as JSON")


def run(args: Any) -> int:
    """Compare, then print or write."""
    if args.csv:
        check_output_file(args.csv)
    queries = read_queries(args.words, args.text)
    if len(queries.found) < 2:
        queries.report()
        raise RemogptError(
            f"wanted at least two captions or motions to compare, got {len(queries.found)}; see 'remogpt similarity "
            "--help'"
        )
    rows, columns = sides(queries.found)
    retriever = load_retriever(args)
    found = [*rows, *columns] if rows != columns else rows
    vectors = embed(retriever, found)
    cosines = np.clip(vectors[: len(rows)] @ vectors[-len(columns) :].T, -1.0, 1.0)
    if args.csv:
        _write_csv(args.csv, rows, columns, cosines)
        if not args.json:
            print(f"{args.csv}: {len(rows)} x {len(columns)} cosines and scores")
    if args.json:
        print(json.dumps(_to_json(retriever.hash, rows, columns, cosines), indent=2, ensure_ascii=False))
    elif not args.csv:
        print(_table(rows, columns, cosines))
    return queries.report()


def sides(found: Sequence[Query]) -> tuple[list[Query], list[Query]]:
    """Return rows and columns: captions and motions, or all queries twice if all are of one kind (two: a pair)."""
    texts = [query for query in found if query.kind == "text"]
    motions = [query for query in found if query.kind == "motion"]
    if texts and motions:
        return texts, motions
    return (list(found[:1]), list(found[1:])) if len(found) == 2 else (list(found), list(found))


def score(cosine: Any) -> Any:
    """Map a cosine to a score in [0, 1]. Source: TMR, arXiv 2305.00976, and its code."""
    return cosine / 2 + 0.5


def _to_json(
    retriever_hash: str, rows: Sequence[Query], columns: Sequence[Query], cosines: np.ndarray
) -> dict[str, Any]:
    return {
        "retriever": retriever_hash,
        "rows": [{"kind": query.kind, "name": query.name} for query in rows],
        "columns": [{"kind": query.kind, "name": query.name} for query in columns],
        "cosine": np.round(cosines.astype(float), 6).tolist(),
        "score": np.round(score(cosines.astype(float)), 6).tolist(),
    }


def _write_csv(path: str, rows: Sequence[Query], columns: Sequence[Query], cosines: np.ndarray) -> None:
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("row", "column", "cosine", "score"))
        for row, line in zip(rows, cosines, strict=True):
            for column, cosine in zip(columns, line, strict=True):
                writer.writerow((csv_cell(row.name), csv_cell(column.name), f"{cosine:.6f}", f"{score(cosine):.6f}"))


def _table(rows: Sequence[Query], columns: Sequence[Query], cosines: np.ndarray) -> str:
    if cosines.size == 1:
        return f"cosine {cosines[0, 0]:.3f}  score {score(cosines[0, 0]):.3f}"
    names = [_short(query) for query in rows]
    heads = [_short(query) for query in columns]
    width = max(map(len, names))
    lines = [" " * width + "".join(f"  {head:>5}" for head in heads)]
    for name, line in zip(names, score(cosines), strict=True):
        values = "".join(f"  {value:>{max(5, len(head))}.3f}" for value, head in zip(line, heads, strict=True))
        lines.append(f"{name:<{width}}{values}")
    return "\n".join(lines)


def _short(query: Query) -> str:
    """Return a caption, or a file's name without its folder, cut if long."""
    name = query.name if query.kind == "text" else Path(query.name).name
    return name if len(name) <= _WIDTH else f"{name[: _WIDTH - 3]}..."
