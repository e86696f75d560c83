"""`/v1/…` to write to the person, to take back or put right, and for what went elsewhere."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field

from adapters.bootstrap import Installation
from adapters.inbound.api.auth import ApiRoute, Handler, Installed
from adapters.inbound.api.cases import CaseId, CaseShown, case_of, shown
from adapters.inbound.api.commands import DeskCommand
from adapters.inbound.api.looking import Looking
from adapters.inbound.api.requests import RequestId, carry_out, request_of
from adapters.inbound.api.shapes import Form, Moment, RequestSummary
from domain.request import DataSubjectRequest
from domain.request_state import Breach
from domain.vocabulary import Content
from services.misdirected import BreachNote

router = APIRouter(prefix="/v1/cases/{case_id}", tags=["letters"], route_class=ApiRoute)
requests = APIRouter(prefix="/v1/requests/{request_id}", tags=["requests"], route_class=ApiRoute)

LetterId = Annotated[UUID, Path(description="The letter's id.")]
BreachId = Annotated[UUID, Path(description="The breach's id.")]
Words = Annotated[str, Field(min_length=1, max_length=20_000)]


class Message(Form):
    """Goes into a letter of its own, in the person's language."""

    words: Words = Field(examples=["Vi ringer deg mandag."])


class WrongPerson(Form):
    """When it became known; now, where it is left out. The 72 hours count from it (Art. 33(1))."""

    known_at: Moment | None = None


class Revoke(Form):
    reason: str = Field(
        min_length=1,
        max_length=100,
        description="A code, never a person's data.",
        examples=["namesake"],
    )


class Unlink(Form):
    request_id: UUID = Field(description="The request that is not the same after all.")


class Note(Form):
    """The facts, the effects and the remedies (Art. 33(5)). The words are sealed."""

    what: Words
    consequences: Words
    measures: Words


class Authority(Form):
    """When the authority was told; without a moment it was not, and `reasons` says why not."""

    told_at: Moment | None = None
    reasons: str = Field(default="", max_length=20_000)


class PersonTold(Form):
    """`by_letter` has the letter of Art. 34 written from the note, to the address put right."""

    by_letter: bool = False
    told: bool = True
    reasons: str = Field(default="", max_length=20_000)


class BreachState(BaseModel):
    """A breach without anybody's words."""

    breach_id: UUID
    request_id: UUID
    letter_id: UUID | None
    known_at: datetime | None
    tell_authority_by: datetime | None
    categories: list[str]
    records: int
    link_withdrawn: bool
    fetched_at: datetime | None
    described: bool
    authority_told_at: datetime | None
    authority_settled: bool
    person_told: bool | None
    settled: bool


class BreachWithWords(BreachState):
    """A breach with what was written about it: for handlers only."""

    what: str
    consequences: str
    measures: str


@router.post("/letters/messages", response_model=CaseShown, status_code=HTTPStatus.CREATED)
def message(
    installation: Installed, command: DeskCommand, case_id: CaseId, form: Message
) -> Response:
    """Write to the person; until the letter leaves it can be recalled."""
    case_of(installation, command.bearer, case_id)
    return command.carry_out(
        lambda: installation.writing.message(case_id, words=form.words, by=command.bearer.staff_id),
        lambda: shown(installation, installation.register.case(case_id)),
        of=case_id,
        status=HTTPStatus.CREATED,
    )


@router.post("/letters/{letter_id}/recall", response_model=CaseShown)
def recall(
    installation: Installed, command: DeskCommand, case_id: CaseId, letter_id: LetterId
) -> Response:
    """Take back a letter that has not left, with what was decided by sending it."""
    case_of(installation, command.bearer, case_id)
    return command.carry_out(
        lambda: installation.recalling.recall(case_id, letter_id, by=command.bearer.staff_id),
        lambda: shown(installation, installation.register.case(case_id)),
        of=case_id,
    )


@router.post("/letters/{letter_id}/wrong-person", response_model=list[BreachState])
def wrong_person(
    installation: Installed,
    command: DeskCommand,
    case_id: CaseId,
    letter_id: LetterId,
    form: WrongPerson,
) -> Response:
    """End the link, write down what was reachable, and open the breach note (Art. 33)."""
    case_of(installation, command.bearer, case_id)
    return command.carry_out(
        lambda: installation.misdirected.report(
            case_id, letter_id, by=command.bearer.staff_id, known_at=form.known_at
        ),
        lambda: _breaches(installation, case_id),
        of=case_id,
    )


@router.get("/breaches")
def breaches(
    installation: Installed, bearer: Handler, look: Looking, case_id: CaseId
) -> list[BreachWithWords]:
    """What went to the wrong person, what was reachable, and what was done about it."""
    look.into(case_of(installation, bearer, case_id), bearer, Content.NOTE)
    case = installation.register.case(case_id)
    return [_with_words(one) for one in installation.misdirected.of_case(case)]


