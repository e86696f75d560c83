"""Everything of a case is in its pack, and a past day shows what was known then (Art. 5(2))."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from adapters.inbound.web.evidence_pack import evidence_pack, known_on
from adapters.outbound.tokens import Scope
from domain.calendar import load_calendar
from domain.deadlines import received_on
from domain.personal import PersonalRef
from domain.vocabulary import Content, Country, Door, Match, Purpose, Right
from tests.support.asking import BY, Clock, asked, look_everywhere, verified
from tests.support.command import trettio
from tests.support.errands import go_round, with_owner
from tests.support.house import KARI, NORWAY, House, open_house
from tests.support.past import COMPLEX_AND_MANY
from tests.support.told import tell


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def house(database_url: str, tmp_path: Path, clock: Clock) -> Iterator[House]:
    with open_house(database_url, tmp_path / "home", clock=clock) as opened:
        yield opened


def read(pack: bytes, name: str) -> dict[str, Any]:
    with zipfile.ZipFile(BytesIO(pack)) as content:
        found: dict[str, Any] = json.loads(content.read(name))
    return found


def two_days_pass(house: House) -> date:
    """What was recorded so far was recorded two days ago; answers the day after that."""
    # The log's own clock decides what was recorded when; it is set back for what happened first.
    with house.installation.database.transaction() as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute("UPDATE trettio.log SET recorded_at = recorded_at - interval '2 days'")
    return received_on(datetime.now(UTC) - timedelta(days=1), Country.NO)


def asked_for_erasure(house: House) -> tuple[UUID, UUID]:
    """One record is theirs, one perhaps; a system was told, and some only a person can search."""
    ticketing = house.systems.system(NORWAY, "ticketing")
    ticketing.hold(KARI, "order", "own", fields={"email": KARI})
    ticketing.hold(
        *(KARI, "order", "namesake"), match=Match.SAME_NAME, fields={"name": "Kari Testesen"}
    )
    case_id = verified(house, Right.ERASURE)
    return case_id, asked(house, case_id, Right.ERASURE).id


def much_happens(house: House, case_id: UUID, request_id: UUID) -> None:
    """A match is confirmed, the time extended, and a record held back for a claim."""
    installation = house.installation
    request = installation.register.request(request_id)
    now = installation.clock()
    request.extend_deadline(
        reasons=COMPLEX_AND_MANY,
        notice=PersonalRef(uuid4()),
        notice_sent_on=request.received_on,
        calendar=load_calendar(Country.NO),
        by=BY,
        at=now,
    )
    installation.register.save_all([request])
    (weak,) = request.undecided_matches
    installation.deciding.decide_match(
        request_id, weak.record_id, theirs=True, reason="phoned", by=BY
    )
    request = installation.register.request(request_id)
    installation.holds.claim(
        request_id,
        [one.record_id for one in request.own_records],
        reason="Tvist",
        owner="berit",
        review_on=now.date() + timedelta(days=90),
        by=BY,
    )
    house.work()


def calendar_moves(house: House, request_id: UUID) -> None:
    """A day that nobody knew of becomes a holiday: the newest dates are another calendar's."""
    calendar = load_calendar(Country.NO)
    request = house.installation.register.request(request_id)
    due = request.dates.statutory_due
    assert due is not None
    holidays = calendar.holidays | {due}
    moved = replace(calendar, version="2099.1", holidays=holidays)
    request.recompute_deadlines(calendar=moved, at=house.installation.clock())
    house.installation.register.save_all([request])


