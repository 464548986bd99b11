"""The argument parser of every command: a wrong option is one line that names it and the nearest right one."""

import difflib
import re
from collections.abc import Sequence
from typing import Any, NoReturn

from jsonargparse import ArgumentParser, DefaultHelpFormatter

from remogpt.runtime.errors import RemogptError

_TYPES = {
    "<class 'int'>": "whole number",
    "<class 'float'>": "number",
    "<class 'bool'>": "true or false",
    "<class 'str'>": "text",
}


class ExampleFormatter(DefaultHelpFormatter):
    """Keeps the line breaks of the examples in a command's description."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(indent + line for line in text.splitlines())


class CommandParser(ArgumentParser):
    """Raises a `RemogptError` of one line where argparse would print the usage and leave."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, formatter_class=ExampleFormatter, **kwargs)

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Say what is wrong, what was perhaps meant, and where the options are explained."""
        parser = getattr(ex, "subcommand_parser", None) or self
        program = parser.prog.replace(" [options]", "")
        raise RemogptError(f"{_plain(message, _names(parser))}; see '{program} --help'") from ex

    def _check_value(self, action: Any, value: Any, *args: Any) -> None:
        # argparse lists the choices but does not say which of them was nearly typed.
        if action.choices is not None and isinstance(value, str) and value not in action.choices:
            name = action.dest.replace("_", "-")
            self.error(f"no {name} {value!r}{_nearest(value, list(action.choices))}")
        super()._check_value(action, value, *args)


def _plain(message: str, known: Sequence[str]) -> str:
    """Turn the parser's message into one sentence in the user's words."""
    message = " ".join(message.split())
    if found := re.search(r"does not accept option '(?:config\.)?([^']+)'", message):
        return f"there is no setting {found[1]!r}{_nearest(found[1], known)}"
    if found := re.match(r"unrecognized arguments: (.+)", message, re.IGNORECASE):
        stray = found[1].split()[0]
        if stray.startswith("-"):
            return f"there is no option {stray!r}{_nearest(stray, known)}"
        return f"cannot use {found[1]!r}; words that belong together need quotes"
    if found := re.match(r"expected \"(\w+)\" to be one of {(.+)}, but it was not provided", message):
        return f"say which {found[1]}: {found[2].replace(',', ', ')}"
    if found := re.match(r".*?Unable to load config ['\"](.+?)['\"](.*)", message):
        why = " ".join(found[2].split("Unable to load config")[0].split(" - ")[1:2]) if "parsing" in found[2] else ""
        return f"cannot read the settings in {found[1]}: {why or 'there is no such YAML file'}"
    for name, plain in _TYPES.items():
        message = message.replace(f"Expected a {name}", f"wanted a {plain}")
    message = re.sub(r'Parser key "([\w.]+)": (?=\w)', lambda key: f"--{key[1].replace('_', '-')}: ", message)
    return message.replace(". Got value:", ", got").removesuffix(".")


def _nearest(name: str, known: Sequence[str]) -> str:
    """ ", did you mean ...?", or the whole choice where it is short, or nothing."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.7)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; choose from {', '.join(known)}" if len(known) < 10 else ""


def _names(parser: Any) -> list[str]:
    """Option strings of a parser, and settings without their leading `--config.`."""
    hidden = ("--help", "--print_shtab")
    options = [name for action in parser._actions for name in action.option_strings if name not in hidden]
    settings = [name.removeprefix("--config.") for name in options if name.startswith("--config.")]
    return [name for name in options if name.startswith("--")] + settings
