"""The case file tells what happened, and nothing that anybody wrote."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from eventsourcing.persistence import Mapper

from domain.hold import Hold
from domain.personal import PersonalRef
from domain.request import RefusalGround
from domain.vocabulary import Delivery, Right
from projections.case_file import facts, timeline
from services.register import EventTranscoder
from tests.support.histories import teach
from tests.support.records import found, letter

Office = Any  # the fixture of this folder's conftest, which cannot be imported


def test_a_timeline_tells_everything_that_happened_in_order(office: Office) -> None:
    """Art. 5(2): what was done can be shown, step by step, with who did it."""
    case = office.case(Right.ERASURE)
    request = office.request(Right.ERASURE, case=case)
    office.save(case, request)
    office.at += timedelta(hours=1)
    office.verify(request)
    plan = office.plan(request, tickets=Delivery.CONNECTOR)
    plan.record_found(system="tickets", key="1", found=(found(),), at=office.at)
    office.save(request, plan)
    hold = Hold(
        request_id=request.id,
        case_id=case.id,
        controller=office.controller,
        system="tickets",
        category="orders",
        ground="no.bokforing.primary",
        release_on=date(2031, 12, 31),
        records=(uuid4(),),
        keys=PersonalRef(uuid4()),
        by="staff-1",
        timestamp=office.at,
    )
    office.save(hold)

    file = timeline(office.sql, case.id)
    assert file is not None
    assert file.requests == {"erasure": request.id}
    topics = [line.topic for line in file.lines]
    assert topics[:3] == ["case.arrived", "case.confirmed", "request.received"]
    assert topics[-3:] == ["fulfilment.planned", "fulfilment.answered", "hold.placed"]
    confirmed, answered = file.lines[1], file.lines[-2]
    assert confirmed.done_by == "staff-1"
    assert answered.facts["system"] == "tickets"
    assert (answered.facts["found"], answered.request_id) == (1, request.id)
    assert answered.happened_at == office.at
    positions = [line.position for line in file.lines]
    assert positions == sorted(set(positions))


def test_a_case_nobody_knows_has_no_file(office: Office) -> None:
    assert timeline(office.sql, uuid4()) is None


def test_one_cases_file_holds_nothing_of_another(office: Office) -> None:
    one, other = office.case(), office.case()
    office.save(one, other)

    file = timeline(office.sql, one.id)
    assert file is not None
    assert {line.case_id for line in file.lines} == {one.id}


def test_words_that_are_no_codes_stay_out_of_the_file(office: Office) -> None:
    """Design 5: read models never hold directly identifying data."""
    request = office.request()
    refused = request.Refused(
        originator_id=request.id,
        originator_version=2,
        timestamp=office.at,
        ground=RefusalGround.UNFOUNDED,
        by="staff-1",
        second=None,
        reasons=PersonalRef(uuid4()),
    )
    assert set(told(refused)) == {"ground"}
    assert facts({"reason": "Rang og sa det selv", "by": "staff-1"}) == {}


def test_a_letter_is_told_by_kind_and_way_only(office: Office) -> None:
    case = office.case(Right.ACCESS)
    case.queue_letter(letter=letter(printed=True), at=office.at)

    assert told(case.pending_events[-1]) == {
        "kind": "answer",
        "requests": 0,
        "printed": True,
        "explains": 0,
        "attached": False,
    }


def test_codes_are_told_one_by_one_and_everything_else_is_counted(office: Office) -> None:
    request = office.request()
    plan = office.plan(request, tickets=Delivery.CONNECTOR, archive=Delivery.PERSON)
    assert told(plan.pending_events[0])["systems"] == ["tickets", "archive"]

    case = office.case(Right.ACCESS, Right.ERASURE)
    assert told(case.pending_events[1])["rights"] == ["access", "erasure"]
    assert "person" not in told(case.pending_events[1])

    plan.record_found(system="tickets", key="1", found=(found(), found()), at=office.at)
    answered = told(plan.pending_events[1])
    assert (answered["found"], answered["action"], answered["late"]) == (2, "find", False)
    assert {"note", "key"}.isdisjoint(answered)

    dates = told(request.pending_events[0])
    assert dates["target_due"] == request.dates.target_due.isoformat()


def told(event: Any) -> dict[str, Any]:
    """What a line says of the event once it is recorded."""
    transcoder = EventTranscoder()
    teach(transcoder)
    return facts(json.loads(Mapper(transcoder).to_stored_event(event).state))
