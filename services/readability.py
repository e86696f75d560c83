"""How hard a text is to read: LIX, and its longest sentence (E-07)."""

from __future__ import annotations

import re
from collections.abc import Iterable

_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
_ADDRESSES = re.compile(r"\S+@\S+|https?://\S+|www\.\S+")
_NO_END = re.compile(r"\b(\d+|nr|Art|artikkel|Org)\.")
_END = re.compile(r"[.:!?]+(?:\s|$)")


def sentences(texts: Iterable[str]) -> list[list[str]]:
    """The words of every sentence; a text is a paragraph or an item and ends a sentence too."""
    found = []
    for text in texts:
        plain = _NO_END.sub(r"\1", _ADDRESSES.sub("", text))
        found += [_WORD.findall(part) for part in _END.split(plain)]
    return [words for words in found if words]


def lix(texts: Iterable[str]) -> float:
    """Words per sentence, and the share of words of more than six letters (Björnsson 1968)."""
    counted = sentences(texts)
    words = [word for sentence in counted for word in sentence]
    return len(words) / len(counted) + 100 * sum(len(word) > 6 for word in words) / len(words)
