"""Write captions for motion files.

Examples:
  remogpt caption wave.bvh
  remogpt caption recordings/ --out captions.csv

Reads .bvh, .glb, .gltf, .amc (with its .asf beside it), .npy (263 features or 22 joints), .npz and UTD-MHAD's .mat.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import remogpt
from remogpt.commands.cli_parts.caption_table import COLUMNS, CaptionTable
from remogpt.commands.cli_parts.options import (
    add_example_options,
    add_id_options,
    add_model_options,
    add_writing_options,
    check_ids,
    chosen_database,
    generation_options,
    print_warnings,
)
from remogpt.commands.cli_parts.reading import add_reading_options, print_notices, reading_options
from remogpt.motion.files.read import READABLE, clips_of, recordings_in
from remogpt.pipeline.checks import check_model, check_seed
from remogpt.pipeline.described import describe_caption
from remogpt.runtime.errors import ITEM_ERRORS, MissingPathError, why
from remogpt.runtime.files import check_output_file
from remogpt.runtime.progress import progress
from remogpt.runtime.text import printable


def add_arguments(parser: Any) -> None:
    """Declare the command's options."""
    parser.add_argument("paths", type=str, nargs="+", help="motion files or folders of them")
    parser.add_argument(
        "--out",
        type=str,
        default=None,
        help="CSV file: file, caption, seconds, error; goes on with one that is there",
    )
    parser.add_argument("--force", action="store_true", help="write over --out instead of going on from it")
    parser.add_argument("--seed", type=int, default=0, help="same seed, same caption; only matters with a temperature")
    parser.add_argument("--json", action="store_true", help="print captions and examples as JSON")
    add_reading_options(parser)
    add_model_options(parser)
    add_example_options(parser)
    add_id_options(parser, pin=False)
    add_writing_options(parser, 0.0, "0 takes the likeliest word at each step")


def run(args: Any) -> int:
    """Caption every file; a bad file does not stop the others."""
    if args.out:
        check_output_file(args.out)
    files = motion_files(args.paths)
    options = generation_options(args)
    check_seed(args.seed)
    check_model(args.model, None if args.no_retrieval else args.database)
    # A single file is read first: one that cannot be read is refused before the model is loaded.
    how = reading_options(args)
    read = {files[0]: remogpt.load_motion(files[0], **how)} if len(files) == 1 else {}
    table = CaptionTable(args.out, begin_anew=args.force) if args.out else None
    model = remogpt.ReMoGPT.from_pretrained(args.model, precision=args.precision or "float32")
    database = None if args.no_retrieval else chosen_database(args, model)
    if args.ban and not args.no_retrieval:
        check_ids(args, model.database(args.database))
    rows: list[dict[str, Any]] = []
    notices: dict[str, Sequence[str]] = {}
    for path in progress(files, desc="caption", unit="file") if len(files) > 1 else files:
        row: dict[str, Any] = dict.fromkeys(COLUMNS, "")
        row |= {"file": str(path), "confidence": None}
        row |= {name: [] for name in ("examples", "warnings", "checks", "copied_from")} | {"is_stated": False}
        if table is not None and printable(str(path)) in table.done:
            rows.append(row | table.done[printable(str(path))])
            continue
        try:
            motion = read.get(path) or remogpt.load_motion(path, **how)
            notices[str(path)] = motion.notices
            row["seconds"] = round(motion.num_frames / motion.fps, 2)
            result = model.caption(motion, seed=args.seed, database=database, options=options)
            row |= {"caption": result.text, **describe_caption(result)}
        except ITEM_ERRORS as error:
            if len(files) == 1:
                raise
            row["error"] = why(error)
        rows.append(row)
        if table is not None:
            table.add(row)
    _report(args, rows)
    print_notices(notices, with_names=len(files) > 1)
    for row in rows:
        print_warnings(row["warnings"], f"{row['file']}: " if len(rows) > 1 else "")
    if table is not None and table.done:
        print(
            f"{len(table.done)} captions were in {args.out} already; --force begins anew",
            file=sys.stderr,
        )
    failed = [row for row in rows if row["error"]]
    for row in failed:
        print(f"{row['file']}: {row['error']}", file=sys.stderr)
    if failed:
        print(f"{len(failed)} of {len(rows)} files could not be captioned", file=sys.stderr)
    return 1 if failed else 0


def motion_files(paths: list[str]) -> list[Path]:
    """Return the given files and all motion files in the given folders, in order of their names.

    Raises:
        MissingPathError: if a path does not exist or no motion file is found.
    """
    found: list[Path] = []
    for path in map(Path, paths):
        if path.is_dir():
            found += [clip for file in recordings_in(path) for clip in clips_of(file)]
        else:  # the reader reports a missing file and suggests similar names
            found.append(path)
    if not found:
        raise MissingPathError(f"no motion files in {', '.join(paths)}; looked for {', '.join(sorted(READABLE))}")
    return found


def _report(args: Any, rows: list[dict[str, Any]]) -> None:
    if args.json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
    elif not args.out:
        for row in rows:
            if row["caption"]:
                print(row["caption"] if len(rows) == 1 else f"{row['file']}: {row['caption']}")
    else:
        print(f"{args.out}: captions of {sum(not row['error'] for row in rows)} files")
