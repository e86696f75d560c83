"""`/v1/holds` and what ends a case: what is kept, handed to the archive, destroyed, taken up again.

Personal data is in `records` of a hold and in the archive's export, for handlers only.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from adapters.bootstrap import Installation
from adapters.inbound.api.auth import (
    ApiRoute,
    Handler,
    Installed,
    Reader,
    require_controller,
    seen,
)
from adapters.inbound.api.cases import GivenIdentifier
from adapters.inbound.api.commands import Command, DeskCommand, NewCommand
from adapters.inbound.api.looking import Looking
from adapters.inbound.api.paging import Paged
from adapters.inbound.api.requests import RequestId, carry_out, request_of
from adapters.inbound.api.shapes import Form, Moment, RequestSummary
from adapters.outbound.tokens import Bearer
from domain.case import Case
from domain.deadlines import received_on
from domain.hold import Hold
from domain.relation import MarketingStop
from domain.vocabulary import Compartment, Content
from projections import holds as on_hold
from services.ports import Identifier

router = APIRouter(prefix="/v1", tags=["keeping"], route_class=ApiRoute)

HoldId = Annotated[UUID, Path(description="The hold's id.")]
CaseId = Annotated[UUID, Path(description="The case's id.")]
Words = Annotated[str, Field(min_length=1, max_length=5_000, description="Sealed.")]


class HoldShown(BaseModel):
    """One hold. `release_on` is the last day on which it stands; the day after, it goes."""

    hold_id: UUID
    request_id: UUID
    case_id: UUID
    controller: str
    system: str
    category: str
    ground: str
    records: int
    state: str
    release_on: date | None
    review_on: date | None
    owner: str
    waits_for: str | None
    tells: bool
    released_on: date | None
    erased_at: datetime | None
    told_at: datetime | None


class HeldRecordShown(BaseModel):
    """A record to erase by hand: personal data."""

    record_id: UUID
    kind: str
    key: str
    keep_fields: list[str]


class Claim(Form):
    """A legal claim on named records: with a reason, an owner and a day to look again."""

    record_ids: list[UUID] = Field(min_length=1, max_length=1_000)
    reason: Words
    owner: str = Field(min_length=1, max_length=100, description="A staff id.")
    review_on: date


class Reason(Form):
    reason: Words


class EndStated(Reason):
    until: date


class Prolonged(Reason):
    until: date
    ground: str = Field(max_length=100, description="A ground that the law knows, by its code.")


class Reviewed(Reason):
    review_on: date


class ErasedByHand(Form):
    looked_again: bool = False


class Receipt(Form):
    receipt: Words


class RecordsReceived(Receipt):
    record_ids: list[UUID] = Field(min_length=1, max_length=1_000)


class Breach(Form):
    """What happened, what may follow, what is done about it; all sealed."""

    what: Words
    consequences: Words
    measures: Words
    known_at: Moment
    tell_person: bool = False


class BreachShown(BaseModel):
    """By when the authority has to be told (Art. 33(1))."""

    tell_authority_by: datetime | None


class DestructionShown(BaseModel):
    """Proof that a compartment is gone: its key's id, how many sealed items, when."""

    key_id: UUID
    compartment: Compartment
    items: int
    destroyed_at: datetime


class Lifted(Form):
    """A person said yes again. `because` is a code that says how that is known."""

    controller: str = Field(max_length=100)
    identifier: GivenIdentifier
    because: str = Field(min_length=1, max_length=100, pattern=r"^[a-z0-9][a-z0-9-]*$")


class LiftedShown(BaseModel):
    lifted: bool


# Holds


@router.get("/holds")
def holds(
    installation: Installed,
    bearer: Reader,
    page: Paged,
    controller: Annotated[str | None, Query(max_length=100)] = None,
    ended: Annotated[bool, Query(description="Also those that are over.")] = False,
) -> list[HoldShown]:
    """What is kept, whatever ends or is looked at first."""
    found = on_hold.of_controllers(
        installation.database, seen(installation, bearer, controller), open_only=not ended
    )
    return [_shown(one) for one in page.of(found, _place)]


@router.get("/cases/{case_id}/holds")
def holds_of_case(installation: Installed, bearer: Reader, case_id: CaseId) -> list[HoldShown]:
    """What is kept of one case, and what was."""
    case = _case(installation, bearer, case_id)
    return [_shown(_row(hold)) for hold in installation.held.of_case(case)]


@router.get("/holds/{hold_id}")
def hold(installation: Installed, bearer: Reader, hold_id: HoldId) -> HoldShown:
    """One hold: what it keeps, on which ground, until when."""
    return _shown(_row(_hold(installation, bearer, hold_id)))


@router.get("/holds/{hold_id}/records")
def held_records(
    installation: Installed, bearer: Handler, look: Looking, hold_id: HoldId
) -> list[HeldRecordShown]:
    """The records that a hold names, as they are found in their system: personal data."""
    hold = _hold(installation, bearer, hold_id)
    look.into(hold, bearer, Content.RECORD)
    return [
        HeldRecordShown(
            record_id=one.record_id,
            kind=one.kind,
            key=one.key,
            keep_fields=list(one.keep_fields),
        )
        for one in installation.holds.records(hold_id)
    ]


