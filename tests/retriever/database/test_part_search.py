"""Search by parts: what it is blind to, contributions that add up, and databases with and without part encodings."""

from dataclasses import replace
from itertools import permutations
from math import factorial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from remogpt.data.humanml3d import MotionTextSet
from remogpt.retriever.database.database import MotionDatabase
from remogpt.retriever.database.entry import DatabaseEntry
from remogpt.retriever.database.part_search import PartSearch, best_rows
from remogpt.retriever.database.shapley import shapley_values
from remogpt.retriever.networks.body_parts import PARTS, named_parts
from remogpt.retriever.networks.tmr import TMRConfig
from remogpt.retriever.retriever import TextMotionRetriever
from remogpt.retriever.training.new_retriever import new_tmr_retriever
from remogpt.runtime.errors import RemogptError

TEXT = "a person waves with the right hand"
ARM, LEGS = named_parts("right_arm"), named_parts("legs")


@pytest.fixture(scope="module")
def part_retriever(tiny_model: Path) -> TextMotionRetriever:
    return TextMotionRetriever.from_pretrained(tiny_model)


@pytest.fixture(scope="module")
def clips(tiny_set: Path) -> list[DatabaseEntry]:
    motions = MotionTextSet.open(tiny_set)
    return [
        DatabaseEntry(clip.id, clip.source_id, clip.mirror_of, clip.captions, motions.features(clip))
        for clip in motions.clips("train")
    ]


@pytest.fixture
def database(
    tmp_path: Path, clips: list[DatabaseEntry], part_retriever: Any, tokenizer: Any, build_once: Any
) -> MotionDatabase:
    folder = build_once(
        __name__, lambda path: MotionDatabase.build(clips, part_retriever, tokenizer, path), tmp_path / "db"
    )
    return MotionDatabase.open(folder, part_retriever)


class WholeBody:
    """The same retriever as an earlier version, or TMR, has it: without parts."""

    def __init__(self, retriever: TextMotionRetriever) -> None:
        self.hash, self.dim, self.statistics_hash = retriever.hash, retriever.dim, retriever.statistics_hash
        self.encode_text, self.encode_motion = retriever.encode_text, retriever.encode_motion


def linear(encodings: np.ndarray) -> np.ndarray:
    """A head that adds: part p has dimension p of the embedding to itself."""
    return encodings.sum(axis=2).astype(np.float32)


class Adding:
    """A retriever whose scores are sums over parts."""

    has_parts = True

    def encode_text(self, texts: list[str]) -> np.ndarray:
        return np.array([[1.0, 2.0, 0.0, 0.0, 4.0, 0.0] for _ in texts], dtype=np.float32)

    def embed_parts(self, encodings: np.ndarray) -> np.ndarray:
        return linear(encodings)


@pytest.mark.parametrize(
    ("names", "parts"),
    [
        ("right_arm", ["right_arm"]),
        ("Right Arm", ["right_arm"]),
        ("legs", ["right_leg", "left_leg"]),
        ("arms, backbone", ["backbone", "right_arm", "left_arm"]),
        (["upper-body", "arms"], ["backbone", "right_arm", "left_arm"]),
        ("lower_body,upper_body", list(PARTS)),
    ],
)
def test_parts_and_groups_are_named(names: Any, parts: list[str]) -> None:
    assert [PARTS[index] for index in named_parts(names)] == parts


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ("rigth_arm", r"'rigth_arm'; did you mean 'right_arm'\? there are root, .*, lower_body"),
        ("leg", r"did you mean 'legs'\?"),
        ("arms,xyzzy", r"'xyzzy'; there are root"),
        ("", "no part is called ''"),
        ([], "no part is named"),
    ],
)
def test_what_is_no_part(names: Any, message: str) -> None:
    with pytest.raises(RemogptError, match=message):
        named_parts(names)


def test_parts_come_with_the_embeddings(part_retriever: TextMotionRetriever, clips: list[DatabaseEntry]) -> None:
    motions = [clip.features for clip in clips]
    embeddings, parts = part_retriever.encode_motion_and_parts(motions)
    assert part_retriever.has_parts and parts.shape == (len(clips), 6, 16) and parts.dtype == np.float32
    assert np.array_equal(embeddings, part_retriever.encode_motion(motions))
    assert np.array_equal(parts, part_retriever.encode_motion_parts(motions))
    assert np.allclose(part_retriever.embed_parts(parts), embeddings, atol=1e-6)
    assert np.allclose(part_retriever.embed_parts(parts, batch_size=5), embeddings, atol=1e-6)
    assert part_retriever.encode_motion_parts([]).shape == (0, 6, 16)


