"""MotionPatches: the image that it reads, its pretrained vision transformer, and the whole path to a database."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import DistilBertConfig, DistilBertModel, ViTConfig, ViTForImageClassification

from remogpt.motion import features_to_joints
from remogpt.motion.feature_body import HUMANML3D, KIT
from remogpt.retriever import DatabaseEntry, MotionDatabase, TextMotionRetriever
from remogpt.retriever.networks.motion_patches import PatchEncoder, chain_weights, joint_places, kit_frames
from remogpt.retriever.networks.pl_tmr import PLTMRConfig
from remogpt.retriever.training.pairs import TrainingPairs
from remogpt.retriever.training.pl_tmr import RetrieverConfig, train_retriever
from remogpt.retriever.training.pretrained_vision import load_vision_transformer
from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.runtime.training.loop import LoopConfig

SIZES = PLTMRConfig(max_frames=64, projection_dim=16, head_dropout=0.0, temperature=0.1, dropout=0.0,
                    text_width=32, text_layers=1, text_heads=2, text_feedforward=64)  # fmt: skip


@pytest.fixture(scope="module")
def vit_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny ViT as published ones lie there: trained on square images, with a head above."""
    folder = tmp_path_factory.mktemp("vit")
    torch.manual_seed(0)
    config = ViTConfig(hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64, image_size=48)
    ViTForImageClassification(config).save_pretrained(folder)
    return folder