@router.post("/requests/{request_id}/legal-claims", response_model=RequestSummary)
def claim(
    installation: Installed, command: DeskCommand, request_id: RequestId, form: Claim
) -> Response:
    """Keep records for a legal claim, before the erasure is approved (Art. 17(3)(e))."""
    request = request_of(installation, command.bearer, request_id)
    return carry_out(
        installation,
        command,
        request,
        lambda: installation.holds.claim(
            request_id,
            form.record_ids,
            reason=form.reason,
            owner=form.owner,
            review_on=form.review_on,
            by=command.bearer.staff_id,
        ),
    )


@router.post("/holds/{hold_id}/end", response_model=HoldShown)
def state_end(
    installation: Installed, command: DeskCommand, hold_id: HoldId, form: EndStated
) -> Response:
    """Say when a hold without a day ends."""
    _hold(installation, command.bearer, hold_id)
    return _change(
        installation,
        command,
        hold_id,
        lambda: installation.holds.state_end(
            hold_id, until=form.until, reason=form.reason, by=command.bearer.staff_id
        ),
    )


@router.post("/holds/{hold_id}/prolong", response_model=HoldShown)
def prolong(
    installation: Installed, command: DeskCommand, hold_id: HoldId, form: Prolonged
) -> Response:
    """Keep it longer, on a ground that the law knows."""
    _hold(installation, command.bearer, hold_id)
    return _change(
        installation,
        command,
        hold_id,
        lambda: installation.holds.prolong(
            hold_id,
            until=form.until,
            ground=form.ground,
            reason=form.reason,
            by=command.bearer.staff_id,
        ),
    )


@router.post("/holds/{hold_id}/review", response_model=HoldShown)
def review(
    installation: Installed, command: DeskCommand, hold_id: HoldId, form: Reviewed
) -> Response:
    """Say why a claim still stands, and when to look again."""
    _hold(installation, command.bearer, hold_id)
    return _change(
        installation,
        command,
        hold_id,
        lambda: installation.holds.review(
            hold_id, review_on=form.review_on, reason=form.reason, by=command.bearer.staff_id
        ),
    )


@router.post("/holds/{hold_id}/lift", response_model=HoldShown)
def lift(installation: Installed, command: DeskCommand, hold_id: HoldId, form: Reason) -> Response:
    """End it early: what it kept is erased at once."""
    _hold(installation, command.bearer, hold_id)
    return _change(
        installation,
        command,
        hold_id,
        lambda: installation.holds.lift(hold_id, reason=form.reason, by=command.bearer.staff_id),
    )


@router.post("/holds/{hold_id}/erased", response_model=HoldShown)
def erased(
    installation: Installed, command: DeskCommand, hold_id: HoldId, form: ErasedByHand
) -> Response:
    """Record that somebody erased by hand what a released hold had kept."""
    _hold(installation, command.bearer, hold_id)
    return _change(
        installation,
        command,
        hold_id,
        lambda: installation.holds.erased_by_hand(
            hold_id, looked_again=form.looked_again, by=command.bearer.staff_id
        ),
    )


@router.post("/holds/{hold_id}/again", response_model=HoldShown)
def again(installation: Installed, command: DeskCommand, hold_id: HoldId) -> Response:
    """Ask the system once more to erase what a released hold had kept."""
    _hold(installation, command.bearer, hold_id)
    return _change(
        installation,
        command,
        hold_id,
        lambda: installation.holds.try_again(hold_id, by=command.bearer.staff_id),
    )


# The archive, and what is destroyed


@router.get("/cases/{case_id}/archive.zip", response_class=Response)
def archive(installation: Installed, bearer: Handler, look: Looking, case_id: CaseId) -> Response:
    """The case as the archive takes it: PDF/A-2b with metadata in XML and JSON; personal data."""
    case = _case(installation, bearer, case_id)
    look.into(case, bearer, Content.PERSON, Content.MESSAGE, Content.LETTER, Content.NOTE)
    return Response(
        installation.archiving.export(case.id),
        media_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{case.reference}-archive.zip"'},
    )


@router.post("/cases/{case_id}/archived", response_model=list[DestructionShown])
def archived(
    installation: Installed, command: DeskCommand, case_id: CaseId, form: Receipt
) -> Response:
    """Record the archive's receipt; what waited for it goes on (E-05)."""
    _case(installation, command.bearer, case_id)
    return command.carry_out(
        lambda: installation.archiving.hand_over(
            case_id, receipt=form.receipt, by=command.bearer.staff_id
        ),
        lambda: _destructions(installation, case_id),
        of=case_id,
    )


@router.get("/requests/{request_id}/archive-records.zip", response_class=Response)
def archive_records(
    installation: Installed, bearer: Handler, look: Looking, request_id: RequestId
) -> Response:
    """The found records with archive duty, as PDF/A-2b, for the archive: personal data."""
    request = request_of(installation, bearer, request_id)
    look.into(request, bearer, Content.RECORD)
    return Response(
        installation.archiving.records(request_id),
        media_type="application/zip",
        headers={"Content-Disposition": 'attachment; filename="records.zip"'},
    )


