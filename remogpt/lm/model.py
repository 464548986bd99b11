"""The language model: a T5 whose ids are words and motion codes.

`MotionLanguageModel.from_pretrained(folder)` loads `config.json`, `model.safetensors` and `vocabulary.json`, and
nothing else; `from_hub` starts from any published T5. Encoder and decoder share one embedding matrix, and so does the
output unless the published model has one of its own (T5 1.1, flan-T5).
"""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoTokenizer, T5ForConditionalGeneration

from remogpt.lm.batch import MOTION, SPANS, Batch
from remogpt.lm.decoding.generate import LogitMixer
from remogpt.lm.decoding.matmul import Precision
from remogpt.lm.decoding.request import DecodeOptions, DecodeRequest
from remogpt.lm.t5_size import T5Size
from remogpt.lm.transformers_t5 import InferenceCache, resize_embeddings, size_of, t5_config, untie_output
from remogpt.lm.vocabulary import Vocabulary
from remogpt.lm.writer import KIND, MotionWriter, load_saved, vocabulary_hash
from remogpt.motion.skeleton import FPS
from remogpt.prompts import PromptForm
from remogpt.prompts.forms import holds_examples
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.folders.component import save_component

_TIED = ("t5.encoder.embed_tokens.weight", "t5.decoder.embed_tokens.weight", "t5.lm_head.weight")


class Loss(NamedTuple):
    """Sums over all target ids of a batch, so that batches can be joined before the division."""

    total: Tensor
    """Summed cross-entropy in nats."""
    num_ids: int
    """Target ids."""
    num_correct: int
    """Targets that are the argmax over all ids."""
    num_checked: int
    """Targets that belong to a motion or to text, not to hidden spans."""
    num_valid: int
    """Targets for which the unmasked argmax is a legal token type (text for text, code for motion)."""

    def rates(self) -> dict[str, float]:
        """Return shares for the log: `accuracy`, and `valid` = ids of the right kind before masking."""
        return {"accuracy": self.num_correct / self.num_ids, "valid": self.num_valid / max(self.num_checked, 1)}


