"""Every command that this project tells a person to run is one that its parser takes."""

import re
import shlex
from pathlib import Path

import pytest

from remogpt.cli import COMMANDS, command_module, command_parser, main

ROOT = Path(__file__).resolve().parents[1]
STAGES = ("tokenizer", "pl_tmr", "tmr", "motion_patches", "lm_pretrain", "lm_instruct", "copy")
SHELL = {
    "mini.sh": {
        "$precision": "",
        '"${parts[@]}"': "--retriever r --tokenizer t",
        '"$work': '"runs/mini',
        "$split": "train",
    },
    "humanml3d.sh": {
        **dict.fromkeys((f"$(tiny {stage})" for stage in STAGES), ""),
        '"$settings"': "humanml3d/lm_instruct",
        '"$task" "${words[@]}"': "generation --data d --out o",
        '"${evaluation[@]}"': "--config evaluation/paper",
        '"$@"': "",
    },
    "kit.sh": {
        **dict.fromkeys((f"$(tiny {stage})" for stage in STAGES), ""),
        '"$settings"': "kit/tmr",
        '"${assembled[@]}"': "--retriever r --tokenizer t --lm l --database d",
        "eval $task": "eval generation",
        '"${evaluation[@]}"': "--config evaluation/paper --data d",
        '"$@"': "",
    },
    "motionx.sh": {
        **dict.fromkeys((f"$(tiny {stage})" for stage in STAGES), ""),
        "eval $task": "eval generation",
        '"${evaluation[@]}"': "--config evaluation/paper",
        '"${lists[@]}"': "",
    },
    "evaluator.sh": {
        '"$work': '"runs/evaluator',
        '"$data': '"runs/evaluator/set',
    },
    "real_mocap.sh": {
        '"${parts[@]}"': "--retriever r --tokenizer t",
        '"$work': '"runs/real_mocap',
        '"$set': '"runs/real_mocap/set',
        '"$labels"': "content,style",
        "$split": "train",
    },
}
"""What the scripts put for their variables."""


def command_lines(file: Path) -> list[str]:
    """Lines that begin with `remogpt` and a word, in text, comments and docstrings; continued lines joined."""
    text = re.sub(r"\\+\n\s*#?\s*", " ", file.read_text(encoding="utf-8"))
    lines = re.findall(r"^[ #]*(remogpt [a-z].*)$", text, re.MULTILINE)
    lines += [code for code in re.findall(r"`(remogpt [a-z][^`\n]*)`", text) if file.suffix == ".md"]
    is_prose = file.suffix == ".py"
    return [line for line in lines if not is_prose or line.split()[1] in COMMANDS]


def sources() -> list[Path]:
    folders = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "scripts").glob("*.sh")]
    return sorted([*folders, *(ROOT / "remogpt").rglob("*.py"), *(ROOT / "remogpt").rglob("*.yaml")])


FOUND = [(path.relative_to(ROOT), line) for path in sources() for line in command_lines(path)]


def test_commands_are_found() -> None:
    where = {path.as_posix() for path, _ in FOUND}
    modules = {f"{command_module(name).__name__.replace('.', '/')}.py" for name in COMMANDS}
    expected = {"README.md", *(f"scripts/{name}" for name in SHELL), "remogpt/cli.py", *modules}
    assert expected <= where and len(FOUND) > 40


@pytest.mark.parametrize(("path", "line"), FOUND, ids=lambda value: str(value)[:60])
def test_the_parser_takes_it(path: Path, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for name, value in SHELL.get(path.name, {}).items():
        line = line.replace(name, value)
    line = re.sub(r"\s(#|&$|2?>).*", "", line)
    _, name, *words = shlex.split(line)
    assert name in COMMANDS, f"{path}: {line}: no command {name}"
    if "--help" not in words:
        command_parser(name).read(words)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_shows_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    shown = capsys.readouterr().out
    assert f"\n  remogpt {name} " in shown, "the example's line breaks are kept"


def test_help_of_all_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"  {name} " in shown for name in COMMANDS)
    assert main(["--version"]) == 0 and capsys.readouterr().out.startswith("remogpt 0.")
    assert main([]) == 2 and main(["generte"]) == 2
    assert "did you mean 'generate'?" in capsys.readouterr().err
