"""What belongs to a case: its requests, and everything that is kept beside it and beside them.

One list, so that a timeline, a version and an export mean the same by "the case".
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from uuid import UUID

from domain.aggregate import Aggregate
from domain.balancing import Balancing, balancing_id
from domain.case import Case, request_id
from domain.disclosure import Disclosures, disclosures_id
from domain.erasure_wish import ErasureWish, erasure_wish_id
from domain.errand import Errand
from domain.folder import Folder, folder_id
from domain.fulfilment import Fulfilment, fulfilment_id
from domain.hold import Hold
from domain.information import Information, information_id
from domain.instruction import Instruction
from domain.portability import DirectTransfer, direct_transfer_id
from domain.rectification import Rectification, rectification_id
from domain.redaction import Redaction, redaction_id
from domain.refusal import Refusal
from domain.representation import Representation, representation_id
from domain.request import DataSubjectRequest
from domain.restriction import Restriction, restriction_id
from domain.vocabulary import Right
from domain.withdrawal import Withdrawal, withdrawal_id

Beside = tuple[type[Aggregate], Callable[[UUID], UUID]]

BESIDE_A_CASE: tuple[Beside, ...] = (
    (Representation, representation_id),
    (Disclosures, disclosures_id),
    (Folder, folder_id),
)
"""What concerns all requests of a case, and its id from the case's."""

BESIDE_A_REQUEST: tuple[Beside, ...] = (
    (Fulfilment, fulfilment_id),
    (Redaction, redaction_id),
    (DirectTransfer, direct_transfer_id),
    (ErasureWish, erasure_wish_id),
    (Rectification, rectification_id),
    (Restriction, restriction_id),
    (Balancing, balancing_id),
    (Information, information_id),
    (Withdrawal, withdrawal_id),
    (Refusal, Refusal.create_id),
)
"""What is kept beside one request, and its id from the request's."""

OF_A_CASE: tuple[type[Aggregate], ...] = (
    Case,
    DataSubjectRequest,
    *(kind for kind, _ in (*BESIDE_A_CASE, *BESIDE_A_REQUEST)),
)
"""Every aggregate whose id follows from the case's."""

KINDS: tuple[str, ...] = tuple(
    vars(kind)["TOPIC"] for kind in (*OF_A_CASE, Hold, Errand, Instruction)
)
"""The first words of the topics that belong to cases; holds, errands and instructions are asked
for: a request has any number of them."""


def begun_of(case: Case) -> tuple[UUID, ...]:
    """The same, of the requests alone that the case has."""
    return (
        case.id,
        *(place(case.id) for _, place in BESIDE_A_CASE),
        *case.request_ids,
        *(place(one) for _, place in BESIDE_A_REQUEST for one in case.request_ids),
    )


@lru_cache(maxsize=1024)
def aggregates_of(case_id: UUID) -> tuple[UUID, ...]:
    """A case with all that has a place of its own in it, whether it has begun or not."""
    requests = [request_id(case_id, right) for right in Right]
    return (
        case_id,
        *(place(case_id) for _, place in BESIDE_A_CASE),
        *requests,
        *(place(one) for _, place in BESIDE_A_REQUEST for one in requests),
    )
