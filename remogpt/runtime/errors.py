"""Errors that a person can mend.

A message says what was wanted, what came, where, and what to do. The command line prints it as one line and ends with
exit code 2; any other exception is a defect of ours and keeps its traceback.
"""


class RemogptError(ValueError):
    """The input cannot be used as it is."""


class MissingPathError(RemogptError, FileNotFoundError):
    """A file or folder that was named is not there."""

    def __str__(self) -> str:
        return ValueError.__str__(self)
