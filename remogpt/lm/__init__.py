"""The language model over words and motion codes: vocabulary, T5, samples, training, generation."""

from typing import TYPE_CHECKING

from remogpt.runtime.lazy import lazy_names

if TYPE_CHECKING:
    from remogpt.lm.decoding.request import DecodeOptions, DecodeRequest, requests_for
    from remogpt.lm.decoding.sampling import Sampling
    from remogpt.lm.model import MotionLanguageModel
    from remogpt.lm.t5_size import T5Size
    from remogpt.lm.vocabulary import Vocabulary
    from remogpt.lm.writer import MotionWriter

__all__ = [
    "DecodeOptions",
    "DecodeRequest",
    "MotionLanguageModel",
    "MotionWriter",
    "Sampling",
    "T5Size",
    "Vocabulary",
    "requests_for",
]

_HOMES = {
    "DecodeOptions": "remogpt.lm.decoding.request",
    "DecodeRequest": "remogpt.lm.decoding.request",
    "MotionLanguageModel": "remogpt.lm.model",
    "MotionWriter": "remogpt.lm.writer",
    "Sampling": "remogpt.lm.decoding.sampling",
    "T5Size": "remogpt.lm.t5_size",
    "Vocabulary": "remogpt.lm.vocabulary",
    "requests_for": "remogpt.lm.decoding.request",
}

# Lazy: what writes needs no transformers, which costs seconds to import.
__getattr__ = lazy_names(__name__, _HOMES)
