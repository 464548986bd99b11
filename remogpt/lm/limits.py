"""Longest motion and caption that the language model reads and writes."""

FRAMES_PER_CODE = 4
MAX_CODES = 49
"""Longest motion that is written at once, in codes: 196 frames, the longest in HumanML3D."""
MAX_WORD_IDS = 80
"""Longest caption, in text ids."""
