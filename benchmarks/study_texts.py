"""Token states of the study's captions: computed once a set, kept in float16, seen by all of its runs.

Training looks for them in its run folder by a name that stands for the sentences, so that links there are enough.
Variants that read other sentences (normal forms, swapped words) have a file of their own, made from what is there.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from study_sets import StudySet
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from remogpt.retriever.batches import PairBatches
from remogpt.retriever.text_encoder import CachedText
from remogpt.retriever.text_source import FrozenText
from remogpt.retriever.tmr_train import TMRTrainingConfig
from remogpt.retriever.train import RetrieverConfig
from remogpt.retriever.untrained import new_retriever
from remogpt.retriever.wording import CaptionForm, wordings


class KnownText(FrozenText):
    """A frozen text model that looks up what caches hold already."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.caches: list[CachedText] = []

    def prepare(self, sentences: Sequence[str]) -> tuple[Tensor, Tensor]:
        """As `FrozenText.prepare`; states from a cache are rounded to float16."""
        rows: dict[str, Tensor] = {}
        for cache in self.caches:
            here = [sentence for sentence in sentences if sentence in cache.places and sentence not in rows]
            rows |= _rows(here, cache.prepare)
        rows |= _rows([sentence for sentence in sentences if sentence not in rows], super().prepare)
        states = [rows[sentence] for sentence in sentences]
        return pad_sequence(states, batch_first=True), torch.tensor([len(row) for row in states])


def _rows(sentences: list[str], prepare: Callable[[Sequence[str]], tuple[Tensor, Tensor]]) -> dict[str, Tensor]:
    if not sentences:
        return {}
    states, lengths = prepare(sentences)
    return {sentence: row[:length] for sentence, row, length in zip(sentences, states, lengths.tolist(), strict=True)}


def text_folder(clips: StudySet) -> Path:
    """Where a set's token states lie."""
    return clips.folder / "text"


def prepare_texts(
    clips: StudySet, configs: Sequence[TMRTrainingConfig | RetrieverConfig], forms: Sequence[CaptionForm], name: str
) -> None:
    """Compute what is missing of the token states that runs of these settings read, and the test that is so worded."""
    source = KnownText(name)
    train, val = (clips.pairs(split).unique_captions() for split in ("train", "val"))
    source.caches.append(CachedText(source, [*train, *val], text_folder(clips)))
    done = set()
    for config in configs:
        if isinstance(config, RetrieverConfig):
            key = (config.caption_form, config.hard_negatives, config.same_tag)
            if key not in done and key != ("written", 0, None):
                done.add(key)
                source.caches.append(_trained(clips, config, source, val))
    for form in dict.fromkeys(forms):
        source.caches.append(tested_texts(clips, form, source))


def _trained(clips: StudySet, config: RetrieverConfig, source: KnownText, val: Sequence[str]) -> CachedText:
    features = clips.features(0).shape[1]
    retriever = new_retriever(
        config.model, config.text_model, False, np.zeros(features), np.ones(features), caption_form=config.caption_form
    )
    retriever.text = source
    pairs = clips.pairs("train", is_grouped=config.same_tag is not None)
    text = PairBatches(config, pairs, retriever, val, text_folder(clips)).text
    assert isinstance(text, CachedText)
    return text


def tested_texts(clips: StudySet, form: CaptionForm, source: FrozenText) -> CachedText:
    """Token states of every caption that is tested on, in every wording that it is asked in."""
    sentences = [wording for caption in clips.tested_captions() for wording in wordings(caption, form)]
    return CachedText(source, sentences, text_folder(clips))


def link_texts(clips: StudySet, folder: Path) -> None:
    """Let a run folder see the set's token states."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in text_folder(clips).glob("token_states_*.npy"):
        link = folder / file.name
        if not link.exists():
            link.unlink(missing_ok=True)  # it may point to where the set once lay
            link.symlink_to(file.resolve())


def unlink_texts(folder: Path) -> None:
    """Take the links, or what training made for want of them, out of a run folder."""
    for file in folder.glob("token_states_*.npy"):
        file.unlink()
