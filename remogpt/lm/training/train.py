"""Train the language model: `pretrain` on bare pairs and hidden spans, then `instruct` on ReMoGPT prompts.

    clips = [CodedClip(captions, (codes, …)), …]
    train_language_model(LanguageModelConfig(stage="pretrain", …), clips, out="lm0", run_folder="runs/lm0")
    train_language_model(LanguageModelConfig(stage="instruct", start_from="lm0", …), clips, out="lm", …, bank=bank)

Both run through `remogpt.runtime.training.loop.fit`: accelerate, exact resume, best weights by validation.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from remogpt.lm.batch import Batch, collate_by_length
from remogpt.lm.model import Loss, MotionLanguageModel
from remogpt.lm.t5_size import T5Size
from remogpt.lm.training.lora import add_lora, merge_lora
from remogpt.lm.training.samples import CodedClip, ExampleBank, SampleMix, TrainingSamples
from remogpt.lm.vocabulary import Vocabulary
from remogpt.motion.skeleton import FPS
from remogpt.prompts import BUDGET, clean_text, templates
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import fingerprint
from remogpt.runtime.training.loop import FitResult, LoopConfig, fit, trains_on_cpu
from remogpt.runtime.training.stage import Stage


@dataclass(frozen=True)
class LanguageModelConfig:
    """One stage of the language model's training."""

    stage: Literal["pretrain", "instruct"] = "pretrain"
    """Bare pairs and hidden spans, or prompts with retrieved examples."""
    start_from: str = ""
    """Folder of a language model to go on from; needed by stage instruct unless `hub` is given."""
    hub: str = ""
    """Name or folder of a published T5 to start from; empty: from scratch, with `size` and `vocabulary_size`."""
    size: T5Size = field(default_factory=T5Size)
    """Shape of a model from scratch."""
    vocabulary_size: int = 1200
    """Text tokens of a model from scratch, at most."""
    num_codes: int = 512
    """Size of the motion tokenizer's codebook."""
    mix: SampleMix = field(default_factory=SampleMix)
    """Shares of tasks, examples and phrases."""
    budget: int = BUDGET
    """Ids of an encoder input; retrieved examples are trimmed first."""
    length_groups: int = 3
    """Groups of similar length that a batch is split into, each padded for itself."""
    lora_rank: int = 0
    """0 trains everything; otherwise LoRA on q and v of this rank, plus the motion embeddings."""
    saved_as: Literal["float32", "float16", "bfloat16"] = "float32"
    """Type in which the finished weights are stored."""
    embedding_rate: float = 1.0
    """Factor on the embeddings' learning rate. T5's embeddings begin with unit variance, which AdamW's fixed steps take
    long to move; the original's Adafactor scales its steps by the weights. About 5 from scratch, 1 otherwise."""
    validation_clips: int = 256
    """Clips of the validation split that are scored; 0 keeps the last weights."""
    loop: LoopConfig = field(default_factory=LoopConfig)
    """Length, batch, rate."""


def train_language_model(
    config: LanguageModelConfig,
    clips: Sequence[CodedClip],
    out: str | Path,
    run_folder: str | Path,
    bank: ExampleBank | None = None,
    validation: Sequence[CodedClip] = (),
    validation_bank: ExampleBank | None = None,
    *,
    fps: float = FPS,
) -> FitResult:
    """Train one stage and save the model.

    Args:
        config: the stage.
        clips: training clips.
        out: folder of the finished model.
        run_folder: log and checkpoints; a run that was cut off goes on from there.
        bank: examples and neighbours of the training clips, for stage instruct.
        validation: clips whose loss chooses the weights; the last weights are kept without any.
        validation_bank: their neighbours among the training clips.
        fps: frames a second of the motions, for prompts that tell a length; kept with the model.
    """
    model = build_model(config, clips)
    model.fps = fps
    if trains_on_cpu(config.loop):
        # On a CPU plain attention is as fast in float32 and up to 1.5 times faster in bfloat16 than the fused kernel.
        model.t5.set_attn_implementation("eager")
    model.examples = None
    if config.stage == "instruct" and bank is not None and config.mix.k:
        model.examples = {"routes": list(config.mix.routes), "k": config.mix.k}
    if config.lora_rank:
        add_lora(model, config.lora_rank)
    samples = TrainingSamples(clips, model.vocabulary, config.stage, config.mix, bank, config.budget, fps)
    evaluate = None
    if validation and config.validation_clips:
        evaluate = Validation(config, validation, model.vocabulary, validation_bank, fps=fps)

    pad_id = model.vocabulary.pad_id

    def draw(indices: np.ndarray, rng: np.random.Generator) -> tuple[list[Batch], int]:
        drawn = [samples.draw(int(index), rng) for index in indices]
        num_ids = sum(len(sample.target_ids) for sample in drawn)
        return collate_by_length(drawn, pad_id, config.length_groups), num_ids

    def compute_loss(
        model: nn.Module, batches: list[Batch], rng: np.random.Generator
    ) -> tuple[Tensor, dict[str, float]]:
        loss: Loss = model(batches)
        return loss.total * (1.0 / loss.num_ids), loss.rates()

    stage = Stage(
        model,
        len(samples),
        compute_loss,
        config=config,
        data=_fingerprint(model.hash, [*clips, *validation], bank),
        draw=draw,
        evaluate=evaluate,
        best=("val/loss", "min") if evaluate else None,
        param_groups=_param_groups(model, config),
        can_be_sharded=True,
        desc=f"lm {config.stage}",
    )
    result = fit(stage, config.loop, run_folder)
    if config.lora_rank:
        merge_lora(model)
    model.save_pretrained(out, dtype=getattr(torch, config.saved_as))
    return result