def test_parts_of_a_long_motion_are_its_windows_mean(part_retriever: TextMotionRetriever, clips: Any) -> None:
    limit = part_retriever.network.max_frames
    long = np.resize(clips[0].features, (limit + 60, 263))
    windows = part_retriever.encode_motion_parts([long[:limit], long[60:]])
    assert np.allclose(part_retriever.encode_motion_parts([long])[0], windows.mean(axis=0), atol=1e-6)


def test_a_part_reads_its_own_channels_alone(part_retriever: TextMotionRetriever, clips: list[DatabaseEntry]) -> None:
    channels = part_retriever.network.motion_encoder.channels["right_leg"]
    moved = clips[0].features.copy()
    moved[:, channels] += 0.5
    before, after = part_retriever.encode_motion_parts([clips[0].features, moved])
    changed = np.abs(after - before).max(axis=1) > 1e-4
    assert [name for name, one in zip(PARTS, changed, strict=True) if one] == ["right_leg"]


def test_shapley_values_equal_the_mean_over_all_orders() -> None:
    values = np.random.default_rng(3).normal(size=16)
    wanted = np.zeros(4)
    for order in permutations(range(4)):
        present = 0
        for player in order:
            wanted[player] += values[present | 1 << player] - values[present]
            present |= 1 << player
    found = shapley_values(values)
    assert np.allclose(found, wanted / factorial(4)) and found.sum() == pytest.approx(values[-1] - values[0])
    assert shapley_values(np.array([2.0, 5.0])).tolist() == [3.0]


def test_contributions_to_a_sum_are_its_terms() -> None:
    encodings = np.random.default_rng(0).normal(size=(9, 6, 3))
    search = PartSearch(encodings, Adding())  # type: ignore[arg-type]
    (one,) = search.contributions("anything", [4])
    terms = (linear(encodings)[4] - linear(search.mean[None])[0]) * np.array([1, 2, 0, 0, 4, 0])
    assert list(one.parts) == list(PARTS) and np.allclose(list(one.parts.values()), terms, atol=1e-5)
    (chosen,) = search.contributions("anything", [4], ARM)
    assert chosen.parts == pytest.approx({"right_arm": terms[4]}, abs=1e-5) and chosen.mean == pytest.approx(one.mean)


def test_a_build_stores_what_the_parts_are(
    database: MotionDatabase, part_retriever: TextMotionRetriever, clips: list[DatabaseEntry]
) -> None:
    stored = database.part_encodings
    assert database.has_part_encodings and isinstance(stored.base, np.memmap) and stored.dtype == np.float16
    wanted = part_retriever.encode_motion_parts([clip.features for clip in clips])
    assert np.allclose(stored, wanted, atol=2e-3)
    database.verify()
    with (database.folder / "part_encodings.npy").open("r+b") as file:
        file.seek(300)
        file.write(b"\xff\xff")
    with pytest.raises(RemogptError, match=r"part_encodings\.npy differ"):
        database.verify()


@pytest.mark.parametrize("query", [{"text": TEXT}, {"motion": 3}])
@pytest.mark.parametrize("part", ["right_arm", "legs", "root,backbone"])
def test_what_other_parts_do_is_not_seen(
    database: MotionDatabase, part_retriever: Any, clips: Any, query: dict[str, Any], part: str
) -> None:
    wanted: Any = query["text"] if "text" in query else clips[query["motion"]].features
    chosen = named_parts(part)
    encodings = np.array(database.part_encodings, dtype=np.float32)
    shuffled = encodings[np.random.default_rng(1).permutation(len(encodings))]  # of the same mean
    shuffled[:, chosen] = encodings[:, chosen]
    before = PartSearch(encodings, part_retriever).scores(wanted, chosen)[0]
    after = PartSearch(shuffled, part_retriever).scores(wanted, chosen)[0]
    assert np.allclose(before, after, atol=1e-5) and before.std() > 1e-3
    whole = PartSearch(encodings, part_retriever).scores(wanted, named_parts("upper_body,lower_body"))[0]
    assert np.abs(whole - before).max() > 1e-2


