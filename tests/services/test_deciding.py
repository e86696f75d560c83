"""What a person approves is what the letter and the holds say, reason by reason."""

from __future__ import annotations

from datetime import date

import pytest

from domain.hold import Hold
from domain.relation import MarketingStop
from domain.vocabulary import IdentifierKind, Right
from services.ports import Identifier
from tests.support.asking import BY, approve, asked, collected
from tests.support.house import KARI, NORWAY, ORGANISATIONS, House
from tests.support.stage import decide


def test_each_reason_for_keeping_has_its_own_law_and_its_own_last_day(house: House) -> None:
    """E-12, E-13: a refund that is still open says nothing about how long the voucher stays."""
    house.systems.system(NORWAY, "payment").hold(
        KARI,
        "payment",
        "p1",
        flags=frozenset({"paid", "refund_open"}),
        anchors={"voucher": date(2026, 10, 1), "refund_window_ends": date(2026, 12, 15)},
    )
    case_id = collected(house, Right.ERASURE)

    approve(house, case_id, Right.ERASURE)
    house.worker.drain()

    outcomes = asked(house, case_id, Right.ERASURE).outcomes
    assert {(line.ground, line.until) for line in outcomes if line.ground} == {
        ("no.bokforing.primary", date(2031, 12, 31)),
        ("contract.refund", date(2026, 12, 16)),
    }
    letter = house.mails()[-1].text
    assert "16. desember 2026" in letter
    assert "31. desember 2031" in letter
    request_id = asked(house, case_id, Right.ERASURE).id
    day = date(2026, 12, 16)
    refund = Hold.create_id(request_id, "payment", "payments", "contract.refund", day)
    assert house.installation.register.hold(refund).release_on == day


@pytest.mark.parametrize("consents", [True, False])
def test_whoever_has_no_consent_on_record_gets_no_newsletter(house: House, consents: bool) -> None:
    """AK-22: seen while the person asked for something else, and then held as suppressed."""
    by_consent = b'bases = ["consent"]\nmarketing = true'
    document = (ORGANISATIONS / f"{NORWAY}.toml").read_bytes()
    house.installation.controllers.adopt(
        document.replace(b'bases = ["legitimate-interest"]\nmarketing = true', by_consent),
        name="by-consent.toml",
        by=BY,
    )
    decide(house.installation, NORWAY)
    anchors = {"consent_given": date(2024, 1, 2)} if consents else {}
    house.systems.system(NORWAY, "mailing").hold(KARI, "member", "m1", anchors=anchors)
    case_id = collected(house, Right.ACCESS)
    request = asked(house, case_id, Right.ACCESS)
    today = house.installation.clock().date()

    shown = house.installation.deciding.written_to_no_more(request, today)
    approve(house, case_id, Right.ACCESS)

    assert shown == ({} if consents else {"mailing": MarketingStop.NO_CONSENT})
    known = Identifier(IdentifierKind.EMAIL, KARI)
    assert house.installation.suppressions.is_on(NORWAY, known) is not consents
