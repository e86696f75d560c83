"""The clock: a month, a promise and a target, as pure functions of civil dates (Art. 12(3) GDPR).

Periods run by Regulation (EEC, Euratom) 1182/71. Its Art. 3(5), at least two working days in any
period of two days or more, never binds here: a month holds at least fifteen of them, and a promise
is the controller's own word, not a period of the Regulation.
"""

from __future__ import annotations

import calendar as civil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from zoneinfo import ZoneInfo

from domain.calendar import Calendar
from domain.errors import DomainError
from domain.vocabulary import Country

LONGEST_PROMISE = 366
_DAY = timedelta(days=1)
_THIRTY_DAYS = timedelta(days=30)


@dataclass(frozen=True)
class Pause:
    """A time the person kept us waiting, from the day we asked to the day they answered.

    Like the receipt itself, the day of asking is not counted and the day of the answer is.
    While the answer is still out, `ended_on` is today.
    """

    opened_on: date
    ended_on: date

    def __post_init__(self) -> None:
        if self.ended_on < self.opened_on:
            raise DomainError(
                f"a pause from {self.opened_on} cannot end on {self.ended_on}: check both days"
            )


@dataclass(frozen=True)
class Deadlines:
    """What the law allows, what the controller promised, what we aim for (Art. 12(3))."""

    unrolled: date
    statutory_due: date | None
    """Art. 12(3); none where no law sets a time (AK-12, GK-23), which leaves the day to aim for."""
    promise_due: date | None
    target_due: date
    calendar: str
    statutory_due_if_suspended: date | None = None
    """The last day if the pauses count; shown beside the others, and alarms do not rely on it."""
    extended_due: date | None = None
    extended_target_due: date | None = None
    target_due_if_suspended: date | None = None
    """The day to aim for if the pauses count; a promise still comes first."""

    def last_day(self, *, relied: bool = False) -> date | None:
        """The last day by law, if one is set.

        Pauses count only where the controller relies on them (B.2.5).
        """
        if relied and self.statutory_due_if_suspended is not None:
            return self.statutory_due_if_suspended
        return self.extended_due or self.statutory_due

    def aim(self, *, relied: bool = False) -> date:
        """The day by which work is sorted and reminded of."""
        if relied and self.target_due_if_suspended is not None:
            return self.target_due_if_suspended
        return self.extended_target_due or self.target_due


class NoticeWindow(Enum):
    """Whether a notice of extension sent today is in time."""

    OK = "ok"
    WARN = "warn"
    REFUSED = "refused"


def received_on(at: datetime, country: Country) -> date:
    """The civil date of arrival where the controller is, whatever the hour (receipt rule 1).

    Arrival is what counts, not awareness (EDPB Guidelines 01/2022, 159): a mail that comes at
    night or on a Sunday counts that day. A changed rule becomes a function of its own.
    """
    if at.tzinfo is None:
        raise DomainError("a moment of arrival needs a time zone: give it as, for example, UTC")
    return at.astimezone(ZoneInfo(country.zone)).date()


def deadlines(
    received_on: date,
    calendar: Calendar,
    promise_days: int | None = None,
    *,
    pauses: Iterable[Pause] = (),
    extension: bool = False,
    statutory: bool = True,
) -> Deadlines:
    """Every date of one right, counted from its original receipt.

    What is no right of Art. 15 to 22 has no day by law, and so none that moves. Pauses and
    extension are facts about the whole time, not steps: they may come in any order. Neither moves
    `statutory_due`, `promise_due` or `target_due`.
    """
    calendar.require_receipt(received_on)
    unrolled = add_months(received_on, 1)
    promise = _promise_due(received_on, promise_days)
    # One plus two months, which is never later than three: 31 January gives 28 April, not 30.
    planned = add_months(unrolled, 2) if extension and statutory else None
    counted = pauses if statutory else ()
    suspended = _if_suspended(received_on, calendar, promise, counted, planned)
    return Deadlines(
        unrolled=unrolled,
        statutory_due=calendar.next_working_day(unrolled) if statutory else None,
        promise_due=promise,
        # A promise of a few days may hold no office day at all: then it is due at once.
        target_due=max(received_on, calendar.last_office_day(earliest(received_on, promise))),
        calendar=calendar.name,
        statutory_due_if_suspended=suspended[0] if suspended else None,
        extended_due=calendar.next_working_day(planned) if planned else None,
        extended_target_due=calendar.last_office_day(planned) if planned else None,
        target_due_if_suspended=suspended[1] if suspended else None,
    )