def test_a_texts_scores_are_those_of_motions_in_which_only_the_part_moves(
    database: MotionDatabase, part_retriever: TextMotionRetriever
) -> None:
    encodings = np.array(database.part_encodings, dtype=np.float32)
    mean = encodings.mean(axis=0)
    wanted = []
    for motion in encodings:
        only = mean.copy()
        only[PARTS.index("right_arm")] = motion[PARTS.index("right_arm")]
        wanted.append(part_retriever.embed_parts(only[None])[0] @ part_retriever.encode_text([TEXT])[0])
    found = database.search(text=TEXT, part="right_arm", k=99)
    order = np.argsort(-np.array(wanted), kind="stable")
    assert [hit.id for hit in found] == [database.info(int(row)).id for row in order]
    assert np.allclose([hit.score for hit in found], np.array(wanted)[order], atol=1e-5)
    assert {hit.route for hit in found} == {"t2m"}


@pytest.mark.parametrize("part", ["left_arm", "legs", "upper_body"])
def test_a_motion_finds_its_own_part_first(database: MotionDatabase, clips: list[DatabaseEntry], part: str) -> None:
    best, second = database.search(motion=clips[5].features, part=part, k=2)
    assert best.id == clips[5].id and best.route == "m2m" and best.score == pytest.approx(1.0, abs=1e-4)
    encodings = np.array(database.part_encodings, dtype=np.float64)
    centred = (encodings - encodings.mean(axis=0))[:, list(named_parts(part))].reshape(len(clips), -1)
    row = database.rows[second.id]
    cosine = centred[5] @ centred[row] / np.linalg.norm(centred[5]) / np.linalg.norm(centred[row])
    assert second.score == pytest.approx(cosine, abs=2e-3)


def test_all_parts_together_are_the_whole_body(database: MotionDatabase) -> None:
    whole = database.search(text=TEXT, k=99)
    parts = database.search(text=TEXT, part=PARTS, k=99)
    wanted = {hit.id: hit.score for hit in whole}
    assert all(hit.score == pytest.approx(wanted[hit.id], abs=1e-3) for hit in parts) and len(parts) == len(whole)


@pytest.mark.parametrize("part", [None, "right_arm", "lower_body"])
@pytest.mark.parametrize("is_text", [True, False])
def test_contributions_add_up_to_the_score(
    database: MotionDatabase, clips: list[DatabaseEntry], part: str | None, is_text: bool
) -> None:
    query: Any = TEXT if is_text else clips[2].features
    asked = {"text": query} if is_text else {"motion": query}
    hits = database.search(**asked, route="t2m" if is_text else "m2m", part=part, k=4)
    found = database.contributions(query, [database.rows[hit.id] for hit in hits], part)
    for hit, one in zip(hits, found, strict=True):
        assert list(one.parts) == [PARTS[index] for index in named_parts(part or PARTS)]
        assert one.mean + sum(one.parts.values()) == pytest.approx(one.score, abs=1e-5)
        assert one.score == pytest.approx(hit.score, abs=1e-3)
    assert len({round(one.mean, 6) for one in found}) == 1 and (part is None or is_text or found[0].mean == 0)


def test_contributions_to_a_motion_of_several_windows_add_up_to_about_its_score(
    clips: list[DatabaseEntry], part_retriever: Any, tokenizer: Any, tmp_path: Path
) -> None:
    length = part_retriever.network.max_frames
    halves = [scale * np.resize(clips[0].features, (length, 263)) for scale in (1, -5)]  # windows that differ much
    long = replace(clips[0], id="long", features=np.concatenate(halves))
    database = MotionDatabase.build([long, *clips[1:]], part_retriever, tokenizer, tmp_path / "db")
    gaps = {}
    for part in (None, "right_arm"):
        (hit,) = (hit for hit in database.search(text=TEXT, route="t2m", part=part, k=99) if hit.id == "long")
        (one,) = database.contributions(TEXT, [database.rows["long"]], part)
        assert one.mean + sum(one.parts.values()) == pytest.approx(one.score, abs=1e-5)
        gaps[part] = abs(one.score - hit.score)
    assert gaps["right_arm"] < 1e-5 and 3e-3 < gaps[None] < 0.1, gaps


