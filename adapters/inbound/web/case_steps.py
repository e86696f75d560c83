"""What the buttons of a case do; each leads back to its page, or shows there why it could not."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from fastapi import APIRouter, Response

from adapters.inbound.api.errors import status_of
from adapters.inbound.web.case import case_page
from adapters.inbound.web.pages import Form, NotHere, PageRoute, Sent, download, go, one_of
from adapters.inbound.web.session import AtDesk, Desk, Reveals, RevealsOrOwns
from adapters.inbound.web.steps import address_of, carry_out, id_in, identifiers_in
from adapters.inbound.web.trouble import Trouble
from domain.access import Permission
from domain.case import Case
from domain.errors import DomainError
from domain.request import RefusalGround
from domain.vocabulary import (
    Content,
    IdentityMethod,
    Language,
    Purpose,
    Right,
    Unidentified,
)
from services.ports import CodeCheck

router = APIRouter(prefix="/desk/cases/{case_id}", route_class=PageRoute, include_in_schema=False)


@router.post("/purpose")
def take_purpose(desk: RevealsOrOwns, case_id: UUID, sent: Form) -> Response:
    """Say what for the case is read; the page then shows what people wrote."""
    case = desk.case(case_id)
    if not desk.may(Permission.REVEAL, case.controller) and not desk.has_task_in(case):
        raise NotHere
    back = sent.one("back")
    response = go(back if back.startswith(f"{address_of(case)}/") else address_of(case))
    purpose = one_of(Purpose, sent.one("purpose"))
    desk.looked_at(case, purpose)
    desk.take_purpose(str(case.id), purpose, response, address_of(case))
    return response


# The message


@router.post("/confirm")
def confirm(desk: AtDesk, case_id: UUID, sent: Form) -> Response:
    case = desk.case(case_id)

    def command() -> None:
        desk.installation.intake.confirm(
            case.id,
            rights=tuple(one_of(Right, one) for one in sent.all("right")),
            language=one_of(Language, sent.one("language")),
            identifiers=tuple(identifiers_in(sent)),
            by=desk.staff_id,
            purposes=tuple(sent.all("consent")),
        )

    return carry_out(desk, case, sent, command, form="confirm", done="confirmed")


# Identity


@router.post("/identity/ask")
def ask(desk: AtDesk, case_id: UUID, sent: Form) -> Response:
    case = desk.case(case_id)

    def command() -> None:
        desk.installation.identity.ask(case.id, reason=sent.one("reason"), by=desk.staff_id)

    return carry_out(desk, case, sent, command, form="ask", done="code-sent")


@router.post("/identity/code")
def try_code(desk: AtDesk, case_id: UUID, sent: Form) -> Response:
    """Try a code that the person read out or wrote back."""
    case = desk.case(case_id)
    answers: list[CodeCheck] = []

    def command() -> None:
        answers.append(desk.installation.identity.check_code(case.id, sent.one("code")))

    response = carry_out(desk, case, sent, command, form="code", done="verified")
    if answers and answers[0] is not CodeCheck.RIGHT:
        return case_page(
            desk,
            desk.case(case_id),
            form="code",
            sent=sent,
            trouble=Trouble(key=f"code-{answers[0].value}"),
            status=status_of(DomainError()),
        )
    return response


@router.post("/identity/verified")
def verified(desk: AtDesk, case_id: UUID, sent: Form) -> Response:
    case = desk.case(case_id)

    def command() -> None:
        method = one_of(IdentityMethod, sent.one("method"))
        desk.installation.identity.verify_by_hand(case.id, method=method, by=desk.staff_id)

    return carry_out(desk, case, sent, command, form="verified", done="verified")


# Matches and decisions


@router.post("/requests/{request_id}/preview")
def preview(desk: AtDesk, case_id: UUID, request_id: UUID, sent: Form) -> Response:
    """What would become of each record with these answers; nothing is changed."""
    case = desk.case(case_id)
    request = desk.asked(case, request_id)
    return case_page(
        desk, case, form=f"approve-{request.right.value}", sent=sent, answers=_answers(sent)
    )


@router.post("/requests/{request_id}/approve")
def approve(desk: AtDesk, case_id: UUID, request_id: UUID, sent: Form) -> Response:
    case = desk.case(case_id)
    request = desk.asked(case, request_id)

    def command() -> None:
        desk.installation.deciding.approve(
            request.id,
            by=desk.staff_id,
            answers=_answers(sent),
            considered=sent.has("considered"),
            words=sent.one("words"),
            full_cards=sent.has("full_cards"),
            tell=sent.has("tell"),
        )

    return _on_request(desk, case, request.right, sent, command, form="approve", done="approved")


@router.post("/requests/{request_id}/refuse")
def refuse(desk: AtDesk, case_id: UUID, request_id: UUID, sent: Form) -> Response:
    """Refuse a request as a whole; what Art. 12(5) allows is proposed to a second person."""
    case = desk.case(case_id)
    request = desk.asked(case, request_id)
    ground, _, code = sent.one("ground").partition(":")
    refusing = desk.installation.refusing

    def command() -> None:
        what, words = one_of(RefusalGround, ground), sent.one("words")
        if what.needs_two_people:
            refusing.propose(
                request.id,
                ground=what,
                law=code,
                words=words,
                proof=sent.one("proof"),
                fee=sent.one("fee"),
                by=desk.staff_id,
            )
        else:
            refusing.refuse(
                request.id,
                ground=what,
                law=code,
                words=words,
                proof=sent.one("proof"),
                shown=one_of(Unidentified, sent.one("shown")) if sent.one("shown") else None,
                by=desk.staff_id,
            )

    two = ground in {one.value for one in RefusalGround if one.needs_two_people}
    done = "refusal-proposed" if two else "refused"
    return _on_request(desk, case, request.right, sent, command, form="end", done=done)


@router.post("/requests/{request_id}/withdraw")
def withdraw(desk: AtDesk, case_id: UUID, request_id: UUID, sent: Form) -> Response:
    case = desk.case(case_id)
    request = desk.asked(case, request_id)

    def command() -> None:
        desk.installation.refusing.withdraw(request.id, by=desk.staff_id)

    return _on_request(desk, case, request.right, sent, command, form="end", done="withdrawn")


@router.post("/requests/{request_id}/answer-again")
def answer_again(desk: AtDesk, case_id: UUID, request_id: UUID, sent: Form) -> Response:
    """Write the answer anew after it did not arrive."""
    case = desk.case(case_id)
    request = desk.asked(case, request_id)

    def command() -> None:
        desk.installation.answering.answer_again(
            request.id, by=desk.staff_id, by_post=sent.one("how") == "post"
        )

    return _on_request(
        desk, case, request.right, sent, command, form="again", done="answering-again"
    )


@router.get("/requests/{request_id}/package.zip")
def package(desk: Reveals, case_id: UUID, request_id: UUID) -> Response:
    """The copy that is printed and put into the envelope with the letter."""
    case = desk.case(case_id)
    request = desk.asked(case, request_id)
    if desk.look_into(case, Content.PACKAGE) is None:
        return go(address_of(case))
    return download(
        desk.installation.answering.package(request.id),
        f"{case.reference}.zip",
        media_type="application/zip",
    )


# Letters


@router.post("/letters/{letter_id}/posted")
def posted(desk: AtDesk, case_id: UUID, letter_id: UUID, sent: Form) -> Response:
    case = desk.case(case_id)

    def command() -> None:
        desk.installation.answering.letter_left(case.id, letter_id, how="post", by=desk.staff_id)

    return carry_out(desk, case, sent, command, form="posted", done="posted", place="letters")


@router.post("/letters/{letter_id}/again")
def send_again(desk: AtDesk, case_id: UUID, letter_id: UUID, sent: Form) -> Response:
    case = desk.case(case_id)
    if letter_id not in case.letters:
        raise NotHere

    def command() -> None:
        desk.installation.answering.send_again(case.id, letter_id)

    return carry_out(desk, case, sent, command, form="send-again", done="sending", place="letters")


# Work that was given up


@router.post("/release")
def release(desk: AtDesk, case_id: UUID, sent: Form) -> Response:
    """Let a task that was given up be tried again; only one of this case."""
    case = desk.case(case_id)

    def command() -> None:
        ours = {case.id, *case.request_ids}
        for parked in desk.installation.tasks.parked():
            if parked.task.key == sent.one("task") and parked.task.subject_id in ours:
                desk.installation.tasks.release(parked.task.key)

    return carry_out(desk, case, sent, command, form="release", done="released")


# What the steps share


def _on_request(
    desk: Desk,
    case: Case,
    right: Right,
    sent: Sent,
    command: Callable[[], None],
    *,
    form: str,
    done: str,
) -> Response:
    name = right.value
    return carry_out(
        desk, case, sent, command, form=f"{form}-{name}", done=done, place=f"request-{name}"
    )


def _answers(sent: Sent) -> dict[UUID, frozenset[str]]:
    answers: dict[UUID, frozenset[str]] = {}
    for one in sent.all("fact"):
        ids, _, fact = one.partition(":")
        for record_id in map(id_in, ids.split(",")):
            answers[record_id] = answers.get(record_id, frozenset()) | {fact}
    return answers
