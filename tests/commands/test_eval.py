"""`remogpt eval`: answers of models, of single components and of files; evaluators; comparisons; and unusable input.

Scores mean nothing here (the model is untrained); what they must be is in `tests/eval`.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from remogpt.cli import main
from remogpt.data.humanml3d import MotionTextSet
from remogpt.eval import detectors
from remogpt.runtime.files import read_json, write_json, write_npy
from remogpt.runtime.folders.find_model import embedded_model
from remogpt.runtime.folders.training_record import TrainingRecord, write_record
from remogpt.stages.evaluators import open_evaluator

pytestmark = pytest.mark.usefixtures("no_plots")

SMALL = ("--allow-overlap", "--config.splits", "[train]", "--config.num_tokenizer", 3, "--config.num_generation", 3,
         "--config.num_captioning", 2, "--config.best_of", "[1]", "--config.repeats", 2)  # fmt: skip
BARE = (*SMALL, "--config.controls", "false", "--config.memorisation", "false")
MODES = ("real", "retrieval", "no_retrieval", "nearest_training", "retrieved")


@pytest.fixture(scope="module")
def other(make_tiny_components: Callable[[Path, int], Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Components of another model: an evaluator independent of the tiny one, and a database of other hashes."""
    return make_tiny_components(tmp_path_factory.mktemp("other"), 7)


@pytest.fixture(scope="module")
def evaluated(tiny_set: Path, tiny_model: Path, tiny_text_model: Path, other: Any, tmp_path_factory: Any) -> Path:
    """Every task of the tiny model."""
    out = tmp_path_factory.mktemp("evaluated") / "all"
    moved = out.parent / "mocap"
    shutil.copytree(tiny_model / "database", moved)
    words = ("all", "--data", tiny_set, "--model", tiny_model, "--evaluator", other.retriever, "--databases", moved,
             "--sentence-model", tiny_text_model, "--out", out)  # fmt: skip
    splits = ("--config.splits", "[train, test_far]")
    assert main([str(word) for word in ("eval", *words, *SMALL, *splits)]) == 0
    return out


def results(folder: Path) -> dict[str, Any]:
    """Names to results; strictly JSON."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    report = json.loads((folder / "results.json").read_text(encoding="utf-8"), parse_constant=refuse)
    return dict(report["results"])


@pytest.fixture(scope="module")
def motions(tiny_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The set's own training motions as somebody's files: features and joints in turn."""
    folder = tmp_path_factory.mktemp("motions")
    opened = MotionTextSet.open(tiny_set)
    for index, clip in enumerate(opened.clips("train")):
        joints = opened.joints(clip.file_id)
        assert joints is not None
        write_npy(folder / f"{clip.id}.npy", joints if index % 2 else opened.features(clip))
    return folder


# ---- models ----------------------------------------------------------------------------------------------------------


def test_all_parts_are_evaluated_and_reported(evaluated: Path) -> None:
    found = results(evaluated)
    assert set(found) == {
        "tokenizer/train", "retrieval/train",
        *(f"{task}/train/{mode}" for task in ("generation", "facts") for mode in MODES),
        *(f"captioning/train/{mode}" for mode in ("retrieval", "no_retrieval", "real", "retrieved")),
        *(f"rare/train/{mode}" for mode in ("real", "retrieval", "no_retrieval")),
        *(f"swap/train/{database}" for database in ("own", "none", "mocap")),
    }  # fmt: skip
    assert read_json(evaluated / "results.json")["missing_splits"] == ["test_far"]
    assert all((evaluated / name).is_file() for name in ("report.md", "report.html"))
    copy, own = (dict(found[f"swap/train/{name}"]["scores"]) for name in ("mocap", "own"))
    against = copy.pop("against")
    assert {one["mean"] for one in against.values() if isinstance(one, dict)} == {0.0} and against["database"] == "own"
    assert [item["id"] for item in copy.pop("shown")] == [item["id"] for item in own.pop("shown")]
    assert copy == own, "a copy of the model's own database gives the same answers"
    card = found["generation/train/retrieval"]["card"]
    assert (card["model"], card["num_items"], card["evaluator"]["name"]) == ("tiny", 3, "pl_tmr")
    assert "evaluator_dependence" not in {key for key, value in card.items() if value}


