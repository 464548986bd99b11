"""Check what networks return before it is stored: a diverged network gives NaN, a collapsed one equal rows."""

from collections.abc import Callable
from typing import Any

import numpy as np

from remogpt.runtime.errors import RemogptError

UNIT_TOLERANCE = 1e-3
"""How far a length may be from one; half precision stays within 5e-4."""
ALIKE = 1e-4
"""Range of cosines below which rows cannot be told apart; a trained retriever's spread over more than 0.3."""
_NUM_COMPARED = 512


def check_finite(rows: np.ndarray, name: Callable[[int], str], what: str) -> np.ndarray:
    """Return rows (N, ...) unchanged if they are finite.

    Args:
        rows: what a network returned for N items.
        name: index -> name of the item, for the message.
        what: what the rows are ("embedding", "part encoding").

    Raises:
        RemogptError: naming the first item whose row holds NaN or infinity.
    """
    is_finite = np.isfinite(rows).all(axis=tuple(range(1, rows.ndim)))
    if not is_finite.all():
        bad = int(np.flatnonzero(~is_finite)[0])
        raise RemogptError(
            f"the network gave {_number(rows[bad])} in the {what} of {name(bad)}, and in {int((~is_finite).sum())} of "
            f"{len(rows)} in all; it has diverged or overflowed, train it anew or use another checkpoint"
        )
    return rows


def check_unit_rows(rows: np.ndarray, name: Callable[[int], str], what: str = "embedding") -> np.ndarray:
    """Return embeddings (N, D) unchanged if they are finite and of length one; raises as `check_finite` does."""
    check_finite(rows, name, what)
    lengths = np.linalg.norm(np.asarray(rows, dtype=np.float64), axis=1)
    wrong = np.flatnonzero(np.abs(lengths - 1) > UNIT_TOLERANCE)
    if len(wrong):
        raise RemogptError(
            f"the {what} of {name(int(wrong[0]))} has length {lengths[wrong[0]]:.4g}, wanted 1; divide rows by their "
            "length before they are stored"
        )
    return rows


def are_alike(rows: np.ndarray) -> bool:
    """Say whether embeddings (N, D) of N different items cannot be told apart, their cosines being equal."""
    if len(rows) < 3:
        return False
    some = np.asarray(rows[np.linspace(0, len(rows) - 1, min(len(rows), _NUM_COMPARED)).astype(int)], dtype=np.float64)
    some = some / np.maximum(np.linalg.norm(some, axis=1, keepdims=True), 1e-12)
    cosines = (some @ some.T)[~np.eye(len(some), dtype=bool)]
    return bool(np.ptp(cosines) < ALIKE)


def collapsed(what: str) -> str:
    """Say in one sentence that a network's rows cannot be told apart."""
    return (
        f"{what} cannot be told apart: all cosines are the same within {ALIKE:g}. The network has collapsed, and what "
        "is ranked by it is ranked by chance; train it anew (smaller learning rate, larger batches)"
    )


def _number(row: Any) -> str:
    return "NaN" if np.isnan(row).any() else "infinity"
