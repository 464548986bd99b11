"""What the language model reads and writes at most, and how long a code is."""

FRAMES_PER_CODE = 4
MAX_CODES = 49
"""Longest motion that is written in one go: 196 frames, the longest in HumanML3D."""
MAX_WORD_IDS = 80
"""Longest caption, in text ids."""
