"""Write one implementation for NumPy arrays and torch tensors, without importing torch needlessly."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

Array = TypeVar("Array", bound=Any)
"""A NumPy array or a torch tensor; functions return the type that they receive."""


def namespace(array: Any) -> Any:
    """Return the module, numpy or torch, whose functions work on `array`.

    torch accepts NumPy's `axis=` in the few functions used here (stack, cumsum, concatenate, sum).
    """
    if isinstance(array, np.ndarray):
        return np
    import torch

    return torch


def like(values: np.ndarray, other: Array) -> Array:
    """Convert constant `values` to the array type, dtype and device of `other`."""
    if isinstance(other, np.ndarray):
        return values.astype(other.dtype, copy=False)  # type: ignore[return-value]
    return other.new_tensor(values.tolist())


def stack_last(components: list[Any]) -> Any:
    """Stack components (...) of vectors to (..., C).

    NumPy arrays are laid out component by component, since arithmetic on components is many times faster on numbers
    that lie side by side.
    """
    first = components[0]
    if not isinstance(first, np.ndarray | np.generic):
        return namespace(first).stack(components, axis=-1)
    stacked = np.empty((len(components), *first.T.shape), dtype=first.dtype)
    for index, component in enumerate(components):
        stacked[index] = component.T
    return stacked.T


def to_numpy(array: Any) -> np.ndarray:
    """Return a NumPy view of an array, a tensor (detached, on the CPU) or a nested list."""
    if hasattr(array, "detach"):
        array = array.detach().cpu().numpy()
    return np.asarray(array)
