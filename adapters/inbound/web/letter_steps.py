"""Letters on the desk: looked at before they are written, printed, handed over or read aloud."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter, Response

from adapters.inbound.web.pages import (
    NOTHING_SENT,
    Form,
    NotHere,
    PageRoute,
    Sent,
    download,
    go,
    one_of,
    page,
)
from adapters.inbound.web.session import AtDesk, Desk, Handles, Reveals
from adapters.inbound.web.steps import carry_out, day_in, required_day_in
from domain.case import Case
from domain.errors import DomainError
from domain.vocabulary import Content, DeliveryWay, IdentityMethod, LetterKind, Right
from services.letters import ComposedLetter, Disclosure, Elsewhere
from services.ports import Erased
from services.previews import Given
from services.wording import LETTERS, wording

router = APIRouter(prefix="/desk/cases/{case_id}", route_class=PageRoute, include_in_schema=False)


@router.get("/letters/{letter_id}/letter.pdf")
def pdf(desk: Reveals, case_id: UUID, letter_id: UUID) -> Response:
    """A letter to print; whoever prints it has said what for."""
    case = desk.case(case_id)
    if letter_id not in case.letters:
        raise NotHere
    if desk.look_into(case, Content.LETTER) is None:
        return go(f"/desk/cases/{case.id}")
    try:
        content = desk.installation.delivery.pdf(case.id, letter_id)
    except (DomainError, Erased):
        raise NotHere from None
    return download(content, f"{case.reference}.pdf", media_type="application/pdf")


@router.post("/letters/{letter_id}/delivered")
def delivered(desk: AtDesk, case_id: UUID, letter_id: UUID, sent: Form) -> Response:
    case = desk.case(case_id)
    if letter_id not in case.letters:
        raise NotHere

    def command() -> None:
        desk.installation.delivery.delivered(
            case.id,
            letter_id,
            way=one_of(DeliveryWay, sent.one("way")),
            on=required_day_in(sent.one("on")),
            tracking=sent.one("tracking"),
            seen=sent.one("seen"),
            by=desk.staff_id,
        )

    return carry_out(desk, case, sent, command, form="delivered", done="delivered", place="letters")


@router.post("/requests/{request_id}/unencrypted")
def attach(desk: AtDesk, case_id: UUID, request_id: UUID, sent: Form) -> Response:
    """The copy goes as an attachment by plain mail: a decision, and written down as one."""
    case = desk.case(case_id)
    request = desk.asked(case, request_id)

    def command() -> None:
        desk.installation.answering.allow_unencrypted(
            request.id, reason=sent.one("reason"), by=desk.staff_id
        )

    return carry_out(desk, case, sent, command, form="attach", done="attaching", place="letters")


@router.get("/letters/preview")
def write(desk: Handles, case_id: UUID) -> Response:
    return _preview_page(desk, desk.case(case_id))


@router.post("/letters/preview")
def preview(desk: AtDesk, case_id: UUID, sent: Form) -> Response:
    """What the letter would say, or what it still lacks; nothing is written or sent."""
    case = desk.case(case_id)
    if desk.look_into(case) is None:
        return go(f"/desk/cases/{case.id}")
    try:
        letter = desk.installation.previews.letter(
            case.id,
            one_of(LetterKind, sent.one("kind")),
            right=one_of(Right, sent.one("right")) if sent.one("right") else None,
            by=desk.staff_id,
            given=_given(sent),
        )
    except DomainError as error:
        return _preview_page(desk, case, sent=sent, error=str(error))
    if sent.has("pdf"):
        content = desk.installation.delivery.preview_pdf(case.id, letter)
        return download(content, f"{case.reference}-preview.pdf", media_type="application/pdf")
    return _preview_page(desk, case, sent=sent, letter=letter)


def _preview_page(
    desk: Desk,
    case: Case,
    *,
    sent: Sent = NOTHING_SENT,
    letter: ComposedLetter | None = None,
    error: str = "",
) -> Response:
    look = desk.look(desk.profile(case.controller))
    words = wording(LETTERS, look.language).texts
    return page(
        "case_letter_preview.html",
        look,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
        desk=desk,
        case=case,
        sent=sent,
        letter=letter,
        error=error,
        kinds=tuple(LetterKind),
        rights=case.rights,
        codes={
            name: [
                (key.partition(".")[2], text)
                for key, text in words.items()
                if key.partition(".")[0] in tables
            ]
            for name, tables in CODES.items()
        },
        methods=tuple(IdentityMethod),
    )


CODES = {
    "doubt": ("doubts", "authority"),
    "reasons": ("extension", "fees", "lifting", "closing_because"),
}
"""Which words of the letters the form offers for which field."""


def _given(sent: Sent) -> Given:
    name, what = sent.one("elsewhere"), sent.one("what")
    on = day_in(sent.one("on"))
    return Given(
        free_text=sent.one("free_text"),
        question=sent.one("question"),
        why=sent.one("why"),
        law=sent.one("law"),
        doubt=sent.one("doubt"),
        reasons=tuple(filter(None, sent.all("reasons"))),
        ways=tuple(one_of(IdentityMethod, way) for way in sent.all("ways")),
        fee=sent.one("fee"),
        asked_on=day_in(sent.one("asked_on")),
        reply_by=day_in(sent.one("reply_by")),
        new_date=day_in(sent.one("new_date")),
        lift_on=day_in(sent.one("lift_on")),
        elsewhere=Elsewhere(name, sent.one("contact"), sent.has("passed_on")) if name else None,
        disclosure=Disclosure(on, what, sent.one("consequences"), sent.one("measures"))
        if what and on
        else None,
    )
