"""`/v1/requests/…/covered`: what a copy does not show because of others (Art. 15(4))."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field

from adapters.inbound.api.auth import ApiRoute, Handler, Installed
from adapters.inbound.api.commands import DeskCommand
from adapters.inbound.api.looking import Looking
from adapters.inbound.api.paging import Paged
from adapters.inbound.api.requests import RequestId, carry_out, request_of
from adapters.inbound.api.shapes import Form, RequestSummary
from domain.vocabulary import Content, CoverReason

router = APIRouter(prefix="/v1/requests", tags=["requests"], route_class=ApiRoute)

RecordId = Annotated[UUID, Path(description="The found record's id.")]


class Cover(Form):
    """`field` is a path as the record shows it; `text` are words in it, or `start` and `end`.

    Without any of them the whole field is covered. `words` say more, and are sealed.
    """

    field: str = Field(min_length=1, max_length=500, examples=["description"])
    reason: CoverReason
    text: str = Field(default="", max_length=20_000)
    start: int | None = Field(default=None, ge=0)
    end: int | None = Field(default=None, ge=1)
    words: str = Field(default="", max_length=5_000)


class Why(Form):
    reason: str = Field(min_length=1, max_length=100, description="A code, never personal data.")


class CoveredShown(BaseModel):
    """A passage that is covered: personal data, for handlers only."""

    passage_id: UUID
    record_id: UUID
    field: str
    text: str
    start: int | None
    end: int | None
    reason: CoverReason
    words: str


@router.get("/{request_id}/covered")
def covered(
    installation: Installed, bearer: Handler, look: Looking, page: Paged, request_id: RequestId
) -> list[CoveredShown]:
    """Every passage that the person's copy will not show, with the words under it."""
    request = request_of(installation, bearer, request_id)
    look.into(request, bearer, Content.RECORD)
    shown = [
        CoveredShown(
            passage_id=one.passage.passage_id,
            record_id=found.record_id,
            field=one.field,
            text=one.text,
            start=one.passage.start,
            end=one.passage.end,
            reason=one.passage.reason,
            words=one.words,
        )
        for found in request.own_records
        for one in installation.redacting.covered(request, found)
    ]
    return page.of(shown, lambda one: (str(one.record_id), str(one.passage_id)))


@router.post("/{request_id}/records/{record_id}/cover", response_model=RequestSummary)
def cover(
    installation: Installed,
    command: DeskCommand,
    request_id: RequestId,
    record_id: RecordId,
    form: Cover,
) -> Response:
    """Cover a field or a passage of it in the copy; what was found stays as it is."""
    request = request_of(installation, command.bearer, request_id)
    return carry_out(
        installation,
        command,
        request,
        lambda: installation.redacting.cover(
            request_id,
            record_id,
            path=form.field,
            reason=form.reason,
            text=form.text,
            start=form.start,
            end=form.end,
            words=form.words,
            by=command.bearer.staff_id,
        ),
    )


@router.post("/{request_id}/covered/{passage_id}/uncover", response_model=RequestSummary)
def uncover(
    installation: Installed,
    command: DeskCommand,
    request_id: RequestId,
    passage_id: UUID,
    form: Why,
) -> Response:
    """Show a covered passage after all; possible until the answer is approved."""
    request = request_of(installation, command.bearer, request_id)
    return carry_out(
        installation,
        command,
        request,
        lambda: installation.redacting.uncover(
            request_id, passage_id, reason=form.reason, by=command.bearer.staff_id
        ),
    )


@router.post("/{request_id}/records/{record_id}/clear", response_model=RequestSummary)
def clear(
    installation: Installed,
    command: DeskCommand,
    request_id: RequestId,
    record_id: RecordId,
    form: Why,
) -> Response:
    """Say that you have read the record, and that nothing in it has to be covered."""
    request = request_of(installation, command.bearer, request_id)
    return carry_out(
        installation,
        command,
        request,
        lambda: installation.redacting.clear(
            request_id, record_id, reason=form.reason, by=command.bearer.staff_id
        ),
    )
