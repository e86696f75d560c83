"""When something truly arrived, with its proof; and that who asks twice asks once (GK-02)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.errors import DomainError
from domain.vocabulary import Right
from services import dossier
from services.receipts import Correction
from tests.support.asking import BY, Clock, asked, confirmed
from tests.support.house import House


def test_a_receipt_is_put_right_with_its_proof_in_the_vault(house: House) -> None:
    """B.2.1: an event, never an overwriting; the proof may name people."""
    case_id = confirmed(house, Right.ACCESS, Right.OBJECTION)
    receipts = house.installation.receipts
    earlier = house.case(case_id).received_at - timedelta(days=6)
    before = asked(house, case_id, Right.ACCESS)
    with pytest.raises(DomainError, match="who says so"):
        receipts.correct(case_id, Correction(earlier, "wrong-stamp", "", "a stamp"), by=BY)

    correction = Correction(earlier, "wrong-stamp", "Kari in Bergen", "the stamp on the envelope")
    for _ in range(2):
        receipts.correct(case_id, correction, by=BY)

    for right in (Right.ACCESS, Right.OBJECTION):
        request = asked(house, case_id, right)
        assert request.received_on == before.received_on - timedelta(days=6)
        assert request.earlier_receipts == (before.received_on,)
        assert request.dates.target_due < before.dates.target_due
    case = house.case(case_id)
    assert case.received_at == earlier
    assert case.proof_of_receipt is not None
    proof = dossier.PROOF.validate_json(house.installation.vault.open(case.proof_of_receipt))
    assert proof.said_by == "Kari in Bergen"
    log = house.installation.database.fetch("SELECT convert_from(state, 'UTF8') s FROM trettio.log")
    assert not [row for row in log if "Bergen" in row["s"]]


def test_the_earliest_of_duplicates_is_the_receipt_of_them_all(house: House, clock: Clock) -> None:
    """GK-02: linked by the machine while the first is open, or by a person who sees it."""
    first = confirmed(house, Right.ACCESS, text="Først")
    clock.forward(days=8)
    # A mail is stamped by the real clock in these tests, so the second is put where it belongs.
    second = confirmed(house, Right.ACCESS, text="En gang til")
    one, two = (asked(house, case_id, Right.ACCESS) for case_id in (first, second))
    assert one.id in two.linked
    house.installation.receipts.correct(
        second,
        Correction(two.received_at + timedelta(days=5), "wrong-stamp", "Ola", "the stamp"),
        by=BY,
    )
    assert asked(house, second, Right.ACCESS).received_on > one.received_on

    house.installation.receipts.link(two.id, to=one.id, by=BY)
    one, two = (asked(house, case_id, Right.ACCESS) for case_id in (first, second))
    assert two.received_on == one.received_on
    assert two.dates == one.dates
    assert (one.linked, two.linked) == ((two.id,), (one.id,))
    with pytest.raises(DomainError, match="itself"):
        house.installation.receipts.link(one.id, to=one.id, by=BY)
    with pytest.raises(DomainError, match="which person"):
        house.installation.receipts.link(one.id, to=two.id, by="trettio")


def test_who_asks_again_while_the_first_is_open_has_waited_since_the_first(
    house: House, clock: Clock
) -> None:
    """GK-02: the machine points, and the earlier arrival counts until a person says otherwise."""
    first = confirmed(house, Right.ACCESS, text="Først")
    request = asked(house, first, Right.ACCESS)
    house.installation.receipts.correct(
        first,
        Correction(request.received_at - timedelta(days=9), "wrong-stamp", "Ola", "the stamp"),
        by=BY,
    )
    again = confirmed(house, Right.ACCESS, Right.ERASURE, text="Igjen")

    assert asked(house, again, Right.ACCESS).received_on == request.received_on - timedelta(days=9)
    assert asked(house, again, Right.ERASURE).received_on == request.received_on
