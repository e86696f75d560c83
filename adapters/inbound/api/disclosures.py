"""`/v1/cases/…/disclosures`: what authorities were given about the person (Art. 15(1)(c))."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from adapters.bootstrap import Installation
from adapters.inbound.api.auth import ApiRoute, Handler, Installed
from adapters.inbound.api.cases import CaseId, case_of
from adapters.inbound.api.commands import DeskCommand
from adapters.inbound.api.looking import Looking
from adapters.inbound.api.paging import Paged
from adapters.inbound.api.shapes import Form
from domain.vocabulary import Content

router = APIRouter(prefix="/v1/cases", tags=["cases"], route_class=ApiRoute)


class DisclosureShown(BaseModel):
    """One disclosure; with `withheld_by_law` the answer does not name it."""

    disclosure_id: UUID
    authority: str
    categories: list[str]
    given_on: date
    ground: str
    words: str
    withheld_by_law: str | None


class Disclose(Form):
    """What an authority was given. Its name and the words are sealed; `ground` is a code."""

    authority: str = Field(min_length=1, max_length=200, examples=["Fjordlys politidistrikt"])
    categories: list[str] = Field(min_length=1, max_length=50, examples=[["purchases"]])
    given_on: date = Field(examples=["2026-03-02"])
    ground: str = Field(min_length=1, max_length=100, examples=["suspected-offence"])
    words: str = Field(default="", max_length=2_000)


class Withhold(Form):
    """On which national exception, and why. The words are sealed."""

    law: str = Field(min_length=1, max_length=200, examples=["no.pol.16.b"])
    words: str = Field(min_length=1, max_length=2_000, examples=["The inquiry is not over."])


@router.get("/{case_id}/disclosures")
def disclosures(
    installation: Installed, bearer: Handler, look: Looking, page: Paged, case_id: CaseId
) -> list[DisclosureShown]:
    """What authorities were given about the person, the withheld ones too."""
    look.into(case_of(installation, bearer, case_id), bearer, Content.NOTE)
    return [
        one
        for _, one in page.of(enumerate(_shown(installation, case_id)), lambda o: (f"{o[0]:09}",))
    ]


@router.post(
    "/{case_id}/disclosures",
    status_code=HTTPStatus.CREATED,
    response_model=list[DisclosureShown],
)
def disclose(
    installation: Installed, command: DeskCommand, case_id: CaseId, form: Disclose
) -> Response:
    """Record a disclosure; the answer to an access request names the authority."""
    case_of(installation, command.bearer, case_id)

    def act() -> None:
        installation.disclosing.record(
            case_id,
            authority=form.authority,
            categories=form.categories,
            given_on=form.given_on,
            ground=form.ground,
            words=form.words,
            by=command.bearer.staff_id,
        )

    return command.carry_out(
        act, lambda: _shown(installation, case_id), of=case_id, status=HTTPStatus.CREATED
    )


@router.post(
    "/{case_id}/disclosures/{disclosure_id}/withhold", response_model=list[DisclosureShown]
)
def withhold(
    installation: Installed,
    command: DeskCommand,
    case_id: CaseId,
    disclosure_id: UUID,
    form: Withhold,
) -> Response:
    """Leave a disclosure out of the answer, on a national exception and for a reason."""
    case_of(installation, command.bearer, case_id)
    return command.carry_out(
        lambda: installation.disclosing.withhold(
            case_id, disclosure_id, law=form.law, words=form.words, by=command.bearer.staff_id
        ),
        lambda: _shown(installation, case_id),
        of=case_id,
    )


def _shown(installation: Installation, case_id: UUID) -> list[DisclosureShown]:
    return [
        DisclosureShown(
            disclosure_id=one.given.disclosure_id,
            authority=one.authority,
            categories=list(one.given.categories),
            given_on=one.given.given_on,
            ground=one.given.ground,
            words=one.words,
            withheld_by_law=one.given.withheld_by_law,
        )
        for one in installation.disclosing.of_case(case_id)
    ]
