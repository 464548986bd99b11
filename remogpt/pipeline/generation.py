"""From captions to motions: plan, read, retrieve, ask, write, choose and assemble `Segment`s.

A motion longer than the language model writes at once has several segments, each going on from the one before
(`remogpt.lm.long_motion`). `write` and `choose` alternate over them: all first segments, then all second ones.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby

import numpy as np

from remogpt.finder import FactFinder
from remogpt.lm import DecodeOptions, DecodeRequest, MotionWriter, Sampling
from remogpt.lm.copying.logit_mixers import Following
from remogpt.lm.limits import FRAMES_PER_CODE
from remogpt.lm.long_motion import num_frames, segment_lengths, spread_sentences
from remogpt.motion import Motion, clean_features
from remogpt.motion.feature_body import HUMANML3D, FeatureBody, body_of
from remogpt.motion.skeleton import FPS
from remogpt.notices import KnownWords, respelled
from remogpt.options import GenerationOptions
from remogpt.pipeline.checks import check_num_samples, check_words, length_of_each
from remogpt.pipeline.examples import TextSearch, marked_as_used
from remogpt.pipeline.joined import Joined, joined_motions
from remogpt.pipeline.judge import Judge, checked
from remogpt.pipeline.segment import Candidate, Generated, Guide, MotionRequest, Segment
from remogpt.prompts import ask_for_motion, clean_text
from remogpt.reader import CaptionReader
from remogpt.retriever import MotionDatabase, RetrievedExample, TextMotionRetriever
from remogpt.runtime.errors import RemogptError
from remogpt.tokenizer_vqvae import MotionTokenizer

LEAST_SURE = 0.6
"""How sure the reading of a step must be for motions to be joined by it. Answers to people's captions of several steps
hold 81 % of what their labels say, 73 % by the second detectors (32 of 112 captions, half of the labelled ones, by
which this was chosen, when one network read them); with the probability of the whole reading in its place 74 and 69 %.
"""

LEAST_HELD = 0.5
"""Share of what a text claims that a joined motion must hold to guide what is written."""


def plan(
    texts: Sequence[str], seconds: float | Sequence[float | None] | None, num_samples: int,
    exclude: Sequence[frozenset[str]], seed: int | Sequence[int] | None = None, fps: float = FPS,
    known: KnownWords | None = None,
) -> list[Segment]:  # fmt: skip
    """Divide each motion into segments, the sentences of its caption spread over them in order.

    Args:
        texts: captions.
        seconds: one length for all, or one for each caption; None where the model chooses.
        num_samples: motions for each caption.
        exclude: for each caption, ids that are not retrieved.
        seed: one for each caption, with which it is answered as if it were asked for alone; one for all stands in
            `write`.
        fps: frames a second of the motions.
        known: words by which misspellings are mended; None mends none.

    Raises:
        RemogptError: if a caption holds no words, or a length or a number of samples cannot be asked for.
    """
    check_num_samples(num_samples)
    lengths = length_of_each(seconds, len(texts))
    segments: list[Segment] = []
    seeds = [None] * len(texts) if seed is None or isinstance(seed, int) else seed
    for index, (text, length, hidden, own) in enumerate(zip(texts, lengths, exclude, seeds, strict=True)):
        check_words(text)
        spelled = text if known is None else respelled(text, known)
        for sample in range(num_samples):
            place = index * num_samples + sample
            request = MotionRequest(place, text, spelled, num_frames(length, fps), hidden, sample, num_samples, own)
            segments += _segments_of(request)
    return segments


def _segments_of(request: MotionRequest) -> list[Segment]:
    lengths = segment_lengths(None if request.num_frames is None else -(-request.num_frames // FRAMES_PER_CODE))
    segments: list[Segment] = []
    for number, (text, length) in enumerate(zip(spread_sentences(request.spelled, len(lengths)), lengths, strict=True)):
        segments.append(Segment(request, number, text, length, segments[-1] if segments else None))
    return segments


def read(segments: Sequence[Segment], reader: CaptionReader) -> None:
    """Read what each segment's text claims."""
    texts = list(dict.fromkeys(segment.text for segment in segments))
    readings = dict(zip(texts, reader.read(texts), strict=True))
    for segment in segments:
        segment.reading = readings[segment.text]


