"""Turn captions and codes into training samples of ids.

Stage `pretrain` has three tasks without any prompt: caption → motion, motion → caption, and hidden spans of either.
Stage `instruct` writes the ReMoGPT prompt with retrieved examples of the training set, found beforehand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from remogpt.interfaces import MOTION_ROUTES, TEXT_ROUTES, Route
from remogpt.lm.batch import MOTION, SPANS, TEXT, Sample
from remogpt.lm.limits import FRAMES_PER_CODE
from remogpt.lm.training.span_corruption import corrupt, span_mask
from remogpt.lm.vocabulary import Vocabulary
from remogpt.motion.skeleton import FPS
from remogpt.prompts import BUDGET, LengthForm, clean_text, motion_to_text_prompt, text_to_motion_prompt
from remogpt.runtime.errors import RemogptError

MAX_TARGET_IDS = 256
"""Longest target; MotionGPT's limit."""
_POSSIBLE = {"text_to_motion": TEXT_ROUTES, "motion_to_text": MOTION_ROUTES}
_FORMS: tuple[LengthForm, ...] = ("plain", "seconds", "frames")


@dataclass(frozen=True)
class CodedClip:
    """A captioned motion as the language model sees it."""

    captions: tuple[str, ...]
    """At least one."""
    codes: tuple[np.ndarray, ...]
    """One or more codings of the same motion, each (N,): the tokenizer started at frame 0, and perhaps 1, 2, 3."""


@dataclass(frozen=True)
class RouteHits:
    """Hits of one route of retrieval for every query, best first, exclusions already applied."""

    rows: np.ndarray
    """(Q, k) int, rows of the example bank, -1 where there is none. Queries of t2m and t2t are all captions in the
    clips' order (`caption_queries`), those of m2t and m2m are the clips."""
    captions: np.ndarray | None = None
    """(Q, k) int: which caption of the row matched; a random one is shown where this is not known."""


@dataclass(frozen=True)
class ExampleBank:
    """Motions that can be shown as examples, and the hits of every query among them."""

    captions: Sequence[tuple[str, ...]]
    """Captions of each row."""
    codes: Sequence[np.ndarray]
    """(N,) codes of each row."""
    routes: Mapping[str, RouteHits]
    """Hits by the name of the route: t2m, t2t, m2t, m2m."""


@dataclass(frozen=True)
class ShownExample:
    """Caption and codes of an example, as a prompt shows them."""

    caption: str
    codes: np.ndarray


