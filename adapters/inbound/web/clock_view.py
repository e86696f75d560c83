"""What the page of a case shows about time: pauses, advice, more time, and whose request it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from adapters.bootstrap import Installation
from domain.calendar import calendar_named
from domain.case import reference
from domain.deadlines import NoticeWindow, extension_notice
from domain.request import DataSubjectRequest, Status
from domain.vocabulary import ConsultedAbout, ExtensionReason, PauseReason
from services.assigning import works_at
from services.consulting import Opened
from services.ports import Member

REASONS = tuple(one for one in ExtensionReason if one.is_complexity or one.is_number)
RELY_REASONS = ("person-kept-us-waiting", "identity-in-doubt", "scope-unclear")
RECEIPT_REASONS = ("found-in-another-department", "wrong-stamp", "other-channel-earlier")
REOPEN_REASONS = ("answered-after-all", "complaint", "mistake")


@dataclass(frozen=True, slots=True)
class PauseView:
    """A time the person kept us waiting; without an end it goes on."""

    reason: PauseReason
    opened_on: date
    ended_on: date | None = None
    reminded_on: tuple[date, ...] = ()
    silent: bool = False


@dataclass(frozen=True, slots=True)
class ClockView:
    """What there is to know, and what can be done, about the time of one request."""

    pauses: tuple[PauseView, ...]
    relied: bool
    consultations: tuple[Opened, ...]
    duplicates: tuple[tuple[str, str], ...]
    colleagues: tuple[Member, ...]
    reasons: tuple[ExtensionReason, ...]
    can_ask: bool
    can_answer: bool
    can_rely: bool
    can_extend: bool
    notice_is_late: bool
    notice_waits: bool
    can_reopen: bool
    abouts: tuple[ConsultedAbout, ...] = tuple(ConsultedAbout)
    rely_reasons: tuple[str, ...] = RELY_REASONS
    reopen_reasons: tuple[str, ...] = REOPEN_REASONS


def clock_view(
    installation: Installation, request: DataSubjectRequest, today: date, *, content: bool
) -> ClockView:
    """Without `content` nobody's words are opened."""
    running = request.status.is_open and request.refusal is None
    window = extension_notice(request.received_on, today, calendar_named(request.dates.calendar))
    decided = request.extension_decided_by is not None
    heard = any(
        one.about is ConsultedAbout.SUSPENSION and one.followed is not None
        for one in request.consultations.values()
    )
    waited = bool(request.pauses or request.open_pauses)
    members, access = installation.staff.members().values(), installation.staff.access()
    return ClockView(
        pauses=tuple(_pauses(request)),
        relied=request.suspension_relied_on,
        consultations=tuple(installation.consulting.opened(request))
        if content
        else tuple(Opened(one, None, None) for one in request.consultations.values()),
        duplicates=tuple(_duplicates(installation, request)),
        colleagues=tuple(one for one in members if works_at(request.controller, one, access)),
        reasons=REASONS,
        can_ask=running,
        can_answer=request.awaits_clarification,
        can_rely=running and waited and heard and not request.suspension_relied_on,
        can_extend=running
        and request.right.is_statutory
        and not decided
        and not request.extended
        and window is not NoticeWindow.REFUSED,
        notice_is_late=window is NoticeWindow.WARN,
        notice_waits=decided and not request.extended,
        can_reopen=request.status is Status.CLOSED,
    )


def _pauses(request: DataSubjectRequest) -> Iterator[PauseView]:
    for reason, opened_on, ended_on in request.ledger:
        yield PauseView(reason, opened_on, ended_on)
    for reason, opened_on in request.open_pauses.items():
        yield PauseView(
            reason,
            opened_on,
            reminded_on=request.question_reminders.get(reason, ()),
            silent=reason in request.silent_about,
        )


def _duplicates(
    installation: Installation, request: DataSubjectRequest
) -> Iterator[tuple[str, str]]:
    """The page and the short name of every case that asks the same."""
    for other in request.linked:
        case_id = installation.register.request(other).case_id
        yield f"/desk/cases/{case_id}", reference(case_id)
