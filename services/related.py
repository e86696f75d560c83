"""Related: other cases of the same person, found by tokens, told by number and date (Art. 12(5)).

Who has asked before, and who asks twice, is seen without anybody's content being opened.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.case import Case
from domain.request import DataSubjectRequest
from domain.vocabulary import IdentifierKind, Right
from services.ports import Identifier, Vault
from services.register import Register, UnknownHere

TELLING = frozenset(
    {
        IdentifierKind.EMAIL,
        IdentifierKind.PHONE,
        IdentifierKind.NATIONAL_NUMBER,
        IdentifierKind.CUSTOMER_NUMBER,
        IdentifierKind.ORDER_NUMBER,
    }
)
"""By what somebody is the same person; a name or a birthday is many people's."""

MOST = 20


@dataclass(frozen=True, slots=True)
class Pair:
    """A request of this case and one of another that ask for the same."""

    own: UUID
    other: UUID
    right: Right
    linked: bool


@dataclass(frozen=True, slots=True)
class RelatedCase:
    """Another case of the same person, without anything personal."""

    case_id: UUID
    reference: str
    received_at: datetime
    rights: tuple[Right, ...]
    status: str
    pairs: tuple[Pair, ...]


class RelatedCases:
    """Finds them by the tokens of a case's identifiers."""

    def __init__(self, register: Register, vault: Vault) -> None:
        self._register, self._vault = register, vault

    def of(self, case: Case, identifiers: Iterable[Identifier]) -> tuple[RelatedCase, ...]:
        """The newest first. What is linked is among them, however it was found."""
        own = self._register.requests_of(case)
        found = {
            case_id
            for identifier in identifiers
            if identifier.kind in TELLING and identifier.value.strip()
            for case_id in self._vault.cases_of(case.controller, identifier)
        }
        found |= {self._register.request(to).case_id for one in own for to in one.linked}
        cases = [self._known(one) for one in found - {case.id}]
        newest = sorted((one for one in cases if one), key=lambda one: one.received_at)[::-1]
        return tuple(self._shown(one, own) for one in newest[:MOST])

    def _known(self, case_id: UUID) -> Case | None:
        try:
            return self._register.case(case_id)
        except UnknownHere:
            return None

    def _shown(self, other: Case, own: tuple[DataSubjectRequest, ...]) -> RelatedCase:
        theirs = {one.right: one for one in self._register.requests_of(other)}
        is_open = any(one.status.is_open for one in theirs.values())
        return RelatedCase(
            case_id=other.id,
            reference=other.reference,
            received_at=other.received_at,
            rights=tuple(theirs),
            status=other.status.value if is_open or not theirs else "closed",
            pairs=tuple(
                Pair(one.id, theirs[one.right].id, one.right, theirs[one.right].id in one.linked)
                for one in own
                if one.right in theirs
            ),
        )
