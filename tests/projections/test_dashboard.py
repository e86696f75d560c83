"""The dashboard's figures, each against requests whose dates are known."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from domain.calendar import load_calendar
from domain.personal import PersonalRef
from domain.request import DataSubjectRequest
from domain.vocabulary import Compartment, Country, Right
from projections.board import Selection
from projections.figures import Figures, Measures, Share, figures
from tests.support.past import COMPLEX_AND_MANY

Office = Any  # the fixture of this folder's conftest, which cannot be imported

RECEIVED = date(2026, 10, 1)  # due by law on 2 November (1 November is a Sunday)
TODAY = date(2026, 12, 1)


def _answered(office: Office, after_days: int, **how: Any) -> DataSubjectRequest:
    office.on(RECEIVED)
    request: DataSubjectRequest = office.request(received_on=RECEIVED, **how)
    office.on(RECEIVED + timedelta(days=after_days))
    return office.answered(request)  # type: ignore[no-any-return]


def _measured(office: Office, on: date = TODAY, right: Right | None = None) -> Measures:
    found = _figures(office, on)
    return next(one for one in found.by_right if one.of == right.value) if right else found.all


def _figures(office: Office, on: date = TODAY, **wanted: Any) -> Figures:
    selection = Selection((office.controller,), **wanted)
    return figures(office.sql, selection, dict.fromkeys(Country, on))


def test_each_date_has_its_own_share_of_answers_in_time(office: Office) -> None:
    """B.2.4: breaches are counted against law and promise separately; lists go by the target."""
    office.save(
        _answered(office, 10),
        _answered(office, 30),  # 31 October, a Saturday: after the target, on the promise
        _answered(office, 32),  # 2 November: after the promise, in time by law
        _answered(office, 33),
    )

    found = _measured(office)
    assert (found.target, found.promise, found.statutory) == (
        Share(kept=1, missed=3),
        Share(kept=2, missed=2),
        Share(kept=3, missed=1),
    )
    assert found.statutory.ratio == 0.75
    assert found.risk_days == 1 + 3 + 4  # the target is Friday 30 October


def test_without_a_promise_there_is_no_share_to_keep(office: Office) -> None:
    office.save(_answered(office, 10, promise_days=None))

    assert _measured(office).promise == Share(kept=0, missed=0)
    assert _measured(office).promise.ratio is None


def test_an_extension_in_time_counts_within_three_months_not_within_one(office: Office) -> None:
    """B.3: authorities ask for the shares answered within one and within three months."""
    office.on(RECEIVED)
    extended = office.request(received_on=RECEIVED)
    extended.extend_deadline(
        reasons=COMPLEX_AND_MANY,
        notice=PersonalRef(uuid4()),
        notice_sent_on=RECEIVED,
        calendar=load_calendar(Country.NO),
        by="staff-1",
        at=office.at,
    )
    office.on(RECEIVED + timedelta(days=60))
    office.save(office.answered(extended))

    found = _measured(office)
    assert found.statutory == Share(kept=1, missed=0)
    assert found.within_one_month == Share(kept=0, missed=1)
    assert found.within_three_months == Share(kept=1, missed=0)
    assert found.promise == Share(kept=0, missed=1)  # an extension does not move the promise


def test_closed_and_ended_are_different_and_both_counted(office: Office) -> None:
    """Closed means answered; ended means that nothing is left to do or to keep."""
    ended, closed = _answered(office, 10), _answered(office, 11)
    for request in (ended, closed):
        request.fulfil(outcomes=(), at=office.at)
        request.close(at=office.at)
    for compartment in (
        Compartment.UPLOAD,
        Compartment.PACKAGE,
        Compartment.CORRESPONDENCE,
    ):
        ended.destroy_content(compartment=compartment, at=office.at)
    ended.end(at=office.at)
    office.save(ended, closed, _answered(office, 12))

    found = _measured(office)
    assert (found.received, found.closed, found.ended) == (3, 2, 1)


def test_an_open_request_misses_a_date_when_the_day_is_over(office: Office) -> None:
    office.on(RECEIVED)
    office.save(office.request(received_on=RECEIVED))

    on_the_day = _measured(office, date(2026, 11, 2))
    assert on_the_day.statutory == Share(kept=0, missed=0)
    assert (on_the_day.open_late, on_the_day.past_promise, on_the_day.past_statutory) == (1, 1, 0)

    the_day_after = _measured(office, date(2026, 11, 3))
    assert the_day_after.statutory == Share(kept=0, missed=1)
    assert the_day_after.past_statutory == 1


def test_open_requests_are_counted_by_days_left(office: Office) -> None:
    office.on(date(2026, 10, 1))
    office.save(
        *(office.request(received_on=date(2026, 10, 1) + timedelta(days=n)) for n in range(29))
    )

    found = _measured(office, date(2026, 10, 29))
    buckets = (
        found.open_late,
        found.open_0_to_2_days,
        found.open_3_to_7_days,
        found.open_8_to_14_days,
        found.open_15_days_or_more,
    )
    assert sum(buckets) == found.open == 29
    assert all(bucket > 0 for bucket in buckets[1:])
    assert found.open_late == 0
    assert _measured(office, date(2027, 3, 1)).open_late == 29


def test_today_is_that_of_each_controllers_country(office: Office) -> None:
    office.on(RECEIVED)
    office.save(
        office.request(received_on=RECEIVED),
        office.request(received_on=RECEIVED, controller="tour-operator", country=Country.SE),
    )

    today = {Country.NO: date(2026, 12, 1), Country.SE: date(2026, 10, 2)}
    found = figures(office.sql, Selection(("concert-hall", "tour-operator")), today)
    late = {one.of: one.open_late for one in found.by_controller}
    assert late == {"concert-hall": 1, "tour-operator": 0}


def test_days_to_answer_have_a_median_and_a_ninetieth_percentile(office: Office) -> None:
    office.save(*(_answered(office, days) for days in range(1, 12)))

    found = _measured(office)
    assert (found.median_days, found.ninety_percent_days) == (6.0, 10.0)


def test_rights_are_told_apart_and_added_up(office: Office) -> None:
    office.on(RECEIVED)
    office.save(
        *(office.request(right, received_on=RECEIVED) for right in (Right.ACCESS, Right.ACCESS)),
        office.request(Right.ERASURE, received_on=RECEIVED),
    )

    assert _measured(office, RECEIVED, Right.ACCESS).open == 2
    assert _measured(office, RECEIVED, Right.ERASURE).open == 1
    assert _measured(office, RECEIVED).open == 3


def test_what_was_withdrawn_counts_in_no_share(office: Office) -> None:
    office.on(RECEIVED)
    request = office.request(received_on=RECEIVED)
    request.withdraw(at=office.at)
    office.save(request)

    found = _measured(office)
    assert (found.received, found.open, found.statutory) == (1, 0, Share(kept=0, missed=0))


def test_an_answer_that_did_not_arrive_is_no_answer(office: Office) -> None:
    request = _answered(office, 10)
    request.fail_delivery(reason="bounced", at=office.at)
    office.save(request)

    found = _measured(office)
    assert (found.open, found.median_days) == (1, None)
    assert found.statutory == Share(kept=0, missed=1)


def test_figures_can_begin_at_a_day_but_nothing_open_is_left_out(office: Office) -> None:
    office.save(_answered(office, 5))
    office.on(RECEIVED)
    office.save(office.request(received_on=RECEIVED))

    found = _figures(office, since=date(2026, 11, 1)).all
    assert (found.received, found.open) == (1, 1)


def test_a_controller_sees_its_own_figures_only(office: Office) -> None:
    office.on(RECEIVED)
    office.save(office.request(received_on=RECEIVED, controller="other"))

    assert _figures(office).all.received == 0
    assert _figures(office).by_right == ()
