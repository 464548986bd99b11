"""Copying from examples: how one is followed, what it adds to scores, and which ones answer."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from remogpt.lm.copy import MAX_JUMP, CopyHead, CopyMixer
from remogpt.lm.match import MatchTest
from remogpt.runtime.errors import MissingPathError, RemogptError

NUM_CODES = 12
IDS = np.arange(NUM_CODES) + 100


@dataclass(frozen=True)
class Example:
    codes: np.ndarray
    to_motion: float = 0.9
    to_caption: float = 0.9


@pytest.fixture
def head() -> CopyHead:
    """Codes far from each other; every example answers where its cosines are above one half."""
    torch.manual_seed(0)
    made = CopyHead(torch.eye(NUM_CODES)).requires_grad_(False)
    for match in (made.text_match, made.motion_match):
        first, last = match.layers[0], match.layers[2]
        first.weight.fill_(4.0)
        first.bias.zero_()
        last.weight.fill_(1.0)
        last.bias.zero_()
    return made


def mixer(head: CopyHead, *examples: Example, length: int | None = None, strength: float = 2.0) -> CopyMixer:
    return CopyMixer(head, [examples], [length], IDS, strength)


def write(mix: CopyMixer, scores: torch.Tensor, steps: int) -> list[int]:
    """Write the best id each time; ends with column C."""
    written: list[list[int]] = [[]]
    for _ in range(steps):
        mixed = mix(np.array([0]), written, torch.zeros(1, 4), scores)
        column = int(mixed[0].argmax())
        if column == NUM_CODES:
            break
        written[0].append(int(IDS[column]))
    return [token - 100 for token in written[0]]


def test_an_example_is_written_again_where_the_model_has_no_opinion_and_ends_where_it_ends(head: CopyHead) -> None:
    codes = np.array([3, 1, 4, 5, 9, 2, 6])
    assert write(mixer(head, Example(codes)), torch.zeros(1, NUM_CODES + 1), 20) == codes.tolist()


def test_what_the_model_finds_absurd_is_not_copied(head: CopyHead) -> None:
    scores = torch.zeros(1, NUM_CODES + 1)
    scores[0, 4] = -60.0
    assert 4 not in write(mixer(head, Example(np.array([3, 1, 4, 5]))), scores, 4)


def test_what_is_forbidden_stays_so(head: CopyHead) -> None:
    scores = torch.zeros(1, NUM_CODES + 1)
    scores[0, [4, NUM_CODES]] = -torch.inf
    mixed = mixer(head, Example(np.array([4, 4, 4])))(np.array([0]), [[]], torch.zeros(1, 4), scores)
    assert torch.isneginf(mixed[0, [4, NUM_CODES]]).all() and torch.isfinite(mixed[0, :4]).all()
    assert torch.logsumexp(mixed, 1).item() == pytest.approx(0.0, abs=1e-5)


@pytest.mark.parametrize("how", ["none", "no strength", "no answer"])
def test_without_an_example_that_answers_the_scores_say_what_they_said(head: CopyHead, how: str) -> None:
    examples = {"none": (), "no strength": (Example(np.array([1, 2])),),
                "no answer": (Example(np.array([1, 2]), -1.0, -1.0),)}[how]  # fmt: skip
    scores = torch.randn(1, NUM_CODES + 1, generator=torch.Generator().manual_seed(0))
    mix = mixer(head, *examples, strength=0.0 if how == "no strength" else 2.0)
    mixed = mix(np.array([0]), [[]], torch.zeros(1, 4), scores)
    assert torch.allclose(mixed.log_softmax(1), scores.log_softmax(1), atol=0.02)


def test_a_right_example_prevails_over_a_wrong_one(head: CopyHead) -> None:
    right, wrong = Example(np.array([3, 1, 4])), Example(np.array([7, 8, 9]), -1.0, -1.0)
    assert write(mixer(head, wrong, right), torch.zeros(1, NUM_CODES + 1), 9) == [3, 1, 4]


def test_a_row_does_not_depend_on_its_neighbours(head: CopyHead) -> None:
    """Prompts with different numbers of examples, in any order, some of them finished."""
    many = [(Example(np.array([3, 1, 4])), Example(np.array([5, 9, 2, 6]))), (), (Example(np.array([7, 8])),)]
    joined, written = CopyMixer(head, many, [None, 4, 5], IDS, 1.0), [[], [], []]
    alone = [CopyMixer(head, [own], [length], IDS, 1.0) for own, length in zip(many, [None, 4, 5], strict=True)]
    scores = torch.randn(3, NUM_CODES + 1, generator=torch.Generator().manual_seed(1))
    for step, order in enumerate(([0, 1, 2], [2, 0, 1], [2, 0])):
        mixed = joined(np.array(order), written, torch.zeros(len(order), 4), scores[order])
        for place, row in enumerate(order):
            own = alone[row](np.array([0]), [written[row]], torch.zeros(1, 4), scores[row : row + 1])
            assert torch.allclose(mixed[place].log_softmax(0), own[0].log_softmax(0), atol=1e-5)
        for row in order:
            written[row].append(100 + (row + step) % NUM_CODES)


def test_places_are_probabilities_and_a_known_length_sets_the_pace(head: CopyHead) -> None:
    head.pace.fill_(2.0)
    likeness, example = torch.ones(NUM_CODES, NUM_CODES), [np.arange(10) % NUM_CODES]
    ends = {}
    for steps in (5, 20):
        at = head.begin(example)
        for step in range(steps):
            at = head.follow(at, torch.tensor([0]), likeness, torch.tensor([float(steps - 1 - step)]))
            assert at.places.sum().item() == pytest.approx(1.0, abs=1e-5) and (at.places >= 0).all()
        ends[steps] = float((at.places[0] * torch.arange(11)).sum())
    assert ends[5] > 8 and ends[20] > 8  # in a quarter of the time or in twice the time: near the end


def test_jumps_reach_past_the_end_of_a_short_example(head: CopyHead) -> None:
    at = head.begin([np.array([1])])
    assert at.places.shape == (1, 2) and at.places.sum().item() == pytest.approx(1.0)
    assert at.places[0, 1] > 0 and MAX_JUMP == 3  # a jump of two is past it


def test_shares_follow_the_odds() -> None:
    match = MatchTest()
    cosines = torch.tensor([[[0.9, 0.9], [0.1, 0.2]], [[0.5, 0.5], [-torch.inf, -torch.inf]]])
    shares = match.shares(cosines)
    odds = match(cosines[:, 0]).exp()
    assert torch.allclose(shares.exp().sum(1), torch.ones(2)) and torch.isneginf(shares[1, 2])
    assert torch.allclose((shares[:, 1] - shares[:, 0]).exp(), odds, rtol=1e-4)


def test_the_examples_that_answer_are_chosen(head: CopyHead) -> None:
    good, bad = Example(np.array([1])), Example(np.array([2]), 0.1, 0.1)
    assert head.answering([bad, good], head.text_match) == (good,) and head.answering([], head.text_match) == ()


def test_a_saved_head_is_the_same(head: CopyHead, tmp_path: Path) -> None:
    head.config = {"tokenizer": "t", "retriever": "r"}
    head.save_pretrained(tmp_path)
    loaded = CopyHead.from_pretrained(tmp_path)
    assert loaded.hash == head.hash and loaded.config == head.config
    assert all(torch.equal(loaded.state_dict()[name], tensor) for name, tensor in head.state_dict().items())


def test_a_damaged_or_missing_head_is_refused(head: CopyHead, tmp_path: Path) -> None:
    with pytest.raises(MissingPathError, match="no copy in"):
        CopyHead.from_pretrained(tmp_path)
    head.save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text((tmp_path / "config.json").read_text().replace("{}", '{"tokenizer": "x"}'))
    with pytest.raises(RemogptError, match="is not what was saved"):
        CopyHead.from_pretrained(tmp_path)
