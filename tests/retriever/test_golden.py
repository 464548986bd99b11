"""Parity with the field's reference code, from the golden vectors."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from remogpt.retriever.networks.body_parts import PARTS, Layout, part_channels
from remogpt.retriever.networks.dual_encoder import ProjectionHead
from remogpt.retriever.networks.part_encoder import SixPartEncoder
from remogpt.retriever.training.contrastive import contrastive_loss, near_duplicates

REFERENCE_NAMES = ("Root", "R_Leg", "L_Leg", "Backbone", "R_Arm", "L_Arm")


def load(folder: Path, name: str) -> tuple[Any, dict[str, np.ndarray]]:
    with np.load(folder / f"{name}.npz", allow_pickle=False) as arrays:
        return json.loads((folder / f"{name}.json").read_text()), dict(arrays)


@pytest.mark.parametrize("skeleton, key", [("humanml3d", "t2m"), ("kit", "kit")])
def test_shared_channels_equal_parco(golden_dir: Path, skeleton: Any, key: str) -> None:
    expected = load(golden_dir, "lm_parts")[0][f"parco_channels_{key}"]
    channels = part_channels("shared", skeleton)
    for ours, theirs in zip(PARTS, REFERENCE_NAMES, strict=True):
        assert list(channels[ours]) == expected[theirs]


def test_part_values_on_a_real_clip(full_golden_dir: Path, data_dir: Path) -> None:
    arrays = load(full_golden_dir, "lm_parts")[1]
    features = np.load(data_dir / "humanml3d_sample" / "new_joint_vecs_012314.npy")
    for ours, theirs in zip(PARTS, REFERENCE_NAMES, strict=True):
        assert np.array_equal(features[:, list(part_channels()[ours])], arrays[f"parts_012314/{theirs}"])


@pytest.mark.parametrize("skeleton, num_features", [("humanml3d", 263), ("kit", 251)])
def test_disjoint_channels_cover_everything_once(skeleton: Any, num_features: int) -> None:
    layout: Layout = "disjoint"
    channels = [channel for part in part_channels(layout, skeleton).values() for channel in part]
    assert sorted(channels) == list(range(num_features))


def test_six_part_encoder_equals_part_tmr(golden_dir: Path) -> None:
    arrays = load(golden_dir, "lm_parts")[1]
    encoder = SixPartEncoder(width=16, num_layers=2, num_heads=4, feedforward=32, is_masked=False, max_frames=30).eval()
    state = {}
    for ours, theirs in zip(PARTS, REFERENCE_NAMES, strict=True):
        names = {"token": f"emb_token_{theirs}"}
        names |= {f"embed.{kind}": f"skel_embedding_{theirs}.{kind}" for kind in ("weight", "bias")}
        prefix = f"part_encoder/state/seqTransEncoder_{theirs}."
        names |= {f"layers.{k.removeprefix(prefix)}": k.split("/")[-1] for k in arrays if k.startswith(prefix)}
        state |= {f"encoders.{ours}.{k}": torch.from_numpy(arrays[f"part_encoder/state/{v}"]) for k, v in names.items()}
    encoder.load_state_dict(state, strict=True)
    # The stored inputs are independent per part, so each part is compared on its own columns.
    output = torch.from_numpy(arrays["part_encoder/out"])
    for index, (ours, theirs) in enumerate(zip(PARTS, REFERENCE_NAMES, strict=True)):
        features = torch.zeros(3, 30, 263)
        features[..., encoder.channels[ours]] = torch.from_numpy(arrays[f"part_encoder/in/{theirs}"])
        ours_out = encoder(features, torch.full((3,), 30))[:, 16 * index : 16 * (index + 1)]
        assert torch.allclose(ours_out, output[:, 16 * index : 16 * (index + 1)], atol=1e-5)


def test_projection_head_equals_motion_patches(golden_dir: Path) -> None:
    arrays = load(golden_dir, "tmr_evaluator")[1]
    head = ProjectionHead(20, 12, dropout=0.5).eval()
    prefix = "mp/head_state/"
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    head.load_state_dict({name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)})
    assert torch.allclose(head(tensors["mp/head_in"]), tensors["mp/head_out"], atol=1e-5)


@pytest.mark.parametrize("temperature", [0.1, 0.7])
@pytest.mark.parametrize("threshold", [0.8, 0.55, None])
def test_contrastive_loss_equals_tmr(golden_dir: Path, temperature: float, threshold: float | None) -> None:
    scores, arrays = load(golden_dir, "tmr_evaluator")
    text = torch.from_numpy(arrays["x"]).requires_grad_()
    motion = torch.from_numpy(arrays["y"]).requires_grad_()
    sentences = torch.nn.functional.normalize(torch.from_numpy(arrays["sent_emb"]), dim=-1)
    loss = contrastive_loss(
        text, motion, temperature, None if threshold is None else near_duplicates(sentences, threshold)
    )
    loss.backward()
    name = f"infonce_t{temperature}_th{threshold}"
    assert loss.item() == pytest.approx(scores[name], abs=1e-5)
    assert np.allclose(text.grad, arrays[f"{name}/grad_x"], atol=1e-5)
    assert np.allclose(motion.grad, arrays[f"{name}/grad_y"], atol=1e-5)


def test_filtered_pairs_are_as_many_as_tmrs(golden_dir: Path) -> None:
    scores, arrays = load(golden_dir, "tmr_evaluator")
    same = near_duplicates(torch.nn.functional.normalize(torch.from_numpy(arrays["sent_emb"]), dim=-1), 0.8)
    assert int((same & ~torch.eye(16, dtype=torch.bool)).sum()) == scores["n_filtered_th0.8"]
