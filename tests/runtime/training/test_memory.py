"""Freed memory is kept where the C library can be told so."""

import ctypes
import platform

import pytest

from remogpt.runtime.training import memory


def test_glibc_keeps_what_is_freed() -> None:
    if platform.libc_ver()[0] != "glibc":
        pytest.skip("another C library")
    assert memory.keep_freed_memory()


def test_elsewhere_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    assert not memory.keep_freed_memory()
    monkeypatch.setattr(memory.sys, "platform", "win32")
    assert not memory.keep_freed_memory()
