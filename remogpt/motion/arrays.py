"""One implementation for NumPy arrays and torch tensors, without importing torch for those who do not use it."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

Array = TypeVar("Array", bound=Any)
"""A NumPy array or a torch tensor; what a function is given is what it returns."""


def namespace(array: Any) -> Any:
    """Return the module, numpy or torch, whose functions work on `array`.

    torch accepts NumPy's `axis=` in the few functions used here (stack, cumsum, concatenate, sum).
    """
    if isinstance(array, np.ndarray):
        return np
    import torch

    return torch


def like(values: np.ndarray, other: Array) -> Array:
    """Give constant `values` the kind, dtype and device of `other`."""
    if isinstance(other, np.ndarray):
        return values.astype(other.dtype, copy=False)  # type: ignore[return-value]
    return other.new_tensor(values.tolist())


def to_numpy(array: Any) -> np.ndarray:
    """Return a NumPy view of an array, a tensor (detached, on the CPU) or a nested list."""
    if hasattr(array, "detach"):
        array = array.detach().cpu().numpy()
    return np.asarray(array)
