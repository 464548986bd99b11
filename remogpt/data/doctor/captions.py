"""Examine one caption file of a set: its encoding, its lines, their times."""

import codecs
import re
from dataclasses import dataclass, field
from pathlib import Path

from remogpt.data.clip import Caption
from remogpt.data.doctor.findings import Kind
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.text import LARGEST

_BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_MISREAD = re.compile("[\u00c2-\u00c5][\u0080-\u00bf]|\u00e2\u20ac|\ufffd")
"""UTF-8 that was read as Latin-1 and written again, or a character that a program could not read."""
_LATE = 1.0
"""Seconds by which a caption may end after its motion."""
LYING = re.compile(
    r"""\b(?:l(?:ie|ies|ying|ay|ays|aying|aid)|floor|ground|bed|mat|back|belly|stomach|sleep\w*|crawl\w*|roll\w*|swim\w*
    |plank\w*|push\w*|pull\w*|sit\w*|fall\w*|fell|knees?|kneel\w*|fours|cartwheel\w*|handstand\w*|flip\w*|stretch\w*|yoga
    |crunch\w*|bridge\w*|dive\w*|climb\w*|hang\w*|upside|horizontal\w*)\b""",
    re.IGNORECASE | re.VERBOSE,
)
"""Words of captions whose motion may lie, hang or stand on its head."""


@dataclass
class CaptionFile:
    """What a caption file holds."""

    captions: list[Caption] = field(default_factory=list)
    """Those that can be used."""
    faults: list[tuple[Kind, str, str, str]] = field(default_factory=list)
    """Kind, place in the file ("" or "line 3"), what was found, remedy."""


def decode(path: Path) -> tuple[str, str | None]:
    """Return a file's text, and its encoding if that is not plain UTF-8.

    Raises:
        RemogptError: if it is too large to be text.
    """
    if path.stat().st_size > LARGEST:
        raise RemogptError(f"{path.stat().st_size / 2**20:.0f} MiB, which no text file has")
    content = path.read_bytes()
    for bom, encoding in _BOMS.items():
        if content.startswith(bom):
            name = "UTF-8 with a byte order mark" if encoding == "utf-8-sig" else "UTF-16"
            return content.decode(encoding, errors="replace"), name
    if len(content) > 3 and content[1:4:2] == b"\0\0":
        return content.decode("utf-16-le", errors="replace"), "UTF-16 without a mark"
    try:
        return content.decode("utf-8"), None
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace"), "Latin-1 (or Windows-1252)"


def examine_captions(path: Path, seconds: float | None, four_fields: bool) -> CaptionFile:
    """Read a caption file and find its faults.

    Args:
        path: the file, which exists.
        seconds: length of its motion, if that is known.
        four_fields: lines are HumanML3D's caption#tokens#start#end; else each is a sentence.
    """
    found = CaptionFile()
    try:
        text, encoding = decode(path)
    except (RemogptError, OSError) as error:
        found.faults.append(("malformed", "", f"not text: {error}", "Copy the file again"))
        return found
    if encoding is not None:
        found.faults.append(("encoding", "", f"{encoding}, not UTF-8", "Save it as UTF-8 without a mark"))
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            _examine_line(found, line, f"line {number}", seconds, four_fields)
    if not found.captions and not found.faults:
        found.faults.append(("caption", "", "empty: no caption", "Write one, or take the id out of the split files"))
    return found


def _examine_line(found: CaptionFile, line: str, where: str, seconds: float | None, four_fields: bool) -> None:
    misread = _MISREAD.search(line)
    if misread and (mended := _reread(line)):
        remedy = f"Write {_first_difference(line, mended)!r} there"
        found.faults.append(("encoding", where, f"{misread[0]!r}, UTF-8 that was read as Latin-1", remedy))
        line = mended
    elif "\ufffd" in line:
        found.faults.append(("encoding", where, "a character was lost (U+FFFD)", "Restore the word"))
    try:
        caption = Caption.from_line(line, "it") if four_fields else Caption(line.strip())
    except RemogptError as error:
        what, _, remedy = str(error).replace(" in it", "").replace(" of it", "").rpartition("; ")
        found.faults.append(("caption", where, what or str(error), (remedy or "mend the line").capitalize()))
        return
    if seconds is not None and not caption.is_whole and (caption.start >= seconds or caption.end > seconds + _LATE):
        times = f"from {caption.start:g} to {caption.end:g} s of a motion of {seconds:g} s"
        found.faults.append(("caption", where, times, "Correct the times, or write 0.0#0.0 for the whole motion"))
        return
    found.captions.append(caption)


def _reread(line: str) -> str | None:
    """Undo a reading of UTF-8 as Latin-1 or Windows-1252."""
    for encoding in ("cp1252", "latin-1"):
        try:
            return line.encode(encoding).decode("utf-8")
        except UnicodeError:
            continue
    return None


def _first_difference(line: str, mended: str) -> str:
    words = zip(line.split(), mended.split(), strict=False)
    return next((right for wrong, right in words if wrong != right), mended)
