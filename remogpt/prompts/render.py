"""Write the ReMoGPT prompt: an input block, a context block with one Text and one Motion line per retrieved example,
and the heading of the output block, which ends the encoder input; the answer is the decoder's.

    ### Input:
    Generate motion: a person waves
    ### Context:
    Text: someone waves the right hand
    Motion: <motion_id_512><motion_id_7>…<motion_id_513>
    ### Output:

Source: ReMoGPT (AAAI 2025), Fig. 5. The paper does not say whether the output heading belongs to the encoder input;
we end the input with it. Order of examples: for generation the text-to-motion hits come first, then the text-to-text
hits; for captioning motion-to-text, then motion-to-motion. A prompt without examples has no context block.

A *plain* prompt asks without saying for what: the same words, and nothing where the caption or the motion would stand.
Guidance contrasts with it, and training shows it where captions are dropped.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import replace

from remogpt.interfaces import Example
from remogpt.prompts.clean import clean_text
from remogpt.prompts.prompt import (
    EXAMPLE,
    QUERY,
    STRUCTURE,
    CountTokens,
    MotionSegment,
    Prompt,
    Segment,
    TextSegment,
    Trimmed,
    approximate_tokens,
)
from remogpt.prompts.templates import FPS, Chooser, LengthForm, phrase

BUDGET = 512
"""Ids in the encoder input, end of sequence included. The papers' 256 cannot hold three motions with their captions."""
MIN_EXAMPLE_CODES = 8
"""A retrieved motion shorter than this (1.6 s) says too little: the example is dropped instead of cut further."""


def text_to_motion_prompt(
    caption: str | None,
    examples: Sequence[Example] = (),
    *,
    num_frames: int | None = None,
    form: LengthForm | None = None,
    rng: Chooser | None = None,
    fps: float = FPS,
    budget: int = BUDGET,
    count: CountTokens = approximate_tokens,
) -> Prompt:
    """Write a prompt for a motion.

    Args:
        caption: the user's words; cleaned here. None makes a plain prompt.
        examples: retrieved captions and codes, in the order of the prompt.
        num_frames: wanted length at `fps` frames a second; None leaves it to the model.
        form: how the length is stated; default: "seconds" if a length is given, else "plain".
        rng: draws the phrase; without it the standard phrase.
        fps: frames a second of the model's motions.
        budget: ids that the encoder may read, end of sequence included.
        count: counts a segment's ids, with the model's vocabulary.

    Raises:
        ValueError: if the caption holds no words, or the fixed words alone exceed the budget.
    """
    query = None if caption is None else TextSegment(clean_text(caption), QUERY)
    if query is not None and not query.text:
        raise ValueError(f"the caption {caption!r} holds no words; describe a motion, e.g. 'a person waves'")
    form = form or ("plain" if num_frames is None else "seconds")
    before, after = phrase("text_to_motion", form, num_frames, rng, fps)
    return _render(before, query, after, examples, budget, count)


def motion_to_text_prompt(
    codes: Iterable[int] | None,
    examples: Sequence[Example] = (),
    *,
    num_frames: int | None = None,
    form: LengthForm = "plain",
    rng: Chooser | None = None,
    fps: float = FPS,
    budget: int = BUDGET,
    count: CountTokens = approximate_tokens,
) -> Prompt:
    """Write a prompt for a caption.

    Args:
        codes: of the motion; None makes a plain prompt.
        num_frames: length of the motion, which the forms "seconds" and "frames" tell.
        form: how the length is stated.
        examples, rng, fps, budget, count: as in `text_to_motion_prompt`.

    Raises:
        ValueError: if there are no codes, or the fixed words alone exceed the budget.
    """
    query = None if codes is None else MotionSegment(tuple(int(code) for code in codes), QUERY)
    if query is not None and not query.codes:
        raise ValueError("a caption needs a motion of at least one code (4 frames), got none")
    before, after = phrase("motion_to_text", form, num_frames, rng, fps)
    return _render(before, query, after, examples, budget, count)


def _render(
    before: str, query: Segment | None, after: str, examples: Sequence[Example], budget: int, count: CountTokens
) -> Prompt:
    head: list[Segment] = [TextSegment("### Input:", STRUCTURE, new_line=True)]
    if before:
        head.append(TextSegment(before, new_line=True))
    tail: list[Segment] = [TextSegment(after)] if after else []
    shown = [_example_segments(number, example) for number, example in enumerate(examples)]
    context = TextSegment("### Context:", STRUCTURE, new_line=True)
    output = TextSegment("### Output:", STRUCTURE, new_line=True)

    fixed = sum(count(segment) for segment in (*head, *tail, output)) + 1
    room = budget - fixed - (0 if query is None else count(query))
    kept, trimmed = _fit_examples(shown, room - count(context), count) if shown else ([], [])
    if room < 0 and query is not None:
        query, cut = fit_query(query, budget - fixed, count)
        trimmed.append(cut)
    block = [context, *(segment for example in kept for segment in example)] if kept else []
    asked = [] if query is None else [query]
    return Prompt((*head, *asked, *tail, *block, output), tuple(trimmed))


def _example_segments(number: int, example: Example) -> list[Segment]:
    return [
        TextSegment("Text:", STRUCTURE, number, new_line=True),
        TextSegment(clean_text(example.caption), EXAMPLE, number),
        TextSegment("Motion:", STRUCTURE, number, new_line=True),
        MotionSegment(tuple(int(code) for code in example.codes), EXAMPLE, number),
    ]


def _fit_examples(
    examples: list[list[Segment]], room: int, count: CountTokens
) -> tuple[list[list[Segment]], list[Trimmed]]:
    """Cut the last example's motion at its end, then drop the example, until the rest fits into `room` ids."""
    kept, trimmed = list(examples), []
    excess = sum(count(segment) for example in kept for segment in example) - room
    while kept and excess > 0:
        *rest, motion = kept.pop()
        number, num_codes = len(kept) + 1, len(motion.codes) if isinstance(motion, MotionSegment) else 0
        if isinstance(motion, MotionSegment) and num_codes - excess >= MIN_EXAMPLE_CODES:
            shorter = replace(motion, codes=motion.codes[: num_codes - excess])
            kept.append([*rest, shorter])
            trimmed.append(Trimmed(f"example {number} motion", count(shorter), excess))
            break
        size = sum(count(segment) for segment in (*rest, motion))
        trimmed.append(Trimmed(f"example {number}", 0, size))
        excess -= size
    return kept, trimmed


def fit_query(query: Segment, room: int, count: CountTokens) -> tuple[Segment, Trimmed]:
    """Cut the user's input at its end: the last resort, after all examples are dropped.

    Raises:
        ValueError: if no word or code fits.
    """
    before = count(query)
    if isinstance(query, MotionSegment):
        query = replace(query, codes=query.codes[: max(len(query.codes) - (before - room), 0)])
        name, content = "motion", len(query.codes)
    else:
        words, whole = query.text.split(" "), query

        def cut(number: int) -> TextSegment:
            return replace(whole, text=" ".join(words[:number]))

        # Bisection, since counting after each word would take minutes for a caption as long as a book.
        kept = bisect_right(range(1, len(words) + 1), room, key=lambda number: count(cut(number)))
        query = cut(kept)
        name, content = "caption", kept
    if not content:
        raise ValueError(f"the prompt's fixed words leave {room} of its token budget to the {name}; raise the budget")
    return query, Trimmed(name, count(query), before - count(query))
