"""Run `remogpt` commands, one a line of stdin, in one process; exit codes go to stdout, what they print to stderr."""

import os
import shlex
import sys

from remogpt.cli import main

if __name__ == "__main__":  # commands that start processes import this file again
    codes = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        print(f"$ remogpt {line.strip()}", flush=True)
        print(main(shlex.split(line)), file=codes, flush=True)
        sys.stdout.flush()
