"""Tiny words, clips and models."""

import numpy as np
import pytest
import torch

from remogpt.lm import MotionLanguageModel, T5Size, Vocabulary
from remogpt.lm.copying.copy_head import CopyHead
from remogpt.lm.training.samples import CodedClip, ExampleBank, RouteHits, caption_queries

CAPTIONS = (
    "a person walks forward slowly",
    "someone waves with the left hand",
    "a man jumps three times",
    "a person turns right and sits down",
    "the person kicks with the right leg",
    "a woman runs in a circle",
    "somebody claps and bows",
    "a person squats twice",
)


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    """32 motion codes and at most 320 text tokens."""
    return Vocabulary.train([*CAPTIONS, "### Input:", "Generate motion:"] * 3, num_codes=32, size=320)


@pytest.fixture(scope="session")
def clips() -> list[CodedClip]:
    """Eight clips with two captions and two codings each."""
    rng = np.random.default_rng(0)
    made = []
    for caption in CAPTIONS:
        codes = rng.integers(32, size=int(rng.integers(6, 14)))
        made.append(CodedClip((caption, f"now {caption}"), (codes, codes[:-1])))
    return made


@pytest.fixture(scope="session")
def bank(clips: list[CodedClip]) -> ExampleBank:
    """Every clip's neighbours are the two clips after it."""
    size, offsets = len(clips), caption_queries(clips)
    by_clip = np.array([[(row + 1) % size, (row + 2) % size] for row in range(size)])
    by_caption = np.repeat(by_clip, np.diff(offsets), axis=0)
    for_texts, for_motions = RouteHits(by_caption), RouteHits(by_clip)
    routes = {"t2m": for_texts, "t2t": for_texts, "m2t": for_motions, "m2m": for_motions}
    return ExampleBank([clip.captions for clip in clips], [clip.codes[0] for clip in clips], routes)


@pytest.fixture
def model(vocabulary: Vocabulary) -> MotionLanguageModel:
    """An untrained two-layer model."""
    torch.manual_seed(0)
    return MotionLanguageModel.build(vocabulary, T5Size(32, 64, 2, 2, 2, 16, "gated-gelu", 0.0)).eval()


@pytest.fixture
def head() -> CopyHead:
    """Codes far from each other; every example answers where its cosines are above one half."""
    torch.manual_seed(0)
    made = CopyHead(torch.eye(12)).requires_grad_(False)
    for match in (made.text_match, made.motion_match):
        first, last = match.layers[0], match.layers[2]
        first.weight.fill_(4.0)
        first.bias.zero_()
        last.weight.fill_(1.0)
        last.bias.zero_()
    return made