def test_a_day_shows_dates_answers_matches_and_holds_as_they_were_known_then(
    house: House, database_url: str, tmp_path: Path
) -> None:
    """ "What did we know on day X": all of it came later, and none of it colours that day."""
    mailing = tell(house)
    case_id, request_id = asked_for_erasure(house)
    house.work()
    asked_at = known_on(
        house.installation, case_id, today := received_on(datetime.now(UTC), Country.NO)
    )
    asked_on = two_days_pass(house) - timedelta(days=2)
    mailing.obey_all()
    look_everywhere(house, case_id, Right.ERASURE)
    found_at = known_on(house.installation, case_id, today)
    then = two_days_pass(house)
    much_happens(house, case_id, request_id)

    now = known_on(house.installation, case_id, today)
    pack = evidence_pack(house.installation, case_id, as_of=then)
    shown = house.staff().get(f"/desk/cases/{case_id}?as_of={then}&lang=en").text
    printed = trettio(
        *("case", "--as", "ola", "--json", "show", str(case_id), "--as-of", str(then)),
        database_url=database_url,
        home=tmp_path / "home",
    )
    calendar_moves(house, request_id)

    assert asked(house, case_id, Right.ERASURE).dates.calendar == "NO-2099.1"
    days = [(asked_on, asked_at), (then, found_at)]
    for day, known in days:
        shown_now = known_on(house.installation, case_id, day)
        assert {**shown_now, "as_of": ""} == {**known, "as_of": ""}
    assert printed.returncode == 0, printed.stderr
    assert json.loads(printed.stdout) == known_on(house.installation, case_id, then)
    assert read(pack, "facts.json").items() >= json.loads(printed.stdout).items()
    ((first,), (found,), (last,)) = (one["requests"] for one in (asked_at, found_at, now))
    assert [one["found"] for one in (first, found, last)] == [0, 2, 2]
    assert [one["undecided_matches"] for one in (first, found, last)] == [0, 1, 0]
    assert [one["own"] for one in (first, found, last)] == [0, 1, 2]
    assert [one["dates"]["extended"] is None for one in (first, found, last)] == [True, True, False]
    assert [len(one["holds"]) for one in (asked_at, found_at)] == [0, 0]
    assert now["holds"]
    assert first["systems"] != found["systems"]
    topics = {one["topic"] for one in read(pack, "events.json")["events"]}
    assert {"instruction.given", "instruction.answered"} <= topics
    assert not topics & {"hold.placed", "request.deadline-extended", "request.match-confirmed"}
    assert "Found: 2, the person&#39;s: 1, undecided: 1." in shown


def test_nothing_of_a_case_is_left_out_of_its_pack_and_export(house: House) -> None:
    """Instructions, errands, holds and looks too: whatever the log says of the case."""
    mailing = tell(house)
    case_id, request_id = asked_for_erasure(house)
    mailing.obey_all()
    look_everywhere(house, case_id, Right.ERASURE)
    much_happens(house, case_id, request_id)
    with_owner(house)
    other_id = verified(house, Right.ACCESS, text="Innsyn")
    go_round(house)
    for one in (case_id, other_id):
        house.installation.looking.into_case(
            one, NORWAY, (Content.RECORD,), by=BY, purpose=Purpose.REVIEW, way=Door.CLI
        )
    api = house.client
    token = house.installation.tokens.create(
        name="audit", staff_id="rune", scopes=frozenset({Scope.READ}), controllers=frozenset()
    )
    headers = {"Authorization": f"Bearer {token}", "X-Purpose": "review"}

    topics: set[str] = set()
    for one in (case_id, other_id):
        answer = api.get(f"/v1/cases/{one}/export?format=json", headers=headers)
        assert answer.status_code == 200, answer.text
        exported = answer.json()["events"]
        events = read(evidence_pack(house.installation, one), "events.json")["events"]
        ids = [one, *house.case(one).request_ids]
        log = house.installation.database.ask(
            "SELECT DISTINCT l.originator_id, l.originator_version FROM trettio.log l"
            " WHERE originator_id IN (SELECT originator_id FROM trettio.log, unnest(%b::text[]) id"
            "   WHERE position(id IN convert_from(state, 'UTF8')) > 0)"
            " OR originator_id IN (SELECT aggregate_id FROM views.case_members WHERE case_id = %b)",
            [[*map(str, ids), *(two.hex for two in ids)], one],
        )
        in_log = {(str(aggregate), version) for aggregate, version in log}
        assert in_log == {(two["aggregate"], two["version"]) for two in events}
        assert in_log == {(two["aggregate"], two["version"]) for two in exported}
        topics |= {two["topic"] for two in events}
    assert {"instruction.given", "instruction.answered", "errand.begun", "hold.placed"} <= topics
    assert {"looks.shown", "case.arrived", "request.deadline-extended"} <= topics
