"""What is retrieved for an answer, and what is not; captions of motions; searches; databases that do not fit."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from remogpt.lm.copying.copy_head import CopyHead
from remogpt.motion import Motion
from remogpt.options import GenerationOptions
from remogpt.pipeline import ReMoGPT
from remogpt.retriever import MotionDatabase
from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.runtime.files import read_json, write_json

ALONE = GenerationOptions(examples="none")


def test_caption_reads_motions_of_any_length(model: ReMoGPT, motion: Motion) -> None:
    answer = model.caption(motion, seed=0)
    assert isinstance(answer.text, str) and [example.route for example in answer.examples] == ["m2t", "m2m"]
    long = Motion.from_features(np.tile(motion.features, (8, 1)))
    assert isinstance(model.caption(long, seed=0).text, str)
    for num_frames, windows in ((199, 1), (200, 2)):
        given = Motion.from_features(np.resize(motion.features, (num_frames, 263)))
        assert len(model.caption(given).prompts) == windows
    brief = Motion.from_features(motion.features[:3])
    with pytest.raises(RemogptError, match="3 frames"):
        model.caption(brief)


def test_without_retrieval_nothing_is_retrieved_nor_loaded(tiny_model: Path, motion: Motion) -> None:
    fresh = ReMoGPT.from_pretrained(tiny_model, device="cpu")
    assert fresh.generate("a person walks", seed=0, options=ALONE)[0].examples == ()
    assert fresh.caption(motion, options=ALONE).examples == ()
    assert "retriever" not in vars(fresh)


def test_excluded_clips_are_never_examples(model: ReMoGPT) -> None:
    (free,) = model.generate("a person walks", seed=0)
    hidden = [example.id for example in free.examples]
    for exclude in (hidden, [hidden]):
        (answer,) = model.generate("a person walks", seed=0, options=GenerationOptions(exclude=exclude))
        assert len(answer.examples) == 2 and not {example.id for example in answer.examples} & set(hidden)
    texts, some = ["a person walks"] * 2, GenerationOptions(exclude=[hidden, []])
    (first,), (second,) = model.generate(texts, seed=0, options=some)
    ids = [[example.id for example in one.examples] for one in (first, answer, second, free)]
    assert ids[0] == ids[1] != ids[2] == ids[3]
    with pytest.raises(RemogptError, match="exclude has ids for 2 captions or motions, expected 1"):
        model.generate("a person walks", options=some)
    with pytest.raises(RemogptError, match="exclude must be a list of ids"):
        GenerationOptions(exclude="000001")


def test_pinned_entries_are_the_examples_whatever_is_retrieved(model: ReMoGPT) -> None:
    (free,) = model.generate("a person walks", seed=0)
    found = [example.id for example in free.examples]
    others = [hit.id for hit in model.search("a person walks", k=8) if hit.id not in found]
    (one,) = model.generate("a person walks", seed=0, options=GenerationOptions(pinned=others[:1]))
    assert [example.id for example in one.examples] == [others[0], found[0]]
    assert [example.pinned for example in one.examples] == [True, False] and one.examples[0].used
    assert one.examples[0].score == one.examples[0].to_motion
    (both,) = model.generate("a person walks", seed=0, options=GenerationOptions(pinned=others[:2], exclude=found))
    assert [example.id for example in both.examples] == others[:2]
    each = GenerationOptions(pinned=[others[:1], []])
    (first,), (second,) = model.generate(["a person walks"] * 2, seed=0, options=each)
    assert first.examples[0].id == others[0] and [example.id for example in second.examples] == found
    for ids, words in ((["nobody"], "has no entry 'nobody' to pin"), (others[:3], "a prompt shows 2; pin fewer")):
        with pytest.raises(RemogptError, match=words):
            model.generate("a person walks", options=GenerationOptions(pinned=ids))


def test_a_pinned_example_is_shown_even_where_the_match_test_finds_no_answer(model: ReMoGPT, tiny_model: Path) -> None:
    other = ReMoGPT(tiny_model, "cpu")
    refusing = CopyHead(model.tokenizer.code_vectors)
    with torch.no_grad():
        refusing.text_match.layers[-1].bias.fill_(-50.0)  # nothing answers
    other.__dict__["copy_head"] = refusing
    pinned = model.search("a person walks", k=1)[0].id
    options = GenerationOptions(pinned=[pinned], strength=2.0)
    (answer,) = other.generate("a person walks", seed=0, options=options)
    assert [example.used for example in answer.examples] == [True, False]


def test_a_recording_is_excluded_with_all_its_clips(model: ReMoGPT, make_database: Callable, motion: Motion) -> None:
    database = make_database(lambda row: "tape" if row < 5 else f"source_{row}")
    tape = {info.id for info in database.infos() if info.source_id == "tape"}
    (texts,) = model.examples_for_texts(["a person walks"], database, [["tape"]])
    (motions,) = model.examples_for_motions([motion.features], database, [["tape"]])
    assert len(texts) == len(motions) == 2 and not tape & {example.id for example in (*texts, *motions)}


def test_the_second_example_may_be_the_firsts_kin(model: ReMoGPT, make_database: Callable) -> None:
    """Only the entry that was taken is passed over, as in training."""
    database = make_database(lambda row: "tape")
    (found,) = model.examples_for_texts(["a person walks"], database)
    query = model.retriever.encode_text(["a person walks"])[0]
    best = [database.search_embedding(query, route, k=2) for route in ("t2m", "t2t")]
    assert found[0].id == best[0][0].id
    assert found[1].id == next(example.id for example in best[1] if example.id != found[0].id)


def test_the_second_route_passes_over_what_the_first_found(model: ReMoGPT, motion: Motion, tmp_path: Path) -> None:
    """Two entries of which one is the best of both routes: the other one is the second example."""
    text = "a person walks"
    first, second = [
        replace(entry, captions=(f"{caption} {number}",))
        for number, (entry, caption) in enumerate(zip(model.database().entries(), ("waves", "jumps"), strict=False))
    ]
    components = (model.retriever, model.tokenizer)
    database = MotionDatabase.build([first, second], *components, tmp_path / "either")
    best = database.search(text=text, route="t2m", k=1)[0].id
    told = [replace(entry, captions=(text,)) if entry.id == best else entry for entry in (first, second)]
    database = MotionDatabase.build(told, *components, tmp_path / "told")
    assert database.search(text=text, route="t2t", k=1)[0].id == best
    (found,) = model.examples_for_texts([text], database)
    assert [example.route for example in found] == ["t2m", "t2t"]
    assert found[0].id == best and {example.id for example in found} == {first.id, second.id}


def test_a_query_is_embedded_once(model: ReMoGPT, motion: Motion, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    for name in ("encode_text", "encode_motion"):
        encode = getattr(model.retriever, name)
        monkeypatch.setattr(
            model.retriever, name, lambda rows, encode=encode: (calls.append(len(rows)), encode(rows))[1]
        )
    model.examples_for_texts(["a person walks", "a person waves", "a person walks"])
    assert calls == [1, 1]
    model.examples_for_motions([motion.features])
    assert calls == [1, 1, 1]


@pytest.mark.parametrize("route", ["t2m", "t2t", "m2t", "m2m"])
def test_search_by_each_route(model: ReMoGPT, motion: Motion, route: Any) -> None:
    query: dict[str, Any] = {"text": "a person walks"} if route.startswith("t") else {"motion": motion}
    hits = model.search(**query, route=route, k=4)
    scores = [hit.score for hit in hits]
    assert len({hit.id for hit in hits}) == 4 and scores == sorted(scores, reverse=True)
    assert {hit.route for hit in hits} == {route}


def test_a_motion_in_the_database_finds_itself(model: ReMoGPT, tiny_set: Path) -> None:
    own = Motion.from_features(np.load(tiny_set / "new_joint_vecs" / "000005.npy"))
    (hit,) = model.search(motion=own, route="m2m", k=1)
    assert hit.id == "000005" and hit.score > 0.999


def test_another_models_database_is_refused(model: ReMoGPT, make_tiny_components: Callable, tmp_path: Path) -> None:
    other = make_tiny_components(tmp_path, 1)
    for database in (other.database, MotionDatabase.open(other.database)):
        with pytest.raises(RemogptError, match=r"was built with retriever .* but the model in .* has .* db rebuild"):
            model.generate("a person walks", database=database)


def test_a_model_without_a_database_says_so_and_answers_without(tiny_model: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_model, tmp_path / "bare")
    shutil.rmtree(folder / "database")
    with pytest.raises(MissingPathError, match="no database in"):
        ReMoGPT.from_pretrained(folder)  # the manifest names one
    content = read_json(folder / "remogpt.json")
    del content["hashes"]["database"]
    write_json(folder / "remogpt.json", content)
    bare = ReMoGPT.from_pretrained(folder, device="cpu")
    with pytest.raises(MissingPathError, match="comes without a database"):
        bare.generate("a person walks")
    assert bare.generate("a person walks", seed=0, options=ALONE)
