"""Two processes of one training on the CPU, as torchrun starts them, but forked from one that has imported the rest.

A process that begins with nothing imports torch and transformers for some seconds, which is longer than most tests run.
"""

import os
import socket
from collections.abc import Callable
from typing import Any

from torch import multiprocessing

IMPORTED = [
    "pytest", "remogpt.lm.training.train", "remogpt.retriever.training.pl_tmr", "remogpt.retriever.training.tmr",
    "remogpt.tokenizer_vqvae.train",
]  # fmt: skip


def run_in_two_processes(function: Callable[..., None], *args: Any) -> None:
    """Call `function(rank, *args)` in two processes that know of each other; raise what either raises."""
    if is_forked := "forkserver" in multiprocessing.get_all_start_methods():  # not on Windows
        multiprocessing.set_forkserver_preload(IMPORTED)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # A fork knows the variables of the test that was the first to ask for one.
    variables = {**os.environ, "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
                 "ACCELERATE_USE_CPU": "1"}  # fmt: skip
    multiprocessing.start_processes(
        _call, (function, variables, args), nprocs=2, start_method="forkserver" if is_forked else "spawn"
    )


def _call(rank: int, function: Callable[..., None], variables: dict[str, str], args: tuple[Any, ...]) -> None:
    os.environ.clear()
    os.environ.update(variables, RANK=str(rank), LOCAL_RANK=str(rank))
    function(rank, *args)
