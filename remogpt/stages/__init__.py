"""Every stage as a Python function: what `remogpt train`, `db build` and `eval` do, without a command line.

train_tokenizer("sets/mine", out="runs/tokenizer")
train_retriever("sets/mine", out="runs/retriever")
database = build_database("sets/mine", out="runs/database", retriever="runs/retriever", tokenizer="runs/tokenizer")
report = evaluate("models/my-model", "sets/mine", out="runs/eval")

What a stage reads may be given as a path, or as the object that was opened from it. Interrupted stages go on where they
stopped, as the commands do.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from remogpt.stages.databases import build_database, find_neighbours
    from remogpt.stages.evaluation import evaluate
    from remogpt.stages.train import train_copy, train_lm, train_retriever, train_tmr, train_tokenizer

__all__ = [
    "build_database",
    "evaluate",
    "find_neighbours",
    "train_copy",
    "train_lm",
    "train_retriever",
    "train_tmr",
    "train_tokenizer",
]

_HOMES = {
    "build_database": "remogpt.stages.databases",
    "evaluate": "remogpt.stages.evaluation",
    "find_neighbours": "remogpt.stages.databases",
    "train_copy": "remogpt.stages.train",
    "train_lm": "remogpt.stages.train",
    "train_retriever": "remogpt.stages.train",
    "train_tmr": "remogpt.stages.train",
    "train_tokenizer": "remogpt.stages.train",
}


def __getattr__(name: str) -> Any:
    # Lazy: a command's --help loads no torch.
    if name not in _HOMES:
        raise AttributeError(f"module 'remogpt.stages' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
