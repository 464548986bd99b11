"""A few of the requests of `python -m fuzz.http`, on a tiny model."""

from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason='the service needs pip install ".[serve]"')

from fuzz.http import Sender


def test_what_strangers_send_is_answered_in_plain_words(tiny_model: Path, tmp_path: Path) -> None:
    sender = Sender(tmp_path, tiny_model)
    answers = [sender.send(seed) for seed in range(60)]
    assert not [wrong for _, wrong in answers if wrong]
    statuses = {status for status, _ in answers}
    assert 200 in statuses and 422 in statuses and not sender.strays()
    sender.close()
