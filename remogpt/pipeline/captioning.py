"""From motions to captions: plan, retrieve, ask, write, add rivals and statements, choose, correct, assemble `Window`s.

A motion longer than the language model reads at once is read in windows; each has its own examples and its own caption.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby

import numpy as np

from remogpt.lm import DecodeOptions, DecodeRequest, MotionWriter, Sampling
from remogpt.lm.copying.logit_mixers import Following
from remogpt.lm.long_motion import reading_windows
from remogpt.motion import Motion, features_to_joints
from remogpt.motion.facts import describe
from remogpt.motion.found_facts import find_facts
from remogpt.notices import Notice
from remogpt.options import GenerationOptions
from remogpt.pipeline.checked_numbers import with_checked_numbers
from remogpt.pipeline.examples import examples_for_motions, marked_as_used
from remogpt.pipeline.judge import CheckedFact, Judge, checked
from remogpt.prompts import Prompt, ask_for_text, clean_text
from remogpt.reader import CaptionReader, Reading
from remogpt.retriever import MotionDatabase, RetrievedExample, TextMotionRetriever
from remogpt.tokenizer_vqvae import MotionTokenizer

FURTHER_CANDIDATES = Sampling(temperature=0.8, top_p=0.95)
"""Sampling of candidates beyond the first, where the best of several is wanted."""

COPIED = 0.5
"""What it costs a candidate to be an example's caption word for word, as a cosine (`studies/caption_choice.py`)."""

STATED = 0.3
"""What it costs a candidate to be a plain statement of what joints show, as a cosine (`studies/caption_choice.py`)."""


@dataclass
class Window:
    """A stretch of a motion that is read at once."""

    motion: int
    """Index of the motion that the window belongs to."""
    features: np.ndarray
    """(T, 263) raw features."""
    codes: np.ndarray
    """(N,) int64."""
    exclude: frozenset[str] = frozenset()
    """Ids of clips or recordings that are not retrieved."""
    examples: tuple[RetrievedExample, ...] = ()
    prompt: Prompt | None = None
    plain: Prompt | None = None
    """Prompt that guidance contrasts with."""
    candidates: list[str] = field(default_factory=list)
    """Captions: written ones, then those of examples that compete, then plain statements."""
    num_stated: int = 0
    """How many of the candidates, the last ones, are plain statements of what the joints show."""
    readings: list[Reading] = field(default_factory=list)
    """What each candidate claims, where that is to be checked."""
    chosen: int = 0
    """Index of the best candidate."""

    @property
    def is_stated(self) -> np.ndarray:
        """(C,) bool: which candidates are plain statements."""
        return np.arange(len(self.candidates)) >= len(self.candidates) - self.num_stated


@dataclass(frozen=True)
class Captioned:
    """One answer to a motion."""

    text: str
    """One sentence; a motion longer than the model reads at once has one for each of its windows."""
    examples: tuple[RetrievedExample, ...]
    """Retrieved examples, window by window."""
    prompts: tuple[Prompt, ...]
    """Prompts of the language model, window by window."""
    warnings: tuple[Notice, ...] = ()
    """Reasons to doubt the answer: no example, or something that the motion does not show."""
    confidence: float = math.nan
    """Expected share of what the caption says that holds, from 0 to 1; nan where the retriever was not used."""
    copied_from: tuple[str, ...] = ()
    """Ids of the examples whose caption the text is, word for word, or a sentence of it."""
    is_stated: bool = False
    """The text, or a sentence of it, is a plain statement of what the joints show: the model wrote none that fits."""
    checks: tuple[CheckedFact, ...] = ()
    """What the text claims, window by window, and which of it the motion's joints hold (`verify`)."""


def plan(motions: Sequence[Motion], exclude: Sequence[frozenset[str]], tokenizer: MotionTokenizer) -> list[Window]:
    """Cut motions into windows that the language model can read, and turn them into codes.

    Raises:
        RemogptError: if a motion is shorter than one code (4 frames at 20 fps).
    """
    cut = [(index, features) for index, motion in enumerate(motions) for features in reading_windows(motion.features)]
    codes = tokenizer.encode_batch([features for _, features in cut])
    return [Window(index, features, row, exclude[index]) for (index, features), row in zip(cut, codes, strict=True)]


def retrieve(
    windows: Sequence[Window], database: MotionDatabase, retriever: TextMotionRetriever, options: GenerationOptions
) -> None:
    """Find the examples of each window's motion."""
    found = examples_for_motions(
        [window.features for window in windows], database, retriever, [window.exclude for window in windows],
        choice=options.choice_for("motion"),
    )  # fmt: skip
    for window, examples in zip(windows, found, strict=True):
        window.examples = examples


def ask(windows: Sequence[Window], lm: MotionWriter, following: Following) -> None:
    """Write each window's prompt, with the examples that are to be shown, and the one that guidance contrasts with."""
    words = partial(ask_for_text, lm.prompt_form, count=lm.vocabulary.count)
    for window in windows:
        shown = following.shown_for_motion(window.examples)
        window.prompt = words(window.codes, shown)
        # A prompt that is full drops its last examples.
        window.examples = marked_as_used(window.examples, shown[: window.prompt.num_examples])
        window.plain = words(None)


