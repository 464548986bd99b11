"""Training of the copy head, where it is known what there is to learn."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from remogpt.lm.copying.copy_head import CopyHead
from remogpt.lm.copying.train import CopyConfig, CopyPairs, QueryPairs, area_under_roc, following_loss, train_copy_head
from remogpt.runtime.training.loop import LoopConfig

NUM_CODES = 16
LOOP = LoopConfig(steps=40, batch_size=16, learning_rate=0.05, save_every=10, log_every=10, evaluate_every=20, cpu=True)


def made_pairs(seed: int) -> CopyPairs:
    """Clips that play their example at half its speed; wrong examples have low cosines."""
    rng = np.random.default_rng(seed)
    bank = [rng.integers(NUM_CODES, size=8) for _ in range(40)]
    codes = [np.repeat(bank[row], 2) for row in range(20)]
    clips = np.repeat(np.arange(20), 2)
    rows = np.stack([np.arange(20), np.arange(20) + 20], axis=1).ravel()
    answers = np.tile([True, False], 20)
    cosines = np.where(answers[:, None], 0.9, 0.4) + rng.normal(0, 0.05, (40, 2))
    pairs = QueryPairs(clips, rows, cosines, answers)
    return CopyPairs(codes, bank, pairs, pairs)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[CopyHead, dict[str, float]]:
    folder = tmp_path_factory.mktemp("copy")
    config = CopyConfig(loop=LOOP)
    result = train_copy_head(
        config, made_pairs(0), made_pairs(1), torch.eye(NUM_CODES), {"tokenizer": "t"}, folder / "out", folder / "run"
    )
    return CopyHead.from_pretrained(folder / "out"), result.best


def test_it_learns_the_pace_and_that_examples_tell(trained: tuple[CopyHead, dict[str, float]]) -> None:
    head, best = trained
    jumps = head.jumps.softmax(0)
    assert jumps[0] > 0.4 and jumps[0] + jumps[1] > 0.8  # every code lasts for two
    assert best["val/gain"] > 1.0  # nats per code, of log(16) = 2.8
    assert head.config == {"tokenizer": "t"}


def test_it_learns_which_examples_answer(trained: tuple[CopyHead, dict[str, float]]) -> None:
    head, best = trained
    assert best["val/text_auc"] > 0.95 and best["val/motion_auc"] > 0.95
    odds = head.text_match(torch.tensor([[0.9, 0.9], [0.4, 0.4], [-0.2, -0.2]]))
    assert odds[0] > 0 > odds[1] and odds[2] < 0


def test_an_example_that_says_nothing_gains_nothing() -> None:
    pairs = made_pairs(0)
    head = CopyHead(torch.eye(NUM_CODES))
    right = np.flatnonzero(pairs.text.answers)
    other = replace(pairs, codes=[np.random.default_rng(9).integers(NUM_CODES, size=16) for _ in pairs.codes])
    frequencies = torch.full((NUM_CODES + 1,), -np.log(NUM_CODES + 1.0))
    gains = [following_loss(head, own, right, frequencies, np.random.default_rng(0))[1] for own in (pairs, other)]
    assert gains[0] > 0.5 > 0 > gains[1]


@pytest.mark.parametrize("tells_length", [True, False])
def test_nothing_counts_behind_the_end_of_the_shorter_clips(tells_length: bool) -> None:
    """The loss of two clips is that of each, weighted by its codes, and by its end where that is not told before."""

    class Drawn:
        def random(self, count: int) -> np.ndarray:
            return np.full(count, 0.0 if tells_length else 1.0)

    pairs, head = made_pairs(0), CopyHead(torch.eye(NUM_CODES))
    pairs.codes[1] = pairs.codes[1][:5]
    frequencies = torch.linspace(-3.0, -2.0, NUM_CODES + 1)
    both, *each = (
        following_loss(head, pairs, np.array(chosen), frequencies, Drawn())[0].item()  # type: ignore[arg-type]
        for chosen in ([0, 2], [0], [2])
    )
    weights = np.array([16, 5]) + (0 if tells_length else 1)
    assert both == pytest.approx(np.average(each, weights=weights), rel=1e-5)


def test_the_same_seed_gives_the_same_head(tmp_path: Path) -> None:
    config = CopyConfig(loop=replace(LOOP, steps=4))
    saved = []
    for name in ("a", "b"):
        folder = tmp_path / name
        train_copy_head(config, made_pairs(0), made_pairs(1), torch.eye(NUM_CODES), {}, folder, folder / "run")
        saved.append((folder / "model.safetensors").read_bytes())
    assert saved[0] == saved[1]


@pytest.mark.filterwarnings("error")
def test_the_area_under_the_curve() -> None:
    is_right = np.array([True, False, True, False])
    assert area_under_roc(np.array([4.0, 1.0, 3.0, 2.0]), is_right) == 1.0
    assert area_under_roc(np.array([1.0, 1.0, 1.0, 1.0]), is_right) == 0.5
    assert area_under_roc(np.array([1.0, 2.0, 3.0, 2.0]), is_right) == 0.5
    for only in (True, False):
        assert np.isnan(area_under_roc(np.ones(2), np.full(2, only)))
