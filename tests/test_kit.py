"""KIT-ML's own features, 251 channels of 21 joints at 12.5 frames a second, go the whole way as HumanML3D's do."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import remogpt
from remogpt import GenerationOptions, stages
from remogpt.data.humanml3d import MotionTextSet
from remogpt.eval import physical
from remogpt.lm import T5Size
from remogpt.lm.copying.train import CopyConfig
from remogpt.lm.training.train import LanguageModelConfig
from remogpt.motion import Motion, joints_to_features
from remogpt.motion.feature_body import HUMANML3D, KIT
from remogpt.motion.features import joints_in_metres
from remogpt.retriever.database.overlap import find_overlaps
from remogpt.retriever.database.packed_motion import PackedMotion
from remogpt.retriever.networks.pl_tmr import PLTMRConfig
from remogpt.retriever.training.new_retriever import new_retriever
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.folders.model_folder import assemble
from remogpt.runtime.training.loop import LoopConfig
from remogpt.stages.database_audit import ClipsOf
from remogpt.tokenizer_vqvae.losses import LossWeights, elbows_and_wrists
from remogpt.tokenizer_vqvae.train import TokenizerConfig
from tests.data.doctor.made_sets import kit
from tests.motion.test_feature_bodies import kit_motion

LOOP = LoopConfig(steps=2, batch_size=4, learning_rate=1e-3, save_every=2, log_every=1, cpu=True)


@pytest.fixture(scope="module")
def kit_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return kit(tmp_path_factory.mktemp("kit") / "KIT-ML", 14)


@pytest.fixture(scope="module")
def kit_model(kit_set: Path, tiny_text_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose every component was trained for two steps, or is random, on KIT-ML's features."""
    folder = tmp_path_factory.mktemp("kit_model")
    small = {"width": 16, "num_codes": 32, "code_dim": 16, "depth": 1, "window": 32, "speed_jitter": 0.1}
    weights = LossWeights(arms=1.0, path=1.0, joints=1.0)
    stages.train_tokenizer(
        kit_set, out=folder / "tokenizer", config=TokenizerConfig(**small, weights=weights, loop=LOOP)
    )
    motions = MotionTextSet.open(kit_set)
    config = PLTMRConfig(skeleton="kit", layout="shared", part_width=16, num_layers=1, num_heads=2, feedforward=32,
                         patch=8, projection_dim=16, text_width=16, text_layers=1, text_heads=2,
                         text_feedforward=32)  # fmt: skip
    torch.manual_seed(0)
    new_retriever(config, str(tiny_text_model), False, motions.mean, motions.std).save_pretrained(folder / "retriever")
    parts = {"tokenizer": folder / "tokenizer", "retriever": folder / "retriever"}
    for split in ("train", "val"):
        stages.build_database(kit_set, split=split, out=folder / split, compact=True, facts=False, **parts)
        stages.find_neighbours(folder / "train", queries=folder / split, out=folder / f"{split}.safetensors")
    lm = LanguageModelConfig(size=T5Size(16, 32, 1, 1, 2, 8), vocabulary_size=320, num_codes=32, loop=LOOP)
    examples = {"database": folder / "train", "neighbours": folder / "train.safetensors"}
    stages.train_lm(kit_set, out=folder / "lm", tokenizer=folder / "tokenizer", config=lm, **examples)
    stages.train_copy(out=folder / "copy", tokenizer=folder / "tokenizer", database=folder / "train",
                      queries=folder / "train", neighbours=folder / "train.safetensors",
                      config=CopyConfig(loop=LOOP))  # fmt: skip
    whole = {name: folder / name for name in ("tokenizer", "retriever", "lm", "copy")}
    assemble(folder / "model", whole, folder / "train", "kit", "MIT")
    return folder / "model"


def test_a_model_of_kits_features_generates_and_captions(kit_model: Path, kit_set: Path, tmp_path: Path) -> None:
    model = remogpt.ReMoGPT.from_pretrained(kit_model)
    assert (model.lm.fps, model.body) == (12.5, KIT)
    (answer,) = model.generate("a person walks", seconds=4.0, seed=0, options=GenerationOptions(best_of=2))
    assert answer.motion.features.shape == (50, 251) and answer.motion.joints.shape == (50, 21, 3)
    assert answer.motion.seconds == 4.0 and "4.2 seconds" in str(answer.prompt)  # 13 codes at 12.5 a second
    example = model.retrieved_motion(answer.examples[0])
    assert example.body is KIT and 0.5 < np.ptp(example.joints[0, :, 1]) < 2.5  # a person's height in metres
    features = MotionTextSet.open(kit_set).features("00000")
    assert model.caption(Motion.from_features(features, body=KIT), seed=0).examples
    answer.motion.save(tmp_path / "own.npy", content="features")
    assert np.load(tmp_path / "own.npy").shape == (50, 251)
    for call, message in (
        (lambda: answer.motion.save(tmp_path / "a.bvh"), "KIT-ML's 21 joints, not our 22: it cannot be written"),
        (lambda: answer.motion.save(tmp_path / "a.html"), "it cannot be written as .html"),
        (lambda: answer.motion.mirrored(), "it cannot be mirrored"),
        (lambda: answer.motion.save(tmp_path / "a.npy", fps=20.0), "its frame rate cannot be changed"),
    ):  # fmt: skip
        with pytest.raises(RemogptError, match=message):
            call()


