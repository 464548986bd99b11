"""The whole evaluation on a model and controls whose scores are known."""

import json
import re
import shutil
import sys
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest

from remogpt.data.humanml3d import Caption, MotionTextSet
from remogpt.data.writer import SetItem, write_item
from remogpt.eval.cards import check_comparable
from remogpt.eval.runs.config import EvalConfig
from remogpt.eval.runs.evaluate import evaluate, evaluate_captions, possible_tasks
from remogpt.eval.runs.run import Run
from remogpt.eval.runs.shown import NUM_KEPT
from remogpt.eval.text import tokenize
from remogpt.motion import features_to_joints, joints_to_features
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_json, write_json, write_npy, write_text
from remogpt.runtime.vector_cache import VARIABLE

pytestmark = pytest.mark.usefixtures("no_plots")

QUICK = {"best_of": (1,), "batch_size": 16, "repeats": 5}


def scores_of(run: Run, *tasks: str) -> dict:
    return {name: result["scores"] for name, result in evaluate(run, tasks)["results"].items()}


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


@pytest.fixture(scope="module")
def everything(world, known_set, tmp_path_factory):
    out, oracle = tmp_path_factory.mktemp("out"), world.Oracle(known_set)
    run = Run(known_set, out, EvalConfig(**QUICK), oracle, world.Evaluator(known_set), sentences=world.Sentences())
    return evaluate(run, possible_tasks(run)), out, run


def test_a_generator_that_returns_the_truth_scores_as_the_real_motions(everything):
    results = {name: result["scores"] for name, result in everything[0]["results"].items()}
    made, real = (results[f"generation/test/{mode}"]["evaluator"] for mode in ("retrieval", "real"))
    assert made["t2m/R1"]["mean"] == real["t2m/R1"]["mean"] == 1.0
    assert made["fid"]["mean"] == pytest.approx(0.0, abs=1e-4) and made["mm_dist"]["mean"] < 1e-4
    assert made["diversity"] == real["diversity"]
    assert results["tokenizer/test"]["mpjpe"] == 0.0 and results["tokenizer/test"]["fid"] == pytest.approx(0, abs=1e-4)
    assert results["retrieval/test"]["normal"]["t2m/R@1"] == 100.0
    assert results["retrieval/test"]["recall_curve"]["m2t"][0] == 100.0
    caption = results["captioning/test/retrieval"]
    assert caption["raw"]["bleu4"] == pytest.approx(1.0) and caption["evaluator"]["t2m/R1"]["mean"] == 1.0


def test_generators_that_only_copy_are_exposed_by_memorisation(everything):
    results = {name: result["scores"] for name, result in everything[0]["results"].items()}
    for copier in ("nearest_training", "retrieved"):
        found = results[f"generation/test/{copier}"]["memorisation"]
        assert found["nearest_generated"] == 0.0 and found["share_nearer_than_real"] == 1.0, copier
        assert all(item["nearest_training"] == item["examples"][0] for item in
                   results[f"generation/test/{copier}"]["items"])  # fmt: skip
    honest = results["generation/test/retrieval"]["memorisation"]
    assert honest["ratio"] == pytest.approx(1.0) and honest["share_nearer_than_real"] <= 0.1
    assert results["generation/test/retrieval"]["copied_share"] == 1.0  # its codes are its example's
    assert results["generation/test/no_retrieval"]["copied_share"] == 0.0


def test_motions_of_other_captions_do_not_score(known_set, tmp_path, evaluator):
    folder, ids = tmp_path / "shuffled", known_set.ids("test")
    for index, name in enumerate(ids):
        write_npy(folder / f"{name}.npy", known_set.features(ids[(index + 1) % len(ids)]))
    config = EvalConfig(repeats=50, controls=False, memorisation=False)
    run = Run(known_set, tmp_path / "out", config, evaluator=evaluator, generated=folder)
    scores = scores_of(run, "generation")["generation/test/files"]["evaluator"]
    assert scores["t2m/R1"]["mean"] < 0.02 and scores["mm_dist"]["mean"] > 0.1
    assert scores["fid"]["mean"] == pytest.approx(0.0, abs=1e-4)  # as a set they are the real motions


