"""Settings of a small evaluation."""

from typing import Any

QUICK: dict[str, Any] = {"best_of": (1,), "batch_size": 16, "repeats": 5}
"""Fields of `EvalConfig`: few candidates, few repeats of what is drawn."""
