"""The buttons for what is kept and how a case ends, and the page of everything that is kept."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, datetime
from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter, Response

from adapters.inbound.api.errors import status_of
from adapters.inbound.web.keeping_view import kept_lines
from adapters.inbound.web.pages import (
    NOTHING_SENT,
    Form,
    NotHere,
    PageRoute,
    Sent,
    download,
    go,
    page,
)
from adapters.inbound.web.session import Approves, AtDesk, Desk, Handles
from adapters.inbound.web.steps import carry_out, id_in, required_day_in
from adapters.inbound.web.trouble import NO_TROUBLE, trouble_of
from domain.errors import DomainError
from domain.vocabulary import Content, IdentifierKind
from services.holds import Holds
from services.ports import Identifier
from services.suppressions import SUPPRESSIBLE

router = APIRouter(prefix="/desk", route_class=PageRoute, include_in_schema=False)


@router.get("/holds")
def holds(desk: AtDesk) -> Response:
    """Everything that is kept, whatever ends or is looked at first."""
    return _holds(desk)


@router.post("/suppressions/lift")
def lift_suppression(desk: AtDesk, sent: Form) -> Response:
    """Let somebody be written to again who said yes later than no."""
    try:
        desk.installation.suppressions.lift(
            _controller(desk, sent.one("controller")),
            _identifier(sent, SUPPRESSIBLE),
            because=sent.one("because"),
            by=desk.staff_id,
        )
    except DomainError as error:
        return _holds(desk, sent=sent, error=error)
    return go("/desk/holds?done=lifted")


def _holds(desk: Desk, *, sent: Sent = NOTHING_SENT, error: DomainError | None = None) -> Response:
    look = desk.look()
    return page(
        "holds.html",
        look,
        status=status_of(error) if error else HTTPStatus.OK,
        desk=desk,
        lines=kept_lines(desk, look),
        kinds=sorted(SUPPRESSIBLE, key=lambda one: one.value),
        lifted=desk.request.query_params.get("done") == "lifted",
        sent=sent,
        error=trouble_of(error) if error else NO_TROUBLE,
    )


def _controller(desk: Desk, name: str) -> str:
    if name not in desk.controllers:
        raise DomainError("choose one of your controllers", key="choose-in-list")
    return name


def _identifier(sent: Sent, kinds: Collection[IdentifierKind]) -> Identifier:
    kind = next((one for one in kinds if one.value == sent.one("kind")), None)
    if kind is None or not sent.one("value").strip():
        raise DomainError("say what it is, and write it down", key="words-needed")
    return Identifier(kind, sent.one("value").strip())


@router.post("/cases/{case_id}/requests/{request_id}/identifiers")
def identify_after_all(desk: AtDesk, case_id: UUID, request_id: UUID, sent: Form) -> Response:
    """What the person can be found by came late (Art. 11(2), GK-14): the request goes on."""
    request = desk.asked(desk.case(case_id), request_id)

    def command() -> None:
        desk.installation.searching_again.take(
            request.id, [_identifier(sent, tuple(IdentifierKind))], by=desk.staff_id
        )

    return _kept(desk, case_id, sent, command, form="identifiers")


# Holds of a case


@router.post("/cases/{case_id}/requests/{request_id}/claim")
def claim(desk: AtDesk, case_id: UUID, request_id: UUID, sent: Form) -> Response:
    case = desk.case(case_id)
    request = desk.asked(case, request_id)

    def command() -> None:
        desk.installation.holds.claim(
            request.id,
            [id_in(one) for one in sent.all("record")],
            reason=sent.one("reason"),
            owner=sent.one("owner") or desk.staff_id,
            review_on=required_day_in(sent.one("review_on")),
            by=desk.staff_id,
        )

    return _kept(desk, case_id, sent, command, form="claim")


@router.post("/cases/{case_id}/holds/{hold_id}/{what}")
def change(desk: AtDesk, case_id: UUID, hold_id: UUID, what: str, sent: Form) -> Response:
    case = desk.case(case_id)
    if what not in _CHANGES or desk.installation.register.hold(hold_id).case_id != case.id:
        raise NotHere

    def command() -> None:
        _CHANGES[what](desk.installation.holds, hold_id, sent, desk.staff_id)

    return _kept(desk, case_id, sent, command, form=f"{what}-{hold_id}")


def _lift(holds: Holds, hold_id: UUID, sent: Sent, by: str) -> None:
    holds.lift(hold_id, reason=sent.one("reason"), by=by)


def _end(holds: Holds, hold_id: UUID, sent: Sent, by: str) -> None:
    holds.state_end(
        hold_id, until=required_day_in(sent.one("until")), reason=sent.one("reason"), by=by
    )


def _prolong(holds: Holds, hold_id: UUID, sent: Sent, by: str) -> None:
    holds.prolong(
        hold_id,
        until=required_day_in(sent.one("until")),
        ground=sent.one("ground"),
        reason=sent.one("reason"),
        by=by,
    )


def _review(holds: Holds, hold_id: UUID, sent: Sent, by: str) -> None:
    holds.review(
        hold_id, review_on=required_day_in(sent.one("until")), reason=sent.one("reason"), by=by
    )


def _erased(holds: Holds, hold_id: UUID, sent: Sent, by: str) -> None:
    holds.erased_by_hand(hold_id, looked_again=sent.has("looked"), by=by)


def _again(holds: Holds, hold_id: UUID, sent: Sent, by: str) -> None:
    holds.try_again(hold_id, by=by)


_CHANGES: dict[str, Callable[[Holds, UUID, Sent, str], None]] = {
    "lift": _lift,
    "end": _end,
    "prolong": _prolong,
    "review": _review,
    "erased": _erased,
    "again": _again,
}


# Two people


@router.post("/cases/{case_id}/requests/{request_id}/refusal/confirm")
def confirm_refusal(desk: Approves, case_id: UUID, request_id: UUID, sent: Form) -> Response:
    request = desk.asked(desk.case(case_id), request_id)

    def command() -> None:
        desk.installation.refusing.confirm(request.id, by=desk.staff_id)

    return _kept(desk, case_id, sent, command, form="refusal", done="refused")


@router.post("/cases/{case_id}/requests/{request_id}/refusal/decline")
def decline_refusal(desk: Approves, case_id: UUID, request_id: UUID, sent: Form) -> Response:
    request = desk.asked(desk.case(case_id), request_id)

    def command() -> None:
        desk.installation.refusing.decline(request.id, words=sent.one("words"), by=desk.staff_id)

    return _kept(desk, case_id, sent, command, form="refusal")


@router.post("/cases/{case_id}/requests/{request_id}/refusal/fee-paid")
def fee_paid(desk: AtDesk, case_id: UUID, request_id: UUID, sent: Form) -> Response:
    request = desk.asked(desk.case(case_id), request_id)

    def command() -> None:
        desk.installation.refusing.fee_paid(request.id, by=desk.staff_id)

    return _kept(desk, case_id, sent, command, form="refusal")


# The archive, and afterwards


@router.get("/cases/{case_id}/archive.zip")
def archive(desk: Handles, case_id: UUID) -> Response:
    case = desk.case(case_id)
    if desk.look_into(case) is None:
        return go(f"/desk/cases/{case.id}")
    content = desk.installation.archiving.export(case.id)
    return download(content, f"{case.reference}-archive.zip", media_type="application/zip")


@router.post("/cases/{case_id}/archived")
def archived(desk: AtDesk, case_id: UUID, sent: Form) -> Response:
    case = desk.case(case_id)

    def command() -> None:
        desk.installation.archiving.hand_over(
            case.id, receipt=sent.one("receipt"), by=desk.staff_id
        )

    return _kept(desk, case_id, sent, command, form="archived")


@router.get("/cases/{case_id}/requests/{request_id}/archive-records.zip")
def archive_records(desk: Handles, case_id: UUID, request_id: UUID) -> Response:
    case = desk.case(case_id)
    request = desk.asked(case, request_id)
    if desk.look_into(case, Content.RECORD) is None:
        return go(f"/desk/cases/{case.id}")
    content = desk.installation.archiving.records(request.id)
    return download(content, f"{case.reference}-records.zip", media_type="application/zip")


@router.post("/cases/{case_id}/requests/{request_id}/records-archived")
def records_archived(desk: AtDesk, case_id: UUID, request_id: UUID, sent: Form) -> Response:
    request = desk.asked(desk.case(case_id), request_id)

    def command() -> None:
        desk.installation.archiving.records_received(
            request.id,
            [id_in(one) for one in sent.all("record")],
            receipt=sent.one("receipt"),
            by=desk.staff_id,
        )

    return _kept(desk, case_id, sent, command, form="records-archived")


@router.post("/cases/{case_id}/requests/{request_id}/disclosure")
def disclosure(desk: AtDesk, case_id: UUID, request_id: UUID, sent: Form) -> Response:
    request = desk.asked(desk.case(case_id), request_id)

    def command() -> None:
        desk.installation.afterwards.report_disclosure(
            request.id,
            what=sent.one("what"),
            consequences=sent.one("consequences"),
            measures=sent.one("measures"),
            known_at=_moment(sent.one("known_at"), desk),
            tell_person=sent.has("tell"),
            by=desk.staff_id,
        )

    return _kept(desk, case_id, sent, command, form="disclosure")


def _kept(
    desk: Desk,
    case_id: UUID,
    sent: Sent,
    command: Callable[[], None],
    *,
    form: str,
    done: str = "kept",
) -> Response:
    return carry_out(desk, desk.case(case_id), sent, command, form=form, done=done, place="keeping")


def _moment(text: str, desk: Desk) -> datetime:
    """A moment as a browser's field gives it; none means now."""
    if not text:
        return desk.installation.clock()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise DomainError("write the moment as 2026-12-31 14:30", key="moment-form") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
