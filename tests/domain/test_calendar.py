"""Public holidays against the acts themselves, and what a calendar refuses to say."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from domain import calendar as module
from domain.calendar import calendar_named, load_calendar
from domain.errors import DomainError
from domain.vocabulary import Country
from tests.support import calendars, deadline_oracle

NO, SE = Country.NO, Country.SE
YEARS = range(2018, 2042)


@pytest.mark.parametrize("country", Country)
def test_every_holiday_of_every_year_is_the_one_in_the_acts(country: Country) -> None:
    """B.4 row holidays, B.5 row holidays."""
    expected = {
        day for year in YEARS for day in deadline_oracle.public_holidays(country.value, year)
    }

    assert load_calendar(country).holidays == expected


@pytest.mark.parametrize("country", Country)
def test_the_quiet_days_are_the_three_swedish_eves_and_no_norwegian_day(country: Country) -> None:
    expected = {day for year in YEARS for day in deadline_oracle.eves(country.value, year)}

    assert load_calendar(country).quiet == expected


COMMON = {
    2026: ["01-01", "04-03", "04-06", "05-01", "05-14", "12-25"],
    2027: ["01-01", "03-26", "03-29", "05-06"],
    2028: ["04-14", "04-17", "05-01", "05-25", "12-25", "12-26"],
}
NORWAY_ONLY = {
    2026: ["04-02", "05-25"],
    2027: ["03-25", "05-17"],
    2028: ["04-13", "05-17", "06-05"],
}
SWEDEN_ONLY = {2026: ["01-06"], 2027: ["01-06"], 2028: ["01-06", "06-06"]}
SWEDISH_EVES = {
    2026: ["06-19", "12-24", "12-31"],
    2027: ["06-25", "12-24", "12-31"],
    2028: ["06-23"],
}


def on_weekdays(days: frozenset[date], year: int) -> list[str]:
    return sorted(f"{day:%m-%d}" for day in days if day.year == year and day.weekday() < 5)


@pytest.mark.parametrize("year", [2026, 2027, 2028])
def test_the_holidays_on_weekdays_are_those_of_the_table_b_6(year: int) -> None:
    """B.6."""
    norway, sweden = load_calendar(NO), load_calendar(SE)

    assert on_weekdays(norway.holidays & sweden.holidays, year) == COMMON[year]
    assert on_weekdays(norway.holidays - sweden.holidays, year) == NORWAY_ONLY[year]
    assert on_weekdays(sweden.holidays - norway.holidays, year) == SWEDEN_ONLY[year]
    assert on_weekdays(sweden.quiet, year) == SWEDISH_EVES[year]


@pytest.mark.parametrize("country", Country)
def test_the_files_are_what_the_generator_writes_today(country: Country) -> None:
    """When this fails, a law or the package has changed: publish the next version, edit none."""
    calendar = load_calendar(country)
    path = calendars.CALENDARS / f"{calendar.name}.json"

    assert path.read_text(encoding="utf-8") == calendars.calendar(country.value, calendar.version)


def test_a_published_version_is_never_written_again() -> None:
    with pytest.raises(FileExistsError):
        calendars.main("2026.1")


def test_two_feasts_on_one_day_are_both_known() -> None:
    feasts = load_calendar(NO).feasts[date(2027, 5, 17)]

    assert feasts == ("constitution-day", "whit-monday")


def test_an_eve_is_a_working_day_and_no_office_day() -> None:
    """B.5 row holidays."""
    sweden, eve = load_calendar(SE), date(2026, 12, 24)

    assert sweden.is_working_day(eve)
    assert not sweden.is_office_day(eve)
    assert sweden.next_working_day(eve) == eve
    assert sweden.last_office_day(eve) == date(2026, 12, 23)
    assert sweden.last_office_day(date(2026, 12, 27)) == date(2026, 12, 23)


def test_next_working_day_and_last_office_day_keep_a_working_day() -> None:
    day = date(2026, 3, 3)

    assert load_calendar(NO).next_working_day(day) == day
    assert load_calendar(NO).last_office_day(day) == day


@pytest.mark.parametrize("day", [date(2017, 12, 31), date(2042, 1, 1)])
def test_a_day_outside_the_lists_is_refused_with_the_years_they_cover(day: date) -> None:
    with pytest.raises(DomainError, match=r"NO-2026\.1 .* from 2018 to 2040 .* install a release"):
        load_calendar(NO).is_working_day(day)


@pytest.mark.parametrize("day", [date(2018, 1, 1), date(2041, 12, 31)])
def test_the_first_and_last_day_of_the_lists_are_known(day: date) -> None:
    load_calendar(NO).is_working_day(day)


@pytest.mark.parametrize("day", [date(2017, 12, 31), date(2041, 1, 1)])
def test_a_receipt_outside_the_covered_years_is_refused(day: date) -> None:
    with pytest.raises(DomainError, match="2018 to 2040"):
        load_calendar(SE).require_receipt(day)


def test_a_calendar_is_frozen_and_loaded_once() -> None:
    calendar = load_calendar(NO)

    with pytest.raises(FrozenInstanceError):
        calendar.version = "2027.1"  # type: ignore[misc]  # the point of the test
    assert load_calendar(NO, "2026.1") is calendar


def test_a_case_finds_the_calendar_it_was_counted_with() -> None:
    """B.2.4: the version is pinned."""
    for name in ("NO-2026.1", "SE-2026.1", "SE-2026.1+eves"):
        assert calendar_named(name).name == name


@pytest.mark.parametrize("name", ["", "NO", "DK-2026.1", "2026.1"])
def test_a_name_that_is_no_calendar_is_refused(name: str) -> None:
    with pytest.raises(DomainError, match=r"names look like NO-2026\.1"):
        calendar_named(name)


@pytest.mark.parametrize("version", ["1999.1", "2026.1+saturdays", "../NO-2026.1", "+eves"])
def test_an_unknown_version_is_refused_with_those_there_are(version: str) -> None:
    with pytest.raises(DomainError, match=r"choose one of .*2026\.1"):
        load_calendar(SE, version)


def test_the_newest_version_is_taken_by_number_not_by_spelling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in ("2026.1", "2026.10", "2026.9"):
        (tmp_path / f"SE-{version}.json").touch()
    monkeypatch.setattr(module, "_FOLDER", tmp_path)

    # The undecorated function, so that no other test sees these files.
    assert module._versions.__wrapped__(SE) == ("2026.1", "2026.9", "2026.10")


def test_the_act_of_1930_makes_the_eves_public_holidays_and_says_so() -> None:
    plain, strict = load_calendar(SE), load_calendar(SE, "2026.1+eves")

    assert strict.holidays == plain.holidays | plain.quiet
    assert strict.quiet == frozenset()
    assert strict.follows_act_of_1930
    assert not plain.follows_act_of_1930


def test_norway_has_no_eves_to_follow() -> None:
    with pytest.raises(DomainError, match=r"NO-2026\.1 has no eves"):
        load_calendar(NO, "2026.1+eves")


def test_a_new_holiday_is_a_new_version_and_leaves_the_old_one_alone() -> None:
    old = load_calendar(NO)
    announced = old.holidays | {date(2030, 6, 3)}
    new = replace(old, version="2030.1", holidays=announced)

    assert old.is_working_day(date(2030, 6, 3))
    assert new.next_working_day(date(2030, 6, 3)) == date(2030, 6, 3) + timedelta(1)
    assert (old.name, new.name) == ("NO-2026.1", "NO-2030.1")
