"""Read captions: words in, the claims that they make out.

    reader = CaptionReader.from_pretrained("model/reader")
    reading = reader.read(["a man waves twice, then sits down"])[0]
    reading.steps          # ((waves, count 2),), (sits,)
    reading.facts          # what joints can prove: waves; waves, 2 times; sits; waves before sits

A reader sees the words alone, never a set's items, its facts or its scripts.
"""

from typing import TYPE_CHECKING

from remogpt.runtime.lazy import lazy_names

if TYPE_CHECKING:
    from remogpt.reader.reader import CaptionReader, Reading

__all__ = ["CaptionReader", "Reading"]

_HOMES = {"CaptionReader": "remogpt.reader.reader", "Reading": "remogpt.reader.reader"}

# Lazy: naming the types needs no torch.
__getattr__ = lazy_names(__name__, _HOMES)
