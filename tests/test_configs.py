"""Every shipped settings file fits its dataclass, and the files of one model fit each other."""

import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from remogpt.cli import command_parser
from remogpt.commands import train

CONFIGS = Path(train.__file__).resolve().parents[1] / "configs"
EVALUATIONS = sorted((CONFIGS / "evaluation").glob("*.yaml"))
FILES = [path for path in sorted(CONFIGS.rglob("*.yaml")) if path not in EVALUATIONS]
INPUTS = {"reader": (), "lm": ("data", "tokenizer"), "copy": ("tokenizer", "database", "queries", "neighbours")}
"""Options that a stage asks for, where they are not --data alone."""


def settings_of(path: Path) -> Any:
    """Read a file as `remogpt train` does; the command at its head names the stage."""
    stage = re.findall(r"^# +remogpt train (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)[0]
    given = [word for name in INPUTS.get(stage, ("data",)) for word in (f"--{name}", name)]
    return command_parser("train").read([stage, "--config", str(path), "--out", "out", *given])[stage].config


def leaves(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Flatten nested settings to dotted names."""
    found: dict[str, Any] = {}
    for name, value in settings.items():
        found |= leaves(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return found


def test_files_are_there() -> None:
    names = {path.relative_to(CONFIGS).as_posix() for path in FILES}
    stages = ("tokenizer", "retriever", "lm_pretrain", "lm_instruct")
    assert {f"{model}/{stage}.yaml" for model in ("mini", "humanml3d") for stage in stages} <= names
    assert {"humanml3d/tmr.yaml", "evaluator/procedural.yaml"} <= names


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(CONFIGS).as_posix())
def test_what_is_written_is_what_is_used(path: Path) -> None:
    written = leaves(yaml.safe_load(path.read_text(encoding="utf-8")))
    used = leaves(asdict(settings_of(path)))
    for name, value in written.items():
        came = list(used[name]) if isinstance(used[name], tuple) else used[name]
        wanted = type(came)(value) if isinstance(came, float) else value
        assert came == wanted, name
        assert not (isinstance(value, str) and isinstance(came, float)), (
            f"{name}: {value} is text to other YAML readers"
        )


@pytest.mark.parametrize("path", EVALUATIONS, ids=lambda path: path.stem)
def test_evaluations_are_what_is_written(path: Path) -> None:
    read = (
        command_parser("eval")
        .read(["generation", "--config", str(path), "--data", "data", "--out", "out"])
        .generation.config
    )
    for name, value in yaml.safe_load(path.read_text(encoding="utf-8")).items():
        came = getattr(read, name)
        assert (list(came) if isinstance(came, tuple) else came) == value, name


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(CONFIGS).as_posix())
def test_a_file_says_how_it_is_used(path: Path) -> None:
    comments = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    (command,) = [line for line in comments if "remogpt train " in line]
    assert f"--config {path.relative_to(CONFIGS).with_suffix('').as_posix()} " in command


def test_the_rows_of_table_6_differ_in_their_examples_alone() -> None:
    main = asdict(settings_of(CONFIGS / "humanml3d" / "lm_instruct.yaml"))
    shown = {}
    for path in sorted((CONFIGS / "humanml3d" / "table6").glob("*.yaml")):
        row = settings_of(path)
        shown[path.stem] = (row.mix.routes_of("text_to_motion"), row.mix.routes_of("motion_to_text"), row.mix.k)
        mix = {**asdict(row.mix), "examples": main["mix"]["examples"], "routes": main["mix"]["routes"]}
        assert {**asdict(row), "mix": mix} == main, path
    both = (["t2m", "t2t"], ["m2t", "m2m"])
    assert shown.pop("none")[2] == 0
    assert shown.pop("both_2") == (*both, 2)
    assert shown == {
        f"{row}{suffix}": (routes[:1], routes[1:], k)
        for row, routes in (("t2m_m2t", ["t2m", "m2t"]), ("t2t_m2m", ["t2t", "m2m"]))
        for suffix, k in (("", 1), ("_2", 2))
    }


@pytest.mark.parametrize("model", ["mini", "humanml3d"])
def test_the_language_model_has_the_tokenizers_codes(model: str) -> None:
    tokenizer, pretrain, instruct = (
        settings_of(CONFIGS / model / f"{name}.yaml") for name in ("tokenizer", "lm_pretrain", "lm_instruct")
    )
    assert tokenizer.num_codes == pretrain.num_codes == instruct.num_codes
    assert (pretrain.stage, instruct.stage) == ("pretrain", "instruct")
