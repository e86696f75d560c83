"""Reading personal data over `/v1` takes a purpose, by address or header, and is logged."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, HTTPException, Query

from adapters.inbound.looking import Purpose, log_look
from adapters.outbound.tokens import Bearer

WHAT_FOR = "What the personal data is read for; needed here or in the other place, and logged."


class Look:
    """A look at personal data that the bearer has said what it is for."""

    def __init__(self, purpose: Purpose | None) -> None:
        self._purpose = purpose

    def into(self, case_id: UUID, bearer: Bearer) -> None:
        """Log the look; without a purpose nothing is shown."""
        if self._purpose is None:
            known = ", ".join(one.value for one in Purpose)
            raise HTTPException(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "say what you read personal data for: add the query parameter purpose, or the"
                f" header X-Purpose, with one of {known}",
            )
        log_look(str(case_id), staff_id=bearer.staff_id, purpose=self._purpose)


async def _look(
    purpose: Annotated[Purpose | None, Query(description=WHAT_FOR)] = None,
    x_purpose: Annotated[Purpose | None, Header(description=WHAT_FOR)] = None,
) -> Look:
    return Look(purpose or x_purpose)


Looking = Annotated[Look, Depends(_look)]