def _fingerprint(start: str, clips: Sequence[CodedClip], bank: ExampleBank | None) -> str:
    """Hash the training data: the model begun with, captions, codes, and which examples belong to them."""
    contents: list[str | np.ndarray] = [start]
    for clip in clips:
        contents += [*clip.captions, *clip.codes]
    if bank is not None:
        contents += [*bank.codes, *(route.rows for route in bank.routes.values())]
    return fingerprint(contents)


def build_model(config: LanguageModelConfig, clips: Sequence[CodedClip]) -> MotionLanguageModel:
    """Make the model that a stage starts with; its weights depend on the loop's seed alone."""
    if config.stage == "instruct" and not (config.start_from or config.hub):
        raise RemogptError(
            "stage instruct goes on from a pre-trained model: set start_from (on the command line, --start-from) to "
            "the folder that stage pretrain left"
        )
    torch.manual_seed(config.loop.seed)
    if config.start_from:
        start = MotionLanguageModel.from_pretrained(config.start_from)
        start.prompt_form = "remogpt"  # whatever prompts the weights knew, from here on they are trained on ours
        return start
    if config.hub:
        return MotionLanguageModel.from_hub(config.hub, config.num_codes)
    captions = [clean_text(caption) for clip in clips for caption in clip.captions]
    vocabulary = Vocabulary.train([*captions, *_prompt_words(len(captions))], config.num_codes, config.vocabulary_size)
    return MotionLanguageModel.build(vocabulary, config.size)


class Validation:
    """Loss per id on fixed samples of the validation clips, both directions."""

    def __init__(
        self,
        config: LanguageModelConfig,
        clips: Sequence[CodedClip],
        vocabulary: Vocabulary,
        bank: ExampleBank | None,
        batch_size: int = 32,
        fps: float = FPS,
    ):
        samples = TrainingSamples(clips, vocabulary, config.stage, config.mix, bank, config.budget, fps)
        number = min(config.validation_clips, len(clips))
        chosen = np.linspace(0, len(clips) - 1, number).astype(int)
        self.batches: dict[str, list[Batch]] = {}
        for name, direction in (("motion", "text_to_motion"), ("text", "motion_to_text")):
            drawn = [
                samples.supervised(int(index), direction, np.random.default_rng([config.loop.seed, int(index)]))
                for index in chosen
            ]
            self.batches[name] = collate_by_length(drawn, vocabulary.pad_id, -(-number // batch_size))

    def __call__(self, model: nn.Module) -> dict[str, float]:
        scores: dict[str, float] = {}
        for name, batches in self.batches.items():
            loss: Loss = model(batches)
            scores[f"val/{name}"] = float(loss.total) / loss.num_ids
            scores |= {f"val/{name}_{key}": value for key, value in loss.rates().items()}
        scores["val/loss"] = (scores["val/motion"] + scores["val/text"]) / 2
        return scores


def _param_groups(model: nn.Module, config: LanguageModelConfig) -> list[dict[str, Any]]:
    """Let only matrices decay (norms and embeddings have no scale to keep small); embeddings have their own rate."""
    matrices: list[nn.Parameter] = []
    embeddings: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            is_matrix = parameter.ndim > 1 and "relative_attention_bias" not in name
            is_embedding = "shared" in name or "lm_head" in name
            (embeddings if is_embedding else matrices if is_matrix else others).append(parameter)
    groups = [
        {"params": matrices, "weight_decay": config.loop.weight_decay},
        {"params": embeddings, "weight_decay": 0.0, "lr_scale": config.embedding_rate},
        {"params": others, "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]


def _prompt_words(num_captions: int) -> list[str]:
    """Repeat the prompts' own phrases often enough that the vocabulary learns their words among many captions."""
    phrases = [text.split("{")[0] for forms in templates().values() for texts in forms.values() for text in texts]
    headings = ["### Input:", "### Context:", "### Output:", "Text:", "Motion:"] * 20
    return [*phrases, *headings] * max(1, num_captions // 5000)
