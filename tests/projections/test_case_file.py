"""The case file tells what happened, and nothing that anybody wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from eventsourcing.persistence import Mapper

from domain.aggregate import Aggregate, AggregateCreated
from domain.balancing import Balancing
from domain.belonging import KINDS
from domain.disclosure import Disclosures
from domain.hold import Hold
from domain.information import Information
from domain.personal import PersonalRef
from domain.rectification import Claim, ClaimGround, Rectification, Wish
from domain.request import RefusalGround
from domain.restriction import Restriction, RestrictionGround
from domain.vocabulary import Delivery, Right
from domain.withdrawal import Withdrawal
from projections.case_file import MEMBERSHIPS, CaseFile, facts, timeline
from services.register import EventTranscoder
from tests.support.histories import teach
from tests.support.records import found, letter

TOPICS = Path(__file__).parents[1].joinpath("domain/topics.txt").read_text("utf-8").split()

IN_NO_CASE = {
    "controller": "an organisation's policy is nobody's case",
    "looks": "who read something has changed nothing in the case, and is listed apart",
    "marketing-stop": "a click in a mail stops marketing without a case",
    "replay": "what is erased again after a restore was told in its case when it was erased",
}
"""Aggregates whose events no case file tells, and why."""

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


def test_nothing_that_belongs_to_a_case_is_left_out() -> None:
    """Art. 5(2): whatever an event is of, the file tells it, or a reason here says why not."""
    public = {topic for topic in TOPICS if "." in topic}
    told = {topic for topic in public if CaseFile().concerns(topic)}

    assert {topic.partition(".")[0] for topic in public - told} == set(IN_NO_CASE)
    assert {begins.partition(".")[0] for begins in MEMBERSHIPS} == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_begins_beside_a_case_joins_its_file(kind: str) -> None:
    """The event that begins it is the one by which its file is found."""
    begins = {topic for topic in MEMBERSHIPS if topic.partition(".")[0] == kind}
    created = {topic for topic in created_topics(Aggregate) if topic.partition(".")[0] == kind}

    assert begins == created


def test_what_each_right_does_of_its_own_is_told(office: Office) -> None:
    """GK-05, GK-08, AK-08, GK-21: a claim, a balance, a withdrawal, a disclosure, and so on."""
    case = office.case(Right.RECTIFICATION)
    request = office.request(Right.RECTIFICATION, case=case)
    of_case = {"case_id": case.id, "controller": office.controller, "timestamp": office.at}
    of_request = {**of_case, "request_id": request.id}
    claims = Rectification(**of_request, by="staff-1")
    claims.make_claim(claim=claim(), by="staff-1", at=office.at)
    balance = Balancing(**of_request, purposes=("analysis",), absolute=())
    balance.give_grounds(words=PersonalRef(uuid4()), by="staff-1", at=office.at)
    words = Information(**of_request, by="staff-1")
    words.attach(document=PersonalRef(uuid4()), by="staff-1", at=office.at)
    restriction = Restriction(
        **of_request,
        ground=RestrictionGround.ACCURACY_CONTESTED,
        systems=("tickets",),
        until=None,
        condition="accuracy-verified",
        by=None,
    )
    restriction.escalate(system="tickets", reason="restrict-by-hand", at=office.at)
    withdrawal = Withdrawal(**of_request, purposes=("news",), effective_at=office.at)
    disclosures = Disclosures(**of_case)
    disclosures.record(
        disclosure_id=uuid4(),
        account=PersonalRef(uuid4()),
        categories=("orders",),
        given_on=office.at.date(),
        ground="suspected-offence",
        by="staff-1",
        today=office.at.date(),
        at=office.at,
    )
    beside = (claims, balance, words, restriction, withdrawal, disclosures)
    office.save(case, request, *beside)

    file = timeline(office.sql, case.id)
    assert file is not None
    lines = {line.topic: line for line in file.lines}
    assert {
        "rectification.claimed",
        "balancing.grounded",
        "information.attached",
        "restriction.escalated",
        "withdrawal.made",
        "disclosures.recorded",
    } <= lines.keys()
    assert lines["rectification.claimed"].request_id == request.id
    assert lines["disclosures.recorded"].request_id is None
    assert lines["restriction.set"].facts["ground"] == "a"


def test_a_claim_is_told_by_codes_and_neither_by_field_nor_value(office: Office) -> None:
    """Design 5: what a field is called and should be stays out of read models."""
    claims = Rectification(
        request_id=uuid4(),
        case_id=uuid4(),
        controller=office.controller,
        by="staff-1",
        timestamp=office.at,
    )
    claims.make_claim(claim=claim(), by="staff-1", at=office.at)

    assert told(claims.pending_events[-1]) == {
        "category": "contact",
        "ground": "wrong",
        "wish": "rectify",
        "system": "tickets",
    }


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


def claim() -> Claim:
    return Claim(
        id=uuid4(),
        category="contact",
        field="kari",
        ground=ClaimGround.WRONG,
        wish=Wish.RECTIFY,
        system="tickets",
        should_be=PersonalRef(uuid4()),
    )


def created_topics(kind: type[Any]) -> Iterator[str]:
    """The topics of the events that begin aggregates, from the program itself."""
    for inner in kind.__subclasses__():
        yield from created_topics(inner)
        for member in vars(inner).values():
            if isinstance(member, type) and issubclass(member, AggregateCreated):
                yield str(vars(member).get("TOPIC", ""))


def told(event: Any) -> dict[str, Any]:
    """What a line says of the event once it is recorded."""
    transcoder = EventTranscoder()
    teach(transcoder)
    return facts(json.loads(Mapper(transcoder).to_stored_event(event).state))
