"""`remogpt search`."""

import json
from pathlib import Path

import pytest


@pytest.mark.parametrize("route", ["t2m", "t2t", "m2t", "m2m"])
def test_each_route_prints_hits_best_first(run, tiny_model: Path, wave: Path, route: str) -> None:
    query = ("a person walks",) if route.startswith("t") else ("--like", wave)
    ran = run("search", *query, "--route", route, "-k", 3, "--model", tiny_model)
    rows = [line.split(maxsplit=2) for line in ran.out.splitlines()]
    scores = [float(score) for score, _, _ in rows]
    assert ran.code == 0 and len(rows) == 3 and scores == sorted(scores, reverse=True)
    asked = json.loads(run("search", *query, "--route", route, "-k", 3, "--model", tiny_model, "--json").out)
    assert [hit["id"] for hit in asked] == [name for _, name, _ in rows] and {hit["route"] for hit in asked} == {route}
    assert {hit["fact_share"] for hit in asked} == {None}, "no facts were asked for"


def test_more_hits_than_entries_gives_all(run, tiny_model: Path) -> None:
    assert len(run("search", "walks", "-k", 999, "--model", tiny_model).out.splitlines()) == 12


@pytest.mark.parametrize("part", ["right_arm", "legs", "root,upper_body"])
@pytest.mark.parametrize("like", [False, True])
def test_a_part_is_searched_and_its_share_is_shown(run, tiny_model: Path, wave: Path, part: str, like: bool) -> None:
    query = ("--like", wave) if like else ("a person waves",)
    words = ("search", *query, "--part", part, "-k", 3, "--model", tiny_model)
    hits = [line.split(maxsplit=2) for line in run(*words).out.splitlines()]
    head, *rows = [line.split() for line in run(*words, "--contributions").out.splitlines()]
    names = head[1:-2]
    expected = {"right_arm": ["right_arm"], "legs": ["right_leg", "left_leg"]}
    assert names == ["mean", *expected.get(part, ["root", "backbone", "right_arm", "left_arm"])]
    assert [row[0] for row in rows] == [score for score, _, _ in hits]
    for row in rows:
        assert sum(map(float, row[1 : 1 + len(names)])) == pytest.approx(float(row[0]), abs=4e-3)
    found = json.loads(run(*words, "--json").out)
    assert [hit["id"] for hit in found] == [name for _, name, _ in hits]
    assert all(list(hit["contributions"]) == names for hit in found)
    assert {hit["route"] for hit in found} == {"m2m" if like else "t2m"}


def test_contributions_of_the_whole_body(run, tiny_model: Path, wave: Path) -> None:
    for query, route in ((("a person waves",), "t2m"), (("--like", wave), "m2m")):
        hits = json.loads(run("search", *query, "--contributions", "--json", "-k", 2, "--model", tiny_model).out)
        for hit in hits:
            assert hit["route"] == route and len(hit["contributions"]) == 7
            assert sum(hit["contributions"].values()) == pytest.approx(hit["score"], abs=2e-3)
    captions = json.loads(run("search", "a person waves", "--route", "t2t", "--json", "--model", tiny_model).out)
    assert {hit["contributions"] for hit in captions} == {None}


def test_what_a_user_may_get_wrong(run, tiny_model: Path, tiny_set: Path, wave: Path) -> None:
    cases = {
        (): "give words to search by",
        ("walks", "--like", wave): "give words to search by",
        ("  ",): "holds no words",
        ("walks", "-k", 0): "k must be at least 1, got 0",
        ("walks", "--route", "m2m"): "a text searches by route t2m or t2t, got 'm2m'",
        ("--like", wave, "--route", "t2t"): "a motion searches by route m2t or m2m",
        ("walks", "--route", "x2y"): "got 'x2y'",
        ("--like", wave.with_suffix(".bvh")): "no file",
        ("walks", "--no-retrieval"): "no option '--no-retrieval'",
        ("walks", "--database", tiny_set): "no motion database in",
        ("walks", "--part", "right_am"): "no part is called 'right_am'; did you mean 'right_arm'?",
        ("walks", "--part", "legs", "--route", "t2t"): "route t2t searches captions, which have no body parts",
        ("walks", "--contributions", "--route", "t2t"): "route t2t searches captions: take t2m",
    }
    for words, message in cases.items():
        assert message in run("search", *words, "--model", tiny_model).complaint, words