def test_motions_of_somebody_else_are_scored_from_their_files(known_set, tmp_path, evaluator):
    folder = tmp_path / "theirs"
    for index, clip in enumerate(known_set.clips("test")):
        features = known_set.features(clip)
        write_npy(folder / f"{clip.id}.npy", features_to_joints(features) if index % 2 else features)
    run = Run(known_set, tmp_path / "out", EvalConfig(**QUICK), evaluator=evaluator, generated=folder)
    report = evaluate(run, ["generation"])
    result = report["results"]["generation/test/files"]
    assert result["card"]["made_by"] == "files" and result["card"]["clips_without_file"] == 0
    assert result["scores"]["evaluator"]["t2m/R1"]["mean"] > 0.9
    assert set(report["results"]) == {f"generation/test/{mode}" for mode in ("files", "real", "nearest_training")}
    (folder / f"{known_set.ids('test')[0]}.npy").unlink()
    assert evaluate(run, ["generation"])["results"]["generation/test/files"]["card"]["clips_without_file"] == 1
    write_npy(folder / f"{known_set.ids('test')[0]}.npy", np.zeros((5, 7)))
    assert evaluate(run, ["generation"])["results"]["generation/test/files"]["card"]["clips_without_file"] == 1
    (reason,) = run.motions.left_out.values()
    assert "000000.npy holds (5, 7), wanted features" in reason


def test_what_the_figures_show_is_kept(known_set, oracle, evaluator, tmp_path):
    config = EvalConfig(splits=("test",), controls=False, memorisation=False, modes=("retrieval",), best_of=(1,))
    run = Run(known_set, tmp_path / "own", config, oracle, evaluator)
    evaluate(run, ("generation", "captioning"))
    names = sorted(path.stem for path in (tmp_path / "own/shown/test/real").glob("*.npy"))
    assert 0 < len(names) <= NUM_KEPT
    for name in names:
        assert np.array_equal(np.load(tmp_path / f"own/shown/test/real/{name}.npy"), known_set.features(name))
        example = np.load(tmp_path / f"own/shown/test/generation/retrieval_examples/{name}_1.npy")
        assert np.array_equal(example, known_set.features(known_set.ids("test")[0]))
    items = read_json(tmp_path / "own/motions/test/retrieval/samples.json")["items"]
    assert all(item["example_captions"] == ["a copy"] for item in items)
    files = tmp_path / "own/motions/test/retrieval"
    evaluate(Run(known_set, tmp_path / "theirs", config, evaluator=evaluator, generated=files), ("generation",))
    for name in names:
        shown = np.load(tmp_path / f"theirs/shown/test/generation/files/{name}.npy")
        assert np.array_equal(shown, np.load(files / f"{name}.npy"))


def test_several_generations_and_multimodality(known_set, oracle, evaluator, tmp_path):
    config = EvalConfig(**QUICK, generations=5, num_multimodal=3, multimodal_generations=4, controls=False,
                        memorisation=False)  # fmt: skip
    result = evaluate(Run(known_set, tmp_path, config, oracle, evaluator), ["generation"])["results"]
    scores = result["generation/test/no_retrieval"]["scores"]["evaluator"]
    assert scores["multimodality"]["mean"] == 0.0 and scores["fid"]["ci95"] == pytest.approx(0.0, abs=1e-6)
    assert result["generation/test/no_retrieval"]["card"]["generations"] == 5
    assert (tmp_path / "motions/test/retrieval/generation_04/000003.npy").is_file()
    seeds = [seed for _, seed, retrieval in oracle.calls if retrieval]
    assert len(set(seeds)) == len(seeds)


def test_each_of_several_generations_is_a_repeat(known_set, evaluator, tmp_path):
    folder, clips = tmp_path / "theirs", known_set.clips("test")
    for number, shift in ((0, 0), (1, 1)):  # the second generation belongs to other captions
        generation = folder if not number else folder / "generation_01"
        for at, clip in enumerate(clips):
            write_npy(generation / f"{clip.id}.npy", known_set.features(clips[(at + shift) % len(clips)]))
    config = EvalConfig(**QUICK, controls=False, memorisation=False)
    run = Run(known_set, tmp_path / "out", config, evaluator=evaluator, generated=folder)
    result = evaluate(run, ["generation"])["results"]["generation/test/files"]
    assert (result["card"]["generations"], result["card"]["repeats"]) == (2, 2)
    assert result["scores"]["evaluator"]["t2m/R1"]["mean"] == pytest.approx(0.5, abs=0.02)
    write_npy(folder / "generation_01" / f"{clips[3].id}.npy", known_set.features(clips[3]))
    changed = evaluate(run, ["generation"])["results"]["generation/test/files"]
    assert changed["card"]["files_sha256"] != result["card"]["files_sha256"]


