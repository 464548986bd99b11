"""The finder: learns facts and their times from claims, and keeps them in a folder."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from remogpt.finder import FactFinder
from remogpt.finder.finder import LIKELY, FactProbabilities
from remogpt.finder.network import FinderSize
from remogpt.finder.train import FactBatches, FinderConfig, LabelledMotion, train_finder
from remogpt.motion.facts import Fact, related
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_json
from remogpt.runtime.training.loop import LoopConfig

LEFT, RIGHT = Fact("waves", {"side": "left"}), Fact("waves", {"side": "right"})
CHANNELS = {"left": 10, "right": 30}
CONFIG = FinderConfig(
    FinderSize(width=16, hidden=32, dropout=0.0), fact_clips=3, input_noise=0.0,
    loop=LoopConfig(steps=150, batch_size=16, learning_rate=0.01, cpu=True, save_every=50),
)  # fmt: skip


def motion(rng: np.random.Generator, sides: tuple[str, ...]) -> np.ndarray:
    """Waves for 32 frames, one side after the other, each with its own channel."""
    features = rng.normal(0, 0.2, (40 * len(sides), 263)).astype(np.float32)
    for number, side in enumerate(sides):
        features[40 * number : 40 * number + 32, CHANNELS[side]] += 3.0
    return features


def labelled(rng: np.random.Generator, sides: tuple[str, ...]) -> LabelledMotion:
    features = motion(rng, sides)
    steps = tuple((Fact("waves", {"side": side}),) for side in sides)
    facts = [fact for step in steps for fact in step]
    times = [(40 * number, 40 * number + 32) for number in range(len(sides))]
    return LabelledMotion.of(lambda: features, [steps], facts, times)


def motions(count: int, seed: int) -> list[LabelledMotion]:
    rng = np.random.default_rng(seed)
    kinds = [("left",), ("right",), ("left", "right"), ("right", "left")]
    return [labelled(rng, kinds[number % 4]) for number in range(count)]


@pytest.fixture(scope="module")
def finder(tmp_path_factory: pytest.TempPathFactory) -> FactFinder:
    folder = tmp_path_factory.mktemp("finder")
    return train_finder(CONFIG, motions(40, 0), motions(8, 1), folder / "run", folder)


def test_it_finds_what_a_motion_shows_and_in_which_order(finder: FactFinder) -> None:
    rng = np.random.default_rng(2)
    left, both, turned = finder.find(
        [motion(rng, sides) for sides in (("left",), ("left", "right"), ("right", "left"))]
    )
    assert left.holds(LEFT) and not left.holds(RIGHT)
    before = related("before", LEFT, RIGHT)
    assert both.holds(before) and not turned.holds(before)
    assert both.share([LEFT, RIGHT, before]) == 1
    start, end = left.events(LEFT)[0]
    assert start <= 8 and 24 <= end <= 40


def test_a_fact_as_likely_as_it_must_be_is_found_and_a_less_likely_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    finder = FactFinder.new(CONFIG.size, [LEFT, RIGHT], np.zeros(263), np.ones(263))
    said = FactProbabilities(np.array([LIKELY, np.nextafter(LIKELY, 0)]), np.full((8, 2), 0.9))
    monkeypatch.setattr(finder, "probabilities", lambda motions: [said])
    (found,) = finder.find([np.zeros((32, 263), dtype=np.float32)])
    assert found.events(LEFT) == [(0, 32)] and not found.holds(RIGHT)


def test_the_finder_is_kept_by_how_it_ranks_what_it_has_not_seen(finder: FactFinder) -> None:
    seen, wrong = motions(8, 1), motions(8, 1)
    wrong = [replace(one, shown=other.shown) for one, other in zip(seen, seen[1:] + seen[:1], strict=True)]
    unknown = [replace(one, doubtful=one.shown) for one in seen]
    good, bad, none = (FactBatches(CONFIG, some, finder).average_precision() for some in (seen, wrong, unknown))
    assert good["val/average_precision"] > 0.99 and bad["val/average_precision"] < 0.8
    assert none == {"val/average_precision": 0.0}


def test_motions_of_a_batch_weigh_alike_and_teach_steps_where_their_times_are_known() -> None:
    finder = FactFinder.new(CONFIG.size, [LEFT, RIGHT], np.zeros(263), np.ones(263))
    rng, some = np.random.default_rng(5), motions(3, 6)
    batches = FactBatches(CONFIG, [*some, replace(some[0], spans=())], finder)

    def loss(*numbers: int) -> dict[str, float]:
        total, told = batches.loss(finder.network, np.array(numbers), rng)
        assert total.item() == pytest.approx(told["motions"] + CONFIG.step_weight * told["steps"])
        return told

    assert loss(0, 1, 2)["motions"] == pytest.approx(np.mean([loss(number)["motions"] for number in range(3)]))
    assert loss(3) == {"motions": pytest.approx(loss(0)["motions"]), "steps": 0.0}
    assert loss(1, 3)["steps"] == pytest.approx(loss(1)["steps"])


def test_motions_are_judged_alike_alone_and_in_a_batch(finder: FactFinder) -> None:
    rng = np.random.default_rng(3)
    some = [motion(rng, sides) for sides in (("left", "right"), ("right",))]
    for number, together in enumerate(finder.probabilities(some)):
        alone = finder.probabilities([some[number]])[0]
        np.testing.assert_allclose(together.motion, alone.motion, atol=1e-5)
        np.testing.assert_allclose(together.steps, alone.steps, atol=1e-5)


def test_a_saved_finder_says_the_same(finder: FactFinder, tmp_path: Path) -> None:
    some = [motion(np.random.default_rng(4), ("left",))]
    assert finder.save_pretrained(tmp_path) == finder.hash
    again = FactFinder.from_pretrained(tmp_path)
    assert again.hash == finder.hash == read_json(tmp_path / "config.json")["hash"]
    np.testing.assert_array_equal(again.probabilities(some)[0].motion, finder.probabilities(some)[0].motion)


def test_facts_that_another_action_may_hide_teach_nothing() -> None:
    twice = Fact("squats", {"count": 2})
    label = LabelledMotion.of(lambda: np.zeros((40, 263)), [((twice,),)], [Fact("squats")], ())
    assert len(label.shown) == 2 and len(label.doubtful) == 1 and label.spans == ()


def test_a_distance_counts_within_the_tolerance_of_the_predicates() -> None:
    walk = Fact("walks", {"direction": "forward", "distance": 2.1})
    label = LabelledMotion.of(lambda: np.zeros((40, 263)), [((walk,),)], [], ())
    assert len(label.shown) == 3  # walks forward; about 2 m; about 2.5 m


def test_a_set_without_claims_is_refused(tmp_path: Path) -> None:
    config = FinderConfig(fact_clips=100, loop=LoopConfig(steps=1, cpu=True))
    with pytest.raises(RemogptError, match="claims of its captions"):
        train_finder(config, motions(4, 0), motions(4, 0), tmp_path / "run", tmp_path)
