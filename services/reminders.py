"""Reminders: what happens because time passed. Each of them once, and only while the clock runs.

Dates are civil dates of the controller's country, and what was recorded is never recorded again, so
a clock that jumps, a process that slept or another one beside it repeats nothing and skips nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from threading import Event
from uuid import UUID

import structlog
from eventsourcing.persistence import InterfaceError, OperationalError

from domain.calendar import Calendar, newest_like
from domain.deadlines import received_on
from domain.errors import DomainError
from domain.request import DataSubjectRequest, Status
from domain.vocabulary import Country
from services.assigning import Assigning
from services.ports import Clock
from services.questions import Questions
from services.register import Register, again_on_conflict

UNOPENED_AFTER = timedelta(days=7)
"""An answer that nobody fetched for so long has not arrived."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Known:
    """What was known of a request when it was looked at, and when something comes due next."""

    facts: object
    country: Country
    next_on: date | None = None
    next_at: datetime | None = None

    def is_still_so(self, facts: object, now: datetime) -> bool:
        """Whether there is nothing to be found by looking again."""
        if facts is None or facts != self.facts:
            return False
        if self.next_at is not None and now >= self.next_at:
            return False
        return self.next_on is None or received_on(now, self.country) < self.next_on


Calendars = Callable[[str], Calendar]
"""Answers the newest version of the calendar of that name."""


class Reminders:
    """Looks at open requests and records what has come due."""

    def __init__(
        self,
        register: Register,
        questions: Questions,
        assigning: Assigning,
        clock: Clock,
        calendars: Calendars = newest_like,
    ) -> None:
        self._register, self._clock, self._calendars = register, clock, calendars
        self._questions, self._assigning = questions, assigning
        self._known: dict[UUID, Known] = {}

    def pass_over(self, requests: Mapping[UUID, object], stop: Event | None = None) -> int:
        """Look at those of the open requests that have changed, or of which something is due.

        With each come the facts that its reminders depend on, whatever they are: a request is
        loaded only where they are others than last time or unknown, or its next day has come.
        """
        now = self._clock()
        self._known = {one: known for one, known in self._known.items() if one in requests}
        recorded = 0
        for request_id, facts in requests.items():
            if stop is not None and stop.is_set():
                break
            known = self._known.get(request_id)
            if known is None or not known.is_still_so(facts, now):
                recorded += self._looked_at(request_id, facts)
        return recorded

    def run(self, request_ids: Iterable[UUID]) -> int:
        """Look at each of these requests; answers how many events were recorded."""
        return sum(self._looked_at(request_id, None) for request_id in request_ids)

    @again_on_conflict
    def recount(self, request_id: UUID) -> bool:
        """Count an open request by the newest calendar; answers whether there was a newer one."""
        request = self._register.request(request_id)
        request.recompute_deadlines(
            calendar=self._calendars(request.dates.calendar), at=self._clock()
        )
        recounted = bool(request.pending_events)
        if recounted:
            self._register.save_all([request])
        return recounted

    def _looked_at(self, request_id: UUID, facts: object) -> int:
        """One request that cannot be looked at keeps no other from its reminders."""
        self._known.pop(request_id, None)
        try:
            recorded, self._known[request_id] = self._look_at(request_id, facts)
        except (OperationalError, InterfaceError):
            raise  # the database is away, and will be for the next one too
        except DomainError as error:
            log.warning("reminder_failed", request_id=str(request_id), error=type(error).__name__)
        except Exception:  # an event nobody can read, or a bug of ours
            log.exception("reminder_failed", request_id=str(request_id))
        else:
            return recorded
        return 0

    @again_on_conflict
    def _look_at(self, request_id: UUID, facts: object) -> tuple[int, Known]:
        now = self._clock()
        request = self._register.request(request_id)
        today = received_on(now, request.country)
        unopened_at = _unopened_at(request)
        if unopened_at is not None and now >= unopened_at:
            request.fail_delivery(reason="answer-not-fetched", at=now)
            unopened_at = None
        days = [today + _DAY]
        try:
            calendar = self._calendars(request.dates.calendar)
            request.recompute_deadlines(calendar=calendar, at=now)
            reminders = tuple(due_reminders(request, calendar, today))
        except DomainError as error:  # what was missed can be told without a calendar
            log.warning("reminder_failed", request_id=str(request_id), error=type(error).__name__)
        else:
            for reminder, due_on in reminders:
                if today >= due_on:
                    to = self._to(request, reminder, today)
                    request.remind(reminder=reminder, on=due_on, to=to, at=now)
            days = [due_on for _, due_on in reminders]
            days += [last_day + _DAY for last_day in _last_days(request, today)]
            if request.status.is_open and (_is_late(request, today) or request.open_pauses):
                days.append(today + _DAY)
        request.miss(today=today, at=now)
        recorded = len(request.pending_events)
        if recorded:
            self._register.save_all([request])
        if request.open_pauses and request.status.is_open:
            recorded += self._questions.follow_up(request_id)
        next_on = min((day for day in days if day > today), default=None)
        return recorded, Known(facts, request.country, next_on, unopened_at)

    def _to(self, request: DataSubjectRequest, reminder: str, today: date) -> str | None:
        """Whose turn it is: near the end the deputy's too, so that nobody is waited for."""
        holder = request.assigned_to
        if holder is None or not reminder.startswith("two-working-days"):
            return holder
        return self._assigning.deputy_of(holder, request.controller, today) or holder


_DAY = timedelta(days=1)


def _unopened_at(request: DataSubjectRequest) -> datetime | None:
    """When an answer that waits to be fetched counts as one that has not arrived."""
    if request.status is not Status.FULFILLED or request.fetched_at is not None:
        return None
    return request.answered_at + UNOPENED_AFTER if request.answered_at is not None else None


def _last_days(request: DataSubjectRequest, today: date) -> Iterator[date]:
    """The days of a request after which it has missed something."""
    dates, relied = request.dates_on(today), request.suspension_relied_on
    days = (dates.aim(relied=relied), dates.promise_due, dates.last_day(relied=relied))
    return (day for day in days if day is not None)


def _is_late(request: DataSubjectRequest, today: date) -> bool:
    return today >= request.aim_on(today)


def due_reminders(
    request: DataSubjectRequest, calendar: Calendar, today: date
) -> Iterator[tuple[str, date]]:
    """Every reminder of a request with its day; of those for each day after, today's.

    An extension or a pause that is relied on gives another target, and that its own reminders.
    """
    target, suffix = request.aim_on(today), _suffix(request)
    if not request.acknowledged:
        yield "acknowledge", _office_days_after(request.received_on, 2, calendar)
    if request.act_by is not None:
        yield "act-today", request.act_by
    if request.suspension_relied_on and request.open_pauses:
        return  # the clock stands still
    yield "half-time", request.received_on + (target - request.received_on) / 2
    # Whoever needs two more months has to say so now (Art. 12(3)).
    yield f"five-working-days{suffix}", _office_days_before(target, 5, calendar)
    yield f"two-working-days{suffix}", _office_days_before(target, 2, calendar)
    yield f"today{suffix}", target
    if today > target:
        yield f"late-{today.isoformat()}", today


def _suffix(request: DataSubjectRequest) -> str:
    dates = request.dates
    if request.suspension_relied_on and dates.target_due_if_suspended is not None:
        return f"-{dates.target_due_if_suspended.isoformat()}"
    return "-extended" if dates.extended_target_due else ""


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
