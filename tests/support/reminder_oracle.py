"""A second opinion on what comes due when, written apart from the service that reminds.

Summer time by Directive 2000/84/EC: from 01:00 UTC on the last Sunday of March to 01:00 UTC on the
last Sunday of October, in Oslo and Stockholm alike.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from tests.support.deadline_oracle import ONE, closed, eves, expected, rolled


def last_sunday(year: int, month: int) -> date:
    day = date(year, month, 31)
    return day - timedelta(day.isoweekday() % 7)


def local_day(at: datetime) -> date:
    """What the calendar on a wall in Oslo or Stockholm shows at that moment."""
    begins = datetime.combine(last_sunday(at.year, 3), time(1), UTC)
    ends = datetime.combine(last_sunday(at.year, 10), time(1), UTC)
    return (at + timedelta(hours=2 if begins <= at < ends else 1)).astimezone(UTC).date()


def midnight(day: date) -> datetime:
    """The first moment of a day over there: whichever of the two candidates begins it."""
    for hour in (22, 23):
        at = datetime.combine(day - ONE, time(hour), UTC)
        if local_day(at) == day:
            return at
    raise AssertionError("every day begins")


def at_work(country: str, day: date) -> bool:
    return not closed(country, day) and day not in eves(country, day.year)


def owed(
    country: str, received: date, promise_days: int | None, *, at_once: bool
) -> dict[str, date]:
    """Everything that is to be recorded of a request nobody answers, with its first day."""
    _, statutory, promise, target = expected(country, received, promise_days)
    target = max(target, received)
    first: dict[str, date] = {
        "acknowledge": steps(country, received, 2),
        "half-time": received + timedelta((target - received).days // 2),
        "five-working-days": steps(country, target, -5),
        "two-working-days": steps(country, target, -2),
        "today": target,
        "target missed": target + ONE,
        "statutory missed": statutory + ONE,
    }
    if at_once:
        first["act-today"] = rolled(country, received)
    if promise is not None:
        first["promise missed"] = promise + ONE
    return first


def steps(country: str, day: date, count: int) -> date:
    """So many days on which somebody is at work later, or earlier."""
    while count:
        day += ONE if count > 0 else -ONE
        if at_work(country, day):
            count += -1 if count > 0 else 1
    return day
