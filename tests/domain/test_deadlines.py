"""The clock, by law.md B.2, against an oracle that shares no line with it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from domain.calendar import load_calendar
from domain.deadlines import (
    Deadlines,
    NoticeWindow,
    Pause,
    act_by,
    add_months,
    deadlines,
    extension_notice,
    hard_stop,
    received_on,
)
from domain.errors import DomainError
from domain.vocabulary import Country
from tests.support.dates import by_law
from tests.support.deadline_oracle import (
    expected,
    expected_extended,
    expected_if_suspended,
    expected_target_if_suspended,
)

NO, SE = Country.NO, Country.SE
FIRST, LAST = date(2018, 1, 1), date(2040, 12, 31)
DAY = timedelta(1)
THIRTY = timedelta(30)

countries = st.sampled_from(Country)
receipts = st.dates(FIRST, LAST)
promises = st.none() | st.integers(1, 366)


@st.composite
def waits(draw: st.DrawFn, received: date) -> list[Pause]:
    """Up to four times we waited for the person, all begun within 40 days of the receipt."""
    starts = draw(st.lists(st.integers(0, 40), max_size=4))
    return [
        Pause(asked, asked + timedelta(draw(st.integers(0, 25))))
        for asked in (received + timedelta(start) for start in starts)
    ]


def every_day(first: date = FIRST, last: date = LAST) -> list[date]:
    return [first + timedelta(number) for number in range((last - first).days + 1)]


# Every receipt day there is


@pytest.mark.parametrize("promise_days", [None, 30, 14])
@pytest.mark.parametrize("country", Country)
def test_every_receipt_day_of_2018_to_2040_agrees_with_the_oracle(
    country: Country, promise_days: int | None
) -> None:
    calendar = load_calendar(country)

    wrong = [
        (day, dates, oracle)
        for day in every_day()
        for dates in [deadlines(day, calendar, promise_days)]
        for oracle in [expected(country.value, day, promise_days)]
        if (dates.unrolled, dates.statutory_due, dates.promise_due, dates.target_due) != oracle
    ]

    assert wrong == []


# The worked examples, B.2.3


@pytest.mark.parametrize(
    ("received", "nominal", "norway", "sweden"),
    [
        ("2026-01-31", "2026-02-28", "2026-03-02", "2026-03-02"),
        ("2027-01-31", "2027-02-28", "2027-03-01", "2027-03-01"),
        ("2028-01-31", "2028-02-29", "2028-02-29", "2028-02-29"),
        ("2026-03-05", "2026-04-05", "2026-04-07", "2026-04-07"),
        ("2026-08-31", "2026-09-30", "2026-09-30", "2026-09-30"),
        ("2027-04-17", "2027-05-17", "2027-05-18", "2027-05-17"),
        ("2027-02-25", "2027-03-25", "2027-03-30", "2027-03-25"),
        ("2026-12-06", "2027-01-06", "2027-01-06", "2027-01-07"),
        ("2028-05-06", "2028-06-06", "2028-06-06", "2028-06-07"),
        ("2026-05-19", "2026-06-19", "2026-06-19", "2026-06-19"),
        ("2026-11-24", "2026-12-24", "2026-12-24", "2026-12-24"),
        ("2026-11-25", "2026-12-25", "2026-12-28", "2026-12-28"),
        ("2026-12-01", "2027-01-01", "2027-01-04", "2027-01-04"),
        ("2027-02-01", "2027-03-01", "2027-03-01", "2027-03-01"),
        ("2026-07-05", "2026-08-05", "2026-08-05", "2026-08-05"),
        # EDPB Guidelines 01/2022, example 32, in a year when 5 April is a working day.
        ("2024-03-05", "2024-04-05", "2024-04-05", "2024-04-05"),
        # C-171/03 Toeters: from the day itself, not from the day after.
        ("2026-09-03", "2026-10-03", "2026-10-05", "2026-10-05"),
    ],
)
def test_the_worked_examples_of_b_2_3(
    received: str, nominal: str, norway: str, sweden: str
) -> None:
    """B.2.3: every row of the table, and the two cases behind it."""
    for country, due in ((NO, norway), (SE, sweden)):
        dates = deadlines(date.fromisoformat(received), load_calendar(country))

        assert dates.unrolled == date.fromisoformat(nominal)
        assert dates.statutory_due == date.fromisoformat(due)


@pytest.mark.parametrize(
    ("received", "under_the_act_of_1930", "target"),
    [("2026-05-19", "2026-06-22", "2026-06-18"), ("2026-11-24", "2026-12-28", "2026-12-23")],
)
def test_a_swedish_eve_moves_the_last_day_only_under_the_act_of_1930(
    received: str, under_the_act_of_1930: str, target: str
) -> None:
    """B.2.3, B.7 row eves: strict by default; the target keeps clear of the eve either way."""
    day = date.fromisoformat(received)
    strict = deadlines(day, load_calendar(SE))
    by_the_act = deadlines(day, load_calendar(SE, "2026.1+eves"))

    assert strict.statutory_due == add_months(day, 1)
    assert by_the_act.statutory_due == date.fromisoformat(under_the_act_of_1930)
    assert by_the_act.calendar == "SE-2026.1+eves"
    assert strict.target_due == by_the_act.target_due
    assert strict.target_due <= date.fromisoformat(target)


def test_midsummer_eve_is_no_target_in_sweden_and_a_fine_one_in_norway() -> None:
    """B.2.4, B.5 row holidays: Received 20 May 2026: the thirtieth day is Friday 19 June."""
    day = date(2026, 5, 20)

    assert deadlines(day, load_calendar(NO)).target_due == date(2026, 6, 19)
    assert deadlines(day, load_calendar(SE)).target_due == date(2026, 6, 18)


def test_gk_03_a_promise_may_be_stricter_than_the_month() -> None:
    dates = deadlines(date(2026, 7, 5), load_calendar(NO), 30)

    assert dates.promise_due == date(2026, 8, 4)
    assert dates.statutory_due == date(2026, 8, 5)
    assert dates.target_due == date(2026, 8, 4)


def test_gk_03_a_promise_is_no_excuse_to_be_later_than_the_month() -> None:
    """GK-03, B.7 row thirty-days: the earlier of both counts."""
    dates = deadlines(date(2027, 2, 1), load_calendar(NO), 30)

    assert dates.promise_due == date(2027, 3, 3)
    assert dates.statutory_due == date(2027, 3, 1)
    assert dates.target_due == date(2027, 3, 1)


def test_a_promise_does_not_roll() -> None:
    dates = deadlines(date(2027, 2, 25), load_calendar(NO), 30)

    assert dates.promise_due == date(2027, 3, 27)  # a Saturday
    assert dates.target_due == date(2027, 3, 24)  # before Maundy Thursday


@pytest.mark.parametrize("country", Country)
def test_without_a_promise_there_is_none(country: Country) -> None:
    """AK-03: the month of the law and thirty days are what is left."""
    dates = deadlines(date(2026, 7, 5), load_calendar(country))

    assert dates == Deadlines(
        unrolled=date(2026, 8, 5),
        statutory_due=date(2026, 8, 5),
        promise_due=None,
        target_due=date(2026, 8, 4),
        calendar=f"{country.value}-2026.1",
    )


def test_a_promise_of_one_day_made_on_a_saturday_is_due_at_once() -> None:
    dates = deadlines(date(2026, 7, 4), load_calendar(NO), 1)

    assert dates.promise_due == date(2026, 7, 5)
    assert dates.target_due == date(2026, 7, 4)


@pytest.mark.parametrize("promise_days", [0, -1, 367])
def test_a_promise_that_is_no_number_of_days_is_refused(promise_days: int | None) -> None:
    with pytest.raises(DomainError, match="give 1 to 366"):
        deadlines(date(2026, 7, 4), load_calendar(NO), promise_days)


@pytest.mark.parametrize("day", [date(2017, 12, 31), date(2041, 1, 1)])
def test_a_receipt_the_calendar_does_not_cover_is_refused(day: date) -> None:
    with pytest.raises(DomainError, match="from 2018 to 2040"):
        deadlines(day, load_calendar(NO))


# What B.2.3 counts over 2026 to 2028


@pytest.fixture(scope="module")
def three_years() -> list[date]:
    return every_day(date(2026, 1, 1), date(2028, 12, 31))


def test_the_two_countries_differ_on_16_receipt_days_in_three_years(
    three_years: list[date],
) -> None:
    """B.2.3."""
    norway, sweden = load_calendar(NO), load_calendar(SE)
    differing = [
        day
        for day in three_years
        if deadlines(day, norway).statutory_due != deadlines(day, sweden).statutory_due
    ]

    assert len(differing) == 16


def test_the_eve_question_matters_on_5_receipt_days_in_three_years(three_years: list[date]) -> None:
    """B.2.3, B.7 row eves."""
    plain, strict = load_calendar(SE), load_calendar(SE, "2026.1+eves")
    differing = [
        day
        for day in three_years
        if deadlines(day, plain).statutory_due != deadlines(day, strict).statutory_due
    ]

    assert len(differing) == 5


def test_three_months_differ_from_one_and_two_on_14_receipt_days_in_three_years(
    three_years: list[date],
) -> None:
    """B.2.3."""
    differing = [
        day for day in three_years if add_months(add_months(day, 1), 2) != add_months(day, 3)
    ]

    assert len(differing) == 14


def test_the_unrolled_date_is_earlier_on_337_norwegian_receipt_days_in_three_years(
    three_years: list[date],
) -> None:
    """B.2.6: so often would a notice be called late too soon, if the month did not roll."""
    calendar = load_calendar(NO)
    found = Counter(
        dates.unrolled < by_law(dates)
        for dates in (deadlines(day, calendar) for day in three_years)
    )

    assert found == {True: 337, False: 1096 - 337}


@pytest.mark.parametrize("country", Country)
def test_every_month_holds_fifteen_working_days_so_article_3_5_never_binds(
    country: Country,
) -> None:
    """B.2.2."""
    calendar = load_calendar(country)
    working = [calendar.is_working_day(day) for day in every_day(FIRST, date(2041, 2, 28))]

    for number, received in enumerate(every_day()):
        length = (add_months(received, 1) - received).days
        assert sum(working[number + 1 : number + 1 + length]) >= 15


# Properties


@given(received=receipts, country=countries, promise_days=promises)
def test_the_target_is_never_after_the_month_the_promise_or_thirty_days(
    received: date, country: Country, promise_days: int | None
) -> None:
    """B.2.4, X-02, B.7 row thirty-days: the earlier of law and promise."""
    dates = deadlines(received, load_calendar(country), promise_days)

    assert dates.target_due <= dates.unrolled
    assert dates.target_due <= received + THIRTY
    assert dates.promise_due is None or dates.target_due <= dates.promise_due
    assert dates.target_due >= received


@given(received=receipts, country=countries, promise_days=promises)
def test_the_target_is_an_office_day_or_the_day_of_receipt(
    received: date, country: Country, promise_days: int | None
) -> None:
    calendar = load_calendar(country)
    target = deadlines(received, calendar, promise_days).target_due

    assert calendar.is_office_day(target) or target == received


@given(received=receipts, country=countries, promise_days=promises)
def test_the_last_day_by_law_is_a_working_day_and_never_before_the_month(
    received: date, country: Country, promise_days: int | None
) -> None:
    """B.2.2."""
    calendar = load_calendar(country)
    dates = deadlines(received, calendar, promise_days)

    assert calendar.is_working_day(by_law(dates))
    assert by_law(dates) >= dates.unrolled
    assert dates.statutory_due == deadlines(received, calendar).statutory_due


@given(received=receipts, country=countries, promise_days=promises, data=st.data())
def test_a_new_holiday_never_makes_the_target_later_nor_the_last_day_earlier(
    received: date, country: Country, promise_days: int | None, data: st.DataObject
) -> None:
    """B.2.4: a calendar may change."""
    calendar = load_calendar(country)
    announced = data.draw(st.sets(st.integers(0, 40).map(lambda n: received + n * DAY)))
    changed = replace(calendar, holidays=calendar.holidays | announced)
    old = deadlines(received, calendar, promise_days)
    new = deadlines(received, changed, promise_days)

    assert new.target_due <= old.target_due
    assert by_law(new) >= by_law(old)
    assert (new.unrolled, new.promise_due) == (old.unrolled, old.promise_due)


@given(one=receipts, days=st.integers(1, 60), country=countries, promise_days=promises)
@example(one=date(2026, 1, 28), days=3, country=NO, promise_days=None)
def test_an_earlier_receipt_never_makes_a_date_later(
    one: date, days: int, country: Country, promise_days: int | None
) -> None:
    """B.2.1: a correction is safe."""
    assume(one - days * DAY >= FIRST)
    calendar = load_calendar(country)
    corrected = deadlines(one - days * DAY, calendar, promise_days, extension=True)
    stated = deadlines(one, calendar, promise_days, extension=True)

    assert corrected.unrolled <= stated.unrolled
    assert by_law(corrected) <= by_law(stated)
    assert corrected.target_due <= stated.target_due
    assert (corrected.promise_due or FIRST) <= (stated.promise_due or FIRST)
    assert (corrected.extended_due or FIRST) <= (stated.extended_due or FIRST)
    assert hard_stop(one - days * DAY, calendar) <= hard_stop(one, calendar)


@given(day=receipts, one=st.integers(0, 40), other=st.integers(0, 40))
def test_adding_months_keeps_the_number_or_takes_the_last_day(
    day: date, one: int, other: int
) -> None:
    added = add_months(day, one)

    assert (added.year - day.year) * 12 + added.month - day.month == one
    assert added.day == day.day or (added + DAY).month != added.month
    assert (added <= add_months(day, other)) == (one <= other)


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2023, 1, 31), 1, date(2023, 2, 28)),
        (date(2023, 12, 15), 1, date(2024, 1, 15)),
        (date(2023, 10, 31), 2, date(2023, 12, 31)),
        (date(2024, 2, 29), 36, date(2027, 2, 28)),
    ],
)
def test_adding_months(day: date, months: int, later: date) -> None:
    """B.2.2: the same number, or the month's last day."""
    assert add_months(day, months) == later


