"""How long data is needed or must be kept."""

from __future__ import annotations

import dataclasses
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.policy import FiscalYear, Period, Retention
from domain.retention import bookkeeping_until, fiscal_year_end, open_obligations, retention_end
from domain.vocabulary import Country
from tests.support.policies import POLICIES


def retention_of(short: str, category: str) -> Retention:
    return POLICIES[short].category(category).retention


def test_a_relation_ends_three_years_after_the_latest_of_purchase_form_and_contact() -> None:
    """AK-13: purchase 10 May 2023 and form 1 February 2024 end on 1 February 2027."""
    end = retention_end(
        retention_of("AK", "contact"),
        {"last_purchase": date(2023, 5, 10), "last_form_registration": date(2024, 2, 1)},
    )

    assert end.until == date(2027, 2, 1)
    assert (end.anchor, end.anchored_on) == ("last_form_registration", date(2024, 2, 1))


def test_a_rights_request_does_not_prolong_the_relation() -> None:
    """AK-13, AO-08, B.7 row last-contact."""
    anchors = {"last_purchase": date(2023, 5, 10), "rights_request": date(2026, 1, 5)}

    assert retention_end(retention_of("AK", "contact"), anchors).until == date(2026, 5, 10)
    assert retention_end(retention_of("AO", "contact"), anchors).until == date(2026, 5, 10)


def test_a_controller_may_decide_that_a_request_prolongs_it() -> None:
    """B.7 row last-contact: configurable."""
    retention = dataclasses.replace(retention_of("AK", "contact"), request_resets_anchor=True)
    anchors = {"last_purchase": date(2023, 5, 10), "rights_request": date(2026, 1, 5)}

    assert retention_end(retention, anchors).until == date(2029, 1, 5)


def test_eighteen_months_run_from_the_completed_order() -> None:
    """MU-11: the conservative default where the policy names no anchor."""
    end = retention_end(
        retention_of("MU", "orders"),
        {"last_purchase": date(2025, 12, 1), "order_completed": date(2026, 8, 31)},
    )

    assert end.until == date(2028, 2, 29)
    assert end.is_over(date(2028, 3, 1))
    assert not end.is_over(date(2028, 2, 29))


@pytest.mark.parametrize("flag", ["instalments", "subscription", "use", "guarantee"])
def test_the_relation_stays_open_while_something_runs(flag: str) -> None:
    """AO-10."""
    end = retention_end(
        retention_of("AO", "contact"), {"last_contact": date(2020, 1, 1)}, {flag, "paid"}
    )

    assert end.until is None
    assert end.open_because == (flag,)


def test_a_period_without_a_known_anchor_has_no_end_yet() -> None:
    """X-04: anchors are events that connectors supply."""
    orders = retention_of("MU", "orders")

    assert retention_end(orders, {}).until is None
    assert retention_end(orders, {"last_contact": date(2020, 1, 1)}).until is None


def test_without_a_period_the_last_anchor_is_the_end() -> None:
    """OK-13: as long as the contract needs it."""
    end = retention_end(
        retention_of("OK", "contact"),
        {"order_completed": date(2026, 12, 5), "subscription_ends": date(2027, 5, 31)},
    )

    assert end.until == date(2027, 5, 31)


@pytest.mark.parametrize(
    ("day", "month_and_day", "ends"),
    [
        (date(2026, 6, 30), (6, 30), date(2026, 6, 30)),
        (date(2026, 7, 1), (6, 30), date(2027, 6, 30)),
        (date(2026, 12, 31), (12, 31), date(2026, 12, 31)),
        (date(2026, 2, 28), (2, 29), date(2026, 2, 28)),
        (date(2028, 2, 29), (2, 29), date(2028, 2, 29)),
        (date(2026, 1, 31), (1, 31), date(2026, 1, 31)),
    ],
)
def test_a_fiscal_year_ends_where_the_controller_ends_it(
    day: date, month_and_day: tuple[int, int], ends: date
) -> None:
    """E-12."""
    assert fiscal_year_end(day, FiscalYear(*month_and_day)) == ends


@pytest.mark.parametrize(
    ("country", "voucher_on", "month_and_day", "until"),
    [
        (Country.SE, date(2026, 5, 2), (12, 31), date(2033, 12, 31)),
        (Country.SE, date(2026, 6, 30), (6, 30), date(2033, 12, 31)),
        (Country.SE, date(2025, 7, 1), (6, 30), date(2033, 12, 31)),
        (Country.SE, date(2026, 7, 1), (6, 30), date(2034, 12, 31)),
        (Country.NO, date(2026, 5, 2), (12, 31), date(2031, 12, 31)),
        (Country.NO, date(2026, 6, 30), (6, 30), date(2031, 6, 30)),
        (Country.NO, date(2026, 7, 1), (6, 30), date(2032, 6, 30)),
    ],
)
def test_vouchers_are_kept_to_the_last_day_of_the_law(
    country: Country, voucher_on: date, month_and_day: tuple[int, int], until: date
) -> None:
    """AO-09, AK-16, E-12, B.4 row bookkeeping, B.5 row bookkeeping."""
    assert bookkeeping_until(country, voucher_on, FiscalYear(*month_and_day)) == until


@given(
    st.dates(date(1990, 1, 1), date(2090, 12, 31)), st.dates(date(2024, 1, 1), date(2024, 12, 31))
)
def test_bookkeeping_lasts_at_least_its_years_and_less_than_two_more(
    voucher_on: date, last_day: date
) -> None:
    year = FiscalYear(last_day.month, last_day.day)

    for country, years in ((Country.NO, 5), (Country.SE, 7)):
        kept = (bookkeeping_until(country, voucher_on, year) - voucher_on).days
        assert years * 365 <= kept <= (years + 2) * 366


def test_an_obligation_ends_the_day_after_what_it_waits_for() -> None:
    """E-13."""
    retention = Retention(period=Period(18))
    anchors = {"order_completed": date(2026, 12, 5)}

    def owed(on: date) -> list[tuple[str, date | None]]:
        flags = {"paid", "open_ticket"}
        return [(o.flag, o.until) for o in open_obligations(retention, anchors, flags, on)]

    assert owed(date(2026, 12, 6)) == [("open_ticket", date(2026, 12, 6))]
    assert owed(date(2026, 12, 7)) == []
