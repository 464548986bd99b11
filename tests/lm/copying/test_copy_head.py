"""What is learnt about copying: how an example is followed, and which ones answer."""

from pathlib import Path

import numpy as np
import pytest
import torch

from remogpt.lm.copying.copy_head import MAX_JUMP, CopyHead
from remogpt.lm.copying.example_trust import MatchTest
from remogpt.retriever import RetrievedExample
from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.runtime.folders.find_model import find_component


def test_places_are_probabilities_and_a_known_length_sets_the_pace(head: CopyHead) -> None:
    head.pace.fill_(2.0)
    likeness, example = torch.ones(12, 12), [np.arange(10) % 12]
    ends = {}
    for steps in (5, 20):
        at = head.begin(example)
        for step in range(steps):
            at = head.follow(at, torch.tensor([0]), likeness, torch.tensor([float(steps - 1 - step)]))
            assert at.positions.sum().item() == pytest.approx(1.0, abs=1e-5) and (at.positions >= 0).all()
        ends[steps] = float((at.positions[0] * torch.arange(11)).sum())
    assert ends[5] > 8 and ends[20] > 8  # in a quarter of the time or in twice the time: near the end


def test_jumps_reach_past_the_end_of_a_short_example(head: CopyHead) -> None:
    at = head.begin([np.array([1])])
    assert at.positions.shape == (1, 2) and at.positions.sum().item() == pytest.approx(1.0)
    assert at.positions[0, 1] > 0 and MAX_JUMP == 3  # a jump of two is past it


def test_the_examples_that_answer_are_chosen(head: CopyHead) -> None:
    good, bad = (RetrievedExample("a", "", np.array([1]), 0.9, "t2m", near, near) for near in (0.9, 0.1))
    assert head.answering([bad, good], head.text_match) == (good,) and head.answering([], head.text_match) == ()


def test_an_example_answers_where_the_odds_are_above_even(head: CopyHead) -> None:
    class Told(MatchTest):
        def forward(self, cosines: torch.Tensor) -> torch.Tensor:
            return cosines[..., 0]

    odds = (-0.5, -0.01, 0.0, 0.01, 0.5)
    examples = [RetrievedExample(str(odd), "", np.array([1]), 0.9, "t2m", odd, 0.9) for odd in odds]
    assert [example.to_motion for example in head.answering(examples, Told())] == [0.01, 0.5]


@pytest.mark.parametrize("same", [(0.1, 0.9999), (0.9999, 0.1), (1.0, 1.0)])
def test_the_querys_own_caption_or_motion_answers_it_whatever_the_network_says(same: tuple[float, float]) -> None:
    match = MatchTest()
    with torch.no_grad():
        match.layers[-1].weight.zero_()
        match.layers[-1].bias.fill_(-5.0)
    assert match(torch.tensor([same])).item() == 4.0
    assert match(torch.tensor([[0.99, 0.99], [0.1, 0.2]])).tolist() == [-5.0, -5.0]
    assert match.shares(torch.tensor([[same, (0.9, 0.9)]])).argmax() == 1


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


def test_shares_follow_the_odds() -> None:
    match = MatchTest()
    cosines = torch.tensor([[[0.9, 0.9], [0.1, 0.2]], [[0.5, 0.5], [-torch.inf, -torch.inf]]])
    shares = match.shares(cosines)
    odds = match(cosines[:, 0]).exp()
    assert torch.allclose(shares.exp().sum(1), torch.ones(2)) and torch.isneginf(shares[1, 2])
    assert torch.allclose((shares[:, 1] - shares[:, 0]).exp(), odds, rtol=1e-4)


def test_the_embedded_head_trusts_what_is_near_and_nothing_else() -> None:
    head = CopyHead.from_pretrained(find_component(None, "copy"))
    for match in (head.text_match, head.motion_match):
        near, far = match(torch.tensor([[0.95, 0.95], [0.6, 0.6]])).tolist()
        assert near > 2 and far < -2
