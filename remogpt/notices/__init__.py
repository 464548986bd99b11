"""Say in plain sentences what in a caption a model has not learnt. Words in, sentences out; no torch."""

from remogpt.notices.caption import WordMeanings, notices_of_caption, respelled
from remogpt.notices.known_words import KnownWords
from remogpt.notices.notice import Notice, NoticeKind

__all__ = ["KnownWords", "Notice", "NoticeKind", "WordMeanings", "notices_of_caption", "respelled"]
