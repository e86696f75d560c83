"""The characters of a mail, made harmless: controls left out, character sets as they really are."""

import codecs
import re
from collections.abc import Callable
from email.header import decode_header
from typing import TypeVar

T = TypeVar("T")

# Controls, bidirectional marks and overrides, invisible separators, tag characters, surrogates.
_UNSEEN = (
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff"
)
_UNSEEN_CHARACTERS = re.compile(f"[{_UNSEEN}]")
LINE_BREAK = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_SPACES = re.compile(r"\s+")


def clean_text(text: str) -> str:
    return _UNSEEN_CHARACTERS.sub("", LINE_BREAK.sub("\n", text)).strip()


def clean_line(text: str, limit: int) -> str:
    line = _UNSEEN_CHARACTERS.sub("", _SPACES.sub(" ", LINE_BREAK.sub(" ", text)))
    return _SPACES.sub(" ", line).strip()[:limit].strip()


# Some codecs Python knows are no character sets, or take time that grows with the square.
_CHARACTER_SET = re.compile(
    r"us-ascii|ascii|utf-?(?:8|16|16le|16be|32)|iso-?8859-?\d+|latin-?\d+|windows-?\d+|cp\d+|"
    r"mac(?:intosh|-?roman)|koi8-?[ru]|big5|gb2312|gbk|gb18030|shift-?jis|euc-?(?:jp|kr)|"
    r"iso-?2022-?jp"
)
_WESTERN = re.compile(r"(?:us-)?ascii|iso-?8859-?1|latin-?1|(?:windows-?|cp)1252")


def decode(content: bytes, charset: str) -> str:
    """Decode as declared, and where that is evidently wrong as UTF-8, then as Windows-1252."""
    name = charset.strip().lower().replace("_", "-")
    # What calls itself Latin-1 or ASCII but is valid UTF-8 beyond ASCII is UTF-8.
    is_guess = _WESTERN.fullmatch(name) or not _CHARACTER_SET.fullmatch(name)
    tries = ["utf-8"] if is_guess else [name, "utf-8"]
    for one in tries:
        try:
            return codecs.decode(content, one)
        except (LookupError, ValueError):
            continue
    return content.decode("windows-1252", "replace")


def tried(default: T, attempt: Callable[[], T]) -> T:
    """The attempt's result, or the default: the library raises many things at broken headers."""
    try:
        return attempt()
    except Exception:
        return default


def decode_words(value: str) -> str:
    """Decode encoded words (RFC 2047); raw eight-bit characters are guessed."""
    text = decode(value.encode("utf-8", "surrogateescape"), "")
    if "=?" not in text:
        return text
    # What stands between encoded words comes back in the library's own escaping.
    return "".join(
        piece
        if isinstance(piece, str)
        else decode(piece, charset)
        if charset
        else piece.decode("raw-unicode-escape", "replace")
        for piece, charset in tried([(text, None)], lambda: decode_header(text))
    )
