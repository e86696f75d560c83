"""What waits for the officer, a second person or the authority, and when it no longer does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from domain.refusal import Refusal
from domain.vocabulary import ConsultedAbout, RefusalGround
from projections.attention import needs, waiting_cases
from tests.support.past import ref

Office = Any  # the fixture of this folder's conftest, which cannot be imported


def _waits(office: Office, what: str) -> list[str]:
    found = waiting_cases(office.sql, what, [office.controller])
    return [one.why for one in found]


def test_a_question_waits_for_the_officer_until_there_is_advice(office: Office) -> None:
    request, question = office.request(), ref()
    request.consult_officer(
        question=question, about=ConsultedAbout.EXTENSION, by="staff-1", at=office.at
    )
    office.save(request)
    assert needs(office.sql, [office.controller]).officer == 1
    assert needs(office.sql, ["other"]).officer == 0
    assert _waits(office, "officer") == ["extension"]

    request.advise(question=question, advice=ref(), by="officer-1", at=office.at)
    office.save(request)
    assert _waits(office, "officer") == []
    request.weigh_advice(
        question=question, followed=False, reasons=ref(), by="staff-1", at=office.at
    )
    office.save(request)
    (row,) = office.sql.fetch("SELECT followed, weighed_at FROM views.officer_advice")
    assert row == {"followed": False, "weighed_at": office.at}


def _proposed(office: Office, request: Any) -> Refusal:
    return Refusal(
        request_id=request.id,
        case_id=request.case_id,
        ground=RefusalGround.EXCESSIVE,
        code="gdpr.12.5.b",
        words=ref(),
        proof=ref(),
        by="staff-1",
        timestamp=office.at,
    )


def test_a_refusal_waits_for_the_second_person_until_somebody_decides(office: Office) -> None:
    request = office.request()
    refusal = _proposed(office, request)
    office.save(request, refusal)
    assert needs(office.sql, [office.controller]).second_person == 1
    assert _waits(office, "second-person") == ["excessive"]

    refusal.decline(by="staff-2", words=ref(), at=office.at)
    office.save(refusal)
    assert _waits(office, "second-person") == []


def test_what_was_withdrawn_waits_for_nobody(office: Office) -> None:
    request = office.request()
    office.save(request, _proposed(office, request))
    request.withdraw(at=office.at)
    office.save(request)

    assert _waits(office, "second-person") == []


def test_a_breach_is_pressing_until_the_authority_was_told(office: Office) -> None:
    request, report = office.answered(office.request()), ref()
    until = office.at + timedelta(hours=72)
    request.report_disclosure(
        report=report, known_at=office.at, tell_authority_by=until, by="staff-1", at=office.at
    )
    office.save(request)

    found = needs(office.sql, [office.controller])
    assert (found.breaches, found.next_breach_by) == (1, until)
    assert _waits(office, "breaches") == ["disclosure"]

    request.settle_breach_with_authority(
        breach=report.id, told_at=office.at, reasons=None, by="staff-1", at=office.at
    )
    office.save(request)
    assert needs(office.sql, [office.controller]).breaches == 0
    (row,) = office.sql.fetch("SELECT authority_told, person_told FROM views.breaches")
    assert row == {"authority_told": True, "person_told": None}
