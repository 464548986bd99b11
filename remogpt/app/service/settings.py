"""Settings of the service: what it answers with, where it keeps things, and how much it takes."""

import re
from dataclasses import dataclass
from pathlib import Path

from remogpt.runtime.errors import RemogptError

MEBIBYTE = 1 << 20
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""What a database may be called."""
OWN = "default"
"""Name of the model's own database."""


@dataclass(frozen=True, kw_only=True)
class ServiceSettings:
    """Settings of one service."""

    work: Path
    """Folder of jobs, uploads and databases that clients build; one service at a time uses it."""
    model: str | None = None
    """Model folder; the embedded `mini` without it."""
    databases: tuple[str, ...] = ()
    """Folders of databases that every client may use: FOLDER, called by its last part, or NAME=FOLDER."""
    api_keys: tuple[str, ...] = ()
    """Keys, one of which every request must show; none: whoever reaches the service may use it."""
    host: str = "127.0.0.1"
    """Address to listen on."""
    max_upload: int = 64 * MEBIBYTE
    """Bytes of one request's body."""
    max_unpacked: int = 512 * MEBIBYTE
    """Bytes of what one uploaded zip unpacks to."""
    max_files: int = 200
    """Files of one request, and 20 times as many in a zip."""
    max_waiting: int = 256
    """Captions and motions that wait for the model; more are told to come back."""
    max_jobs: int = 20
    """Unfinished jobs of one client."""
    timeout: float = 120.0
    """Seconds after which a request that waits for its answer is given up; jobs have `job_timeout`."""
    job_timeout: float = 3600.0
    """Seconds that a job may take."""
    keep_hours: float = 48.0
    """Finished jobs are deleted after this time."""

    def __post_init__(self) -> None:
        if any(len(key) < 8 for key in self.api_keys):
            raise RemogptError("an API key needs at least 8 characters; make one with: openssl rand -hex 16")

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches the service."""
        return self.host in ("127.0.0.1", "::1", "localhost")

    def shared_databases(self) -> dict[str, Path]:
        """Return the folders of `databases` by name.

        Raises:
            RemogptError: for a name that is taken or cannot be one.
        """
        found: dict[str, Path] = {}
        for one in self.databases:
            name, mark, folder = one.partition("=")
            path = Path(folder if mark else one)
            name = name if mark else path.resolve().name
            if not NAME.fullmatch(name) or name == OWN or name in found:
                raise RemogptError(
                    f"--database {one}: {name!r} is taken or no name; write NAME=FOLDER with letters, digits, . _ -"
                )
            found[name] = path
        return found
