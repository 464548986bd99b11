"""Training: losses, batches, validation, and the whole path from captioned motions to a loaded retriever."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from jsonargparse import ArgumentParser
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import DistilBertConfig, DistilBertModel, PreTrainedTokenizerFast

import remogpt
from remogpt import stages
from remogpt.data.humanml3d import MotionTextSet
from remogpt.retriever.networks.pl_tmr import PLTMRConfig
from remogpt.retriever.networks.temperature import Temperature
from remogpt.retriever.training.contrastive import contradictions, contrastive_loss
from remogpt.retriever.training.loop import ranking_scores
from remogpt.retriever.training.new_retriever import new_retriever
from remogpt.retriever.training.pairs import TrainingPairs
from remogpt.retriever.training.pl_tmr import PairBatches, RetrieverConfig, train_retriever
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.training.loop import LoopConfig

WORDS = ("[PAD]", "[UNK]", "a", "person", "walks", "raises", "the", "left", "right", "arm", "forward", "backward")
MODEL = PLTMRConfig(
    part_width=16, num_layers=1, num_heads=2, feedforward=32, dropout=0.0, projection_dim=16, patch=8, head_dropout=0.0,
    temperature=0.1, text_width=32, text_layers=1, text_heads=2, text_feedforward=64,
)  # fmt: skip


@pytest.fixture(scope="module")
def text_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("distilbert")
    torch.manual_seed(0)
    config = DistilBertConfig(vocab_size=len(WORDS), dim=16, n_layers=1, n_heads=2, hidden_dim=32)
    DistilBertModel(config).save_pretrained(folder)
    words = Tokenizer(models.WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=words, pad_token="[PAD]", unk_token="[UNK]").save_pretrained(folder)
    return folder


def toy_pairs(count: int, seed: int) -> TrainingPairs:
    """Four kinds of motion, each a channel that stands out, told apart by side and direction alone."""
    rng = np.random.default_rng(seed)
    captions, motions = [], []
    for number in range(count):
        side, way = number % 2, number // 2 % 2
        features = rng.normal(0, 0.3, (int(rng.integers(40, 64)), 263)).astype(np.float32)
        features[:, (20, 40)[side]] += 2.0
        features[:, 1] += (2.0, -2.0)[way]
        motions.append(features)
        captions.append((f"a person walks {('forward', 'backward')[way]} the {('left', 'right')[side]} arm",))
    return TrainingPairs.from_arrays(captions, motions)


def toy_config(text_folder: Path, steps: int, fine_tune: bool = False) -> RetrieverConfig:
    loop = LoopConfig(
        steps=steps, batch_size=16, learning_rate=1e-3, schedule="constant", log_every=10, save_every=10, cpu=True
    )
    return RetrieverConfig(
        model=MODEL, text_model=str(text_folder), fine_tune_text=fine_tune, filter_threshold=0.999, text_lr_scale=1.0,
        filter_model=str(text_folder), saved_as="float16", loop=loop,
    )  # fmt: skip


@pytest.mark.slow
def test_whole_path_learns_sides_and_directions(text_folder: Path, tmp_path: Path) -> None:
    config = toy_config(text_folder, 100)
    train, val = toy_pairs(64, 0), toy_pairs(16, 1)
    retriever = train_retriever(config, train, val, tmp_path / "run", tmp_path / "out")
    captions = [val.captions[index][0] for index in range(4)]
    similarity = retriever.encode_text(captions) @ retriever.encode_motion([val.load(index) for index in range(4)]).T
    assert similarity.argmax(axis=1).tolist() == similarity.argmax(axis=0).tolist() == [0, 1, 2, 3]
    assert (tmp_path / "run" / "log.jsonl").is_file() and retriever.hash


def test_a_fine_tuned_text_model_is_trained_and_kept(text_folder: Path, tmp_path: Path) -> None:
    config, pairs = toy_config(text_folder, 3, fine_tune=True), toy_pairs(32, 0)
    retriever = train_retriever(config, pairs, toy_pairs(8, 1), tmp_path / "run", tmp_path / "out")
    trained = retriever.network.text_encoder.state_dict()["transformer.embeddings.word_embeddings.weight"]
    start = DistilBertModel.from_pretrained(text_folder).state_dict()["embeddings.word_embeddings.weight"]
    assert (trained - start).abs().max() > 1e-3
    assert (tmp_path / "out" / "text_tokenizer" / "tokenizer.json").is_file()


SWITCHES: dict[str, dict[str, Any]] = {
    "none": {},
    "canonical": {"caption_form": "canonical"},
    "everything": {"model": replace(MODEL, learn_temperature=True, dropout=0.1, head_dropout=0.5),
                   "caption_form": "canonical", "input_noise": 0.1, "mirror_share": 0.5},
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", SWITCHES)
def test_an_interrupted_run_ends_as_an_unbroken_one(text_folder: Path, tmp_path: Path, name: str) -> None:
    config, train, val = replace(toy_config(text_folder, 8), **SWITCHES[name]), toy_pairs(32, 0), toy_pairs(8, 1)
    config = replace(config, loop=replace(config.loop, save_every=4, log_every=4))
    train = replace(train, partners=np.arange(32) ^ 1)
    whole = train_retriever(config, train, val, tmp_path / "whole", tmp_path / "a")

    class Killed(Exception):  # noqa: N818
        pass

    loads = 0

    def dying(index: int) -> np.ndarray:
        nonlocal loads
        loads += 1
        if loads > 33 + 16 * 6:  # statistics, then 6 steps
            raise Killed
        return train.load(index)

    with pytest.raises(Killed):
        train_retriever(config, replace(train, load=dying), val, tmp_path / "broken", tmp_path / "b")
    assert torch.load(tmp_path / "broken" / "training.pt", weights_only=True)["step"] == 4
    resumed = train_retriever(config, train, val, tmp_path / "broken", tmp_path / "b")
    assert resumed.hash == whole.hash


def test_a_form_of_captions_that_is_off_is_not_recorded(text_folder: Path, tmp_path: Path) -> None:
    pairs, config = toy_pairs(16, 0), toy_config(text_folder, 1)
    train_retriever(config, pairs, pairs, tmp_path / "run", tmp_path / "out")
    stage = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())["stage"]
    # A run that was begun before there was such a switch goes on: its settings are these.
    assert set(stage) == {*asdict(config)} - {"caption_form", "loop"}
    assert set(stage["model"]) == {*asdict(MODEL)}


def test_forms_of_captions_are_kept_with_the_part(text_folder: Path, tmp_path: Path) -> None:
    pairs = toy_pairs(16, 0)
    for form in ("written", "canonical"):
        config = replace(toy_config(text_folder, 1), caption_form=form)
        retriever = train_retriever(config, pairs, pairs, tmp_path / form, tmp_path / f"{form}_out")
        assert retriever.caption_form == form
        rows = retriever.encode_text(["The man walks.", "a person walks"])
        assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
        assert np.allclose(rows[0], rows[1], atol=1e-6) == (form == "canonical")


def test_contradictions_name_sides_and_directions() -> None:
    captions = [
        "turns left", "turns right", "turns", "walks forward", "walks backwards", "steps left then right",
        "circles clockwise", "circles counter-clockwise", "Turns LEFT.",
    ]  # fmt: skip
    found = {(i, j) for i, j in contradictions(captions).nonzero().tolist() if i < j}
    assert found == {(0, 1), (0, 5), (1, 5), (1, 8), (3, 4), (5, 8), (6, 7)}


def test_perfect_and_indifferent_losses() -> None:
    eye = torch.eye(8)
    assert contrastive_loss(eye, eye, 0.01).item() < 1e-6
    flat = torch.ones(8, 4)
    assert contrastive_loss(flat, flat, 0.1).item() == pytest.approx(np.log(8), abs=1e-5)
    everything = torch.ones(8, 8, dtype=torch.bool)
    assert contrastive_loss(flat, flat, 0.1, everything).item() == pytest.approx(0.0, abs=1e-6)


def test_temperature_is_fixed_or_learned_above_its_floor() -> None:
    fixed, learned = Temperature(0.07), Temperature(0.07, is_learnable=True)
    assert fixed().item() == pytest.approx(0.07) and not fixed.log_scale.requires_grad
    assert learned.log_scale.requires_grad
    with torch.no_grad():
        learned.log_scale.fill_(100.0)
    assert learned().item() == pytest.approx(0.01)
    with pytest.raises(RemogptError, match="above 0"):
        Temperature(0.0)


def test_ranking_scores_of_a_hand_made_matrix() -> None:
    similarity = np.array([[0.9, 0.1, 0.2], [0.8, 0.5, 0.6], [0.3, 0.4, 0.7]])
    scores = ranking_scores(similarity, ["a", "b", "c"])
    assert scores["val/t2m_R@1"] == pytest.approx(200 / 3) and scores["val/m2t_R@1"] == 100
    assert scores["val/mrr"] == pytest.approx((1 + 1 + 1 / 3 + 3) / 6)
    # With one caption for the first two, they do not compete: b's text ranks behind c's motion alone.
    assert ranking_scores(similarity, ["a", "a", "c"])["val/mrr"] == pytest.approx((1 + 1 + 1 / 2 + 3) / 6)


def test_mirror_images_join_a_batch(text_folder: Path, tmp_path: Path) -> None:
    pairs = toy_pairs(40, 0)
    partners = np.arange(40) + np.where(np.arange(40) < 20, 20, -20)
    config = replace(toy_config(text_folder, 1), mirror_share=1.0)
    retriever = new_retriever(MODEL, str(text_folder), False, *pairs.statistics())
    batches = PairBatches(config, replace(pairs, partners=partners), retriever, pairs.unique_captions())
    items = batches._with_mirrors(np.arange(12))
    assert items.tolist() == [*range(6), *range(20, 26)]
    grouped = replace(pairs, groups=np.arange(40) % 4)
    masked = PairBatches(config, grouped, retriever, pairs.unique_captions())
    mask = masked._false_negatives(np.arange(8), [grouped.captions[item][0] for item in range(8)])
    assert torch.equal(mask, torch.eye(4, dtype=torch.bool).repeat(2, 2))


def test_a_clip_that_is_drawn_twice_is_not_its_own_negative(text_folder: Path, tmp_path: Path) -> None:
    """With captions that differ, no group, and no filter by captions."""
    pairs = replace(toy_pairs(8, 0), captions=tuple((f"a person {word}", "the arm") for word in WORDS[:8]))
    config = replace(toy_config(text_folder, 1), filter_threshold=None)
    retriever = new_retriever(MODEL, str(text_folder), False, *pairs.statistics())
    batches = PairBatches(config, pairs, retriever, pairs.unique_captions())
    for items, not_negatives in (([3, 5, 6, 7], 0), ([3, 5, 3, 7], 2)):
        _, logs = batches.loss(retriever.network, np.array(items), np.random.default_rng(0))
        assert logs["filtered"] == not_negatives / 4


def test_statistics_are_per_channel() -> None:
    pairs = toy_pairs(10, 0)
    frames = np.concatenate([pairs.load(index) for index in range(10)]).astype(np.float64)
    mean, std = pairs.statistics()
    assert np.allclose(mean, frames.mean(axis=0)) and np.allclose(std, frames.std(axis=0))
    pairs.load(3)[5, 7] = np.nan
    with pytest.raises(RemogptError, match=rf"training clip 3 \('{pairs.captions[3][0]}'\) holds values that are not"):
        pairs.statistics()


def test_groups_of_equal_tags(tiny_set: Path) -> None:
    opened = MotionTextSet.open(tiny_set)
    clips = opened.clips("train")

    def agree(names: str) -> np.ndarray:
        groups = TrainingPairs.from_set(opened, "train", names).groups
        assert (groups >= 0).all()
        return groups[:, None] == groups

    styles, counts = agree("style"), agree("num_actions")
    assert np.array_equal(agree("style, num_actions"), styles & counts)
    found = np.array([[one.tags["style"] == other.tags["style"] for one in clips] for other in clips])
    assert np.array_equal(styles, found) and not counts.all()
    assert (TrainingPairs.from_set(opened, "train", "style,nothing").groups == -1).all()
    assert (TrainingPairs.from_set(opened, "train").groups == -1).all()


def test_kit_is_read_by_a_retriever_of_its_own(text_folder: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for folder in ("new_joint_vecs", "texts"):
        (tmp_path / "kit" / folder).mkdir(parents=True)
    for name in ("Mean", "Std"):
        np.save(tmp_path / "kit" / f"{name}.npy", np.ones(251, dtype=np.float32))
    lengths = {f"{number:05d}": 20 + 2 * number for number in range(8)}
    for name, length in lengths.items():
        np.save(tmp_path / "kit" / "new_joint_vecs" / f"{name}.npy", rng.normal(size=(length, 251)).astype(np.float32))
        (tmp_path / "kit" / "texts" / f"{name}.txt").write_text("a person walks#a/DET person/NOUN walk/VERB#0.0#0.0\n")
    (tmp_path / "kit" / "train.txt").write_text("\n".join(lengths))
    pairs = TrainingPairs.from_set(MotionTextSet.open(tmp_path / "kit"), "train")
    assert len(pairs) == 6 and pairs.load(0).shape == (24, 251)  # 20 and 22 frames are too few
    with pytest.raises(RemogptError, match=r"KIT-ML's features of 251 channels, but model.skeleton is for 263"):
        stages.train_retriever(tmp_path / "kit", out=tmp_path / "none", config=toy_config(text_folder, 1))
    config = toy_config(text_folder, 1)
    config = replace(config, model=replace(MODEL, skeleton="kit"), loop=replace(config.loop, batch_size=4))
    retriever = train_retriever(config, pairs, pairs, tmp_path / "run", tmp_path / "out")
    assert retriever.encode_motion([pairs.load(0)]).shape == (1, 16)


@pytest.mark.parametrize("name, projection_dim", [("mini", 128), ("humanml3d", 256)])
def test_shipped_settings_are_read(name: str, projection_dim: int) -> None:
    parser = ArgumentParser()
    parser.add_argument("--config", type=RetrieverConfig)
    file = Path(remogpt.__file__).parent / "configs" / name / "retriever.yaml"
    config = parser.instantiate(parser.parse_args(["--config", str(file)])).config
    assert isinstance(config, RetrieverConfig) and config.model.projection_dim == projection_dim


def test_settings_that_make_no_sense() -> None:
    with pytest.raises(RemogptError, match=r"loop\.batch_size"):
        RetrieverConfig(loop=LoopConfig(batch_size=1))
    with pytest.raises(RemogptError, match="filter_threshold"):
        RetrieverConfig(filter_threshold=0.2)
    with pytest.raises(RemogptError, match=r"model\.patch"):
        PLTMRConfig(patch=0)
    with pytest.raises(RemogptError, match="is the split empty"):
        TrainingPairs.from_arrays([], [])
