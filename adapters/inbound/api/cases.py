"""`/v1/cases`: what arrived, what a person confirmed, and who proved to be who."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, BaseModel, Field

from adapters.bootstrap import Installation
from adapters.inbound.api.auth import Handler, Installed, Reader, require_controller, seen
from adapters.inbound.api.shapes import Form, RequestSummary, summary
from adapters.outbound.tokens import Bearer
from domain.case import Case, CaseStatus, reference
from domain.vocabulary import (
    Channel,
    IdentifierKind,
    IdentityMethod,
    Language,
    LetterKind,
    Right,
    TriageKind,
)
from projections import deadline_worklist
from services import dossier
from services.intake import Note
from services.ports import CodeCheck, Identifier

router = APIRouter(prefix="/v1/cases", tags=["cases"])

CaseId = Annotated[UUID, Path(description="The case's id.")]


class LetterOfCase(BaseModel):
    letter_id: UUID
    kind: LetterKind
    printed: bool
    left_at: datetime | None
    failed: str | None


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


class SetAside(Form):
    kind: TriageKind


class WriteDown(Form):
    """A request taken by phone, at a counter or by post; no form is imposed (Art. 12(2))."""

    controller: str = Field(max_length=100)
    channel: Channel
    received_at: AwareDatetime
    text: str = Field(min_length=1, max_length=100_000)
    name: str = Field(default="", max_length=500)
    email: str = Field(default="", max_length=500)


class Ask(Form):
    reason: str = Field(min_length=1, max_length=500, description="A code, never a person's data.")


class Try(Form):
    code: str = Field(min_length=1, max_length=40)


class Tried(BaseModel):
    result: CodeCheck


class VerifiedBy(Form):
    method: IdentityMethod


@router.post("", status_code=HTTPStatus.CREATED)
def write_down(installation: Installed, bearer: Handler, form: WriteDown) -> CaseShown:
    """Record a request the moment it is taken; the clock starts at `received_at`."""
    require_controller(bearer, form.controller)
    fingerprint = sha256(form.model_dump_json().encode()).hexdigest()
    case_id = installation.intake.write_down(
        form.controller,
        Note(
            text=form.text,
            sender_name=form.name,
            sender_address=form.email,
            received_at=form.received_at,
            channel=form.channel,
            fingerprint=fingerprint,
        ),
    )
    return shown(installation, installation.register.case(case_id))


@router.get("")
def waiting(
    installation: Installed,
    bearer: Reader,
    controller: Annotated[str | None, Query(max_length=100)] = None,
    status: CaseStatus = CaseStatus.WAITING,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> list[Waiting]:
    """Messages that wait for a person, or were set aside, the oldest first."""
    found = deadline_worklist.inbox(
        installation.database, seen(installation, bearer, controller), status=status, limit=limit
    )
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
def messages(installation: Installed, bearer: Handler, case_id: CaseId) -> list[MessageShown]:
    """What was written to us in this case, replies to our letters included."""
    case = _case(installation, bearer, case_id)
    written = [dossier.MESSAGE.validate_json(installation.vault.open(ref)) for ref in case.messages]
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


@router.get("/{case_id}/related")
def related(installation: Installed, bearer: Reader, case_id: CaseId) -> list[CaseShown]:
    """Other cases of what may be the same person, who perhaps asked twice."""
    _case(installation, bearer, case_id)
    return [
        shown(installation, installation.register.case(other))
        for other in installation.intake.related(case_id)
    ]


@router.get("/{case_id}")
def read(installation: Installed, bearer: Reader, case_id: CaseId) -> CaseShown:
    return shown(installation, _case(installation, bearer, case_id))


@router.post("/{case_id}/confirm")
def confirm(installation: Installed, bearer: Handler, case_id: CaseId, form: Confirm) -> CaseShown:
    """Say what the message asks and for whom; every right gets a request and its dates."""
    _case(installation, bearer, case_id)
    identifiers = (
        tuple(Identifier(one.kind, one.value) for one in form.identifiers)
        if form.identifiers is not None
        else installation.intake.proposed_identifiers(case_id)
    )
    case = installation.intake.confirm(
        case_id,
        rights=tuple(form.rights),
        language=form.language,
        identifiers=identifiers,
        by=bearer.staff_id,
    )
    return shown(installation, case)


@router.post("/{case_id}/set-aside")
def set_aside(
    installation: Installed, bearer: Handler, case_id: CaseId, form: SetAside
) -> CaseShown:
    """No request under the GDPR: customer service, document access, somebody else's, spam."""
    _case(installation, bearer, case_id)
    installation.intake.set_aside(case_id, kind=form.kind, by=bearer.staff_id)
    return shown(installation, installation.register.case(case_id))


@router.post("/{case_id}/identity/ask", status_code=HTTPStatus.ACCEPTED)
def ask_identity(installation: Installed, bearer: Handler, case_id: CaseId, form: Ask) -> CaseShown:
    """Send a code to the person's address; the reason for doubt is recorded (Art. 12(6))."""
    _case(installation, bearer, case_id)
    installation.identity.ask(case_id, reason=form.reason, by=bearer.staff_id)
    return shown(installation, installation.register.case(case_id))


@router.post("/{case_id}/identity/code")
def try_code(installation: Installed, bearer: Handler, case_id: CaseId, form: Try) -> Tried:
    """Try a code that the person wrote back."""
    _case(installation, bearer, case_id)
    return Tried(result=installation.identity.check_code(case_id, form.code))


@router.post("/{case_id}/identity/verified")
def verified(
    installation: Installed, bearer: Handler, case_id: CaseId, form: VerifiedBy
) -> CaseShown:
    """Record that identity was checked another way; what was shown is not kept."""
    _case(installation, bearer, case_id)
    installation.identity.verify_by_hand(case_id, method=form.method, by=bearer.staff_id)
    return shown(installation, installation.register.case(case_id))


@router.post("/{case_id}/letters/{letter_id}/posted")
def posted(installation: Installed, bearer: Handler, case_id: CaseId, letter_id: UUID) -> CaseShown:
    """Record that a printed letter was posted."""
    _case(installation, bearer, case_id)
    installation.answering.letter_left(case_id, letter_id, how="post", by=bearer.staff_id)
    return shown(installation, installation.register.case(case_id))


@router.post("/{case_id}/letters/{letter_id}/again", status_code=HTTPStatus.ACCEPTED)
def send_again(
    installation: Installed, bearer: Handler, case_id: CaseId, letter_id: UUID
) -> CaseShown:
    """Send a letter again that nobody took."""
    _case(installation, bearer, case_id)
    installation.answering.send_again(case_id, letter_id)
    return shown(installation, installation.register.case(case_id))


def shown(installation: Installation, case: Case) -> CaseShown:
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
        requests=[summary(request) for request in installation.register.requests_of(case)],
        letters=[
            LetterOfCase(
                letter_id=letter.id,
                kind=letter.kind,
                printed=letter.printed,
                left_at=case.left.get(letter.id),
                failed=case.failed.get(letter.id),
            )
            for letter in case.letters.values()
        ],
    )


def _case(installation: Installation, bearer: Bearer, case_id: UUID) -> Case:
    case = installation.register.case(case_id)
    require_controller(bearer, case.controller)
    return case
