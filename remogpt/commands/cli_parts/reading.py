"""Declare the options that say how motion files are to be read, and print what was understood."""

import sys
from typing import Any

from remogpt.motion.door.given import UNITS, UP_AXES
from remogpt.motion.motion import Motion

_OPTIONS = ("fps", "skeleton", "asf", "up", "unit", "swap_sides", "first_frame", "clip", "body_model")


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
        help="frames a second of the recording, if the file does not say so or lies",
    )
    parser.add_argument(
        "--skeleton", type=str, default=None,
        help="name of a known skeleton, or a table of your own (.yaml, see 'remogpt data map'); default: by anatomy",
    )  # fmt: skip
    parser.add_argument("--asf", type=str, default=None, help="body of .amc motions; default: the one beside them")
    parser.add_argument(f"--{prefix}up", type=str, default=None, help=f"axis that points up: {', '.join(UP_AXES)}")
    parser.add_argument(
        f"--{prefix}unit", type=str, default=None, help=f"unit of length: {', '.join(UNITS)}, or its metres"
    )
    parser.add_argument("--swap-sides", action="store_true", help="exchange the joints of left and right")
    parser.add_argument(
        "--first-frame", type=int, default=None, help="frame of the file, from 0, where the motion begins; 0: keep all"
    )
    parser.add_argument("--clip", type=str, default=None, help="which animation (or person) of a file with several")
    parser.add_argument("--body-model", type=str, default=None, help="folder of the SMPL models, for AMASS .npz files")


def reading_options(args: Any) -> dict[str, Any]:
    """Return the keywords of `load_motion` that a command line gives."""
    return {name: args[f"in_{name}" if f"in_{name}" in args else name] for name in _OPTIONS}


def print_notices(motion: Motion, about: str = "") -> None:
    """Print on one line of stderr what was understood and mended while a motion was read, if anything."""
    if motion.notices:
        print(f"note: {about}{'; '.join(motion.notices)}", file=sys.stderr)