def retrieve(
    segments: Sequence[Segment], database: MotionDatabase, retriever: TextMotionRetriever, options: GenerationOptions,
    tokenizer: MotionTokenizer, finder: FactFinder | None = None, *, follows: bool = True,
) -> None:  # fmt: skip
    """Find the examples of each segment's text, the motions that compete with the written ones, and what guides these.

    Samples of one caption share its rivals out among them, so that no two samples are the same motion. Where answers
    are not verified, a `finder` says what stretches hold that may be joined; without one none are. What is joined
    guides what is written if the model `follows` examples and the caller has pinned none.

    differs: ReMoGPT's examples are motions of the database, each of which shows what it shows.
    """
    requests = [segment.request for segment in segments]
    captions = [request.index // request.num_samples for request in requests]
    pinned = options.pinned_for(captions[-1] + 1)
    searches = TextSearch.of_texts(
        [segment.text for segment in segments], database, retriever, [request.exclude for request in requests],
        [pinned[caption] for caption in captions], choice=options.choice_for("caption"),
    )  # fmt: skip
    of_motion = Counter(segment.request.index for segment in segments)
    found: dict[tuple[TextSearch, int | None, bool], tuple[list[Candidate], Guide | None]] = {}
    for segment, search in zip(segments, searches, strict=True):
        request, segment.examples = segment.request, search.examples
        competes = bool(options.retrieved) and of_motion[request.index] == 1  # a retrieved motion is a whole one
        guides = follows and not search.pinned
        key = search, segment.length, competes
        if key not in found:
            wanted = (options.joined or 0) if competes else min(options.joined or 0, int(guides))
            joined = _joined(search, segment, options, finder, wanted)
            codes = tokenizer.encode_batch([one.features for one in joined])
            guide = _guide(search, segment, retriever, joined, codes) if guides else None
            rivals = [*_recorded(search, segment, options), *map(_as_candidate, joined, codes)] if competes else []
            found[key] = rivals, guide
        rivals, segment.guide = found[key]
        segment.rivals = tuple(rivals[request.sample :: request.num_samples])


def _recorded(search: TextSearch, segment: Segment, options: GenerationOptions) -> list[Candidate]:
    """Return retrieved motions as they are."""
    database, reading = search.database, segment.reading
    keeps_motions = database.motions_kept != "nothing"
    claimed, steps, sure = ([], (), 0.0) if reading is None else (reading.facts, reading.steps, reading.sureness)
    hits = search.motions(options.retrieved or 0, claimed, sure * (options.fact_weight or 0.0), steps)
    return [
        Candidate(hit.codes, hit.id, features=np.array(database.features(hit.row)) if keeps_motions else None)
        for hit in hits
    ]


def _joined(
    search: TextSearch, segment: Segment, options: GenerationOptions, finder: FactFinder | None, count: int
) -> list[Joined]:
    """Join retrieved motions by what a text claims, where the reader is sure of it and something can check it."""
    database, reading = search.database, segment.reading
    can_join = (options.verify or finder is not None) and database.motions_kept != "nothing" and database.has_facts
    if not count or not can_join or reading is None or reading.sureness < LEAST_SURE:
        return []
    frames = None if segment.length is None else segment.length * FRAMES_PER_CODE
    return joined_motions(search, reading.steps, count, options.cleanup, frames, finder)


def _as_candidate(joined: Joined, codes: np.ndarray) -> Candidate:
    return Candidate(codes, joined_from=joined.ids, features=joined.features)


def _guide(
    search: TextSearch, segment: Segment, retriever: TextMotionRetriever,
    joined: Sequence[Joined], codes: Sequence[np.ndarray],
) -> Guide | None:  # fmt: skip
    """Return the best joined motion, if it holds enough."""
    if not joined or joined[0].held < LEAST_HELD:
        return None
    cosine = float(retriever.encode_motion([joined[0].features])[0] @ search.query)
    return Guide(joined[0].ids, segment.text, codes[0], cosine)


def ask(segments: Sequence[Segment], lm: MotionWriter, following: Following) -> None:
    """Write each segment's prompt, with the examples that are to be shown, and the one that guidance contrasts with."""
    for segment in segments:
        answering = {id(one) for one in following.shown_for_text(segment.examples)}
        shown = [one for one in segment.followed if isinstance(one, Guide) or one.pinned or id(one) in answering]
        frames = None if segment.length is None else segment.length * FRAMES_PER_CODE
        words = partial(ask_for_motion, lm.prompt_form, num_frames=frames, fps=lm.fps, count=lm.vocabulary.count)
        try:
            segment.prompt = words(segment.text, shown)
        except ValueError as error:  # the prompts' room knows no errors of ours
            raise RemogptError(
                f"the first word of the caption {segment.text[:40]!r}… is longer than a prompt has room for; describe "
                "a motion in words"
            ) from error
        segment.examples = marked_as_used(segment.examples, shown[: segment.prompt.num_examples])
        segment.plain = words(None)


def in_step(segments: Sequence[Segment]) -> Iterator[list[Segment]]:
    """Yield the first segments of all motions, then the second ones, and so on."""
    for _, group in groupby(sorted(segments, key=lambda segment: segment.number), lambda segment: segment.number):
        yield list(group)


def write(
    segments: Sequence[Segment], lm: MotionWriter, following: Following, options: GenerationOptions,
    seed: int | None,
) -> None:  # fmt: skip
    """Write `options.best_of` candidates of each segment, all together; `seed` for those without one of their own."""
    count = options.best_of or 1
    rows = [(segment, candidate) for segment in segments for candidate in range(count)]
    requests = [_request(segment, segment.request.stream * count + candidate) for segment, candidate in rows]
    codes = lm.generate_codes(
        requests,
        DecodeOptions(Sampling(**options.sampling), seed, options.guidance or 1.0),
        following.codes([segment.followed for segment, _ in rows], [request.length for request in requests]),
    )
    for (segment, _), new in zip(rows, codes, strict=True):
        segment.candidates.append(Candidate(np.concatenate([segment.begun, new])))


def add_rivals(segments: Sequence[Segment]) -> None:
    """Let retrieved motions compete, as they are: whole where the length is free, else those that are long enough."""
    for segment in segments:
        for rival in segment.rivals:
            if segment.length is None or len(rival.codes) >= segment.length:
                segment.candidates.append(replace(rival, codes=rival.codes[: segment.length]))


def _request(segment: Segment, row: int) -> DecodeRequest:
    """Ask for one candidate; `row` names its random numbers, the same whatever else is written beside it."""
    assert segment.prompt is not None  # `ask` comes first
    length = None if segment.length is None else segment.length - segment.overlap
    stream = [row, segment.number] if segment.number else [row]
    return DecodeRequest(segment.prompt, length, segment.begun, stream, segment.request.seed, segment.plain)


def choose(segments: Sequence[Segment], tokenizer: MotionTokenizer, judge: Judge, verify: bool, cleanup: bool) -> None:
    """Choose, of each segment's candidates, the one that the judge scores highest.

    Each segment is chosen on its own: the judge knows its length, and the next segment goes on from the best one.

    Args:
        segments: with their candidates.
        tokenizer: decodes those that are not recorded.
        judge: scores them by the retriever's cosine, and by the facts that it finds if it has a finder.
        verify: score them also by the claims of the text that their joints hold.
        cleanup: clean their bodies first, so that what is judged is what is given.

    differs: ReMoGPT writes one motion; how many candidates are written is the model's or the caller's choice.
    """
    codes = [one.codes for segment in segments for one in segment.candidates if one.features is None]
    decoded = iter(_decode(tokenizer, codes, cleanup))
    motions = [
        [next(decoded) if one.features is None else one.features for one in segment.candidates] for segment in segments
    ]
    cut = [
        [motion[: segment.request.num_frames] for motion in own] for segment, own in zip(segments, motions, strict=True)
    ]
    readings = [segment.reading if verify or judge.finder else None for segment in segments]
    scores = judge.scores([segment.text for segment in segments], readings, cut)
    for segment, own, score in zip(segments, motions, scores, strict=True):
        segment.chosen = int(score.argmax())
        segment.decoded = own[segment.chosen]


def _decode(tokenizer: MotionTokenizer, codes: Sequence[np.ndarray], cleanup: bool) -> list[np.ndarray]:
    """Decode codes, (N,) each, to raw features, (4N, F) each; the cleanup knows our 22 joints alone."""
    decoded = tokenizer.decode_batch(codes)
    return (
        [clean_features(features) for features in decoded]
        if cleanup and body_of_tokenizer(tokenizer) is HUMANML3D
        else decoded
    )


def body_of_tokenizer(tokenizer: MotionTokenizer) -> FeatureBody:
    """Return whose motions a tokenizer decodes."""
    return body_of(tokenizer.num_features)


def assemble(segments: Sequence[Segment], tokenizer: MotionTokenizer, verify: bool, cleanup: bool) -> list[Generated]:
    """Join the segments of each motion, and decode it, unless choosing has; `verify`: check it; `cleanup`: clean it."""
    motions = [list(own) for _, own in groupby(segments, lambda segment: segment.request.index)]
    codes = [np.concatenate([segment.codes[segment.overlap :] for segment in own]) for own in motions]
    missing = [index for index, own in enumerate(motions) if len(own) > 1 or own[0].decoded is None]
    decoded = dict(zip(missing, _decode(tokenizer, [codes[index] for index in missing], cleanup), strict=True))
    answers, body = [], body_of_tokenizer(tokenizer)
    for index, own in enumerate(motions):
        request, features = own[0].request, decoded[index] if index in decoded else own[0].decoded
        assert features is not None
        for segment in own:
            segment.decoded = None  # an answer keeps its motion alone
        # The last code's surplus frames are cut: the length is exact to a frame.
        features = features[: request.num_frames]
        motion = Motion.from_features(features, caption=request.text, name=clean_text(request.text), body=body)
        reading = own[0].reading if len(own) == 1 and verify else None
        chosen = own[0].candidates[own[0].chosen]
        checks = () if reading is None else checked(reading.facts, features)
        answer = Generated(motion, codes[index], _each_once(own), tuple(own), checks=checks)
        if chosen.copied_from or chosen.joined_from:
            answer = replace(answer, copied_from=chosen.copied_from, joined_from=chosen.joined_from)
        else:
            answer = replace(answer, follows=tuple(name for one in own if one.guide for name in one.guide.ids))
        answers.append(answer)
    return answers


def _each_once(segments: Sequence[Segment]) -> tuple[RetrievedExample, ...]:
    """Join the examples of a motion's segments: one text has the same in each."""
    return tuple({(one.id, one.route): one for segment in segments for one in segment.examples}.values())
