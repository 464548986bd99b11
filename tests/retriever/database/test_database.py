"""The database: round trip, search, exclusion, safety of builds, and refusals."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from remogpt.retriever.database import build
from remogpt.retriever.database.database import MotionDatabase
from remogpt.retriever.database.entry import DatabaseEntry, EntryInfo, EntryNames, windowed
from remogpt.retriever.database.version_files import manifest_hash, new_version, publish, remove_old_versions
from remogpt.runtime.errors import MissingPathError, RemogptError

Entries = list[DatabaseEntry]


@pytest.fixture
def database(tmp_path: Path, entries: Entries, retriever: Any, tokenizer: Any, build_once: Any) -> MotionDatabase:
    folder = build_once(
        __name__, lambda path: MotionDatabase.build(entries, retriever, tokenizer, path), tmp_path / "db"
    )
    return MotionDatabase.open(folder, retriever)


def test_round_trip(database: MotionDatabase, entries: Entries, tmp_path: Path) -> None:
    opened = MotionDatabase.open(tmp_path / "db")
    assert len(opened) == 40 and opened.hash == database.hash
    assert isinstance(opened.motion_embeddings.base, np.memmap)
    for row in (0, 17, 39):
        assert opened.info(row) == entries[row].info
        assert np.array_equal(opened.features(row), entries[row].features)
        codes = opened.codes(row)
        assert codes.dtype == np.int64 and codes.tolist() == list(range(len(entries[row].features) // 4))
    assert [entry.info for entry in opened.entries()] == [entry.info for entry in entries]
    assert opened.manifest["licences"] == {"CC0": 40} and opened.manifest["counts"]["captions"] == 80


def test_a_model_folder_opens_its_database(database: MotionDatabase, tmp_path: Path) -> None:
    (tmp_path / "db").rename(tmp_path / "database")
    assert len(MotionDatabase.open(tmp_path)) == 40


def test_the_same_entries_give_the_same_version(
    database: MotionDatabase, entries: Entries, retriever: Any, tokenizer: Any, tmp_path: Path
) -> None:
    assert MotionDatabase.build(iter(entries), retriever, tokenizer, tmp_path / "again").hash == database.hash


@pytest.mark.skipif(os.name == "nt", reason="removes a file that is mapped")
def test_entries_are_mapped_once_and_read_when_they_are_asked_for(database: MotionDatabase, entries: Entries) -> None:
    opened = MotionDatabase.open(database.path)
    assert opened.info(3) == entries[3].info
    (opened.folder / "entries.jsonl").unlink()
    assert opened.info(0) == entries[0].info and [info.id for info in opened.infos()] == [one.id for one in entries]
    with pytest.raises(RemogptError, match=r"entries\.jsonl differ from the manifest"):
        MotionDatabase.open(database.path)


@pytest.mark.skipif(not Path("/proc/self/maps").is_file(), reason="memory maps are listed on Linux alone")
def test_no_file_is_mapped_when_its_folder_gets_its_name(
    database: MotionDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows renames no folder with a file that is mapped."""
    mapped: list[str] = []
    publish = build.publish

    def looked_at(path: Path, folder: Path, version: str, replaces: str | None) -> None:
        mapped.append(Path("/proc/self/maps").read_text(encoding="utf-8"))
        assert str(database.folder) in mapped[-1] and str(folder) not in mapped[-1]
        publish(path, folder, version, replaces)

    monkeypatch.setattr(build, "publish", looked_at)
    kept = database.filter(lambda info: info.id == "c3", database.path)
    assert len(mapped) == 1 and kept.folder != database.folder and database.info(5).id == "c5"


def test_a_compact_database_keeps_joints(entries: Entries, retriever: Any, tokenizer: Any, tmp_path: Path) -> None:
    small = MotionDatabase.build(entries, retriever, tokenizer, tmp_path, compact=True)
    assert small.motion_embeddings.dtype == small.caption_embeddings.dtype == np.float16
    assert {example.id for example in small.search(text="a person kicks", k=5)} == {"c3", "c11", "c19", "c27", "c35"}
    assert small.motions_kept == "joints" and not (small.folder / "features.npy").exists()


