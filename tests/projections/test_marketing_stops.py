"""Clicks that stop marketing: counted by controller and month, by what became of them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

from domain.marketing_stop import MarketingStop
from domain.vocabulary import Outcome
from projections.marketing_stops import Counted, by_month, number

Office = Any  # the fixture of this folder's conftest, which cannot be imported

LATE_IN_OCTOBER = datetime(2026, 10, 31, 23, 30, tzinfo=UTC)


def _asked(office: Office, *systems: str, controller: str = "", at: datetime) -> MarketingStop:
    return MarketingStop(
        id=uuid4(), controller=controller or office.controller, systems=systems, timestamp=at
    )


def test_clicks_are_counted_by_month_and_by_what_became_of_them(office: Office) -> None:
    """GK-18: whoever answers for marketing sees that the clicks are obeyed, and not whose."""
    at = office.at
    done = _asked(office, "mailing", "shop", at=LATE_IN_OCTOBER)  # November in Oslo already
    half, given = _asked(office, "mailing", "shop", at=at), _asked(office, "mailing", at=at)
    other = _asked(
        office, "mailing", controller="tour-operator", at=datetime(2026, 9, 1, tzinfo=UTC)
    )
    for system in ("mailing", "shop"):
        done.stop_at(system=system, outcome=Outcome.SUPPRESSED, at=at)
    half.stop_at(system="shop", outcome=Outcome.SUPPRESSED, at=at)
    given.hand_over(case_id=uuid4(), reason="system-refused", at=at)
    office.save(done, half, given, other)
    done.stop_again(system="mailing", at=at)
    office.save(done)

    november = Counted(office.controller, date(2026, 11, 1), 3, 1, 1, 1)
    assert by_month(office.sql, [office.controller]) == [november]
    both = by_month(office.sql, ["tour-operator", office.controller])
    assert both == [november, Counted("tour-operator", date(2026, 9, 1), 1, 0, 1, 0)]
    (row,) = office.sql.fetch("SELECT again FROM views.marketing_stops WHERE state = 'stopped'")
    assert row == {"again": 1}

    assert number(office.sql, [office.controller]) == 3
    assert number(office.sql, ["tour-operator"], since=date(2026, 10, 1)) == 0
    assert number(office.sql, ["tour-operator"], month=date(2026, 9, 1)) == 1
