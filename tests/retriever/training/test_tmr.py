"""TMR's training, its folder, and a database built with it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from remogpt.retriever.database.database import MotionDatabase
from remogpt.retriever.database.entry import DatabaseEntry
from remogpt.retriever.networks.pl_tmr import PLTMRConfig
from remogpt.retriever.networks.tmr import TMRConfig
from remogpt.retriever.retriever import TextMotionRetriever
from remogpt.retriever.training.new_retriever import new_retriever, new_tmr_retriever
from remogpt.retriever.training.pairs import TrainingPairs
from remogpt.retriever.training.tmr import TMRTrainingConfig, _Batches, train_tmr
from remogpt.retriever.training.tmr_losses import TMRLosses
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_json, write_json
from remogpt.runtime.training.loop import LoopConfig

MODEL = TMRConfig(width=32, num_layers=1, num_heads=2, feedforward=64, dropout=0.0, max_frames=48)
KINDS = ("a person walks left", "a person walks right", "a person waves left", "a person runs right")


def toy_pairs(count: int, seed: int) -> TrainingPairs:
    """Four kinds of motion, each a channel that stands out."""
    rng = np.random.default_rng(seed)
    captions, motions = [], []
    for number in range(count):
        features = rng.normal(0, 0.3, (int(rng.integers(24, 40)), 263)).astype(np.float32)
        features[:, 20 + 20 * (number % 4)] += 2.0
        motions.append(features)
        captions.append((KINDS[number % 4],))
    return TrainingPairs.from_arrays(captions, motions)


def toy_config(text_model: Path, steps: int, losses: TMRLosses | None = None) -> TMRTrainingConfig:
    loop = LoopConfig(
        steps=steps, batch_size=16, learning_rate=1e-3, schedule="constant", log_every=5, save_every=10, cpu=True
    )
    return TMRTrainingConfig(
        model=MODEL, losses=losses or TMRLosses(), text_model=str(text_model), filter_model=str(text_model),
        filter_threshold=0.999, loop=loop,
    )  # fmt: skip


def log_of(run_folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (run_folder / "log.jsonl").read_text().splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize("contrast", ["infonce", "margin"])
def test_whole_path_learns_which_words_go_with_which_motion(
    tiny_text_model: Path, tmp_path: Path, contrast: str
) -> None:
    # Points: at this width the noise of drawn latents needs far more steps than a test should take.
    config = toy_config(tiny_text_model, 120, TMRLosses(contrastive=1.0, contrast=contrast))
    config = replace(config, model=replace(MODEL, is_variational=False))
    train, val = toy_pairs(64, 0), toy_pairs(16, 1)
    retriever = train_tmr(config, train, val, tmp_path / "run", tmp_path / "out")
    similarity = retriever.encode_text(KINDS) @ retriever.encode_motion([val.load(index) for index in range(4)]).T
    assert similarity.argmax(axis=1).tolist() == [0, 1, 2, 3]
    steps = [line for line in log_of(tmp_path / "run") if "loss" in line]
    assert steps[-1]["reconstruction"] < steps[0]["reconstruction"]
    # Each of four captions comes about four times in a batch of 16: a fifth of the pairs have equal words.
    assert np.mean([line["filtered"] for line in steps]) == pytest.approx(12 / 60, abs=0.05)


def test_an_interrupted_run_ends_as_an_unbroken_one(tiny_text_model: Path, tmp_path: Path) -> None:
    config, train, val = toy_config(tiny_text_model, 14), toy_pairs(32, 0), toy_pairs(8, 1)
    whole = train_tmr(config, train, val, tmp_path / "whole", tmp_path / "a")

    class Killed(Exception):  # noqa: N818
        pass

    loads = 0

    def dying(index: int) -> np.ndarray:
        nonlocal loads
        loads += 1
        if loads > 33 + 16 * 12:  # statistics, then 12 steps
            raise Killed
        return train.load(index)

    with pytest.raises(Killed):
        train_tmr(config, replace(train, load=dying), val, tmp_path / "broken", tmp_path / "b")
    assert (tmp_path / "broken" / "training.pt").is_file()
    resumed = train_tmr(config, train, val, tmp_path / "broken", tmp_path / "b")
    assert resumed.hash == whole.hash
    steps = [line for line in log_of(tmp_path / "broken") if "loss" in line]
    assert {"reconstruction", "kl", "latent", "contrastive", "filtered"} <= steps[0].keys()


def test_a_folder_says_which_network_it_holds(tiny_text_model: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    mean, std = torch.zeros(263), torch.ones(263)
    retriever = new_tmr_retriever(MODEL, str(tiny_text_model), mean, std)
    component_hash = retriever.save_pretrained(tmp_path / "tmr", torch.float16)
    loaded = TextMotionRetriever.from_pretrained(tmp_path / "tmr")
    motions = [toy_pairs(3, 0).load(index) for index in range(3)] + [np.ones((100, 263), dtype=np.float32)]
    assert loaded.hash == component_hash and loaded.dim == 32
    assert np.array_equal(loaded.encode_motion(motions), retriever.encode_motion(motions))
    assert np.array_equal(loaded.encode_text(KINDS), retriever.encode_text(KINDS))
    assert np.allclose(np.linalg.norm(loaded.encode_motion(motions), axis=1), 1.0, atol=1e-6)
    small = PLTMRConfig(part_width=8, num_layers=1, num_heads=2, feedforward=16, projection_dim=12, text_width=16,
                        text_layers=1, text_heads=2, text_feedforward=32)  # fmt: skip
    new_retriever(small, str(tiny_text_model), False, mean.numpy(), std.numpy()).save_pretrained(tmp_path / "pl")
    # PL-TMR's folders keep the settings, and so the hash, that they had before there was another network.
    assert set(read_json(tmp_path / "pl" / "config.json")["config"]) == {"model", "text"}
    assert TextMotionRetriever.from_pretrained(tmp_path / "pl").dim == 12


def test_a_network_of_a_later_version_is_named(tiny_text_model: Path, tmp_path: Path) -> None:
    from remogpt.runtime.folders.component import _hash

    new_tmr_retriever(MODEL, str(tiny_text_model), torch.zeros(263), torch.ones(263)).save_pretrained(tmp_path)
    envelope = read_json(tmp_path / "config.json")
    envelope["config"]["network"] = "tmr2"
    envelope["hash"] = _hash(tmp_path, "retriever", envelope["config"])
    write_json(tmp_path / "config.json", envelope)
    with pytest.raises(RemogptError, match="is a 'tmr2', which this version does not know"):
        TextMotionRetriever.from_pretrained(tmp_path)


def test_a_database_is_built_and_searched(tiny_text_model: Path, tmp_path: Path) -> None:
    class Codes:
        hash = "t" * 64

        def encode_batch(self, features: list[np.ndarray]) -> list[np.ndarray]:
            return [np.arange(len(motion) // 4) for motion in features]

        def decode_batch(self, codes: list[np.ndarray]) -> list[np.ndarray]:
            return [np.zeros((4 * len(row), 263), dtype=np.float32) for row in codes]

    torch.manual_seed(0)
    retriever = new_tmr_retriever(MODEL, str(tiny_text_model), torch.zeros(263), torch.ones(263))
    retriever.save_pretrained(tmp_path / "tmr")
    pairs = toy_pairs(8, 0)
    entries = [
        DatabaseEntry(f"c{n}", f"s{n}", None, (*pairs.captions[n], f"again {n}"), pairs.load(n)) for n in range(8)
    ]
    MotionDatabase.build(entries, retriever, Codes(), tmp_path / "database")
    loaded = TextMotionRetriever.from_pretrained(tmp_path / "tmr")
    database = MotionDatabase.open(tmp_path / "database", loaded)
    (found,) = database.search(motion=pairs.load(5), route="m2m", k=1)
    assert found.id == "c5" and found.score == pytest.approx(1.0, abs=1e-5)
    (found,) = database.search(text=KINDS[2], route="t2t", k=1)
    assert found.caption == KINDS[2]


def test_what_is_filtered(tiny_text_model: Path, tmp_path: Path) -> None:
    pairs = toy_pairs(8, 0)
    mean, std = (torch.from_numpy(values) for values in pairs.statistics())
    retriever = new_tmr_retriever(MODEL, str(tiny_text_model), mean, std)

    def mask(**changed: object) -> torch.Tensor:
        config = replace(toy_config(tiny_text_model, 1), **changed)
        batches = _Batches(config, pairs, retriever, pairs.unique_captions())
        return batches._false_negatives(np.arange(4), [pairs.captions[index][0] for index in range(4)])

    assert not mask(filter_threshold=None).any()
    assert mask(filter_threshold=0.5).all()  # cosines above 0: random states of like sentences are all near
    sides = torch.tensor([[True, False, True, False], [False, True, False, True]] * 2)
    assert torch.equal(mask(filter_threshold=0.5, guard_directions=True), sides)


def test_half_precision_leaves_the_losses_and_the_filter_alone(tiny_text_model: Path, tmp_path: Path) -> None:
    config, pairs = toy_config(tiny_text_model, 1), toy_pairs(16, 0)
    mean, std = (torch.from_numpy(values) for values in pairs.statistics())
    torch.manual_seed(0)
    retriever = new_tmr_retriever(MODEL, str(tiny_text_model), mean, std)
    batches = _Batches(config, pairs, retriever, pairs.unique_captions())
    terms = []
    for is_half in (False, True):
        torch.manual_seed(0)
        with torch.autocast("cpu", torch.bfloat16, enabled=is_half):
            terms.append(batches.loss(retriever.network, np.arange(16), np.random.default_rng(0))[1])
    assert terms[0]["filtered"] == terms[1]["filtered"] == pytest.approx(16 * 3 / (16 * 15))
    assert terms[1] == pytest.approx(terms[0], rel=0.05)


def test_settings_that_make_no_sense(tiny_text_model: Path) -> None:
    with pytest.raises(RemogptError, match=r"loop\.batch_size must be at least 2 for each round"):
        TMRTrainingConfig(loop=LoopConfig(batch_size=4, accumulation=4))
    with pytest.raises(RemogptError, match="filter_threshold"):
        TMRTrainingConfig(filter_threshold=0.2)
    with pytest.raises(RemogptError, match="have 251 and 251 channels, but the network reads 263"):
        new_tmr_retriever(MODEL, str(tiny_text_model), torch.zeros(251), torch.ones(251))