@pytest.mark.parametrize("route", ["t2m", "t2t", "m2t", "m2m"])
def test_search_equals_a_full_scan(database: MotionDatabase, entries: Entries, retriever: Any, route: str) -> None:
    query: dict[str, Any] = {"text": "a man jumps"} if route[0] == "t" else {"motion": entries[12].features}
    encoded = retriever.encode_text([query["text"]]) if route[0] == "t" else retriever.encode_motion([query["motion"]])
    if route[2] == "m":
        gallery = retriever.encode_motion([entry.features for entry in entries])
        expected = (gallery.astype(np.float64) @ encoded[0].astype(np.float64)).astype(np.float32)
    else:
        expected = np.array(
            [
                (retriever.encode_text(e.captions).astype(np.float64) @ encoded[0].astype(np.float64)).max()
                for e in entries
            ],
            dtype=np.float32,
        )
    order = np.argsort(-expected, kind="stable")[:7]
    found = database.search(**query, route=route, k=7)  # type: ignore[arg-type]
    assert [example.id for example in found] == [entries[row].id for row in order]
    assert np.allclose([example.score for example in found], expected[order], atol=1e-6)
    assert {example.route for example in found} == {route}


def test_the_caption_that_matched_comes_back(database: MotionDatabase) -> None:
    found = database.search(text="someone waves slowly again", route="t2t", k=1)[0]
    assert found.caption == "someone waves slowly again" and found.score == pytest.approx(1.0, abs=1e-6)


def test_excluded_entries_are_passed_over(database: MotionDatabase) -> None:
    first = [example.id for example in database.search(text="a person bows", k=5)]
    second = [example.id for example in database.search(text="a person bows", k=5, exclude=[*first, "nobody"])]
    assert len(second) == 5 and not set(first) & set(second)
    everyone = database.search(text="a person bows", k=100, exclude=first)
    assert len(everyone) == 35


def test_a_source_or_a_mirrored_clip_excludes_all_its_entries(
    entry: Callable[..., DatabaseEntry], retriever: Any, tokenizer: Any, tmp_path: Path
) -> None:
    mirrored = [entry(20, "tape", mirror_of="c12"), entry(28, "other", mirror_of="c12")]
    database = MotionDatabase.build(
        [entry(4, "tape"), entry(12, "tape"), *mirrored, entry(36, "c4"), entry(44)], retriever, tokenizer, tmp_path
    )

    def left(*names: str) -> set[str]:
        return {example.id for example in database.search(text="a person jumps", k=9, exclude=names)}

    assert left() == {"c4", "c12", "c20", "c28", "c36", "c44"}
    assert left("tape") == {"c28", "c36", "c44"}
    assert left("c12") == {"c4", "c36", "c44"}  # itself and both mirror images
    assert left("c4") == {"c12", "c20", "c28", "c44"}  # itself and what was cut from it
    assert left("tape", "c12", "nobody") == {"c36", "c44"}
    query = database.retriever.encode_text(["a person jumps"])[0]  # type: ignore[union-attr]
    assert {hit.id for hit in database.search_embedding(query, "t2t", 9, ["other", "c44"])} == left("other", "c44")


def test_a_motion_object_is_a_query(database: MotionDatabase, entries: Entries) -> None:
    class Holder:
        features = entries[5].features

    assert database.search(motion=Holder(), route="m2m", k=1)[0].id == "c5"