def test_files_need_not_answer_for_every_split(known_set, evaluator, tmp_path):
    for clip in known_set.clips("train")[:3]:
        write_npy(tmp_path / "theirs" / f"{clip.id}.npy", known_set.features(clip))
    config = EvalConfig(**QUICK, splits=("test", "train"), memorisation=False, controls=False)
    report = evaluate(
        Run(known_set, tmp_path, config, evaluator=evaluator, generated=tmp_path / "theirs"), ["generation"]
    )
    assert set(report["results"]) == {"generation/train/files"} and report["missing_splits"] == ["test"]
    write_json(tmp_path / "captions.json", {clip.id: clip.captions[0]})
    report = evaluate(Run(known_set, tmp_path, config, captions=tmp_path / "captions.json"), ["captioning"])
    assert "captioning/train/files" in report["results"] and report["missing_splits"] == ["test"]


def test_a_model_without_a_database_answers_without_retrieval(world, known_set, evaluator, tmp_path):
    model = world.Oracle(known_set, manifest={"name": "oracle", "hashes": {"lm": "abc"}})
    run = Run(known_set, tmp_path, EvalConfig(**QUICK), model, evaluator, sentences=world.Sentences(),
              others={"mocap": (object(), "123")})  # fmt: skip
    names = {
        name for name in evaluate(run, possible_tasks(run))["results"] if not name.startswith(("token", "retrieval"))
    }
    controls = {"real", "nearest_training"}
    assert {name.split("/")[2] for name in names} == {"no_retrieval", "none", "mocap", *controls}
    assert not any(retrieval for _, _, retrieval in model.calls[:3]), "only what was swapped in is retrieved from"


def test_training_clips_that_cannot_be_used_are_no_control_either(known_set, oracle, evaluator, tmp_path):
    folder = tmp_path / "set"
    shutil.copytree(known_set.folder, folder)
    broken = folder / "new_joint_vecs" / f"{known_set.ids('train')[0]}.npy"
    write_npy(broken, np.full_like(np.load(broken), np.nan))
    motions = MotionTextSet.open(folder)
    run = Run(motions, tmp_path / "out", EvalConfig(**QUICK, memorisation=False), oracle, evaluator)
    report = evaluate(run, ["generation"])
    assert "generation/test/nearest_training" in report["results"]
    assert list(report["left_out"]) == [broken.stem]


def test_rare_prompts_in_one_mode_alone_have_no_gain(world, known_set, oracle, evaluator, tmp_path):
    config = EvalConfig(**QUICK, modes=("retrieval",))
    run = Run(known_set, tmp_path, config, oracle, evaluator, sentences=world.Sentences())
    results = evaluate(run, ["rare"])["results"]
    assert set(results) == {"rare/test/retrieval", "rare/test/real"}
    assert "gain" not in results["rare/test/retrieval"]["scores"]


def test_a_database_of_other_motions_with_the_same_ids_is_no_control(known_set, oracle, evaluator, tmp_path):
    examples = [[SimpleNamespace(id=known_set.ids("train")[0], caption="another motion", codes=np.array([1]))]]
    oracle.examples_for_texts = lambda texts, *rest: examples * len(texts)
    config = EvalConfig(**QUICK, memorisation=False)
    report = evaluate(Run(known_set, tmp_path, config, oracle, evaluator), ["generation"])
    assert "generation/test/nearest_training" in report["results"]
    assert "generation/test/retrieved" not in report["results"]


