"""`/v1/requests`: one right each; what was found, what is decided, what the systems answered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from http import HTTPStatus
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

from fastapi import APIRouter, Path, Query, Response
from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from adapters.bootstrap import Installation
from adapters.inbound.api.auth import (
    ApiRoute,
    Handler,
    Installed,
    Reader,
    require_controller,
    seen,
)
from adapters.inbound.api.cases import CaseShown, GivenIdentifier, shown
from adapters.inbound.api.commands import Command, DeskCommand, NewCommand, show_state
from adapters.inbound.api.looking import Looking
from adapters.inbound.api.paging import Paged, Place
from adapters.inbound.api.shapes import (
    AsOf,
    ExternalNumber,
    Form,
    Moment,
    RequestSummary,
    past,
    summary,
)
from adapters.outbound.connectors.manual import MOST_ROWS, Code, Day, FoundRow, ManualAnswer
from adapters.outbound.tokens import Bearer
from domain.case import reference
from domain.deadlines import received_on
from domain.errors import DomainError
from domain.fulfilment import SystemStatus
from domain.request import DataSubjectRequest
from domain.values import FoundRecord
from domain.vocabulary import (
    Action,
    Channel,
    Content,
    Decision,
    ErasureGround,
    IdentifierKind,
    Language,
    Match,
    Outcome,
    Right,
    Role,
)
from projections import worklist
from projections.work import Work
from services.fulfilment import person_of
from services.intake import Asked, Backdated
from services.places import without_places
from services.ports import Identifier, Result

router = APIRouter(prefix="/v1/requests", tags=["requests"], route_class=ApiRoute)

Turn = Literal["handler", "person", "subject", "system"]
RequestId = Annotated[UUID, Path(description="The request's id.")]
System = Annotated[str, Path(max_length=200, description="The system's id in the profile.")]


class SystemShown(BaseModel):
    system: str
    role: Role
    action: Action
    status: SystemStatus
    found: int
    attempts: int
    waits_for: str | None


class FoundShown(BaseModel):
    """A found record with its content: personal data, for handlers only."""

    record_id: UUID
    system: str
    kind: str
    category: str
    match: Match
    matched_by: IdentifierKind
    theirs: bool | None
    special: bool
    mentions_others: bool
    masked: list[str]
    fields: dict[str, Any]


class DecisionShown(BaseModel):
    record_id: UUID
    system: str
    category: str
    decision: Decision
    explanation: str
    ground: str | None
    law: str | None
    until: date | None
    keep_fields: list[str]
    asked: list[str] = Field(description="Fields the person wants erased; empty: all of it.")
    met: ErasureGround | None
    asks: list[str]
    steps: list[str]


class DecideMatch(Form):
    theirs: bool
    reason: str = Field(min_length=1, max_length=100, description="A code, never personal data.")


class Facts(Form):
    record_id: UUID
    flags: list[str]


class Approve(Form):
    """`considered` says that open questions were looked at; `words` go into the letter."""

    answers: list[Facts] = Field(default=[], max_length=1_000)
    considered: bool = False
    words: str = Field(default="", max_length=20_000)
    full_cards: bool = Field(
        default=False, description="The person asked to see whole card numbers (GK-12)."
    )
    tell: bool = Field(
        default=False, description="The person asked to be told when what is kept goes (E-15)."
    )


class FoundByHand(FoundRow):
    """One record that a person found where no connector can look.

    It is strong only when it was matched by an identifier that was verified in this case.
    """

    matched_by: IdentifierKind = IdentifierKind.EMAIL
    certain: bool = True
    dates: Annotated[dict[Code, Day], Field(max_length=20)] = Field(
        default={}, validation_alias=AliasChoices("dates", "anchors")
    )


class ErasedByHand(Form):
    """What was done with one record; kept and refused need a ground that the law knows.

    `reason` is for the letter, in the words of whoever decided.
    """

    record_id: UUID
    outcome: Outcome
    detail: str = Field(default="", max_length=100)
    ground: str | None = Field(default=None, max_length=100)
    until: date | None = None
    reason: str = Field(default="", max_length=2_000)


class ByHand(Form):
    """What a person found, erased or did; exactly one of them. None needs a reason."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "found": [
                        {"kind": "order", "key": "4711", "fields": {"total": "450 kr"}},
                    ]
                }
            ]
        }
    )

    found: list[FoundByHand] | None = Field(default=None, max_length=MOST_ROWS)
    erased: list[ErasedByHand] | None = Field(default=None, min_length=1, max_length=MOST_ROWS)
    looked_again: bool = False
    outcome: Outcome | None = None
    reason: str = Field(default="", max_length=100, description="A code, never personal data.")


