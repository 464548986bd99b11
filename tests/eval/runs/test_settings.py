"""Settings reach the model and the scores, and those that cannot work are refused before the work."""

import numpy as np
import pytest

from remogpt.data.humanml3d import Caption, MotionTextSet
from remogpt.data.writer import SetItem, write_item
from remogpt.eval.runs.config import EvalConfig
from remogpt.eval.runs.evaluate import evaluate, evaluate_captions
from remogpt.eval.runs.run import Run
from remogpt.eval.text import tokenize
from remogpt.motion import joints_to_features
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import write_json, write_npy, write_text
from tests.eval.runs.quick import QUICK

pytestmark = pytest.mark.usefixtures("no_plots")


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


def test_a_single_captions_cider_is_explained(known_set, world, tmp_path):
    config = EvalConfig(**QUICK, num_captioning=1, controls=False)
    run = Run(known_set, tmp_path, config, world.Oracle(known_set), world.Evaluator(known_set))
    scores = evaluate(run, ["captioning"])["results"]["captioning/test/retrieval"]["scores"]
    assert scores["raw"]["cider"] == 0.0 and any("CIDEr of a single caption is 0" in mark for mark in scores["marks"])
    write_json(tmp_path / "one.json", [{"id": "a", "caption": "a person walks", "references": ["a person walks"]}])
    alone = evaluate_captions(tmp_path / "alone", tmp_path / "one.json", EvalConfig())
    assert "CIDEr of a single caption" in alone["results"]["captioning/all/files"]["scores"]["marks"][0]
    assert "CIDEr of a single caption" in (tmp_path / "alone" / "report.md").read_text()