# Pauses, B.2.5


def test_ten_days_of_waiting_are_added_to_the_month_before_it_rolls() -> None:
    """B.2.5: Received 31 January 2026: 28 February and ten days is Tuesday 10 March."""
    received = date(2026, 1, 31)
    ten_days = Pause(date(2026, 2, 5), date(2026, 2, 15))
    dates = deadlines(received, load_calendar(NO), 30, pauses=[ten_days])

    assert dates.statutory_due_if_suspended == date(2026, 3, 10)
    # Adding them to Monday 2 March, which had rolled already, gives Thursday 12 March.
    assert dates.statutory_due_if_suspended != date(2026, 3, 12)


def test_pauses_leave_every_other_date_alone() -> None:
    """B.2.5, B.7 row suspension: alarms do not rely on it."""
    received, calendar = date(2026, 1, 31), load_calendar(NO)
    paused = deadlines(received, calendar, 30, pauses=[Pause(date(2026, 2, 5), date(2026, 2, 15))])

    plain = replace(paused, statutory_due_if_suspended=None, target_due_if_suspended=None)
    assert plain == deadlines(received, calendar, 30)


def test_days_waited_for_two_answers_at_once_are_counted_once() -> None:
    calendar, received = load_calendar(NO), date(2026, 6, 1)
    identity = Pause(date(2026, 6, 2), date(2026, 6, 9))
    scope = Pause(date(2026, 6, 5), date(2026, 6, 12))

    both = deadlines(received, calendar, pauses=[identity, scope])
    whole = deadlines(received, calendar, pauses=[Pause(date(2026, 6, 2), date(2026, 6, 12))])

    assert both == whole
    assert both.statutory_due_if_suspended == date(2026, 7, 13)  # 11 July is a Saturday


