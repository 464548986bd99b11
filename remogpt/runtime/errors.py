"""Errors that a user can fix.

A message says what was wanted, what came, where, and what to do. The command line prints it as one line and ends with
exit code 2; any other exception is a bug in this package and keeps its traceback.
"""


class RemogptError(ValueError):
    """Raised where the user's input cannot be used as it is."""


class MissingPathError(RemogptError, FileNotFoundError):
    """Raised where a named file or folder does not exist."""

    def __str__(self) -> str:
        return ValueError.__str__(self)


ITEM_ERRORS = (RemogptError, OSError, MemoryError)
"""What may be wrong with one item of many without being wrong with the others."""


def why(error: BaseException) -> str:
    """Say in one sentence why an item could not be used."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror.lower()}" if error.filename else error.strerror.lower()
    return " ".join(str(error).split()) or type(error).__name__
