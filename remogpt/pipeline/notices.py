"""Say beside each answer why it may not be what was asked for."""

from collections.abc import Sequence
from dataclasses import replace

from remogpt.lm.copying.logit_mixers import Following
from remogpt.motion.facts import describe
from remogpt.notices import KnownWords, Notice, WordMeanings, notices_of_caption
from remogpt.pipeline.captioning import Captioned
from remogpt.pipeline.segment import Generated, Segment

FAR = 0.05
"""Chance that the best example answers its query, below which an answer without examples is a guess.

Not the match test's own threshold of a half: on validation clips 13 % of the captions have no example that passes it,
new combinations mostly, which the model can write all the same. Below this chance lie under 1 % of them, and 2 % of
people's captions in words that mini knows.
"""


def warn_of_captions(
    answers: Sequence[Generated], following: Following, known: KnownWords | None, meanings: WordMeanings | None
) -> list[Generated]:
    """Add to each motion the reasons to doubt it; arguments as in `doubts`."""
    return [replace(answer, warnings=doubts(answer.segments, following, known, meanings)) for answer in answers]


def doubts(
    segments: Sequence[Segment], following: Following, known: KnownWords | None, meanings: WordMeanings | None
) -> tuple[Notice, ...]:
    """List what a caption holds that the model does not know, and whether no example comes near it.

    Args:
        segments: of one motion, with the examples that were retrieved for them.
        following: tells which examples answer.
        known: words of the model's training captions; None where they are not known, so that no word is doubted. Those
            of the examples' captions count as known too: a database may hold what the model has not learnt.
        meanings: names the nearest in meaning of unknown words.
    """
    of_words: tuple[Notice, ...] = ()
    if known is not None:
        seen = known.with_words_of(example.caption for segment in segments for example in segment.examples)
        of_words = notices_of_caption(segments[0].request.text, seen, meanings)
    return (*of_words, *_not_understood(segments), *_alone(segments, following))


def warn_of_motions(answers: Sequence[Captioned], following: Following) -> list[Captioned]:
    """Add to each caption whether no example comes near its motion, and what it says that the motion does not show."""
    far = Notice("no_example", "no example in the database is like the motion; the caption is a guess")
    return [
        replace(
            answer,
            warnings=(*([far] if is_far(following.chance_for_motion(answer.examples)) else ()), *_not_seen(answer)),
        )
        for answer in answers
    ]


def _not_seen(answer: Captioned) -> list[Notice]:
    """Name what a caption claims that its motion's joints do not hold."""
    failed = [describe(check.fact) for check in answer.checks if not check.holds]
    text = f"the motion does not show all that the caption says; not seen: {'; '.join(failed)}"
    return [Notice("not_seen", text)] if failed else []


def is_far(chance: float | None) -> bool:
    """Whether even the best example hardly answers; None, where nothing tells, is not far."""
    return chance is not None and chance < FAR


def _not_understood(segments: Sequence[Segment]) -> list[Notice]:
    """Say that a caption names actions that the reader knows to be none of the model's."""
    count = sum({segment.text: segment.reading.num_unknown for segment in segments if segment.reading}.values())
    if not count:
        return []
    what, it = ("an action", "it") if count == 1 else ("actions", "them")
    text = f"the caption seems to name {what} that the model does not know; the motion may leave {it} out"
    return [Notice("unknown_action", text)]


def _alone(segments: Sequence[Segment], following: Following) -> list[Notice]:
    """Name the texts that no example comes near."""
    texts = {segment.text: is_far(following.chance_for_text(segment.examples)) for segment in segments}
    named = ["the caption"] if all(texts.values()) else [f'"{text}"' for text, far in texts.items() if far]
    return [Notice("no_example", f"no example in the database is like {what}; the motion is a guess") for what in named]
