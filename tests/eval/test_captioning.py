"""Caption metrics: parity with the packages of the field, published scores, and failures that explain themselves."""

import json

import pytest
from nltk.translate.bleu_score import corpus_bleu as nltk_bleu

from remogpt.eval.captioning import caption_metrics, three_references
from remogpt.eval.text.bleu import corpus_bleu
from remogpt.eval.text.ngrams import count_ngrams
from remogpt.eval.text.rouge import lcs_length
from remogpt.eval.text.tokenize import lemma_tokens, ptb_tokens, raw_tokens


@pytest.fixture(scope="module")
def inputs(golden_dir):
    return json.loads((golden_dir / "caption_inputs.json").read_text())


@pytest.fixture(scope="module")
def expected(golden_dir):
    return json.loads((golden_dir / "caption.json").read_text())


def full_stop_for_empty(captions):
    return [caption or "." for caption in captions]


def assert_coco(scores, wanted):
    for order, value in enumerate(wanted["Bleu"], 1):
        assert scores[f"bleu{order}"] == pytest.approx(value, abs=1e-6)
    assert scores["rougeL"] == pytest.approx(wanted["ROUGE_L"], abs=1e-6)
    assert scores["cider"] == pytest.approx(wanted["CIDEr"], abs=1e-6)


def test_raw_equals_nlg_eval(inputs, expected):
    assert_coco(caption_metrics(inputs["hyps"], inputs["refs"]), expected["nlg-eval|raw|with_empty"])
    without_empty = full_stop_for_empty(inputs["hyps"])
    assert_coco(caption_metrics(without_empty, inputs["refs"]), expected["nlg-eval|raw|no_empty"])
    lower = [caption.lower() for caption in without_empty]
    references = [[caption.lower() for caption in item] for item in inputs["refs"]]
    assert_coco(caption_metrics(lower, references), expected["pycocoevalcap|lowercased|no_empty"])


def test_ptb_equals_pycocoevalcap_and_its_tokenizer(inputs, expected, golden_dir):
    assert_coco(caption_metrics(inputs["hyps"], inputs["refs"], "ptb"), expected["pycocoevalcap|ptb|with_empty"])
    tokens = json.loads((golden_dir / "caption_ptb.json").read_text())
    assert [" ".join(ptb_tokens(caption)) for caption in inputs["hyps"]] == tokens["hyps"]
    assert [[" ".join(ptb_tokens(text)) for text in item] for item in inputs["refs"]] == tokens["refs"]


@pytest.mark.parametrize("empty", ["no_empty", "with_empty"])
def test_metricverse_equals_nlg_metricverse(inputs, expected, empty):
    hypotheses = full_stop_for_empty(inputs["hyps"]) if empty == "no_empty" else inputs["hyps"]
    scores = caption_metrics(hypotheses, inputs["refs"], "metricverse")
    wanted = expected[f"nlgmetricverse|{empty}"]
    assert scores["bleu1"] == pytest.approx(wanted["bleu_1"]["score"], abs=1e-6)
    assert scores["bleu4"] == pytest.approx(wanted["bleu_4"]["score"], abs=1e-6)
    assert scores["cider"] == pytest.approx(wanted["cider"]["score"], abs=1e-6)
    assert scores["rougeL"] == pytest.approx(wanted["rouge"]["rougeL"], abs=5e-3)  # theirs is a random bootstrap
    if empty == "no_empty":
        assert scores["rougeL"] == pytest.approx(expected["rouge_score_rougeL_max_over_refs|no_empty"], abs=1e-6)


@pytest.mark.parametrize("method", ["tm2t", "motiongpt"])
def test_published_scores_are_reproduced(data_dir, method):
    cases = json.loads((data_dir / "text" / "m2t_predictions.json").read_text())["cases"]
    wanted = json.loads((data_dir / "text" / "m2t_published_scores.json").read_text())[method]["rawReferenceMetrics"]
    scores = caption_metrics(
        [case["outputs"][method] for case in cases], [three_references(case["references"]) for case in cases]
    )
    for name in ("bleu1", "bleu4", "rougeL", "cider"):
        assert scores[name] == pytest.approx(wanted[name], abs=1e-3)