@router.post("/identity/revoke", response_model=CaseShown)
def revoke_identity(
    installation: Installed, command: DeskCommand, case_id: CaseId, form: Revoke
) -> Response:
    """Undo an identity check that was wrong; what was found for somebody else is forgotten."""
    case_of(installation, command.bearer, case_id)
    return command.carry_out(
        lambda: installation.mistakes.revoke_identity(
            case_id, reason=form.reason, by=command.bearer.staff_id
        ),
        lambda: shown(installation, installation.register.case(case_id)),
        of=case_id,
    )


@requests.post("/take-back", response_model=RequestSummary)
def take_back(installation: Installed, command: DeskCommand, request_id: RequestId) -> Response:
    """Undo an approval or a refusal of which nobody was told."""
    request = request_of(installation, command.bearer, request_id)

    def act() -> None:
        installation.mistakes.take_back(request_id, by=command.bearer.staff_id)

    return carry_out(installation, command, request, act)


@requests.post("/unlink", response_model=RequestSummary)
def unlink(
    installation: Installed, command: DeskCommand, request_id: RequestId, form: Unlink
) -> Response:
    """Two requests are two after all; each has its own receipt again."""
    request = request_of(installation, command.bearer, request_id)
    request_of(installation, command.bearer, form.request_id)

    def act() -> None:
        installation.mistakes.unlink(request_id, to=form.request_id, by=command.bearer.staff_id)

    return carry_out(installation, command, request, act)


@requests.post("/breaches/{breach_id}/note", response_model=list[BreachState])
def describe(
    installation: Installed,
    command: DeskCommand,
    request_id: RequestId,
    breach_id: BreachId,
    form: Note,
) -> Response:
    """Write down what happened; every version is kept."""
    request = request_of(installation, command.bearer, request_id)
    return command.carry_out(
        lambda: installation.misdirected.describe(
            request_id,
            breach_id,
            what=form.what,
            consequences=form.consequences,
            measures=form.measures,
            by=command.bearer.staff_id,
        ),
        lambda: _breaches(installation, request.case_id),
        of=request.case_id,
    )


@requests.post("/breaches/{breach_id}/authority", response_model=list[BreachState])
def authority(
    installation: Installed,
    command: DeskCommand,
    request_id: RequestId,
    breach_id: BreachId,
    form: Authority,
) -> Response:
    """Say when the authority was told, or why it is not (Art. 33(1))."""
    request = request_of(installation, command.bearer, request_id)
    return command.carry_out(
        lambda: installation.misdirected.settle_with_authority(
            request_id,
            breach_id,
            told_at=form.told_at,
            reasons=form.reasons,
            by=command.bearer.staff_id,
        ),
        lambda: _breaches(installation, request.case_id),
        of=request.case_id,
    )


@requests.post("/breaches/{breach_id}/person", response_model=list[BreachState])
def person(
    installation: Installed,
    command: DeskCommand,
    request_id: RequestId,
    breach_id: BreachId,
    form: PersonTold,
) -> Response:
    """Have the person told by letter, or say how they were told, or why not (Art. 34)."""
    request = request_of(installation, command.bearer, request_id)

    def act() -> None:
        if form.by_letter:
            installation.misdirected.write_to_person(
                request_id, breach_id, by=command.bearer.staff_id
            )
            return
        installation.misdirected.settle_with_person(
            request_id,
            breach_id,
            told=form.told,
            reasons=form.reasons,
            by=command.bearer.staff_id,
        )

    return command.carry_out(
        act, lambda: _breaches(installation, request.case_id), of=request.case_id
    )


def _breaches(installation: Installation, case_id: UUID) -> list[BreachState]:
    """What a command is answered with: the words it seals can be read once it is saved."""
    requests_of_case = installation.register.requests_of(installation.register.case(case_id))
    return [
        BreachState(**_facts(request, breach))
        for request in requests_of_case
        for breach in request.breaches.values()
    ]


def _with_words(note: BreachNote) -> BreachWithWords:
    what, consequences, measures = note.notes
    facts = _facts(note.request, note.breach)
    return BreachWithWords(**facts, what=what, consequences=consequences, measures=measures)


def _facts(request: DataSubjectRequest, breach: Breach) -> dict[str, Any]:
    return {
        "breach_id": breach.report.id,
        "request_id": request.id,
        "letter_id": breach.letter,
        "known_at": breach.known_at,
        "tell_authority_by": breach.tell_by,
        "categories": list(breach.categories),
        "records": breach.records,
        "link_withdrawn": breach.link_withdrawn,
        "fetched_at": breach.fetched_at,
        "described": bool(breach.notes),
        "authority_told_at": breach.authority_told_at,
        "authority_settled": breach.authority_settled,
        "person_told": breach.person_told,
        "settled": breach.is_settled,
    }
