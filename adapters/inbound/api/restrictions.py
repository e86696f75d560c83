"""`/v1/requests/…/restriction`: data that is kept and not used, system by system (Art. 18)."""

from __future__ import annotations

from datetime import date, datetime
from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter, HTTPException, Response
from pydantic import BaseModel, Field

from adapters.inbound.api.auth import ApiRoute, Installed, Reader
from adapters.inbound.api.commands import DeskCommand
from adapters.inbound.api.looking import Looking
from adapters.inbound.api.requests import RequestId, System, carry_out, request_of
from adapters.inbound.api.shapes import Form, RequestSummary
from domain.restriction import At, RestrictionGround
from domain.vocabulary import Content, Outcome

router = APIRouter(prefix="/v1/requests", tags=["requests"], route_class=ApiRoute)


class Restrict(Form):
    """On which letter of Art. 18(1), and until when, where that is known today."""

    ground: RestrictionGround
    until: date | None = None
    words: str = Field(default="", max_length=20_000)


class SetByHand(Form):
    """What a person did there: restricted, or nothing held (with a `reason` as a code)."""

    lifted: bool = False
    found_nothing: bool = False
    reason: str = Field(default="", max_length=100)


class End(Form):
    words: str = Field(default="", max_length=20_000)


class RestrictedSystemShown(BaseModel):
    system: str
    at: At
    waits_for: str | None
    checked_at: datetime | None


class RestrictionShown(BaseModel):
    """Since when, on which letter of Art. 18(1), until what; and where each system stands."""

    request_id: UUID
    ground: RestrictionGround
    since: datetime
    until: date | None
    ends_with: str
    announced: bool
    lifted_on: date | None
    systems: list[RestrictedSystemShown]


@router.get("/{request_id}/restriction")
def restriction(
    installation: Installed, bearer: Reader, look: Looking, request_id: RequestId
) -> RestrictionShown:
    """Where it is set, and whether every system still keeps to it."""
    look.into(request_of(installation, bearer, request_id), bearer, Content.RECORD)
    found = installation.register.find_restriction(request_id)
    if found is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, "this request has no restriction")
    return RestrictionShown(
        request_id=request_id,
        ground=found.ground,
        since=found.since,
        until=found.until,
        ends_with=found.condition,
        announced=found.announced_in is not None,
        lifted_on=found.lifted_on,
        systems=[
            RestrictedSystemShown(
                system=system,
                at=state.at,
                waits_for=state.waits_for,
                checked_at=state.checked_at,
            )
            for system, state in found.systems.items()
        ],
    )


@router.post("/{request_id}/restriction", response_model=RequestSummary)
def restrict(
    installation: Installed, command: DeskCommand, request_id: RequestId, form: Restrict
) -> Response:
    """Grant the restriction that was asked for; every system is asked at once."""
    request = request_of(installation, command.bearer, request_id)
    return carry_out(
        installation,
        command,
        request,
        lambda: installation.restrictions.restrict(
            request_id,
            ground=form.ground,
            until=form.until,
            words=form.words,
            by=command.bearer.staff_id,
        ),
    )


@router.post("/{request_id}/restriction/systems/{system}", response_model=RequestSummary)
def restricted_by_hand(
    installation: Installed,
    command: DeskCommand,
    request_id: RequestId,
    system: System,
    form: SetByHand,
) -> Response:
    """A person restricted it there, or lifted it after the person was told."""
    request = request_of(installation, command.bearer, request_id)
    by = command.bearer.staff_id

    def act() -> None:
        if form.lifted:
            installation.restrictions.record_lifted(request_id, system, by=by)
        else:
            outcome = Outcome.NOT_FOUND if form.found_nothing else Outcome.RESTRICTED
            installation.restrictions.record(
                request_id, system, outcome=outcome, reason=form.reason, by=by
            )

    return carry_out(installation, command, request, act)


@router.post(
    "/{request_id}/restriction/systems/{system}/again",
    status_code=HTTPStatus.ACCEPTED,
    response_model=RequestSummary,
)
def restrict_again(
    installation: Installed, command: DeskCommand, request_id: RequestId, system: System
) -> Response:
    """Ask a system once more, after somebody has seen to it over there."""
    request = request_of(installation, command.bearer, request_id)
    return carry_out(
        installation,
        command,
        request,
        lambda: installation.restrictions.try_again(request_id, system, by=command.bearer.staff_id),
        status=HTTPStatus.ACCEPTED,
    )


@router.post("/{request_id}/restriction/given-up", response_model=RequestSummary)
def give_up_restriction(
    installation: Installed, command: DeskCommand, request_id: RequestId
) -> Response:
    """On an erasure: the person gives up whatever restricts their data, and wants it erased."""
    request = request_of(installation, command.bearer, request_id)
    return carry_out(
        installation,
        command,
        request,
        lambda: installation.restrictions.give_up(request_id, by=command.bearer.staff_id),
    )


@router.post(
    "/{request_id}/restriction/end",
    status_code=HTTPStatus.ACCEPTED,
    response_model=RequestSummary,
)
def end_restriction(
    installation: Installed, command: DeskCommand, request_id: RequestId, form: End
) -> Response:
    """Tell the person that it ends; it does after the pause that the profile states."""
    request = request_of(installation, command.bearer, request_id)
    return carry_out(
        installation,
        command,
        request,
        lambda: installation.restrictions.announce(
            request_id, words=form.words, by=command.bearer.staff_id
        ),
        status=HTTPStatus.ACCEPTED,
    )
