"""Made-up people who ask (all addresses end in .example)."""

from __future__ import annotations

from domain.vocabulary import IdentifierKind
from services.ports import Identifier, Person

NOBODY = Person(())


def somebody(
    *emails: str, unproven: tuple[str, ...] = (), name: str = "", phone: str = ""
) -> Person:
    """A person whose `emails` were proven by code; everything else is only said."""
    said = [Identifier(IdentifierKind.EMAIL, email, verified=True) for email in emails]
    said += [Identifier(IdentifierKind.EMAIL, email) for email in unproven]
    said += [Identifier(IdentifierKind.NAME, name)] if name else []
    said += [Identifier(IdentifierKind.PHONE, phone)] if phone else []
    return Person(tuple(said))
