"""Evaluating by one Python function gives the numbers of the command line. What the numbers are is in `tests/eval`."""

from pathlib import Path
from typing import Any

import pytest
import torch

import remogpt
from remogpt import stages
from remogpt.data.humanml3d import MotionTextSet
from remogpt.eval.runs.config import EvalConfig
from remogpt.retriever import MotionDatabase, TextMotionRetriever
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_json, write_json
from remogpt.stages.evaluators import open_evaluator, why_dependent
from remogpt.stages.inputs import open_retriever

pytestmark = pytest.mark.usefixtures("no_plots")

SMALL = EvalConfig(splits=("train",), allow_overlap=True, num_tokenizer=2, num_generation=2, num_captioning=2,
                   best_of=(1,), repeats=1, controls=False, memorisation=False)  # fmt: skip


def test_paths_objects_and_the_command_line_give_one_report(
    run: Any, tiny_set: Path, tiny_model: Path, tiny_text_model: Path, tmp_path: Path
) -> None:
    told: list[str] = []
    by_path = stages.evaluate(
        tiny_model, tiny_set, out=tmp_path / "paths", evaluator=tiny_model, sentence_model=str(tiny_text_model),
        config=SMALL, warn=told.append,
    )  # fmt: skip
    assert len(told) == 1 and told[0].startswith("the evaluator is the model's own retriever")
    model = remogpt.ReMoGPT.from_pretrained(tiny_model, device="cpu")
    by_object = stages.evaluate(
        model, MotionTextSet.open(tiny_set), out=tmp_path / "objects", evaluator=open_evaluator(tiny_model),
        sentence_model=str(tiny_text_model), config=SMALL, warn=told.append,
    )  # fmt: skip
    words = ("--data", tiny_set, "--model", tiny_model, "--evaluator", tiny_model, "--sentence-model", tiny_text_model)
    config = ("--allow-overlap", "--config.splits", "[train]", "--config.num_tokenizer", 2,
              "--config.num_generation", 2, "--config.num_captioning", 2, "--config.best_of", "[1]",
              "--config.repeats", 1,
              "--config.controls", "false", "--config.memorisation", "false")  # fmt: skip
    assert run("eval", "all", *words, "--out", tmp_path / "command", *config).code == 0
    assert by_path == by_object == read_json(tmp_path / "command" / "results.json")
    assert {"tokenizer/train", "rare/train/retrieval"} <= by_path["results"].keys() and len(told) == 2


def test_one_task_and_a_database_that_is_open(
    tiny_set: Path, tiny_model: Path, tiny_components: Any, tmp_path: Path
) -> None:
    database = MotionDatabase.open(tiny_components.database)
    report = stages.evaluate(tiny_model, tiny_set, out=tmp_path / "a", tasks="facts", database=database, config=SMALL)
    assert set(report["results"]) == {"facts/train/retrieval", "facts/train/no_retrieval"}
    assert report["results"]["facts/train/retrieval"]["card"]["database_sha256"] == database.hash
    swapped = stages.evaluate(tiny_model, tiny_set, out=tmp_path / "b", tasks=("swap",), evaluator=tiny_model,
                              databases=[database], config=SMALL, warn=lambda _: None)  # fmt: skip
    assert set(swapped["results"]) == {f"swap/train/{name}" for name in ("own", "none", "database")}


def test_captions_with_references_of_their_own(tmp_path: Path) -> None:
    write_json(tmp_path / "mine.json", [{"caption": "a man walks", "references": ["a man walks", "he walks"]}])
    report = stages.evaluate(None, None, out=tmp_path, captions=tmp_path / "mine.json")
    assert report["results"]["captioning/all/files"]["scores"]["num_items"] == 1
    assert (tmp_path / "report.md").is_file()


@pytest.mark.parametrize("device", ["cuda", "cpu"])
def test_a_retriever_alone_goes_to_a_gpu_that_is_there(monkeypatch: pytest.MonkeyPatch, device: str) -> None:
    asked: list[tuple[object, ...]] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: device == "cuda")
    monkeypatch.setattr(TextMotionRetriever, "from_pretrained", lambda *given: asked.append(given))
    open_retriever("runs/retriever")
    assert asked == [("runs/retriever", torch.device(device))]


def test_an_open_evaluator_is_known_by_its_hash_alone(
    tiny_model: Path, make_tiny_components: Any, tmp_path: Path
) -> None:
    other = make_tiny_components(tmp_path, 7).retriever
    model = remogpt.ReMoGPT.from_pretrained(tiny_model, device="cpu")
    assert why_dependent(open_evaluator(other), model) is None
    assert why_dependent(open_evaluator(tiny_model), model) == why_dependent(tiny_model, model) is not None


def test_arguments_that_exclude_each_other(
    tiny_set: Path, tiny_model: Path, tiny_components: Any, tmp_path: Path
) -> None:
    alone = {"tokenizer": tiny_components.tokenizer}
    for model, data, named, message in (
        (
            tiny_model,
            tiny_set,
            {"motions": tmp_path},
            "--motions is scored instead of a model's answers; leave",
        ),
        (None, tiny_set, {"captions": "c", "motions": "m"}, "leave --captions out"),
        (None, tiny_set, {**alone, "database": "d"}, "--tokenizer is scored instead .* leave --database out"),
        (None, tiny_set, {"retriever": "r"}, "--retriever can be scored in retrieval, generation, facts, not in all"),
        (None, tiny_set, {"evaluator_variant": "packed"}, "name its folder with --evaluator"),
        (None, None, {}, "give a set with --data, or captions"),
        (None, None, {"captions": "c", "evaluator": tiny_model}, "name the set with --data"),
        (None, tiny_set, {**alone, "tasks": "facts"}, "--tokenizer can be scored in tokenizer, not in facts"),
    ):
        with pytest.raises(RemogptError, match=message):
            stages.evaluate(model, data, out=tmp_path / "out", **named)
    assert not (tmp_path / "out").exists()
