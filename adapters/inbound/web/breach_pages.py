"""The breach note of a case: 72 hours, what was reachable, who was told and why (Art. 33, 34)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Response

from adapters.inbound.api.errors import status_of
from adapters.inbound.web.keeping_view import category_words
from adapters.inbound.web.pages import NOTHING_SENT, Form, PageRoute, Sent, go, page
from adapters.inbound.web.session import AtDesk, Desk, Reveals
from adapters.inbound.web.steps import address_of
from adapters.inbound.web.trouble import NO_TROUBLE, Trouble, trouble_of
from domain.case import Case
from domain.errors import DomainError
from domain.vocabulary import Content
from services.ports import Erased

router = APIRouter(prefix="/desk/cases/{case_id}", route_class=PageRoute, include_in_schema=False)

DONE = frozenset({"breach-opened", "breach-noted", "address-corrected", "answering-again"})


@router.get("/breaches")
def show(desk: Reveals, case_id: UUID, done: str = "") -> Response:
    case = desk.case(case_id)
    if desk.look_into(case, Content.NOTE) is None:
        return go(f"{address_of(case)}#purpose")
    return _page(desk, case, done=done)


@router.post("/requests/{request_id}/breaches/{breach}/note")
def describe(desk: AtDesk, case_id: UUID, request_id: UUID, breach: UUID, sent: Form) -> Response:
    def command() -> None:
        desk.installation.misdirected.describe(
            request_id,
            breach,
            what=sent.one("what"),
            consequences=sent.one("consequences"),
            measures=sent.one("measures"),
            by=desk.staff_id,
        )

    return _do(desk, case_id, request_id, sent, command, form=f"note-{breach}")


@router.post("/requests/{request_id}/breaches/{breach}/authority")
def authority(desk: AtDesk, case_id: UUID, request_id: UUID, breach: UUID, sent: Form) -> Response:
    def command() -> None:
        told = sent.one("told")
        if told not in {"yes", "no"}:
            raise DomainError("say whether the authority was told", key="choose-in-list")
        desk.installation.misdirected.settle_with_authority(
            request_id,
            breach,
            told_at=_moment(desk, sent.one("told_at")) if told == "yes" else None,
            reasons=sent.one("reasons"),
            by=desk.staff_id,
        )

    return _do(desk, case_id, request_id, sent, command, form=f"authority-{breach}")


@router.post("/requests/{request_id}/breaches/{breach}/person")
def person(desk: AtDesk, case_id: UUID, request_id: UUID, breach: UUID, sent: Form) -> Response:
    def command() -> None:
        misdirected, how = desk.installation.misdirected, sent.one("how")
        if how == "letter":
            misdirected.write_to_person(request_id, breach, by=desk.staff_id)
        elif how in {"told", "not"}:
            misdirected.settle_with_person(
                request_id,
                breach,
                told=how == "told",
                reasons=sent.one("reasons"),
                by=desk.staff_id,
            )
        else:
            raise DomainError("say how the person was told, or why not", key="choose-in-list")

    return _do(desk, case_id, request_id, sent, command, form=f"person-{breach}")


@router.post("/address")
def correct_address(desk: AtDesk, case_id: UUID, sent: Form) -> Response:
    """Where the person is reached was wrong; the answer can then be sent anew."""
    case = desk.case(case_id)

    def command() -> None:
        desk.installation.misdirected.correct_address(
            case.id, address=sent.one("address"), by=desk.staff_id
        )

    return _carry_out(desk, case, sent, command, form="address", done="address-corrected")


@router.post("/requests/{request_id}/send-anew")
def send_anew(desk: AtDesk, case_id: UUID, request_id: UUID, sent: Form) -> Response:
    """The answer once more, to the right person."""
    case = desk.case(case_id)
    request = desk.asked(case, request_id)

    def command() -> None:
        desk.installation.answering.answer_again(
            request.id, by=desk.staff_id, by_post=sent.one("how") == "post"
        )

    return _carry_out(desk, case, sent, command, form="anew", done="answering-again")


def _do(
    desk: Desk,
    case_id: UUID,
    request_id: UUID,
    sent: Sent,
    command: Callable[[], None],
    *,
    form: str,
) -> Response:
    case = desk.case(case_id)
    desk.asked(case, request_id)
    return _carry_out(desk, case, sent, command, form=form, done="breach-noted")


def _carry_out(
    desk: Desk, case: Case, sent: Sent, command: Callable[[], None], *, form: str, done: str
) -> Response:
    try:
        command()
    except (DomainError, Erased) as error:
        return _page(
            desk, case, sent=sent, form=form, error=trouble_of(error), status=status_of(error)
        )
    return go(f"{address_of(case)}/breaches?done={done}")


def _moment(desk: Desk, text: str) -> datetime:
    """A moment as a browser's field gives it, in the reader's zone; none means now."""
    if not text:
        return desk.installation.clock()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise DomainError("write the moment as 2026-12-31 14:30", key="moment-form") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(desk.look().zone))


def _page(
    desk: Desk,
    case: Case,
    *,
    done: str = "",
    sent: Sent = NOTHING_SENT,
    form: str = "",
    error: Trouble = NO_TROUBLE,
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    profile = desk.profile(case.controller)
    look = desk.look(profile)
    content = desk.purpose(str(case.id)) is not None
    return page(
        "breaches.html",
        look,
        status=status,
        desk=desk,
        case=case,
        notes=tuple(desk.installation.misdirected.of_case(case)) if content else (),
        named=lambda category: category_words(profile, category, look),
        now=desk.installation.clock(),
        sent=sent,
        form=form,
        error=error,
        done=look.word("done", done) if done in DONE else "",
    )
