"""Reading personal data over `/v1` takes a purpose, by address or header, and is recorded."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Header, HTTPException, Query

from adapters.bootstrap import Installation
from adapters.inbound.api.auth import Installed
from adapters.outbound.tokens import Bearer
from domain.case import Case
from domain.hold import Hold
from domain.request import DataSubjectRequest
from domain.vocabulary import Content, Door, Purpose

WHAT_FOR = "What the personal data is read for; needed here or in the other place, and recorded."


class Look:
    """A look at personal data that the bearer has said what it is for."""

    def __init__(self, installation: Installation, purpose: Purpose | None) -> None:
        self._installation, self._purpose = installation, purpose

    def into(self, it: Case | DataSubjectRequest | Hold, bearer: Bearer, *what: Content) -> None:
        """Record the look; without a purpose nothing is shown."""
        if self._purpose is None:
            known = ", ".join(one.value for one in Purpose)
            raise HTTPException(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "say what you read personal data for: add the query parameter purpose, or the"
                f" header X-Purpose, with one of {known}",
            )
        self._installation.looking.into_case(
            it.id if isinstance(it, Case) else it.case_id,
            it.controller,
            what,
            by=bearer.staff_id,
            purpose=self._purpose,
            way=Door.API,
        )


async def _look(
    installation: Installed,
    purpose: Annotated[Purpose | None, Query(description=WHAT_FOR)] = None,
    x_purpose: Annotated[Purpose | None, Header(description=WHAT_FOR)] = None,
) -> Look:
    return Look(installation, purpose or x_purpose)


Looking = Annotated[Look, Depends(_look)]
