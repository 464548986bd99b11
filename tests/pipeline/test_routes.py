"""Routes and k of the retrieved examples: whoever is told of them follows them, from training to evaluation."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from remogpt.lm import MotionLanguageModel
from remogpt.motion import Motion
from remogpt.options import GenerationOptions
from remogpt.pipeline import ReMoGPT
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_json

TEXT = "a person waves with the left hand"
# What a prompt shows, in its order, for each row of the paper's Table 6 that retrieves.
ROWS: list[tuple[list[str] | None, int | None, list[str]]] = [
    (None, None, ["t2m", "t2t"]),
    (["t2m"], None, ["t2m"]),
    (["t2t"], 1, ["t2t"]),
    (["t2t"], 2, ["t2t", "t2t"]),
    (["t2t", "t2m"], 1, ["t2t", "t2m"]),
    (["t2m", "t2t"], 2, ["t2m", "t2m", "t2t", "t2t"]),
]
OF_MOTIONS = {"t2m": "m2t", "t2t": "m2m"}


def expected(model: ReMoGPT, query: dict[str, Any], order: list[str]) -> list[tuple[str, str]]:
    """Search each route for itself, and pass over what an earlier one has found."""
    found: list[tuple[str, str]] = []
    for route in order:
        taken = {name for _, name in found}
        hits = model.database().search(**query, route=route, k=10)
        found.append((route, next(hit.id for hit in hits if hit.id not in taken)))
    return found


@pytest.mark.parametrize(("routes", "k", "order"), ROWS)
def test_prompts_show_what_the_routes_find(
    model: ReMoGPT, motion: Motion, routes: Any, k: int | None, order: list[str]
) -> None:
    options = GenerationOptions(examples="show", routes=routes, k=k)
    (answer,) = model.generate(TEXT, seed=0, seconds=1.0, options=options)
    wanted = expected(model, {"text": TEXT}, order)
    assert [(one.route, one.id) for one in answer.examples] == wanted
    lines = [line for line in answer.prompt.text().splitlines() if line.startswith("Text:")]
    assert lines == [f"Text: {one.caption}" for one in answer.examples]
    assert [[one.id for one in row] for row in model.examples_for_texts([TEXT], options=options)] == [
        [name for _, name in wanted]
    ]
    of_motion = [OF_MOTIONS[route] for route in order]
    options = replace(options, routes=None if routes is None else [OF_MOTIONS[route] for route in routes])
    captioned = model.caption(motion, options=options)
    wanted = expected(model, {"motion": motion}, of_motion)
    assert [(one.route, one.id) for one in captioned.examples] == wanted
    (found,) = model.examples_for_motions([motion.features], options=options)
    assert [(one.route, one.id) for one in found] == wanted


def test_an_example_that_the_prompt_has_no_room_for_is_not_told_as_used(model: ReMoGPT) -> None:
    (answer,) = model.generate(TEXT, seed=0, seconds=1.0, options=GenerationOptions(examples="show", k=6))
    assert len(answer.examples) > answer.prompt.num_examples > 2, "the test needs more examples than fit"
    assert sum(one.used for one in answer.examples) == answer.prompt.num_examples


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"routes": ["t2x"]}, "routes must be some of t2m, t2t, m2t, m2m, each once, got t2x"),
        ({"routes": ["t2m", "t2m"]}, "each once"),
        ({"routes": []}, "got none"),
        ({"routes": "t2m"}, "routes must be a list"),
        ({"k": 0}, "k must be at least 1, got 0"),
        ({"examples": "none", "k": 2}, "retrieves nothing"),
        ({"examples": "none", "routes": ["t2m"]}, "retrieves nothing"),
    ],
)
def test_what_would_have_no_effect_is_refused(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(RemogptError, match=words):
        GenerationOptions(**wrong)


def test_routes_of_the_other_kind_are_refused(model: ReMoGPT, motion: Motion) -> None:
    with pytest.raises(RemogptError, match="a caption's examples are retrieved by t2m or t2t, but the routes are m2t"):
        model.generate(TEXT, options=GenerationOptions(routes=["m2t"]))
    with pytest.raises(RemogptError, match="a motion's examples are retrieved by m2t or m2m, but the routes are t2m"):
        model.caption(motion, options=GenerationOptions(routes=["t2m"]))


def test_a_model_answers_by_the_routes_it_was_trained_with(
    run: Any, tiny_components: Any, tmp_path: Path, motion: Motion
) -> None:
    """Those of its language model; those of its `remogpt.json` go before, and the call's before these."""
    trained = MotionLanguageModel.from_pretrained(tiny_components.lm)
    trained.examples = {"routes": ["t2t", "m2m"], "k": 2}
    trained.save_pretrained(tmp_path / "lm")
    assert MotionLanguageModel.from_pretrained(tmp_path / "lm").examples == trained.examples
    words = ("assemble", "--tokenizer", tiny_components.tokenizer, "--retriever", tiny_components.retriever, "--lm",
             tmp_path / "lm", "--database", tiny_components.database, "--name", "m")  # fmt: skip
    assert run(*words, "--out", tmp_path / "own").code == 0
    assert run(*words, "--out", tmp_path / "told", "--routes", "t2m,m2t", "--k", 1).code == 0
    assert read_json(tmp_path / "told" / "remogpt.json")["generation"]["routes"] == ["t2m", "m2t"]
    for name, of_text, of_motion in (("own", ["t2t"] * 2, ["m2m"] * 2), ("told", ["t2m"], ["m2t"])):
        model = ReMoGPT(tmp_path / name, "cpu")
        (answer,) = model.generate(TEXT, seed=0, seconds=1.0)
        assert [one.route for one in answer.examples] == of_text
        assert [one.route for one in model.caption(motion).examples] == of_motion
        assert [one.route for one in model.examples_for_texts([TEXT])[0]] == of_text
        (other,) = model.generate(TEXT, seed=0, seconds=1.0, options=GenerationOptions(routes=["t2m", "t2t"], k=1))
        assert [one.route for one in other.examples] == ["t2m", "t2t"]
        assert model.generate(TEXT, seed=0, seconds=1.0, options=GenerationOptions(examples="none"))[0].examples == ()
    assert "k must be at least 1" in run(*words, "--out", tmp_path / "bad", "--k", 0).complaint


