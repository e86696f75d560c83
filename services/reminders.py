"""Reminders: what happens because time passed. Each of them once, and only while the clock runs.

Dates are civil dates of the controller's country; the moment is an argument, so a clock that
jumps or a process that slept makes nothing happen twice and skips nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from uuid import UUID

import structlog

from domain.calendar import Calendar, load_calendar
from domain.deadlines import received_on
from domain.errors import DomainError
from domain.request import DataSubjectRequest, Status
from services.ports import Clock
from services.register import Register, again_on_conflict

UNOPENED_AFTER = timedelta(days=7)
"""An answer that nobody fetched for so long has not arrived."""


log = structlog.get_logger()


class Reminders:
    """Looks at open requests and records what has come due."""

    def __init__(self, register: Register, clock: Clock) -> None:
        self._register, self._clock = register, clock

    def run(self, request_ids: Iterable[UUID]) -> int:
        """Look at each of these requests; answers how many events were recorded."""
        return sum(self._looked_at(request_id) for request_id in request_ids)

    def _looked_at(self, request_id: UUID) -> int:
        """One request that cannot be looked at keeps no other from its reminders."""
        try:
            return self.look_at(request_id)
        except DomainError as error:
            log.warning("reminder_failed", request_id=str(request_id), error=type(error).__name__)
            return 0

    @again_on_conflict
    def look_at(self, request_id: UUID) -> int:
        now = self._clock()
        request = self._register.request(request_id)
        today = received_on(now, request.country)
        calendar = load_calendar(request.country)
        for reminder, due_on in due_reminders(request, calendar):
            if today >= due_on:
                request.remind(reminder=reminder, on=due_on, at=now)
        request.miss(today=today, at=now)
        self._unopened(request, now)
        recorded = len(request.pending_events)
        if recorded:
            self._register.save_all([request])
        return recorded

    @staticmethod
    def _unopened(request: DataSubjectRequest, now: datetime) -> None:
        sent_at = request.answered_at
        if (
            request.status is Status.FULFILLED
            and sent_at is not None
            and request.fetched_at is None
            and now - sent_at >= UNOPENED_AFTER
        ):
            request.fail_delivery(reason="answer-not-fetched", at=now)


def due_reminders(request: DataSubjectRequest, calendar: Calendar) -> Iterator[tuple[str, date]]:
    """Every reminder of a request with its day."""
    dates = request.dates
    target = dates.extended_target_due or dates.target_due
    suffix = "-extended" if dates.extended_target_due else ""
    if not request.acknowledged:
        yield "acknowledge", _office_days_after(request.received_on, 2, calendar)
    if request.act_by is not None:
        yield "act-today", request.act_by
    yield "half-time", request.received_on + (target - request.received_on) / 2
    yield f"five-working-days{suffix}", _office_days_before(target, 5, calendar)
    yield f"two-working-days{suffix}", _office_days_before(target, 2, calendar)
    yield f"today{suffix}", target


def _office_days_before(day: date, count: int, calendar: Calendar) -> date:
    while count:
        day -= timedelta(days=1)
        count -= calendar.is_office_day(day)
    return day


def _office_days_after(day: date, count: int, calendar: Calendar) -> date:
    while count:
        day += timedelta(days=1)
        count -= calendar.is_office_day(day)
    return day
