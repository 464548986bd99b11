"""Damage bytes as disks, editors, other programs and people do. The same generator gives the same damage."""

import re
from collections.abc import Callable

import numpy as np

Mutation = Callable[[bytearray, np.random.Generator], bytes]
NUMBERS = (
    b"nan", b"inf", b"-inf", b"0", b"-1", b"1e308", b"1e-320", b"9" * 40, b"2147483648", b"-9223372036854775809",
    b"1e5000", b"0x10", b"1_000", "٣".encode(), b"", b".", b"true", b"null",
)  # fmt: skip
WORDS = (
    b"\x1b[2J\x1b]0;owned\x07", b"\xff\xfe", b"\xef\xbb\xbf", b"\x00", b"\xe9", b"../../../outside", b"/etc/passwd",
    b"\r\n", b"=cmd|'/c calc'!A1", b"{" * 3000, b"[" * 3000, "\u202e".encode(), b"\xed\xa0\x80", b"#" * 9, b"a" * 5000,
    b"%s%n", b"\\..\\..\\x", b"<script>", b"!!python/object/apply:os.system ['id']", b"cos\nsystem\n(S'id'\ntR.",
)  # fmt: skip


def mutate(content: bytes, rng: np.random.Generator) -> bytes:
    """Damage a file's content in one to three ways."""
    for _ in range(int(rng.integers(1, 4))):
        content = MUTATIONS[int(rng.integers(len(MUTATIONS)))](bytearray(content), rng)
    return content


def _place(content: bytearray, rng: np.random.Generator) -> int:
    return int(rng.integers(len(content) + 1))


def flip_bits(content: bytearray, rng: np.random.Generator) -> bytes:
    """Flip one to eight bits, half of the time near the beginning, where headers are."""
    for _ in range(int(rng.integers(1, 9))):
        if content:
            end = min(len(content), 256) if rng.random() < 0.5 else len(content)
            content[int(rng.integers(end))] ^= 1 << int(rng.integers(8))
    return bytes(content)


def cut(content: bytearray, rng: np.random.Generator) -> bytes:
    """Cut the end off."""
    return bytes(content[: _place(content, rng)])


def drop(content: bytearray, rng: np.random.Generator) -> bytes:
    """Leave out a stretch."""
    first = _place(content, rng)
    return bytes(content[:first] + content[first + int(rng.integers(1, 64)) :])


def repeat(content: bytearray, rng: np.random.Generator) -> bytes:
    """Repeat a stretch, now and then often."""
    first = _place(content, rng)
    stretch = content[first : first + int(rng.integers(1, 200))]
    return bytes(content[:first] + stretch * int(rng.choice([2, 3, 500])) + content[first:])


def change_number(content: bytearray, rng: np.random.Generator) -> bytes:
    """Put something else in place of a number that is written out."""
    found = list(re.finditer(rb"-?\d+(\.\d+)?([eE][-+]?\d+)?", content))
    if not found:
        return flip_bits(content, rng)
    chosen = found[int(rng.integers(len(found)))]
    return bytes(content[: chosen.start()] + NUMBERS[int(rng.integers(len(NUMBERS)))] + content[chosen.end() :])


def insert_word(content: bytearray, rng: np.random.Generator) -> bytes:
    """Insert what other programs, or attackers, write."""
    at = _place(content, rng)
    return bytes(content[:at] + WORDS[int(rng.integers(len(WORDS)))] + content[at:])


def swap_lines(content: bytearray, rng: np.random.Generator) -> bytes:
    """Exchange two lines."""
    lines = bytes(content).split(b"\n")
    one, other = (int(rng.integers(len(lines))) for _ in range(2))
    lines[one], lines[other] = lines[other], lines[one]
    return b"\n".join(lines)


def change_word(content: bytearray, rng: np.random.Generator) -> bytes:
    """Exchange two words, or leave one out."""
    words = list(re.finditer(rb"[A-Za-z_]{2,}", content))
    if len(words) < 2:
        return drop(content, rng)
    one, other = sorted(int(rng.integers(len(words))) for _ in range(2))
    first, second = words[one], words[other]
    if one == other:
        return bytes(content[: first.start()] + content[first.end() :])
    middle = content[first.end() : second.start()]
    return bytes(content[: first.start()] + second[0] + middle + first[0] + content[second.end() :])


def noise(content: bytearray, rng: np.random.Generator) -> bytes:
    """Put random bytes in place of everything."""
    return rng.bytes(int(rng.integers(0, 400)))


MUTATIONS: tuple[Mutation, ...] = (
    flip_bits, flip_bits, cut, drop, repeat, change_number, change_number, insert_word, swap_lines, change_word, noise,
)  # fmt: skip
