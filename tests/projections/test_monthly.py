"""A month's figures for the officer: what happened in it, and where what came in it stands."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from domain.calendar import load_calendar
from domain.request import RefusalGround
from domain.vocabulary import ConsultedAbout, Country, Delivery
from projections.monthly import Advised, Counted, Month, month_of
from tests.support.past import COMPLEX_AND_MANY, ref

Office = Any  # the fixture of this folder's conftest, which cannot be imported

OCTOBER = date(2026, 10, 1)
AS_OF = datetime(2026, 12, 1, 9, tzinfo=UTC)


def _told(office: Office, month: date = OCTOBER) -> Month:
    return month_of(office.sql, office.controller, Country.NO, month, as_of=AS_OF, position=1)


def test_extensions_are_told_by_the_month_of_their_notice_with_each_reason(office: Office) -> None:
    office.on(date(2026, 9, 28))
    request = office.request()
    office.on(date(2026, 10, 2))
    request.extend_deadline(
        reasons=COMPLEX_AND_MANY,
        notice=ref(),
        notice_sent_on=date(2026, 10, 2),
        calendar=load_calendar(Country.NO),
        by="staff-1",
        at=office.at,
    )
    office.save(request)

    assert {one.code for one in _told(office).extensions} == {r.value for r in COMPLEX_AND_MANY}
    assert {one.number for one in _told(office).extensions} == {1}
    assert _told(office, date(2026, 9, 1)).extensions == ()
    assert _told(office, date(2026, 9, 1)).figures.all.received == 1


def test_refusals_are_told_with_ground_and_law(office: Office) -> None:
    office.on(date(2026, 10, 5))
    request = office.request()
    office.verify(request)
    request.refuse(
        ground=RefusalGround.NOT_ENTITLED,
        code="no-consent",
        by="staff-1",
        reasons=ref(),
        at=office.at,
    )
    office.save(request)

    assert _told(office).refusals == (Counted("conditions-not-met", "no-consent", 1),)
    assert _told(office, date(2026, 11, 1)).refusals == ()


def test_answers_count_in_the_month_they_left_and_late_ones_in_that_of_receipt(
    office: Office,
) -> None:
    office.on(date(2026, 9, 1))
    request = office.request()
    office.on(date(2026, 10, 30))
    office.save(office.answered(request))
    office.on(date(2026, 10, 10))
    office.save(office.request())

    october, september = _told(office), _told(office, date(2026, 9, 1))
    assert (october.answered, october.figures.all.received, october.figures.all.open) == (1, 1, 1)
    assert october.figures.all.statutory.missed == 1  # still open as of December
    assert (september.answered, september.figures.all.statutory.missed) == (0, 1)


def test_failures_of_a_system_are_those_of_the_month(office: Office) -> None:
    office.on(date(2026, 9, 30))
    request = office.request()
    plan = office.plan(request, tickets=Delivery.CONNECTOR)
    for attempt, day in enumerate((date(2026, 9, 30), date(2026, 10, 1), date(2026, 10, 2)), 1):
        office.on(day)
        plan.record_unavailable(
            system="tickets",
            attempt=attempt,
            next_try_at=office.at,
            reason="timeout",
            at=office.at,
        )
    office.save(request, plan)

    (october,), (september,) = _told(office).systems, _told(office, date(2026, 9, 1)).systems
    assert (october.failed, october.failures.asked) == (2, 0)
    assert (september.failed, september.failures.asked) == (1, 1)


def test_advice_is_told_with_what_became_of_it(office: Office) -> None:
    office.on(date(2026, 10, 5))
    request = office.request()
    for followed in (True, False, None):
        question = ref()
        request.consult_officer(
            question=question, about=ConsultedAbout.REFUSAL, by="staff-1", at=office.at
        )
        if followed is not None:
            request.advise(question=question, advice=ref(), by="officer", at=office.at)
            request.weigh_advice(
                question=question, followed=followed, reasons=ref(), by="staff-1", at=office.at
            )
    office.save(request)

    assert _told(office).advice == (Advised("refusal", 3, 2, 1, 1),)


def test_another_controllers_month_is_not_told(office: Office) -> None:
    office.on(date(2026, 10, 5))
    office.save(office.request(controller="other"))

    assert _told(office).figures.all.received == 0
