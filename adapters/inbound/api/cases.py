"""`/v1/cases`: what arrived, what a person confirmed, and who proved to be who."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import sha256
from http import HTTPStatus
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
from adapters.inbound.api.commands import Command, DeskCommand, FindCommand, NewCommand, show_state
from adapters.inbound.api.looking import Looking
from adapters.inbound.api.paging import Paged
from adapters.inbound.api.shapes import (
    AsOf,
    ExternalNumber,
    Form,
    Moment,
    RequestSummary,
    past,
    summary,
)
from adapters.outbound.tokens import Bearer
from domain.case import Case, CaseStatus, reference
from domain.request import DataSubjectRequest
from domain.vocabulary import (
    Channel,
    Content,
    IdentifierKind,
    IdentityMethod,
    Language,
    LetterKind,
    ReceiptSource,
    Right,
    TriageKind,
)
from projections import incoming
from services import dossier
from services.intake import Note
from services.ports import CodeCheck, Identifier
from services.showing import places_in, shown_message

router = APIRouter(prefix="/v1/cases", tags=["cases"], route_class=ApiRoute)

CaseId = Annotated[UUID, Path(description="The case's id.")]


class LetterOfCase(BaseModel):
    letter_id: UUID
    kind: LetterKind
    printed: bool
    left_at: datetime | None
    failed: str | None
    recalled: bool = False


class CaseShown(BaseModel):
    """A case without anybody's personal data."""

    case_id: UUID
    reference: str
    controller: str
    status: CaseStatus
    kind: TriageKind
    rights: list[Right]
    language: Language
    received_at: datetime
    messages: int
    requests: list[RequestSummary]
    letters: list[LetterOfCase]


class MessageShown(BaseModel):
    """One message of a case: personal data, for handlers only."""

    sender_name: str
    sender_address: str
    subject: str
    text: str
    attachments: list[str]
    truncated: bool


class Waiting(BaseModel):
    """A message on the list, without anybody's personal data."""

    case_id: UUID
    reference: str
    controller: str
    channel: str
    received_at: datetime
    kind: str
    rights: list[str]
    language: str
    certain: bool


class GivenIdentifier(Form):
    kind: IdentifierKind
    value: str = Field(min_length=1, max_length=500)


class Confirm(Form):
    """What a person read in the message. Identifiers left out are taken from the message."""

    rights: list[Right] = Field(min_length=1)
    language: Language
    identifiers: list[GivenIdentifier] | None = Field(default=None, min_length=1, max_length=50)
    purposes: list[str] = Field(
        default=[],
        max_length=50,
        description="Of which consent is withdrawn; all of them if left out (Art. 7(3)).",
    )


class SetAside(Form):
    kind: TriageKind = Field(examples=[TriageKind.SPAM])


class WriteDown(Form):
    """A request taken by phone, at a counter or by post; no form is imposed (Art. 12(2))."""

    controller: str = Field(max_length=100)
    channel: Channel
    received_at: Moment
    text: str = Field(min_length=1, max_length=100_000)
    name: str = Field(default="", max_length=500, examples=["Kari Testesen"])
    email: str = Field(default="", max_length=500)


class Find(Form):
    controller: str = Field(max_length=100)
    external_number: ExternalNumber


class ReceiptShown(BaseModel):
    """When a case arrived, and by what that is known: personal data, for handlers only."""

    received_at: datetime
    recorded_at: datetime
    source: ReceiptSource
    backdated_because: str | None
    backdated_by: str | None
    said_by: str | None
    evidence: str | None
    external_number: str | None


class Ask(Form):
    reason: str = Field(min_length=1, max_length=500, description="A code, never a person's data.")


class Try(Form):
    code: str = Field(min_length=1, max_length=40)


class Tried(BaseModel):
    result: CodeCheck


class VerifiedBy(Form):
    method: IdentityMethod = Field(examples=[IdentityMethod.IN_PERSON])


@router.post("", status_code=HTTPStatus.CREATED, response_model=CaseShown)
def write_down(installation: Installed, command: NewCommand, form: WriteDown) -> Response:
    """Record a request the moment it is taken; the clock starts at `received_at`.

    The same words again are the same case.
    """
    require_controller(command.bearer, form.controller)
    fingerprint = sha256(form.model_dump_json().encode()).hexdigest()
    case_id = Case.id_for(form.controller, fingerprint)
    note = Note(
        text=form.text,
        sender_name=form.name,
        sender_address=form.email,
        received_at=form.received_at,
        channel=form.channel,
        fingerprint=fingerprint,
    )
    return command.carry_out(
        lambda: installation.intake.write_down(form.controller, note),
        lambda: shown(installation, installation.register.case(case_id)),
        of=case_id,
        status=HTTPStatus.CREATED,
        location=f"/v1/cases/{case_id}",
    )


