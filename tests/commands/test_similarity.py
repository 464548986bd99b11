"""`remogpt similarity`."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

import remogpt
from remogpt.retriever import TextMotionRetriever


@pytest.fixture
def words(tiny_components) -> tuple[object, ...]:
    return ("--retriever", tiny_components.retriever)


@pytest.fixture
def cosines(tiny_components, wave: Path):
    """Cosines of captions with the wave, straight from the retriever."""

    def of(*captions: str) -> np.ndarray:
        retriever = TextMotionRetriever.from_pretrained(tiny_components.retriever)
        return retriever.encode_text(captions) @ retriever.encode_motion([remogpt.load_motion(wave).features])[0]

    return of


def test_a_pair_prints_cosine_and_score(run, words, cosines, wave: Path) -> None:
    ran = run("similarity", "a person walks", wave, *words)
    (cosine,) = cosines("a person walks")
    assert ran.code == 0 and ran.out.strip() == f"cosine {cosine:.3f}  score {cosine / 2 + 0.5:.3f}"


def test_captions_and_motions_make_a_table(run, words, cosines, wave: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.npy"
    np.save(other, np.load(wave)[:50])
    asked = ("similarity", "a person walks", wave, "a person runs", other)
    lines = run(*asked, *words).out.splitlines()
    wanted = cosines("a person walks", "a person runs") / 2 + 0.5
    assert lines[0].split() == ["wave.npy", "other.npy"] and len(lines) == 3
    assert [line.split()[-2] for line in lines[1:]] == [f"{value:.3f}" for value in wanted]
    answer = json.loads(run(*asked, "--json", *words).out)
    assert [row["name"] for row in answer["rows"]] == ["a person walks", "a person runs"]
    np.testing.assert_allclose(np.array(answer["score"])[:, 0], wanted, atol=1e-5)
    np.testing.assert_allclose(np.array(answer["score"]), np.array(answer["cosine"]) / 2 + 0.5, atol=1e-6)
    assert run(*asked, "--csv", tmp_path / "s.csv", *words).out == f"{tmp_path / 's.csv'}: 2 x 2 cosines and scores\n"
    with (tmp_path / "s.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["row"], Path(row["column"]).name) for row in rows][:2] == [
        ("a person walks", "wave.npy"), ("a person walks", "other.npy"),
    ]  # fmt: skip
    assert float(rows[0]["score"]) == pytest.approx(wanted[0], abs=1e-5)


def test_captions_alone_are_compared_with_each_other(run, words, tmp_path: Path) -> None:
    same = run("similarity", "a person walks", "a person walks", *words)
    assert same.out.strip() == "cosine 1.000  score 1.000"
    answer = json.loads(run("similarity", "a person walks", "a man runs", "a woman waves", "--json", *words).out)
    table = np.array(answer["cosine"])
    assert table.shape == (3, 3) and np.allclose(np.diag(table), 1, atol=1e-5) and np.allclose(table, table.T)
    assert table[0, 1] < 1


def test_motions_alone_are_compared_with_each_other(run, words, wave: Path) -> None:
    assert run("similarity", wave, wave, *words).out.strip() == "cosine 1.000  score 1.000"
    answer = json.loads(run("similarity", wave, wave, wave, "--json", *words).out)
    np.testing.assert_allclose(answer["cosine"], np.ones((3, 3)), atol=1e-5)


def test_text_says_that_a_word_is_a_caption(run, words, wave: Path, monkeypatch) -> None:
    monkeypatch.chdir(wave.parent)
    (wave.parent / "walks").mkdir()
    assert "no motion files in walks" in run("similarity", "walks", "wave.npy", *words).complaint
    assert run("similarity", "--text", "walks", "wave.npy", *words).code == 0
    (wave.parent / "runs").write_text("a file without suffix is no motion")
    assert run("similarity", "runs", "wave.npy", *words).code == 0


def test_one_bad_file_of_several_is_left_out(run, words, wave: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "bad.npy", np.zeros(5))
    ran = run("similarity", "a person walks", wave, tmp_path / "bad.npy", *words)
    assert ran.code == 1 and ran.out.startswith("cosine") and "1 of 2 files could not be read" in ran.err


def test_what_a_user_may_get_wrong(run, words, wave: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "bad.npy", np.zeros(5))
    cases = {
        (): "wanted at least two captions or motions to compare, got 0",
        ("walks",): "got 1",
        ("walks", wave.with_suffix(".bvh")): "no file",
        ("walks", tmp_path / "bad.npy"): "bad.npy",
        ("walks", wave, "--csv", tmp_path): "is a folder",
        ("", wave): "holds no words",
        ("walks", wave, "--josn"): "did you mean '--json'?",
    }
    for case, message in cases.items():
        assert message in run("similarity", *case, *words).complaint, case
    assert str(tmp_path) in run("similarity", "a", "b", "--retriever", tmp_path).complaint
