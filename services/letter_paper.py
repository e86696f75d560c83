"""A letter as a document to be printed: the same blocks, nothing added but date and address."""

from __future__ import annotations

from collections.abc import Iterator

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
from domain.vocabulary import Language
from services.documents import Document, Part
from services.letter_looks import Closing


def document_of(letter: Letter, closing: Closing, *, reference: str) -> Document:
    """The letter without date and address: whoever prints it knows them."""
    return Document(
        title=letter.subject,
        language=letter.language,
        parts=tuple(_parts(letter, closing)),
        sender=closing.lines,
        reference=reference,
    )


def plain_document(subject: str, text: str, language: Language, *, reference: str) -> Document:
    """A letter of which only the text was kept: its paragraphs as they stand."""
    parts = tuple(Part("words", one) for one in text.strip().split("\n\n"))
    return Document(title=subject, language=language, parts=parts, reference=reference)


def _parts(letter: Letter, closing: Closing) -> Iterator[Part]:
    yield Part("paragraph", letter.greeting)
    for section in letter.sections:
        if section.block is Block.CONTROLLER:
            continue
        if section.heading:
            yield Part("heading", section.heading)
        for piece in section.pieces:
            yield from _set(piece)
    if closing.lines:
        # The rest of who writes stands at the top of the page.
        yield Part("words", "\n".join([closing.regards, *closing.lines[:1]]))


def _set(piece: Piece) -> Iterator[Part]:
    match piece:
        case Paragraph(text):
            yield Part("paragraph", text)
        case Words(text):
            yield Part("words", text)
        case Items(items):
            yield Part("items", items=items)
        case Group(title, items):
            yield Part("heading", title, level=3)
            yield Part("items", items=items)
        case Explanation(_, title, said):
            yield Part("heading", title, level=3)
            yield Part("terms", terms=tuple((one.label, one.text) for one in said))
        case Link(url, label):
            yield Part("link", label, url=url)
        case Code(value):
            yield Part("code", value)
