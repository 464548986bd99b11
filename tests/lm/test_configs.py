"""The shipped configurations of the language model parse, field by field."""

from pathlib import Path

import pytest
from jsonargparse import ArgumentParser

import remogpt
from remogpt.lm.training.train import LanguageModelConfig

CONFIGS = sorted((Path(remogpt.__file__).parent / "configs").glob("*/lm*.yaml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_parses(path: Path) -> None:
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--config", type=LanguageModelConfig)
    config = parser.instantiate_classes(parser.parse_args([f"--config={path}"])).config
    assert path.stem in (f"lm_{config.stage}", "lm") and config.budget >= 256


def test_there_are_two_stages_for_each_set_but_one_for_what_goes_on_from_mini() -> None:
    stages = {path.parent.name: set[str]() for path in CONFIGS}
    for path in CONFIGS:
        stages[path.parent.name].add(path.stem)
    assert stages.pop("real_mocap") == {"lm"} and stages
    assert all(names == {"lm_pretrain", "lm_instruct"} for names in stages.values())
