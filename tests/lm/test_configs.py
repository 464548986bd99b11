"""The shipped configurations of the language model parse, field by field."""

from pathlib import Path

import pytest
from jsonargparse import ArgumentParser

import remogpt
from remogpt.lm.training.train import LanguageModelConfig

CONFIGS = sorted((Path(remogpt.__file__).parent / "configs").glob("*/lm_*.yaml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_parses(path: Path) -> None:
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--config", type=LanguageModelConfig)
    config = parser.instantiate_classes(parser.parse_args([f"--config={path}"])).config
    assert path.stem == f"lm_{config.stage}" and config.budget >= 256


def test_there_are_two_stages_for_each_set() -> None:
    assert {path.stem for path in CONFIGS} == {"lm_pretrain", "lm_instruct"}
    assert len(CONFIGS) == 2 * len({path.parent for path in CONFIGS})
