"""Run the `remogpt` command: import the named command's module, run it, and print our errors as one line.

Only the module of the named command is imported, so that `remogpt --help` is fast.
"""

import difflib
import errno
import keyword
import os
import sys
from importlib import import_module
from types import ModuleType

# Spinning threads do not help a small model, and slow it down fourfold if two processes share the cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

_REMEDIES = {
    errno.EACCES: "you may not read or write there: change its permissions or choose another path",
    errno.EPERM: "you may not read or write there: change its permissions or choose another path",
    errno.EROFS: "choose a path that can be written to",
    errno.ENOSPC: "free some space and run the command again",
    errno.EISDIR: "this is a folder: name a file",
    errno.ENOTDIR: "a folder of this path is a file: choose another path",
    errno.ENAMETOOLONG: "choose a shorter name",
}

COMMANDS = {
    "generate": "write a motion for a caption, or motions for a file of captions",
    "caption": "write captions for motion files",
    "convert": "write motion files for other programs: BVH, glTF, SMPL, films, pages",
    "search": "find motions in a database by words or by a motion",
    "encode": "embed captions, motions or a whole set in the retriever's space",
    "similarity": "measure how well captions and motions match",
    "db": "build, check and describe retrieval databases; precompute neighbours",
    "data": "make the procedural set, import motion capture, check a set",
    "train": "train a tokenizer, a retriever or a language model",
    "import": "turn released weights (TMR, T2M-GPT, MotionGPT, Guo et al.'s evaluator) into components",
    "assemble": "put trained components together into one model folder",
    "eval": "measure a model, or anybody's motions and captions; compare evaluations",
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


def command_module(name: str) -> ModuleType:
    """Import a command's module; names that are Python keywords end in `_`: `import_`."""
    return import_module(f"remogpt.commands.{name}{'_' if keyword.iskeyword(name) else ''}")


def _run(name: str, rest: list[str]) -> int:
    from remogpt.commands.cli_parts.parser import CommandParser
    from remogpt.runtime.errors import RemogptError

    module = command_module(name)
    parser = CommandParser(prog=f"remogpt {name}", description=(module.__doc__ or "").strip())
    try:
        module.add_arguments(parser)
        return int(module.run(parser.read(rest)) or 0)
    except RemogptError as error:
        return _fail(name, str(error))
    except BrokenPipeError:
        # The reader closed our output (`| head`); without this Python would complain again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return _fail(name, _describe(error))
    except KeyboardInterrupt:
        print(f"remogpt {name}: interrupted; what was finished is kept", file=sys.stderr)
        return 130
    except SystemExit as finished:  # --help
        return int(finished.code or 0)


def _fail(name: str, message: str) -> int:
    print(f"remogpt {name}: error: {' '.join(message.split())}", file=sys.stderr)
    return 2


def _describe(error: OSError) -> str:
    """Describe a system error: what failed, where, and what to do."""
    what = (error.strerror or str(error)).lower()
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{what}; {_REMEDIES.get(error.errno or 0, 'check the path and try again')}"


if __name__ == "__main__":
    sys.exit(main())
