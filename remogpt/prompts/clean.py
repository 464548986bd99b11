"""Turn user input into plain words, so that no caption can act as prompt structure.

Four things carry structure in a prompt: the headings (`### Input:`), the line labels (`Text:`, `Motion:`), line ends,
and bracketed tokens (`<motion_id_5>`, `<extra_id_0>`, `</s>`). Their words are kept, their marks removed.
"""

import re
import unicodedata

STRUCTURE_WORDS = ("input", "context", "output", "text", "motion")
"""Words that act as a line label when a colon follows."""

_LABEL = re.compile(rf"\b({'|'.join(STRUCTURE_WORDS)})\s*:", re.IGNORECASE)
_TOKEN = re.compile(r"<\s*/?\s*((?:motion|extra)_id_\d+|[a-z]{1,12})\s*>", re.IGNORECASE)
_MARKS = str.maketrans({"<": " ", ">": " ", "#": " "})


def clean_text(text: str) -> str:
    """Return the words of `text` on one line, without anything that could act as prompt structure.

    Control, format and unassigned characters and lone surrogates are removed; compatibility forms (full-width
    brackets) are normalised first, so that they cannot hide a mark; "<motion_id_5>" becomes "motion id 5", "Motion:"
    becomes "Motion,". Cleaning twice gives the same as cleaning once. The result may be empty.
    """
    text = _drop_invisible(unicodedata.normalize("NFKC", _drop_invisible(text)))
    text = _TOKEN.sub(lambda match: f" {match[1].replace('_', ' ')} ", text)
    text = _LABEL.sub(lambda match: f"{match[1]},", text.translate(_MARKS))
    return " ".join(text.split())


def _drop_invisible(text: str) -> str:
    """Replace line ends and tabs by spaces; drop every other character of Unicode's group C (Other)."""
    spaced = "".join(" " if character.isspace() else character for character in text)
    return "".join(character for character in spaced if not unicodedata.category(character).startswith("C"))
