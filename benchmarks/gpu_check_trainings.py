"""The papers' trainings as `gpu_check` runs them: their settings files, on made-up motions and captions.

Text and vision models have the shape of the published ones and random weights, so that nothing is downloaded.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import DistilBertConfig, DistilBertModel, PreTrainedTokenizerFast, ViTConfig, ViTModel

from remogpt.commands import train as command
from remogpt.commands.cli_parts.parser import CommandParser
from remogpt.lm.t5_size import T5Size
from remogpt.lm.training.samples import CodedClip, ExampleBank, RouteHits, caption_queries
from remogpt.lm.training.train import LanguageModelConfig, train_language_model
from remogpt.retriever.training.pairs import TrainingPairs
from remogpt.retriever.training.pl_tmr import train_retriever
from remogpt.retriever.training.tmr import train_tmr
from remogpt.tokenizer_vqvae.train import train_tokenizer

WORDS = (
    "a", "person", "the", "left", "right", "hand", "walks", "runs", "waves", "jumps", "turns", "sits", "kicks", "twice"
)  # fmt: skip
SMALL_BATCH = 4
_SMALL: dict[str, dict[str, Any]] = {
    "tokenizer": {"width": 16, "code_dim": 16, "num_codes": 32},
    "retriever": {"part_width": 16, "feedforward": 16, "num_layers": 1},
    "tmr": {"width": 16, "feedforward": 16, "num_layers": 1},
}
"""Sizes of a trial, by the last word of the settings file's name."""
_OPTIONS = {"lm": ("data", "tokenizer")}