@dataclass(frozen=True)
class SampleMix:
    """Shares in which samples are drawn."""

    motion_share: float = 0.5
    """Share of the supervised samples that ask for a motion; the rest ask for text."""
    corrupted: float = 0.2
    """Share of stage pretrain's samples that hide spans, half of them in text, half in motion."""
    examples: tuple[float, ...] = (0.35, 0.25, 0.4)
    """Shares of stage instruct's samples that show 0, 1, 2 … retrieved examples, divided evenly among the routes. The
    paper's is (0, 0, 1): one by each of two routes."""
    routes: tuple[Route, ...] = (*TEXT_ROUTES, *MOTION_ROUTES)
    """Routes by which examples are retrieved, in the order of the prompt: as many of t2m and t2t, for captions, as of
    m2t and m2m, for motions. Kept with the model, which answers by the same ones."""
    wrong_examples: float = 0.1
    """Share of the shown examples replaced by a random motion, so that the model copes with a bad database."""
    depth: int = 1
    """Examples are drawn from a route's best `depth` hits; the paper's is 1."""
    forms: tuple[float, float, float] = (0.5, 0.35, 0.15)
    """Shares of phrases without a length, with seconds, with frames."""
    dropped_captions: float = 0.0
    """Share of stage instruct's samples whose prompt is plain: without its caption or, where it asks for a caption,
    without its motion. They teach what guidance contrasts with."""
    trimmed_codes: float = 1 / 3
    """Share of the motions that lose one code at their beginning or end. Source: MotionGPT's loader."""

    def __post_init__(self) -> None:
        if abs(sum(self.examples) - 1) > 1e-6 or abs(sum(self.forms) - 1) > 1e-6:
            raise RemogptError(f"mix.examples and mix.forms must each sum to 1, got {self.examples} and {self.forms}")
        self._check_routes()
        if not 0 <= self.dropped_captions < 1:
            raise RemogptError(f"mix.dropped_captions must be at least 0 and below 1, got {self.dropped_captions}")

    def routes_of(self, direction: str) -> list[Route]:
        """Return the routes of a direction, text_to_motion or motion_to_text, in the order of the prompt."""
        return [route for route in self.routes if route in _POSSIBLE[direction]]

    @property
    def most_examples(self) -> int:
        """Largest number of examples that a sample shows."""
        return max((number for number, share in enumerate(self.examples) if share > 0), default=0)

    @property
    def k(self) -> int:
        """Examples of each route where a sample shows most of them."""
        return -(-self.most_examples // max(1, *(len(self.routes_of(direction)) for direction in _POSSIBLE)))

    def _check_routes(self) -> None:
        strange = [route for route in self.routes if not any(route in routes for routes in _POSSIBLE.values())]
        numbers = [len(self.routes_of(direction)) for direction in _POSSIBLE]
        shares = (self.motion_share, 1 - self.motion_share)
        # A mixture of one direction alone needs routes of that one alone.
        needed = [number for number, share in zip(numbers, shares, strict=True) if share > 0]
        if strange or len(set(self.routes)) < len(self.routes) or len(set(needed)) > 1 or 0 in needed:
            raise RemogptError(
                "mix.routes must be some of t2m and t2t and as many of m2t and m2m, each once, got "
                f"{', '.join(self.routes) or 'none'}"
            )
        if self.most_examples > needed[0] and self.most_examples % needed[0]:
            raise RemogptError(
                f"mix.examples shows up to {self.most_examples} examples, which {needed[0]} routes cannot share evenly"
            )


def caption_queries(clips: Sequence[CodedClip]) -> np.ndarray:
    """Return (len(clips) + 1,) int64 offsets: clip i's captions are queries [offsets[i], offsets[i + 1])."""
    return np.concatenate([[0], np.cumsum([len(clip.captions) for clip in clips])]).astype(np.int64)


class TrainingSamples:
    """Draws samples of a stage.

    Args:
        clips: what to learn from.
        vocabulary: turns them into ids.
        stage: "pretrain" or "instruct".
        mix: shares.
        bank: examples; without one, stage instruct writes prompts without context.
        budget: ids of an encoder input.
        fps: frames a second of the motions.
    """

    def __init__(
        self,
        clips: Sequence[CodedClip],
        vocabulary: Vocabulary,
        stage: Literal["pretrain", "instruct"],
        mix: SampleMix,
        bank: ExampleBank | None = None,
        budget: int = BUDGET,
        fps: float = FPS,
    ):
        if not clips or any(not clip.captions or not clip.codes for clip in clips):
            raise RemogptError(
                "wanted at least one clip, each with a caption and codes; check the data set's split files"
            )
        self.clips, self.vocabulary, self.stage, self.mix, self.bank = clips, vocabulary, stage, mix, bank
        self.budget, self.fps, self._queries = budget, fps, caption_queries(clips)
        for name, hits in (bank.routes if bank else {}).items():
            wanted = int(self._queries[-1]) if name in TEXT_ROUTES else len(clips)
            if len(hits.rows) != wanted:
                raise RemogptError(
                    f"route {name} has neighbours for {len(hits.rows)} queries, the clips make {wanted}; "
                    "run 'remogpt db neighbours' again for this data set"
                )

            depth = hits.rows.shape[1]
            if name in mix.routes and depth < mix.most_examples:
                raise RemogptError(
                    f"{mix.most_examples} examples need as many neighbours on each route, and {name} has {depth}; run "
                    f"'remogpt db neighbours' again with --depth {mix.most_examples} or more"
                )

    def __len__(self) -> int:
        return len(self.clips)

    def draw(self, index: int, rng: np.random.Generator) -> Sample:
        """Make one sample of clip `index`."""
        if self.stage == "pretrain" and rng.random() < self.mix.corrupted:
            return self._corrupted(index, rng)
        direction = "text_to_motion" if rng.random() < self.mix.motion_share else "motion_to_text"
        return self.supervised(index, direction, rng)

    def supervised(
        self, index: int, direction: str, rng: np.random.Generator, num_examples: int | None = None
    ) -> Sample:
        """Make a sample of one direction; the number of examples is drawn when not given."""
        clip = self.clips[index]
        number = int(rng.integers(len(clip.captions)))
        caption, codes = clip.captions[number], self._codes(clip, rng)
        if num_examples is None and self.stage == "instruct":
            num_examples = int(rng.choice(len(self.mix.examples), p=self.mix.examples))
        if self.stage == "pretrain":
            return self._bare(caption, codes, direction)
        examples = self._examples(index, number, direction, num_examples or 0, rng)
        # At 0 nothing is drawn, so that the samples of earlier runs stay as they were.
        is_plain = self.mix.dropped_captions > 0 and rng.random() < self.mix.dropped_captions
        return self._prompted(caption, codes, direction, examples, is_plain, rng)

    def _bare(self, caption: str, codes: np.ndarray, direction: str) -> Sample:
        words = [*self.vocabulary.encode_text(clean_text(caption)), self.vocabulary.eos_id]
        motion = [*self.vocabulary.encode_codes(codes), self.vocabulary.eos_id]
        if direction == "text_to_motion":
            return Sample(words, motion, MOTION)
        return Sample(motion, words[-MAX_TARGET_IDS:], TEXT)

    def _prompted(
        self, caption: str, codes: np.ndarray, direction: str, examples: list[ShownExample], is_plain: bool,
        rng: np.random.Generator,
    ) -> Sample:  # fmt: skip
        form = _FORMS[int(rng.choice(3, p=self.mix.forms))]
        num_frames = FRAMES_PER_CODE * len(codes)
        words = self.vocabulary
        if direction == "text_to_motion":
            prompt = text_to_motion_prompt(
                None if is_plain else caption, examples, num_frames=num_frames, form=form, rng=rng,
                fps=self.fps, budget=self.budget, count=words.count,
            )  # fmt: skip
            return Sample(words.encode_prompt(prompt), [*words.encode_codes(codes), words.eos_id], MOTION)
        prompt = motion_to_text_prompt(
            None if is_plain else codes, examples, num_frames=num_frames, form=form, rng=rng, fps=self.fps,
            budget=self.budget, count=words.count,
        )  # fmt: skip
        target = [*words.encode_text(clean_text(caption))[: MAX_TARGET_IDS - 1], words.eos_id]
        return Sample(words.encode_prompt(prompt), target, TEXT)

    def _corrupted(self, index: int, rng: np.random.Generator) -> Sample:
        clip, words = self.clips[index], self.vocabulary
        if rng.random() < 0.5:
            ids = list(words.encode_text(clean_text(clip.captions[int(rng.integers(len(clip.captions)))])))
        else:
            ids = words.encode_codes(self._codes(clip, rng))
        if len(ids) < 2:
            return self.supervised(index, "text_to_motion", rng)
        hidden = span_mask(len(ids), rng, max_spans=len(words.sentinel_ids))
        return Sample(*corrupt(ids, hidden, words.sentinel_ids, words.eos_id), SPANS)

    def _codes(self, clip: CodedClip, rng: np.random.Generator) -> np.ndarray:
        codes = clip.codes[int(rng.integers(len(clip.codes)))]
        if len(codes) > 2 and rng.random() < self.mix.trimmed_codes:
            codes = codes[1:] if rng.random() < 0.5 else codes[:-1]
        return codes[: MAX_TARGET_IDS - 3]

    def _examples(
        self, index: int, caption: int, direction: str, number: int, rng: np.random.Generator
    ) -> list[ShownExample]:
        if self.bank is None or number == 0:
            return []
        query = int(self._queries[index]) + caption if direction == "text_to_motion" else index
        routes = self.mix.routes_of(direction)
        # Fewer examples than routes: which route serves is drawn, so that each is seen alone.
        chosen = sorted(rng.choice(len(routes), size=number, replace=False)) if number < len(routes) else None
        order = (
            [routes[i] for i in chosen]
            if chosen is not None
            else [routes[i * len(routes) // number] for i in range(number)]
        )
        shown: list[ShownExample] = []
        used: set[int] = set()
        for name in order:
            if rng.random() < self.mix.wrong_examples:
                row, matched = int(rng.integers(len(self.bank.codes))), None
            else:
                row, matched = self._hit(self.bank.routes[name], query, used, rng)
            if row < 0:
                continue
            used.add(row)
            captions = self.bank.captions[row]
            matched = int(rng.integers(len(captions))) if matched is None else matched
            shown.append(ShownExample(captions[matched], self.bank.codes[row]))
        return shown

    def _hit(self, hits: RouteHits, query: int, used: set[int], rng: np.random.Generator) -> tuple[int, int | None]:
        """Draw one of a route's best hits that is not shown yet; (-1, None) where there is none."""
        columns = [column for column, row in enumerate(hits.rows[query].tolist()) if row >= 0 and row not in used]
        if not columns:
            return -1, None
        column = columns[int(rng.integers(min(self.mix.depth, len(columns))))]
        matched = None if hits.captions is None else int(hits.captions[query, column])
        return int(hits.rows[query, column]), matched
