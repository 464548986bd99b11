"""`remogpt data prepare`: a set in HumanML3D's layout, with mirror images, of recordings in many folders."""

import sys
from typing import Any

from remogpt.commands.cli_parts.parser import CommandParser
from remogpt.commands.cli_parts.reading import add_reading_options, reading_options
from remogpt.runtime.files import check_output_folder

_MANY = 20
"""Recordings left out that are printed; the report has all."""


def add_prepare(actions: Any) -> None:
    """Declare the subcommand."""
    parser = CommandParser(
        description="Make one set, with mirror images, of folders of recordings in any format. The set is in "
        "HumanML3D's layout, and captions are mirrored too; AMASS, HumanAct12, BVH and glTF may be mixed. A run that "
        "was killed goes on where it was. Writes report.json and report.html, a page with poses "
        "of the clips, beside the set."
    )
    parser.add_argument("sources", type=str, nargs="+", help="folders of recordings")
    parser.add_argument("--out", type=str, required=True, help="folder of the set")
    parser.add_argument(
        "--captions", type=str, default=None,
        help="CSV: file,caption[,start,end], seconds; default: a text file beside each recording, a sentence a line",
    )  # fmt: skip
    parser.add_argument("--index", type=str, default=None, help="HumanML3D's index.csv, in place of captions")
    parser.add_argument(
        "--texts",
        type=str,
        default=None,
        help="folder of texts: HumanML3D's, with --index; else each recording's <path>.txt",
    )
    parser.add_argument(
        "--splits", type=str, default=None, help="folder with train.txt ... of ids or recordings' paths"
    )
    parser.add_argument("--no-mirror", action="store_true", help="add no mirror images")
    parser.add_argument("--max-frames", type=int, default=196, help="longer stretches are cut into windows; 0: never")
    parser.add_argument("--test-share", type=float, default=0.15, help="share of the recordings for testing")
    parser.add_argument("--val-share", type=float, default=0.05, help="share of the recordings for validation")
    parser.add_argument("--seed", type=int, default=0, help="draws the recordings of each split")
    parser.add_argument("--workers", type=int, default=2, help="number of processes")
    parser.add_argument("--name", type=str, default="", help="name of the set; default: the folder's name")
    parser.add_argument("--licence", type=str, default="unknown", help="licence of the motions")
    add_reading_options(parser)
    actions.add_subcommand("prepare", parser)


def run_prepare(args: Any) -> int:
    """Prepare the set; return 1 if some recordings could not be used."""
    from remogpt.data.prepare.prepare import PAGE, prepare_set

    out = check_output_folder(args.out)
    report = prepare_set(
        args.sources, out, captions=args.captions, index=args.index, texts=args.texts, splits=args.splits,
        mirror=not args.no_mirror, max_frames=args.max_frames or None, test_share=args.test_share,
        val_share=args.val_share, seed=args.seed, workers=args.workers, name=args.name, licence=args.licence,
        **reading_options(args),
    )  # fmt: skip
    for text, about in list(report["notices"].items())[:_MANY]:
        more = f" and {about['recordings'] - 1} more" if about["recordings"] > 1 else ""
        print(f"note: {about['first']}{more}: {text}", file=sys.stderr)
    for name, why in list(report["left_out"].items())[:_MANY]:
        print(f"left out: {why if name in why else f'{name}: {why}'}", file=sys.stderr)
    if report["left_out"]:
        print(f"left out: {len(report['left_out'])}, all in {out / 'report.json'}", file=sys.stderr)
    for source, counts in report["sources"].items():
        print(f"{source}: {counts['used']} of {counts['recordings']} recordings, {counts['clips']} clips, "
              f"{counts['minutes']} minutes")  # fmt: skip
    splits = ", ".join(f"{split} {count}" for split, count in report["splits"].items())
    print(f"{out}: {splits}, {report['mirror_images']} of them mirror images; poses: {out / PAGE}")
    return 1 if report["left_out"] else 0
