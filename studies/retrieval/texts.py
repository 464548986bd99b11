"""Token states of the study's captions: computed once a set, kept in its cache in float16, seen by all of its runs.

Variants that read other sentences (normal forms) have states of their own, made from what is there.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from remogpt.retriever.text.canonical import CaptionForm, worded
from remogpt.retriever.text.frozen_text_model import FrozenText
from remogpt.retriever.text.token_cache import CachedText
from remogpt.retriever.training.pl_tmr import RetrieverConfig
from remogpt.retriever.training.tmr import TMRTrainingConfig
from remogpt.runtime.vector_cache import VectorCache
from studies.retrieval.sets import StudySet


class KnownText(FrozenText):
    """A frozen text model that looks up what caches hold already."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.caches: list[CachedText] = []

    def prepare(self, sentences: Sequence[str]) -> tuple[Tensor, Tensor]:
        """As `FrozenText.prepare`; states from a cache are rounded to float16."""
        rows: dict[str, Tensor] = {}
        for cache in self.caches:
            here = [sentence for sentence in sentences if sentence in cache.row_of and sentence not in rows]
            rows |= _rows(here, cache.prepare)
        rows |= _rows([sentence for sentence in sentences if sentence not in rows], super().prepare)
        states = [rows[sentence] for sentence in sentences]
        return pad_sequence(states, batch_first=True), torch.tensor([len(row) for row in states])


def _rows(sentences: list[str], prepare: Callable[[Sequence[str]], tuple[Tensor, Tensor]]) -> dict[str, Tensor]:
    if not sentences:
        return {}
    states, lengths = prepare(sentences)
    return {sentence: row[:length] for sentence, row, length in zip(sentences, states, lengths.tolist(), strict=True)}


def prepare_texts(clips: StudySet, configs: Sequence[TMRTrainingConfig | RetrieverConfig], name: str) -> None:
    """Compute what is missing of the token states that runs of these settings read, in training and in the test."""
    source = KnownText(name)
    learned = [caption for split in ("train", "val") for caption in clips.pairs(split).unique_captions()]
    forms = [config.caption_form if isinstance(config, RetrieverConfig) else "written" for config in configs]
    for form in dict.fromkeys(["written", *forms]):
        source.caches.append(_cached(source, [worded(one, form) for one in learned], clips))
        source.caches.append(tested_texts(clips, form, source))


def tested_texts(clips: StudySet, form: CaptionForm, source: FrozenText) -> CachedText:
    """Token states of every caption that is tested on, in this form."""
    return _cached(source, [worded(caption, form) for caption in clips.tested_captions()], clips)


def _cached(source: FrozenText, sentences: Sequence[str], clips: StudySet) -> CachedText:
    return CachedText(source, sentences, VectorCache.beside(clips.folder))
