"""Options that several commands share, with one wording."""

from pathlib import Path
from typing import Any

from remogpt.runtime.errors import MissingPathError, RemogptError


def add_model_options(parser: Any, database: bool = True) -> None:
    """Add --model and, where retrieval is used, --database and --no-retrieval."""
    parser.add_argument("--model", type=str, default=None, help="model folder; the embedded 'mini' without it")
    if database:
        parser.add_argument("--database", type=str, default=None, help="database folder; the model's own without it")
        parser.add_argument("--no-retrieval", action="store_true", help="answer without retrieved examples")


def read_lines(path: str | Path) -> list[str]:
    """Return the non-empty lines of a text file.

    Raises:
        MissingPathError, RemogptError: if it is absent, empty or not text.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingPathError(f"no file {path}; give a text file with one caption on each line")
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except UnicodeDecodeError as error:
        raise RemogptError(f"{path} is not UTF-8 text ({error}); give a text file with one caption on each line") from error
    if not any(lines):
        raise RemogptError(f"{path} holds no captions; write one on each line")
    return [line for line in lines if line]


def file_name_of(text: str, number: int) -> str:
    """Return a file stem that sorts by number and reads as the caption: `0003_a_person_waves`."""
    words = "".join(character if character.isalnum() else " " for character in text.lower()).split()
    return "_".join([f"{number:04d}", *words])[:80].rstrip("_")


def describe_examples(examples: Any) -> list[dict[str, Any]]:
    """Return retrieved examples as JSON-ready rows."""
    return [
        {"id": example.id, "route": example.route, "score": round(example.score, 4), "caption": example.caption}
        for example in examples
    ]
