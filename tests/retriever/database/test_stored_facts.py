"""Facts beside the entries of a database: found when it is built, kept by copies, used to rank hits."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from remogpt.data.procedural.clip import ProceduralClip
from remogpt.data.procedural.make import make_clip
from remogpt.motion import features_to_joints
from remogpt.motion.fact_catalogue import fact_number
from remogpt.motion.facts import Fact, Steps, related
from remogpt.motion.found_facts import FoundFacts, find_facts
from remogpt.motion.unasked import costs
from remogpt.retriever.database import vector_index, version_reader
from remogpt.retriever.database.database import MotionDatabase
from remogpt.retriever.database.entry import DatabaseEntry
from remogpt.retriever.database.stored_facts import StoredFacts
from remogpt.runtime.errors import RemogptError

TEXT = "a person walks"


@pytest.fixture(scope="module")
def clips() -> list[ProceduralClip]:
    return [make_clip(9, index) for index in range(24)]


@pytest.fixture(scope="module")
def asked(clips: list[ProceduralClip]) -> list[Fact]:
    """Facts and relations of the clips, facts that leave something open, and some that hold for none of them."""
    facts = [fact for clip in clips for fact in clip.facts]
    turned = [related(fact.name, *(Fact.from_json(fact.params[which]) for which in ("second", "first")))
              for fact in facts if fact.name in ("before", "while")]  # fmt: skip
    walk, wave = Fact("walks"), Fact("waves")
    others = [walk, wave, Fact("turns"), Fact("walks", {"direction": "left"}), Fact("squats", {"count": 9})]
    return [*facts, *turned, *others, related("while", walk, wave), related("before", Fact("turns"), walk)]


@pytest.fixture
def entries(clips: list[ProceduralClip]) -> list[DatabaseEntry]:
    return [DatabaseEntry(clip.id, clip.id, None, (TEXT,), clip.features, licence="MIT") for clip in clips]


@pytest.fixture
def database(
    tmp_path: Path, entries: list[DatabaseEntry], retriever: Any, tokenizer: Any, build_once: Any
) -> MotionDatabase:
    folder = build_once(
        __name__, lambda path: MotionDatabase.build(entries, retriever, tokenizer, path), tmp_path / "db"
    )
    return MotionDatabase.open(folder, retriever)


def found_in(entries: Sequence[DatabaseEntry]) -> list[FoundFacts]:
    return [find_facts(features_to_joints(entry.features)) for entry in entries]


def test_a_build_finds_and_stores_the_facts_of_every_entry(
    database: MotionDatabase, entries: list[DatabaseEntry], asked: list[Fact]
) -> None:
    opened = MotionDatabase.open(database.path)
    found = found_in(entries)
    assert opened.has_facts and len(opened.facts) == len(entries)
    for row, one in enumerate(found):
        assert np.array_equal(opened.facts.of(row).rows, one.rows)
    some = 0
    for fact in asked:
        expected = [one.holds(fact) for one in found]
        assert opened.facts.holds(fact).tolist() == expected, fact
        some += any(expected)
    assert 30 < some < len(asked)
    for facts in (asked[:3], asked[-4:], asked):
        assert np.allclose(opened.fact_shares(facts), [one.share(facts) for one in found], atol=1e-6)
    assert np.isnan(opened.fact_shares([])).all()


def test_copies_keep_facts_where_every_source_has_them(
    database: MotionDatabase, entries: list[DatabaseEntry], retriever: Any, tokenizer: Any, tmp_path: Path
) -> None:
    kept = database.filter(lambda info: int(info.id) % 3 == 1, tmp_path / "kept")
    assert [kept.facts.of(row).rows.tolist() for row in range(len(kept))] == [
        one.rows.tolist() for one in found_in(entries[1::3])
    ]
    rest = database.filter(lambda info: int(info.id) % 3 != 1, tmp_path / "rest")
    facts = [Fact("walks", {"direction": "forward"}), Fact("turns")]
    both = MotionDatabase.merge([kept, rest], tmp_path / "both")
    assert np.array_equal(both.fact_shares(facts), np.r_[kept.fact_shares(facts), rest.fact_shares(facts)])
    names = ["found_facts.npy", "found_facts_offsets.npy"]
    assert set(names) <= set(both.manifest["files"])

    without = MotionDatabase.build([entries[0]], retriever, tokenizer, tmp_path / "without", facts=False)
    assert not without.has_facts and not set(names) & set(without.manifest["files"])
    with pytest.raises(RemogptError, match="has no facts of its motions"):
        without.fact_shares(facts)
    mixed = MotionDatabase.merge([without, kept], tmp_path / "mixed")
    assert len(mixed) == 9 and not mixed.has_facts


def test_facts_of_another_version_are_not_used(
    database: MotionDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(version_reader, "catalogue_hash", lambda: "of later predicates")
    opened = MotionDatabase.open(database.path, database.retriever)
    with caplog.at_level(logging.WARNING):
        hits = opened.search(TEXT, k=2, facts=[Fact("sits")])
        assert not opened.has_facts and np.isnan(hits[0].fact_share)
    assert [record.message.count("found by another version") for record in caplog.records] == [1]
    assert f"remogpt db rebuild {database.path} --only-facts" in caplog.text
    kept = opened.filter(lambda info: True, tmp_path / "kept")
    assert "facts" not in kept.manifest and len(kept) == len(opened)


def test_entries_too_short_to_prove_anything_are_entries_all_the_same(
    entries: list[DatabaseEntry], retriever: Any, tokenizer: Any, tmp_path: Path
) -> None:
    short = DatabaseEntry("short", "short", None, (TEXT,), entries[0].features[:9])
    database = MotionDatabase.build([short, entries[1]], retriever, tokenizer, tmp_path)
    assert database.facts.of(0).rows.shape == (0, 3) and len(database.facts.of(1).rows)
    alone = database.filter(lambda info: info.id == "short", tmp_path / "alone")
    assert alone.has_facts and alone.fact_shares([Fact("walks"), related("while", Fact("sits"), Fact("waves"))]) == [0]
    empty = MotionDatabase.build([], retriever, tokenizer, tmp_path / "empty", allow_empty=True)
    assert empty.fact_shares([Fact("walks")]).shape == (0,) and empty.search(TEXT, facts=[Fact("walks")]) == []


@pytest.mark.parametrize("route", ["t2m", "t2t"])
def test_a_search_with_facts_ranks_the_whole_gallery(
    database: MotionDatabase, asked: list[Fact], retriever: Any, route: Any
) -> None:
    facts = [*asked[:2], Fact("walks"), Fact("turns")]
    plain = {hit.id: hit for hit in database.search(TEXT, route=route, k=99)}
    assert all(np.isnan(hit.fact_share) for hit in plain.values())
    ids = [info.id for info in database.infos()]
    shares = database.fact_shares(facts)
    assert shares.max() > 0 and shares.min() < shares.max()
    for weight in (0.0, 0.01, 2.0):
        hits = database.search(TEXT, route=route, k=5, facts=facts, fact_weight=weight)
        expected = np.array([plain[name].score for name in ids], dtype=np.float32) + np.float32(weight) * shares
        assert [hit.id for hit in hits] == [ids[row] for row in np.argsort(-expected, kind="stable")[:5]]
        assert [hit.score for hit in hits] == [plain[hit.id].score for hit in hits], "the score stays the cosine"
        assert [hit.fact_share for hit in hits] == [shares[ids.index(hit.id)] for hit in hits]
    excluded = database.search(TEXT, route=route, k=3, facts=facts, exclude=[hit.id for hit in hits[:2]])
    assert not {hit.id for hit in excluded} & {hit.id for hit in hits[:2]}


def test_of_very_many_rows_the_most_similar_are_reranked(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(400, 8)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    bonus, none = rng.random(400).astype(np.float32), np.zeros(0, dtype=np.int64)
    index = vector_index.VectorIndex(rows, use_faiss=False)
    cosines = vector_index.exact_similarities(rows, rows[0])
    assert index.search(rows[0], 5, np.asarray, none, bonus)[0].tolist() == np.argsort(-(cosines + bonus))[:5].tolist()
    monkeypatch.setattr(vector_index, "FLAT_ROWS", 100)
    monkeypatch.setattr(vector_index, "RERANKED", 20)
    found = index.search(rows[0], 5, np.asarray, none, bonus)[0]
    nearest = np.argsort(-cosines)[: 20 + 16]
    assert found.tolist() == nearest[np.argsort(-(cosines + bonus)[nearest])][:5].tolist()


def test_many_entries_are_asked_at_once(database: MotionDatabase, asked: list[Fact]) -> None:
    """Entries repeat: each copy has what the first has, whatever comes before it."""
    rows, lengths = np.array(database.facts.rows), np.diff(database.facts.offsets)
    many = StoredFacts(np.tile(rows, (50, 1)), np.r_[0, np.cumsum(np.tile(lengths, 50))])
    assert np.array_equal(many.shares(asked), np.tile(database.fact_shares(asked), 50))


@pytest.mark.parametrize("steps", [((Fact("walks"),),), ((Fact("waves"),), (Fact("sits"),)), ()])
def test_what_entries_show_besides_costs_what_it_costs_one(
    database: MotionDatabase, entries: list[DatabaseEntry], steps: Steps
) -> None:
    alone = [sum(costs(found.holds, steps)) for found in found_in(entries)]
    assert np.allclose(database.facts.costs(steps), alone, atol=1e-6)
    assert len({round(one, 3) for one in alone}) > 2


def test_actions_are_counted_once_a_motion() -> None:
    facts = (Fact("walks", {"direction": "forward"}), Fact("waves", {"side": "left"}), Fact("waves", {"side": "right"}))
    walk, left, right = (fact_number(fact) for fact in facts)
    of_motions = [[walk, walk, left, right], [], [left], [left, left]]
    rows = np.array([(number, 0, 40) for numbers in of_motions for number in numbers], dtype=np.uint16)
    counts = StoredFacts(rows, np.r_[0, np.cumsum([len(numbers) for numbers in of_motions])]).actions()
    assert list(counts.items()) == [("waves", 3), ("walks", 1)]


class _Said:
    """A finder that says of every motion that it claps."""

    hash = "0" * 64

    def find(self, motions: Sequence[np.ndarray]) -> list[FoundFacts]:
        number = fact_number(Fact("claps"))
        return [FoundFacts(np.array([[number, 0, 40]], dtype=np.uint16)) for _ in motions]


def test_a_finder_may_take_the_place_of_the_predicates(
    entries: list[DatabaseEntry], retriever: Any, tokenizer: Any, tmp_path: Path
) -> None:
    database = MotionDatabase.build(entries, retriever, tokenizer, tmp_path / "database", finder=_Said())
    assert database.manifest["finder_hash"] == _Said.hash
    assert database.fact_shares([Fact("claps"), Fact("bows")]).tolist() == [0.5] * len(entries)