def test_waiting_that_began_after_the_time_ran_out_stops_nothing() -> None:
    """B.2.5."""
    calendar, received = load_calendar(NO), date(2026, 6, 1)
    on_the_last_day = Pause(date(2026, 7, 1), date(2026, 7, 8))
    too_late = Pause(date(2026, 7, 2), date(2026, 7, 8))

    in_time = deadlines(received, calendar, pauses=[on_the_last_day])
    late = deadlines(received, calendar, pauses=[too_late])

    assert in_time.statutory_due_if_suspended == date(2026, 7, 8)
    assert late.statutory_due_if_suspended == late.statutory_due == date(2026, 7, 1)


def test_waiting_before_a_corrected_receipt_does_not_count() -> None:
    """The receipt turned out to be later: what was waited before it cannot have stopped it."""
    before = Pause(date(2026, 5, 20), date(2026, 5, 25))

    dates = deadlines(date(2026, 6, 1), load_calendar(NO), pauses=[before])

    assert dates.statutory_due_if_suspended is None


def test_a_pause_cannot_end_before_it_began() -> None:
    with pytest.raises(DomainError, match="check both days"):
        Pause(date(2026, 6, 2), date(2026, 6, 1))


@given(received=receipts, country=countries, data=st.data())
def test_a_suspended_month_ticks_like_a_stopped_clock(
    received: date, country: Country, data: st.DataObject
) -> None:
    month_end = add_months(received, 1)
    pauses = [pause for pause in data.draw(waits(received)) if pause.opened_on < month_end]
    dates = deadlines(received, load_calendar(country), pauses=pauses)

    asked_and_answered = [(pause.opened_on, pause.ended_on) for pause in pauses]
    oracle = expected_if_suspended(country.value, received, asked_and_answered)
    assert (dates.statutory_due_if_suspended or dates.statutory_due) == oracle


