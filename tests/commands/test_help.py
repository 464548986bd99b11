"""What --help shows of the options, settings and subcommands of every command."""

import re

import pytest

from remogpt.cli import COMMANDS, main

NESTED = ["db", "data", "train", "import", "eval"]


def shown(words: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main([*words.split(), "--help"]) == 0
    return " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_no_option_shows_the_parser_s_own_words(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert not re.search(r"default: null|type: |<function", shown(command, capsys))


@pytest.mark.parametrize("command", NESTED)
def test_each_subcommand_is_told_in_a_sentence(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    choices = capsys.readouterr().out.split("Available subcommands:")[1]
    entries = re.split(r"\n {4}(?=\S)", choices)[1:]
    assert len(entries) > 3 and all(re.match(r"\w+\s+[A-Z]\S+ .*\.$", entry.strip(), re.DOTALL) for entry in entries)


def test_an_option_shows_its_help_and_a_default_that_says_something(capsys: pytest.CaptureFixture[str]) -> None:
    shows = shown("generate", capsys)
    assert shows.startswith("usage: remogpt generate [options] [text] ")
    assert "--num-samples NUM_SAMPLES motions for each caption (default: 1)" in shows
    assert "--seed SEED same seed, same motion (default: 0)" in shows
    assert "--file FILE text file with one caption a line --out" in shows, "no default where none says anything"
    assert "usage: remogpt data import folder [options] --captions CAPTIONS --out OUT path" in shown(
        "data import folder", capsys
    )


def test_settings_are_shown_with_the_docstring_under_them(capsys: pytest.CaptureFixture[str]) -> None:
    shows = shown("train tokenizer", capsys)
    assert "--config.num_codes NUM_CODES Codebook size K. (default: 512)" in shows
    assert "--config.loop.steps STEPS Optimizer steps. (default: 1000)" in shows
