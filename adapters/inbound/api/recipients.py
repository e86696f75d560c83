"""`/v1/cases/…/recipients`: who received what, who was told of what, and when (Art. 19)."""

from __future__ import annotations

from datetime import date, datetime
from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel

from adapters.inbound.api.auth import ApiRoute, Handler, Installed
from adapters.inbound.api.cases import CaseId, CaseShown, case_of, shown
from adapters.inbound.api.commands import DeskCommand
from adapters.inbound.api.looking import Looking
from adapters.inbound.api.paging import Paged
from domain.vocabulary import Content, Right
from services.recipient_ledger import Stage, label
from services.recipient_proofs import Way

router = APIRouter(prefix="/v1/cases", tags=["cases"], route_class=ApiRoute)


class ProofShown(BaseModel):
    """One time that a recipient was told: how, when, how often, and what it answered."""

    id: UUID
    way: Way
    about: str
    told_at: datetime | None
    seen_at: datetime | None
    answered_at: datetime | None
    answer: str
    tries: int
    receipts: list[UUID]


class RecipientShown(BaseModel):
    """One recipient of one request: a name may be a person's, so this is for handlers only."""

    recipient: str
    name: str
    stage: Stage
    about: Right
    request_id: UUID
    on: date | None
    categories: list[str]
    fields: list[str]
    proofs: list[ProofShown]


@router.get("/{case_id}/recipients")
def recipients(
    installation: Installed, bearer: Handler, look: Looking, page: Paged, case_id: CaseId
) -> list[RecipientShown]:
    """Everybody who received something, by name, with what each was told of the request."""
    case = case_of(installation, bearer, case_id)
    look.into(case, bearer, Content.RECORD)
    profile = installation.controllers.in_force(case.controller)
    entries = page.of(
        enumerate(installation.recipients.ledger(case_id)), lambda one: (f"{one[0]:09}",)
    )
    return [
        RecipientShown(
            recipient=entry.recipient,
            name=label(profile, entry),
            stage=entry.stage,
            about=entry.about,
            request_id=entry.request_id,
            on=entry.on,
            categories=list(entry.categories),
            fields=list(entry.fields),
            proofs=[
                ProofShown(
                    id=one.id,
                    way=one.way,
                    about=one.about,
                    told_at=one.told_at,
                    seen_at=one.seen_at,
                    answered_at=one.answered_at,
                    answer=one.answer,
                    tries=one.tries,
                    receipts=list(one.receipts),
                )
                for one in entry.proofs
            ],
        )
        for _, entry in entries
    ]


@router.post(
    "/{case_id}/recipients/letter", status_code=HTTPStatus.ACCEPTED, response_model=CaseShown
)
def tell_recipients(installation: Installed, command: DeskCommand, case_id: CaseId) -> Response:
    """The person asks who received their data: write to them, with names (Art. 19, C-154/21)."""
    case_of(installation, command.bearer, case_id)
    return command.carry_out(
        lambda: installation.recipients.tell_person(case_id, by=command.bearer.staff_id),
        lambda: shown(installation, installation.register.case(case_id)),
        of=case_id,
        status=HTTPStatus.ACCEPTED,
    )
