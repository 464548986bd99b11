"""`remogpt assemble`: how the model writes motions unless told otherwise."""

from pathlib import Path
from typing import Any

import pytest

import remogpt
from remogpt.runtime.files import read_json
from remogpt.runtime.folders.find_model import find_component


@pytest.fixture
def words(tiny_components, tmp_path: Path) -> tuple[object, ...]:
    components = (
        "--tokenizer",
        tiny_components.tokenizer,
        "--retriever",
        tiny_components.retriever,
        "--lm",
        tiny_components.lm,
    )
    return ("assemble", *components, "--name", "m", "--out", tmp_path / "model")


def test_what_is_not_given_is_not_named(run, words, tmp_path: Path) -> None:
    assert run(*words).code == 0
    assert read_json(tmp_path / "model" / "remogpt.json")["generation"] == {"best_of": 1, "top_p": 1.0}


def test_the_model_draws_as_it_was_assembled(run, words, tmp_path: Path) -> None:
    # With one code to draw from nothing is left to the seed, whatever the temperature.
    assert run(*words, "--top-k", 1, "--temperature", 0.7).code == 0
    generation = read_json(tmp_path / "model" / "remogpt.json")["generation"]
    assert generation == {"best_of": 1, "top_p": 1.0, "top_k": 1, "temperature": 0.7}
    model = remogpt.ReMoGPT.from_pretrained(tmp_path / "model")

    def codes(seed: int, **sampling: Any) -> list[int]:
        options = remogpt.GenerationOptions(examples="none", **sampling)
        (answer,) = model.generate("a person walks", seed=seed, seconds=2.0, options=options)
        return answer.codes.tolist()

    assert codes(0) == codes(1) == codes(2, temperature=0.0)
    assert codes(0, top_k=0) != codes(1, top_k=0)


def test_a_model_checks_its_candidates_if_it_was_assembled_so(run, words, tmp_path: Path) -> None:
    assert "--verify needs a reader of captions" in run(*words, "--verify").complaint
    reader = ("--reader", find_component(None, "reader"))
    for more, wanted in (((), None), (("--verify",), True)):
        assert run(*words, *reader, *more).code == 0
        assert read_json(tmp_path / "model" / "remogpt.json")["generation"].get("verify") is wanted


def test_several_readers_become_one(run, words, tmp_path: Path) -> None:
    folder = find_component(None, "reader")
    assert run(*words, "--reader", folder, folder).code == 0
    one, both = (remogpt.reader.CaptionReader.from_pretrained(path) for path in (folder, tmp_path / "model" / "reader"))
    assert len(both.writers) == 2 * len(one.writers)
    assert both.read(["a person waves"])[0].steps == one.read(["a person waves"])[0].steps
    assert f"no reader in {tmp_path}/none" in run(*words, "--reader", folder, tmp_path / "none").complaint


@pytest.mark.parametrize(
    ("option", "value", "complaint"),
    [
        ("--top-k", -1, "--top-k must be at least 1, or 0 to draw from all codes, got -1"),
        ("--temperature", -0.5, "--temperature must be at least 0, got -0.5"),
        ("--top-p", 0, "--best-of must be at least 1 and --top-p in (0, 1], got 1 and 0.0"),
    ],
)
def test_unusable_settings_are_refused(run, words, tmp_path: Path, option: str, value: object, complaint: str) -> None:
    assert complaint in run(*words, option, value).complaint
    assert not (tmp_path / "model").exists()
