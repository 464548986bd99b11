"""Choose the form of a prompt: ReMoGPT's, or MotionGPT's for its released weights.

"remogpt" is the form that `render` writes and our models are trained on: headed blocks with retrieved examples.
"motiongpt" is one line without headings and without examples:

    Generate motion: a person waves
    Generate motion with 30 frames: a person waves
    Generate text: <motion_id_512><motion_id_7>…<motion_id_513>

The form belongs to a model's weights: the `config.json` of a language model's folder names it, and calls cannot choose
another.

Source: MotionGPT, arXiv 2306.14795, `generate_conditional`; differs: MotionGPT puts half of its captions, at random,
    into double quotes, here none; a caption is cleaned of marks that could act as structure; long input is
    cut before the end-of-sequence id, which is kept. The "frames" are numbers of codes, 30 for 120 frames: MotionGPT's
    training used that number, though its evaluation, where it gives a length, prints frames.
"""

from collections.abc import Iterable, Sequence
from typing import Literal, get_args

from remogpt.interfaces import Example
from remogpt.prompts.clean import clean_text
from remogpt.prompts.prompt import QUERY, CountTokens, MotionSegment, Prompt, Segment, TextSegment, approximate_tokens
from remogpt.prompts.render import fit_query, motion_to_text_prompt, text_to_motion_prompt
from remogpt.prompts.templates import FPS

PromptForm = Literal["remogpt", "motiongpt"]
"""How prompts are written: ReMoGPT's, which hold examples, or MotionGPT's, which do not."""
MOTIONGPT_BUDGET = 256
"""Ids in MotionGPT's encoder input, end of sequence included."""
_FRAMES_PER_CODE = 4


def holds_examples(form: PromptForm) -> bool:
    """Return whether prompts of this form can hold retrieved examples.

    Raises:
        ValueError: for an unknown form.
    """
    if form not in get_args(PromptForm):
        raise ValueError(f"no prompt form {form!r}; there are {', '.join(get_args(PromptForm))}")
    return form == "remogpt"


def ask_for_motion(
    form: PromptForm,
    caption: str | None,
    examples: Sequence[Example] = (),
    *,
    num_frames: int | None = None,
    fps: float = FPS,
    count: CountTokens = approximate_tokens,
) -> Prompt:
    """Write a prompt for a motion.

    Args:
        form: in which the language model was trained to be asked.
        caption, examples, num_frames, fps, count: as in `text_to_motion_prompt`.

    Raises:
        ValueError: if the caption holds no words, or the form cannot hold examples.
    """
    if holds_examples(form):
        return text_to_motion_prompt(caption, examples, num_frames=num_frames, fps=fps, count=count)
    query = None if caption is None else TextSegment(clean_text(caption), QUERY)
    if query is not None and not query.text:
        raise ValueError(f"the caption {caption!r} holds no words; describe a motion, e.g. 'a person waves'")
    length = "" if num_frames is None else f" with {-(-num_frames // _FRAMES_PER_CODE)} frames"
    return _one_line(f"Generate motion{length}:", query, examples, count)


def ask_for_text(
    form: PromptForm,
    codes: Iterable[int] | None,
    examples: Sequence[Example] = (),
    *,
    count: CountTokens = approximate_tokens,
) -> Prompt:
    """Write a prompt for a caption.

    Args:
        form: in which the language model was trained to be asked.
        codes, examples, count: as in `motion_to_text_prompt`.

    Raises:
        ValueError: if there are no codes, or the form cannot hold examples.
    """
    if holds_examples(form):
        return motion_to_text_prompt(codes, examples, count=count)
    query = None if codes is None else MotionSegment(tuple(int(code) for code in codes), QUERY)
    if query is not None and not query.codes:
        raise ValueError("a caption needs a motion of at least one code (4 frames), got none")
    # Keep the space after the words: some T5 tokenizers make a token of it, and MotionGPT was trained with it.
    return _one_line("Generate text: ", query, examples, count)


def _one_line(words: str, query: Segment | None, examples: Sequence[Example], count: CountTokens) -> Prompt:
    if examples:
        raise ValueError(f"a prompt in MotionGPT's form holds no examples, got {len(examples)}; ask without any")
    head = TextSegment(words, new_line=True)
    if query is None:
        return Prompt((head,))
    room = MOTIONGPT_BUDGET - count(head) - 1
    if count(query) <= room:
        return Prompt((head, query))
    query, cut = fit_query(query, room, count)
    return Prompt((head, query), (cut,))