def test_a_part_in_the_same_folder_joins_the_others(
    run: Any, tiny_set: Path, tiny_model: Path, other: Any, evaluated: Path
) -> None:
    before, times = results(evaluated), {path: path.stat().st_mtime_ns for path in (evaluated / "parts").iterdir()}
    words = ("--data", tiny_set, "--model", tiny_model, "--evaluator", other.retriever, "--out", evaluated)
    ran = run("eval", "generation", *words, *SMALL, "--json")
    assert ran.code == 0 and json.loads(ran.out)["results"] == before, ran.err
    assert {path: path.stat().st_mtime_ns for path in (evaluated / "parts").iterdir()} == times, "nothing was repeated"


def test_a_retriever_and_a_tokenizer_alone(
    run: Any, tiny_set: Path, tiny_model: Path, other: Any, evaluated: Path, tiny_text_model: Path, tmp_path: Path
) -> None:
    whole = results(evaluated)
    extra = {"retriever": ("--sentence-model", tiny_text_model), "tokenizer": ("--evaluator", other.retriever)}
    for task, kind in (("retrieval", "retriever"), ("tokenizer", "tokenizer")):
        folder = tiny_model / kind
        words = ("--data", tiny_set, f"--{kind}", folder, *extra[kind], "--out", tmp_path / task)
        assert run("eval", task, *words, *SMALL).code == 0
        (result,) = results(tmp_path / task).values()
        assert result["scores"] == whole[f"{task}/train"]["scores"]
        assert result["card"]["hashes"] == {kind: read_json(tiny_model / "remogpt.json")["hashes"][kind]}


def test_swapping_databases(
    run: Any, tiny_set: Path, tiny_model: Path, other: Any, evaluated: Path, tmp_path: Path
) -> None:
    moved = evaluated.parent / "mocap"
    words = ("--data", tiny_set, "--model", tiny_model, "--evaluator", other.retriever, "--out", tmp_path / "out")
    ran = run("eval", "swap", *words, "--databases", moved, *BARE)
    assert ran.code == 0 and "| train | mocap |" in ran.out, ran.err
    found = results(tmp_path / "out")
    assert [name.split("/")[-1] for name in found] == ["own", "none", "mocap"]
    assert found["swap/train/none"]["card"]["database_sha256"] is None
    again = run("eval", "swap", *words, "--databases", moved, moved, *BARE)
    assert "two databases are called 'mocap'; rename a folder" in again.complaint
    assert "name them with --databases" in run("eval", "swap", *words, *BARE).complaint
    ran = run("eval", "swap", *words, "--databases", other.database, *BARE)
    assert "database" in ran.complaint and "retriever" in ran.complaint


# ---- files -----------------------------------------------------------------------------------------------------------


def test_motions_of_somebody_else(run: Any, tiny_set: Path, other: Any, motions: Path, tmp_path: Path) -> None:
    words = ("--data", tiny_set, "--evaluator", other.retriever, "--motions", motions, "--out", tmp_path / "out")
    ran = run("eval", "generation", *words, *SMALL, "--config.splits", "[train, val]")
    assert ran.code == 0 and "Answers from files" in ran.out and "Nothing to score in val." in ran.out, ran.err
    found = results(tmp_path / "out")
    assert set(found) == {f"generation/train/{mode}" for mode in ("files", "real", "nearest_training")}
    mine, real = (found[f"generation/train/{mode}"] for mode in ("files", "real"))
    assert mine["card"]["clips_without_file"] == 0 and mine["card"]["captions"] == "first of each clip"
    for name, value in real["scores"]["evaluator"].items():
        assert mine["scores"]["evaluator"][name] == pytest.approx(value, abs=1e-3), name
    assert run("eval", "facts", *words, *SMALL).code == 0
    checked = results(tmp_path / "out")["facts/train/files"]
    assert checked["scores"]["share"] == pytest.approx(1.0)
    second = checked["scores"]["second_detectors"]
    assert second["share"] == second["real"] > 0.8 and second["num_facts"] == checked["scores"]["num_facts"]
    assert checked["card"]["second_detectors"] == detectors.VERSION