@given(received=receipts, country=countries, extension=st.booleans(), data=st.data())
def test_pauses_and_extension_may_come_in_any_order(
    received: date, country: Country, extension: bool, data: st.DataObject
) -> None:
    """B.2.5."""
    calendar = load_calendar(country)
    pauses = data.draw(waits(received))
    shuffled = data.draw(st.permutations(pauses))

    assert deadlines(received, calendar, pauses=shuffled, extension=extension) == deadlines(
        received, calendar, pauses=pauses, extension=extension
    )


@given(received=receipts, country=countries, data=st.data())
def test_a_pause_told_in_two_halves_is_the_same_pause(
    received: date, country: Country, data: st.DataObject
) -> None:
    calendar = load_calendar(country)
    whole = Pause(received + 2 * DAY, received + data.draw(st.integers(4, 40)) * DAY)
    middle = data.draw(st.dates(whole.opened_on, whole.ended_on))
    halves = [Pause(middle, whole.ended_on), Pause(whole.opened_on, middle)]

    for extension in (False, True):
        assert deadlines(received, calendar, pauses=halves, extension=extension) == deadlines(
            received, calendar, pauses=[whole], extension=extension
        )


@given(received=receipts, country=countries, data=st.data())
def test_neither_a_pause_nor_an_extension_takes_time_away(
    received: date, country: Country, data: st.DataObject
) -> None:
    calendar = load_calendar(country)
    pauses = data.draw(waits(received))
    plain = deadlines(received, calendar, pauses=pauses)
    extended = deadlines(received, calendar, pauses=pauses, extension=True)

    if plain.statutory_due_if_suspended and extended.statutory_due_if_suspended:
        assert by_law(plain) <= plain.statutory_due_if_suspended
        assert plain.statutory_due_if_suspended <= extended.statutory_due_if_suspended


