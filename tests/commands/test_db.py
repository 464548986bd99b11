"""`remogpt db`."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from remogpt.retriever import MotionDatabase
from remogpt.retriever.database.leave_one_out import Neighbours


@pytest.fixture
def database(tiny_components, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return shutil.copytree(tiny_components.database, tmp_path / "database")


def test_build_by_model_or_by_components_gives_one_database(
    run, tiny_model, tiny_components, tiny_set, tmp_path: Path
) -> None:
    components = ("--retriever", tiny_components.retriever, "--tokenizer", tiny_components.tokenizer)
    for name, how in (("a", ("--model", tiny_model)), ("b", components)):
        ran = run("db", "build", tiny_set, "--split", "train", "--out", tmp_path / name, *how)
        assert ran.code == 0 and f"12 clips of {tiny_set}" in ran.out
    first, second = (MotionDatabase.open(tmp_path / name) for name in ("a", "b"))
    assert first.hash == second.hash and len(first) == 12
    assert first.manifest["licences"] == {"MIT": 12}
    assert first.features(0).shape[1] == 263


def test_the_longest_clips_of_the_protocol_are_entries_as_they_are(run, tiny_model, tiny_set, tmp_path: Path) -> None:
    longer = shutil.copytree(tiny_set, tmp_path / "set")
    for name, num_frames in (("000000", 199), ("000001", 300)):
        file = longer / "new_joint_vecs" / f"{name}.npy"
        np.save(file, np.resize(np.load(file), (num_frames, 263)))
    assert run("db", "build", longer, "--out", tmp_path / "all", "--model", tiny_model).code == 0
    names = {info.id: info.num_frames for info in MotionDatabase.open(tmp_path / "all").infos()}
    assert names["000000"] == 199 and {"000001#0", "000001#1"} <= names.keys()


def test_limit_spreads_over_the_split_and_compact_keeps_joints(run, tiny_model, tiny_set, tmp_path: Path) -> None:
    out = tmp_path / "small"
    ran = run("db", "build", tiny_set, "--split", "all", "--limit", 5, "--compact", "--out", out, "--model", tiny_model)
    assert ran.code == 0
    small = MotionDatabase.open(out)
    assert [info.id for info in small.infos()] == ["000000", "000003", "000006", "000009", "000012"]
    assert small.motions_kept == "joints"


def test_generate_uses_the_database_that_it_is_given(run, tiny_model, tiny_set, tmp_path: Path) -> None:
    run("db", "build", tiny_set, "--split", "val", "--out", tmp_path / "val", "--model", tiny_model)
    ran = run("generate", "a person walks", "--out", tmp_path / "m.npy", "--database", tmp_path / "val", "--json",
              "--model", tiny_model)  # fmt: skip
    assert {example["id"] for example in json.loads(ran.out)[0]["examples"]} == {"000004", "000014"}


def test_an_empty_database_answers_as_no_retrieval(run, tiny_model, tiny_set, tmp_path: Path, caplog) -> None:
    empty, motion = tmp_path / "empty", tiny_set / "new_joint_vecs" / "000004.npy"
    ran = run("db", "build", tiny_set, "--empty", "--out", empty, "--model", tiny_model)
    assert ran.code == 0 and "0 clips of nothing" in ran.out
    assert run("db", "verify", empty).code == 0
    written, captions = [], []
    for name, how in (("with", ("--database", empty)), ("without", ("--no-retrieval",))):
        out = tmp_path / f"{name}.npz"
        ran = run("generate", "a person walks", "--best-of", 2, "--out", out, "--model", tiny_model, *how)
        assert ran.code == 0 and ("is empty: nothing is found in it" in caplog.text) == (name == "with")
        written.append(np.load(out)["features"])
        ran = run("caption", motion, "--best-of", 2, "--json", "--model", tiny_model, *how)
        assert ran.code == 0
        captions.append(json.loads(ran.out))
        caplog.clear()
    np.testing.assert_array_equal(*written)
    assert captions[0] == captions[1] and captions[0][0]["examples"] == []


def test_nothing_is_found_in_an_empty_database(
    run, tiny_model, tiny_components, tiny_set, tmp_path: Path, caplog
) -> None:
    empty, of = tmp_path / "empty", ("--model", tiny_model, "--database", tmp_path / "empty")
    run("db", "build", tiny_set, "--empty", "--compact", "--out", empty, "--model", tiny_model)
    for how in ((), ("--route", "t2t"), ("--part", "legs"), ("--contributions",)):
        ran = run("search", "a person walks", "--json", *how, *of)
        assert (ran.code, json.loads(ran.out)) == (0, []) and "is empty" in caplog.text
        caplog.clear()
    for queries in ((), ("--queries", tiny_components.database)):
        ran = run("db", "neighbours", empty, *queries, "--out", tmp_path / "n.safetensors")
        assert ran.code == 2 and "is empty and has no neighbours" in ran.err
    full = MotionDatabase.open(tiny_components.database)
    both = MotionDatabase.merge([MotionDatabase.open(empty), full], tmp_path / "both")
    assert len(both) == 12 and both.has_part_encodings and both.motions_kept == "features"


def test_info_describes_a_database(run, tiny_components, tiny_model, tiny_set, tmp_path: Path) -> None:
    said = json.loads(run("db", "info", tiny_components.database, "--json").out)
    assert said["manifest"]["counts"]["entries"] == said["entries"] == 12 and said["manifest"]["fps"] == 20
    run("db", "build", tiny_set, "--out", tmp_path / "db", "--model", tiny_model)
    text = run("db", "info", tmp_path / "db", "--plot", tmp_path / "plot.png").out
    assert "12 entries of 12 recordings" in text and "lost by the tokenizer (cm): min" in text and "MIT 12" in text
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
    actions = MotionDatabase.open(tmp_path / "db").facts.actions()
    assert f"walks {actions['walks']}" in text and max(actions.values()) <= 12 and next(iter(actions.values())) > 1
    assert run("db", "info", tmp_path / "db", "--page", tmp_path / "db.html").code == 0
    page = (tmp_path / "db.html").read_text()
    assert "12 entries of 12 recordings" in page and "data:image/png" in page and "<td>MIT</td>" in page
    said = json.loads(run("db", "info", tmp_path / "db", "--json").out)
    assert page.count('<div class="clip">') == len(said["poorly said"]["worst"])
    for option, name in (("--plot", "plot.txt"), ("--page", "page.pdf")):
        assert "to end in" in run("db", "info", tmp_path / "db", option, tmp_path / name).complaint


def test_verify_finds_what_was_damaged(run, database: Path) -> None:
    assert "every file is as it was written" in run("db", "verify", database).out
    (codes,) = database.glob("versions/*/codes.npy")
    content = bytearray(codes.read_bytes())
    content[-1] ^= 1
    codes.write_bytes(content)
    assert "codes.npy differ from the manifest" in run("db", "verify", database).complaint


def test_neighbours_are_never_the_clip_itself(run, tiny_model, tiny_components, tiny_set, tmp_path: Path) -> None:
    out = tmp_path / "train.safetensors"
    ran = run("db", "neighbours", tiny_components.database, "--out", out, "--depth", 4)
    assert ran.code == 0 and "4 examples on each of four routes for 12 clips" in ran.out
    found = Neighbours.load(out, MotionDatabase.open(tiny_components.database))
    own = np.arange(12)[:, None]
    assert all((found.tensors[f"{route}/rows"] != own).all() for route in ("m2t", "m2m"))
    assert list(found.index_of) == list(MotionDatabase.open(tiny_components.database).rows)
    run("db", "build", tiny_set, "--split", "val", "--out", tmp_path / "val", "--model", tiny_model)
    asked = run("db", "neighbours", tiny_components.database, "--queries", tmp_path / "val", "--out", out)
    assert "for 2 clips" in asked.out
    assert np.array_equal(list(Neighbours.load(out).index_of), ["000004", "000014"])


def test_what_a_user_may_get_wrong(run, tiny_model, tiny_components, tiny_set, database, tmp_path: Path) -> None:
    out = ("--out", tmp_path / "out")
    model = ("--model", tiny_model)
    (tmp_path / "file").write_text("x")
    half = shutil.copytree(tiny_components.retriever, tmp_path / "half")
    (half / "model.safetensors").unlink()
    cases = {
        (): "say which action: build, add, remove, filter, merge, ...",
        ("bild",): "no action 'bild'; did you mean 'build'?",
        ("build", tmp_path, *out, *model): "wanted a set in HumanML3D's layout, a database, or recordings",
        ("build", tiny_set, *model): "out",
        ("build", tiny_set, "--split", "trian", *out, *model): "no split 'trian'",
        ("build", tiny_set, "--limit", -1, *out, *model): "--limit must be at least 0",
        ("build", tiny_set, "--out", tmp_path / "file", *model): "is a file; name another folder",
        ("build", tiny_set, "--min-frames", 500, *out, *model): "has no clip of 500 to",
        ("build", tiny_set, "--retriever", half, *out, *model): "model.safetensors missing (it holds config.json",
        ("build", tiny_set, "--retriever", tiny_components.tokenizer, *out, *model): "wanted a retriever, but",
        (
            "build",
            tiny_set,
            "--retriever",
            tiny_components.retriever,
            "--tokenizer",
            tiny_components.tokenizer,
            *out,
            *model,
        ): ("--retriever and --tokenizer leave nothing of --model to be used"),
        ("info", tiny_set): "no motion database in",
        ("neighbours", tiny_components.database, "--out", tmp_path / "n.txt"): "--out must end in .safetensors",
        ("neighbours", tiny_components.database, "--depth", 1, *out): "--depth must be at least 2",
    }
    for words, message in cases.items():
        assert message in run("db", *words).complaint, words
    (database / "CURRENT").write_text("0" * 64)
    assert "names version" in run("db", "info", database).complaint
    assert not (tmp_path / "out").exists()


def test_a_database_of_another_retriever_is_refused(run, tiny_model, make_tiny_components, tmp_path: Path) -> None:
    other = make_tiny_components(tmp_path / "other", 3)
    for words in (("generate", "walks", "--out", tmp_path / "m.npy"), ("search", "walks")):
        complaint = run(*words, "--database", other.database, "--model", tiny_model).complaint
        assert "was built with retriever" in complaint and "embed it again: remogpt db rebuild" in complaint
    assert not (tmp_path / "m.npy").exists()
