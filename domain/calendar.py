"""Working days by country: resolved public holidays, kept as versioned data and never looked up.

Regulation (EEC, Euratom) 1182/71 Art. 2: a working day is any day but public holidays, Saturdays
and Sundays. A case names the version it was counted with, so a version is never edited.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from types import MappingProxyType

from domain.errors import DomainError
from domain.vocabulary import Country

_FOLDER = Path(__file__).parent / "calendars"
_DAY = timedelta(days=1)
_EVES = "eves"
_SATURDAY = 5


@dataclass(frozen=True)
class Calendar:
    """The public holidays of one country, and the eves on which its offices are empty.

    Covers requests received from `first_year` to `last_year`, and holds the days of the year
    after as well, because the last periods end in it.
    """

    country: Country
    version: str
    first_year: int
    last_year: int
    holidays: frozenset[date]
    quiet: frozenset[date] = frozenset()
    """The three Swedish eves: working days to the Regulation, days off to people."""
    feasts: Mapping[date, tuple[str, ...]] = field(
        default_factory=lambda: MappingProxyType({}), compare=False, repr=False
    )

    @property
    def name(self) -> str:
        """What an event keeps to say which calendar it was counted with, e.g. `NO-2026.1`."""
        return f"{self.country.value}-{self.version}"

    @property
    def follows_act_of_1930(self) -> bool:
        """Whether the eves count as public holidays here (see `load_calendar`)."""
        return self.version.endswith(f"+{_EVES}")

    def is_working_day(self, day: date) -> bool:
        self._require(self.first_year <= day.year <= self.last_year + 1, day)
        return day.weekday() < _SATURDAY and day not in self.holidays

    def is_office_day(self, day: date) -> bool:
        """Whether somebody can be expected at work: a working day that is no eve."""
        return self.is_working_day(day) and day not in self.quiet

    def next_working_day(self, day: date) -> date:
        """The day itself if it is a working day, else the first one after it."""
        while not self.is_working_day(day):
            day += _DAY
        return day

    def last_office_day(self, day: date) -> date:
        """The day itself if it is an office day, else the last one before it."""
        while not self.is_office_day(day):
            day -= _DAY
        return day

    def require_receipt(self, received_on: date) -> None:
        """Refuse a day of receipt for which the lists are not known to be complete."""
        self._require(self.first_year <= received_on.year <= self.last_year, received_on)

    def _require(self, covered: bool, day: date) -> None:
        if not covered:
            raise DomainError(
                f"calendar {self.name} covers requests received from {self.first_year} to "
                f"{self.last_year} and {day} lies outside: check the date, or install a release "
                f"with a calendar that covers it"
            )


def load_calendar(country: Country, version: str | None = None) -> Calendar:
    """The given version of a country's calendar, or else the newest one.

    `2026.1+eves` is `2026.1` with the eves as public holidays, for a controller that follows the
    Swedish Act of 1930 (1930:173) also where the Regulation counts.
    """
    return _load(country, version or _versions(country)[-1])


def newest_like(name: str) -> Calendar:
    """The newest version of the calendar that an event named, with or without the eves as there."""
    known = calendar_named(name)
    newest = _versions(known.country)[-1]
    return load_calendar(
        known.country, f"{newest}+{_EVES}" if known.follows_act_of_1930 else newest
    )


def calendar_named(name: str) -> Calendar:
    """The calendar that an event named, e.g. `SE-2026.1`."""
    code, _, version = name.partition("-")
    if code not in Country.__members__ or not version:
        raise DomainError(f"no calendar is called {name!r}: names look like NO-2026.1")
    return load_calendar(Country[code], version)


@cache
def _load(country: Country, version: str) -> Calendar:
    published, _, variant = version.partition("+")
    if published not in _versions(country) or variant not in {"", _EVES}:
        raise DomainError(
            f"there is no calendar {country.value}-{version}: choose one of "
            f"{', '.join(_versions(country))}"
        )
    calendar = _read(_FOLDER / f"{country.value}-{published}.json")
    if not variant:
        return calendar
    if not calendar.quiet:
        raise DomainError(f"calendar {calendar.name} has no eves: leave out +{_EVES}")
    return replace(
        calendar, version=version, holidays=calendar.holidays | calendar.quiet, quiet=frozenset()
    )


def _read(path: Path) -> Calendar:
    content = json.loads(path.read_text(encoding="utf-8"))

    def days(kind: str) -> Iterator[date]:
        return (date.fromisoformat(day["date"]) for day in content["days"] if day["kind"] == kind)

    return Calendar(
        country=Country(content["country"]),
        version=content["version"],
        first_year=content["first_year"],
        last_year=content["last_year"],
        holidays=frozenset(days("public")),
        quiet=frozenset(days("eve")),
        feasts=MappingProxyType(
            {date.fromisoformat(day["date"]): tuple(day["feasts"]) for day in content["days"]}
        ),
    )


@cache
def _versions(country: Country) -> tuple[str, ...]:
    """The published versions, oldest first."""
    names = (path.stem.partition("-")[2] for path in _FOLDER.glob(f"{country.value}-*.json"))
    return tuple(sorted(names, key=lambda name: [int(part) for part in name.split(".")]))