@given(received=receipts, country=countries, promise_days=promises, data=st.data())
def test_the_target_if_suspended_stops_with_the_clock_and_keeps_the_promise(
    received: date, country: Country, promise_days: int | None, data: st.DataObject
) -> None:
    """B.2.5: beside the others; never after the promise, nor after the suspended last day."""
    calendar = load_calendar(country)
    pauses = data.draw(waits(received))
    dates = deadlines(received, calendar, promise_days, pauses=pauses)
    if dates.statutory_due_if_suspended is None:
        assert dates.target_due_if_suspended is None
        return

    aim = dates.target_due_if_suspended
    assert aim is not None
    assert dates.target_due <= aim <= dates.statutory_due_if_suspended
    assert dates.promise_due is None or aim <= dates.promise_due
    assert calendar.is_office_day(aim) or aim == received


@given(received=receipts, country=countries)
def test_an_extension_agrees_with_the_oracle(received: date, country: Country) -> None:
    """B.2.6: one and two months, walked day by day."""
    dates = deadlines(received, load_calendar(country), extension=True)

    oracle = expected_extended(country.value, received)
    assert (dates.extended_due, dates.extended_target_due) == oracle


@given(
    received=receipts,
    country=countries,
    promise_days=promises,
    start=st.integers(0, 20),
    length=st.integers(1, 7),
)
def test_the_target_if_suspended_agrees_with_a_stopped_clock(
    received: date, country: Country, promise_days: int | None, start: int, length: int
) -> None:
    """B.2.5: against the oracle, which ticks instead of adding."""
    pause = Pause(received + start * DAY, received + (start + length) * DAY)
    dates = deadlines(received, load_calendar(country), promise_days, pauses=[pause])

    waited = [(pause.opened_on, pause.ended_on)]
    oracle = expected_target_if_suspended(country.value, received, promise_days, waited)
    assert dates.aim(relied=True) == oracle