class OnTheList(BaseModel):
    """One request on the work list: what is due, what stands in the way, and whose turn it is."""

    request_id: UUID
    case_id: UUID
    reference: str
    controller: str
    right: str
    status: str
    target_due: date
    statutory_due: date | None
    promise_due: date | None
    extended_due: date | None
    clock_runs: bool
    missed: list[str]
    blocked_by: list[str]
    turn: str
    assigned_to: str | None


class WorkList(BaseModel):
    """`next` is the cursor of the next page, if there is one."""

    items: list[OnTheList]
    next: str | None


class Earlier(Form):
    """Why a request counts from a day before today: for the authority that asks one day."""

    reason: str = Field(
        min_length=1,
        max_length=100,
        description="A code, never a person's data.",
        examples=["letter-found-in-another-department"],
    )
    said_by: str = Field(
        min_length=1,
        max_length=500,
        description="Who says so. Sealed.",
        examples=["The service desk in Bergen"],
    )
    evidence: str = Field(
        min_length=1,
        max_length=20_000,
        description="What shows the day. Sealed.",
        examples=["Stamped as received on the 2nd; lay in the wrong tray."],
    )


class Receive(Form):
    """A request whose sender knows what is asked and by whom.

    `received_at` is when it reached the controller, now if left out; on a day before today it
    needs `backdated`.
    """

    controller: str = Field(max_length=100)
    rights: list[Right] = Field(min_length=1, max_length=len(Right))
    identifiers: list[GivenIdentifier] = Field(min_length=1, max_length=50)
    language: Language | None = Field(
        default=None, description="Of the answer; the controller's own if left out."
    )
    channel: Channel = Channel.API
    text: str = Field(default="", max_length=100_000, description="The person's own words.")
    received_at: Moment | None = None
    backdated: Earlier | None = None
    external_number: ExternalNumber | None = None
    purposes: list[str] = Field(
        default=[],
        max_length=50,
        description="Of which consent is withdrawn; all of them if left out (Art. 7(3)).",
    )


@router.post("", status_code=HTTPStatus.CREATED, response_model=CaseShown)
def receive(installation: Installed, command: NewCommand, form: Receive) -> Response:
    """Record a request and confirm it at once; the clock starts when it reached the controller.

    Send an `Idempotency-Key`: without one the same request sent again is another one.
    """
    require_controller(command.bearer, form.controller)
    case_id, earlier = uuid4(), form.backdated
    asked = Asked(
        rights=tuple(form.rights),
        identifiers=tuple(Identifier(one.kind, one.value) for one in form.identifiers),
        channel=form.channel,
        language=form.language,
        text=form.text,
        received_at=form.received_at,
        backdated=Backdated(earlier.reason, earlier.said_by, earlier.evidence) if earlier else None,
        external_number=form.external_number,
        purposes=tuple(form.purposes),
    )
    return command.carry_out(
        lambda: installation.intake.take(
            case_id, form.controller, asked, by=command.bearer.staff_id
        ),
        lambda: shown(installation, installation.register.case(case_id)),
        of=case_id,
        status=HTTPStatus.CREATED,
        location=f"/v1/cases/{case_id}",
    )


