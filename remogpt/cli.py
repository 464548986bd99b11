"""Run the `remogpt` command: import the named command's module, run it, and print every error as one line.

Only the module of the named command is imported, so that `remogpt --help` is fast. Nothing leaves `main` as a
traceback but with `--debug`, and nothing is printed that a terminal would obey (`remogpt.runtime.text`).
"""

import os
import sys

try:
    import difflib
    import errno
    import keyword
    import traceback
    from collections.abc import Iterator, Sequence
    from contextlib import contextmanager
    from functools import cache
    from importlib import import_module
    from types import ModuleType
    from typing import TYPE_CHECKING, Any

    # Spinning threads do not help a small model, and slow it down fourfold if two processes share the cores.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
except KeyboardInterrupt:  # as quiet as one within `main`
    sys.exit(130)

if TYPE_CHECKING:
    from remogpt.commands.cli_parts.parser import CommandParser

_REMEDIES = {
    errno.EACCES: "you may not read or write there: change its permissions or choose another path",
    errno.EPERM: "you may not read or write there: change its permissions or choose another path",
    errno.EROFS: "choose a path that can be written to",
    errno.ENOSPC: "free some space and run the command again",
    errno.EMFILE: "allow more open files (ulimit -n) and run the command again",
    errno.EISDIR: "this is a folder: name a file",
    errno.ENOTDIR: "a folder of this path is a file: choose another path",
    errno.ENAMETOOLONG: "choose a shorter name",
}

_NO_SPACE = ("(os error 28)", " requested and ", "file write failed")
"""How safetensors, NumPy and torch say that a file could not be written to its end."""

COMMANDS = {
    "generate": "write a motion for a caption, or motions for a file of captions",
    "caption": "write captions for motion files",
    "convert": "write motion files for other programs: BVH, glTF, SMPL, films, pages",
    "search": "find motions in a database by words or by a motion",
    "encode": "embed captions, motions or a whole set in the retriever's space",
    "similarity": "measure how well captions and motions match",
    "db": "build, change, check and share retrieval databases; find the examples that training reads",
    "data": "make the procedural set, import recordings, check a set",
    "needs": "say what training and evaluation need from elsewhere, and what of it is missing",
    "train": "train a tokenizer, a retriever, a language model or what belongs to them",
    "import": "turn released weights (TMR, T2M-GPT, MotionGPT, Guo et al.'s evaluator) into components",
    "verify": "check that a model, database, set, run or folder of results is whole",
    "assemble": "put trained components together into one model folder",
    "eval": "measure a model, or anybody's motions and captions; compare evaluations",
    "demo": "make a page of generated motions and captions",
    "serve": "serve a page to play with and an HTTP API",
}

RUN_NETWORKS = frozenset(COMMANDS) - {"convert", "import", "verify", "assemble"}
"""Commands that take --device."""

USAGE = """usage: remogpt COMMAND [options]

Text to motion and motion to text, with retrieved examples.

commands:
{commands}

  remogpt COMMAND --help     options of a command and a working example
  remogpt --version

options of every command:
  --debug                    show where in the program an error arose
  --device NAME              where networks run: cpu, cuda, cuda:1, ...; default: a GPU if there is one (not of convert,
                             import, verify and assemble, which run none)
  --encoding NAME            read text files (captions, splits, tables) as latin-1, utf-16, ...; default: UTF-8

first steps:
  remogpt generate "a person waves with the right hand" --out wave.bvh
  remogpt caption wave.bvh
"""


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 some items failed, 2 unusable input, 130 interrupted."""
    argv = sys.argv[1:] if argv is None else argv
    is_debugged = "--debug" in argv
    words = [word for word in argv if word != "--debug"]
    try:
        with _printable_streams():
            try:
                code = _main(words)
                sys.stdout.flush()  # a closed pipe and a full disk are met here, not at exit
                return code
            except BrokenPipeError:
                _drop_unwritten()
                return 0
            except (Exception, KeyboardInterrupt) as error:
                if is_debugged:
                    traceback.print_exception(error, file=sys.stderr)
                code = _tell(words[0] if words and words[0] in COMMANDS else "", error)
                if isinstance(error, OSError):
                    _drop_unwritten()
                return code
    except KeyboardInterrupt:  # a second one, or one before the first line
        return 130


def _main(argv: list[str]) -> int:
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


@cache
def command_parser(name: str) -> "CommandParser":
    """Return a command's parser, which takes up to half a second to build."""
    from remogpt.commands.cli_parts.parser import CommandParser

    module = command_module(name)
    parser = CommandParser(prog=f"remogpt {name}", description=(module.__doc__ or "").strip())
    module.add_arguments(parser)
    return parser