def test_only_a_controller_who_relies_on_pauses_goes_by_them() -> None:
    """B.2.5, B.7: received Monday 1 June 2026, ten days waited."""
    pause = Pause(date(2026, 6, 2), date(2026, 6, 12))
    dates = deadlines(date(2026, 6, 1), load_calendar(NO), pauses=[pause])

    assert (dates.aim(), dates.last_day()) == (date(2026, 7, 1), date(2026, 7, 1))
    assert dates.aim(relied=True) == date(2026, 7, 10)  # 11 July is a Saturday
    assert dates.last_day(relied=True) == date(2026, 7, 13)


# Extension, B.2.6


def test_the_extension_plans_for_the_earlier_of_one_plus_two_and_three_months() -> None:
    """B.2.6, B.7 row three-months: the law stops at 30 April; one plus two give 28 April."""
    received, calendar = date(2026, 1, 31), load_calendar(NO)
    dates = deadlines(received, calendar, extension=True)

    assert hard_stop(received, calendar) == date(2026, 4, 30)
    assert dates.extended_due == date(2026, 4, 28)
    assert dates.extended_target_due == date(2026, 4, 28)


def test_the_hard_stop_rolls() -> None:
    """B.2.6: 17 February 2027 and three months is Monday 17 May: a holiday in Norway."""
    assert hard_stop(date(2027, 2, 17), load_calendar(NO)) == date(2027, 5, 18)
    assert hard_stop(date(2027, 2, 17), load_calendar(SE)) == date(2027, 5, 17)


def test_an_extended_target_is_an_office_day() -> None:
    dates = deadlines(date(2026, 9, 24), load_calendar(SE), extension=True)

    assert dates.extended_due == date(2026, 12, 24)
    assert dates.extended_target_due == date(2026, 12, 23)


def test_pause_then_extension_ends_where_extension_then_pause_does() -> None:
    """B.2.5: Here one known tool gives 12 May or 11 May, depending on what was entered first."""
    received, calendar = date(2026, 1, 31), load_calendar(NO)
    pause = Pause(date(2026, 2, 5), date(2026, 2, 15))
    dates = deadlines(received, calendar, pauses=[pause], extension=True)

    assert dates.statutory_due_if_suspended == hard_stop(received, calendar)


