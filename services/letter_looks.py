"""How a letter looks: plain text for any reader, and one HTML document (GDPR Art. 12(1))."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain, repeat
from threading import Lock

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from domain.letters import (
    Block,
    Code,
    Explanation,
    Group,
    Items,
    Letter,
    Link,
    Paragraph,
    Piece,
    Words,
)

WIDTH = 72


@dataclass(frozen=True, slots=True)
class Closing:
    """The regards and the lines under them; none where nobody may be named."""

    regards: str
    lines: tuple[str, ...]


def text_of(letter: Letter, closing: Closing) -> str:
    """Plain text, wrapped for a reader who sees no formatting."""
    return "\n".join(_lines(letter, closing)) + "\n"


def html_of(letter: Letter, closing: Closing) -> str:
    """One document of its own: no script, nothing from elsewhere, every text escaped."""
    return template("letter.html").render(letter=letter, closing=closing)


# Plain text


def _lines(letter: Letter, closing: Closing) -> Iterator[str]:
    yield letter.greeting
    for section in letter.sections:
        if section.block is Block.CONTROLLER:
            continue
        yield ""
        if section.heading:
            yield section.heading
            yield "-" * len(section.heading)
        for number, piece in enumerate(section.pieces):
            follows_its_intro = isinstance(piece, Items) and len(section.pieces) > 1
            if number and not follows_its_intro:
                yield ""
            yield from _piece(piece)
    if closing.lines:
        yield ""
        yield closing.regards
        yield from closing.lines


def _piece(piece: Piece) -> Iterator[str]:
    match piece:
        case Paragraph(text):
            yield from _wrapped(text)
        case Words(text):
            for line in text.split("\n"):
                yield from _wrapped(line) or [""]
        case Items(items):
            for item in items:
                yield from _wrapped(item, "- ")
        case Group(title, items):
            yield f"{title}:"
            for item in items:
                yield from _wrapped(item, "- ")
        case Explanation(_, title, said):
            yield from _wrapped(title, "- ")
            for one in said:
                yield from _wrapped(f"{one.label}: {one.text}", "  ")
        case Link(url, label):
            # Not wrapped: a broken address opens nothing.
            yield f"{label}:"
            yield url
        case Code(value):
            yield f"    {value}"


def _wrapped(text: str, lead: str = "") -> list[str]:
    """As `textwrap` does it without breaking words; that took a fifth of receiving a request."""
    bound = _NUMBER_AND_NEXT.sub("\\1\N{NO-BREAK SPACE}", text).expandtabs().translate(_BLANK)
    lines = _lines_of(WIDTH - len(lead)).findall(bound.rstrip(" "))
    leads = chain([lead], repeat(" " * len(lead)))
    return [
        before + line.replace("\N{NO-BREAK SPACE}", " ")
        for before, line in zip(leads, lines, strict=False)
    ]


@cache
def _lines_of(width: int) -> re.Pattern[str]:
    """As many words as fit, or one that never does; blanks count only where a text begins."""
    return re.compile(
        rf"^ .{{0,{width - 2}}}[^ ](?= |$)|[^ ](?:.{{0,{width - 2}}}[^ ])?(?= |$)|[^ ]+"
    )


_BLANK = str.maketrans("\n\v\f\r", "    ")
_NUMBER_AND_NEXT = re.compile(r"(\b\d+\.?) ")
"""A number is not torn from what it counts: 2. november, 15 minutes."""


# HTML


def template(name: str) -> Template:
    """A template in which every text is escaped and a missing one is an error."""
    # Many workers begin at once, and compiling one takes as long as filling it a hundred times.
    with _compiling:
        return _environment().get_template(name)


_compiling = Lock()


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("services", "templates"),
        autoescape=True,
        auto_reload=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
