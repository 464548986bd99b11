"""The `remogpt` command: finds the named command's module, lets it parse and run, and turns our errors into one line.

Only the module of the named command is imported, so that `remogpt --help` answers at once.
"""

import difflib
import os
import sys
from importlib import import_module

# A small model on a few cores gains nothing from spinning threads, and loses fourfold where two processes share them.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

COMMANDS = {
    "generate": "write a motion for a caption, or motions for a file of captions",
    "caption": "write captions for motion files",
    "search": "find motions in a database by words or by a motion",
    "db": "build, check and describe retrieval databases; precompute neighbours",
    "data": "make the procedural set, import motion capture, check a set",
    "train": "train a tokenizer, a retriever or a language model",
    "assemble": "put trained parts together into one model folder",
    "eval": "measure a model on a set",
    "demo": "make a page of generated motions and captions",
}

USAGE = """usage: remogpt COMMAND [options]

Text to motion and motion to text, with retrieved examples.

commands:
{commands}

  remogpt COMMAND --help     options of a command and a working example
  remogpt --version

first steps:
  remogpt generate "a person waves with the right hand" --out wave.bvh
  remogpt caption wave.bvh
"""


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 some items failed, 2 unusable input, 130 interrupted."""
    argv = sys.argv[1:] if argv is None else argv
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(USAGE.format(commands="\n".join(f"  {name:<10} {what}" for name, what in COMMANDS.items())), end="")
        return 0 if argv else 2
    if argv[0] == "--version":
        from remogpt import __version__

        print(f"remogpt {__version__}")
        return 0
    name, *rest = argv
    if name not in COMMANDS:
        close = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f"did you mean '{close[0]}'?" if close else "see 'remogpt --help'"
        print(f"remogpt: error: no command {name!r}; {hint}", file=sys.stderr)
        return 2
    return _run(name, rest)


def _run(name: str, rest: list[str]) -> int:
    from jsonargparse import ArgumentParser

    from remogpt.runtime.errors import RemogptError

    module = import_module(f"remogpt.commands.{name}")
    summary, _, epilog = (module.__doc__ or "").strip().partition("\n\n")
    parser = ArgumentParser(prog=f"remogpt {name}", description=f"{summary}\n\n{epilog}", formatter_class=_formatter())
    module.add_arguments(parser)
    try:
        return int(module.run(parser.instantiate(parser.parse_args(rest))) or 0)
    except (RemogptError, FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError) as error:
        print(f"remogpt {name}: error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader of our output has closed it (`| head`); Python would complain once more while it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print(f"remogpt {name}: interrupted; what was finished is kept", file=sys.stderr)
        return 130


def _formatter() -> type:
    from jsonargparse import DefaultHelpFormatter

    class ExampleFormatter(DefaultHelpFormatter):
        """Keeps the line breaks of the examples in a command's description."""

        def _fill_text(self, text: str, width: int, indent: str) -> str:
            return "\n".join(indent + line for line in text.splitlines())

    return ExampleFormatter


if __name__ == "__main__":
    sys.exit(main())
