"""Draw the batches of a training one step ahead, in a thread, so that a GPU does not wait for them."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Drawn = TypeVar("Drawn")


def in_order(draw: Callable[[int], Drawn], steps: Sequence[int], *, ahead: bool) -> Iterator[Drawn]:
    """Yield draw(step) for each step; with `ahead` the next one is drawn while the caller works on this one.

    A draw must depend on its step alone. What it raises is raised where its batch is wanted.
    """
    if not ahead or not steps:
        yield from map(draw, steps)
        return
    with ThreadPoolExecutor(1, thread_name_prefix="draw") as thread:
        coming = thread.submit(draw, steps[0])
        for following in steps[1:]:
            drawn = coming.result()
            coming = thread.submit(draw, following)
            yield drawn
        yield coming.result()