def test_captions_of_somebody_else_with_a_set_and_without(known_set, evaluator, tmp_path):
    given = {clip.id: clip.captions[1] for clip in known_set.clips("test")[1:]}
    write_json(tmp_path / "captions.json", given)
    run = Run(known_set, tmp_path / "a", EvalConfig(**QUICK), evaluator=evaluator, captions=tmp_path / "captions.json")
    result = evaluate(run, ["captioning"])["results"]["captioning/test/files"]
    assert result["scores"]["raw"]["bleu4"] == pytest.approx(1.0) and result["card"]["clips_without_file"] == 1
    rows = [{"id": "1", "caption": "a person walks on", "references": ["a person walks on", "he goes"]},
            {"id": "2", "caption": "he waves", "references": ["somebody jumps"]}]  # fmt: skip
    write_json(tmp_path / "rows.json", rows)
    report = evaluate_captions(tmp_path / "b", tmp_path / "rows.json", EvalConfig())
    assert 0.0 < report["results"]["captioning/all/files"]["scores"]["raw"]["rougeL"] < 1.0
    del rows[1]["references"]
    write_json(tmp_path / "rows.json", rows)
    with pytest.raises(ValueError, match="the caption of '2' has no references"):
        evaluate_captions(tmp_path / "b", tmp_path / "rows.json", EvalConfig())
    write_json(tmp_path / "captions.json", {"nobody": "a person walks"})
    with pytest.raises(ValueError, match="none of them a clip of this split"):
        evaluate(run, ["captioning"])


def test_the_rare_evaluation_shows_the_rarest_prompts_and_the_gain(world, everything):
    report, out, _ = everything
    scores = report["results"]["rare/test/retrieval"]["scores"]
    assert scores["encoder"] == "letters eeeeeeeeeeee"
    assert scores["training"]["num_rare"] == 2 and scores["database"]["mm_dist"] == scores["training"]["mm_dist"]
    assert {f"rare/test/{mode}" for mode in ("retrieval", "no_retrieval", "real")} <= set(report["results"])
    assert sum(scores["gain"]["counts"]) == world.num_test and all(abs(v) < 1e-6 for v in scores["gain"]["means"] if v)
    assert len(scores["rarest"]) == 5
    rareness = [one["rareness"] for one in scores["rarest"]]
    assert rareness == sorted(rareness, reverse=True)
    for one in scores["rarest"]:
        for path in one["motions"].values():
            assert np.load(out / path).shape[1] == 263
        assert "retrieved" in one["motions"]


def test_a_list_of_dissimilar_clips_is_a_gallery_of_its_own(known_set, oracle, tmp_path):
    run = Run(known_set, tmp_path, EvalConfig(**QUICK), oracle)
    listed = known_set.folder / "nsim_test.txt"
    sizes = []
    for count in (0, 5, 6):
        if count:
            write_text(listed, "\n".join(known_set.ids("test")[:count]) + "\n")
        scores = evaluate(run, ["retrieval"])["results"]["retrieval/test"]["scores"]
        sizes.append(scores.get("nsim", {}).get("t2m/len"))
    listed.unlink()
    other = tmp_path / "listed.txt"
    write_text(other, "\n".join(known_set.ids("test")[:7]) + "\n")
    scores = _retrieval_scores(known_set, oracle, tmp_path / "other", other)
    sizes.append(scores["nsim"]["t2m/len"])
    assert sizes == [None, 5, 6, 7]
    write_text(other, "elsewhere\n")
    with pytest.raises(
        RemogptError, match=r"listed\.txt lists 1 ids and 0 of the 40 clips; protocol nsim wants a list"
    ):
        _retrieval_scores(known_set, oracle, tmp_path / "wrong", other)


def _retrieval_scores(known_set, oracle, out, listed):
    run = Run(known_set, out, EvalConfig(**QUICK, dissimilar=str(listed)), oracle)
    return evaluate(run, ["retrieval"])["results"]["retrieval/test"]["scores"]


