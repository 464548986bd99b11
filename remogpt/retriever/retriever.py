"""Embed sentences and raw motions as unit rows."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from remogpt.retriever.build import TOKENIZER_FOLDER, build_network
from remogpt.retriever.networks.body_parts import PARTS
from remogpt.retriever.networks.dual_encoder import DualEncoder
from remogpt.retriever.networks.pl_tmr import PLTMR
from remogpt.retriever.networks.tmr import TMR
from remogpt.retriever.padding import batches_by_length, check_features, normalized_batch
from remogpt.retriever.text.canonical import CaptionForm, worded
from remogpt.retriever.text.frozen_text_model import FrozenText, TextSource, WordPieces
from remogpt.retriever.text.word_meanings import WordMeanings
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.folders.component import load_component, save_component
from remogpt.runtime.folders.find_model import find_component


class TextMotionRetriever:
    """Embeds captions and motions so that the dot product of two rows says how well they match.

    Args:
        network: a trained PL-TMR, MotionPatches or TMR.
        text: turns sentences into what the network's text tower reads.
        mean, std: (F,) of raw features, per channel.
        config: JSON-ready settings: `network` (pl_tmr, also where it is absent, motion_patches or tmr), `model` (see
            `PLTMRConfig` and `TMRConfig`), `text`, and of MotionPatches `vision`.
        component_hash: of the folder that this was loaded from.
    """

    def __init__(
        self,
        network: DualEncoder | TMR,
        text: TextSource,
        mean: Tensor,
        std: Tensor,
        config: dict[str, Any],
        component_hash: str = "",
    ) -> None:
        network.eval()
        self.network, self.text, self.config = network, text, config
        self.mean, self.std = mean.float(), std.float()
        self.device = torch.device("cpu")
        self._hash = component_hash

    @classmethod
    def from_pretrained(
        cls, path: str | Path | None = None, device: str | torch.device | None = None
    ) -> "TextMotionRetriever":
        """Load a retriever that was trained or imported.

        Args:
            path: the retriever's folder, a model's, or a model's name on the hub; the embedded `mini` without it.
            device: where it runs; the CPU without it.

        Raises:
            MissingPathError: if a file is missing, or the text model that it names.
            RemogptError: if the retriever, or the text model, is not the one that was trained.
        """
        folder, device = find_component(path, "retriever"), torch.device(device or "cpu")
        component = load_component(folder, "retriever")
        network, text = build_network(component.config, folder, device)
        network.load_state_dict(component.tensors, strict=True)
        statistics = component.normalizer
        return cls(network, text, statistics["mean"], statistics["std"], component.config, component.hash).to(device)

    def save_pretrained(self, folder: str | Path, dtype: torch.dtype | None = None) -> str:
        """Write this retriever and return its hash.

        Args:
            folder: created if absent.
            dtype: store weights in this type; they are rounded in memory too, so that what this object embeds from now
                on equals what the loaded retriever embeds.
        """
        if dtype is not None:
            with torch.no_grad():
                for tensor in self.network.state_dict().values():
                    if tensor.is_floating_point():
                        tensor.copy_(tensor.to(dtype))
        if isinstance(self.text, WordPieces):
            self.text.tokenizer.save_pretrained(Path(folder) / TOKENIZER_FOLDER)
        statistics = {"mean": self.mean, "std": self.std}
        self._hash = save_component(folder, "retriever", self.config, self.network.state_dict(), statistics, dtype)
        return self._hash

    def to(self, device: str | torch.device) -> "TextMotionRetriever":
        """Move the network; embeddings still come back as NumPy arrays."""
        self.device = torch.device(device)
        self.network.to(self.device)
        return self

    @property
    def hash(self) -> str:
        """64 hexadecimal digits that name this retriever; known once it was saved or loaded."""
        if not self._hash:
            raise RemogptError("this retriever has no hash yet; save it first with save_pretrained(folder)")
        return self._hash

    @property
    def dim(self) -> int:
        """Width D of the embeddings."""
        return self.network.dim

    @property
    def statistics_hash(self) -> str:
        """Hash of the mean and standard deviation in use."""
        return hashlib.sha256(torch.stack([self.mean, self.std]).numpy().tobytes()).hexdigest()

    @torch.inference_mode()
    def encode_text(self, texts: Sequence[str], batch_size: int = 64) -> np.ndarray:
        """Embed N sentences: (N, D) float32 unit rows."""
        if isinstance(texts, str):
            raise RemogptError("encode_text wants a list of sentences, got one string; put it in a list")
        written = [worded(text, self.caption_form) for text in texts]
        rows = np.zeros((len(written), self.dim), dtype=np.float32)
        for batch in batches_by_length([len(text) for text in written], batch_size):
            prepared, lengths = self.text.prepare([written[index] for index in batch])
            rows[batch] = self.network.embed_text(prepared.to(self.device), lengths.to(self.device)).cpu().numpy()
        return rows

    def encode_each_text(self, texts: Sequence[str]) -> np.ndarray:
        """Embed N sentences one by one, so that a row depends on no other sentence: (N, D) float32 unit rows.

        In a batch, `encode_text` is faster, and rounds by what stands beside a sentence.
        """
        rows = {text: self.encode_text([text])[0] for text in dict.fromkeys(texts)}
        return np.stack([rows[text] for text in texts]) if texts else np.zeros((0, self.dim), dtype=np.float32)

    def word_meanings(self, words: Sequence[str]) -> WordMeanings | None:
        """Return what finds the nearest in meaning of some words; None where the text tower is no frozen model's."""
        return WordMeanings(self.text, words) if isinstance(self.text, FrozenText) else None

    @property
    def caption_form(self) -> CaptionForm:
        """Wording of captions before they are embedded; see `remogpt.retriever.text.canonical`."""
        form: CaptionForm = self.config.get("text", {}).get("form", "written")
        return form

    @torch.inference_mode()
    def encode_motion(self, motions: Sequence[np.ndarray], batch_size: int = 64) -> np.ndarray:
        """Embed N motions, each (T, F) raw features of any length: (N, D) float32 unit rows.

        A motion longer than `max_frames` is cut into overlapping windows of that length, evenly spaced from its first
        to its last frame, whose mean direction it gets. differs: MotionPatches and Part_TMR keep the first 224 frames.
        """
        windows, owners = self._windows(motions)
        rows = np.zeros((len(windows), self.dim), dtype=np.float32)
        for batch, features, lengths in self._batches(windows, batch_size):
            rows[batch] = self.network.embed_motion(features, lengths).cpu().numpy()
        return _mean_directions(rows, owners, len(motions))

    @property
    def has_parts(self) -> bool:
        """Whether the body parts are encoded apart; True for PL-TMR."""
        return isinstance(self.network, PLTMR)

    @torch.inference_mode()
    def encode_motion_and_parts(
        self, motions: Sequence[np.ndarray], batch_size: int = 64
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return what `encode_motion` and `encode_motion_parts` do, (N, D) and (N, 6, W), in one pass."""
        network = self._part_network()
        windows, owners = self._windows(motions)
        rows = np.zeros((len(windows), self.dim), dtype=np.float32)
        parts = np.zeros((len(windows), len(PARTS), network.part_width), dtype=np.float32)
        for batch, features, lengths in self._batches(windows, batch_size):
            encoded = network.encode_parts(features, lengths)
            parts[batch], rows[batch] = encoded.cpu().numpy(), network.embed_parts(encoded).cpu().numpy()
        means = np.zeros((len(motions), *parts.shape[1:]), dtype=np.float32)
        np.add.at(means, owners, parts)
        means /= np.bincount(owners, minlength=len(motions)).astype(np.float32)[:, None, None]
        return _mean_directions(rows, owners, len(motions)), means

    def encode_motion_parts(self, motions: Sequence[np.ndarray], batch_size: int = 64) -> np.ndarray:
        """Encode the six `PARTS` of N motions, each (T, F) raw features: (N, 6, W) float32, before the head.

        A motion longer than `max_frames` gets the mean over its windows; only for shorter motions does `embed_parts`
        agree with `encode_motion`.

        Raises:
            RemogptError: if this retriever has no parts.
        """
        return self.encode_motion_and_parts(motions, batch_size)[1]

    @torch.inference_mode()
    def embed_parts(self, encodings: np.ndarray, batch_size: int = 4096) -> np.ndarray:
        """Embed N motions from the encodings (N, 6, W) of their parts: (N, D) float32 unit rows.

        Raises:
            RemogptError: if this retriever has no parts.
        """
        network = self._part_network()
        rows = np.zeros((len(encodings), self.dim), dtype=np.float32)
        for start in range(0, len(encodings), batch_size):
            block = torch.from_numpy(np.array(encodings[start : start + batch_size], dtype=np.float32))
            rows[start : start + batch_size] = network.embed_parts(block.to(self.device)).cpu().numpy()
        return rows

    def _part_network(self) -> PLTMR:
        if not isinstance(self.network, PLTMR):
            raise RemogptError(
                f"this retriever ({self.config['network']}) reads the body as a whole; parts need a PL-TMR, e.g. that "
                "of the embedded model"
            )
        return self.network

    def _windows(self, motions: Sequence[np.ndarray]) -> tuple[list[np.ndarray], np.ndarray]:
        limit = self.network.max_frames
        windows: list[np.ndarray] = []
        owners: list[int] = []
        for index, motion in enumerate(motions):
            check_features(motion, len(self.mean), f"motion {index}")
            count = max(1, -(-len(motion) // limit))
            starts = np.linspace(0, max(0, len(motion) - limit), count).round().astype(int)
            windows += [motion[start : start + limit] for start in starts]
            owners += [index] * count
        return windows, np.array(owners, dtype=np.int64)

    def _batches(self, windows: list[np.ndarray], batch_size: int) -> Iterator[tuple[list[int], Tensor, Tensor]]:
        for batch in batches_by_length([len(window) for window in windows], batch_size):
            features, lengths = self.pad([windows[index] for index in batch])
            yield batch, features.to(self.device), lengths.to(self.device)

    def pad(self, motions: Sequence[np.ndarray]) -> tuple[Tensor, Tensor]:
        """Z-score and pad raw motions: (B, T, F) and lengths (B,)."""
        return normalized_batch(motions, self.mean, self.std)


def _mean_directions(rows: np.ndarray, owners: np.ndarray, count: int) -> np.ndarray:
    """Join unit rows (n, D) of windows -> (count, D) unit rows of the motions that own them."""
    means = np.zeros((count, rows.shape[1]), dtype=np.float32)
    np.add.at(means, owners, rows)
    return means / np.linalg.norm(means, axis=1, keepdims=True).clip(min=1e-12)