def test_bleu_equals_nltk_where_every_sentence_has_four_words():
    hypotheses = [raw_tokens("a man walks forward and sits"), raw_tokens("the person waves the left hand")]
    references = [
        [raw_tokens("a man walks forward then sits down")],
        [raw_tokens("a person waves the left hand twice")] * 2,
    ]
    ours = corpus_bleu(hypotheses, references)
    theirs = [nltk_bleu(references, hypotheses, weights=[1.0 / n] * n) for n in range(1, 5)]
    assert ours.tolist() == pytest.approx(theirs, abs=1e-9)


def test_copies_of_the_reference_score_full_marks():
    references = [["a man walks forward slowly"], ["someone waves with the left hand"], ["a woman sits down on it"]]
    hypotheses = [item[0] for item in references]
    for protocol in ("raw", "ptb", "metricverse"):
        scores = caption_metrics(hypotheses, references, protocol)
        assert [scores[f"bleu{n}"] for n in range(1, 5)] == pytest.approx([1.0] * 4)
        assert (scores["rougeL"], scores["cider"]) == pytest.approx((1.0, 10.0))
    assert scores["length"] == pytest.approx(17 / 3)


def test_only_empty_hypotheses_score_zero():
    scores = caption_metrics(["", " "], [["a man walks"], ["he sits"]])
    assert (scores["rougeL"], scores["cider"], scores["num_empty"]) == (0.0, 0.0, 2.0)
    assert scores["bleu4"] == pytest.approx(0.0, abs=1e-6)


def test_counting_and_common_subsequences():
    first = count_ngrams([list("abab"), [], list("ba")], 2)
    assert first[0].totals(3).tolist() == [4, 0, 2]
    assert sorted(first[1].count.tolist()) == [1, 1, 2]
    assert lcs_length("abcd", "bda") == 2
    assert lcs_length([], "a") == 0


def test_references_become_three():
    assert three_references(["a"]) == ["a", "a", "a"]
    assert three_references(["a", "b"]) == ["a", "b", "a"]
    assert three_references(["a", "b", "c", "d"]) == ["a", "b", "c"]


def test_lemma_takes_given_tokens_and_asks_for_spacy_otherwise():
    scores = caption_metrics([("walk/VERB", "slowly/ADV")], [[("a/DET", "man/NOUN", "walk/VERB")]], "lemma")
    assert scores["bleu1"] == pytest.approx(0.5 * 2.718281828 ** (1 - 3 / 2), rel=1e-6)
    assert raw_tokens(("and/or", "left/NOUN")) == ["and/or", "left"]
    try:
        import spacy
    except ImportError:
        with pytest.raises(ValueError, match=r"remogpt\[spacy\]"):
            lemma_tokens(["a man walks"])
    else:
        assert spacy.__version__


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: caption_metrics([], []), "list is empty"),
        (lambda: caption_metrics("walks", [["walks"]]), "came one string"),
        (lambda: caption_metrics(["walks"], ["walks"]), "references of item 0"),
        (lambda: caption_metrics(["walks"], [["a"], ["b"]]), "came 1 hypotheses but 2"),
        (lambda: caption_metrics(["walks", "sits"], [["a"], []]), "item 1 has no reference"),
        (lambda: caption_metrics(["walks"], [["a"]], "coco"), "unknown caption protocol 'coco'"),
        (lambda: caption_metrics([""], [["a"]], "metricverse"), "every hypothesis is empty"),
    ],
)
def test_input_that_cannot_be_scored_is_refused_with_the_reason(call, message):
    with pytest.raises(ValueError, match=message):
        call()