@dataclass
class Inputs:
    """Made-up motions and captions, and models with random weights."""

    folder: Path
    small: bool

    def settings(self, config: str) -> Any:
        """Read a settings file as `remogpt train` does, with local models in place of those of the hub."""
        stage = {"tokenizer": "tokenizer", "tmr": "tmr"}.get(config.rpartition("/")[2], "retriever")
        stage = "lm" if "lm_" in config or "table6" in config else stage
        parser = CommandParser(prog="remogpt train")
        command.add_arguments(parser)
        given = [word for name in _OPTIONS.get(stage, ("data",)) for word in (f"--{name}", name)]
        found = parser.read([stage, "--config", config, "--out", "out", *given])[stage].config
        local: dict[str, Any] = {}
        if hasattr(found, "text_model"):
            local["text_model"] = str(self.text_model)
        if getattr(found, "filter_threshold", None) is not None:
            local["filter_model"] = str(self.text_model)
        if getattr(found, "vision_model", None) is not None:
            local["vision_model"] = str(self.vision_model)
        if isinstance(found, LanguageModelConfig):
            # As wide and as many words as flan-t5-base; stage 2 starts where a random stage 1 would end.
            local |= {"hub": "", "vocabulary_size": 1200, "size": self._t5}
            local |= {"start_from": ""} if found.stage == "pretrain" else {"start_from": str(self.language_model)}
        if self.small:
            size = _SMALL.get(config.rpartition("/")[2], {})
            local |= {"model": replace(found.model, **size)} if size and hasattr(found, "model") else size
            local["loop"] = replace(found.loop, batch_size=SMALL_BATCH, accumulation=1, mixed_precision="no")
        return replace(found, **local)

    @property
    def _t5(self) -> T5Size:
        return T5Size(32, 64, 1, 1, 2, 16) if self.small else T5Size()

    @cached_property
    def captions(self) -> list[tuple[str, ...]]:
        """Three captions of ten words for each clip."""
        rng = np.random.default_rng(1)
        return [tuple(" ".join(rng.choice(WORDS, 10)) for _ in range(3)) for _ in self.motions]

    @cached_property
    def motions(self) -> list[np.ndarray]:
        """Features (T, 263) of clips of 64 to 196 frames: more than the largest batch."""
        rng = np.random.default_rng(0)
        count = 16 if self.small else 320
        return [rng.normal(0, 0.3, (int(rng.integers(64, 196)), 263)).astype(np.float32) for _ in range(count)]

    @cached_property
    def pairs(self) -> TrainingPairs:
        """The clips as retrievers read them."""
        return TrainingPairs.from_arrays(self.captions, self.motions)

    @cached_property
    def clips(self) -> list[CodedClip]:
        """The clips as language models read them."""
        rng = np.random.default_rng(2)
        codes = [rng.integers(512, size=len(motion) // 4) for motion in self.motions]
        return [CodedClip(own, (row,)) for own, row in zip(self.captions, codes, strict=True)]

    @cached_property
    def bank(self) -> ExampleBank:
        """Any examples: the clips that follow each clip."""
        count = len(self.clips)
        by_clip = (np.arange(count)[:, None] + np.arange(1, 9)) % count
        by_caption = np.repeat(by_clip, np.diff(caption_queries(self.clips)), axis=0)
        routes = {"t2m": by_caption, "t2t": by_caption, "m2t": by_clip, "m2m": by_clip}
        hits = {name: RouteHits(rows) for name, rows in routes.items()}
        return ExampleBank([clip.captions for clip in self.clips], [clip.codes[0] for clip in self.clips], hits)

    @cached_property
    def text_model(self) -> Path:
        """DistilBERT's shape, random weights, whole words."""
        folder = self.folder / "text_model"
        torch.manual_seed(0)
        words = ["[PAD]", "[UNK]", *WORDS]
        size = {"dim": 32, "n_layers": 1, "n_heads": 2, "hidden_dim": 64} if self.small else {}
        DistilBertModel(DistilBertConfig(**size)).save_pretrained(folder)  # type: ignore[arg-type]
        splitter = Tokenizer(models.WordLevel({word: row for row, word in enumerate(words)}, unk_token="[UNK]"))
        splitter.pre_tokenizer = pre_tokenizers.Whitespace()
        PreTrainedTokenizerFast(tokenizer_object=splitter, pad_token="[PAD]", unk_token="[UNK]").save_pretrained(folder)
        return folder

    @cached_property
    def vision_model(self) -> Path:
        """ViT-B/16's shape, random weights."""
        folder = self.folder / "vision_model"
        torch.manual_seed(0)
        size: Any = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
        ViTModel(ViTConfig(**(size if self.small else {}))).save_pretrained(folder)
        return folder

    @cached_property
    def language_model(self) -> Path:
        """What stage 1 leaves after a step."""
        folder = self.folder / "lm0"
        first = self.settings("humanml3d/lm_pretrain")
        once = replace(first, loop=replace(first.loop, steps=1, batch_size=2, accumulation=1))
        train_language_model(once, self.clips, folder, self.folder / "lm0_run")
        return folder


def _tokenizer(inputs: Inputs, config: Any, folder: Path) -> None:
    train_tokenizer(config, inputs.motions, inputs.motions[:2], folder / "run", folder / "out")


def _retriever(inputs: Inputs, config: Any, folder: Path) -> None:
    train_retriever(config, inputs.pairs, inputs.pairs, folder / "run", folder / "out")


def _tmr(inputs: Inputs, config: Any, folder: Path) -> None:
    train_tmr(config, inputs.pairs, inputs.pairs, folder / "run", folder / "out")


def _lm(inputs: Inputs, config: Any, folder: Path) -> None:
    bank = inputs.bank if config.stage == "instruct" else None
    train_language_model(config, inputs.clips, folder / "out", folder / "run", bank)


TRAININGS: dict[str, Callable[[Inputs, Any, Path], None]] = {
    "humanml3d/tokenizer": _tokenizer,
    "humanml3d/retriever": _retriever,
    "humanml3d/motion_patches": _retriever,
    "humanml3d/tmr": _tmr,
    "humanml3d/lm_pretrain": _lm,
    "humanml3d/lm_instruct": _lm,
    "humanml3d/table6/both_2": _lm,
}
"""Settings files of the papers, and what trains by them."""
