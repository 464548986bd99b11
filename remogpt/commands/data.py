"""Make the procedural set, import motion capture, check and describe a set.

Examples:
  remogpt data make --out sets/procedural --clips 5000
  remogpt data import bandai Bandai-Namco-Research-Motiondataset/ --out sets/bandai
  remogpt data check sets/procedural
  remogpt data stats sets/procedural
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from remogpt.commands.parser import CommandParser
from remogpt.data.humanml3d import Clip, MotionTextSet
from remogpt.data.importers import IMPORTERS
from remogpt.motion.skeleton import FPS
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import check_output_folder


def add_arguments(parser: Any) -> None:
    """Declare the subcommands."""
    actions = parser.add_subcommands(dest="action")
    make = CommandParser(description="Write the procedural set in HumanML3D's layout. An interrupted run goes on.")
    make.add_argument("--out", type=str, required=True, help="folder of the set")
    make.add_argument("--clips", type=int, default=5000, help="number of clips")
    make.add_argument("--seed", type=int, default=0, help="same seed, same set")
    make.add_argument("--workers", type=int, default=2, help="processes")
    actions.add_subcommand("make", make)
    importer = CommandParser(description="Import captioned motion capture. Captions are made from its labels.")
    importer.add_argument("source", type=str, help=f"one of {', '.join(IMPORTERS)}")
    importer.add_argument("path", type=str, help="folder as it was downloaded, or a packed .npz of its joints")
    importer.add_argument("--out", type=str, required=True, help="folder of the set")
    actions.add_subcommand("import", importer)
    check = CommandParser(description="Test every checkable fact of a set on its own joints, and on shuffled ones.")
    check.add_argument("folder", type=str, help="folder of the set")
    check.add_argument("--clips", type=int, default=1000, help="how many clips to test")
    check.add_argument("--json", action="store_true", help="print as JSON")
    actions.add_subcommand("check", check)
    stats = CommandParser(description="Count clips, captions, words and lengths of each split.")
    stats.add_argument("folder", type=str, help="folder of the set")
    stats.add_argument("--json", action="store_true", help="print as JSON")
    actions.add_subcommand("stats", stats)


def run(args: Any) -> int:
    """Run the chosen subcommand."""
    chosen = args[args.action]
    return {"make": _make, "import": _import, "check": _check, "stats": _stats}[args.action](chosen)


def _make(args: Any) -> int:
    if args.clips < 1 or args.workers < 1:
        raise RemogptError(f"--clips and --workers must be at least 1, got {args.clips} and {args.workers}")
    if args.seed < 0:
        raise RemogptError(f"--seed must be 0 or more, got {args.seed}")
    from remogpt.data.procedural.make import make_procedural_set

    make_procedural_set(check_output_folder(args.out), num_clips=args.clips, seed=args.seed, workers=args.workers)
    return _print_stats(MotionTextSet.open(args.out), as_json=False)


def _import(args: Any) -> int:
    from remogpt.data.importers.to_set import import_set

    import_set(args.source, Path(args.path), check_output_folder(args.out))
    return _print_stats(MotionTextSet.open(args.out), as_json=False)


def _check(args: Any) -> int:
    if args.clips < 1:
        raise RemogptError(f"--clips must be at least 1, got {args.clips}")
    from remogpt.data.procedural.validate import validate_set

    report = validate_set(MotionTextSet.open(args.folder), num_clips=args.clips)
    if args.json:
        print(json.dumps(report.to_json(), indent=2))
    else:
        print(report)
    return 0


def _stats(args: Any) -> int:
    return _print_stats(MotionTextSet.open(args.folder), args.json)


def _print_stats(motions: MotionTextSet, as_json: bool) -> int:
    """Print one row a split."""
    rows = {split: _describe(motions.clips(split, 1, 10**9)) for split in motions.splits() if motions.ids(split)}
    if as_json:
        print(json.dumps({"name": motions.name, "licence": motions.licence, "splits": rows}, indent=2))
        return 0
    print(f"{motions.name} ({motions.licence})")
    for split, row in rows.items():
        print(f"  {split:<12} " + ", ".join(f"{value} {name}" for name, value in row.items()))
    return 0


def _describe(clips: list[Clip]) -> dict[str, Any]:
    seconds = np.array([clip.num_frames for clip in clips]) / FPS
    captions = [caption for clip in clips for caption in clip.captions]
    words = Counter(word for caption in captions for word in caption.lower().strip(".").split())
    return {
        "clips": len(clips),
        "captions": len(captions),
        "distinct captions": len(set(captions)),
        "distinct words": len(words),
        "minutes": round(float(seconds.sum()) / 60, 1),
        "median seconds": round(float(np.median(seconds)), 2),
    }
