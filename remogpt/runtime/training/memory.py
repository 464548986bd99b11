"""Keep memory that a training frees, for its next step."""

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
"""Numbers of glibc's parameters, from <malloc.h>."""
_MOST = 2**31 - 1


def keep_freed_memory() -> bool:
    """Tell glibc not to give freed memory back to the system; say whether it does so.

    A step on a CPU frees hundreds of megabytes of activations and asks for them again at once; by default glibc unmaps
    large blocks, and the system clears every page anew. A tokenizer's step takes 0.150 s in place of 0.164 alone on a
    machine, a language model's as long as before (`benchmarks/results/freed_memory.json`). On other systems, and with
    other C libraries, nothing is done.
    """
    if sys.platform != "linux":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # musl has none
        return False
    return bool(mallopt(_MMAP_MAX, 0) and mallopt(_TRIM_THRESHOLD, _MOST))
