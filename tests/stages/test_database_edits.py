"""Change databases: what is kept, what is refused, and that a change is one step."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from remogpt import ReMoGPT, stages
from remogpt.retriever import MotionDatabase
from remogpt.retriever.database import version_reader
from remogpt.retriever.database.entry_filter import EntryFilter
from remogpt.runtime.errors import MissingPathError, RemogptError


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> ReMoGPT:
    return ReMoGPT.from_pretrained(tiny_model, device="cpu")


@pytest.fixture
def database(tiny_set: Path, model: ReMoGPT, tmp_path: Path) -> MotionDatabase:
    return stages.build_database(tiny_set, out=tmp_path / "db", model=model, split="train")


def names(database: MotionDatabase) -> list[str]:
    return [info.id for info in database.infos()]


def same_rows(one: MotionDatabase, other: MotionDatabase, ids: list[str]) -> bool:
    return all(
        np.array_equal(one.codes(one.rows[id]), other.codes(other.rows[id]))
        and np.allclose(one.motion_embeddings[one.rows[id]], other.motion_embeddings[other.rows[id]], atol=1e-6)
        and np.array_equal(one.facts.of(one.rows[id]).rows, other.facts.of(other.rows[id]).rows)
        and np.isclose(one.reconstruction_errors[one.rows[id]], other.reconstruction_errors[other.rows[id]])
        for id in ids
    )


def test_a_database_is_built_of_the_training_split_alone(database: MotionDatabase, tiny_set: Path) -> None:
    train = (tiny_set / "train.txt").read_text().split()
    assert {info.source_id for info in database.infos()} == set(train)


def test_what_is_added_is_as_if_it_had_been_built_together(
    database: MotionDatabase, tiny_set: Path, model: ReMoGPT, tmp_path: Path
) -> None:
    before = names(database)
    added = stages.add_to_database(database, tiny_set, split="val", model=model)
    assert added.path == database.path and names(added)[: len(before)] == before and len(added) > len(before)
    whole = stages.build_database(tiny_set, out=tmp_path / "all", model=model, split="all")
    assert same_rows(added, whole, names(added))
    assert not list(tmp_path.glob(".db.adding.*"))
    with pytest.raises(RemogptError, match="have a clip '000004'"):
        stages.add_to_database(added, tiny_set, split="val", model=model)
    assert MotionDatabase.open(database.path).hash == added.hash


def test_of_entries_of_one_id_the_first_is_kept_on_request(
    database: MotionDatabase, tiny_set: Path, model: ReMoGPT, tmp_path: Path
) -> None:
    whole = stages.build_database(tiny_set, out=tmp_path / "all", model=model, split="all", compact=True)
    with pytest.raises(RemogptError, match=r"two entries are called .*--keep-first"):
        stages.merge_databases([database, whole], out=tmp_path / "both")
    both = stages.merge_databases([database, whole], out=tmp_path / "both", keep_first=True)
    assert names(both)[: len(database)] == names(database) and sorted(names(both)) == sorted(names(whole))
    again = stages.merge_databases([database, database], out=tmp_path / "again", keep_first=True)
    assert names(again) == names(database)


def test_entries_of_another_database_are_added(
    database: MotionDatabase, tiny_set: Path, model: ReMoGPT, tmp_path: Path
) -> None:
    other = stages.build_database(tiny_set, out=tmp_path / "val", model=model, split="val", compact=True)
    both = stages.add_to_database(database.path, other.path)
    assert names(both) == names(database) + names(other)
    assert both.motions_kept == "joints", "what one of them lacks is kept of none"


def test_entries_are_removed_in_one_step_and_garbage_is_collected(database: MotionDatabase) -> None:
    gone, *rest = names(database)
    left = stages.filter_database(database, EntryFilter(ids=frozenset([gone])), invert=True)
    assert names(left) == rest and same_rows(left, database, rest)
    assert names(database) == [gone, *rest], "a reader of the old version is not disturbed"
    assert stages.collect_garbage(database.path) == [database.hash]
    assert names(MotionDatabase.open(database.path)) == rest
    (database.path / ".parts.gone" / "block").mkdir(parents=True)  # a build was killed while it deleted its blocks
    assert stages.collect_garbage(database.path) == ["block"] and not (database.path / ".parts.gone").exists()
    assert stages.collect_garbage(database.path) == []


def test_two_changes_at_once_are_not_lost(database: MotionDatabase, tmp_path: Path) -> None:
    first, second, *rest = names(database)
    stages.filter_database(database, EntryFilter(ids=frozenset([first])), invert=True)
    with pytest.raises(RemogptError, match="was changed since it was opened"):
        stages.filter_database(database, EntryFilter(ids=frozenset([second])), invert=True)
    assert names(MotionDatabase.open(database.path)) == [second, *rest]


def test_conditions(database: MotionDatabase, model: ReMoGPT, tmp_path: Path) -> None:
    infos = list(database.infos())
    word = infos[0].captions[0].split()[1].strip(".,").lower()
    tag, value = next((name, value) for name, value in infos[0].tags.items() if isinstance(value, str))

    def kept(**conditions: object) -> set[str]:
        chosen = EntryFilter(**conditions)  # type: ignore[arg-type]
        return set(names(stages.filter_database(database, chosen, out=tmp_path / "kept")))

    def words(caption: str) -> list[str]:
        return [one.strip(".,").lower() for one in caption.split()]

    assert kept(text=word.upper()) == {
        one.id for one in infos if any(word in words(caption) for caption in one.captions)
    }
    assert kept(tags=((tag, value),)) == {one.id for one in infos if one.tags[tag] == value}
    assert kept(min_seconds=4.0) == {one.id for one in infos if one.num_frames >= 80}
    assert kept(max_seconds=4.0) == {one.id for one in infos if one.num_frames <= 80}
    assert kept(licence=infos[0].licence) == {one.id for one in infos if one.licence == infos[0].licence}
    cosines = database.motion_embeddings @ model.retriever.encode_text(["a person walks"])[0]
    near = stages.filter_database(
        database, EntryFilter(), out=tmp_path / "near", like="a person walks", min_score=float(np.median(cosines)),
        model=model,
    )  # fmt: skip
    assert set(names(near)) == {
        one.id for one, cosine in zip(infos, cosines, strict=True) if cosine >= np.median(cosines)
    }
    with pytest.raises(RemogptError, match=r"no entry of .* meets these conditions"):
        kept(licence="none of them")


def test_doubles_are_dropped(database: MotionDatabase, tmp_path: Path) -> None:
    entries = list(database.entries())
    twin = replace(entries[2], id="twin", source_id="elsewhere", features=entries[2].features[6:])
    model = ReMoGPT.from_pretrained(None)
    doubled = MotionDatabase.build([*entries, twin], model.retriever, model.tokenizer, tmp_path / "doubled")
    left, dropped = stages.drop_doubles(doubled, out=tmp_path / "left")
    assert dropped == ["twin"] and names(left) == [entry.id for entry in entries]


def test_a_database_is_separated_from_a_split(
    database: MotionDatabase, tiny_set: Path, model: ReMoGPT, tmp_path: Path
) -> None:
    held = list(stages.build_database(tiny_set, out=tmp_path / "val", model=model, split="val").entries())
    other = replace(held[0], id="elsewhere", source_id="another", captions=("somebody moves",), provenance="theirs")
    said = replace(next(database.entries()), id="said", source_id="said", captions=held[0].captions)
    mixed = MotionDatabase.build([other, said], model.retriever, model.tokenizer, tmp_path / "mixed")
    left, dropped = stages.separate_database(mixed, f"{tiny_set}:val", out=tmp_path / "left")
    assert dropped == ["elsewhere"] and names(left) == ["said"] and names(MotionDatabase.open(mixed.path)) == [
        "elsewhere", "said",
    ]  # fmt: skip
    with pytest.raises(RemogptError, match=r"every entry of .* is shared"):
        stages.separate_database(database, f"{tiny_set}:train", out=tmp_path / "none")


def test_facts_of_an_earlier_version_are_found_anew_and_nothing_else_changes(
    database: MotionDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [database.facts.of(row).rows.tolist() for row in range(len(database))]
    monkeypatch.setattr(version_reader, "catalogue_hash", lambda: "of another version")
    old = MotionDatabase.open(database.path)
    assert not old.has_facts
    with pytest.raises(RemogptError, match=r"find them with 'remogpt db rebuild .* --only-facts'"):
        _ = old.facts
    monkeypatch.undo()
    again = stages.find_facts_anew(old, out=tmp_path / "again")
    assert again.has_facts and [again.facts.of(row).rows.tolist() for row in range(len(again))] == found
    assert same_rows(again, database, names(database)) and any(found)


def test_a_database_is_embedded_again_for_another_model(database: MotionDatabase, tmp_path: Path) -> None:
    again = stages.rebuild_database(database, out=tmp_path / "again")  # mini
    mini = ReMoGPT.from_pretrained(None)
    assert again.manifest["retriever_hash"] == mini.retriever.hash != database.manifest["retriever_hash"]
    assert names(again) == names(database)
    assert [info.captions for info in again.infos()] == [info.captions for info in database.infos()]
    assert np.array_equal(again.features(1), database.features(1))
    with pytest.raises(RemogptError, match="db rebuild"):
        mini.database(database.path)
    assert mini.database(again.path).search(text="a person walks", k=1)


def test_only_databases_have_garbage(tmp_path: Path) -> None:
    with pytest.raises(MissingPathError, match="no motion database"):
        stages.collect_garbage(tmp_path)