def test_excluded_entries_and_too_many(database: MotionDatabase) -> None:
    first, *rest = [hit.id for hit in database.search(text=TEXT, part="arms", k=99)]
    assert [hit.id for hit in database.search(text=TEXT, part="arms", k=99, exclude=[first])] == rest
    assert best_rows(np.array([1.0, 3.0, 3.0, 2.0]), 2, np.array([], dtype=np.int64)).tolist() == [1, 2]
    with pytest.raises(RemogptError, match="k must be at least 1, got 0"):
        database.search(text=TEXT, part="arms", k=0)


def test_an_earlier_database_makes_encodings_from_its_features(
    database: MotionDatabase, clips: Any, part_retriever: TextMotionRetriever, tokenizer: Any, tmp_path: Path
) -> None:
    MotionDatabase.build(clips, WholeBody(part_retriever), tokenizer, tmp_path / "old")
    old = MotionDatabase.open(tmp_path / "old", part_retriever)
    assert not old.has_part_encodings
    for query in ({"text": TEXT}, {"motion": clips[1].features}):
        ours, theirs = (one.search(**query, part="arms", k=99) for one in (database, old))
        scores = {hit.id: hit.score for hit in ours}
        assert all(hit.score == pytest.approx(scores[hit.id], abs=2e-3) for hit in theirs)


def test_where_no_parts_can_be_had(
    clips: Any, part_retriever: TextMotionRetriever, tokenizer: Any, tmp_path: Path, database: MotionDatabase
) -> None:
    MotionDatabase.build(clips, WholeBody(part_retriever), tokenizer, tmp_path / "old", compact=True)
    old = MotionDatabase.open(tmp_path / "old", part_retriever)
    assert old.search(text=TEXT, part="legs")  # encoded from its motions
    old = MotionDatabase.open(tmp_path / "old", part_retriever)
    old.manifest["motions"] = "nothing"  # as compact databases of earlier versions
    for ask in (lambda: old.search(text=TEXT, part="legs"), lambda: old.contributions(TEXT, [0])):
        with pytest.raises(RemogptError, match=r"without part encodings and keeps no motions .*remogpt db build"):
            ask()
    whole = MotionDatabase.open(tmp_path / "db", WholeBody(part_retriever))
    with pytest.raises(RemogptError, match="reads the body as a whole, as TMR does"):
        whole.search(text=TEXT, part="legs")
    assert whole.search(text=TEXT)  # and is searched as ever
    with pytest.raises(RemogptError, match="opened without a retriever"):
        MotionDatabase.open(tmp_path / "db").contributions(TEXT, [0])
    for route, query in (("t2t", {"text": TEXT}), ("m2t", {"motion": clips[0].features})):
        with pytest.raises(RemogptError, match=f"route {route} searches captions, which have no body parts"):
            database.search(**query, route=route, part="legs")  # type: ignore[arg-type]


def test_tmr_has_no_parts(tiny_text_model: Path, clips: list[DatabaseEntry]) -> None:
    import torch

    sizes = TMRConfig(width=16, num_layers=1, num_heads=2, feedforward=16)
    tmr = new_tmr_retriever(sizes, str(tiny_text_model), torch.zeros(263), torch.ones(263))
    assert not tmr.has_parts
    for ask in (
        lambda: tmr.encode_motion_parts([clips[0].features]),
        lambda: tmr.embed_parts(np.zeros((1, 6, 4), dtype=np.float32)),
    ):
        with pytest.raises(RemogptError, match="reads the body as a whole"):
            ask()


def test_filter_and_merge_keep_part_encodings(
    database: MotionDatabase, clips: Any, part_retriever: TextMotionRetriever, tokenizer: Any, tmp_path: Path
) -> None:
    half = database.filter(lambda info: database.rows[info.id] % 2 == 1, tmp_path / "half")
    rest = database.filter(lambda info: database.rows[info.id] % 2 == 0, tmp_path / "rest")
    both = MotionDatabase.merge([half, rest], tmp_path / "both")
    assert np.array_equal(half.part_encodings, database.part_encodings[1::2]) and both.has_part_encodings
    again = {hit.id: hit.score for hit in both.search(text=TEXT, part="legs", k=99)}
    for hit in database.search(text=TEXT, part="legs", k=99):
        assert hit.score == pytest.approx(again[hit.id], abs=1e-5)
    entry = DatabaseEntry("new", "new", None, ("a person walks",), clips[0].features)
    old = MotionDatabase.build([entry], WholeBody(part_retriever), tokenizer, tmp_path / "old")
    assert not MotionDatabase.merge([both, old], tmp_path / "mixed").has_part_encodings
