"""Text from outside: read as UTF-8 or refused by name, and written so that no terminal or spreadsheet obeys it."""

import codecs
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TextIO

from remogpt.runtime.errors import MissingPathError, RemogptError

LARGEST = 1 << 28
"""Bytes of the largest text file that is read: captions of a million motions."""
_BOMS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_encoding: ContextVar[str] = ContextVar("encoding", default="utf-8")


@contextmanager
def reading_as(encoding: str) -> Iterator[None]:
    """Read users' text files in another encoding than UTF-8 while the block runs (`remogpt --encoding`).

    Raises:
        RemogptError: if Python knows no such encoding of text.
    """
    try:
        known = codecs.lookup(encoding)
        "".encode(encoding)
    except (LookupError, ValueError) as error:
        raise RemogptError(f"there is no text encoding {encoding!r}; name latin-1, cp1252 or utf-16") from error
    token = _encoding.set(known.name)
    try:
        yield
    finally:
        _encoding.reset(token)


def read_text(path: str | Path) -> str:
    """Return a text file's content without a byte order mark.

    Raises:
        MissingPathError: if the file is not there.
        RemogptError: if it is not UTF-8 (or what `reading_as` names); the message holds file, byte and line.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingPathError(f"no file {path}; expected text there")
    size = path.stat().st_size
    if size > LARGEST:
        raise RemogptError(f"{path} has {size / 2**20:.0f} MiB, wanted text of at most {LARGEST >> 20}; split it")
    content, encoding = path.read_bytes(), _encoding.get()
    try:
        return content.decode(encoding).removeprefix("\ufeff")
    except UnicodeError as error:
        start = getattr(error, "start", 0)
        line = content.count(b"\n", 0, start) + 1
        guess = next((name for bom, name in _BOMS.items() if content.startswith(bom)), "latin-1")
        raise RemogptError(
            f"{path} is not {encoding.upper()} text: byte 0x{content[start]:02x} at {start} (line {line}); save it as "
            f"UTF-8, or name its encoding: --encoding {guess}"
        ) from error


def read_lines(path: str | Path) -> list[str]:
    """Return the lines of a text file that are not empty, without blanks around them; errors as in `read_text`."""
    return [line.strip() for line in read_text(path).splitlines() if line.strip()]


def printable(text: str) -> str:
    """Return text that a terminal only shows: characters that it would obey are written as `\\x1b`, `\\u202e`.

    Line ends and tabs stay. Escaped are control characters (colours, cursor, bell), marks that turn the direction of
    writing round, and lone surrogates, which no terminal can show.
    """
    return _OBEYED.sub(lambda match: _escape(match[0]), text)


_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


class PrintableStream:
    """A text stream that escapes what a terminal would obey, and what it cannot write."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write text in its printable form; return the number of characters of `text`."""
        shown = printable(text)
        encoding = getattr(self.stream, "encoding", None) or "utf-8"
        try:
            self.stream.write(shown)
        except UnicodeEncodeError:
            self.stream.write(shown.encode(encoding, "backslashreplace").decode(encoding))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def csv_cell(value: Any) -> Any:
    """Return a cell that a spreadsheet shows and does not compute: text that begins with `= + - @` gets a `'`.

    What a terminal would obey is escaped, as by `printable`.
    """
    value = printable(value) if isinstance(value, str) else value
    if isinstance(value, str) and value.lstrip()[:1] in ("=", "+", "-", "@"):
        return f"'{value}"
    return f"'{value}" if isinstance(value, str) and value[:1] == "\t" else value


def text_of_csv_cell(value: str) -> str:
    """Return the text that `csv_cell` made safe."""
    return value[1:] if value[:1] == "'" and csv_cell(value[1:]) == value else value
