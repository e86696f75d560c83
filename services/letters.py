"""Letters to the person who asked, in plain words and four languages (GDPR Art. 12(1), 12(4)).

The words are data in `letter_texts/`. Text and HTML are two looks of the same `Letter`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from domain.letters import Letter
from domain.vocabulary import LetterKind
from services.documents import Document
from services.letter_facts import (
    OWN_SYSTEM,
    CategoryOutcome,
    Disclosure,
    Elsewhere,
    IdentityStep,
    LetterFacts,
    RecipientNotice,
)
from services.letter_looks import Closing, html_of, template, text_of
from services.letter_paper import document_of
from services.letter_writer import Writer

__all__ = [
    "OWN_SYSTEM",
    "CategoryOutcome",
    "ComposedLetter",
    "Disclosure",
    "Elsewhere",
    "IdentityStep",
    "LetterFacts",
    "RecipientNotice",
    "compose",
    "template",
]


@dataclass(frozen=True)
class ComposedLetter:
    """A letter with its two looks."""

    letter: Letter
    closing: Closing

    @property
    def kind(self) -> LetterKind:
        return self.letter.kind

    @property
    def subject(self) -> str:
        return self.letter.subject

    @cached_property
    def text(self) -> str:
        return text_of(self.letter, self.closing)

    @cached_property
    def html(self) -> str:
        return html_of(self.letter, self.closing)

    def document(self, reference: str) -> Document:
        """The same for paper; date and address come when it is printed."""
        return document_of(self.letter, self.closing, reference=reference)


def compose(kind: LetterKind, facts: LetterFacts) -> ComposedLetter:
    """Write the letter; raises `MissingBlock` when the facts do not fill what it must say."""
    writer = Writer(kind, facts)
    return ComposedLetter(writer.letter(), writer.closing())
