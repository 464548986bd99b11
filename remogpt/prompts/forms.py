"""In which words a language model is asked: ReMoGPT's prompts, or MotionGPT's, for weights that know no others.

"remogpt" is what `render` writes: headed blocks with retrieved examples, and what our own models are trained on.
"motiongpt" is one line without headings and without examples:

    Generate motion: a person waves
    Generate motion with 30 frames: a person waves
    Generate text: <motion_id_512><motion_id_7>…<motion_id_513>

A model answers the prompts that it was trained on, so the form belongs to its weights: it stands in the `config.json`
of a language model's folder, and is never chosen per question.

Source: MotionGPT, arXiv 2306.14795, `generate_conditional`; differs: its captions stand in double quotes half of the
    time, by chance, here never; a caption is cleaned of marks that could act as structure; what is too long is cut
    before the end of sequence, not through it. The "frames" are numbers of codes, 30 for 120 frames: that is what its
    training printed under that name, though its evaluation, where it tells a length at all, prints frames.
"""

from collections.abc import Iterable, Sequence
from typing import Literal, get_args

from remogpt.interfaces import Example
from remogpt.prompts.clean import clean_text
from remogpt.prompts.prompt import QUERY, CountTokens, MotionSegment, Prompt, Segment, TextSegment, approximate_tokens
from remogpt.prompts.render import fit_query, motion_to_text_prompt, text_to_motion_prompt

PromptForm = Literal["remogpt", "motiongpt"]
MOTIONGPT_BUDGET = 256
"""Ids in MotionGPT's encoder input, its end included."""
_FRAMES_PER_CODE = 4


def holds_examples(form: PromptForm) -> bool:
    """Whether prompts of this form have a place for retrieved examples.

    Raises:
        ValueError: if there is no such form.
    """
    if form not in get_args(PromptForm):
        raise ValueError(f"no prompt form {form!r}; there are {', '.join(get_args(PromptForm))}")
    return form == "remogpt"


def ask_for_motion(
    form: PromptForm,
    caption: str,
    examples: Sequence[Example] = (),
    *,
    num_frames: int | None = None,
    count: CountTokens = approximate_tokens,
) -> Prompt:
    """Ask for a motion in a form; more on the arguments at `text_to_motion_prompt`.

    Raises:
        ValueError: if the caption holds no words, or the form has no place for the examples.
    """
    if holds_examples(form):
        return text_to_motion_prompt(caption, examples, num_frames=num_frames, count=count)
    query = TextSegment(clean_text(caption), QUERY)
    if not query.text:
        raise ValueError(f"the caption {caption!r} holds no words; describe a motion, e.g. 'a person waves'")
    length = "" if num_frames is None else f" with {-(-num_frames // _FRAMES_PER_CODE)} frames"
    return _one_line(f"Generate motion{length}:", query, examples, count)


def ask_for_text(
    form: PromptForm,
    codes: Iterable[int],
    examples: Sequence[Example] = (),
    *,
    count: CountTokens = approximate_tokens,
) -> Prompt:
    """Ask for a caption in a form; more on the arguments at `motion_to_text_prompt`.

    Raises:
        ValueError: if there are no codes, or the form has no place for the examples.
    """
    if holds_examples(form):
        return motion_to_text_prompt(codes, examples, count=count)
    query = MotionSegment(tuple(int(code) for code in codes), QUERY)
    if not query.codes:
        raise ValueError("a caption needs a motion of at least one code (4 frames), got none")
    # The space belongs to the words: some T5 tokenizers make a token of it before a motion, and MotionGPT's saw it.
    return _one_line("Generate text: ", query, examples, count)


def _one_line(words: str, query: Segment, examples: Sequence[Example], count: CountTokens) -> Prompt:
    if examples:
        raise ValueError(f"a prompt in MotionGPT's form holds no examples, got {len(examples)}; ask without any")
    head = TextSegment(words, new_line=True)
    room = MOTIONGPT_BUDGET - count(head) - 1
    if count(query) <= room:
        return Prompt((head, query))
    query, cut = fit_query(query, room, count)
    return Prompt((head, query), (cut,))
