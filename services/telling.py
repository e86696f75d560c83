"""Telling: the identifiers that two requests of one person have in common."""

from __future__ import annotations

from typing import Final

from domain.vocabulary import IdentifierKind

TELLING: Final = frozenset(
    {
        IdentifierKind.EMAIL,
        IdentifierKind.PHONE,
        IdentifierKind.NATIONAL_NUMBER,
        IdentifierKind.CUSTOMER_NUMBER,
    }
)
"""Names and birth dates many people share."""
