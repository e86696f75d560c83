"""`/v1/cases/{id}/letters`: letters looked at before they are written, printed, and delivered."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from adapters.bootstrap import Installation
from adapters.inbound.api.auth import ApiRoute, Handler, Installed
from adapters.inbound.api.cases import CaseId, CaseShown, case_of, shown
from adapters.inbound.api.commands import Command, DeskCommand
from adapters.inbound.api.looking import Looking
from adapters.inbound.api.shapes import Form
from domain.policy import Told
from domain.vocabulary import Content, DeliveryWay, IdentityMethod, Language, LetterKind, Right
from services.letters import ComposedLetter, Disclosure, Elsewhere, RecipientNotice
from services.previews import Given

router = APIRouter(prefix="/v1/cases/{case_id}/letters", tags=["letters"], route_class=ApiRoute)

PDF = "application/pdf"
_WORDS = Field(default="", max_length=20_000)
_CODE = Field(default="", max_length=100)


class Other(Form):
    """Who deals with it instead."""

    name: str = Field(min_length=1, max_length=500, examples=["Kundeservice"])
    contact: str = Field(default="", max_length=500)
    passed_on: bool = False


class Leak(Form):
    """What went wrong, what may follow, and what is done about it (Art. 34)."""

    on: date
    what: str = Field(min_length=1, max_length=20_000)
    consequences: str = Field(min_length=1, max_length=20_000)
    measures: str = Field(min_length=1, max_length=20_000)


class Receiver(Form):
    recipient: str = Field(min_length=1, max_length=500)
    told: Told
    on: date | None = None
    about: Right | None = None
    fields: list[str] = Field(default=[], max_length=50)


class Added(Form):
    """What whoever writes the letter adds; each kind uses its part and insists on it."""

    free_text: str = _WORDS
    question: str = Field(default="", max_length=20_000, examples=["Gjelder det bare kjøpene?"])
    why: str = _WORDS
    law: str = Field(default="", max_length=500)
    doubt: str = _CODE
    reasons: list[str] = Field(default=[], max_length=20)
    ways: list[IdentityMethod] = Field(default=[], max_length=10)
    purposes: list[str] = Field(default=[], max_length=50)
    fee: str = Field(default="", max_length=50)
    asked_on: date | None = None
    reply_by: date | None = None
    new_date: date | None = None
    lift_on: date | None = None
    elsewhere: Other | None = None
    disclosure: Leak | None = None
    recipients: list[Receiver] = Field(default=[], max_length=100)


class Preview(Added):
    """Which letter, about what, and in which language."""

    kind: LetterKind = Field(examples=[LetterKind.CLARIFICATION])
    right: Right | None = None
    language: Language | None = None


class LetterShown(BaseModel):
    """A letter as it would be written now."""

    kind: LetterKind
    language: Language
    subject: str
    text: str
    html: str


class Delivered(Form):
    """How a letter reached the person, and what shows it. Nothing of an identity paper is kept."""

    way: DeliveryWay = Field(examples=[DeliveryWay.POST])
    on: date
    tracking: str = Field(default="", max_length=200, description="A registered letter's number.")
    seen: str = Field(default="", max_length=500, description="How they showed who they are.")


class Unencrypted(Form):
    """Which copy goes as an attachment by plain mail, and why."""

    right: Right = Field(examples=[Right.ACCESS])
    reason: str = Field(
        min_length=1,
        max_length=100,
        description="A code, never a person's data.",
        examples=["person-asked"],
    )


@router.post("/preview")
def preview(
    installation: Installed, command: DeskCommand, case_id: CaseId, form: Preview
) -> LetterShown:
    """A letter without writing it; what it lacks is said. Nothing is changed, and nothing kept."""
    letter = _letter(installation, command, case_id, form)
    return LetterShown(
        kind=letter.kind,
        language=letter.letter.language,
        subject=letter.subject,
        text=letter.text,
        html=letter.html,
    )


@router.post("/preview/pdf", response_class=Response)
def preview_pdf(
    installation: Installed, command: DeskCommand, case_id: CaseId, form: Preview
) -> Response:
    """The same as it would look on paper."""
    letter = _letter(installation, command, case_id, form)
    return Response(installation.delivery.preview_pdf(case_id, letter), media_type=PDF)


@router.get("/{letter_id}/pdf", response_class=Response)
def pdf(
    installation: Installed, bearer: Handler, look: Looking, case_id: CaseId, letter_id: UUID
) -> Response:
    """A letter to print: tagged PDF, the address in the envelope's window unless protected."""
    case = case_of(installation, bearer, case_id)
    look.into(case, bearer, Content.LETTER)
    content = installation.delivery.pdf(case.id, letter_id)
    name = f"{case.reference}-{case.letters[letter_id].kind.value}.pdf"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=PDF, headers=headers)


@router.post("/unencrypted", response_model=CaseShown)
def unencrypted(
    installation: Installed, command: DeskCommand, case_id: CaseId, form: Unencrypted
) -> Response:
    """Have the copy go as an attachment by plain mail (GK-28): who decided it and why is kept."""
    case = case_of(installation, command.bearer, case_id)
    return command.carry_out(
        lambda: installation.answering.allow_unencrypted(
            case.request_id(form.right), reason=form.reason, by=command.bearer.staff_id
        ),
        lambda: shown(installation, installation.register.case(case_id)),
        of=case_id,
    )


@router.post("/{letter_id}/delivered", response_model=CaseShown, status_code=HTTPStatus.OK)
def delivered(
    installation: Installed, command: DeskCommand, case_id: CaseId, letter_id: UUID, form: Delivered
) -> Response:
    """Record that a letter was posted, handed over or read aloud (Art. 12(1))."""
    case_of(installation, command.bearer, case_id)
    return command.carry_out(
        lambda: installation.delivery.delivered(
            case_id,
            letter_id,
            way=form.way,
            on=form.on,
            tracking=form.tracking,
            seen=form.seen,
            by=command.bearer.staff_id,
        ),
        lambda: shown(installation, installation.register.case(case_id)),
        of=case_id,
    )


def _letter(
    installation: Installation, command: Command, case_id: UUID, form: Preview
) -> ComposedLetter:
    case_of(installation, command.bearer, case_id)
    return installation.previews.letter(
        case_id,
        form.kind,
        right=form.right,
        language=form.language,
        by=command.bearer.staff_id,
        given=given(form),
    )


def given(form: Added) -> Given:
    """The same for the work on the letter."""
    there, leak = form.elsewhere, form.disclosure
    return Given(
        free_text=form.free_text,
        question=form.question,
        why=form.why,
        law=form.law,
        doubt=form.doubt,
        reasons=tuple(form.reasons),
        ways=tuple(form.ways),
        purposes=tuple(form.purposes),
        fee=form.fee,
        asked_on=form.asked_on,
        reply_by=form.reply_by,
        new_date=form.new_date,
        lift_on=form.lift_on,
        elsewhere=Elsewhere(there.name, there.contact, there.passed_on) if there else None,
        disclosure=Disclosure(leak.on, leak.what, leak.consequences, leak.measures)
        if leak
        else None,
        recipients=tuple(
            RecipientNotice(one.recipient, one.told, one.on, one.about, tuple(one.fields))
            for one in form.recipients
        ),
    )