def test_a_models_motions_from_their_folder_score_as_before(
    run: Any, tiny_set: Path, other: Any, evaluated: Path, tmp_path: Path
) -> None:
    words = ("--evaluator", other.retriever, "--motions", evaluated / "motions" / "train" / "retrieval")
    assert run("eval", "generation", "--data", tiny_set, *words, "--out", tmp_path, *SMALL).code == 0
    ran = run("eval", "compare", evaluated, tmp_path, "--left-result", "generation/train/retrieval", "--right-result",
              "generation/train/files", "--json")  # fmt: skip
    (compared,) = json.loads(ran.out).values()
    assert compared["differing"] == {} and {"evaluator.fid", "physical.jerk"} <= compared["scores"].keys()
    assert all(left == pytest.approx(right) for left, right in compared["scores"].values())


def test_rare_prompts_of_somebodys_motions_score_as_the_models_own(
    run: Any, tiny_set: Path, tiny_text_model: Path, other: Any, evaluated: Path, tmp_path: Path
) -> None:
    words = ("--evaluator", other.retriever, "--motions", evaluated / "motions" / "train" / "retrieval",
             "--sentence-model", tiny_text_model, "--out", tmp_path)  # fmt: skip
    ran = run("eval", "rare", "--data", tiny_set, *words, *SMALL)
    assert ran.code == 0, ran.err
    found, before = results(tmp_path), results(evaluated)
    assert set(found) == {"rare/train/files", "rare/train/real"}
    left, right = found["rare/train/files"]["scores"], before["rare/train/retrieval"]["scores"]
    for name in ("mm_dist", "mm_dist_rare", "mm_dist_balanced"):
        assert left["training"][name] == pytest.approx(right["training"][name]), name


def test_captions_of_somebody_else(run: Any, tiny_set: Path, other: Any, tmp_path: Path) -> None:
    clips = MotionTextSet.open(tiny_set).clips("train")
    write_json(tmp_path / "mine.json", {clip.id: clip.captions[0] for clip in clips[:-1]})
    words = ("--captions", tmp_path / "mine.json", "--out", tmp_path / "with")
    ran = run("eval", "captioning", "--data", tiny_set, "--evaluator", other.retriever, *words, *SMALL)
    assert ran.code == 0, ran.err
    (found,) = results(tmp_path / "with").values()
    assert found["scores"]["raw"]["bleu4"] == pytest.approx(1.0) and found["card"]["clips_without_file"] == 1
    assert found["scores"]["evaluator"].keys() >= {"t2m/R1", "m2t/R3", "mm_dist"}
    rows = [{"caption": clip.captions[0], "references": clip.captions[1:]} for clip in clips if clip.captions[1:]]
    write_json(tmp_path / "own.json", rows)
    ran = run("eval", "captioning", "--captions", tmp_path / "own.json", "--out", tmp_path / "without")
    assert ran.code == 0 and "on **own.json**" in ran.out, ran.err
    (alone,) = results(tmp_path / "without").values()
    assert alone["card"]["num_items"] == len(rows) and 0 < alone["scores"]["raw"]["rougeL"] < 1


# ---- evaluators ------------------------------------------------------------------------------------------------------


