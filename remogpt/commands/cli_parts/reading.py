"""Declare the options that say how motion files are to be read, and print what was understood."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from remogpt.motion.door.given import UNITS, UP_AXES

_OPTIONS = ("fps", "skeleton", "asf", "up", "unit", "swap_sides", "first_frame", "clip", "body_model")

_MOST = 20
"""Lines of notices; the other files are counted."""


def add_reading_options(parser: Any, prefix: str = "") -> None:
    """Add --fps, --skeleton, --asf, --up, --unit, --swap-sides, --first-frame, --clip and --body-model.

    Args:
        parser: the command's.
        prefix: put before fps, up and unit where a command also writes motions: "in-" gives --in-fps.
    """
    parser.add_argument(
        f"--{prefix}fps",
        type=float,
        default=None,
        help="frames a second of the recording, if the file tells none or a wrong one",
    )
    parser.add_argument(
        "--skeleton", type=str, default=None,
        help="name of a known skeleton, or a table of your own (.yaml, see 'remogpt data map'); default: by anatomy",
    )  # fmt: skip
    parser.add_argument("--asf", type=str, default=None, help="body of .amc motions; default: the one beside them")
    parser.add_argument(
        f"--{prefix}up",
        type=str,
        default=None,
        help=f"axis that points up: {', '.join(UP_AXES)}; default: told by the body",
    )
    parser.add_argument(
        f"--{prefix}unit",
        type=str,
        default=None,
        help=f"unit of length: {', '.join(UNITS)}, or how many metres it has; default: told by the leg",
    )
    parser.add_argument("--swap-sides", action="store_true", help="exchange the joints of left and right")
    parser.add_argument(
        "--first-frame",
        type=int,
        default=None,
        help="where the motion begins, in frames of the file; 0: keep all; default: behind rest and calibration poses",
    )
    parser.add_argument(
        "--clip", type=str, default=None, help="name of the animation (or person) to take from a file with several"
    )
    parser.add_argument("--body-model", type=str, default=None, help="folder of the SMPL models, for AMASS .npz files")


def reading_options(args: Any) -> dict[str, Any]:
    """Return the keywords of `load_motion` that a command line gives."""
    return {name: args[f"in_{name}" if f"in_{name}" in args else name] for name in _OPTIONS}


def print_notices(notices: Mapping[str, Sequence[str]], *, with_names: bool = True) -> None:
    """Print on stderr what was understood and mended while motions were read: one line for all that are alike.

    Args:
        notices: file -> what its motion's `notices` say.
        with_names: begin each line with the first such file.
    """
    alike: dict[str, list[str]] = {}
    for file, phrases in notices.items():
        if phrases:
            alike.setdefault("; ".join(phrases), []).append(file)
    for text, files in list(alike.items())[:_MOST]:
        more = f" and {len(files) - 1} more" if len(files) > 1 else ""
        print(f"note: {f'{files[0]}{more}: ' if with_names else ''}{text}", file=sys.stderr)
    if len(alike) > _MOST:
        rest = sum(map(len, list(alike.values())[_MOST:]))
        print(f"note: {rest} more files were understood or mended in other ways", file=sys.stderr)
