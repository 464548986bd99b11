"""Measure how well a tokenizer reconstructs motions: pose error, world error, use of the codebook.

Lengths are millimetres, angles degrees. `pose_mm` compares each frame in the body's own heading frame; `world_mm` adds
the drift of the decoded path, whose velocities are summed over the clip.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from remogpt.motion.feature_body import body_of
from remogpt.motion.features import joints_in_metres, recover_root
from remogpt.tokenizer_vqvae.ema_reset_quantizer import perplexity_of
from remogpt.tokenizer_vqvae.tokenizer import MotionTokenizer


def reconstruction_metrics(tokenizer: MotionTokenizer, motions: Sequence[np.ndarray]) -> dict[str, float]:
    """Encode and decode whole motions and measure the difference.

    Args:
        tokenizer: a trained tokenizer.
        motions: raw features, each (T, F) with T at least 4; surplus frames are cut as `encode` does.

    Returns:
        Means over all frames of all motions: `pose_mm` (all joints, height kept, root over the origin, own heading),
        `world_mm` (all joints, path integrated from the first frame). Means over motions: `root_end_mm` and
        `heading_end_deg`, both at the last frame. Over all codes: `perplexity`, and `codes_used`, a share of the
        codebook.
    """
    unit = body_of(tokenizer.num_features).unit
    codes = tokenizer.encode_batch(motions)
    decoded = tokenizer.decode_batch(codes)
    pose, world, root_end, heading_end = [], [], [], []
    for motion, ours in zip(motions, decoded, strict=True):
        theirs = np.asarray(motion[: len(ours)], dtype=np.float32)
        pose.append(_distances(_standing(ours), _standing(theirs)))
        world.append(_distances(joints_in_metres(ours), joints_in_metres(theirs)))
        (ours_turn, ours_root), (theirs_turn, theirs_root) = recover_root(ours), recover_root(theirs)
        root_end.append(unit * np.linalg.norm((ours_root - theirs_root)[-1, ::2]))
        heading_end.append(abs(ours_turn - theirs_turn)[-1])
    counts = torch.from_numpy(np.bincount(np.concatenate(codes), minlength=tokenizer.num_codes)).double()
    return {
        "pose_mm": 1000 * float(np.concatenate(pose).mean()),
        "world_mm": 1000 * float(np.concatenate(world).mean()),
        "root_end_mm": 1000 * float(np.mean(root_end)),
        "heading_end_deg": float(np.degrees(np.mean(heading_end))),
        "perplexity": float(perplexity_of(counts)),
        "codes_used": float((counts > 0).double().mean()),
    }


def _standing(features: np.ndarray) -> np.ndarray:
    """(T, F) -> (T, J, 3): joints in the heading frame, the root over the origin."""
    still = features.copy()
    still[:, :3] = 0.0
    return joints_in_metres(still)


def _distances(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """(T, J, 3) twice -> (T, J) metres."""
    return np.linalg.norm(ours - theirs, axis=-1)