def test_the_commands_follow_them(run: Any, tiny_model: Path, tiny_set: Path, tmp_path: Path) -> None:
    told = ("--model", tiny_model, "--routes", "t2t,m2m", "--k", 2, "--json")
    ran = run("generate", TEXT, "--seconds", 1, "--out", tmp_path / "m.npy", *told)
    assert [one["route"] for one in json.loads(ran.out)[0]["examples"]] == ["t2t", "t2t"]
    ran = run("caption", tiny_set / "new_joint_vecs" / "000004.npy", *told)
    assert [one["route"] for one in json.loads(ran.out)[0]["examples"]] == ["m2m", "m2m"]
    wrong = run("generate", TEXT, "--out", tmp_path / "n.npy", "--model", tiny_model, "--no-retrieval", "--k", 2)
    assert wrong.code == 2 and "retrieves nothing" in wrong.complaint


def test_evaluations_are_told_of_them(run: Any, tiny_model: Path, tiny_set: Path, tmp_path: Path) -> None:
    words = ("--data", tiny_set, "--model", tiny_model, "--out", tmp_path, "--config.splits", "[val]")
    few = ("--config.num_captioning", 3, "--config.best_of", "[1]", "--config.controls", "false")
    ran = run("eval", "captioning", *words, *few, "--routes", "m2m", "--k", 2)
    assert ran.code == 0, ran.complaint
    answers = read_json(tmp_path / "captions" / "val" / "retrieval.json")
    assert (answers["card"]["routes"], answers["card"]["k"]) == (["m2m"], 2)
    assert all(len(item["examples"]) == 2 for item in answers["items"])
    assert "retrieved by m2t or m2m" in run("eval", "captioning", *words, "--routes", "t2m").complaint
    assert "k must be at least 1" in run("eval", "captioning", *words, "--k", 0).complaint


def test_examples_differ_and_score_as_much_as_asked_for(model: ReMoGPT) -> None:
    database = model.database()
    hits = database.search(text=TEXT, route="t2m", k=len(database))
    rows = np.asarray(database.motion_embeddings)[[hit.row for hit in hits]]
    alike = rows @ rows[0]
    limit = float(np.sort(alike)[2])  # two of them may stand beside the first
    options = GenerationOptions(routes=["t2m"], k=3, max_alike=limit)
    (found,) = model.examples_for_texts([TEXT], options=options)
    assert found[0].id == hits[0].id and len(found) in (2, 3)
    chosen = rows[[[hit.id for hit in hits].index(one.id) for one in found]]
    assert (chosen @ chosen.T)[np.triu_indices(len(found), 1)].max() <= limit + 1e-6
    second = next(hit for hit, cosine in zip(hits, alike, strict=True) if cosine <= limit)
    assert found[1].id == second.id
    options = GenerationOptions(routes=["t2m"], k=3, min_score=hits[1].score)
    (few,) = model.examples_for_texts([TEXT], options=options)
    assert [one.id for one in few] == [hit.id for hit in hits[:2]]
    with pytest.raises(RemogptError, match="max_alike must be a cosine, -1 to 1, got 2"):
        GenerationOptions(max_alike=2)
