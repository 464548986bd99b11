"""Encode raw features as codes and decode codes, with a trained tokenizer.

A motion is (T, 263), raw HumanML3D features (metres, 20 fps), or (T, 251), KIT-ML's own; four frames give one code, or
with a residual quantizer one code of each level. Statistics, network and codebook live in one folder (`config.json`,
`model.safetensors`, `normalizer.safetensors`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from remogpt.runtime.errors import RemogptError
from remogpt.runtime.folders.component import load_component, save_component
from remogpt.runtime.folders.envelope import CODES_OF
from remogpt.runtime.folders.find_model import find_component
from remogpt.tokenizer_vqvae.normalizer import Normalizer
from remogpt.tokenizer_vqvae.vqvae import MotionVQVAE

KIND = "tokenizer"
MAX_BATCH_FRAMES = 8192
"""Frames per batch; limits a batch to about 100 MB of memory at the paper's width."""


class MotionTokenizer(nn.Module):
    """Encode raw motion features as codes and decode codes as raw features."""

    def __init__(self, vqvae: MotionVQVAE, normalizer: Normalizer, config: Mapping[str, Any] | None = None) -> None:
        """Combine a network with its statistics.

        Args:
            vqvae: the network; put into eval mode here.
            normalizer: statistics of the motion it was trained on.
            config: constructor arguments of `vqvae`, and `CODES_OF` if it has another tokenizer's codes; needed only
                to save.
        """
        super().__init__()
        self.vqvae = vqvae.eval()
        self.normalizer = normalizer
        self._config = dict(config) if config is not None else None
        self._hash: str | None = None

    @classmethod
    def from_pretrained(
        cls, path: str | Path | None = None, device: str | torch.device | None = None
    ) -> MotionTokenizer:
        """Load a tokenizer that `save_pretrained` or `remogpt train tokenizer` wrote.

        Args:
            path: folder of the tokenizer or of a model, or a model's name on the hub; default: the embedded `mini`.
            device: default: the CPU.

        Raises:
            MissingPathError: if a file is missing.
            RemogptError: if the folder holds something else or was changed.
        """
        folder = find_component(path, KIND)
        component = load_component(folder, KIND)
        network = {name: value for name, value in component.config.items() if name != CODES_OF}
        vqvae = MotionVQVAE(**network)
        state = {**vqvae.state_dict(), **component.tensors}
        if component.tensors.keys() != vqvae.state_dict().keys() - vqvae.training_state():
            raise RemogptError(
                f"the weights in {folder} do not fit its config.json; copy the folder again or train it anew"
            )
        vqvae.load_state_dict(state)
        vqvae.quantizer.restart_()
        tokenizer = cls(vqvae, Normalizer(component.normalizer["mean"], component.normalizer["std"]), component.config)
        tokenizer._hash = component.hash
        return tokenizer.to(device or "cpu")

    def save_pretrained(self, folder: str | Path, dtype: torch.dtype | None = None) -> str:
        """Write the tokenizer and return its hash.

        Args:
            folder: made if absent.
            dtype: type of stored weights; torch.float16 halves the files. The loaded tokenizer may then give other
                codes, so use the loaded one from here on.
        """
        if self._config is None:
            raise RemogptError(
                "this tokenizer was built without its config; give MotionTokenizer(..., config=...) to save it"
            )
        left_out = self.vqvae.training_state()
        tensors = {name: tensor for name, tensor in self.vqvae.state_dict().items() if name not in left_out}
        statistics = {"mean": self.normalizer.mean, "std": self.normalizer.std}
        component_hash = save_component(folder, KIND, self._config, tensors, statistics, dtype=dtype)
        if dtype is None:
            self._hash = component_hash
        return component_hash

    @property
    def hash(self) -> str:
        """64 hexadecimal digits that name this tokenizer's weights, settings and statistics."""
        if self._hash is None:
            raise RemogptError("this tokenizer has no hash yet; save it with save_pretrained, which computes it")
        return self._hash

    @property
    def code_hash(self) -> str:
        """Hash of the tokenizer whose codes these are: its own, or that of the one whose decoder was trained on."""
        return str((self._config or {}).get(CODES_OF) or self.hash)

    @property
    def num_codes(self) -> int:
        """K, the size of the codebook."""
        return self.vqvae.quantizer.num_codes

    @property
    def num_features(self) -> int:
        """F, 263 for HumanML3D, 251 for KIT-ML."""
        return self.vqvae.num_features

    @property
    def frames_per_code(self) -> int:
        """Frames of one step, 4."""
        return self.vqvae.frames_per_code

    @property
    def code_vectors(self) -> torch.Tensor:
        """(K, D) codebook row of each code."""
        return self.vqvae.quantizer.lookup(torch.arange(self.num_codes, device=self.device)).detach()

    @property
    def codes_per_step(self) -> int:
        """Codes of one step: 1, or as many as a residual quantizer has levels."""
        return self.vqvae.quantizer.codes_per_step

    def check_one_code_a_step(self, reader: str) -> None:
        """Refuse a tokenizer that does not give one code for four frames, which `reader` needs.

        Raises:
            RemogptError: with the tokenizer's codes per step.
        """
        if (self.codes_per_step, self.frames_per_code) != (1, 4):
            raise RemogptError(
                f"{reader} reads one code for every 4 frames, but this tokenizer has {self.codes_per_step} for every "
                f"{self.frames_per_code}; train one with quantizer ema and num_stages 2"
            )

    @property
    def device(self) -> torch.device:
        """Where the network runs."""
        return self.normalizer.mean.device

    def encode(self, features: np.ndarray) -> np.ndarray:
        """Turn one motion into codes.

        Args:
            features: (T, F) raw, T at least 4; the last T mod 4 frames are cut off.

        Returns:
            (T // 4,) int64 in [0, K); with Q residual levels (T // 4 * Q,), step by step, the coarsest level first.

        Raises:
            RemogptError: if the motion is too short, has another width, or holds values that are not finite.

        Source: T2M-GPT, sec. 3.1; differs: surplus frames are cut before the network sees them, so that a code
        depends on decoded frames alone (the source lets up to three more frames reach the last codes).
        """
        return self.encode_batch([features])[0]

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Turn codes (N,) into one motion, (4N, F) float32 raw features; (N * Q,) with Q residual levels.

        Raises:
            RemogptError: if there is no code, one lies outside [0, K), or residual levels do not follow each other.
        """
        return self.decode_batch([codes])[0]

    @torch.inference_mode()
    def encode_batch(self, motions: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Encode many motions of any lengths; the codes are those that `encode` gives for each alone.

        Motions of equal length share a batch. No padding, since convolutions would carry it into the codes.
        """
        whole = [self._checked_motion(motion, index) for index, motion in enumerate(motions)]
        codes: list[np.ndarray] = [np.empty(0, dtype=np.int64)] * len(whole)
        for indices in _batches([len(motion) for motion in whole], MAX_BATCH_FRAMES):
            batch = torch.from_numpy(np.stack([whole[index] for index in indices])).to(self.device)
            found = self.vqvae.encode(self.normalizer.normalize(batch)).cpu().numpy()  # (B, N)
            for index, row in zip(indices, found, strict=True):
                codes[index] = row
        return codes

    @torch.inference_mode()
    def decode_batch(self, codes: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Decode many code sequences of any lengths, each as `decode` would alone."""
        rows = [self._checked_codes(row, index) for index, row in enumerate(codes)]
        motions: list[np.ndarray] = [np.empty(0, dtype=np.float32)] * len(rows)
        for indices in _batches([len(row) for row in rows], MAX_BATCH_FRAMES // self.frames_per_code):
            batch = torch.from_numpy(np.stack([rows[index] for index in indices])).to(self.device)
            features = self.normalizer.denormalize(self.vqvae.decode(batch)).cpu().numpy()  # (B, 4N, F)
            for index, motion in zip(indices, features, strict=True):
                motions[index] = motion
        return motions

    def _checked_motion(self, motion: np.ndarray, index: int) -> np.ndarray:
        motion = np.asarray(motion, dtype=np.float32)
        if motion.ndim != 2 or motion.shape[1] != self.num_features:
            raise RemogptError(
                f"motion {index} has shape {motion.shape}, expected (frames, {self.num_features}) features; "
                "turn joints into features with remogpt.motion.joints_to_features"
            )
        num_frames = len(motion) - len(motion) % self.frames_per_code
        if num_frames == 0:
            raise RemogptError(
                f"motion {index} has {len(motion)} frames, but one code stands for {self.frames_per_code}; "
                "give a longer motion"
            )
        if not np.isfinite(motion).all():
            bad = int(np.argwhere(~np.isfinite(motion).all(axis=1))[0, 0])
            raise RemogptError(
                f"motion {index} holds values that are not finite, first in frame {bad}; repair or drop it"
            )
        return motion[:num_frames]

    def _checked_codes(self, codes: np.ndarray, index: int) -> np.ndarray:
        codes = np.asarray(codes)
        if codes.ndim != 1 or len(codes) == 0 or not np.issubdtype(codes.dtype, np.integer):
            raise RemogptError(
                f"code sequence {index} has shape {codes.shape} and type {codes.dtype}, "
                "expected (N,) integers with N at least 1"
            )
        if codes.min() < 0 or codes.max() >= self.num_codes:
            raise RemogptError(
                f"code sequence {index} runs from {codes.min()} to {codes.max()}, but this codebook has codes 0 to "
                f"{self.num_codes - 1}; were the codes made with another tokenizer?"
            )
        self._check_levels(codes, index)
        return codes.astype(np.int64)

    def _check_levels(self, codes: np.ndarray, index: int) -> None:
        """Refuse residual codes whose levels do not repeat in order."""
        per_step, levels = self.codes_per_step, self.vqvae.levels
        if per_step == 1:
            return
        expected = np.resize(np.arange(per_step), len(codes))
        found = np.searchsorted(np.cumsum(levels), codes, side="right")
        if len(codes) % per_step or (found != expected).any():
            raise RemogptError(
                f"code sequence {index} has {len(codes)} codes of the levels {found[:6].tolist()} ..., expected one of "
                f"each of {per_step} residual levels for every step, the coarsest (level 0) first"
            )


def _batches(lengths: Sequence[int], max_total: int) -> Iterator[list[int]]:
    """Yield batches of indices of equal lengths, each of at most `max_total` in sum."""
    by_length: dict[int, list[int]] = defaultdict(list)
    for index, length in enumerate(lengths):
        by_length[length].append(index)
    for length, indices in by_length.items():
        size = max(1, max_total // length)
        for start in range(0, len(indices), size):
            yield indices[start : start + size]