@pytest.mark.parametrize(("name", "value"), [("skeleton", "smpl-24"), ("fps", 30), ("num_features", 251)])
def test_motions_of_another_skeleton_or_rate_are_refused(database: MotionDatabase, name: str, value: Any) -> None:
    """Even where the manifest is whole: its hash names the version."""
    manifest = json.loads((database.folder / "manifest.json").read_text()) | {name: value}
    (database.folder / "manifest.json").write_text(json.dumps(manifest))
    database.folder.rename(database.folder.with_name(manifest_hash(manifest)))
    (database.path / "CURRENT").write_text(manifest_hash(manifest) + "\n")
    with pytest.raises(RemogptError, match=rf"{value}.*this program reads humanml3d-22 at 20 fps"):
        MotionDatabase.open(database.path)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({}, "either text"),
        ({"text": "a", "route": "m2m"}, "route t2m or t2t"),
        ({"text": " "}, "empty"),
        ({"text": "a", "k": 0}, "at least 1"),
    ],
)
def test_queries_that_make_no_sense(database: MotionDatabase, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(RemogptError, match=message):
        database.search(**arguments)


def test_text_search_needs_a_retriever(database: MotionDatabase, tmp_path: Path) -> None:
    with pytest.raises(RemogptError, match="opened without a retriever"):
        MotionDatabase.open(tmp_path / "db").search(text="a person walks")


def test_another_retriever_is_refused(database: MotionDatabase, other_retriever: Any, tmp_path: Path) -> None:
    with pytest.raises(RemogptError, match="remogpt db rebuild") as caught:
        MotionDatabase.open(tmp_path / "db", other_retriever)
    assert database.manifest["retriever_hash"][:12] in str(caught.value)
    assert other_retriever.hash[:12] in str(caught.value)


def test_a_build_that_dies_leaves_the_old_version(
    database: MotionDatabase, entries: Entries, retriever: Any, tokenizer: Any, tmp_path: Path
) -> None:
    def dying() -> Iterator[DatabaseEntry]:
        yield from entries[:30]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        MotionDatabase.build(dying(), retriever, tokenizer, tmp_path / "db")
    assert MotionDatabase.open(tmp_path / "db").hash == database.hash
    assert [child.name for child in (tmp_path / "db" / "versions").iterdir()] == [database.hash]


def test_what_a_killed_build_left_is_removed_and_a_build_that_goes_on_is_not(tmp_path: Path) -> None:
    dead = tmp_path / "versions" / ".building.a1b2c3d4"
    dead.mkdir(parents=True)
    (dead / "features.npy").write_bytes(b"x")
    with new_version(tmp_path) as first:
        assert first.is_dir() and not dead.exists()
        dead.mkdir()
        with new_version(tmp_path) as second:
            assert first.is_dir() and second.is_dir()
            dead.mkdir()
            assert remove_old_versions(tmp_path) == [dead.name] and first.is_dir() and second.is_dir()


def test_a_version_that_another_process_has_just_written_is_taken(tmp_path: Path, monkeypatch: Any) -> None:
    """Two processes write the same: the second finds the folder there that was not there a moment before."""
    with new_version(tmp_path) as folder:
        (folder / "manifest.json").write_text("{}")
        other = tmp_path / "versions" / "v"
        other.mkdir()
        (other / "manifest.json").write_text("{}")
        real, asked = Path.exists, []
        monkeypatch.setattr(Path, "exists", lambda path: real(path) if asked or path != other else asked.append(path))
        publish(tmp_path, folder, "v", None)
    assert (tmp_path / "CURRENT").read_text() == "v\n" and [
        path.name for path in (tmp_path / "versions").iterdir()
    ] == ["v"]


def test_a_reader_keeps_its_version_through_a_rebuild(
    database: MotionDatabase, entries: Entries, retriever: Any, tokenizer: Any, tmp_path: Path
) -> None:
    newer = MotionDatabase.build(entries[:5], retriever, tokenizer, tmp_path / "db")
    assert len(database.search(text="a person sits", k=40)) == 40
    assert len(newer) == len(MotionDatabase.open(tmp_path / "db")) == 5


def test_damage_is_found(database: MotionDatabase) -> None:
    database.verify()
    with (database.folder / "codes.npy").open("r+b") as file:
        file.seek(200)
        file.write(b"\xff")
    with pytest.raises(RemogptError, match=r"codes\.npy differ"):
        database.verify()


def test_missing_and_broken_folders(database: MotionDatabase, tmp_path: Path) -> None:
    with pytest.raises(MissingPathError, match="remogpt db build"):
        MotionDatabase.open(tmp_path / "nothing")
    (tmp_path / "db" / "CURRENT").write_text("abc\n")
    with pytest.raises(MissingPathError, match=database.hash):
        MotionDatabase.open(tmp_path / "db")


def test_entries_that_cannot_be_used(
    entries: Entries, entry: Callable[..., DatabaseEntry], retriever: Any, tokenizer: Any, tmp_path: Path
) -> None:
    with pytest.raises(RemogptError, match="called 'c0'"):
        MotionDatabase.build([entries[0], entry(0)], retriever, tokenizer, tmp_path)
    with pytest.raises(RemogptError, match="at least one entry"):
        MotionDatabase.build([], retriever, tokenizer, tmp_path)
    with pytest.raises(RemogptError, match="captions that are not empty"):
        DatabaseEntry("x", "x", None, (" ",), entries[0].features)
    broken = DatabaseEntry("x", "x", None, ("a",), np.full((50, 263), np.nan, dtype=np.float32))
    with pytest.raises(RemogptError, match="finite"):
        MotionDatabase.build([broken], retriever, tokenizer, tmp_path)
    assert not (tmp_path / "CURRENT").exists()


def test_filter_and_merge_embed_nothing(database: MotionDatabase, retriever: Any, tmp_path: Path) -> None:
    calls = retriever.num_calls
    walks = database.filter(lambda info: info.tags["action"] == "walks", tmp_path / "walks")
    runs = database.filter(lambda info: info.tags["action"] == "runs", tmp_path / "runs")
    both = MotionDatabase.merge([walks, runs], tmp_path / "both")
    assert retriever.num_calls == calls and (len(walks), len(both)) == (5, 10)
    assert both.info(9).id == "c33"
    assert np.array_equal(both.features(9), database.features(33))
    assert np.array_equal(both.motion_embeddings[9], database.motion_embeddings[33])
    both.verify()
    with pytest.raises(RemogptError, match="two entries are called"):
        MotionDatabase.merge([walks, both], tmp_path / "twice")


def test_databases_of_two_retrievers_do_not_merge(
    database: MotionDatabase, entries: Entries, other_retriever: Any, tokenizer: Any, tmp_path: Path
) -> None:
    other = MotionDatabase.build(entries, other_retriever, tokenizer, tmp_path / "other")
    with pytest.raises(RemogptError, match="differ in retriever_hash"):
        MotionDatabase.merge([database, other], tmp_path / "both")


def test_long_motions_are_windowed_under_one_source() -> None:
    long = DatabaseEntry("a", "tape", "b", ("walks",), np.zeros((410, 263), dtype=np.float32))
    windows = list(windowed([long], max_frames=196, min_frames=40))
    assert [(window.id, window.source_id, window.mirror_of, len(window.features)) for window in windows] == [
        ("a#0", "tape", "b#0", 196),
        ("a#1", "tape", "b#1", 196),
        ("a#2", "tape", "b#2", 196),
    ]


class Changed:
    """A retriever whose rows of motions or captions are changed."""

    def __init__(self, retriever: Any, change: Callable[[np.ndarray], np.ndarray], of: str) -> None:
        self.inner, self.change, self.of = retriever, change, of

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def encode_motion(self, motions: list[np.ndarray]) -> np.ndarray:
        rows = self.inner.encode_motion(motions)
        return self.change(rows) if self.of == "motion" else rows

    def encode_text(self, texts: list[str]) -> np.ndarray:
        rows = self.inner.encode_text(texts)
        return self.change(rows) if self.of == "caption" else rows


@pytest.mark.parametrize(
    ("value", "of", "message"),
    [
        (np.nan, "motion", "gave NaN in the embedding of entry c2, and in 1 of 40"),
        (np.inf, "caption", "gave infinity in the embedding of a caption of entry c1"),
        (1.0, "motion", "the embedding of entry c2 has length 4, wanted 1"),
    ],
)
def test_a_diverged_retriever_builds_no_database(
    value: float, of: str, message: str, retriever: Any, tokenizer: Any, entries: Entries, tmp_path: Path
) -> None:
    def change(rows: np.ndarray) -> np.ndarray:
        rows[2] = value
        return rows

    with pytest.raises(RemogptError, match=message):
        MotionDatabase.build(entries, Changed(retriever, change, of), tokenizer, tmp_path / "db", facts=False)
    assert not (tmp_path / "db" / "CURRENT").exists()


def test_a_query_that_is_not_finite_is_refused(database: MotionDatabase) -> None:
    for route in ("t2m", "t2t"):
        with pytest.raises(RemogptError, match="the query's embedding holds NaN or infinity"):
            database.search_embedding(np.full(16, np.nan), route, k=2)


def test_a_collapsed_retriever_is_warned_of(
    retriever: Any, tokenizer: Any, entries: Entries, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    MotionDatabase.build(entries, retriever, tokenizer, tmp_path / "good", facts=False)
    assert "cannot be told apart" not in caplog.text
    collapsed = Changed(retriever, lambda rows: np.repeat(rows[:1], len(rows), axis=0), "motion")
    MotionDatabase.build(entries, collapsed, tokenizer, tmp_path / "alike", facts=False)
    assert "embeddings of the database's motions cannot be told apart" in caplog.text
    assert "captions cannot" not in caplog.text


def test_names_are_those_of_the_entries_and_odd_tags_are_read() -> None:
    info = EntryInfo("b", "a", "m", ("walks",), 40, "", "CC0", {"share": float("nan"), "takes": [1, 2]})
    read = EntryInfo.from_line(info.to_line())
    assert read.captions == ("walks",) and np.isnan(read.tags["share"]) and read.tags["takes"] == [1, 2]
    assert EntryNames.from_line(info.to_line()) == EntryNames("b", "a", "m")
    assert EntryInfo.from_line(replace(info, tags={}).to_line()) == replace(info, tags={})
    with pytest.raises(RemogptError, match=r"a line of entries.jsonl: .*wanted"):
        EntryNames.from_line(b'{"id": 3, "source_id": "a", "mirror_of": null}')