def test_guos_evaluator_in_both_variants(
    run: Any, guo_release: Path, tiny_set: Path, motions: Path, tmp_path: Path
) -> None:
    guo = tmp_path / "guo"
    assert run("import", "guo", guo_release, "--trained-on", "HumanML3D", "--out", guo).code == 0
    words = ("--data", tiny_set, "--motions", motions, "--evaluator", guo)
    for variant, option in (("packed", ()), ("unpacked", ("--evaluator-variant", "unpacked"))):
        ran = run("eval", "generation", *words, *option, "--out", tmp_path / variant, *BARE)
        assert ran.code == 0 and not ran.err, ran.err
        card = results(tmp_path / variant)["generation/train/files"]["card"]
        assert card["evaluator"]["name"] == f"guo-{variant}" and card["evaluator"]["trained_on"] == "HumanML3D"
    assert "name guo-packed" in run("eval", "compare", tmp_path / "packed", tmp_path / "unpacked").complaint


def test_guos_evaluator_as_a_retriever(
    run: Any, tiny_set: Path, guo_release: Path, tiny_text_model: Path, tmp_path: Path
) -> None:
    """A row of TMR's tables: ranked by the distances that it was trained for, not by cosines."""
    assert run("import", "guo", guo_release, "--out", tmp_path / "guo").code == 0
    words = ("--data", tiny_set, "--retriever", tmp_path / "guo", "--sentence-model", tiny_text_model, "--out")
    ran = run("eval", "retrieval", *words, tmp_path / "out", *SMALL)
    assert ran.code == 0, ran.err
    (result,) = results(tmp_path / "out").values()
    assert result["card"]["retriever"] == "guo_evaluator"
    network = open_evaluator(tmp_path / "guo")
    clips = MotionTextSet.open(tiny_set).clips("train")
    clips = sorted(clips, key=lambda clip: clip.id)
    text = network.encode_text([clip.captions[0] for clip in clips], [clip.tokens[0] for clip in clips])
    motion = network.encode_motion([MotionTextSet.open(tiny_set).features(clip) for clip in clips])
    nearer = np.linalg.norm(text[:, None] - motion[None], axis=-1)
    wanted = 100 * float((nearer.argsort(axis=1)[:, 0] == np.arange(len(clips))).mean())
    assert result["scores"]["normal"]["t2m/R@1"] == pytest.approx(wanted, abs=0.01)


def test_the_embedded_evaluator_scores_the_procedural_set(
    run: Any, tiny_set: Path, motions: Path, tmp_path: Path
) -> None:
    assert run("eval", "generation", "--data", tiny_set, "--motions", motions, "--out", tmp_path, *BARE).code == 0
    found = results(tmp_path)["generation/train/files"]
    record = read_json(embedded_model("evaluator") / "training.json")
    assert (
        found["card"]["evaluator"]["hash"] == record["part"] and "seed 1000" in found["card"]["evaluator"]["trained_on"]
    )
    # It was trained: of twelve real motions it tells which belongs to a caption.
    assert found["scores"]["evaluator"]["t2m/R3"]["mean"] > 0.7


def test_an_evaluator_that_depends_on_the_model_is_told(
    run: Any, tiny_set: Path, tiny_model: Path, other: Any, tmp_path: Path
) -> None:
    words = ("eval", "tokenizer", "--data", tiny_set, *BARE, "--out")
    ran = run(*words, tmp_path / "own", "--model", tiny_model, "--evaluator", tiny_model)
    reason = results(tmp_path / "own")["tokenizer/train"]["card"]["evaluator_dependence"]
    assert reason.startswith("the evaluator is the model's own retriever (") and reason in ran.out
    assert ran.code == 0 and ran.err.startswith(f"remogpt eval: warning: {reason}; ") and ran.err.count("\n") == 1
    kin, evaluator = tmp_path / "kin", tmp_path / "evaluator"
    shutil.copytree(tiny_model, kin)
    shutil.copytree(other.retriever, evaluator)
    for folder in (kin / "retriever", evaluator):
        write_record(folder, TrainingRecord("remogpt-procedural", "d" * 64))
    ran = run(*words, tmp_path / "same", "--model", kin, "--evaluator", evaluator)
    assert ran.code == 0 and "warning: the evaluator was trained on the same data as the model's retriever" in ran.err
    ran = run(*words, tmp_path / "free", "--model", tiny_model, "--evaluator", other.retriever)
    assert ran.code == 0 and not ran.err
    assert results(tmp_path / "free")["tokenizer/train"]["card"]["evaluator_dependence"] is None


