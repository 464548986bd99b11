"""What is there is not computed again, and what differs is: settings, databases, motions, damaged files."""

import json
import shutil
import sys
from collections import Counter

import numpy as np
import pytest

from remogpt.data.humanml3d import MotionTextSet
from remogpt.eval.cards import check_comparable
from remogpt.eval.runs.config import EvalConfig
from remogpt.eval.runs.evaluate import evaluate, possible_tasks
from remogpt.eval.runs.run import Run
from remogpt.runtime.files import write_json, write_npy, write_text
from tests.eval.runs.quick import QUICK

pytestmark = pytest.mark.usefixtures("no_plots")

_OPENED: list[str] | None = None


def _note_open(event: str, args: tuple[object, ...]) -> None:
    if event == "open" and _OPENED is not None:
        _OPENED.append(str(args[0]))


sys.addaudithook(_note_open)  # for good: Python takes no hook away


@pytest.fixture
def opened_files(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every file that is opened while the test runs."""
    opened: list[str] = []
    monkeypatch.setattr(sys.modules[__name__], "_OPENED", opened)
    return opened


def test_an_interrupted_generation_goes_on(world, known_set, evaluator, tmp_path):
    config = EvalConfig(**QUICK, controls=False, memorisation=False)
    broken, whole = world.Oracle(known_set, fails_after=2), world.Oracle(known_set)
    with pytest.raises(KeyboardInterrupt):
        evaluate(Run(known_set, tmp_path / "a", config, broken, evaluator), ["generation"])
    going_on = world.Oracle(known_set)
    one = evaluate(Run(known_set, tmp_path / "a", config, going_on, evaluator), ["generation"])
    two = evaluate(Run(known_set, tmp_path / "b", config, whole, evaluator), ["generation"])
    assert len(going_on.calls) == len(whole.calls) - 2
    assert one["results"] == two["results"]


def test_what_is_there_is_reported_when_a_later_part_fails_and_other_motions_are_kept(
    world, known_set, evaluator, tmp_path
):
    config = EvalConfig(**QUICK, controls=False, memorisation=False)
    with pytest.raises(KeyboardInterrupt):
        broken = world.Oracle(known_set, fails_after=0)
        evaluate(Run(known_set, tmp_path, config, broken, evaluator), ["tokenizer", "generation"])
    assert list(json.loads((tmp_path / "results.json").read_text())["results"]) == ["tokenizer/test"]
    other = EvalConfig(**QUICK, controls=False, memorisation=False, seed=1)
    for settings in (config, other):
        evaluate(Run(known_set, tmp_path, settings, world.Oracle(known_set), evaluator), ["generation"])
    aside = list((tmp_path / "motions/test").glob("retrieval_before_*"))
    assert len(aside) == 1 and len(list(aside[0].glob("*.npy"))) == world.num_test


def test_other_sampling_of_the_same_parts_is_computed_again(known_set, oracle, evaluator, tmp_path):
    config = EvalConfig(**QUICK, controls=False, memorisation=False)
    for top_p, calls in ((0.9, 6), (0.9, 6), (0.5, 12)):
        oracle.manifest["generation"] = {"best_of": 8, "top_p": top_p}
        report = evaluate(Run(known_set, tmp_path, config, oracle, evaluator), ["generation"])
        assert len(oracle.calls) == calls
    assert report["results"]["generation/test/retrieval"]["card"]["sampling"] == {"top_p": 0.5}


def test_other_settings_are_computed_again(known_set, oracle, evaluator, tmp_path):
    quick = QUICK | {"controls": False}
    for memorisation in (False, True, False):
        run = Run(known_set, tmp_path, EvalConfig(**quick, memorisation=memorisation), oracle, evaluator)
        result = evaluate(run, ["generation"])["results"]["generation/test/retrieval"]
        assert ("memorisation" in result["scores"]) == bool(result["card"]["memorisation"]) == memorisation
    cards = []
    for protocols in (("raw",), ("ptb",)):
        config = EvalConfig(**quick, memorisation=False, caption_protocols=protocols)
        run = Run(known_set, tmp_path, config, oracle, others={"mocap": (object(), "123")})
        found = evaluate(run, ["swap"])["results"]["swap/test/own"]
        assert set(found["scores"]["captioning"]) & {"raw", "ptb"} == set(protocols)
        cards.append(found["card"])
    with pytest.raises(ValueError, match="captioning: "):
        check_comparable(*cards)


def test_other_retrieved_motions_are_another_control(world, known_set, evaluator, tmp_path):
    config, found = EvalConfig(**QUICK, memorisation=False), []
    for its_hash in ("one", "two"):
        model = world.Oracle(known_set)
        if its_hash == "two":  # another database, from which every caption gets the same motion
            first = model.examples_for_texts([""])[0]
            model.examples_for_texts = lambda texts, *rest, first=first: [first] * len(texts)
        run = Run(known_set, tmp_path, config, model, evaluator, database=object(), database_hash=its_hash)
        found.append(evaluate(run, ["generation"])["results"]["generation/test/retrieved"])
    assert {item["examples"][0] for item in found[1]["scores"]["items"]} == {known_set.ids("train")[0]}
    assert (
        found[1]["scores"]["evaluator"]["diversity"]["mean"]
        == 0.0
        < found[0]["scores"]["evaluator"]["diversity"]["mean"]
    )
    assert check_comparable(found[0]["card"], found[1]["card"]) == []


def test_what_was_embedded_for_one_folder_is_not_embedded_for_another(world, known_set, oracle, evaluator, tmp_path):
    for out in ("a", "b"):
        run = Run(known_set, tmp_path / out, EvalConfig(**QUICK), oracle, evaluator, sentences=world.Sentences())
        before = evaluator.motions_embedded
        evaluate(run, possible_tasks(run))
    assert before > 0 and evaluator.motions_embedded == before
    assert not (tmp_path / "b" / "embeddings").exists()


def test_an_evaluation_opens_a_feature_file_three_times_at_most(
    world, known_set, oracle, evaluator, opened_files, tmp_path
):
    shutil.copytree(known_set.folder, tmp_path / "set")  # the oracle reads the original
    opened_files.clear()
    run = Run(MotionTextSet.open(tmp_path / "set"), tmp_path / "out", EvalConfig(**QUICK), oracle, evaluator,
              sentences=world.Sentences())  # fmt: skip
    evaluate(run, possible_tasks(run))
    counts = Counter(path for path in opened_files if path.startswith(str(tmp_path / "set" / "new_joint_vecs")))
    assert len(counts) == world.num_test + world.num_train
    assert max(counts.values()) == 3, "for its length, for a check of its values, and for its frames"


def test_one_motion_that_differs_is_noticed_among_many(world, known_set, evaluator, tmp_path):
    config = EvalConfig(**QUICK, controls=False, memorisation=False)
    one, other = world.Oracle(known_set), world.Oracle(known_set, manifest={"name": "oracle", "hashes": {"lm": "xyz"}})
    evaluate(Run(known_set, tmp_path / "a", config, one, evaluator), ["generation"])
    before, write = evaluator.motions_embedded, other.generate

    def strange(texts, **rest):
        written = write(texts, **rest)
        if texts[1] in known_set.clips("test")[1].captions:
            written[1] = written[0]
        return written

    other.generate = strange
    evaluate(Run(known_set, tmp_path / "b", config, other, evaluator), ["generation"])
    assert evaluator.motions_embedded == before + world.num_test


def test_a_set_that_was_made_anew_is_computed_again(known_set, world, tmp_path):
    shutil.copytree(known_set.folder, tmp_path / "set")
    motions = MotionTextSet.open(tmp_path / "set")
    oracle, found = world.Oracle(motions), []
    for shift in (0.0, 0.1):
        for name in motions.ids("test"):
            write_npy(motions.folder / "new_joint_vecs" / f"{name}.npy", known_set.features(name) + np.float32(shift))
        run = Run(motions, tmp_path / "out", EvalConfig(**QUICK), oracle)
        found.append(evaluate(run, ["tokenizer"])["results"]["tokenizer/test"])
    assert found[0]["scores"]["physical"] != found[1]["scores"]["physical"]
    assert check_comparable(found[0]["card"], found[1]["card"]) == [], "last digits differ between machines"


def test_an_empty_training_split_is_none(known_set, oracle, evaluator, world, tmp_path):
    shutil.copytree(known_set.folder, tmp_path / "set")
    write_text(tmp_path / "set" / "train.txt", "")
    motions = MotionTextSet.open(tmp_path / "set")
    run = Run(motions, tmp_path / "out", EvalConfig(**QUICK), oracle, evaluator, sentences=world.Sentences())
    assert "rare" not in possible_tasks(run)
    results = evaluate(run, ["generation"])["results"]
    assert {name.split("/")[2] for name in results} == {"real", "retrieval", "no_retrieval"}
    assert all("memorisation" not in result["scores"] for result in results.values())
    with pytest.raises(ValueError, match="no split train, against which rareness is measured"):
        evaluate(run, ["rare"])


def test_what_an_evaluation_wrote_is_read_as_far_as_it_says(world, known_set, evaluator, tmp_path):
    quick = QUICK | {"controls": False, "memorisation": False}
    config = EvalConfig(**quick, num_generation=20, seed=1)
    evaluate(Run(known_set, tmp_path, config, world.Oracle(known_set), evaluator), ["generation"])
    folder = tmp_path / "motions" / "test" / "retrieval"
    for clip in known_set.clips("test"):  # what somebody else left there
        for generation in (folder, folder / "generation_01"):
            if not (generation / f"{clip.id}.npy").is_file():
                write_npy(generation / f"{clip.id}.npy", known_set.features(clip))
    run = Run(known_set, tmp_path / "files", EvalConfig(**quick), evaluator=evaluator, generated=folder)
    card = evaluate(run, ["generation"])["results"]["generation/test/files"]["card"]
    assert (card["num_items"], card["clips_without_file"], card["generations"]) == (20, world.num_test - 20, 1)
    write_json(folder / "samples.json", {"items": [3]})
    with pytest.raises(ValueError, match=r"samples\.json: wanted object, got int at items.*; or remove it"):
        evaluate(run, ["generation"])
