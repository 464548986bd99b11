"""`remogpt demo`."""

from pathlib import Path

import numpy as np


def test_the_page_shows_both_directions(run, tiny_model: Path, tiny_set: Path, tmp_path: Path) -> None:
    motions = tmp_path / "recordings"
    motions.mkdir()
    np.save(motions / "fine.npy", np.load(tiny_set / "new_joints" / "000003.npy"))
    np.save(motions / "bad.npy", np.zeros((3, 5)))
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("a person walks\nsomeone <script>alert(1)</script> waves\n")
    ran = run("demo", "--out", tmp_path / "demo", "--prompts", prompts, "--motions", motions, "--model", tiny_model)
    assert ran.code == 0 and "2 generated motions, 1 captioned motions" in ran.out
    assert "left out" in ran.err and "bad.npy" in ran.err
    page = (tmp_path / "demo" / "index.html").read_text(encoding="utf-8")
    # Each answer with its two examples; every motion plays.
    assert page.count('<figure class="remogpt-player"') == 3 * (1 + 2)
    assert page.count('<article class="card">') == 3 and page.count("Retrieved examples") == 3
    assert page.count("written by the model") == 2
    assert "from fine.npy" in page and "<script>alert(1)" not in page and "&lt;script&gt;alert(1)" in page
    assert "http://" not in page.replace("http://www.w3.org", "") and "https://" not in page


def test_without_recordings_its_own_motions_are_captioned(run, tiny_model: Path, tmp_path: Path, monkeypatch) -> None:
    recordings = tmp_path / "shared" / "data" / "raw"  # what lies beside a checkout is not read unless it is named
    recordings.mkdir(parents=True)
    (recordings / "walk.bvh").write_text("no motion")
    (tmp_path / "checkout").mkdir()
    monkeypatch.chdir(tmp_path / "checkout")
    ran = run("demo", "--model", tiny_model, "--no-retrieval")
    assert ran.code == 0 and "6 generated motions, 5 captioned motions" in ran.out
    page = Path("demo/index.html").read_text(encoding="utf-8")
    assert "answered without retrieved examples" in page and page.count("from the model, for") == 5


def test_what_a_user_may_get_wrong(run, tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    cases = {
        ("--out", tmp_path / "file"): "is a file; name another folder",
        ("--out", tmp_path / "d", "--prompts", tmp_path / "nowhere.txt"): "no file",
        ("--out", tmp_path / "d", "--motions", tmp_path / "empty"): "no motion files in",
    }
    for words, message in cases.items():
        assert message in run("demo", *words, "--model", tiny_model).complaint, words
    assert not (tmp_path / "d").exists()