def made_motions(count: int, num_features: int = 263, seed: int = 0) -> list[np.ndarray]:
    """Motions that go forward or backward, the arms held high or low."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(count):
        features = rng.normal(0, 0.02, (int(rng.integers(40, 60)), num_features)).astype(np.float32)
        features[:, 2] += (0.05, -0.05)[number % 2]
        features[:, 3] = 0.9
        features[:, 56:67:3] += (1.5, 0.5)[number // 2 % 2]
        made.append(features)
    return made


@pytest.fixture(scope="module")
def pairs() -> TrainingPairs:
    """Forward and backward are a man and a woman, arms high and low the sides: words that the text model has."""
    captions = [(f"a {('man', 'woman')[n % 2]} waves the {('left', 'right')[n // 2 % 2]}",) for n in range(32)]
    return replace(TrainingPairs.from_arrays(captions, made_motions(32)), groups=np.arange(32) % 4)


@pytest.fixture
def config(vit_folder: Path, tiny_text_model: Path) -> RetrieverConfig:
    loop = LoopConfig(steps=80, batch_size=16, learning_rate=1e-3, schedule="constant", cpu=True)
    return RetrieverConfig(model=SIZES, vision_model=str(vit_folder), text_model=str(tiny_text_model),
                           fine_tune_text=False, text_lr_scale=1.0, loop=loop)  # fmt: skip


@pytest.mark.parametrize("body", [HUMANML3D, KIT], ids=["humanml3d", "kit"])
def test_the_image_holds_the_chains_of_z_scored_joints(vit_folder: Path, body: Any) -> None:
    encoder = PatchEncoder(load_vision_transformer(str(vit_folder), 112, 80), 112, body)
    motions = made_motions(3, body.num_features)
    rng = np.random.default_rng(1)
    scales = {
        size: (rng.normal(size=size), rng.uniform(0.5, 2, size)) for size in (body.num_features, 3 * body.num_joints)
    }
    mean, std = scales[body.num_features]
    encoder.measure(*scales.values())
    lengths = torch.tensor([len(motion) for motion in motions])
    padded = torch.full((3, int(lengths.max()), body.num_features), 7.0)  # what is beyond a length counts for nothing
    for row, motion in zip(padded, motions, strict=True):
        row[: len(motion)] = torch.from_numpy((motion - mean) / std)
    image = encoder.image(padded, lengths).numpy()
    assert image.shape == (3, 3, 112, 80)
    joint_mean, joint_std = scales[3 * body.num_joints]
    for found, motion in zip(image, motions, strict=True):
        joints = features_to_joints(motion, body=body).reshape(len(motion), -1)
        joints = joints if body is HUMANML3D else joints[kit_frames(len(motion))]
        scored = ((joints - joint_mean) / joint_std).reshape(len(joints), -1, 3)
        wanted = chain_weights(body.chains) @ scored
        assert np.abs(found[:, : len(joints)] - wanted.transpose(2, 0, 1)).max() < 2e-3
        assert not found[:, len(joints) :].any()
        assert len(joints) <= 112 and len(motion) <= encoder.max_frames
    assert encoder.max_frames == (112 if body is HUMANML3D else max(n for n in range(112) if len(kit_frames(n)) <= 112))


def test_pretrained_positions_are_kept_or_resized(vit_folder: Path) -> None:
    whole = ViTForImageClassification.from_pretrained(vit_folder).vit
    image = torch.randn(1, 3, 48, 48)
    same = load_vision_transformer(str(vit_folder), 48, 48).eval()
    with torch.inference_mode():
        assert torch.allclose(same(image).last_hidden_state, whole.eval()(image).last_hidden_state, atol=1e-6)
    place = "embeddings.position_embeddings"
    before, now = whole.state_dict()[place], load_vision_transformer(str(vit_folder), 112, 80).state_dict()[place]
    assert before.shape == (1, 10, 32) and now.shape == (1, 36, 32) and torch.equal(before[:, 0], now[:, 0])
    # A resize keeps the corners near and the mean.
    assert (now[0, 1:].mean(0) - before[0, 1:].mean(0)).abs().max() < 0.1 * before.std()


@pytest.mark.slow
def test_the_whole_path(
    config: RetrieverConfig, pairs: TrainingPairs, tokenizer: Any, entry: Callable[[int], DatabaseEntry], tmp_path: Path
) -> None:
    """It learns, is loaded from its folder alone, and serves a database; so does one with a text model of its own."""
    retriever = train_retriever(config, pairs, pairs, tmp_path / "run", tmp_path / "out")
    motions = [pairs.load(index) for index in range(4)]
    similarity = (
        retriever.encode_text([pairs.captions[index][0] for index in range(4)]) @ retriever.encode_motion(motions).T
    )
    assert similarity.argmax(axis=1).tolist() == similarity.argmax(axis=0).tolist() == [0, 1, 2, 3]
    loaded = TextMotionRetriever.from_pretrained(tmp_path / "out")
    assert loaded.hash == retriever.hash and loaded.config["network"] == "motion_patches" and not loaded.has_parts
    assert "part_width" not in loaded.config["model"] and "num_hidden_layers" in loaded.config["vision"]
    together, alone = loaded.encode_motion(motions), np.concatenate([loaded.encode_motion([one]) for one in motions])
    assert np.abs(together - alone).max() < 1e-5, "padding must not change a motion's embedding"
    stds = loaded.network.motion_encoder.joint_std
    assert (
        stds[0] - np.concatenate([joint_places(pairs.load(n), HUMANML3D)[:, 0] for n in range(32)]).std()
    ).abs() < 1e-3
    database = MotionDatabase.build([entry(number) for number in range(6)], loaded, tokenizer, tmp_path / "db")
    assert len(MotionDatabase.open(tmp_path / "db", loaded).search(text="a person kicks", k=3)) == 3
    assert database.manifest["retriever_hash"] == retriever.hash
    begun = replace(config, start_from=str(tmp_path / "out"), loop=replace(config.loop, steps=1))
    assert train_retriever(begun, pairs, pairs, tmp_path / "run2", tmp_path / "out2").hash != retriever.hash


def test_a_text_model_that_is_tuned_too(
    config: RetrieverConfig, pairs: TrainingPairs, tiny_text_model: Path, tmp_path: Path
) -> None:
    tuned = replace(config, fine_tune_text=True, loop=replace(config.loop, steps=1))
    made = train_retriever(tuned, pairs, pairs, tmp_path / "run", tmp_path / "out")
    again = TextMotionRetriever.from_pretrained(tmp_path / "out")
    assert np.array_equal(made.encode_text(["a person walks"]), again.encode_text(["a person walks"]))


def test_what_does_not_fit_is_refused(config: RetrieverConfig, pairs: TrainingPairs, tmp_path: Path) -> None:
    def refused(changed: RetrieverConfig, words: str, error: type[Exception] = RemogptError) -> None:
        with pytest.raises(error, match=words):
            train_retriever(changed, pairs, pairs, tmp_path / "run", tmp_path / "out")

    refused(replace(config, vision_model=str(tmp_path)), "no vision transformer in", MissingPathError)
    refused(replace(config, model=replace(SIZES, part_width=64)), r"model.part_width is a setting of PL-TMR")
    refused(replace(config, model=replace(SIZES, max_frames=50)), "patches of 16 do not divide images of 50 frames")
    DistilBertModel(DistilBertConfig(vocab_size=8, dim=16, n_layers=1, n_heads=2, hidden_dim=32)).save_pretrained(
        tmp_path / "b"
    )
    refused(replace(config, vision_model=str(tmp_path / "b")), "is a 'distilbert'; MotionPatches wants a ViT")
