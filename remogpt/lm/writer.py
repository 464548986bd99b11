"""Write motions and captions with a language model for inference, which loads without transformers."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from remogpt.lm.decoding.generate import LogitMixer, Row, WritableIds, generate
from remogpt.lm.decoding.inference_t5 import InferenceT5
from remogpt.lm.decoding.matmul import Precision
from remogpt.lm.decoding.request import DecodeOptions, DecodeRequest
from remogpt.lm.decoding.sampling import Sampling
from remogpt.lm.limits import MAX_CODES, MAX_WORD_IDS
from remogpt.lm.t5_size import T5Size
from remogpt.lm.vocabulary import Vocabulary
from remogpt.motion.skeleton import FPS
from remogpt.prompts import PromptForm
from remogpt.prompts.forms import holds_examples
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.folders.component import Component, load_component
from remogpt.runtime.folders.envelope import read_envelope
from remogpt.runtime.folders.find_model import find_component

KIND = "lm"


class MotionWriter:
    """A language model for inference only.

    Args:
        vocabulary: the ids.
        t5: the weights.
        prompt_form: the prompts that the weights were trained on.
        hash: of the saved model.
        fps: frames a second of its motions.
    """

    def __init__(
        self, vocabulary: Vocabulary, t5: InferenceT5, prompt_form: PromptForm = "remogpt", hash: str = "",
        fps: float = FPS,
    ) -> None:  # fmt: skip
        self.vocabulary, self.t5, self.hash, self.fps = vocabulary, t5, hash, fps
        self.prompt_form: PromptForm = prompt_form

    @classmethod
    def from_pretrained(
        cls, path: str | Path | None = None, device: str | torch.device | None = None, precision: Precision = "float32"
    ) -> "MotionWriter":
        """Load a saved language model for writing.

        Args:
            path: its folder, a whole model's, or a model's name on the hub; the embedded `mini` without it.
            device: where it runs; the CPU without it.
            precision: number format of the products; the saved files stay as they are.

        Raises:
            MissingPathError: if a file is missing.
            RemogptError: if the files do not belong together, or for a precision that the device does not have.
        """
        component, vocabulary, size = load_saved(path)
        tensors = {name.removeprefix("t5."): tensor.to(device or "cpu") for name, tensor in component.tensors.items()}
        form = component.config.get("prompt_form", "remogpt")
        t5 = InferenceT5(tensors, size, precision)
        return cls(vocabulary, t5, form, component.hash, component.config.get("fps", FPS))

    @property
    def device(self) -> torch.device:
        """Device of the weights."""
        return self.t5.device

    def generate_codes(
        self,
        requests: Sequence[DecodeRequest],
        options: DecodeOptions | None = None,
        mixer: LogitMixer | None = None,
    ) -> list[np.ndarray]:
        """Write a motion for each request: only codes, and the motion end, can be emitted.

        Args:
            requests: their prompts are from `remogpt.prompts.text_to_motion_prompt`.
            options: how they are written.
            mixer: adds evidence of its own before a code is chosen; column i of its logits is code i, the last the end.

        Returns:
            one (N,) int64 array per request, N >= 1, without what was begun.

        Raises:
            RemogptError: if guidance has no plain prompt to contrast with.
        """
        words = self.vocabulary
        start = (words.pad_id, words.motion_start_id)
        writable = WritableIds(words.code_ids, start, words.motion_end_id, max_length=MAX_CODES)
        ids = self._written(requests, writable, Sampling(), options or DecodeOptions(), mixer)
        return [words.decode_codes(row) for row in ids]

    def generate_text(
        self,
        requests: Sequence[DecodeRequest],
        options: DecodeOptions | None = None,
        mixer: LogitMixer | None = None,
    ) -> list[str]:
        """Write a caption for each request: only text, and the end of sequence, can be emitted.

        Arguments as in `generate_codes`. A mixer's columns are `vocabulary.text_ids`, then the end.
        """
        words = self.vocabulary
        writable = WritableIds(words.text_ids, (words.pad_id,), words.eos_id, max_length=MAX_WORD_IDS)
        ids = self._written(requests, writable, Sampling(temperature=0.0), options or DecodeOptions(), mixer)
        return [words.decode_text(row) for row in ids]

    @torch.inference_mode()
    def _written(
        self, requests: Sequence[DecodeRequest], writable: WritableIds, sampling: Sampling, options: DecodeOptions,
        mixer: LogitMixer | None,
    ) -> list[list[int]]:  # fmt: skip
        """Write the ids of each request; `sampling` applies where the options have none."""
        prompts = {one for request in requests for one in (request.prompt, request.plain) if one is not None}
        # Each prompt is encoded once: candidates of one caption have the same one.
        ids = {prompt: tuple(self.vocabulary.encode_prompt(prompt)) for prompt in prompts}
        drawn = int(np.random.SeedSequence(options.seed).entropy)  # type: ignore[arg-type]
        rows = [
            Row(
                ids[request.prompt],
                tuple(self.vocabulary.encode_codes(request.begun)[1:-1]),
                request.length,
                (
                    drawn if request.seed is None else request.seed,
                    *((index,) if request.stream is None else request.stream),
                ),
                None if request.plain is None else ids[request.plain],
            )
            for index, request in enumerate(requests)
        ]
        if options.max_length is not None:
            writable = replace(writable, max_length=options.max_length)
        return generate(self.t5, rows, writable, options.sampling or sampling, options, mixer)


def load_saved(path: str | Path | None) -> tuple[Component, Vocabulary, T5Size]:
    """Read a saved language model: its files, its vocabulary and its shape.

    Raises:
        MissingPathError: if a file is missing.
        RemogptError: if the files do not belong together, or come from a newer version.
    """
    folder = find_component(path, KIND)
    component = load_component(folder, KIND)
    vocabulary = Vocabulary.load(folder)
    if vocabulary_hash(vocabulary) != component.config["vocabulary_sha256"]:
        raise RemogptError(
            f"vocabulary.json in {folder} does not belong to the weights beside it; copy the folder again"
        )
    try:
        holds_examples(component.config.get("prompt_form", "remogpt"))  # refuses an unknown form
    except ValueError as error:
        raise RemogptError(f"the lm in {folder} cannot be used by this version: {error}; upgrade remogpt") from error
    return component, vocabulary, T5Size(**component.config["size"])


def saved_prompt_form(folder: str | Path) -> PromptForm:
    """Return the form of prompts that a saved model was trained on, without loading its weights."""
    form: PromptForm = read_envelope(folder, KIND)["config"].get("prompt_form", "remogpt")
    return form


def saved_examples(folder: str | Path) -> dict[str, Any]:
    """Return `routes` and `k` of the examples that a saved model was trained with; empty where it does not tell."""
    shown: dict[str, Any] | None = read_envelope(folder, KIND)["config"].get("examples")
    return dict(shown or {})


def vocabulary_hash(vocabulary: Vocabulary) -> str:
    """Return the SHA-256 that ties weights to their vocabulary."""
    return hashlib.sha256(json.dumps(vocabulary.to_json(), sort_keys=True).encode()).hexdigest()
