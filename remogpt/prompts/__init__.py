"""Write prompts for the language model, as segments of words and of codes within a token budget. No torch."""

from remogpt.prompts.clean import clean_text
from remogpt.prompts.forms import PromptForm, ask_for_motion, ask_for_text
from remogpt.prompts.motion_string import MotionString, codes_to_string, string_to_codes
from remogpt.prompts.prompt import MotionSegment, Prompt, Segment, TextSegment, Trimmed
from remogpt.prompts.render import BUDGET, motion_to_text_prompt, text_to_motion_prompt
from remogpt.prompts.templates import Direction, LengthForm, templates

__all__ = [
    "BUDGET",
    "Direction",
    "LengthForm",
    "MotionSegment",
    "MotionString",
    "Prompt",
    "PromptForm",
    "Segment",
    "TextSegment",
    "Trimmed",
    "ask_for_motion",
    "ask_for_text",
    "clean_text",
    "codes_to_string",
    "motion_to_text_prompt",
    "string_to_codes",
    "templates",
    "text_to_motion_prompt",
]
