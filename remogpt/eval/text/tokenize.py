"""Split captions into tokens, in each protocol of the field. The choice moves BLEU-4 by up to 12 % of its value.

* raw: split at white space, nothing else (nlg-eval, TM2T).
* ptb: Penn Treebank tokens in lower case without punctuation (pycocoevalcap's default).
* metricverse: BLEU on lower-case text with punctuation turned to spaces; ROUGE on runs of [a-z0-9]; CIDEr on raw.
* lemma: tokens given by the set (`walk/VERB`), or lemmas made by spaCy as HumanML3D made them.
"""

import re
import string
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from remogpt.eval.text.ngrams import Tokens
from remogpt.runtime.errors import RemogptError

Caption = str | Sequence[str]
"""A caption as text, or its tokens."""

PTB_DROPPED = frozenset(["''", "'", "``", "`", '"', ".", "..", "...", "?", "!", ",", ":", ";", "-", "--"])
"""Tokens that the COCO evaluation removes. Its list names brackets in upper case (-LRB-), but they arrive in lower case
and stay in the text; so they do here."""
_BRACKETS = {"(": " -lrb- ", ")": " -rrb- ", "[": " -lsb- ", "]": " -rsb- ", "{": " -lcb- ", "}": " -rcb- "}
_PUNCTUATION = re.compile("[" + re.escape(string.punctuation) + "]")
_NOT_ALPHANUMERIC = re.compile(r"[^a-z0-9]+")
_CURLY = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "°": " ° "})
_SENTENCE_END = re.compile(r"(?<=[a-z]{2})\.+(?=\s|$)")
_LOOSE_MARK = re.compile(r"(?<=\w)([/-])(?=\s|$)")
_TAG = re.compile(r"<\s*([^<>\s]+)\s*>")


@lru_cache(maxsize=1)
def _treebank() -> Any:
    from nltk.tokenize import TreebankWordTokenizer  # imports scikit-learn: a second that other protocols do not need

    return TreebankWordTokenizer()


def raw_tokens(caption: Caption) -> Tokens:
    """Split at white space; given tokens stay as they are, without their part of speech."""
    return caption.split() if isinstance(caption, str) else [word_of(token) for token in caption]


def word_of(token: str) -> str:
    """Return the word of a `word/POS` token, or the token itself."""
    word, slash, tag = token.rpartition("/")
    return word if slash and tag.isupper() else token


def ptb_tokens(caption: Caption) -> Tokens:
    """Split into Penn Treebank tokens in lower case, punctuation dropped.

    Source: Stanford's PTBTokenizer as called by coco-caption; differs: nltk's Treebank rules and a few of our own, in
    Python. On 12,043 different captions (HumanML3D references, two models), all but 8 are split as Java splits them.
    """
    if not isinstance(caption, str):
        return raw_tokens(caption)
    text = caption.lower().translate(_CURLY)
    text = _LOOSE_MARK.sub(r" \1 ", _SENTENCE_END.sub(" . ", text))
    for mark, name in _BRACKETS.items():
        text = text.replace(mark, name)
    # A tag such as <motion_id_7> is one token; angle brackets alone would be split off.
    tags = _TAG.findall(text)
    tokens = _treebank().tokenize(_TAG.sub(" \x00 ", text))
    names = iter(tags)
    return [f"<{next(names)}>" if token == "\x00" else token for token in tokens if token not in PTB_DROPPED]


def nmt_tokens(caption: Caption) -> Tokens:
    """Split at white space, in lower case, every punctuation mark a space."""
    text = caption if isinstance(caption, str) else " ".join(raw_tokens(caption))
    return _PUNCTUATION.sub(" ", text).lower().split()


def alphanumeric_tokens(caption: Caption) -> Tokens:
    """Return runs of letters a-z and digits in lower case, as rouge_score splits."""
    text = caption if isinstance(caption, str) else " ".join(raw_tokens(caption))
    return _NOT_ALPHANUMERIC.sub(" ", text.lower()).split()


@lru_cache(maxsize=1)
def _spacy_model() -> Any:
    try:
        import spacy

        return spacy.load("en_core_web_sm")
    except ImportError as error:
        raise RemogptError(
            "captions that come without lemma/POS tokens need spaCy: install it with pip install 'remogpt[spacy]', "
            "or give the tokens of each caption"
        ) from error
    except OSError as error:
        raise RemogptError(
            "captions that come without lemma/POS tokens need spaCy's English model: run "
            "python -m spacy download en_core_web_sm, or give the tokens of each caption"
        ) from error


def check_tagger() -> None:
    """Refuse captions that come without lemma/POS tokens where spaCy or its English model is not installed."""
    _spacy_model()


def tagged_tokens(captions: Iterable[str]) -> list[Tokens]:
    """Turn captions into `lemma/POS` tokens as HumanML3D's token field was made: ["a/DET", "man/NOUN", "walk/VERB"].

    Hyphens are removed; only alphabetic tokens stay; nouns and verbs become lemmas, except the word "left".

    Raises:
        RemogptError: if spaCy or its English model is not installed and a caption holds words.

    Source: HumanML3D 9176e8f, text_process.py.
    """
    result: list[Tokens] = []
    for caption in captions:
        found = _spacy_model()(caption.replace("-", "")) if caption.strip() else ()
        result.append([f"{_lemma(token)}/{token.pos_}" for token in found if token.is_alpha])
    return result


def _lemma(token: Any) -> str:
    return str(token.lemma_ if token.pos_ in ("NOUN", "VERB") and token.text != "left" else token.text)


def lemma_tokens(captions: Iterable[Caption]) -> list[Tokens]:
    """Lemmatise captions as HumanML3D's token field was made (see `tagged_tokens`); given tokens pass through.

    Raises:
        RemogptError: if a caption is plain text and spaCy or its model is not installed.
    """
    result: list[Tokens] = []
    for caption in captions:
        if isinstance(caption, str):
            result.append([token.rpartition("/")[0] for token in tagged_tokens([caption])[0]])
        else:
            result.append(raw_tokens(caption))
    return result