# ---- comparisons -----------------------------------------------------------------------------------------------------


@pytest.fixture
def reseeded(evaluated: Path, tmp_path: Path) -> Path:
    """A folder whose generation was drawn with another seed, as its card says."""
    found = results(evaluated)["generation/train/retrieval"]
    found["card"] |= {"seed": 3, "model": "theirs"}
    write_json(tmp_path / "theirs" / "results.json", {"format": 2, "results": {"generation/train/retrieval": found}})
    return tmp_path / "theirs"


def test_two_evaluations_side_by_side(run: Any, evaluated: Path) -> None:
    ran = run("eval", "compare", evaluated, evaluated / "results.json")
    assert ran.code == 0 and ran.out.startswith(f"left: {evaluated}, right: {evaluated / 'results.json'}\n")
    assert all(f"\n## {name}\n" in ran.out for name in results(evaluated)), "every common name is compared"
    names = ("--left-result", "generation/train/retrieval", "--right-result", "generation/train/real")
    ran = run("eval", "compare", evaluated, evaluated, *names)
    assert ran.code == 0 and "## generation/train/retrieval | generation/train/real\n" in ran.out
    sides = [results(evaluated)[name]["scores"]["evaluator"]["mm_dist"]["mean"] for name in names[1::2]]
    row = f"| evaluator.mm_dist | {sides[0]:.4g} | {sides[1]:.4g} | {sides[1] - sides[0]:+.4g} |"
    assert row in ran.out


def test_different_protocols_are_refused_with_both_cards(run: Any, evaluated: Path, reseeded: Path) -> None:
    complaint = run("eval", "compare", evaluated, reseeded).complaint
    assert "results generation/train/retrieval of different protocols cannot be compared (seed: 0 / 3);" in complaint
    ran = run("eval", "compare", evaluated, reseeded, "--force")
    assert ran.code == 0 and "| card | left | right |\n|---|---|---|\n| seed | 0 | 3 |\n" in ran.out
    ran = run("eval", "compare", evaluated, reseeded, "--force", "--json")
    assert json.loads(ran.out)["generation/train/retrieval"]["differing"] == {"seed": [0, 3]}


def test_what_cannot_be_compared(run: Any, evaluated: Path, tmp_path: Path) -> None:
    write_json(tmp_path / "empty.json", {"results": {}})
    write_json(tmp_path / "strange.json", {"results": {"generation/train/real": 3}})
    (tmp_path / "text.json").write_text("left, right")
    for right, message in {
        tmp_path / "nowhere": f"no file {tmp_path / 'nowhere'}",
        tmp_path / "text.json": "is not valid JSON",
        tmp_path / "strange.json": "wanted object, got int at results",
        tmp_path / "empty.json": "have no result of one name",
    }.items():
        assert message in run("eval", "compare", evaluated, right).complaint, right
    ran = run("eval", "compare", evaluated, evaluated, "--right-result", "generation/test/retrieval")
    assert "has no result 'generation/test/retrieval'; it has tokenizer/train" in ran.complaint


# ---- unusable input --------------------------------------------------------------------------------------------------


