"""`/v1/cases`: what arrived, what a person confirmed, and who proved to be who."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import AwareDatetime, BaseModel, Field

from adapters.bootstrap import Installation
from adapters.inbound.api.auth import Handler, Installed, Reader, require_controller
from adapters.inbound.api.shapes import RequestSummary, summary
from adapters.outbound.tokens import Bearer
from domain.case import Case, CaseStatus
from domain.vocabulary import (
    Channel,
    IdentifierKind,
    IdentityMethod,
    Language,
    LetterKind,
    Right,
    TriageKind,
)
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
    requests: list[RequestSummary]
    letters: list[LetterOfCase]


class GivenIdentifier(BaseModel):
    kind: IdentifierKind
    value: str = Field(min_length=1, max_length=500)


class Confirm(BaseModel):
    """What a person read in the message. Identifiers left out are taken from the message."""

    rights: list[Right] = Field(min_length=1)
    language: Language
    identifiers: list[GivenIdentifier] | None = Field(default=None, min_length=1, max_length=50)


class SetAside(BaseModel):
    kind: TriageKind


class WriteDown(BaseModel):
    """A request taken by phone, at a counter or by post; no form is imposed (Art. 12(2))."""

    controller: str = Field(max_length=100)
    channel: Channel
    received_at: AwareDatetime
    text: str = Field(min_length=1, max_length=100_000)
    name: str = Field(default="", max_length=500)
    email: str = Field(default="", max_length=500)


class Ask(BaseModel):
    reason: str = Field(min_length=1, max_length=500, description="A code, never a person's data.")


class Try(BaseModel):
    code: str = Field(min_length=1, max_length=40)


class Tried(BaseModel):
    result: CodeCheck


class VerifiedBy(BaseModel):
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
