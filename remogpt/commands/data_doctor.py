"""`remogpt data doctor`: what is missing, broken or wrong in a set, with the remedy; a corrected copy of it."""

import json
from dataclasses import asdict
from typing import Any

from remogpt.commands.cli_parts.parser import CommandParser
from remogpt.runtime.files import check_output_folder


def add_doctor(actions: Any) -> None:
    """Declare the subcommand."""
    parser = CommandParser(
        description="Examine a set (HumanML3D, KIT-ML, Motion-X, BABEL, TMR's annotations, our own): what is missing, "
        "broken or wrong, a line each with the remedy. Exit code 1 if there is anything, 0 if not."
    )
    parser.add_argument("folder", type=str, help="folder of the set; nothing in it is changed")
    parser.add_argument("--fix", type=str, default=None, help="new folder for a corrected copy")
    parser.add_argument(
        "--official", type=str, default=None,
        help="folder with the published train.txt, val.txt, test.txt to compare with; or HumanML3D or KIT-ML for their "
        "counts; by default counts are compared where a set is as large as the published one",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print as JSON")
    actions.add_subcommand("doctor", parser)


def run_doctor(args: Any) -> int:
    """Examine the set, mend it if asked; return 1 if there are findings."""
    from remogpt.data.doctor.examine import examine
    from remogpt.data.doctor.mend import mend

    if args.fix is not None:
        check_output_folder(args.fix)
    report = examine(args.folder, official=args.official)
    found = report.to_json()
    if args.fix is not None:
        done = asdict(mend(args.folder, args.fix))
        found["fixed"] = {**done, "remaining": [str(finding) for finding in examine(args.fix).findings]}
    if args.json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
        return 1 if report.findings else 0
    for finding in report.findings:
        print(finding)
    for note in report.notes:
        print(f"note: {note}")
    counts = ", ".join(f"{count} {kind}" for kind, count in found["kinds"].items())
    layout = "our own layout" if report.layout == "own" else f"layout {report.layout}"
    print(
        f"{args.folder}, {layout}: {report.num_motions} motions, {report.num_captions} captions; "
        f"{f'{len(report.findings)} findings ({counts})' if counts else 'nothing to mend'}"
    )
    if args.fix is not None:
        fixed = found["fixed"]
        print(
            f"{args.fix}: {len(fixed['motions'])} motions made anew, {fixed['captions']} caption files written anew, "
            f"{len(fixed['left_out'])} motions left out; {len(fixed['remaining'])} findings remain"
        )
        print("".join(f"  {line}\n" for line in fixed["remaining"]), end="")
    return 1 if report.findings else 0