class MotionLanguageModel(nn.Module):
    """T5 over words and codes.

    Args:
        vocabulary: the ids.
        t5: a T5 whose embeddings have `vocabulary.size` rows.
        prompt_form: the prompts that the weights were trained on (`remogpt.prompts.forms`); kept in `config.json`.
    """

    def __init__(self, vocabulary: Vocabulary, t5: T5ForConditionalGeneration, prompt_form: PromptForm = "remogpt"):
        super().__init__()
        rows = t5.get_input_embeddings().weight.shape[0]
        if rows != vocabulary.size:
            raise ValueError(f"the T5 has {rows} embeddings, its vocabulary {vocabulary.size} ids; resize one of them")
        self.vocabulary, self.t5 = vocabulary, t5
        holds_examples(prompt_form)  # refuses an unknown form
        self.prompt_form: PromptForm = prompt_form
        self.examples: dict[str, Any] | None = None
        """`routes` and `k` of the examples in the prompts that the weights were trained on, where there were any; kept
        in `config.json`."""
        self.fps = FPS
        """Frames a second of the motions that it was trained on; another rate than ours is kept in `config.json`."""
        self.hash = ""
        self.precision: Precision = "float32"
        """Number format of the products when the model writes; the weights are kept as they are."""
        self._inference = InferenceCache()
        text_kind = [*vocabulary.text_ids, vocabulary.eos_id]
        motion_kind = [*vocabulary.code_ids, vocabulary.motion_start_id, vocabulary.motion_end_id, vocabulary.eos_id]
        self._is_text: Tensor
        self._is_motion: Tensor
        self.register_buffer("_is_text", _mask(vocabulary.size, text_kind), persistent=False)
        self.register_buffer("_is_motion", _mask(vocabulary.size, motion_kind), persistent=False)
        # One matrix is stored once: safetensors refuses shared tensors, and a checkpoint with four copies lies.
        self.register_state_dict_post_hook(_drop_tied)
        self.register_load_state_dict_pre_hook(_restore_tied)

    @classmethod
    def build(cls, vocabulary: Vocabulary, size: T5Size, prompt_form: PromptForm = "remogpt") -> "MotionLanguageModel":
        """Make an untrained model of a vocabulary and a size, which is asked by prompts of this form."""
        return cls(vocabulary, T5ForConditionalGeneration(t5_config(vocabulary, size)), prompt_form)

    @classmethod
    def from_hub(cls, name_or_path: str, num_codes: int = 512) -> "MotionLanguageModel":
        """Start from a published T5 (google/flan-t5-base in the papers), its embeddings extended by motion ids.

        On text it answers as it was published: rows of words stay as they are, an output of its own stays its own.

        Raises:
            RemogptError: if the model is not in the local cache and the hub cannot be reached.
        """
        try:
            vocabulary = Vocabulary.from_t5(AutoTokenizer.from_pretrained(name_or_path), num_codes)
            t5 = T5ForConditionalGeneration.from_pretrained(name_or_path, dtype=torch.float32)
        except (OSError, ValueError) as error:
            raise RemogptError(
                f"no T5 {name_or_path!r}: it is neither a folder nor in the local cache, and the hub gave no answer "
                f"({str(error).strip().splitlines()[0]}); download it once, or leave 'hub' empty to train one from "
                "scratch"
            ) from error
        resize_embeddings(t5, vocabulary.size)
        return cls(vocabulary, t5)

    @classmethod
    def from_pretrained(
        cls, path: str | Path | None = None, device: str | torch.device | None = None
    ) -> "MotionLanguageModel":
        """Load a saved model, strictly.

        Args:
            path: the language model's folder, a whole model's, or a model's name on the hub; the embedded `mini`
                without it.
            device: where it runs; the CPU without it.

        Raises:
            MissingPathError: if a file is missing.
            RemogptError: if the files do not belong together.
        """
        saved, vocabulary, size = load_saved(path)
        model = cls.build(vocabulary, size, saved.config.get("prompt_form", "remogpt"))
        if "t5.lm_head.weight" in saved.tensors:
            untie_output(model.t5)
        model.load_state_dict(saved.tensors)
        model.hash, model.examples = saved.hash, saved.config.get("examples")
        model.fps = saved.config.get("fps", FPS)
        return model.to(device or "cpu").eval()

    def save_pretrained(self, folder: str | Path, dtype: torch.dtype | None = None) -> str:
        """Write the model to a folder and return its hash. `dtype` is the stored type of the weights."""
        self.vocabulary.save(folder)
        config: dict[str, Any] = {
            "size": asdict(self.size),
            "vocabulary_sha256": vocabulary_hash(self.vocabulary),
            "prompt_form": self.prompt_form,
        }
        if self.examples is not None:
            config["examples"] = self.examples
        if self.fps != FPS:
            config["fps"] = self.fps
        self.hash = save_component(folder, KIND, config, self.state_dict(), dtype=dtype)
        return self.hash

    @property
    def size(self) -> T5Size:
        """The shape of the T5."""
        return size_of(self.t5.config)

    @property
    def device(self) -> torch.device:
        """Device of the weights."""
        return self.t5.shared.weight.device

    @property
    def output_scale(self) -> float:
        """Factor on the decoder's output before the output embedding."""
        return self.size.output_scale

    def forward(self, batches: Sequence[Batch]) -> Loss:
        """Compute the summed loss of several batches, each padded on its own; one call is a whole step."""
        losses = [self._loss(batch) for batch in batches]
        return Loss(
            torch.stack([loss.total for loss in losses]).sum(),
            *(sum(counts) for counts in zip(*(loss[1:] for loss in losses), strict=True)),
        )

    def _loss(self, batch: Batch) -> Loss:
        batch = batch.to(self.device)
        hidden = self.t5.encoder(input_ids=batch.input_ids, attention_mask=batch.input_mask).last_hidden_state
        decoded = self.t5.decoder(
            input_ids=batch.decoder_ids,
            encoder_hidden_states=hidden,
            encoder_attention_mask=batch.input_mask,
            use_cache=False,
        ).last_hidden_state
        real = batch.labels >= 0  # (B, L)
        targets = batch.labels[real]
        logits = self.t5.lm_head(decoded[real] * self.output_scale).float()  # (ids, vocabulary)
        with torch.no_grad():
            best = logits.argmax(1)
            kinds = batch.kinds[:, None].expand_as(real)[real]
            valid = torch.where(kinds == MOTION, self._is_motion[best], self._is_text[best])
        return Loss(
            total=functional.cross_entropy(logits, targets, reduction="sum"),
            num_ids=targets.numel(),
            num_correct=int((best == targets).sum()),
            num_checked=int((kinds != SPANS).sum()),
            num_valid=int((valid & (kinds != SPANS)).sum()),
        )

    def writer(self) -> MotionWriter:
        """Return the model as it is now, arranged for writing; made anew only when a weight has changed."""
        snapshot = self._inference(self.t5, self.precision)
        return MotionWriter(self.vocabulary, snapshot, self.prompt_form, self.hash, self.fps)

    def generate_codes(
        self, requests: Sequence[DecodeRequest], options: DecodeOptions | None = None, mixer: LogitMixer | None = None
    ) -> list[np.ndarray]:
        """Write a motion for each request; see `MotionWriter.generate_codes`."""
        return self.writer().generate_codes(requests, options, mixer)

    def generate_text(
        self, requests: Sequence[DecodeRequest], options: DecodeOptions | None = None, mixer: LogitMixer | None = None
    ) -> list[str]:
        """Write a caption for each request; see `MotionWriter.generate_text`."""
        return self.writer().generate_text(requests, options, mixer)


def _mask(size: int, ids: Sequence[int]) -> Tensor:
    mask = torch.zeros(size, dtype=torch.bool)
    mask[torch.as_tensor([int(token) for token in ids])] = True
    return mask


def _drop_tied(module: nn.Module, state: dict[str, Tensor], prefix: str, _metadata: Any) -> None:
    shared = state.get(f"{prefix}t5.shared.weight")
    for name in _TIED:
        if shared is not None and name in {key.removeprefix(prefix) for key in state}:
            tensor = state[prefix + name]
            if tensor.data_ptr() == shared.data_ptr() and tensor.shape == shared.shape:
                del state[prefix + name]


def _restore_tied(module: nn.Module, state: dict[str, Tensor], prefix: str, *_rest: Any) -> None:
    shared = state.get(f"{prefix}t5.shared.weight")
    for name in _TIED:
        if shared is not None:
            state.setdefault(prefix + name, shared)
