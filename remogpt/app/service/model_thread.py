"""The one thread that uses the model; what waits for it is answered together.

While a batch is written other requests come in, and those of one kind (same options, same database) become the next
batch: nobody waits for a batch to fill. A row's answer depends on its seed alone, so that it does not matter who is
written beside it.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from remogpt.app.service.problems import ServiceError

_log = logging.getLogger(__name__)

MOST_ROWS = 32
"""Rows of the language model that are written at once: beyond them a row costs as much as in a batch of its own."""

Answer = Callable[[Sequence[Any]], Sequence[Any]]
"""Answers the items of a batch, in their order."""


@dataclass(eq=False)
class _Waiting:
    item: Any
    answer: Answer
    kind: Hashable | None
    rows: int
    future: "Future[Any]" = field(default_factory=Future)


class ModelThread:
    """Runs whatever uses the model, first come, first served, items of one kind together.

    Args:
        max_waiting: items that may wait.
    """

    def __init__(self, max_waiting: int = 256) -> None:
        self.max_waiting = max_waiting
        self._queue: deque[_Waiting] = deque()
        self._changed = threading.Condition()
        self._is_closed = False
        self.seconds_per_row = 0.0
        """How long a row took lately, for estimates; 0 before the first."""
        self._thread = threading.Thread(target=self._run, name="model", daemon=True)
        self._thread.start()

    @property
    def num_waiting(self) -> int:
        """Items that wait for their turn."""
        return len(self._queue)

    def submit(self, item: Any, answer: Answer, *, kind: Hashable | None = None, rows: int = 1) -> "Future[Any]":
        """Let an item wait for its answer.

        Args:
            item: what is asked.
            answer: answers a batch of such items; called on the thread.
            kind: items of equal kinds may be answered in one call, by the `answer` of the first; None: alone.
            rows: of the language model that the item takes.

        Raises:
            ServiceError: 503 where too many wait already, or the service is closing.
        """
        waiting = _Waiting(item, answer, kind, rows)
        with self._changed:
            if self._is_closed:
                raise ServiceError(503, "the service is closing; ask again when it is back")
            if len(self._queue) >= self.max_waiting:
                raise ServiceError(503, f"{len(self._queue)} requests wait already; come back in a few seconds")
            self._queue.append(waiting)
            self._changed.notify()
        return waiting.future

    def call(self, function: Callable[..., Any], *args: Any) -> "Future[Any]":
        """Run a function that uses the model."""
        return self.submit(args, lambda items: [function(*items[0])])

    def close(self) -> None:
        """Finish what is being answered, and give up what waits."""
        with self._changed:
            self._is_closed = True
            for waiting in self._queue:
                waiting.future.cancel()
            self._queue.clear()
            self._changed.notify()
        self._thread.join(timeout=30)

    def _run(self) -> None:
        while (batch := self._next_batch()) is not None:
            batch = [one for one in batch if one.future.set_running_or_notify_cancel()]
            if batch:
                started = time.monotonic()
                self._answer(batch)
                if batch[0].kind is not None:
                    self.seconds_per_row = (time.monotonic() - started) / sum(one.rows for one in batch)

    def _next_batch(self) -> list[_Waiting] | None:
        """Wait for work; take the first item and all of its kind that fit beside it. None: closed."""
        with self._changed:
            while not self._queue and not self._is_closed:
                self._changed.wait()
            if not self._queue:
                return None
            batch = [self._queue.popleft()]
            rows, first = batch[0].rows, batch[0]
            if first.kind is not None:
                for other in list(self._queue):
                    if other.kind == first.kind and rows + other.rows <= MOST_ROWS:
                        rows += other.rows
                        batch.append(other)
                        self._queue.remove(other)
            return batch

    def _answer(self, batch: Sequence[_Waiting]) -> None:
        try:
            answers = batch[0].answer([one.item for one in batch])
        except Exception as error:
            if len(batch) == 1:
                batch[0].future.set_exception(error)
                return
            for one in batch:  # only the one at fault shall fail
                self._answer([one])
            return
        for one, answer in zip(batch, answers, strict=True):
            one.future.set_result(answer)