@router.post("/requests/{request_id}/records-archived", response_model=RequestSummary)
def records_archived(
    installation: Installed, command: DeskCommand, request_id: RequestId, form: RecordsReceived
) -> Response:
    """Record the archive's receipt for found records; without it they stay blocked (B.4)."""
    request = request_of(installation, command.bearer, request_id)
    return carry_out(
        installation,
        command,
        request,
        lambda: installation.archiving.records_received(
            request_id, form.record_ids, receipt=form.receipt, by=command.bearer.staff_id
        ),
    )


@router.get("/cases/{case_id}/destructions")
def destructions(
    installation: Installed, bearer: Reader, case_id: CaseId
) -> list[DestructionShown]:
    """Which compartments of the case are gone, with the proof of it."""
    _case(installation, bearer, case_id)
    return _destructions(installation, case_id)


# What went to the wrong person


@router.post("/requests/{request_id}/disclosure", response_model=BreachShown)
def disclosure(
    installation: Installed, command: DeskCommand, request_id: RequestId, form: Breach
) -> Response:
    """Write down that something reached the wrong person (Art. 33, 34)."""
    request = request_of(installation, command.bearer, request_id)
    return command.carry_out(
        lambda: installation.afterwards.report_disclosure(
            request_id,
            what=form.what,
            consequences=form.consequences,
            measures=form.measures,
            known_at=form.known_at,
            tell_person=form.tell_person,
            by=command.bearer.staff_id,
        ),
        lambda: BreachShown(
            tell_authority_by=installation.register.request(request_id).tell_authority_by
        ),
        of=request.case_id,
    )


# Who must not be written to


class MarketingEnds(BaseModel):
    """A system that may send the person nothing any more, though they did not ask for it."""

    system: str
    why: MarketingStop


@router.get("/requests/{request_id}/marketing-ends")
def marketing_ends(
    installation: Installed, bearer: Handler, request_id: RequestId
) -> list[MarketingEnds]:
    """What was found without a record of consent, or after the relation; to approve ends it."""
    request = request_of(installation, bearer, request_id)
    today = received_on(installation.clock(), request.country)
    found = installation.deciding.written_to_no_more(request, today)
    return [MarketingEnds(system=system, why=why) for system, why in found.items()]


@router.post("/suppressions/lift", response_model=LiftedShown)
def lift_suppression(installation: Installed, command: NewCommand, form: Lifted) -> Response:
    """Let somebody be written to again who said yes later than no."""
    require_controller(command.bearer, form.controller)
    given = Identifier(form.identifier.kind, form.identifier.value)
    return command.carry_out(
        lambda: installation.suppressions.lift(
            form.controller, given, because=form.because, by=command.bearer.staff_id
        ),
        lambda: LiftedShown(lifted=True),
    )


def _change(
    installation: Installation, command: Command, hold_id: UUID, act: Callable[[], object]
) -> Response:
    return command.carry_out(act, lambda: _shown(_row(installation.register.hold(hold_id))))


def _destructions(installation: Installation, case_id: UUID) -> list[DestructionShown]:
    return [
        DestructionShown(
            key_id=one.key_id,
            compartment=one.compartment,
            items=one.items,
            destroyed_at=one.destroyed_at,
        )
        for one in installation.vault.destructions(case_id)
    ]


def _case(installation: Installation, bearer: Bearer, case_id: UUID) -> Case:
    case = installation.register.case(case_id)
    require_controller(bearer, case.controller)
    return case


def _hold(installation: Installation, bearer: Bearer, hold_id: UUID) -> Hold:
    found = installation.register.hold(hold_id)
    require_controller(bearer, found.controller)
    return found


def _place(one: on_hold.OnHold) -> tuple[str, ...]:
    days = [day for day in (one.release_on, one.review_on) if day is not None]
    return (str(min(days, default=date.max)), str(one.hold_id))


def _row(hold: Hold) -> on_hold.OnHold:
    """The row of a hold as it is now, whether or not the read model has followed."""
    state = "standing" if hold.stands else "released"
    if hold.waits_for is not None:
        state = "waiting-for-person"
    return on_hold.OnHold(
        hold_id=hold.id,
        request_id=hold.request_id,
        case_id=hold.case_id,
        controller=hold.controller,
        system=hold.system,
        category=hold.category,
        ground=hold.prolonged_by or hold.ground,
        records=len(hold.records),
        placed_at=hold.placed_at,
        release_on=hold.release_on,
        review_on=hold.review_on,
        owner=hold.owner,
        state="erased" if hold.erased else state,
        waits_for=hold.waits_for,
        tells=hold.tell is not None,
        released_on=hold.released_on,
        erased_at=hold.erased_at,
        told_at=hold.told_at,
    )


def _shown(row: on_hold.OnHold) -> HoldShown:
    return HoldShown.model_validate(row, from_attributes=True)
