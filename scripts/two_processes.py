"""Run `remogpt` commands, one a line of a file, in two processes that train together on this machine's CPU.

    python scripts/two_processes.py COMMANDS

Each would be `accelerate launch --cpu --num_processes 2 -m remogpt.cli ...`; here two processes run all of them, since
they would spend most of their time on importing torch. The first command that fails ends both.
"""

import os
import shlex
import socket
import subprocess
import sys
import time
from pathlib import Path

PATIENCE = 60.0
"""Seconds that one process may go on after the other has ended."""


def main() -> int:
    """Start both processes, and wait for them; return 0 where both have run all commands."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "ACCELERATE_USE_CPU": "1"}
    ranks = [
        subprocess.Popen(
            [sys.executable, __file__, sys.argv[1]],
            env={**os.environ, **shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
        )
        for rank in range(2)
    ]
    while all(rank.poll() is None for rank in ranks):
        time.sleep(0.2)
    for rank in ranks:
        try:
            rank.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            rank.kill()
    return max(abs(rank.wait()) for rank in ranks)


def run_all(commands: Path) -> int:
    """Run every command; return the exit code of the first that fails, else 0."""
    from remogpt.cli import main as command

    for line in commands.read_text().splitlines():
        if os.environ["RANK"] == "0":
            print(f"$ remogpt {line}   (two processes)", file=sys.stderr, flush=True)
        code = command(shlex.split(line))
        if code > 1:  # 1: some clips were left out, and named
            return code
    return 0


if __name__ == "__main__":
    sys.exit(run_all(Path(sys.argv[1])) if "RANK" in os.environ else main())
