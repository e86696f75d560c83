"""What a person approves is what the letter and the holds say, reason by reason."""

from __future__ import annotations

from datetime import date

from domain.hold import Hold
from domain.vocabulary import Right
from tests.support.asking import approve, asked, collected
from tests.support.house import KARI, NORWAY, House


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
    refund = Hold.create_id(request_id, "payment", "payments", "contract.refund")
    assert house.installation.register.hold(refund).release_on == date(2026, 12, 16)
