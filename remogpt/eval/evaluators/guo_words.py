"""Turn words into the input of Guo's text encoder: a vector per word and one of 15 word classes.

Each token `word/POS` becomes a word vector and a class. Words of five lists that matter for motion get the class of
their list whatever their part of speech; words without a vector get the vector of `unk` and class OTHER, also where
their part of speech is known.

Source: Guo et al. 2022, released word vectoriser; classes, lists and their order are part of its checkpoint's
interface.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from remogpt.runtime.errors import MissingPathError, RemogptError
from remogpt.runtime.files import read_json, sha256_file, write_json

Array = np.ndarray
KIND = "guo_evaluator"
"""Kind of the evaluator's folder, as its `config.json` says."""
POS_CLASSES = (
    "VERB", "NOUN", "DET", "ADP", "NUM", "AUX", "PRON", "ADJ", "ADV",
    "location", "body", "object", "action", "description", "OTHER",
)  # fmt: skip
OTHER = POS_CLASSES.index("OTHER")
WORD_LISTS = {
    "location": "left right clockwise counterclockwise anticlockwise forward back backward up down straight curve",
    "body": "arm chin foot feet face hand mouth leg waist eye knee shoulder thigh",
    "object": "stair dumbbell chair window floor car ball handrail baseball basketball",
    "action": (
        "walk run swing pick bring kick put squat throw hop dance jump turn stumble stop sit lift lower raise wash "
        "stand kneel stroll rub bend balance flap jog shuffle lean rotate spin spread climb"
    ),
    "description": "slowly carefully fast careful slow quickly happy angry sad happily angrily sadly",
}
CLASS_OF_WORD = {word: POS_CLASSES.index(name) for name, words in WORD_LISTS.items() for word in words.split()}
CLASS_OF_TAG = {tag: index for index, tag in enumerate(POS_CLASSES) if tag.isupper()}
MAX_WORDS = 20
"""Words that the evaluator reads; the rest is cut off."""
WORDS_FILE = "words.json"
"""File of an evaluator's folder that lists its words in the order of their vectors' rows."""


@dataclass(frozen=True)
class WordVectors:
    """Word embeddings by word; must know `sos`, `eos` and `unk`."""

    words: dict[str, int]
    """Word to row."""
    vectors: Array
    """(words, width) float32, GloVe 300 in the released evaluator."""

    def __post_init__(self) -> None:
        missing = [word for word in ("sos", "eos", "unk") if word not in self.words]
        if missing:
            raise RemogptError(f"word vectors lack {', '.join(missing)}; are these the evaluator's own GloVe files?")

    @property
    def table(self) -> tuple[list[str], Array]:
        """The words, and (words, width) float32 vectors in their order."""
        return list(self.words), np.asarray(self.vectors[list(self.words.values())], dtype=np.float32)

    def look_up(self, token: str) -> tuple[Array, int]:
        """Return the vector (width,) and class of a `word/POS` token."""
        word, _, tag = token.partition("/")
        if word not in self.words:
            return self.vectors[self.words["unk"]], OTHER
        return self.vectors[self.words[word]], CLASS_OF_WORD.get(word, CLASS_OF_TAG.get(tag, OTHER))

    def encode(self, tokens: Sequence[str], max_words: int = MAX_WORDS) -> tuple[Array, Array, int]:
        """Turn tokens into the text encoder's input.

        Returns:
            vectors (max_words + 2, width), one-hot classes (max_words + 2, 15), and the number of real tokens with
            `sos` and `eos`; the rest is padded with `unk`.
        """
        wrapped = ["sos/OTHER", *tokens[:max_words], "eos/OTHER"]
        padded = wrapped + ["unk/OTHER"] * (max_words + 2 - len(wrapped))
        pairs = [self.look_up(token) for token in padded]
        return np.stack([vector for vector, _ in pairs]), np.eye(len(POS_CLASSES))[[c for _, c in pairs]], len(wrapped)


def write_words(folder: str | Path, words: Sequence[str]) -> str:
    """Write an evaluator's words and return the file's SHA-256."""
    path = Path(folder) / WORDS_FILE
    write_json(path, list(words), indent=None)
    return sha256_file(path)


def read_words(folder: str | Path, sha256: str) -> list[str]:
    """Read an evaluator's words.

    Raises:
        MissingPathError: if the file is not there.
        RemogptError: if it is not the file with that SHA-256.
    """
    path = Path(folder) / WORDS_FILE
    if not path.is_file():
        raise MissingPathError(f"no {WORDS_FILE} in {folder}, the evaluator's words; copy the whole folder again")
    if sha256_file(path) != sha256:
        raise RemogptError(f"{path} is not the file that was saved there; copy it again or import the evaluator anew")
    return list(read_json(path, list[str]))