@router.post("/find", response_model=list[CaseShown])
def find(installation: Installed, command: FindCommand, form: Find) -> Response:
    """The case that another system knows by its number, if there is one.

    The number travels in a body: it may say whose case it is.
    """
    require_controller(command.bearer, form.controller)

    def found() -> list[CaseShown]:
        case_id = installation.intake.case_numbered(form.controller, form.external_number)
        case = installation.register.find_case(case_id) if case_id is not None else None
        return [shown(installation, case)] if case is not None else []

    return command.carry_out(lambda: None, found)


@router.get("")
def waiting(
    installation: Installed,
    bearer: Reader,
    page: Paged,
    controller: Annotated[str | None, Query(max_length=100)] = None,
    status: CaseStatus = CaseStatus.WAITING,
) -> list[Waiting]:
    """Messages that wait for a person, or were set aside, the oldest first."""
    place = (datetime.fromisoformat(page.after[0]), UUID(page.after[1])) if page.after else None
    found = incoming.inbox(
        installation.database,
        seen(installation, bearer, controller),
        status=status,
        after=place,
        limit=page.limit + 1,
    )
    if len(found) > page.limit:
        found.pop()
        page.next((found[-1].received_at.isoformat(), str(found[-1].case_id)))
    return [
        Waiting(
            case_id=one.case_id,
            reference=reference(one.case_id),
            controller=one.controller,
            channel=one.channel,
            received_at=one.received_at,
            kind=one.kind,
            rights=one.rights,
            language=one.language,
            certain=one.certain,
        )
        for one in found
    ]


@router.get("/{case_id}/messages")
def messages(
    installation: Installed, bearer: Handler, look: Looking, page: Paged, case_id: CaseId
) -> list[MessageShown]:
    """What was written to us in this case, replies to our letters included."""
    case = case_of(installation, bearer, case_id)
    look.into(case, bearer, Content.MESSAGE)
    shown = page.of(enumerate(case.messages), lambda one: (f"{one[0]:09}",))
    hidden = places_in(installation.vault, case)
    written = [
        shown_message(dossier.MESSAGE.validate_json(installation.vault.open(ref)), hidden)
        for _, ref in shown
    ]
    return [
        MessageShown(
            sender_name=one.sender_name,
            sender_address=one.sender_address,
            subject=one.subject,
            text=one.text,
            attachments=list(one.attachments),
            truncated=one.truncated,
        )
        for one in written
    ]


@router.get("/{case_id}/receipt")
def receipt(
    installation: Installed, bearer: Handler, look: Looking, case_id: CaseId
) -> ReceiptShown:
    """When the case arrived, by what that is known, and what other systems call it."""
    case = case_of(installation, bearer, case_id)
    look.into(case, bearer, Content.MESSAGE)
    proof, number = case.proof_of_receipt, case.external_number
    said = dossier.PROOF.validate_json(installation.vault.open(proof)) if proof else None
    return ReceiptShown(
        received_at=case.received_at,
        recorded_at=case.arrived_at,
        source=case.receipt_source,
        backdated_because=case.backdated_because,
        backdated_by=case.backdated_by,
        said_by=said.said_by if said else None,
        evidence=said.evidence if said else None,
        external_number=installation.vault.open(number).decode() if number else None,
    )


@router.get("/{case_id}/related")
def related(
    installation: Installed, bearer: Reader, page: Paged, case_id: CaseId
) -> list[CaseShown]:
    """Other cases of what may be the same person, who perhaps asked twice."""
    case_of(installation, bearer, case_id)
    others = page.of(installation.intake.related(case_id), lambda other: (str(other),))
    return [shown(installation, installation.register.case(other)) for other in others]


@router.get("/{case_id}")
def read(
    installation: Installed,
    bearer: Reader,
    response: Response,
    case_id: CaseId,
    as_of: AsOf = None,
) -> CaseShown:
    case = case_of(installation, bearer, case_id)
    if as_of is not None:
        return shown_at(installation, past(installation, case, as_of), as_of)
    show_state(installation, case_id, response)
    return shown(installation, installation.register.case(case_id))


@router.post("/{case_id}/confirm", response_model=CaseShown)
def confirm(
    installation: Installed, command: DeskCommand, case_id: CaseId, form: Confirm
) -> Response:
    """Say what the message asks and for whom; every right gets a request and its dates."""
    case_of(installation, command.bearer, case_id)

    def act() -> None:
        identifiers = (
            tuple(Identifier(one.kind, one.value) for one in form.identifiers)
            if form.identifiers is not None
            else installation.intake.proposed_identifiers(case_id)
        )
        installation.intake.confirm(
            case_id,
            rights=tuple(form.rights),
            language=form.language,
            identifiers=identifiers,
            by=command.bearer.staff_id,
            purposes=tuple(form.purposes),
        )

    return _carry_out(installation, command, case_id, act)


