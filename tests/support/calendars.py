"""Writes a new version of the calendar files from the `holidays` package.

It lives with the tests because only development may import `holidays`: the service reads the
resolved lists under `domain/calendars/` and asks nobody. A published version is never written
again, since open cases name it; a changed law or a new public holiday gets the next version:

    python -m tests.support.calendars 2027.1
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import holidays

CALENDARS = Path(__file__).parents[2] / "domain" / "calendars"
FIRST_YEAR, LAST_YEAR = 2018, 2040
COUNTRIES = ("NO", "SE")

FEASTS = {
    "New Year's Day": "new-years-day",
    "Epiphany": "epiphany",
    "Maundy Thursday": "maundy-thursday",
    "Good Friday": "good-friday",
    "Easter Sunday": "easter-day",
    "Easter Monday": "easter-monday",
    "Labor Day": "first-of-may",
    "May Day": "first-of-may",
    "Constitution Day": "constitution-day",
    "Ascension Day": "ascension-day",
    "Pentecost": "whit-sunday",
    "Pentecost Monday": "whit-monday",
    "National Day": "national-day",
    "Midsummer Eve": "midsummer-eve",
    "Midsummer Day": "midsummer-day",
    "All Saints' Day": "all-saints-day",
    "Christmas Eve": "christmas-eve",
    "Christmas Day": "christmas-day",
    "Second Day of Christmas": "second-day-of-christmas",
    "New Year's Eve": "new-years-eve",
}


def calendar(country: str, version: str) -> str:
    """The text of one calendar file: one line per day, so that a change shows as one line."""
    days = sorted(_days(country), key=lambda entry: entry["date"])
    lines = ",\n".join(f"    {json.dumps(entry)}" for entry in days)
    return (
        f'{{\n  "country": "{country}",\n  "version": "{version}",\n'
        f'  "first_year": {FIRST_YEAR},\n  "last_year": {LAST_YEAR},\n'
        f'  "days": [\n{lines}\n  ]\n}}\n'
    )


def _days(country: str) -> Iterator[dict[str, Any]]:
    # One year more than receipts may have, because their periods end in it.
    years = range(FIRST_YEAR, LAST_YEAR + 2)
    if country == "NO":
        yield from _entries(
            "public", holidays.country_holidays("NO", years=years, language="en_US")
        )
        return
    public = holidays.country_holidays("SE", years=years, language="en_US", include_sundays=False)
    yield from _entries("public", public)
    # `de_facto` holds the three eves and nothing else; `bank` and `optional` hold half days.
    eves = holidays.country_holidays(
        "SE", years=years, language="en_US", include_sundays=False, categories=("de_facto",)
    )
    yield from _entries("eve", eves)


def _entries(kind: str, found: holidays.HolidayBase) -> Iterator[dict[str, Any]]:
    day: date
    for day in found:
        feasts = sorted(FEASTS[name] for name in found.get_list(day))
        yield {"date": day.isoformat(), "kind": kind, "feasts": feasts}


def main(version: str) -> None:
    for country in COUNTRIES:
        path = CALENDARS / f"{country}-{version}.json"
        with path.open("x", encoding="utf-8") as file:
            file.write(calendar(country, version))


if __name__ == "__main__":
    main(sys.argv[1])
