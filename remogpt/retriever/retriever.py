"""The retriever as the other rooms see it: sentences and raw motions in, unit rows out."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from remogpt.retriever.late_interaction import max_sim_blocks, rerank
from remogpt.retriever.parts import PARTS
from remogpt.retriever.pl_tmr import PLTMR, PLTMRConfig, build_pl_tmr
from remogpt.retriever.text_encoder import FineTunedTower, TokenStateTower, WordPieces, transformer_from_config
from remogpt.retriever.text_source import (
    FrozenText,
    TextSource,
    batches_by_length,
    find_model_folder,
    fingerprint,
    load_transformer,
)
from remogpt.retriever.tmr import TMR, TMRConfig
from remogpt.retriever.wording import CaptionForm, wordings
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.part import load_part, save_part

TOKENIZER_FOLDER = "text_tokenizer"
MAX_SCORE = 10.0
"""Largest |z-score|: motion from elsewhere may leave the training set's range in channels that hardly moved there.
differs: nobody clips; on the training set's own motion it changes next to nothing."""
MIN_STD = 1e-3
"""Smallest standard deviation divided by, in the features' own units."""


class TextMotionRetriever:
    """Embeds captions and motions so that the dot product of two rows says how well they match.

    Args:
        network: a trained PL-TMR or TMR.
        text: turns sentences into what the network's text tower reads.
        mean, std: (F,) of raw features, per channel.
        config: JSON-ready settings: `network` (pl_tmr, also where it is absent, or tmr), `model` (see `PLTMRConfig` and
            `TMRConfig`) and `text`.
        part_hash: of the folder that this was loaded from.
    """

    def __init__(
        self,
        network: PLTMR | TMR,
        text: TextSource,
        mean: Tensor,
        std: Tensor,
        config: dict[str, Any],
        part_hash: str = "",
    ) -> None:
        network.eval()
        self.network, self.text, self.config = network, text, config
        self.mean, self.std = mean.float(), std.float()
        self.device = torch.device("cpu")
        self._hash = part_hash

    @classmethod
    def from_pretrained(cls, folder: str | Path, device: str = "cpu") -> "TextMotionRetriever":
        """Load a retriever from its folder alone, or from a model folder that holds it as `retriever/`.

        Raises:
            MissingPathError: if a file is missing, or the text model that it names.
            RemogptError: if the part, or the text model, is not the one that was trained.
        """
        folder = Path(folder)
        folder = folder / "retriever" if (folder / "retriever" / "config.json").is_file() else folder
        part = load_part(folder, "retriever")
        network, text = _build(part.config, folder, device)
        network.load_state_dict(part.tensors, strict=True)
        statistics = part.normalizer
        return cls(network, text, statistics["mean"], statistics["std"], part.config, part.hash).to(device)

    def save_pretrained(self, folder: str | Path, dtype: torch.dtype | None = None) -> str:
        """Write this part and return its hash.

        Args:
            folder: created if absent.
            dtype: store weights in this type; they are rounded in memory too, so that what this object embeds from now
                on equals what the loaded part will.
        """
        if dtype is not None:
            with torch.no_grad():
                for tensor in self.network.state_dict().values():
                    if tensor.is_floating_point():
                        tensor.copy_(tensor.to(dtype))
        if isinstance(self.text, WordPieces):
            self.text.tokenizer.save_pretrained(Path(folder) / TOKENIZER_FOLDER)
        statistics = {"mean": self.mean, "std": self.std}
        self._hash = save_part(folder, "retriever", self.config, self.network.state_dict(), statistics, dtype)
        return self._hash

    def to(self, device: str) -> "TextMotionRetriever":
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
        """Names the mean and standard deviation in use."""
        return hashlib.sha256(torch.stack([self.mean, self.std]).numpy().tobytes()).hexdigest()

    @torch.inference_mode()
    def encode_text(self, texts: Sequence[str], batch_size: int = 64) -> np.ndarray:
        """Embed N sentences: (N, D) float32 unit rows."""
        if isinstance(texts, str):
            raise RemogptError("encode_text wants a list of sentences, got one string; put it in a list")
        forms = [wordings(text, self.caption_form) for text in texts]
        written = [form for group in forms for form in group]
        rows = np.zeros((len(written), self.dim), dtype=np.float32)
        for batch in batches_by_length([len(text) for text in written], batch_size):
            prepared, lengths = self.text.prepare([written[place] for place in batch])
            rows[batch] = self.network.embed_text(prepared.to(self.device), lengths.to(self.device)).cpu().numpy()
        if len(written) == len(texts):
            return rows
        owners = np.repeat(np.arange(len(texts)), [len(group) for group in forms])
        return _mean_directions(rows, owners, len(texts))

    @property
    def caption_form(self) -> CaptionForm:
        """How captions are worded before they are embedded; see `remogpt.retriever.wording`."""
        form: CaptionForm = self.config.get("text", {}).get("form", "written")
        return form

    @torch.inference_mode()
    def encode_motion(self, motions: Sequence[np.ndarray], batch_size: int = 64) -> np.ndarray:
        """Embed N motions, each (T, F) raw features of any length: (N, D) float32 unit rows.

        A motion longer than `max_frames` is cut into overlapping windows of that length, evenly spaced from its first
        to its last frame, whose mean direction it gets. differs: MotionPatches and Part_TMR keep the first 224 frames.
        """
        windows, owners = self._windows(motions)
        pieces = np.zeros((len(windows), self.dim), dtype=np.float32)
        for batch, scores, lengths in self._batches(windows, batch_size):
            pieces[batch] = self.network.embed_motion(scores, lengths).cpu().numpy()
        return _mean_directions(pieces, owners, len(motions))

    @property
    def has_parts(self) -> bool:
        """Whether the body parts are encoded apart; True for PL-TMR."""
        return isinstance(self.network, PLTMR)

    @torch.inference_mode()
    def encode_motion_and_parts(
        self, motions: Sequence[np.ndarray], batch_size: int = 64
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return what `encode_motion` and `encode_motion_parts` do, (N, D) and (N, 6, W), for the price of one."""
        network = self._part_network()
        windows, owners = self._windows(motions)
        pieces = np.zeros((len(windows), self.dim), dtype=np.float32)
        parts = np.zeros((len(windows), len(PARTS), network.part_width), dtype=np.float32)
        for batch, scores, lengths in self._batches(windows, batch_size):
            encoded = network.encode_parts(scores, lengths)
            parts[batch], pieces[batch] = encoded.cpu().numpy(), network.embed_parts(encoded).cpu().numpy()
        means = np.zeros((len(motions), *parts.shape[1:]), dtype=np.float32)
        np.add.at(means, owners, parts)
        means /= np.bincount(owners, minlength=len(motions)).astype(np.float32)[:, None, None]
        return _mean_directions(pieces, owners, len(motions)), means

    def encode_motion_parts(self, motions: Sequence[np.ndarray], batch_size: int = 64) -> np.ndarray:
        """Encode the six `PARTS` of N motions, each (T, F) raw features: (N, 6, W) float32, before the head.

        Of a motion longer than `max_frames` it is the mean over its windows; only of shorter ones does `embed_parts`
        give what `encode_motion` gives.

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

    @torch.inference_mode()
    def encode_words(self, texts: Sequence[str], batch_size: int = 64) -> tuple[np.ndarray, np.ndarray]:
        """Return word vectors of N sentences, (N, L, W) float32 unit rows, and (N, L) bool, True where real.

        Raises:
            RemogptError: if this retriever was trained without them.
        """
        network = self._part_network()
        written = [wordings(text, self.caption_form)[0] for text in texts]
        found: list[np.ndarray] = [np.empty(0)] * len(texts)
        for batch in batches_by_length([len(text) for text in written], batch_size):
            prepared, lengths = self.text.prepare([written[place] for place in batch])
            rows, _ = network.embed_words(prepared.to(self.device), lengths.to(self.device))
            for place, vectors, length in zip(batch, rows.cpu().numpy(), lengths.tolist(), strict=True):
                found[place] = vectors[:length]
        return _padded(found)

    @torch.inference_mode()
    def encode_tokens(self, motions: Sequence[np.ndarray], batch_size: int = 64) -> tuple[np.ndarray, np.ndarray]:
        """Return part vectors of N motions, (N, P, W) float32 unit rows, and (N, P) bool, True where real.

        A motion longer than `max_frames` has those of all its windows.

        Raises:
            RemogptError: if this retriever was trained without them.
        """
        network = self._part_network()
        windows, owners = self._windows(motions)
        pieces: list[np.ndarray] = [np.empty(0)] * len(windows)
        for batch, scores, lengths in self._batches(windows, batch_size):
            rows, mask = network.embed_tokens(scores, lengths)
            for place, vectors, real in zip(batch, rows.cpu().numpy(), mask.cpu().numpy(), strict=True):
                pieces[place] = vectors[real]
        return _padded([np.concatenate([pieces[w] for w in np.flatnonzero(owners == n)]) for n in range(len(motions))])

    def late_similarity(self, texts: Sequence[str], motions: Sequence[np.ndarray]) -> np.ndarray:
        """Late scores (N, M) of N sentences and M motions; see `remogpt.retriever.late_interaction`."""
        arrays = (*self.encode_words(texts), *self.encode_tokens(motions))
        words, word_mask, parts, part_mask = (torch.from_numpy(array).to(self.device) for array in arrays)
        return max_sim_blocks(words, word_mask, parts, part_mask).cpu().numpy()

    def ranking_similarity(self, texts: Sequence[str], motions: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Scores to rank M motions for N sentences by, (N, M), and sentences for motions, (M, N).

        They are the dot products of `encode_text` and `encode_motion`, whose best are reranked by late scores where
        this retriever was trained to.
        """
        dense = self.encode_text(texts) @ self.encode_motion(motions).T
        chosen = self.config.get("rerank")
        if chosen is None:
            return dense, dense.T
        late = self.late_similarity(texts, motions)
        ways = ((dense, late), (dense.T, late.T))
        there, back = (rerank(one, other, chosen["k"], chosen["weight"]) for one, other in ways)
        return there, back

    def _part_network(self) -> PLTMR:
        if not isinstance(self.network, PLTMR):
            raise RemogptError(
                "this retriever (TMR) reads the body as a whole; parts need a PL-TMR, e.g. that of the embedded model"
            )
        return self.network

    def _windows(self, motions: Sequence[np.ndarray]) -> tuple[list[np.ndarray], np.ndarray]:
        limit = self.network.max_frames
        windows: list[np.ndarray] = []
        owners: list[int] = []
        for place, motion in enumerate(motions):
            check_features(motion, len(self.mean), f"motion {place}")
            count = max(1, -(-len(motion) // limit))
            starts = np.linspace(0, max(0, len(motion) - limit), count).round().astype(int)
            windows += [motion[start : start + limit] for start in starts]
            owners += [place] * count
        return windows, np.array(owners, dtype=np.int64)

    def _batches(self, windows: list[np.ndarray], batch_size: int) -> Iterator[tuple[list[int], Tensor, Tensor]]:
        for batch in batches_by_length([len(window) for window in windows], batch_size):
            scores, lengths = self.pad([windows[place] for place in batch])
            yield batch, scores.to(self.device), lengths.to(self.device)

    def pad(self, motions: Sequence[np.ndarray]) -> tuple[Tensor, Tensor]:
        """Z-score and pad raw motions: (B, T, F) and lengths (B,)."""
        return normalized_batch(motions, self.mean, self.std)


def _mean_directions(pieces: np.ndarray, owners: np.ndarray, count: int) -> np.ndarray:
    """Unit rows (n, D) of windows -> (count, D) unit rows of the motions that own them."""
    rows = np.zeros((count, pieces.shape[1]), dtype=np.float32)
    np.add.at(rows, owners, pieces)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True).clip(min=1e-12)


def _padded(rows: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Join n arrays (L_i, W) to (n, largest L, W), zero beyond each, and (n, L) bool, True where real."""
    lengths = np.array([len(row) for row in rows], dtype=np.int64)
    mask = np.arange(lengths.max(initial=0)) < lengths[:, None]
    joined = np.zeros((*mask.shape, rows[0].shape[1] if len(rows) else 0), dtype=np.float32)
    joined[mask] = np.concatenate(rows) if len(rows) else joined[mask]
    return joined, mask


def normalized_batch(motions: Sequence[np.ndarray], mean: Tensor, std: Tensor) -> tuple[Tensor, Tensor]:
    """Raw motions of (T, F) -> z-scores (B, T, F), zero beyond each length, and lengths (B,)."""
    lengths = torch.tensor([len(motion) for motion in motions])
    scores = torch.zeros(len(motions), int(lengths.max()), len(mean))
    for row, motion in zip(scores, motions, strict=True):
        raw = torch.from_numpy(np.array(motion, dtype=np.float32))
        row[: len(motion)] = ((raw - mean) / std.clamp(min=MIN_STD)).clamp(-MAX_SCORE, MAX_SCORE)
    return scores, lengths


def check_features(features: np.ndarray, num_features: int, name: str) -> None:
    """Raise a `RemogptError` unless `features` is a finite (T, F) array with at least one frame."""
    if features.ndim != 2 or features.shape[1] != num_features or len(features) == 0:
        hint = " Is this KIT-ML?" if features.shape[-1:] == (251,) else " Joints? Use motion.joints_to_features first."
        raise RemogptError(f"{name} has shape {features.shape}, expected (frames, {num_features}).{hint}")
    if not np.isfinite(features).all():
        raise RemogptError(f"{name} holds values that are not finite; repair or drop the motion it was made from")


def _build(config: dict[str, Any], folder: Path, device: str) -> tuple[PLTMR | TMR, TextSource]:
    """Build the network that a part's settings describe, without its weights, and its text source."""
    settings = config["text"]
    # PL-TMR's parts do not name their network: their hash covers their settings, and the first ones had no other kind.
    kind = config.get("network", "pl_tmr")
    if kind not in ("pl_tmr", "tmr"):
        raise RemogptError(
            f"the retriever in {folder} is a {kind!r}, which this version does not know; upgrade remogpt"
        )
    if kind == "tmr":
        frozen = FrozenText(settings["name"], settings["sha256"], device)
        return TMR(TMRConfig(**config["model"]), frozen.dim), frozen
    sizes = PLTMRConfig(**config["model"])
    if settings["fine_tuned"]:
        tuned = FineTunedTower(transformer_from_config(settings["transformer"]))
        return build_pl_tmr(sizes, tuned, tuned.output_dim), WordPieces.load(folder / TOKENIZER_FOLDER)
    frozen = FrozenText(settings["name"], settings["sha256"], device)
    tower = state_tower(sizes, frozen.dim)
    return build_pl_tmr(sizes, tower, tower.output_dim), frozen


def state_tower(config: PLTMRConfig, state_dim: int) -> TokenStateTower:
    """Build the trainable tower over frozen token states."""
    return TokenStateTower(
        state_dim, config.text_width, config.text_layers, config.text_heads, config.text_feedforward, config.dropout
    )


def new_retriever(
    config: PLTMRConfig,
    text_model: str,
    fine_tune: bool,
    mean: np.ndarray,
    std: np.ndarray,
    caption_form: CaptionForm = "written",
) -> TextMotionRetriever:
    """Build an untrained retriever around a pretrained text model.

    Args:
        config: sizes.
        text_model: name of the text model; see `text_source`.
        fine_tune: train the text model itself and keep its weights in the part; else it stays outside, named by hash.
        mean, std: (F,) of the training set's raw features.
        caption_form: how captions are worded before they are embedded; see `remogpt.retriever.wording`.
    """
    text: TextSource
    tower: FineTunedTower | TokenStateTower
    settings: dict[str, Any] = {"name": text_model, "fine_tuned": fine_tune}
    if fine_tune:
        folder = find_model_folder(text_model)
        tower = FineTunedTower(load_transformer(folder))
        text = WordPieces.load(folder)
        settings |= {"sha256": fingerprint(folder), "transformer": _plain_config(tower.transformer)}
    else:
        frozen = FrozenText(text_model)
        text, tower = frozen, state_tower(config, frozen.dim)
        settings |= {"sha256": frozen.sha256}
    if caption_form != "written":
        settings |= {"form": caption_form}
    network = build_pl_tmr(config, tower, tower.output_dim)
    statistics = torch.from_numpy(np.asarray(mean)), torch.from_numpy(np.asarray(std))
    return TextMotionRetriever(network, text, *statistics, {"model": config.to_settings(), "text": settings})


def new_tmr_retriever(
    config: TMRConfig, text_model: str, mean: Tensor, std: Tensor, network: TMR | None = None
) -> TextMotionRetriever:
    """Build a retriever around TMR and a frozen text model.

    Args:
        config: sizes.
        text_model: name of the text model, which stays outside the part, named by hash; see `text_source`.
        mean, std: (F,) of raw features.
        network: with its weights; None starts an untrained one.

    Raises:
        RemogptError: if the statistics or the text model do not fit the network.
    """
    if not len(mean) == len(std) == config.num_features:
        raise RemogptError(
            f"mean and std have {len(mean)} and {len(std)} channels, but the network reads {config.num_features}; give "
            "the statistics of the features that it was, or will be, trained on"
        )
    text = FrozenText(text_model)
    network = TMR(config, text.dim) if network is None else network
    wanted = network.text_encoder.embed.in_features
    if text.dim != wanted:
        raise RemogptError(
            f"the text model {text_model} has token states of width {text.dim}, but the network reads {wanted}; name "
            "the text model that it was trained with (distilbert-base-uncased for TMR's released weights)"
        )
    settings = {"name": text_model, "fine_tuned": False, "sha256": text.sha256}
    return TextMotionRetriever(network, text, mean, std, {"network": "tmr", "model": asdict(config), "text": settings})


def _plain_config(transformer: nn.Module) -> dict[str, Any]:
    import json

    config: Any = transformer.config
    return {"model_type": config.model_type, **json.loads(config.to_json_string(use_diff=True))}
