"""What a database shares with other clips: by name, and by motion under other names."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from remogpt.retriever.database.entry import EntryInfo
from remogpt.retriever.database.overlap import MAX_DISTANCE, Kind, find_overlaps
from studies.overlap import CHANGES, Clips, changed


def info(name: str, source: str = "", mirror_of: str | None = None, caption: str = "") -> EntryInfo:
    return EntryInfo(name, source or f"source of {name}", mirror_of, (caption or f"caption of {name}",), 0, "", "", {})


@pytest.fixture(scope="module")
def gallery(tiny_set: Path) -> Clips:
    files = sorted((tiny_set / "new_joint_vecs").glob("*.npy"))
    return Clips([(info(file.stem), np.load(file)) for file in files])


@pytest.mark.parametrize("how", CHANGES)
def test_a_copy_under_another_name_is_found(gallery: Clips, how: str) -> None:
    kind: Kind = "mirrored motion" if how == "mirrored" else "same motion"
    queries = Clips([(info(f"copy of {one.id}"), changed(features, how)) for one, features in gallery.rows[:5]])
    found = find_overlaps(gallery, queries, kinds=[kind])
    assert {(one.query, one.entry) for one in found} >= {(f"copy of {one.id}", one.id) for one, _ in gallery.rows[:5]}
    (first,) = [one for one in found if one.query == f"copy of {one.entry}" and one.entry == gallery.rows[0][0].id]
    assert first.distance < MAX_DISTANCE
    assert first.shift == (pytest.approx(0.5, abs=0.06) if how == "shifted by 0.5 s" else pytest.approx(0.0, abs=0.06))
    if how == "10 % slower":
        assert first.speed == pytest.approx(20 / 18, abs=0.02)


@pytest.mark.slow
def test_other_motions_are_not_reported(gallery: Clips) -> None:
    half = len(gallery.rows) // 2
    one, other = Clips(gallery.rows[:half]), Clips(gallery.rows[half:])
    assert find_overlaps(one, other, kinds=["same motion", "mirrored motion"]) == []
    assert find_overlaps(gallery, gallery, kinds=["same motion"]) == [], "a clip is no copy of itself"


def test_names_are_compared(gallery: Clips) -> None:
    motion = gallery.rows[0][1]
    database = Clips([(one, motion) for one in (
        info("a", "tape 1"), info("b", "tape 2", caption="A person waves."), info("Mc", "tape 3", mirror_of="c"),
    )])  # fmt: skip
    queries = Clips([(one, motion) for one in (
        info("a", "tape 9"), info("x", "tape 2"), info("c", "tape 8"), info("y", "tape 7", caption="a person waves"),
        info("Md", mirror_of="a"), info("nothing"),
    )])  # fmt: skip
    names: list[Kind] = ["same id", "same source", "mirror", "same caption"]
    found = {(one.kind, one.query, one.entry) for one in find_overlaps(database, queries, kinds=names)}
    assert found == {
        ("same id", "a", "a"), ("same source", "x", "b"), ("mirror", "c", "Mc"), ("mirror", "Md", "a"),
        ("same caption", "a", "a"), ("same caption", "y", "b"),
    }  # fmt: skip


def test_another_set_may_use_the_same_ids(gallery: Clips) -> None:
    motion = gallery.rows[0][1]
    of_a, of_b = (replace(info("000001", "000001", caption=f"caption of {name}"), provenance=name) for name in "ab")
    unknown = replace(of_b, provenance="")
    names: list[Kind] = ["same id", "same source", "mirror"]
    assert find_overlaps(Clips([(of_a, motion)]), Clips([(of_b, motion)]), kinds=names) == []
    for other in (of_a, unknown):
        assert len(find_overlaps(Clips([(of_a, motion)]), Clips([(other, motion)]), kinds=names)) == 1


def test_a_walk_is_not_a_walk_on_the_spot(gallery: Clips) -> None:
    """Poses alone would call them the same."""
    walk = next(features for _, features in gallery.rows if np.abs(features[:, 2]).mean() > 0.03)
    spot = walk.copy()
    spot[:, 1:3] = 0
    queries = Clips([(replace(info("spot")), spot)])
    assert find_overlaps(Clips([(info("walk"), walk)]), queries, kinds=["same motion"]) == []
