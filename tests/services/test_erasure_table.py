"""Before an erasure: one table, an answer from the person, and nobody waited for too long."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from domain.errors import NotAllowedNow
from domain.request import Status
from domain.vocabulary import Right
from services.erasure_rows import QUIET_BEFORE_TARGET, Fate, require_confirmed
from tests.support.asking import BY, asked, collected
from tests.support.house import KARI, NORWAY, ORGANISATIONS, House
from tests.support.stage import decide


def test_an_erasure_waits_for_the_person_but_never_into_its_deadline(house: House) -> None:
    document = (ORGANISATIONS / f"{NORWAY}.toml").read_bytes()
    house.installation.controllers.adopt(
        b"erasure_confirmation_days = 5\n" + document, name="patient.toml", by=BY
    )
    decide(house.installation, NORWAY)
    house.systems.system(NORWAY, "payment").hold(
        KARI, "payment", "p1", flags=frozenset({"paid"}), anchors={"voucher": date(2026, 10, 1)}
    )
    house.systems.system(NORWAY, "ticketing").hold(KARI, "order", "o1")
    case_id = collected(house, Right.ERASURE)
    request = asked(house, case_id, Right.ERASURE)
    installation = house.installation
    profile, tables = installation.controllers.in_force(NORWAY), installation.erasure_tables

    table = tables.of(request)
    assert table is not None
    assert {(row.fate, row.ground, row.until) for row in table.rows if row.system == "payment"} >= {
        (Fate.STAYS, "no.bokforing.primary", date(2031, 12, 31))
    }
    assert any(row.fate is Fate.GOES for row in table.rows)

    with pytest.raises(NotAllowedNow, match="has not been asked"):
        installation.deciding.approve(request.id, by=BY)
    tables.ask(request.id, by=BY)
    house.work()
    assert "Du trenger ikke å svare." in " ".join(house.mails()[-1].text.split())
    with pytest.raises(NotAllowedNow, match="has until"):
        installation.deciding.approve(request.id, by=BY)

    wish = installation.register.find_erasure_wish(request.id)
    today, target = request.received_on, request.aim_on(request.received_on)
    for day in (today + timedelta(days=5), target - QUIET_BEFORE_TARGET):
        require_confirmed(request, wish, profile, (), day)  # silence leads on, to a person
    with pytest.raises(NotAllowedNow):
        require_confirmed(request, wish, profile, (), today + timedelta(days=4))

    assert not tables.confirm(request.id, "another")
    assert tables.confirm(request.id, table.digest)
    before = house.events()
    assert tables.confirm(request.id, table.digest)
    assert house.events() == before
    installation.deciding.approve(request.id, by=BY)
    assert asked(house, case_id, Right.ERASURE).status is Status.APPROVED
    assert tables.of(asked(house, case_id, Right.ERASURE)) is None
