"""Finding: cases by what somebody is known by, through keyed tokens; nothing is read to find them.

Whoever asks says what for, because to look for a person is to look at them; that is recorded before
anything is found. What was asked for is never kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from uuid import UUID

from domain.vocabulary import IdentifierKind
from services.ports import ExternalNumbers, Identifier, Vault

ADDRESSED = (IdentifierKind.EMAIL, IdentifierKind.COOKIE)
NUMBERED = (
    IdentifierKind.PHONE,
    IdentifierKind.CUSTOMER_NUMBER,
    IdentifierKind.ORDER_NUMBER,
    IdentifierKind.BIRTH_DATE,
)
WORDED = (
    IdentifierKind.CUSTOMER_NUMBER,
    IdentifierKind.ORDER_NUMBER,
    IdentifierKind.POSTAL_ADDRESS,
    IdentifierKind.NAME,
)
_DIGITS = re.compile(r"[\d\s()+./-]*\d[\d\s()+./-]*")


class Finding:
    """Finds the cases of somebody by an address, a telephone number, a name or another number."""

    def __init__(self, vault: Vault, numbers: ExternalNumbers) -> None:
        self._vault, self._numbers = vault, numbers

    def cases(self, controllers: Sequence[str], words: str) -> tuple[UUID, ...]:
        """Every case that is filed under exactly this, however it is spelt."""
        return tuple(dict.fromkeys(self._cases(controllers, words.strip())))

    def _cases(self, controllers: Sequence[str], words: str) -> Iterator[UUID]:
        if not words:
            return
        for controller in controllers:
            named = self._numbers.case_of(controller, words)
            if named is not None:
                yield named
            for kind in kinds_of(words):
                yield from self._vault.cases_of(controller, Identifier(kind, words))


def kinds_of(words: str) -> tuple[IdentifierKind, ...]:
    """What such words may be; a national number is nothing that anybody is looked for by."""
    if "@" in words:
        return ADDRESSED
    return NUMBERED if _DIGITS.fullmatch(words) else WORDED
