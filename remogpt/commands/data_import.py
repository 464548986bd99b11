"""`remogpt data import`: datasets as they were downloaded, own recordings, and TMR's annotations."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from remogpt.commands.cli_parts.parser import CommandParser
from remogpt.commands.cli_parts.reading import add_reading_options, print_notices, reading_options
from remogpt.data.importers import IMPORTERS
from remogpt.runtime.files import check_output_folder

_MANY = 20
"""Failures that are printed; the rest is counted."""

_NAMES = {"bandai": "the Bandai-Namco Research Motion Dataset", "cmu": "CMU's motion capture", "utd_mhad": "UTD-MHAD"}
"""What the sources of `IMPORTERS` are called in the help."""


def add_import(actions: Any) -> None:
    """Declare `import` with a subcommand for each source."""
    parser = CommandParser(description="Import captioned motion capture.")
    actions.add_subcommand("import", parser)  # jsonargparse needs parents before their subcommands
    sources = parser.add_subcommands(dest="source")
    for source in IMPORTERS:
        one = CommandParser(description=f"Import {_NAMES.get(source, source)}.")
        one.add_argument("path", type=str, help="folder as it was downloaded, or a packed .npz of its joints")
        _add_mirror(one)
        _add_out(one)
        sources.add_subcommand(source, one)
    folder = CommandParser(description="Import your own recordings with a table of captions.")
    folder.add_argument("path", type=str, help="folder of recordings, in any format that can be read")
    folder.add_argument(
        "--captions", type=str, required=True, help="CSV or JSON Lines: file, caption[, start, end], seconds"
    )
    folder.add_argument("--test-share", type=float, default=0.15, help="share of the recordings for testing")
    folder.add_argument("--val-share", type=float, default=0.05, help="share of the recordings for validation")
    folder.add_argument("--seed", type=int, default=0, help="draws the recordings of each split")
    _add_mirror(folder)
    add_reading_options(folder)
    _add_about(folder)
    sources.add_subcommand("folder", folder)
    tmr = CommandParser(description="Import a set by TMR's annotations, from features of whole AMASS sequences.")
    tmr.add_argument("path", type=str, help="folder with annotations.json and splits/")
    tmr.add_argument("--features", type=str, required=True, help="folder of the sequences' (T, 263) .npy files")
    tmr.add_argument(
        "--every-stretch",
        action="store_true",
        help="in val and test keep all stretches of a motion, not only the first",
    )
    _add_about(tmr)
    sources.add_subcommand("tmr", tmr)


def _add_mirror(parser: Any) -> None:
    parser.add_argument(
        "--mirror", action="store_true", help="add mirror images of the training clips, with left and right exchanged"
    )


def _add_about(parser: Any) -> None:
    parser.add_argument("--name", type=str, default="", help="name of the set; default: the folder's name")
    parser.add_argument(
        "--licence",
        type=str,
        default="unknown",
        help="licence of the motions, stored with everything made from them",
    )
    _add_out(parser)


def _add_out(parser: Any) -> None:
    parser.add_argument("--out", type=str, required=True, help="folder of the set")


def run_import(args: Any) -> int:
    """Import the chosen source; return 1 if some recordings could not be used."""
    chosen = args[args.source]
    out = check_output_folder(chosen.out)
    if args.source == "folder":
        return _import_folder(chosen, out)
    if args.source == "tmr":
        return _import_tmr(chosen, out)
    from remogpt.data.importers.to_set import import_set

    _tell_short(import_set(args.source, Path(chosen.path), out, mirror=chosen.mirror))
    return 0


def _import_folder(args: Any, out: Path) -> int:
    from remogpt.data.importers.recordings import Recordings
    from remogpt.data.importers.to_set import import_recordings

    recordings = Recordings.open(args.path, args.captions, args.licence, **reading_options(args))
    try:
        counts = import_recordings(
            recordings, out, name=args.name, test_share=args.test_share, val_share=args.val_share, seed=args.seed,
            mirror=args.mirror,
        )  # fmt: skip
        _tell_short(counts)
    finally:  # tell why if nothing could be read
        print_notices(recordings.notices)
        code = _report(recordings.failed, "rows, recordings or stretches that could not be used, left out")
    return code


def _import_tmr(args: Any, out: Path) -> int:
    from remogpt.data.importers.tmr import import_tmr

    result = import_tmr(
        args.path, args.features, out, name=args.name, licence=args.licence, every_stretch=args.every_stretch
    )
    if result.num_dropped or result.num_silent:
        print(
            f"keys left out: {result.num_dropped} without a caption of 2 to 10 s, {result.num_silent} without any",
            file=sys.stderr,
        )
    return _report(result.failed, "keys without usable features, left out")


def _tell_short(counts: Mapping[str, int]) -> None:
    from remogpt.data.importers.to_set import MIN_FRAMES

    if counts["too short"]:
        print(f"clips of fewer than {MIN_FRAMES} frames (two codes), left out: {counts['too short']}", file=sys.stderr)


def _report(failed: Mapping[str, str], what: str) -> int:
    """Print what failed; return the exit code."""
    for name, why in list(failed.items())[:_MANY]:
        print(why if name in why else f"{name}: {why}", file=sys.stderr)
    if failed:
        print(f"{what}: {len(failed)}", file=sys.stderr)
    return 1 if failed else 0
