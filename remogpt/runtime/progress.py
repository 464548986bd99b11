"""Show progress bars on standard error, so that standard output stays machine-readable."""

import sys
from collections.abc import Iterable
from typing import Any

from tqdm import tqdm

from remogpt.runtime.text import PrintableStream


def progress(
    iterable: Iterable[Any] | None = None, *, total: int | None = None, desc: str = "", unit: str = "it"
) -> Any:
    """Wrap an iterable (or count to `total` by hand) in a progress bar.

    In a terminal the bar moves; in a log file it prints one line every ten seconds. Short computations show no bar.
    """
    interval, delay = (0.2, 0.5) if sys.stderr.isatty() else (10.0, 10.0)
    return tqdm(
        iterable, total=total, desc=desc, unit=unit, mininterval=interval, delay=delay, file=_moving(sys.stderr),
        dynamic_ncols=True,
    )  # fmt: skip


def _moving(stream: Any) -> Any:
    """Return the stream on which a bar may move the cursor, which the command line's own escapes."""
    return stream.stream if isinstance(stream, PrintableStream) else stream
