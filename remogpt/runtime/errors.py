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
