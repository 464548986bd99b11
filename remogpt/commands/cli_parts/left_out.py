"""Tell at the end of a command what of a set was left out, and return the exit code that says so."""

import sys
from collections.abc import Mapping


def report_left_out(left_out: Mapping[str, str], what: str) -> int:
    """Count what was left out of a set, whose reasons were told as they were found; 1 if there was anything, else 0.

    Args:
        left_out: reason by id, as in `MotionTextSet.left_out`.
        what: name of the set or file.
    """
    if not left_out:
        return 0
    # All were told when they were found, which may be hours ago; the first reason says what kind of fault it was.
    first = next(iter(left_out.values()))
    print(
        f"{len(left_out)} motions or captions of {what} could not be used and were left out: {first}", file=sys.stderr
    )
    return 1