def test_swapping_databases_needs_some_and_reports_each(known_set, oracle, evaluator, tmp_path):
    run = Run(known_set, tmp_path, EvalConfig(**QUICK), oracle, evaluator, others={"mocap": (object(), "123")})
    results = evaluate(run, ["swap"])["results"]
    assert set(results) == {"swap/test/own", "swap/test/none", "swap/test/mocap"}
    assert results["swap/test/mocap"]["card"]["database_sha256"] == "123"
    assert results["swap/test/none"]["card"]["database_sha256"] is None
    assert results["swap/test/mocap"]["scores"]["generation"]["evaluator"]["t2m/R1"]["mean"] == 1.0
    assert "against" not in results["swap/test/own"]["scores"]
    against = results["swap/test/mocap"]["scores"]["against"]
    assert results["swap/test/mocap"]["card"]["against"]["database"] == against["database"] == "own"
    assert {"mm_dist", "rougeL", "cider"} <= set(against) and against["mm_dist"]["low"] <= against["mm_dist"]["high"]
    for name, one in results.items():  # the same captions with each database, from the files that are named
        assert [item["id"] for item in one["scores"]["shown"]] == [
            item["id"] for item in results["swap/test/own"]["scores"]["shown"]
        ], name
        assert all((tmp_path / item["motion"]).is_file() for item in one["scores"]["shown"]), name
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "The same captions with each database: test" in page and "is not there any more" not in page
    with pytest.raises(ValueError, match="name them with --databases"):
        evaluate(Run(known_set, tmp_path, EvalConfig(), oracle, evaluator), ["swap"])


def test_every_number_has_a_card_and_the_report_names_it(world, everything):
    report, out, _ = everything
    assert report["missing_splits"] == ["test_unseen"]
    for name, result in report["results"].items():
        card = result["card"]
        assert card["num_items"] == world.num_test and card["hashes"] == {"lm": "abc", "database": "def"}, name
        assert card["seed"] == 0 and len(card["items_sha256"]) == 16
    for name in ("generation/test/retrieval", "rare/test/retrieval", "captioning/test/retrieval", "tokenizer/test"):
        assert report["results"][name]["card"]["evaluator"] == {"name": "perfect", "hash": "f" * 64, "trained_on": None}
    assert json.loads((out / "results.json").read_text())["results"].keys() == report["results"].keys()
    page = (out / "report.html").read_text()
    assert all(name in page for name in report["results"])


def test_a_second_run_computes_nothing_and_another_seed_computes_again(everything, monkeypatch):
    report, out, run = everything
    monkeypatch.setenv(VARIABLE, str(run.cache.folder))
    calls, embedded = len(run.model.calls), run.evaluator.motions_embedded
    again = Run(run.motions, out, run.config, run.model, run.evaluator, sentences=run.sentences)
    repeated = evaluate(again, possible_tasks(again))
    assert (len(run.model.calls), run.evaluator.motions_embedded) == (calls, embedded)
    assert json.dumps(repeated["results"], sort_keys=True) == json.dumps(report["results"], sort_keys=True)


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


def test_a_file_that_is_no_motion_is_named(known_set, evaluator, tmp_path):
    folder, name = tmp_path / "theirs", known_set.ids("test")[7]
    for clip in known_set.clips("test"):
        write_npy(folder / f"{clip.id}.npy", known_set.features(clip))
    run = Run(
        known_set, tmp_path / "out", EvalConfig(**QUICK, memorisation=False), evaluator=evaluator, generated=folder
    )
    for array, reason in (
        (np.zeros((3, 263)), "wanted at least 4 frames, got 3"),
        (np.full((40, 263), np.nan), "wanted finite numbers, got nan"),
        (np.zeros((40, 22, 3)), "left_hip lies on pelvis"),
        (np.zeros((40, 21, 3)), r"holds \(40, 21, 3\), wanted features"),
    ):
        write_npy(folder / f"{name}.npy", array)
        run.motions.left_out.clear()
        card = evaluate(run, ["generation"])["results"]["generation/test/files"]["card"]
        assert card["clips_without_file"] == 1
        ((path, why),) = run.motions.left_out.items()
        assert path.endswith(f"{name}.npy") and re.search(reason, why)


def test_subsets_are_drawn_with_the_seed(known_set, oracle, tmp_path):
    config = EvalConfig(**QUICK, num_captioning=3)
    one, two = (evaluate(Run(known_set, tmp_path / name, config, oracle), ["captioning"])["results"] for name in "ab")
    assert one["captioning/test/retrieval"]["scores"]["num_items"] == 3
    assert one == two


