"""The thread that uses the model: what waits is answered together, in order, and nothing waits for it at the end."""

import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError

import pytest

pytest.importorskip("fastapi", reason='the service needs pip install ".[serve]"')

from remogpt.app.service.model_thread import ModelThread
from remogpt.app.service.problems import ServiceError

LEFT_OPEN = """
from remogpt.app.service.model_thread import ModelThread
print(ModelThread().call(sum, [1, 2]).result())
"""


class Busy:
    """A thread that is kept busy until `free` is set, so that what is asked meanwhile waits."""

    def __init__(self) -> None:
        self.thread, self.free, begun = ModelThread(max_waiting=4), threading.Event(), threading.Event()
        self.first = self.thread.call(lambda: begun.set() or self.free.wait(10))
        assert begun.wait(10)


@pytest.fixture
def busy() -> Iterator[Busy]:
    one = Busy()
    yield one
    one.free.set()
    one.thread.close()


def test_what_waits_is_answered_together_where_it_is_of_one_kind(busy: Busy) -> None:
    batches: list[list[str]] = []

    def answer(items: Sequence[str]) -> list[str]:
        batches.append(list(items))
        return [item.upper() for item in items]

    futures = [
        busy.thread.submit(item, answer, kind=kind) for item, kind in (("a", 1), ("b", 2), ("c", 1), ("d", None))
    ]
    with pytest.raises(ServiceError, match="4 requests wait already"):
        busy.thread.submit("e", answer, kind=1)
    busy.free.set()
    assert [future.result(10) for future in futures] == ["A", "B", "C", "D"]
    assert batches == [["a", "c"], ["b"], ["d"]]


def test_what_waits_at_the_end_is_given_up_and_nothing_more_is_taken(busy: Busy) -> None:
    waiting = busy.thread.call(int)
    threading.Timer(0.05, busy.free.set).start()
    busy.thread.close()
    assert busy.first.result(0) is True, "what is being answered is finished"
    with pytest.raises(CancelledError):
        waiting.result(0)
    with pytest.raises(ServiceError, match="the service is closing"):
        busy.thread.call(int)


def test_a_program_ends_though_the_thread_was_left_open() -> None:
    done = subprocess.run([sys.executable, "-c", LEFT_OPEN], capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout == "3\n"
