"""All that belongs to a case, by id: what an export and an evidence pack must not leave out.

Most ids follow from the case's (`domain.belonging`); holds, errands and instructions are asked for:
where they are booked, which no follower can lag behind, and in the case's file, which also knows
what was decided otherwise since, or whose content is gone (GDPR Art. 5(2)).
"""

from __future__ import annotations

from uuid import UUID

from adapters.bootstrap import Installation
from domain.belonging import aggregates_of
from domain.case import Case
from domain.looks import looks_id
from projections.case_file import members


def aggregates_in(installation: Installation, case: Case) -> list[UUID]:
    """Each once; an id under which nothing has begun has no events."""
    requests = list(case.request_ids)
    return list(
        dict.fromkeys(
            [
                *aggregates_of(case.id),
                looks_id(case.id),
                *(hold.id for hold in installation.held.of_case(case)),
                *(one.errand_id for one in installation.errands.book.of_requests(requests)),
                *installation.instruction_ledger.of_requests(requests),
                *members(installation.database, case.id),
            ]
        )
    )