def _run(name: str, rest: list[str]) -> int:
    from remogpt.runtime.device import on_device
    from remogpt.runtime.text import reading_as

    words, encoding = _without_option(_as_text(rest), "--encoding", "a name, such as latin-1, cp1252 or utf-16")
    device: str | None = None
    if name in RUN_NETWORKS:
        words, device = _without_option(words, "--device", "a name, such as cpu, cuda or cuda:1")
    try:
        parser = command_parser(name)
        with reading_as(encoding or "utf-8"), on_device(device):
            return int(command_module(name).run(parser.read(words)) or 0)
    except SystemExit as finished:  # --help
        return int(finished.code or 0)


def _as_text(words: Sequence[str]) -> list[str]:
    """Refuse an argument whose bytes are no UTF-8; Python hands them on as lone surrogates."""
    from remogpt.runtime.errors import RemogptError

    for number, word in enumerate(words, start=2):
        try:
            word.encode("utf-8")
        except UnicodeEncodeError:
            raise RemogptError(
                f"argument {number} holds bytes that are not UTF-8: {os.fsencode(word)!r}; set the terminal to UTF-8, "
                "or write the caption into a file and name its --encoding (rename files with such names)"
            ) from None
    return list(words)


def _without_option(words: list[str], option: str, wants: str) -> tuple[list[str], str | None]:
    """Take an option and its value out of a command line; None where it is not there."""
    from remogpt.runtime.errors import RemogptError

    kept, rest = [], iter(words)
    value: str | None = None
    for word in rest:
        if word == option or word.startswith(f"{option}="):
            value = next(rest, "") if word == option else word.removeprefix(f"{option}=")
            if not value:
                raise RemogptError(f"{option} wants {wants}")
        else:
            kept.append(word)
    return kept, value


def _tell(name: str, error: BaseException) -> int:
    """Print an error as one line and return the exit code."""
    from remogpt.runtime.errors import RemogptError

    # Libraries turn an interrupt into errors of their own while they are imported.
    if isinstance(error, KeyboardInterrupt) or any(isinstance(one, KeyboardInterrupt) for one in _causes(error)):
        print(f"{_program(name)}: interrupted; what was finished is kept", file=sys.stderr)
        return 130
    if isinstance(error, RemogptError):
        return _fail(name, str(error))
    if isinstance(error, MemoryError) or "out of memory" in str(error).lower():
        return _fail(name, f"the memory is not enough ({_short(error)}); use smaller batches or fewer items at once")
    if any(words in str(error) for words in _NO_SPACE):
        return _fail(name, f"no space left on device; {_REMEDIES[errno.ENOSPC]} ({_short(error)})")
    if isinstance(error, OSError):
        return _fail(name, _describe(error))
    if isinstance(error, RecursionError):
        return _fail(name, "the input is nested too deeply; give a plain file")
    return _fail(
        name,
        f"{_short(error)}; no part of the program expected this of its input: --debug shows where it arose, please "
        "report that with the input",
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    found = error.__cause__ or error.__context__
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        found = found.__cause__ or found.__context__


def _short(error: BaseException) -> str:
    words = " ".join(str(error).split())
    return f"{type(error).__name__}: {words[:300]}" if words else type(error).__name__


def _drop_unwritten() -> None:
    """Let go of output that cannot be written; Python would try again at exit, and complain."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


@contextmanager
def _printable_streams() -> Iterator[None]:
    """Let both standard streams show what a terminal would obey (escape sequences in captions and file names)."""
    from remogpt.runtime.text import PrintableStream

    before = sys.stdout, sys.stderr
    streams: Any = tuple(PrintableStream(stream) for stream in before)
    sys.stdout, sys.stderr = streams
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def _fail(name: str, message: str) -> int:
    print(f"{_program(name)}: error: {' '.join(message.split())}", file=sys.stderr)
    return 2


def _program(name: str) -> str:
    return f"remogpt {name}".rstrip()


def _describe(error: OSError) -> str:
    """Describe a system error: what failed, where, and what to do."""
    what = (error.strerror or str(error)).lower()
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{what}; {_REMEDIES.get(error.errno or 0, 'check the path and try again')}"


if __name__ == "__main__":
    sys.exit(main())