def test_an_extension_does_not_shorten_what_long_pauses_give() -> None:
    """A hundred days waited: 30 days of June and July, then three months would have passed."""
    received, calendar = date(2026, 6, 1), load_calendar(NO)
    pause = Pause(date(2026, 6, 2), date(2026, 9, 10))

    dates = deadlines(received, calendar, pauses=[pause], extension=True)

    assert dates.statutory_due_if_suspended == date(2026, 10, 9)
    assert dates.extended_due == hard_stop(received, calendar) == date(2026, 9, 1)


@given(received=receipts, country=countries, promise_days=promises, data=st.data())
def test_an_extension_never_passes_three_months_and_moves_nothing_else(
    received: date, country: Country, promise_days: int | None, data: st.DataObject
) -> None:
    """B.2.6."""
    calendar = load_calendar(country)
    pauses = data.draw(waits(received))
    plain = deadlines(received, calendar, promise_days, pauses=pauses)
    extended = deadlines(received, calendar, promise_days, pauses=pauses, extension=True)

    assert extended.extended_due
    assert extended.extended_target_due
    assert extended.extended_target_due <= extended.extended_due
    assert by_law(plain) < extended.extended_due <= hard_stop(received, calendar)
    assert (
        replace(
            extended,
            extended_due=None,
            extended_target_due=None,
            statutory_due_if_suspended=plain.statutory_due_if_suspended,
            target_due_if_suspended=plain.target_due_if_suspended,
        )
        == plain
    )


@pytest.mark.parametrize(
    ("today", "window"),
    [
        ("2026-01-31", NoticeWindow.OK),
        ("2026-02-28", NoticeWindow.OK),
        ("2026-03-01", NoticeWindow.WARN),
        ("2026-03-02", NoticeWindow.WARN),
        ("2026-03-03", NoticeWindow.REFUSED),
    ],
)
def test_a_notice_is_warned_about_after_the_month_and_refused_after_the_last_day(
    today: str, window: NoticeWindow
) -> None:
    """B.2.6, received Saturday 31 January 2026: 28 February rolls to Monday 2 March."""
    given_today = date.fromisoformat(today)

    assert extension_notice(date(2026, 1, 31), given_today, load_calendar(NO)) is window


# Receipt, B.2.1, and what is done the same working day


@pytest.mark.parametrize("country", Country)
def test_the_last_evening_of_january_in_utc_is_february_here(country: Country) -> None:
    """B.2.1, AK-02: the local day on which it arrived."""
    assert received_on(datetime(2026, 1, 31, 23, 30, tzinfo=UTC), country) == date(2026, 2, 1)
    assert received_on(datetime(2026, 1, 31, 22, 59, tzinfo=UTC), country) == date(2026, 1, 31)
    # In summer the civil day begins at 22:00 UTC.
    assert received_on(datetime(2026, 6, 30, 22, 0, tzinfo=UTC), country) == date(2026, 7, 1)


def test_a_moment_without_a_time_zone_is_refused() -> None:
    with pytest.raises(DomainError, match="needs a time zone"):
        received_on(datetime(2026, 1, 31, 23, 30), NO)  # noqa: DTZ001 (what is refused)


@pytest.mark.parametrize(
    ("country", "received", "acts"),
    [
        (NO, "2026-03-03", "2026-03-03"),
        (NO, "2026-03-07", "2026-03-09"),
        (NO, "2027-05-17", "2027-05-18"),
        (SE, "2027-05-17", "2027-05-17"),
        (SE, "2026-12-24", "2026-12-24"),
    ],
)
def test_an_objection_to_marketing_takes_effect_on_the_working_day_it_arrives(
    country: Country, received: str, acts: str
) -> None:
    """AO-14, B.1 row 7(3), B.1 row 21(1): at once."""
    assert act_by(date.fromisoformat(received), load_calendar(country)) == date.fromisoformat(acts)
