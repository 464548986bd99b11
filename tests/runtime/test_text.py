"""Text from outside: decoded or refused by name, and harmless in a terminal and in a spreadsheet."""

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.runtime.text import PrintableStream, csv_cell, printable, read_text, reading_as, text_of_csv_cell


def test_utf8_with_and_without_a_mark(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    for content in ("grüßt\n".encode(), b"\xef\xbb\xbf" + "grüßt\n".encode()):
        path.write_bytes(content)
        assert read_text(path) == "grüßt\n"
    with pytest.raises(MissingPathError, match=r"no file .*b\.txt"):
        read_text(tmp_path / "b.txt")


@pytest.mark.parametrize(
    ("encoding", "where"),
    [("latin-1", r"byte 0xfc at 11 \(line 2\).*--encoding latin-1"), ("utf-16", r"byte 0xff at 0 .*--encoding utf-16")],
)
def test_another_encoding_is_named_and_can_be_given(encoding: str, where: str, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("kickt\nein grüner\n".replace("ein gr", "ein g").replace("g", "g", 1).encode(encoding))
    path.write_bytes("kickt\nein grüner\n".replace("ein ", "ein").encode(encoding))
    with pytest.raises(RemogptError, match=rf"a\.txt is not UTF-8 text: {where}"):
        read_text(path)
    with reading_as(encoding):
        assert read_text(path) == "kickt\neingrüner\n"
    with pytest.raises(RemogptError, match="there is no text encoding 'klingon'"), reading_as("klingon"):
        pass
    with pytest.raises(RemogptError, match="there is no text encoding 'hex'"), reading_as("hex"):
        pass


def test_what_a_terminal_would_obey_is_shown() -> None:
    assert printable("\x1b[31mred\x07 \x9b2J a\rb") == r"\x1b[31mred\x07 \x9b2J a\x0db"
    assert printable("a\u202egnp.exe \ud800 \u2028") == r"a\u202egnp.exe \ud800 \u2028"
    assert printable("größer, 走る\n\tÅ") == "größer, 走る\n\tÅ"


@given(st.text())
def test_printable_text_holds_no_control_and_can_be_written(text: str) -> None:
    shown = printable(text)
    assert shown.isascii() or shown.encode()
    assert not any((ord(one) < 32 and one not in "\n\t") or 127 <= ord(one) < 160 for one in shown)
    assert printable(shown) == shown


def test_a_stream_that_cannot_write_a_letter_writes_its_number() -> None:
    raw = io.BytesIO()
    stream = PrintableStream(io.TextIOWrapper(raw, encoding="ascii", write_through=True))
    stream.writelines(["走", "\x1b", "a\n"])
    assert raw.getvalue() == b"\\u8d70\\x1ba\n"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "  =1", "\t=1"])
def test_cells_that_a_spreadsheet_would_compute(text: str) -> None:
    assert csv_cell(text) == f"'{text}" and text_of_csv_cell(csv_cell(text)) == text


def test_other_cells_stay() -> None:
    assert csv_cell("a\rb\x1b[2J") == "a\\x0db\\x1b[2J"
    for value in ("a person walks", -1.5, "'quoted'", "'tis", "", 3):
        assert csv_cell(value) == value
    assert text_of_csv_cell("'tis") == "'tis"