def test_what_a_user_may_get_wrong(run: Any, tiny_set: Path, tiny_model: Path, other: Any, tmp_path: Path) -> None:
    foreign = tmp_path / "theirs"
    shutil.copytree(tiny_set, foreign, ignore=shutil.ignore_patterns("set.json", "items", "new_joints"))
    (tmp_path / "bad.json").write_text("{")
    write_json(tmp_path / "rows.json", [{"caption": "a man walks"}])
    write_json(tmp_path / "number.json", {"000000": 3})
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    strange = tmp_path / "strange"
    write_npy(strange / f"{MotionTextSet.open(tiny_set).ids('train')[0]}.npy", np.zeros((5, 7)))
    own, out = ("--data", tiny_set), ("--out", tmp_path / "out")
    model, scorer = ("--model", tiny_model), ("--evaluator", other.retriever)
    cases: dict[tuple[Any, ...], str] = {
        (): "say which task: all, tokenizer, retrieval, generation, facts, ...",
        ("generaton", *own, *out): "no task 'generaton'; did you mean 'generation'?",
        ("generation", *out): "data",
        ("facts", *own): "out",
        ("facts", *own, "--out", tmp_path / "file"): "is a file; name another folder",
        ("facts", *own, *out, "--database", other.database, *model): "retriever",
        ("facts", *own, *out, "--sentence-model", "x"): "no option '--sentence-model'",
        ("facts", *own, *out, *model, "--motions", strange): "--motions is scored instead of a model's answers",
        ("facts", *own, *out, *scorer, "--motions", tmp_path / "nowhere"): "no folder of motions",
        ("facts", *own, *out, *scorer, "--motions", tmp_path / "empty", *BARE): "holds no motion of split train",
        ("facts", *own, *out, *scorer, "--motions", strange, *BARE): "holds (5, 7), wanted features (frames, 263)",
        ("facts", "--data", foreign, *out, *model): "none of its clips has facts",
        ("facts", "--data", tmp_path / "nowhere", *out): "is not in HumanML3D's layout",
        ("all", *own, *out, "--model", tmp_path / "nowhere"): "nowhere",
        ("all", *own, *out, *model, "--evaluator", tmp_path / "nowhere"): "there is no such folder; give a folder made",
        ("all", *own, *out, *model, "--evaluator", tiny_model / "lm"): "wanted an evaluator",
        ("all", *own, *out, *model, *scorer, "--evaluator-variant", "packed"): "only Guo et al.'s evaluator has",
        ("facts", "--data", foreign, *out, *model, "--evaluator-variant", "packed"): "name its folder with --evaluator",
        ("all", *own, *out, *model, *scorer, "--config.splits", "[far]"): "has none of the splits far; it has all",
        ("all", *own, *out, "--config.best_of", "[0]"): "best_of must be numbers of at least 1",
        ("all", *own, *out, "--config.best-of", "[1]"): "best_of",
        ("generation", "--data", foreign, *out, *model): "needs an evaluator network for the set theirs; name one with",
        ("generation", *own, *out, *model, *scorer, "--config.splits", "[test]"): "its splits hold one clip each",
        ("rare", *own, *out, *model, *scorer, "--sentence-model", tmp_path / "nowhere", *BARE): "no text model",
        ("retrieval", *own, *out, "--retriever", tiny_model / "lm"): "retriever",
        ("tokenizer", *own, *out, "--tokenizer", tmp_path / "nowhere"): "nowhere",
        ("captioning", *out): "give a set with --data, or captions with references of their own",
        ("captioning", *out, "--captions", tmp_path / "nowhere.json"): "no file",
        ("captioning", *out, "--captions", tmp_path / "bad.json"): "is not valid JSON",
        ("captioning", *out, "--captions", tmp_path / "rows.json"): "has no references; add them, or give the set",
        ("captioning", *out, "--captions", tmp_path / "rows.json", *scorer): "name the set with --data",
        ("captioning", *own, *out, *scorer, "--captions", tmp_path / "rows.json", *BARE): "none of them a clip of this",
        ("captioning", *own, *out, *scorer, "--captions", tmp_path / "number.json"): "should have id, caption (text)",
    }  # fmt: skip
    for words, message in cases.items():
        assert message in run("eval", *words).complaint, words
    assert not (tmp_path / "out" / "results.json").exists()
