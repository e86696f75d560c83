"""A document as data: what it says, in order, for whoever sets it as pages (GDPR Art. 12(1))."""

from __future__ import annotations

from dataclasses import dataclass, field

from domain.vocabulary import Country, Language


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a document. `kind` says how it is set; each kind uses its own fields.

    heading: `text`, `level`; paragraph, words (line breaks count) and code: `text`;
    items: `items`; terms: `terms` (label and text); link: `text` and `url`;
    table: `rows`, the first of which is the header.
    """

    kind: str
    text: str = ""
    level: int = 2
    items: tuple[str, ...] = ()
    terms: tuple[tuple[str, str], ...] = ()
    url: str = ""
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """A title, its language, and its parts; as a letter also from whom, to whom and when.

    `recipient` stands in the window of an envelope of the controller's country.
    """

    title: str
    language: Language
    parts: tuple[Part, ...]
    sender: tuple[str, ...] = ()
    recipient: tuple[str, ...] = ()
    date: str = ""
    reference: str = ""
    country: Country = Country.NO
    keywords: tuple[str, ...] = field(default=())
