"""A second opinion on every date, from the standard library and the acts alone.

Written apart from `domain`: Easter by Gauss' method where `holidays` uses another, holidays from
the acts' own words, months by stepping through days, and every search a plain loop.

Norway: lov 24. februar 1995 nr. 12 om helligdager, lov 26. april 1947 nr. 1 om 1 og 17 mai.
Sweden: lag (1989:253) om allmänna helgdagar; the eves: lag (1930:173).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache

ONE = timedelta(1)


def easter_day(year: int) -> date:
    """Gauss, with the constants of the years 1900 to 2099."""
    d = (19 * (year % 19) + 24) % 30
    e = (2 * (year % 4) + 4 * (year % 7) + 6 * d + 5) % 7
    if d == 29 and e == 6:
        return date(year, 4, 19)
    if d == 28 and e == 6 and year % 19 > 10:
        return date(year, 4, 18)
    return date(year, 3, 22) + timedelta(d + e)


def saturday_from(day: date) -> date:
    while day.isoweekday() != 6:
        day += ONE
    return day


@cache
def public_holidays(country: str, year: int) -> frozenset[date]:
    """Every named holiday, without the ordinary Sundays."""
    easter = easter_day(year)
    ascension = easter + timedelta(39)
    whit_sunday = easter + timedelta(49)
    days = {
        date(year, 1, 1),
        easter - timedelta(2),
        easter,
        easter + ONE,
        date(year, 5, 1),
        ascension,
        whit_sunday,
        date(year, 12, 25),
        date(year, 12, 26),
    }
    if country == "NO":
        days |= {easter - timedelta(3), date(year, 5, 17), whit_sunday + ONE}
    else:
        days |= {
            date(year, 1, 6),
            date(year, 6, 6),
            saturday_from(date(year, 6, 20)),
            saturday_from(date(year, 10, 31)),
        }
    return frozenset(days)


@cache
def eves(country: str, year: int) -> frozenset[date]:
    if country == "NO":
        return frozenset()
    midsummer_eve = saturday_from(date(year, 6, 20)) - ONE
    return frozenset({midsummer_eve, date(year, 12, 24), date(year, 12, 31)})


@cache
def closed(country: str, day: date) -> bool:
    """Saturday, Sunday or public holiday."""
    return day.isoweekday() in (6, 7) or day in public_holidays(country, day.year)


def months_later(day: date, months: int) -> date:
    """Walk to the month, then to its day of the same number, or stop at its last day."""
    for _ in range(months):
        start = day.replace(day=28) + timedelta(4)
        day = start.replace(day=1)
    return day


def a_number_of_months(received: date, months: int) -> date:
    first = months_later(received.replace(day=1), months)
    found = first
    while found.day < received.day and (found + ONE).month == first.month:
        found += ONE
    return found


def rolled(country: str, day: date) -> date:
    while closed(country, day):
        day += ONE
    return day


def expected(
    country: str, received: date, promise_days: int | None
) -> tuple[date, date, date | None, date]:
    """Unrolled month, last day by law, promise, target."""
    unrolled = a_number_of_months(received, 1)
    promise = None if promise_days is None else received + timedelta(promise_days)
    target = min(unrolled, received + timedelta(30))
    if promise is not None and promise < target:
        target = promise
    while closed(country, target) or target in eves(country, target.year):
        target -= ONE
    return unrolled, rolled(country, unrolled), promise, target


def expected_if_suspended(country: str, received: date, waits: Sequence[tuple[date, date]]) -> date:
    """Tick off a month day by day; a day somebody kept us waiting does not tick.

    For waits that begin within the month. A day waited after the month has run out is left
    aside, as it is for the deadline: that needs the rolled date, which a ticking clock has not.
    """
    ticks = (a_number_of_months(received, 1) - received).days
    day = received
    while ticks:
        day += ONE
        if not any(asked < day <= answered for asked, answered in waits):
            ticks -= 1
    return rolled(country, day)


def expected_extended(country: str, received: date) -> tuple[date, date]:
    """One month and then two, as the law rolls the day and as the office does."""
    planned = a_number_of_months(a_number_of_months(received, 1), 2)
    return rolled(country, planned), back_to_work(country, planned)


def expected_target_if_suspended(
    country: str, received: date, promise_days: int | None, waits: Sequence[tuple[date, date]]
) -> date:
    """Tick off the month, or thirty days if they are fewer, by a clock that stops while we wait.

    A promise ticks on. For waits that begin within the month, like the clock above.
    """
    ticks = min((a_number_of_months(received, 1) - received).days, 30)
    day = received
    while ticks or any(asked < day <= answered for asked, answered in waits):
        day += ONE
        if not any(asked < day <= answered for asked, answered in waits):
            ticks -= 1
            if not ticks:
                break
    if promise_days is not None:
        day = min(day, received + timedelta(promise_days))
    return max(received, back_to_work(country, day))


def back_to_work(country: str, day: date) -> date:
    while closed(country, day) or day in eves(country, day.year):
        day -= ONE
    return day