@router.get("")
def work_list(
    installation: Installed,
    bearer: Reader,
    page: Paged,
    controller: Annotated[str | None, Query(max_length=100)] = None,
    turn: Annotated[Turn | None, Query(description="Whose turn it is.")] = None,
    assigned_to: Annotated[str | None, Query(max_length=100, description="A staff id.")] = None,
) -> WorkList:
    """What is not closed yet, by the day to aim for; what has been answered comes last."""
    found = worklist.entries(
        installation.database,
        seen(installation, bearer, controller),
        turn=turn,
        assigned_to=assigned_to,
        after=_listed_at(page.after) if page.after else None,
        limit=page.limit + 1,
    )
    following = None
    if len(found) > page.limit:
        found.pop()
        last = found[-1]
        runs = "runs" if last.clock_runs else "answered"
        following = page.next((runs, last.target_due.isoformat(), str(last.request_id)))
    return WorkList(items=[on_the_list(one) for one in found], next=following)


def _listed_at(place: Place) -> worklist.Place:
    runs, due, request_id = place
    return worklist.Place(runs == "runs", date.fromisoformat(due), UUID(request_id))


@router.get("/{request_id}")
def read(
    installation: Installed,
    bearer: Reader,
    response: Response,
    request_id: RequestId,
    as_of: AsOf = None,
) -> RequestSummary:
    request = request_of(installation, bearer, request_id)
    if as_of is not None:
        return summary(past(installation, request, as_of))
    show_state(installation, request.case_id, response)
    return summary(installation.register.request(request_id))


@router.get("/{request_id}/systems")
def systems(
    installation: Installed, bearer: Reader, page: Paged, request_id: RequestId
) -> list[SystemShown]:
    """Who was asked, what for, and how far they are."""
    request_of(installation, bearer, request_id)
    fulfilment = installation.register.find_fulfilment(request_id)
    if fulfilment is None:
        return []
    return [
        SystemShown(
            system=state.plan.system,
            role=state.plan.role,
            action=state.action,
            status=state.status,
            found=len(state.found),
            attempts=state.attempts,
            waits_for=state.waits_for,
        )
        for _, state in page.of(
            enumerate(fulfilment.systems.values()), lambda one: (f"{one[0]:09}",)
        )
    ]


@router.get("/{request_id}/records")
def records(
    installation: Installed, bearer: Handler, look: Looking, page: Paged, request_id: RequestId
) -> list[FoundShown]:
    """What was found, with how it matched; weak matches wait to be confirmed or rejected."""
    request = request_of(installation, bearer, request_id)
    look.into(request, bearer, Content.RECORD)
    shown = page.of(request.found.values(), _of_record)
    content = {one.record_id: installation.deciding.record(one) for one in shown}
    if installation.register.case(request.case_id).protected:
        content = {one: without_places(record) for one, record in content.items()}
    return [
        FoundShown(
            record_id=found.record_id,
            system=found.system,
            kind=found.kind,
            category=found.category,
            match=found.match,
            matched_by=found.matched_by,
            theirs=request.matches.get(found.record_id, None if found.needs_a_person else True),
            special=found.special,
            mentions_others=found.mentions_others,
            masked=list(content[found.record_id].masked),
            fields=dict(content[found.record_id].fields),
        )
        for found in shown
    ]


@router.post("/{request_id}/records/{record_id}/match", response_model=RequestSummary)
def match(
    installation: Installed,
    command: DeskCommand,
    request_id: RequestId,
    record_id: UUID,
    form: DecideMatch,
) -> Response:
    """Say whether a weakly matching record is the person's."""
    request = request_of(installation, command.bearer, request_id)
    return carry_out(
        installation,
        command,
        request,
        lambda: installation.deciding.decide_match(
            request_id,
            record_id,
            theirs=form.theirs,
            reason=form.reason,
            by=command.bearer.staff_id,
        ),
    )


@router.get("/{request_id}/decisions")
def decisions(
    installation: Installed, bearer: Handler, look: Looking, page: Paged, request_id: RequestId
) -> list[DecisionShown]:
    """What would become of each record if it were approved today; nothing is changed."""
    request = request_of(installation, bearer, request_id)
    look.into(request, bearer, Content.RECORD)
    today = received_on(installation.clock(), request.country)
    return [
        DecisionShown(
            record_id=preview.found.record_id,
            system=preview.found.system,
            category=preview.found.category,
            decision=preview.verdict.decision,
            explanation=preview.verdict.explanation,
            ground=preview.verdict.ground,
            law=preview.verdict.law,
            until=preview.verdict.until,
            keep_fields=list(preview.verdict.keep_fields),
            asked=list(preview.verdict.asked),
            met=preview.verdict.met,
            asks=list(preview.verdict.asks),
            steps=[step.code for step in preview.verdict.steps],
        )
        for preview in page.of(
            installation.deciding.preview(request, today), lambda one: _of_record(one.found)
        )
    ]


