"""The database commands that change, compare and export."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from remogpt.retriever import MotionDatabase


@pytest.fixture
def database(run, tiny_model, tiny_set, tmp_path: Path) -> Path:
    assert run("db", "build", tiny_set, "--out", tmp_path / "db", "--model", tiny_model).code == 0
    return tmp_path / "db"


def size(folder: Path) -> int:
    return len(MotionDatabase.open(folder))


def test_add_remove_filter_merge_rebuild_and_gc(run, tiny_model, tiny_set, database: Path, tmp_path: Path) -> None:
    model = ("--model", tiny_model)
    first, second = (info.id for info, _ in zip(MotionDatabase.open(database).infos(), range(2), strict=False))
    ran = run("db", "filter", database, "--ids", first, second, "--out", tmp_path / "two")
    assert ran.code == 0 and f"2 entries of {database}" in ran.out and size(tmp_path / "two") == 2
    ran = run("db", "remove", database, "--ids", first, second)
    assert ran.code == 0 and f"{size(database)} entries are left" in ran.out and size(database) == 10
    assert run("db", "merge", database, tmp_path / "two", "--out", tmp_path / "both").code == 0
    assert size(tmp_path / "both") == 12
    assert run("db", "add", database, tiny_set, "--split", "val", *model).code == 0
    assert run("db", "add", database, tmp_path / "two").code == 0
    assert size(database) > 12
    assert run("db", "rebuild", tmp_path / "two", "--no-facts", *model).code == 0
    assert not MotionDatabase.open(tmp_path / "two").has_facts
    ran = run("db", "rebuild", tmp_path / "two", "--only-facts", *model)
    assert ran.code == 2 and "--only-facts embeds nothing, so that --model has no effect; leave it out" in ran.err
    ran = run("db", "rebuild", tmp_path / "two", "--only-facts")
    assert ran.code == 0 and "2 entries, their facts found anew" in ran.out
    assert MotionDatabase.open(tmp_path / "two").has_facts
    assert "3 folders deleted" in run("db", "gc", database).out
    near = run(
        "db", "filter", database, "--like", "a person walks", "--min-score", -1, "--out", tmp_path / "all", *model
    )
    assert near.code == 0 and size(tmp_path / "all") == size(database)


def test_an_export_is_a_table_of_all_entries(run, database: Path, tmp_path: Path) -> None:
    infos = list(MotionDatabase.open(database).infos())
    assert run("db", "export", database, "--out", tmp_path / "t.jsonl").code == 0
    lines = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["id"] for line in lines] == [info.id for info in infos]
    assert [tuple(line["captions"]) for line in lines] == [info.captions for info in infos]
    assert run("db", "export", database, "--out", tmp_path / "t.csv").code == 0
    with (tmp_path / "t.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [tuple(json.loads(row["captions"])) for row in rows] == [info.captions for info in infos]


def test_a_parquet_export(run, database: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    assert run("db", "export", database, "--out", tmp_path / "t.parquet").code == 0
    assert parquet.read_table(tmp_path / "t.parquet").num_rows == size(database)


def test_an_audit_lists_what_is_shared(run, database: Path, tiny_set, tmp_path: Path) -> None:
    clean = run("db", "audit", database, "--against", f"{tiny_set}:test", "--json")
    assert clean.code == 0 and not [one for one in json.loads(clean.out) if one["kind"] != "same caption"]
    train = run("db", "audit", database, "--against", f"{tiny_set}:train")
    assert f"same id  {'000000'}  {'000000'}" in train.out and "12 clips have something in common" in train.out
    assert "same motion  000000  000000  0.0 cm, +0.00 s, speed 1" in train.out
    left = tmp_path / "left"
    separated = run("db", "separate", database, "--against", f"{tiny_set}:test", "--out", left)
    assert separated.code == 0 and f"{left}: {size(left)} entries of {database}, without 0 that" in separated.out


def test_evaluation_refuses_a_database_that_holds_the_answers(run, tiny_model, tiny_set, tmp_path: Path) -> None:
    run("db", "build", tiny_set, "--split", "all", "--out", tmp_path / "all", "--model", tiny_model)
    words = ("eval", "facts", "--data", tiny_set, "--model", tiny_model, "--database", tmp_path / "all", "--out",
             tmp_path / "eval", "--config.splits", "[val]", "--config.num_generation", 1,
             "--config.best_of", "[1]")  # fmt: skip
    ran = run(*words)
    assert ran.code == 2 and "clips to evaluate" in ran.complaint and "--allow-overlap" in ran.complaint
    assert not (tmp_path / "eval").exists()
    assert run(*words, "--allow-overlap").code == 0
    results = json.loads((tmp_path / "eval" / "results.json").read_text(encoding="utf-8"))["results"]
    assert all(result["card"]["overlap_allowed"] for result in results.values())


def test_what_a_user_may_get_wrong(run, database: Path, tiny_set, tiny_model: Path, tmp_path: Path) -> None:
    cases = {
        ("remove", database): "say which entries: --ids, --text",
        ("remove", database, "--tag", "walks"): "wanted --tag name=value, came 'walks'",
        ("remove", database, "--licence", "GPL"): "no entry of",
        ("filter", database, "--text", "zzz", "--out", tmp_path / "x"): "meets these conditions",
        ("merge", database, database, "--out", tmp_path / "x"): "two entries are called",
        ("audit", database): "db: error: --against is missing; see 'remogpt db audit --help'",
        (
            "filter",
            database,
            "--like",
            "a person walks",
            "--out",
            tmp_path / "x",
            "--model",
            tiny_model,
        ): "meets these conditions",
        ("audit", database, "--against", tiny_set): "wanted --against SET:SPLIT",
        ("export", database, "--out", tmp_path / "x.txt"): "wanted --out to end in .jsonl, .csv or .parquet",
        ("gc", tmp_path): "no motion database in",
        ("rebuild", tmp_path / "nothing"): "no motion database",
        ("add", database, tmp_path / "nothing"): "nothing",
    }
    for words, wanted in cases.items():
        ran = run("db", *words)
        assert ran.code == 2 and wanted in ran.complaint, (words, ran.complaint)
    assert not (tmp_path / "x").exists()


def test_a_compact_database_of_an_earlier_version_says_what_to_do(run, database: Path, tmp_path: Path) -> None:
    """Its manifest cannot be edited: the hash would not fit. What it said is tried on the object."""
    old = MotionDatabase.open(shutil.copytree(database, tmp_path / "old"))
    old.manifest["motions"] = "nothing"
    with pytest.raises(Exception, match="keeps no motions beside their codes"):
        old.features(0)


def test_entries_that_may_not_be_used_are_not_found(run, tiny_model, database: Path, tmp_path: Path) -> None:
    infos = list(MotionDatabase.open(database).infos())
    tag, value = next((name, value) for name, value in infos[0].tags.items() if isinstance(value, str))
    allowed = {info.id for info in infos if info.tags[tag] == value}
    own = ("--database", database, "--model", tiny_model, "--tag", f"{tag}={value}")
    found = json.loads(run("search", "a person walks", "-k", 20, "--json", *own).out)
    assert {hit["id"] for hit in found} == allowed and len(allowed) < len(infos)
    best = max(hit["score"] for hit in found)
    least = json.loads(run("search", "a person walks", "-k", 20, "--json", "--min-score", best - 1e-3, *own).out)
    assert 0 < len(least) <= len(found) and all(hit["score"] >= best - 1e-3 for hit in least)
    answer = json.loads(run("generate", "a person walks", "--out", tmp_path / "m.npy", "--json", *own).out)
    assert {example["id"] for example in answer[0]["examples"]} <= allowed
    ran = run("search", "a person walks", "--licence", "none", "--database", database, "--model", tiny_model)
    assert ran.code == 2 and "meets the conditions" in ran.complaint