def test_the_length_that_is_asked_for_is_one_that_can_be_written(world, evaluator, tmp_path):
    write_item(
        tmp_path, SetItem("000000", joints_to_features(world.moving_person(0, 200)), [Caption("person 000000 walks")])
    )
    write_npy(tmp_path / "Mean.npy", np.zeros(263, np.float32))
    write_npy(tmp_path / "Std.npy", np.ones(263, np.float32))
    write_text(tmp_path / "test.txt", "000000\n")
    longest = MotionTextSet.open(tmp_path)
    assert longest.clips("test")[0].num_frames == 199
    config = EvalConfig(**QUICK, true_length=True, num_captioning=1)
    run = Run(longest, tmp_path / "out", config, world.Oracle(longest), others={"mocap": (object(), "123")})
    assert evaluate(run, ["swap"])["results"]


def test_different_protocols_are_not_compared_unless_forced(everything):
    cards = {name: result["card"] for name, result in everything[0]["results"].items()}
    left, right = cards["generation/test/retrieval"], cards["generation/test/no_retrieval"]
    assert check_comparable(left, right) == []
    assert check_comparable(left, cards["generation/test/real"]) == []
    other = left | {"seed": 3, "model": "someone else's"}
    with pytest.raises(ValueError, match=r"different protocols cannot be compared \(seed: 0 / 3\)"):
        check_comparable(left, other)
    assert check_comparable(left, other, force=True) == ["seed"]
    for entry in ("memorisation", "multimodal"):  # what one side lacks is not compared
        assert check_comparable(left | {entry: None}, right | {entry: "train abc"}) == []
        assert check_comparable(left | {entry: "train xyz"}, right | {entry: "train abc"}, force=True) == [entry]


def test_unusable_settings_are_refused_with_the_reason(known_set, oracle, tmp_path):
    run = Run(known_set, tmp_path, EvalConfig(splits=("val",)), oracle)
    with pytest.raises(ValueError, match="tasks must be some of"):
        evaluate(run, ["fid"])
    with pytest.raises(ValueError, match="batch_size must be at least 1"):
        EvalConfig(batch_size=0)
    with pytest.raises(ValueError, match="threshold must lie between 0 and 1, came 95"):
        EvalConfig(threshold=95)
    with pytest.raises(ValueError, match="num_captioning must be at least 0"):
        EvalConfig(num_captioning=-1)
    with pytest.raises(ValueError, match="has none of the splits val"):
        evaluate(run, ["tokenizer"])
    with pytest.raises(ValueError, match="needs an evaluator network for the set"):
        evaluate(Run(known_set, tmp_path, EvalConfig(), oracle), ["generation"])
    with pytest.raises(ValueError, match="none of its clips has facts"):
        evaluate(Run(known_set, tmp_path, EvalConfig(), oracle), ["facts"])
    assert not (tmp_path / "results.json").exists()


def test_few_items_and_collapsed_networks_are_marked_in_results_and_report(world, known_set, tmp_path, caplog):
    class Alike(world.Oracle):
        """Its retriever gives every motion one row."""

        @property
        def retriever(self):
            inner = super().retriever
            first = inner.encode_motion([known_set.features(known_set.clips("test")[0])])
            return SimpleNamespace(
                hash="a" * 64, encode_text=inner.encode_text,
                encode_motion=lambda motions: np.repeat(first, len(motions), axis=0),
            )  # fmt: skip

    few, count = EvalConfig(num_generation=20, num_retrieval=20, memorisation=False, **QUICK), 20
    run = Run(known_set, tmp_path, few, Alike(known_set), world.Evaluator(known_set))
    report = evaluate(run, ["retrieval", "generation"])
    scores = {name: result["scores"] for name, result in report["results"].items()}
    assert scores["retrieval/test"]["normal"]["t2m/MedR"] == (count + 1) / 2
    alike = "the retriever's embeddings of the motions cannot be told apart"
    left_out, collapsed = scores["retrieval/test"]["marks"]
    assert left_out == "protocol guo is left out: it wants 32 items, the split has 20" and collapsed.startswith(alike)
    assert caplog.text.count(alike) == 1
    assert "R-precision in pools of 20" in scores["generation/test/real"]["marks"][0]
    page = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "Not to be compared without this" in page and alike in page and f"Diversity of {count} pairs" in page