@router.post("/{request_id}/approve", response_model=RequestSummary)
def approve(
    installation: Installed, command: DeskCommand, request_id: RequestId, form: Approve
) -> Response:
    """Approve what is to be sent or erased, in your name."""
    request = request_of(installation, command.bearer, request_id)
    return carry_out(
        installation,
        command,
        request,
        lambda: installation.deciding.approve(
            request_id,
            by=command.bearer.staff_id,
            answers={one.record_id: frozenset(one.flags) for one in form.answers},
            considered=form.considered,
            words=form.words,
            full_cards=form.full_cards,
            tell=form.tell,
        ),
    )


@router.post("/{request_id}/systems/{system}/answer", response_model=RequestSummary)
def answer_by_hand(
    installation: Installed,
    command: DeskCommand,
    request_id: RequestId,
    system: System,
    form: ByHand,
) -> Response:
    """Record what a person found or did in a system, or that a recipient was informed."""
    request = request_of(installation, command.bearer, request_id)
    return carry_out(
        installation,
        command,
        request,
        lambda: record_by_hand(installation, request_id, system, form, by=command.bearer.staff_id),
    )


@router.post(
    "/{request_id}/systems/{system}/again",
    status_code=HTTPStatus.ACCEPTED,
    response_model=RequestSummary,
)
def try_again(
    installation: Installed, command: DeskCommand, request_id: RequestId, system: System
) -> Response:
    """Ask a system once more, after somebody has seen to it over there."""
    request = request_of(installation, command.bearer, request_id)
    return carry_out(
        installation,
        command,
        request,
        lambda: installation.fulfilments.try_again(request_id, system, by=command.bearer.staff_id),
        status=HTTPStatus.ACCEPTED,
    )


def carry_out(
    installation: Installation,
    command: Command,
    request: DataSubjectRequest,
    act: Callable[[], object],
    *,
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    """A command on a request is answered with the request."""
    return command.carry_out(
        act,
        lambda: summary(installation.register.request(request.id)),
        of=request.case_id,
        status=status,
    )


def record_by_hand(
    installation: Installation, request_id: UUID, system: str, form: ByHand, *, by: str
) -> None:
    """Hand a person's answer to the service that it belongs to."""
    if form.found is not None:
        person = person_of(installation.vault, installation.register.request(request_id))
        rows = ManualAnswer(found=tuple(form.found)).to_records(person) if form.found else []
        installation.byhand.found(request_id, system, rows, reason=form.reason, by=by)
    elif form.erased is not None:
        results = {
            one.record_id: Result(
                one.outcome, one.detail, ground=one.ground, until=one.until, words=one.reason
            )
            for one in form.erased
        }
        installation.byhand.erased(
            request_id, system, results, looked_again=form.looked_again, by=by
        )
    elif form.outcome is not None:
        installation.byhand.done(
            request_id, system, outcome=form.outcome, reason=form.reason, by=by
        )
    else:
        raise DomainError("say what was found, what was erased, or how it ended")


def on_the_list(work: Work) -> OnTheList:
    return OnTheList(
        request_id=work.request_id,
        case_id=work.case_id,
        reference=reference(work.case_id),
        controller=work.controller,
        right=work.subject_right,
        status=work.status,
        target_due=work.target_due,
        statutory_due=work.statutory_due,
        promise_due=work.promise_due,
        extended_due=work.extended_due,
        clock_runs=work.clock_runs,
        missed=work.missed,
        blocked_by=work.blocked_by,
        turn=work.turn,
        assigned_to=work.assigned_to,
    )


def _of_record(found: FoundRecord) -> Place:
    return found.system, found.kind, str(found.record_id)


def request_of(installation: Installation, bearer: Bearer, request_id: UUID) -> DataSubjectRequest:
    request = installation.register.request(request_id)
    require_controller(bearer, request.controller)
    return request
