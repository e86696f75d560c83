"""Letters on the desk: looked at, printed, handed over, taken back, or reported as misdirected."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter, Response

from adapters.inbound.api.errors import status_of
from adapters.inbound.web.pages import Form, NotHere, PageRoute, download, go, one_of, page
from adapters.inbound.web.session import AtDesk, Desk, Reveals
from adapters.inbound.web.steps import address_of, carry_out, required_day_in
from adapters.inbound.web.trouble import NO_TROUBLE, Trouble, trouble_of
from domain.case import Case
from domain.errors import DomainError
from domain.request import Status
from domain.vocabulary import Content, DeliveryWay, LetterKind
from services import dossier
from services.ports import Erased
from services.postroom import letter_task

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


@router.get("/letters/{letter_id}")
def show(desk: Reveals, case_id: UUID, letter_id: UUID, done: str = "") -> Response:
    """One letter as the person sees it, with what can still be done about it."""
    case = desk.case(case_id)
    if letter_id not in case.letters:
        raise NotHere
    if desk.look_into(case, Content.LETTER) is None:
        return go(f"{address_of(case)}#purpose")
    return letter_page(desk, case, letter_id, done=done)


@router.post("/letters/{letter_id}/recall")
def recall(desk: AtDesk, case_id: UUID, letter_id: UUID, sent: Form) -> Response:
    """It was written too early: it does not leave, and what was decided with it is undone."""

    def command(case: Case) -> None:
        desk.installation.recalling.recall(case.id, letter_id, by=desk.staff_id)

    return _do(desk, case_id, letter_id, command, done="recalled")


@router.post("/letters/{letter_id}/write-again")
def write_again(desk: AtDesk, case_id: UUID, letter_id: UUID, sent: Form) -> Response:
    def command(case: Case) -> None:
        for request_id in case.letters[letter_id].requests:
            desk.installation.recalling.write_again(request_id, by=desk.staff_id)

    return _do(desk, case_id, letter_id, command, done="answering-again")


@router.post("/letters/{letter_id}/wrong-person")
def wrong_person(desk: AtDesk, case_id: UUID, letter_id: UUID, sent: Form) -> Response:
    """One button: the link ends, what was reachable is written down, the 72 hours begin."""
    case = desk.case(case_id)
    if letter_id not in case.letters:
        raise NotHere
    try:
        desk.installation.misdirected.report(case.id, letter_id, by=desk.staff_id)
    except (DomainError, Erased) as error:
        return letter_page(desk, case, letter_id, error=trouble_of(error), status=status_of(error))
    return go(f"{address_of(case)}/breaches?done=breach-opened")


def _do(
    desk: Desk, case_id: UUID, letter_id: UUID, command: Callable[[Case], None], *, done: str
) -> Response:
    case = desk.case(case_id)
    if letter_id not in case.letters:
        raise NotHere
    try:
        command(case)
    except (DomainError, Erased) as error:
        now = desk.case(case_id)
        return letter_page(desk, now, letter_id, error=trouble_of(error), status=status_of(error))
    return go(f"{address_of(case)}/letters/{letter_id}?done={done}")


def letter_page(
    desk: Desk,
    case: Case,
    letter_id: UUID,
    *,
    done: str = "",
    error: Trouble = NO_TROUBLE,
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    installation, letter = desk.installation, case.letters[letter_id]
    look = desk.look(desk.profile(case.controller))
    content = None
    hides = letter.kind is LetterKind.IDENTITY_CODE or desk.purpose(str(case.id)) is None
    if not hides:
        with suppress(Erased):
            content = dossier.LETTER.validate_json(installation.vault.open(letter.text))
    requests = [r for r in installation.register.requests_of(case) if r.id in letter.requests]
    task = letter_task(case, letter_id, at=installation.clock())
    breach = next(
        (one for r in requests for one in r.breaches.values() if one.letter == letter_id), None
    )
    return page(
        "letter.html",
        look,
        status=status,
        desk=desk,
        case=case,
        letter=letter,
        content=content,
        requests=requests,
        left_at=case.left.get(letter_id),
        failed=case.failed.get(letter_id),
        recalled=letter_id in case.recalled,
        waits=case.waits_to_leave(letter_id),
        leaves_at=installation.tasks.due_at(task) if case.waits_to_leave(letter_id) else None,
        now=installation.clock(),
        breach=breach,
        to_write_again=letter_id in case.recalled
        and letter.kind.answers
        and any(one.status in {Status.APPROVED, Status.VERIFIED} for one in requests),
        done=look.word("done", done) if done in LETTER_DONE else "",
        error=error,
    )


LETTER_DONE = frozenset({"written", "recalled", "answering-again"})
"""What the page of a letter may say after a step; nothing else in its address is shown."""