@router.post("/{case_id}/set-aside", response_model=CaseShown)
def set_aside(
    installation: Installed, command: DeskCommand, case_id: CaseId, form: SetAside
) -> Response:
    """No request under the GDPR: customer service, document access, somebody else's, spam."""
    case_of(installation, command.bearer, case_id)
    return _carry_out(
        installation,
        command,
        case_id,
        lambda: installation.intake.set_aside(case_id, kind=form.kind, by=command.bearer.staff_id),
    )


@router.post("/{case_id}/identity/ask", status_code=HTTPStatus.ACCEPTED, response_model=CaseShown)
def ask_identity(
    installation: Installed, command: DeskCommand, case_id: CaseId, form: Ask
) -> Response:
    """Ask for proof, by code or by post; the reason for doubt is recorded (Art. 12(6))."""
    case_of(installation, command.bearer, case_id)
    return _carry_out(
        installation,
        command,
        case_id,
        lambda: installation.identity.ask(case_id, reason=form.reason, by=command.bearer.staff_id),
        status=HTTPStatus.ACCEPTED,
    )


@router.post("/{case_id}/identity/code", response_model=Tried)
def try_code(installation: Installed, command: DeskCommand, case_id: CaseId, form: Try) -> Response:
    """Try a code that the person wrote back."""
    case_of(installation, command.bearer, case_id)
    tried: list[CodeCheck] = []

    def act() -> None:
        tried.append(installation.identity.try_code(case_id, form.code))
        installation.identity.follow_code(case_id, tried[0])

    return command.carry_out(act, lambda: Tried(result=tried[0]), of=case_id)


@router.post("/{case_id}/identity/verified", response_model=CaseShown)
def verified(
    installation: Installed, command: DeskCommand, case_id: CaseId, form: VerifiedBy
) -> Response:
    """Record that identity was checked another way; what was shown is not kept."""
    case_of(installation, command.bearer, case_id)
    return _carry_out(
        installation,
        command,
        case_id,
        lambda: installation.identity.verify_by_hand(
            case_id, method=form.method, by=command.bearer.staff_id
        ),
    )


@router.post("/{case_id}/letters/{letter_id}/posted", response_model=CaseShown)
def posted(
    installation: Installed, command: DeskCommand, case_id: CaseId, letter_id: UUID
) -> Response:
    """Record that a printed letter was posted."""
    case_of(installation, command.bearer, case_id)
    return _carry_out(
        installation,
        command,
        case_id,
        lambda: installation.answering.letter_left(
            case_id, letter_id, how="post", by=command.bearer.staff_id
        ),
    )


@router.post(
    "/{case_id}/letters/{letter_id}/again",
    status_code=HTTPStatus.ACCEPTED,
    response_model=CaseShown,
)
def send_again(
    installation: Installed, command: DeskCommand, case_id: CaseId, letter_id: UUID
) -> Response:
    """Send a letter again that nobody took."""
    case_of(installation, command.bearer, case_id)
    return _carry_out(
        installation,
        command,
        case_id,
        lambda: installation.answering.send_again(case_id, letter_id),
        status=HTTPStatus.ACCEPTED,
    )


def _carry_out(
    installation: Installation,
    command: Command,
    case_id: UUID,
    act: Callable[[], object],
    *,
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    """A command on a case is answered with the case."""
    return command.carry_out(
        act,
        lambda: shown(installation, installation.register.case(case_id)),
        of=case_id,
        status=status,
    )


def shown(installation: Installation, case: Case) -> CaseShown:
    return _shown(case, installation.register.requests_of(case))


def shown_at(installation: Installation, case: Case, at: datetime) -> CaseShown:
    """A case of the past, with its requests as they were known then."""
    known = [
        installation.register.as_of(DataSubjectRequest, request_id, at)
        for request_id in case.request_ids
    ]
    return _shown(case, [request for request in known if request is not None])


def _shown(case: Case, requests: Sequence[DataSubjectRequest]) -> CaseShown:
    return CaseShown(
        case_id=case.id,
        reference=case.reference,
        controller=case.controller,
        status=case.status,
        kind=case.kind,
        rights=list(case.rights),
        language=case.language,
        received_at=case.received_at,
        messages=len(case.messages),
        requests=[summary(request) for request in requests],
        letters=[
            LetterOfCase(
                letter_id=letter.id,
                kind=letter.kind,
                printed=letter.printed,
                left_at=case.left.get(letter.id),
                failed=case.failed.get(letter.id),
                recalled=letter.id in case.recalled,
            )
            for letter in case.letters.values()
        ],
    )


def case_of(installation: Installation, bearer: Bearer, case_id: UUID) -> Case:
    case = installation.register.case(case_id)
    require_controller(bearer, case.controller)
    return case
