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


def test_more_hits_than_entries_gives_all(run, tiny_model: Path) -> None:
    assert len(run("search", "walks", "-k", 999, "--model", tiny_model).out.splitlines()) == 12


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
    }
    for words, message in cases.items():
        assert message in run("search", *words, "--model", tiny_model).complaint, words
