"""Tokens: what a connected system recognises its own people by, and nobody else anybody (Art. 32).

Each system has a key of its own, so one system's messages mean nothing to another. A token is
HMAC-SHA-256 over the kind of an identifier and its one spelling; still personal data (Art. 4(5)).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from domain.vocabulary import IdentifierKind
from services.ports import Identifier

TOLD_BY = frozenset(
    {
        IdentifierKind.EMAIL,
        IdentifierKind.PHONE,
        IdentifierKind.CUSTOMER_NUMBER,
        IdentifierKind.ORDER_NUMBER,
    }
)
"""What becomes a token. Names and days of birth are those of many; a national number is dropped
once it has been matched with (E-10), and a token of it would stay."""


@dataclass(frozen=True, slots=True)
class Token:
    """One identifier as one system knows it, with one version of its key."""

    kind: IdentifierKind
    version: int
    value: str


class SystemTokens(Protocol):
    """The tokens of connected systems."""

    def of(
        self, controller: str, system: str, identifiers: Iterable[Identifier]
    ) -> tuple[Token, ...]:
        """Every identifier that makes one, under each version of the key that is in use."""
        ...

    def under(
        self, controller: str, system: str, identifier: Identifier, versions: Iterable[int]
    ) -> tuple[Token, ...]:
        """The same under versions of long ago: what was erased then is known by no other."""
        ...
