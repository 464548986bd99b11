"""The command that a benchmark's results name."""

import os
import sys
from pathlib import Path


def command() -> str:
    """Return the command that was run; folders outside this one are private and left out."""
    words = [Path(word).name if word.startswith(("..", "/")) else word for word in sys.argv[1:]]
    spec = sys.modules["__main__"].__spec__  # None for a script that is named by its path
    program = ["-m", spec.name] if spec is not None else [Path(sys.argv[0]).name]
    threads = os.environ.get("OMP_NUM_THREADS")
    return " ".join([*([f"OMP_NUM_THREADS={threads}"] if threads else []), "python", *program, *words])
