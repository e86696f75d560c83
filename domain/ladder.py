"""The ladder of proof: what each way of proving opens, and when it may be asked for (Art. 12(6)).

Proof is asked for only in doubt, never as a default step, and the doubt has a name. The heaviest
comes last: what an identity document shows is seen, never kept (EDPB 01/2022, 58 to 79).
"""

from __future__ import annotations

from enum import Enum

from domain.errors import DomainError
from domain.vocabulary import IdentifierKind, IdentityMethod


class Doubt(Enum):
    """Why somebody is asked to prove who they are."""

    UNKNOWN_SENDER = "unknown-sender"
    OTHER_ADDRESS = "other-address-than-on-file"
    OTHER_NAME = "other-name-than-on-file"
    SEVERAL_PEOPLE = "several-people-on-file"
    SENSITIVE_CONTENT = "sensitive-content"
    ASKS_FOR_ANOTHER = "asks-for-somebody-else"
    NO_ADDRESS = "no-address-to-write-to"
    LIGHTER_PROOF_FAILED = "lighter-proof-failed"

    @property
    def is_grave(self) -> bool:
        """Whether it may take the heaviest proof: nothing lighter works, or much is at stake."""
        return self in {Doubt.SENSITIVE_CONTENT, Doubt.NO_ADDRESS, Doubt.LIGHTER_PROOF_FAILED}


LADDER = tuple(IdentityMethod)
"""From the lightest to the heaviest."""

HEAVY = frozenset({IdentityMethod.DOCUMENT_SEEN, IdentityMethod.IN_PERSON})

_DOCUMENT = frozenset(
    {IdentifierKind.NAME, IdentifierKind.BIRTH_DATE, IdentifierKind.NATIONAL_NUMBER}
)
MOST_ORDERS_TRIED = 5
"""So many orders may be named in a case: after them only a person compares."""

PROVES = {
    IdentityMethod.CODE_TO_ADDRESS: frozenset({IdentifierKind.EMAIL}),
    IdentityMethod.LOGIN: frozenset({IdentifierKind.EMAIL, IdentifierKind.CUSTOMER_NUMBER}),
    IdentityMethod.ORDER_KNOWLEDGE: frozenset(
        {IdentifierKind.ORDER_NUMBER, IdentifierKind.CUSTOMER_NUMBER}
    ),
    IdentityMethod.EID: _DOCUMENT,
    IdentityMethod.DOCUMENT_SEEN: _DOCUMENT,
    IdentityMethod.IN_PERSON: _DOCUMENT,
}
"""Which identifiers a way of proving opens; records under any other wait for a person.

A code opens what is filed under the one address that it was sent to. A passport says nothing about
an address, and whoever knows an order has shown nothing about the address they name.
"""


OFFERED = {
    IdentityMethod.CODE_TO_ADDRESS: (IdentityMethod.CODE_TO_ADDRESS,),
    IdentityMethod.ORDER_KNOWLEDGE: (IdentityMethod.ORDER_KNOWLEDGE,),
    IdentityMethod.DOCUMENT_SEEN: (
        IdentityMethod.ORDER_KNOWLEDGE,
        IdentityMethod.DOCUMENT_SEEN,
        IdentityMethod.IN_PERSON,
    ),
}
"""What a letter offers where proof of such a weight is asked for: a lighter way stays open."""


def without_an_address(doubt: Doubt) -> IdentityMethod:
    """What whoever gets no code is asked for; no more than the doubt takes."""
    return IdentityMethod.DOCUMENT_SEEN if doubt.is_grave else IdentityMethod.ORDER_KNOWLEDGE


def doubt_named(code: str) -> Doubt:
    """A doubt has a name: "we always ask" is none."""
    try:
        return Doubt(code)
    except ValueError:
        known = ", ".join(doubt.value for doubt in Doubt)
        raise DomainError(
            f"proof is asked for only in doubt: give the doubt as one of {known}"
        ) from None


def require_proportionate(method: IdentityMethod, doubt: Doubt, *, lighter_failed: bool) -> None:
    """Refuse to ask for more than the doubt takes; a lighter way that was not tried comes first."""
    if doubt is Doubt.LIGHTER_PROOF_FAILED and not lighter_failed:
        raise DomainError("no lighter proof has been asked for: ask for that first")
    if method in HEAVY and not doubt.is_grave:
        raise DomainError(
            "a document is asked for last: only when nothing lighter works or much is at stake"
        )