def earliest(received_on: date, promise_due: date | None) -> date:
    """What comes first of the unrolled month, the promise and thirty days."""
    # Thirty days outlast the calendar month for anything received between
    # 30 January and the end of February, so neither is a safe stand-in for the other.
    month, thirty_days = add_months(received_on, 1), received_on + _THIRTY_DAYS
    return min(month, thirty_days, promise_due or thirty_days)


def hard_stop(received_on: date, calendar: Calendar) -> date:
    """Three months from receipt: no extension goes past it (Art. 12(3))."""
    return calendar.next_working_day(add_months(received_on, 3))


def extension_notice(received_on: date, today: date, calendar: Calendar) -> NoticeWindow:
    """The notice is due within the first month, which rolls like the month for the answer."""
    unrolled = add_months(received_on, 1)
    if today <= unrolled:
        return NoticeWindow.OK
    in_time = today <= calendar.next_working_day(unrolled)
    return NoticeWindow.WARN if in_time else NoticeWindow.REFUSED


def act_by(received_on: date, calendar: Calendar) -> date:
    """The working day on which an objection to marketing or a withdrawal takes effect.

    A Swedish eve counts as a working day here: to act earlier harms nobody (Art. 7(3), 21(3)).
    """
    return calendar.next_working_day(received_on)


def add_months(day: date, months: int) -> date:
    """The same date number so many months on, or that month's last day (1182/71 Art. 3(2)(c))."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, civil.monthrange(year, month)[1]))


def _promise_due(received_on: date, promise_days: int | None) -> date | None:
    if promise_days is None:
        return None
    if not 1 <= promise_days <= LONGEST_PROMISE:
        raise DomainError(
            f"a promise of {promise_days} days cannot be counted: give 1 to {LONGEST_PROMISE}, "
            f"or nothing if nothing was promised"
        )
    return received_on + timedelta(days=promise_days)


def _if_suspended(
    received_on: date,
    calendar: Calendar,
    promise: date | None,
    pauses: Iterable[Pause],
    planned: date | None,
) -> tuple[date, date] | None:
    """The last day and the day to aim for, if the time we waited for the person counts.

    Days stood still are added to the month before it rolls, never to a date that has rolled. An
    extension may use up the three months but not go past them; what the pauses alone give is not
    taken away by it. A promise knows no pauses: until an extension it is aimed for as it stands.
    """
    waiting = sorted({day for pause in pauses for day in _days(pause) if day > received_on})
    if not waiting:
        return None
    month = add_months(received_on, 1)
    suspended = _suspend(month, waiting, calendar)
    due = calendar.next_working_day(suspended)
    first = earliest(received_on, None) + (suspended - month)
    aim = max(received_on, calendar.last_office_day(min(first, promise or first)))
    if planned is None:
        return due, aim
    extended = min(_suspend(planned, waiting, calendar), add_months(received_on, 3))
    return (
        max(due, calendar.next_working_day(extended)),
        max(aim, calendar.last_office_day(max(suspended, extended))),
    )


def _suspend(unrolled: date, waiting: Iterable[date], calendar: Calendar) -> date:
    for day in waiting:
        if day - _DAY > calendar.next_working_day(unrolled):
            break  # whoever asks after the time has run out stops nothing
        unrolled += _DAY
    return unrolled


def _days(pause: Pause) -> Iterator[date]:
    for number in range(1, (pause.ended_on - pause.opened_on).days + 1):
        yield pause.opened_on + timedelta(days=number)
