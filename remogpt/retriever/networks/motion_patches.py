"""MotionPatches: a vision transformer reads a motion as an image of five kinematic chains over time.

A frame is a line of 80 points, 16 along each chain; 16 frames of one chain are a patch of 16 by 16 pixels, whose three
colours are the coordinates. Padding is attended to, as zeros. The network takes the same features as its siblings and
places the joints itself, where it runs.

Source: MotionPatches, arXiv 2405.04771 (settings from its configuration, 1ce221f; its code is under another
licence and was not used). differs: joints are z-scored over the training split, not over all splits; the released
network's norm stands before the mean over patches, which the paper leaves open.
"""

from dataclasses import fields
from typing import Any

import numpy as np
import torch
from einops import rearrange
from torch import Tensor, nn

from remogpt.motion.feature_body import HUMANML3D, KIT, FeatureBody
from remogpt.motion.features import features_to_joints
from remogpt.motion.skeleton import CHAINS
from remogpt.retriever.networks.dual_encoder import DualEncoder, TextTower
from remogpt.retriever.networks.pl_tmr import PLTMRConfig
from remogpt.retriever.networks.temperature import Temperature
from remogpt.retriever.padding import MIN_STD, real_positions
from remogpt.runtime.errors import RemogptError

POINTS = 16
"""Points along each chain; with 16 frames they make one patch."""
BODIES = {"humanml3d": HUMANML3D, "kit": KIT}
"""Bodies by the name of a configuration's skeleton."""
OF_PARTS = ("layout", "part_width", "num_layers", "num_heads", "feedforward", "patch", "is_masked")
"""Fields of `PLTMRConfig` that are about its part encoders alone."""
_KIT_SECOND = 12
"""Frames of KIT-ML that MotionPatches takes for a second; the true rate is 12.5."""


def chain_weights(chains: tuple[tuple[int, ...], ...] = CHAINS) -> np.ndarray:
    """Return (16 * chains, J) float32: the share of each joint in each point of the image.

    The points are those of a linear image resize with half-pixel centres: the first and last lie on the chain's ends.
    """
    weights = np.zeros((POINTS * len(chains), 1 + max(max(chain) for chain in chains)), np.float32)
    for number, chain in enumerate(chains):
        positions = ((np.arange(POINTS) + 0.5) * len(chain) / POINTS - 0.5).clip(0, len(chain) - 1)
        for point, position in enumerate(positions, start=POINTS * number):
            below = int(position)
            weights[point, chain[below]] += 1 - (position - below)
            weights[point, chain[min(below + 1, len(chain) - 1)]] += position - below
    return weights


def kit_frames(num_frames: int) -> np.ndarray:
    """Return indices of the frames that MotionPatches picks from a KIT-ML clip of `num_frames` to reach 20 a second.

    Each 12 frames give 20: a second is taken to have 12 frames and not 12.5, so that motion is slowed by 4 %.
    """
    within = np.arange(20) * 12.5 // 20
    starts = np.arange(0, num_frames, _KIT_SECOND)
    frames = (starts[:, None] + within).ravel().astype(np.int64)
    return frames[frames < num_frames]


def joint_places(features: np.ndarray | Tensor, body: FeatureBody) -> Any:
    """Turn raw features (..., T, F) into joint coordinates (..., T, 3 * J), of the type that was given."""
    joints = features_to_joints(features, body=body)
    return joints.reshape(*joints.shape[:-2], 3 * body.num_joints)


class PatchEncoder(nn.Module):
    """Read z-scored features as an image: (B, T, F), lengths (B,) -> (B, output_dim).

    Args:
        vit: a vision transformer without a pooler, for images of `height` frames by 16 points a chain.
        height: frames of an image, at 20 a second.
        body: of the features; KIT-ML's are brought to 20 frames a second by picking frames.
    """

    def __init__(self, vit: nn.Module, height: int, body: FeatureBody) -> None:
        super().__init__()
        config: Any = vit.config
        self.vit, self.height, self.body, self.output_dim = vit, height, body, int(config.hidden_size)
        # Of KIT-ML fewer frames fill an image.
        self.max_frames = height
        if body is KIT:
            self.max_frames = max(count for count in range(height + 1) if len(kit_frames(count)) <= height)
        self.chains: Tensor
        self.feature_mean: Tensor
        self.feature_std: Tensor
        self.joint_mean: Tensor
        self.joint_std: Tensor
        self.register_buffer("chains", torch.from_numpy(chain_weights(body.chains)), persistent=False)
        for name, width in (("feature", body.num_features), ("joint", 3 * body.num_joints)):
            self.register_buffer(f"{name}_mean", torch.zeros(width))
            self.register_buffer(f"{name}_std", torch.ones(width))

    def measure(self, features: tuple[Any, Any], joints: tuple[Any, Any]) -> None:
        """Take over mean and standard deviation of the raw features (F,) and of the joints' coordinates (3 * J,)."""
        for name, (mean, std) in (("feature", features), ("joint", joints)):
            getattr(self, f"{name}_mean").copy_(torch.as_tensor(mean))
            getattr(self, f"{name}_std").copy_(torch.as_tensor(std).clamp(min=MIN_STD))

    def image(self, features: Tensor, lengths: Tensor) -> Tensor:
        """Turn z-scored features (B, T, F), lengths (B,) into (B, 3, height, 16 * chains), zero beyond each length."""
        places = joint_places(features.float() * self.feature_std + self.feature_mean, self.body)
        if self.body is KIT:
            frames = torch.from_numpy(kit_frames(features.shape[1])).to(features.device)
            places, lengths = places[:, frames], (frames < lengths[:, None]).sum(1)
        scored = (places - self.joint_mean) / self.joint_std
        scored = scored * real_positions(lengths, scored.shape[1])[..., None]
        points = torch.einsum("pj,btjc->bctp", self.chains, rearrange(scored, "b t (j c) -> b t j c", c=3))
        return nn.functional.pad(points, (0, 0, 0, self.height - points.shape[2]))

    def forward(self, features: Tensor, lengths: Tensor) -> Tensor:
        """Return the mean of the patches' last states."""
        states: Tensor = self.vit(self.image(features, lengths)).last_hidden_state
        return states[:, 1:].mean(dim=1)  # without the class token


def vision_transformer(settings: dict[str, Any]) -> nn.Module:
    """Build the vision transformer that a saved transformers configuration describes, without weights."""
    from transformers import ViTConfig, ViTModel

    known = {name: value for name, value in settings.items() if name != "model_type"}
    return ViTModel(ViTConfig(**known), add_pooling_layer=False)


def build_motion_patches(config: PLTMRConfig, vit: nn.Module, text_encoder: TextTower) -> DualEncoder:
    """Build MotionPatches around a vision transformer and a text encoder.

    Raises:
        RemogptError: if a setting is given that only PL-TMR's part encoders have.
    """
    plain = PLTMRConfig()
    strange = [name for name in OF_PARTS if getattr(config, name) != getattr(plain, name)]
    if strange:
        raise RemogptError(f"model.{strange[0]} is a setting of PL-TMR's part encoders; leave it out of MotionPatches")
    encoder = PatchEncoder(vit, config.max_frames, BODIES[config.skeleton])
    temperature = Temperature(config.temperature, config.learn_temperature)
    return DualEncoder(encoder, text_encoder, config.projection_dim, config.head_dropout, temperature)


def saved_sizes(config: PLTMRConfig) -> dict[str, Any]:
    """Return the fields of a configuration that MotionPatches has."""
    return {one.name: getattr(config, one.name) for one in fields(config) if one.name not in OF_PARTS}