def write(
    windows: Sequence[Window], lm: MotionWriter, following: Following, options: GenerationOptions,
    seed: int | Sequence[int] | None,
) -> None:  # fmt: skip
    """Write `options.best_of` candidates for each window: the likeliest words, then drawn ones.

    With a seed for each motion, a motion is answered as if it were asked for alone with its seed.
    """
    samplings = [(1, Sampling(**options.sampling)), ((options.best_of or 1) - 1, FURTHER_CANDIDATES)]
    one_seed, seeds = (seed, None) if seed is None or isinstance(seed, int) else (None, seed)
    for count, sampling in samplings:
        if count:
            how = DecodeOptions(sampling, one_seed, options.guidance or 1.0)
            _write(windows, count, how, seeds, lm, following)


def _write(
    windows: Sequence[Window], count: int, options: DecodeOptions, seeds: Sequence[int] | None, lm: MotionWriter,
    following: Following,
) -> None:  # fmt: skip
    """Add `count` candidates to each window."""
    rows = [window for window in windows for _ in range(count)]
    seed_of_row = [None if seeds is None else seeds[window.motion] for window in rows]
    streams = range(len(rows)) if seeds is None else _places([window.motion for window in rows])
    requests = [
        DecodeRequest(window.prompt, stream=[stream], seed=seed, plain=window.plain)
        for window, stream, seed in zip(rows, streams, seed_of_row, strict=True)
        if window.prompt is not None
    ]
    mixer = following.words([window.examples for window in rows])
    for window, text in zip(rows, lm.generate_text(requests, options, mixer), strict=True):
        window.candidates.append(text)


def or_no_words(caption: str) -> str:
    """Return what is embedded in place of a caption: another where it has no words, as an untrained model may write."""
    return caption if clean_text(caption) else "nothing"


def _places(motions: Sequence[int]) -> list[int]:
    """Number the rows of each motion from 0."""
    counts: Counter[int] = Counter()
    places = []
    for motion in motions:
        places.append(counts[motion])
        counts[motion] += 1
    return places


def add_rivals(windows: Sequence[Window]) -> None:
    """Let the captions of the examples compete with the written ones: each is of another motion, and costs more."""
    for window in windows:
        captions = dict.fromkeys(example.caption.strip() for example in window.examples)
        window.candidates += [text for text in captions if text and text not in window.candidates]


def read(windows: Sequence[Window], reader: CaptionReader) -> None:
    """Read what each candidate claims."""
    for window in windows:
        window.readings = list(reader.read([or_no_words(text) for text in window.candidates]))


def add_statements(windows: Sequence[Window]) -> None:
    """Let what each motion's joints show, said plainly, compete with the captions that were read.

    A recording may be far from all that the networks have learned from; the joints still tell who squats.
    """
    for window in windows:
        facts = find_facts(features_to_joints(window.features)).statements()
        said = [Reading(f"a person {describe(fact)}", ((fact,),), 0, 1.0) for fact in facts]
        window.candidates += [reading.text for reading in said]
        window.readings += said
        window.num_stated = len(said)


def choose(windows: Sequence[Window], judge: Judge) -> None:
    """Choose, of each window's candidates, the caption that the judge scores highest for its motion.

    One that is an example's caption word for word was written of another motion, so that it costs something.
    """
    captions = [[or_no_words(text) for text in window.candidates] for window in windows]
    readings, motions = [window.readings for window in windows], [window.features for window in windows]
    for window, scores in zip(windows, judge.caption_scores(captions, readings, motions), strict=True):
        copied = np.array([bool(_sources(window, text)) for text in window.candidates])
        window.chosen = int((scores - COPIED * copied - STATED * window.is_stated).argmax())


def _sources(window: Window, text: str) -> list[str]:
    """Return the ids of the examples whose caption a text is, word for word."""
    return list(dict.fromkeys(one.id for one in window.examples if one.caption.strip() == text.strip()))


def correct(windows: Sequence[Window], reader: CaptionReader | None) -> None:
    """Correct or leave out numbers and directions of the chosen captions that the motions refute; a reader reads anew
    what was changed."""
    for window in windows:
        text, joints = window.candidates[window.chosen], features_to_joints(window.features)
        window.candidates[window.chosen] = with_checked_numbers(text, joints)
        if reader is not None and window.candidates[window.chosen] != text:
            (window.readings[window.chosen],) = reader.read([or_no_words(window.candidates[window.chosen])])


def assemble(windows: Sequence[Window]) -> list[Captioned]:
    """Join the captions of each motion's windows, one that only repeats said once, and check what they claim."""
    answers = []
    for _, group in groupby(windows, lambda window: window.motion):
        own = list(group)
        sentences = [text for text, _ in groupby(window.candidates[window.chosen] for window in own)]
        if len(sentences) > 1:
            sentences = [f"{text.rstrip('. ')}." for text in sentences]
        examples = tuple(example for window in own for example in window.examples)
        prompts = tuple(window.prompt for window in own if window.prompt is not None)
        checks = tuple(
            check
            for window in own
            for reading in window.readings[window.chosen : window.chosen + 1]
            for check in checked(reading.facts, window.features)
        )
        copied = tuple(id_ for window in own for id_ in _sources(window, window.candidates[window.chosen]))
        is_stated = any(window.is_stated[window.chosen] for window in own)
        answer = Captioned(
            " ".join(sentences), examples, prompts, copied_from=copied, is_stated=is_stated, checks=checks
        )
        answers.append(answer)
    return answers
