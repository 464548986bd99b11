"""The language model over words and motion codes: vocabulary, T5, samples, training, generation."""

from remogpt.lm.decoding.request import DecodeOptions, DecodeRequest, requests_for
from remogpt.lm.decoding.sampling import Sampling
from remogpt.lm.model import MotionLanguageModel, T5Size
from remogpt.lm.vocabulary import Vocabulary

__all__ = [
    "DecodeOptions",
    "DecodeRequest",
    "MotionLanguageModel",
    "Sampling",
    "T5Size",
    "Vocabulary",
    "requests_for",
]
