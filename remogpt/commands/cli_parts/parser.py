"""Parse the arguments of every command; an error is one line with the nearest valid option."""

import difflib
import math
import re
import textwrap
from argparse import SUPPRESS, Action
from collections.abc import Generator, Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from jsonargparse import ActionConfigFile, ArgumentParser, DefaultHelpFormatter, set_parsing_settings

from remogpt.commands.cli_parts.settings_files import with_settings_files
from remogpt.runtime.errors import RemogptError

_TYPES = {
    "<class 'int'>": "a whole number",
    "<class 'float'>": "a number",
    "<class 'bool'>": "true or false",
    "<class 'str'>": "text",
}


_WIDTH = 120
"""Longest line of a description."""

set_parsing_settings(docstring_parse_attribute_docstrings=True)  # so that --help shows the docstring of each setting


class PlainFormatter(DefaultHelpFormatter):
    """Shows of an option what a person needs: its help, and its default where that says something."""

    def __init__(self, prog: str, **kwargs: Any) -> None:
        super().__init__(f"{prog.replace(' [options]', '')} [options]", **kwargs)

    def add_usage(self, usage: str | None, actions: Iterable[Action], *args: Any, **kwargs: Any) -> None:
        """Name in the usage only what has to be given; all options are listed below it."""
        super().add_usage(usage, [one for one in actions if one.required or not one.option_strings], *args, **kwargs)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        # Line breaks of the examples are kept.
        lines = [textwrap.fill(line, _WIDTH) if len(line) > _WIDTH else line for line in text.splitlines()]
        return "\n".join(indent + line for line in lines)

    def _get_help_string(self, action: Action) -> str:
        text, default = action.help or "", action.default
        if not action.option_strings or isinstance(action, ActionConfigFile):
            return text
        if action.required:
            return f"{text} (required)"
        says_nothing = default is None or default is False or default in ("", (), [], math.inf, SUPPRESS)
        return text if says_nothing or "default:" in text else f"{text} (default: %(default)s)"

    def _iter_indented_subactions(self, action: Action) -> Generator[Action, None, None]:
        # Each subcommand is told by the first sentence of its own help.
        parsers = getattr(action, "_name_parser_map", {})
        for subaction in super()._iter_indented_subactions(action):
            if subaction.dest in parsers:
                subaction.help = re.split(r"(?<=\.)\s", parsers[subaction.dest].description or "")[0]
            yield subaction


class CommandParser(ArgumentParser):
    """Raises a one-line `RemogptError` where argparse would print the usage and exit."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, formatter_class=PlainFormatter, **kwargs)

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Raise an error with a suggestion and a pointer to --help."""
        parser = getattr(ex, "subcommand_parser", None) or self
        if found := re.search(r"arguments are required: (.+)", message):
            parser, plain = _missing(parser, found[1].split(", "))
        else:
            plain = _plain(message, _names(parser))
        program = parser.prog.replace(" [options]", "")
        see = " See" if plain.endswith("?") else "; see"
        raise RemogptError(f"{plain}{see} '{program} --help'") from ex

    def read(self, words: Sequence[str]) -> Any:
        """Parse a command line and build its settings."""
        try:
            return self.instantiate(self.parse_args(with_settings_files(words)))
        except TypeError as error:  # a single value in place of a group of settings
            self.error("a setting that should hold further settings ('name: value', indented) holds one value", error)
        except UnicodeDecodeError as error:
            self.error(f"a settings file is not UTF-8 text ({error})", error)

    def _check_value(self, action: Any, value: Any, *args: Any) -> None:
        # argparse lists the choices without suggesting the nearest.
        if action.choices is not None and isinstance(value, str) and value not in action.choices:
            name = action.dest.replace("_", "-")
            self.error(f"no {name} {value!r}{_nearest(value, list(action.choices))}")
        super()._check_value(action, value, *args)


def _missing(parser: Any, names: Sequence[str]) -> tuple[Any, str]:
    """Return the parser of a subcommand that wants more arguments, named `subcommand.argument`, and what it wants."""
    *subcommands, _ = names[0].split(".")
    for name in subcommands:
        parser = parser._subcommands_action._name_parser_map[name]
    wanted = {action.dest: action.option_strings[-1:] or [action.dest.upper()] for action in parser._actions}
    told = [wanted[name.split(".")[-1]][0] for name in names]
    if len(told) == 1:
        return parser, f"{told[0]} is missing"
    return parser, f"{', '.join(told[:-1])} and {told[-1]} are missing"


def _plain(message: str, known: Sequence[str]) -> str:
    """Turn the parser's message into one sentence for users."""
    message = " ".join(message.split())
    if found := re.search(r"does not accept option '(?:config\.)?([^']+)'", message):
        return f"there is no setting {found[1]!r}{_nearest(found[1], known)}"
    if found := re.match(r"unrecognized arguments: (.+)", message, re.IGNORECASE):
        stray = found[1].split()[0]
        if stray.startswith("-"):
            return f"there is no option {stray!r}{_nearest(stray, known)}"
        return f"cannot use {found[1]!r}; words that belong together need quotes"
    if found := re.match(r"expected \"(?:\w+\.)*(\w+)\" to be one of {(.+)}, but it was not provided", message):
        return f"say which {found[1]}: {found[2].replace(',', ', ')}"
    if found := re.match(r".*?Unable to load config ['\"](.+?)['\"](?: - (.*))?", message):
        return f"{found[1]}: {_settings_file(Path(found[1]), found[2] or '')}"
    return _value(message)


def _settings_file(path: Path, why: str) -> str:
    """Explain why a settings file cannot be used."""
    if not path.is_file():
        return "this is a folder; name a YAML file" if path.is_dir() else "there is no such file; name a YAML file"
    if "Unable to load config" in why or not why:
        return "wanted settings, one a line as 'name: value', found none; see the files in remogpt/configs"
    return _value(why) if why.startswith("Parser key") else f"this is not YAML ({why})"


def _value(message: str) -> str:
    """Explain what was expected for a value and what came."""
    for name, plain in _TYPES.items():
        message = message.replace(f"Expected a {name}", f"wanted {plain}")
    message = message.replace("Expected a tuple", "wanted a tuple")
    message = re.sub(r"Expected a typing.Literal\[(.*?)\]", r"wanted one of \1", message)
    message = re.sub(r'Parser key "config\.([\w.]+)": ', r"\1: ", message)
    message = re.sub(r'Parser key "([\w.]+)": ', lambda key: f"--{key[1].replace('_', '-')}: ", message)
    return message.replace(". Got value:", ", got").removesuffix(".")


def _nearest(name: str, known: Sequence[str]) -> str:
    """ ", did you mean ...?", or the whole choice where it is short, or nothing."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.7)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; choose from {', '.join(known)}" if len(known) < 10 else ""


def _names(parser: Any) -> list[str]:
    """Return the option strings of a parser, and settings without their leading `--config.`."""
    hidden = ("--help", "--print_shtab")
    options = [name for action in parser._actions for name in action.option_strings if name not in hidden]
    settings = [name.removeprefix("--config.") for name in options if name.startswith("--config.")]
    return [name for name in options if name.startswith("--")] + settings
