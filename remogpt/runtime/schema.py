"""Check what JSON files hold against a type: `checked(json.loads(text), Manifest, path)`."""

from pathlib import Path
from typing import Annotated, TypeVar

import msgspec

from remogpt.runtime.errors import RemogptError

T = TypeVar("T")
Hash = Annotated[str, msgspec.Meta(max_length=128)]
"""A hash, as hexadecimal digits."""
Count = Annotated[int, msgspec.Meta(ge=0, le=2**48)]
"""How many of something."""


def checked(value: object, kind: type[T], where: str | Path) -> T:
    """Return decoded JSON as a type: a TypedDict, whose further keys are passed over, or any that msgspec knows.

    Args:
        value: what the JSON document holds.
        kind: wanted type; `Annotated[int, Meta(ge=0)]` bounds a field.
        where: file, and line where there are several documents.

    Raises:
        RemogptError: naming the file, the place in it, what was wanted and what came.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at `$")
        what = what.replace("`", "").replace("Expected", "wanted")
        raise RemogptError(
            f"{where}: {what[:1].lower()}{what[1:]}{f' at {place.strip(chr(96)).lstrip(chr(46))}' if place else ''}; "
            "restore the file or make it again"
        ) from error
