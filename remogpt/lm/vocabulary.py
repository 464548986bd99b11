"""One id space for words and motion codes.

Ids, in order: the text tokenizer's own (with `pad` and `eos`, and sentinels for span corruption), then one per motion
code, then motion start, end and mask, as in MotionGPT. Words and codes are turned into ids by different functions,
and the text function knows no id outside the text's: no caption can spell a code, a sentinel or an end of sequence.

Two text tokenizers: that of a hub or local T5 (`from_t5`), and a small one of our own (`train`), byte-level BPE on
lower-cased text, which reads and writes any UTF-8 and has no unknown word.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import numpy as np
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from remogpt.prompts import MotionSegment, Prompt, Segment, TextSegment
from remogpt.runtime.errors import RemogptError
from remogpt.runtime.files import read_json, write_json
from remogpt.runtime.schema import Count

FILE_NAME = "vocabulary.json"
NUM_MOTION_MARKS = 3
"""Motion start, end and mask follow the codes: 515 motion ids for 512 codes."""
_CACHE_SIZE = 200_000


class VocabularyFile(TypedDict):
    """Content of `vocabulary.json`; see the arguments of `Vocabulary`."""

    tokenizer: dict[str, Any]
    num_codes: Count
    pad_id: Count
    eos_id: Count
    text_offset: Count
    motion_offset: Count
    sentinel_ids: list[Count]
    reserved_ids: NotRequired[list[Count]]
    brackets: NotRequired[bool]


class Vocabulary:
    """Turns words and codes into ids and back.

    Args:
        tokenizer: text tokenizer without added tokens or post-processing.
        num_codes: K, size of the motion codebook.
        pad_id, eos_id: padding (also the decoder's first input) and end of sequence.
        text_offset: added to the tokenizer's ids.
        motion_offset: id of code 0; everything below belongs to the text.
        sentinel_ids: ids that stand for a hidden span, first span first.
        reserved_ids: further ids below `motion_offset` that are never text (unknown, unused).
        brackets: whether the tokenizer tells "<" from other characters; where not, brackets could only spell
            fragments of special tokens and are read as spaces.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        num_codes: int,
        *,
        pad_id: int,
        eos_id: int,
        text_offset: int,
        motion_offset: int,
        sentinel_ids: Sequence[int],
        reserved_ids: Sequence[int] = (),
        brackets: bool = True,
    ):
        self.num_codes, self.pad_id, self.eos_id = num_codes, pad_id, eos_id
        self.motion_offset, self.sentinel_ids = motion_offset, tuple(sentinel_ids)
        self.motion_start_id, self.motion_end_id, self.motion_mask_id = (
            motion_offset + num_codes + mark for mark in range(NUM_MOTION_MARKS)
        )
        self.size = motion_offset + num_codes + NUM_MOTION_MARKS
        self._tokenizer, self._text_offset, self._brackets = tokenizer, text_offset, brackets
        self._reserved = tuple(reserved_ids)
        never_text = {pad_id, eos_id, *self.sentinel_ids, *self._reserved}
        self.text_ids = np.array([token for token in range(motion_offset) if token not in never_text], dtype=np.int64)
        self.code_ids = np.arange(motion_offset, motion_offset + num_codes, dtype=np.int64)
        self._never_text = never_text - set(self._reserved)
        self._cache: dict[str, tuple[int, ...]] = {}

    @classmethod
    def train(
        cls, texts: Iterable[str], num_codes: int = 512, size: int = 1200, num_sentinels: int = 32
    ) -> "Vocabulary":
        """Make a small text tokenizer from sentences.

        Args:
            texts: what the tokenizer should write shortly: captions and prompt phrases.
            num_codes: K, size of the motion codebook.
            size: largest number of text tokens, 256 single bytes included.
            num_sentinels: spans that one corrupted text may hide.
        """
        if size < 256:
            raise RemogptError(f"vocabulary size {size} cannot hold the 256 single bytes; ask for at least 256")
        tokenizer = Tokenizer(models.BPE())
        tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
        tokenizer.decoder = decoders.ByteLevel()
        alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
        trainer = trainers.BpeTrainer(
            vocab_size=size, min_frequency=2, initial_alphabet=alphabet, special_tokens=[], show_progress=False
        )
        tokenizer.train_from_iterator(texts, trainer)
        first_sentinel = 2 + tokenizer.get_vocab_size()
        return cls(
            tokenizer,
            num_codes,
            pad_id=0,
            eos_id=1,
            text_offset=2,
            motion_offset=first_sentinel + num_sentinels,
            sentinel_ids=range(first_sentinel, first_sentinel + num_sentinels),
        )

    @classmethod
    def from_t5(cls, tokenizer: Any, num_codes: int = 512) -> "Vocabulary":
        """Extend a T5 tokenizer of `transformers` by the motion ids, as MotionGPT does.

        Args:
            tokenizer: `AutoTokenizer.from_pretrained(...)` of any T5; the fast kind.
            num_codes: K, size of the motion codebook.

        Source: MotionGPT, arXiv 2306.14795: motion tokens are added after the tokenizer's own, so the first has id
            `len(tokenizer)` (32100 for T5), and sentinel k is `len(tokenizer) - 1 - k`.
        """
        saved = json.loads(tokenizer.backend_tokenizer.to_str())
        # Without its added tokens the tokenizer cannot turn the words "<extra_id_0>" or "</s>" into one special id;
        # the model's own vocabulary still holds their spellings, which is why brackets are read as spaces.
        saved.update(added_tokens=[], post_processor=None, truncation=None, padding=None)
        names = [f"<extra_id_{number}>" for number in range(100)]
        known = tokenizer.get_vocab()
        sentinels = [known[name] for name in names if name in known]
        return cls(
            Tokenizer.from_str(json.dumps(saved)),
            num_codes,
            pad_id=tokenizer.pad_token_id,
            eos_id=tokenizer.eos_token_id,
            text_offset=0,
            motion_offset=len(tokenizer),
            sentinel_ids=sentinels,
            reserved_ids=[] if tokenizer.unk_token_id is None else [tokenizer.unk_token_id],
            brackets=False,
        )

    def save(self, folder: str | Path) -> None:
        """Write `vocabulary.json`."""
        write_json(Path(folder) / FILE_NAME, self.to_json(), indent=None)

    @classmethod
    def load(cls, folder: str | Path) -> "Vocabulary":
        """Read `vocabulary.json`.

        Raises:
            MissingPathError: if the file is not there.
            RemogptError: if it is not a vocabulary.
        """
        path = Path(folder) / FILE_NAME
        return cls.from_json(read_json(path, VocabularyFile))

    def to_json(self) -> dict[str, Any]:
        """Return everything that `from_json` needs."""
        return {
            "num_codes": self.num_codes,
            "pad_id": self.pad_id,
            "eos_id": self.eos_id,
            "text_offset": self._text_offset,
            "motion_offset": self.motion_offset,
            "sentinel_ids": list(self.sentinel_ids),
            "reserved_ids": list(self._reserved),
            "brackets": self._brackets,
            "tokenizer": json.loads(self._tokenizer.to_str()),
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Vocabulary":
        """Rebuild from `to_json`."""
        settings = {name: content[name] for name in VocabularyFile.__annotations__ if name in content}
        try:
            tokenizer = Tokenizer.from_str(json.dumps(settings.pop("tokenizer")))
        except Exception as error:  # tokenizers raises no other
            raise RemogptError(f"a vocabulary's tokenizer is damaged ({error}); restore vocabulary.json") from error
        return cls(tokenizer, settings.pop("num_codes"), **settings)

    def encode_text(self, text: str) -> tuple[int, ...]:
        """Turn words into text ids, without an end of sequence. Never gives any other kind of id."""
        ids = self._cache.get(text)
        if ids is None:
            words = text if self._brackets else text.replace("<", " ").replace(">", " ")
            # Lone surrogates cannot be written as UTF-8; everything else can.
            words = words.encode("utf-8", "ignore").decode()
            found = (token + self._text_offset for token in self._tokenizer.encode(words).ids)
            ids = tuple(token for token in found if token not in self._never_text and token < self.motion_offset)
            if len(self._cache) >= _CACHE_SIZE:
                self._cache.clear()
            self._cache[text] = ids
        return ids

    def decode_text(self, ids: Iterable[int]) -> str:
        """Turn ids into words; ids that are not text are left out, broken UTF-8 too."""
        text_ids = [
            int(token) - self._text_offset
            for token in ids
            if 0 <= token < self.motion_offset and token not in self._never_text and token not in self._reserved
        ]
        return self._tokenizer.decode(text_ids, skip_special_tokens=False).replace("�", "").strip()

    def encode_codes(self, codes: Iterable[int]) -> list[int]:
        """Turn codes into ids between motion start and motion end.

        Raises:
            RemogptError: if a code is outside the codebook.
        """
        codes = [int(code) for code in codes]
        wrong = [code for code in codes if not 0 <= code < self.num_codes]
        if wrong:
            raise RemogptError(
                f"motion code {wrong[0]} is not in [0, {self.num_codes}): the codes come from another tokenizer; "
                "encode the motions with the one that belongs to this language model"
            )
        return [self.motion_start_id, *(code + self.motion_offset for code in codes), self.motion_end_id]

    def decode_codes(self, ids: Iterable[int]) -> np.ndarray:
        """Return the codes among `ids` up to the first motion end, (N,) int64; other ids are left out."""
        codes = []
        for token in ids:
            if token == self.motion_end_id:
                break
            if self.motion_offset <= token < self.motion_offset + self.num_codes:
                codes.append(int(token) - self.motion_offset)
        return np.array(codes, dtype=np.int64)

    def count(self, segment: Segment) -> int:
        """Return the number of ids of one segment, for `remogpt.prompts`' token budget."""
        if isinstance(segment, TextSegment):
            return len(self.encode_text(segment.text))
        return len(segment.codes) + 2

    def encode_prompt(self, prompt: Prompt) -> list[int]:
        """Turn a prompt into encoder ids, segment by segment, closed by the end of sequence."""
        ids: list[int] = []
        for segment in prompt.segments:
            if isinstance(segment, MotionSegment):
                ids.extend(self.encode_codes(segment.codes))
            else:
                ids.extend(self.encode_text(segment.text))
        return [*ids, self.eos_id]