def test_the_model_is_asked_by_the_routes_of_the_settings(known_set, world, tmp_path):
    """Every task that shows examples passes them on, and the cards of those that do say so."""
    told = {"routes": ["t2t", "m2m"], "k": 2}
    asked, oracle = [], world.Oracle(known_set)

    def noting(method):
        def noted(*args, **named):
            options = named.get("options", args[3] if len(args) > 3 else None)
            asked.append((method.__name__, options.examples != "none", options.routes, options.k))
            return method(*args, **named)

        return noted

    for name in ("generate", "caption", "examples_for_texts", "examples_for_motions"):
        setattr(oracle, name, noting(getattr(oracle, name)))
    config = EvalConfig(**QUICK, **told)
    run = Run(known_set, tmp_path, config, oracle, world.Evaluator(known_set), others={"b": (None, "b" * 64)})
    results = evaluate(run, ("generation", "facts", "captioning", "swap"))["results"]
    assert {name for name, *_ in asked} == {"generate", "caption", "examples_for_texts", "examples_for_motions"}
    assert all((routes, k) == ((["t2t", "m2m"], 2) if shows else (None, None)) for _, shows, routes, k in asked)
    for name, result in results.items():
        shows = "no_retrieval" not in name and name.rpartition("/")[2] not in ("real", "nearest_training", "none")
        assert ({key: result["card"].get(key) for key in told} == told) == shows, name


@pytest.mark.parametrize(
    ("tasks", "own", "routes", "words"),
    [
        (("tokenizer",), True, ["t2m"], "tokenizer retrieves none here"),
        (("generation",), False, ["t2m"], "generation retrieves none here"),
        (("generation", "captioning"), True, ["t2m"], "a motion's examples are retrieved by m2t or m2m"),
    ],
)
def test_routes_without_effect_are_refused_before_the_work(known_set, world, tmp_path, tasks, own, routes, words):
    oracle = world.Oracle(known_set)
    if not own:
        del oracle.manifest["hashes"]["database"]
    run = Run(known_set, tmp_path, EvalConfig(**QUICK, routes=routes), oracle, world.Evaluator(known_set))
    with pytest.raises(RemogptError, match=words):
        evaluate(run, tasks)
    assert not oracle.calls


def test_what_captions_need_is_refused_before_the_work(known_set, world, tmp_path, monkeypatch):
    """Hours of writing must not end for want of spaCy or of BERTScore's model."""

    def ask(**settings):
        oracle = world.Oracle(known_set)
        run = Run(known_set, tmp_path, EvalConfig(**QUICK, **settings), oracle, world.Evaluator(known_set))
        with pytest.raises(RemogptError) as refused:
            evaluate(run, ("generation", "captioning"))
        assert not oracle.calls
        return str(refused.value)

    def missing():
        raise RemogptError("captions need spaCy")

    monkeypatch.setattr(tokenize, "_spacy_model", missing)
    assert ask(caption_protocols=("raw", "lemma")) == "captions need spaCy"
    assert "cannot load the model" in ask(bertscore=str(tmp_path / "nothing"))


def test_real_captions_are_a_row_that_the_evaluator_alone_scores(everything):
    real = everything[0]["results"]["captioning/test/real"]
    assert real["card"]["made_by"] == "the set itself" and real["scores"]["num_items"] == 40
    assert (
        real["scores"]["evaluator"]["t2m/R1"]["mean"] == 1.0 and real["scores"]["evaluator"]["mm_dist"]["mean"] < 1e-4
    )
    assert not {"raw", "ptb", "bertscore"} & real["scores"].keys()


def test_a_single_captions_cider_is_explained(known_set, world, tmp_path):
    config = EvalConfig(**QUICK, num_captioning=1, controls=False)
    run = Run(known_set, tmp_path, config, world.Oracle(known_set), world.Evaluator(known_set))
    scores = evaluate(run, ["captioning"])["results"]["captioning/test/retrieval"]["scores"]
    assert scores["raw"]["cider"] == 0.0 and any("CIDEr of a single caption is 0" in mark for mark in scores["marks"])
    write_json(tmp_path / "one.json", [{"id": "a", "caption": "a person walks", "references": ["a person walks"]}])
    alone = evaluate_captions(tmp_path / "alone", tmp_path / "one.json", EvalConfig())
    assert "CIDEr of a single caption" in alone["results"]["captioning/all/files"]["scores"]["marks"][0]
    assert "CIDEr of a single caption" in (tmp_path / "alone" / "report.md").read_text()
