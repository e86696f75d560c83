"""Sets documents as tagged PDF with typst (PDF/UA-1, ISO 14289-1; PDF/A-2b, ISO 19005-2; E-18).

The words of a document reach the typesetter as data beside a fixed template, so none of them can
become markup. Fonts come with the typesetter; nothing of the system is needed.
"""

from __future__ import annotations

import json
import unicodedata
from dataclasses import asdict, replace
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Literal

import typst

from domain.vocabulary import Language
from services.documents import Document, Part
from services.ports import PdfStandard

_TEMPLATE = Path(__file__).with_name("typeset") / "document.typ"
_PAGE = {Language.NB: "Side", Language.NN: "Side", Language.SV: "Sida", Language.EN: "Page"}
_STANDARDS: dict[PdfStandard, Literal["ua-1", "a-2b"]] = {
    PdfStandard.ACCESSIBLE: "ua-1",
    PdfStandard.ARCHIVE: "a-2b",
}
_UNKNOWN = "\N{WHITE SQUARE}"


class TypstTypesetter:
    """A typesetter that runs inside the process; about ten milliseconds for a letter."""

    def pdf(self, document: Document, standard: PdfStandard) -> bytes:
        try:
            return _set(document, standard)
        except typst.TypstError:
            # The standards forbid a character that no font can show: it is shown as missing.
            return _set(_showable(document), standard)


def pictures(document: Document, *, ppi: float = 72.0) -> list[bytes]:
    """The same pages as PNG, to be looked at."""
    made: bytes | list[bytes] = typst.compile(
        _TEMPLATE.read_bytes(),
        font_paths=_fonts(),
        format="png",
        ppi=ppi,
        sys_inputs=_inputs(document),
    )
    return made if isinstance(made, list) else [made]


def _set(document: Document, standard: PdfStandard) -> bytes:
    return typst.compile(
        _TEMPLATE.read_bytes(),
        font_paths=_fonts(),
        format="pdf",
        sys_inputs=_inputs(document),
        pdf_standards=_STANDARDS[standard],
        timestamp=0,
    )


def _inputs(document: Document) -> dict[str, str]:
    return {
        "document": json.dumps(asdict(document), default=_plain),
        "words": json.dumps({"page": _PAGE[document.language]}),
    }


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False)


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    raise TypeError(f"a document holds no {type(value).__name__}")


def _showable(document: Document) -> Document:
    return replace(
        document,
        title=_shown(document.title),
        parts=tuple(_shown_part(part) for part in document.parts),
        sender=tuple(map(_shown, document.sender)),
        recipient=tuple(map(_shown, document.recipient)),
        reference=_shown(document.reference),
    )


def _shown_part(part: Part) -> Part:
    return replace(
        part,
        text=_shown(part.text),
        items=tuple(map(_shown, part.items)),
        terms=tuple((_shown(label), _shown(text)) for label, text in part.terms),
        rows=tuple(tuple(map(_shown, row)) for row in part.rows),
    )


def _shown(text: str) -> str:
    return "".join(c if _has_glyph(c) else _UNKNOWN for c in unicodedata.normalize("NFC", text))


def _has_glyph(character: str) -> bool:
    """Latin, Greek, Cyrillic and common punctuation are in the font that comes along."""
    return character == "\n" or (
        character.isprintable()
        and (character < "\u0250" or "\u0370" <= character < "\u0530" or character in _COMMON)
    )


_COMMON = frozenset("–—‘’‚“”„†•…‰‹›€№™−\u2009\u202f□")
