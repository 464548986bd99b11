"""Clips of combinations of actions that no training split of a procedural set holds."""

from itertools import count, islice

import numpy as np

from remogpt.data.procedural.clip import ProceduralClip
from remogpt.data.procedural.make import is_unseen, make_clip
from remogpt.data.procedural.sample import sample_script
from remogpt.data.procedural.vocabularies import CORE


def unseen_clips(seed: int, num_clips: int, vocabulary: str = CORE) -> list[ProceduralClip]:
    """Make the first clips of a seed whose combination is unseen and that have facts."""
    unseen = (index for index in count() if is_unseen(sample_script(np.random.default_rng((seed, index)), vocabulary)))
    clips = (make_clip(seed, index, vocabulary=vocabulary) for index in unseen)
    return list(islice((clip for clip in clips if clip.facts), num_clips))