def test_commands_refuse_what_needs_our_joints(kit_model: Path, run: Any, tmp_path: Path) -> None:
    words = ("a person walks", "--model", kit_model, "--seconds", "2")
    told = run("generate", *words, "--out", tmp_path / "a.bvh")
    assert told.code == 2 and not (tmp_path / "a.bvh").exists()
    assert "such files hold our 22 joints, and this model's motions have KIT-ML's 21; write .npy" in told.err
    assert run("generate", *words, "--out", tmp_path / "a.npy").code == 0
    assert np.load(tmp_path / "a.npy").shape == (25, 21, 3)
    told = run("serve", "--model", kit_model, "--work", tmp_path / "work")
    assert told.code == 2 and "the service plays and writes our 22 joints" in told.err


def test_it_is_evaluated_as_others_are(kit_model: Path, kit_set: Path, tmp_path: Path) -> None:
    from remogpt.eval.runs.config import EvalConfig

    config = EvalConfig(splits=("test",), modes=("retrieval",), memorisation=False, caption_protocols=("raw",))
    report = stages.evaluate(
        kit_model, kit_set, out=tmp_path, tasks=("tokenizer", "generation", "captioning"),
        evaluator=kit_model / "retriever", sentence_model=None, config=config, warn=lambda _: None,
    )  # fmt: skip
    scores = {name: result["scores"] for name, result in report["results"].items()}
    assert {"fid", "mm_dist"} <= scores["generation/test/retrieval"]["evaluator"].keys()
    assert np.isfinite(scores["generation/test/retrieval"]["physical"]["jerk"]["mean"])
    assert scores["tokenizer/test"]["mpjpe"] < 5000 and "captioning/test/retrieval" in scores


def test_facts_are_refused_in_a_sentence(kit_model: Path, kit_set: Path, tmp_path: Path) -> None:
    parts = {"tokenizer": kit_model / "tokenizer", "retriever": kit_model / "retriever"}
    with pytest.raises(RemogptError, match=r"facts are found on our 22 joints, and KIT-ML's .* 21; .*--no-facts"):
        stages.build_database(kit_set, out=tmp_path / "db", **parts)


def test_packed_motions_come_back() -> None:
    features = joints_to_features(kit_motion(80, seed=3), body=KIT)
    back = PackedMotion.pack(features).unpack()
    assert back.shape == features.shape
    assert np.abs(joints_in_metres(back) - joints_in_metres(features)).max() < 0.002


def test_overlaps_are_found_among_motions_of_one_body(kit_set: Path, tiny_set: Path) -> None:
    motions = MotionTextSet.open(kit_set)
    clips = motions.clips("train")
    mirrored = kit_motion(80, seed=3)[:, list(KIT.mirror_order)] * np.array([-1.0, 1.0, 1.0])

    class Other(ClipsOf):
        def features(self, row: int) -> np.ndarray:
            return joints_to_features(mirrored, body=KIT) if row == 0 else super().features(row)

    class One(ClipsOf):
        def features(self, row: int) -> np.ndarray:
            return joints_to_features(kit_motion(80, seed=3), body=KIT)

    found = find_overlaps(Other(motions, clips[:4]), One(motions, clips[5:6]), kinds=("mirrored motion",))
    assert [(one.kind, one.entry) for one in found] == [("mirrored motion", clips[0].id)]
    ours = MotionTextSet.open(tiny_set)
    with pytest.raises(RemogptError, match="have KIT-ML's 21 joints, the queries' HumanML3D's 22"):
        find_overlaps(ClipsOf(motions, clips), ClipsOf(ours, ours.clips("val")))


def test_physics_are_measured_in_metres_and_seconds() -> None:
    standing = np.repeat(kit_motion(1), 20, axis=0) / 1000
    standing[..., 1] -= standing[..., 1].min()
    assert physical.measure(standing) == pytest.approx(dict.fromkeys(physical.NAMES, 0.0))
    sliding = standing + np.linspace(0, 1.9, 20)[:, None, None] * np.array([1.0, 0.0, 0.0])
    assert physical.foot_slide(sliding) == pytest.approx(0.1 * 12.5 * 100)


def test_the_arms_lie_at_the_ends_of_their_chains() -> None:
    assert elbows_and_wrists(HUMANML3D).tolist() == [*range(55, 67), *range(169, 193), *range(247, 259)]
    assert elbows_and_wrists(KIT)[:3].tolist() == [4 + 3 * 5, 5 + 3 * 5, 6 + 3 * 5]  # joint 6


def test_a_tokenizer_of_one_body_refuses_the_others_database(kit_model: Path, tiny_set: Path, tmp_path: Path) -> Any:
    parts = {"tokenizer": kit_model / "tokenizer", "retriever": kit_model / "retriever"}
    with pytest.raises(RemogptError, match=r"\(\d+, 263\), wanted finite \(T, 251\)"):
        stages.build_database(tiny_set, out=tmp_path / "db", facts=False, **parts)
