"""Paired differences, against known answers."""

import numpy as np
import pytest

from remogpt.eval.paired import paired_difference, paired_differences


def test_a_small_steady_gain_is_seen_under_a_large_common_spread():
    rng = np.random.default_rng(1)
    first = rng.normal(0, 10, 200)
    second = first + rng.normal(0.5, 1, 200)
    found = paired_difference(first, second)
    assert found["mean"] == pytest.approx((second - first).mean()) and found["num_items"] == 200
    half = 1.96 * (second - first).std() / np.sqrt(200)
    assert found["low"] == pytest.approx(found["mean"] - half, abs=0.02)
    assert found["high"] == pytest.approx(found["mean"] + half, abs=0.02)
    assert found["low"] > 0
    assert paired_difference(first, second) == found != paired_difference(first, second, seed=1)
    assert paired_difference(second, first)["mean"] == -found["mean"]


def test_answers_that_differ_by_the_same_have_no_interval():
    assert paired_difference(np.array([1.0, 2.0]), np.array([1.5, 2.5])) == {
        "mean": 0.5, "low": 0.5, "high": 0.5, "num_items": 2,
    }  # fmt: skip
    assert paired_difference(np.array([1.0]), np.array([4.0]))["high"] == 3.0


def test_only_common_measures_and_items_are_compared():
    first = {"facts": {"a": 0.0, "b": 1.0, "c": 0.5}, "cider": {"a": 1.0}, "rougeL": {}}
    second = {"facts": {"c": 1.0, "a": 1.0, "d": 0.0}, "rougeL": {"a": 1.0}}
    found = paired_differences(first, second)
    assert set(found) == {"facts"} and found["facts"]["num_items"] == 2 and found["facts"]["mean"] == 0.75
