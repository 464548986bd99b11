"""The whole evaluation on a model and controls whose scores are known."""

import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from remogpt.data.humanml3d import MotionTextSet
from remogpt.eval.cards import check_comparable
from remogpt.eval.runs.config import EvalConfig
from remogpt.eval.runs.evaluate import evaluate, possible_tasks
from remogpt.eval.runs.run import Run
from remogpt.runtime.files import write_npy
from remogpt.runtime.vector_cache import VARIABLE
from tests.eval.runs.quick import QUICK

pytestmark = pytest.mark.usefixtures("no_plots")


def scores_of(run: Run, *tasks: str) -> dict:
    return {name: result["scores"] for name, result in evaluate(run, tasks)["results"].items()}


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


def test_what_is_retrieved_first_may_be_of_another_set(known_set, oracle, evaluator, tmp_path):
    own = known_set.clips("train")[0]
    ours = SimpleNamespace(id=own.id, caption=own.captions[0], codes=np.array([1]))
    other = SimpleNamespace(id="elsewhere", caption="another motion", codes=np.array([1]))
    oracle.examples_for_texts = lambda texts, *rest: [[ours]] + [[other]] * (len(texts) - 1)
    loaded = []
    motion = SimpleNamespace(features=known_set.features(own))
    oracle.retrieved_motion = lambda example, database: loaded.append(example.id) or motion
    config = EvalConfig(**QUICK, memorisation=False)
    report = evaluate(Run(known_set, tmp_path, config, oracle, evaluator), ["generation"])
    assert "generation/test/retrieved" in report["results"] and "elsewhere" in loaded


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


def test_real_captions_are_a_row_that_the_evaluator_alone_scores(everything):
    real = everything[0]["results"]["captioning/test/real"]
    assert real["card"]["made_by"] == "the set itself" and real["scores"]["num_items"] == 40
    assert (
        real["scores"]["evaluator"]["t2m/R1"]["mean"] == 1.0 and real["scores"]["evaluator"]["mm_dist"]["mean"] < 1e-4
    )
    assert not {"raw", "ptb", "bertscore"} & real["scores"].keys()
