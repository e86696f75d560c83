"""Rectification through its own flow: claims, decisions, read-back, letter (Art. 16; AK-05)."""

from __future__ import annotations

from uuid import UUID

import pytest

from domain.errors import DomainError, NotAllowedNow
from domain.rectification import ClaimGround, ClaimOutcome, Wish
from domain.request import Status
from domain.restriction import At, RestrictionGround
from domain.vocabulary import LetterKind, Right
from services.places import HIDDEN
from services.ports import Record
from services.rectifying import Said
from tests.support.asking import BY, asked, look_everywhere, plan, verified
from tests.support.house import KARI, NORWAY, House

TICKETS = {"name": "Kari Testsen", "phone": "99999901", "note": "Sitter i rullestol"}


def begun(house: House, **fields: str) -> UUID:
    """A case in which the ticket shop holds one customer, with these fields."""
    house.systems.system(NORWAY, "ticketing").hold(
        KARI, "customer", "c1", fields={"email": KARI, **TICKETS, **fields}
    )
    case_id = verified(house, Right.RECTIFICATION)
    look_everywhere(house, case_id, Right.RECTIFICATION)
    return case_id


def record_of(house: House, case_id: UUID) -> UUID:
    (found,) = asked(house, case_id, Right.RECTIFICATION).own_records
    return found.record_id


def claim(house: House, case_id: UUID, field: str, wish: Wish, value: str = "") -> UUID:
    ground = ClaimGround.UNNECESSARY if wish is Wish.ERASE else ClaimGround.WRONG
    said = Said("", field, ground, wish, value, record_of(house, case_id))
    return house.installation.rectifying.claim(
        house.case(case_id).request_id(Right.RECTIFICATION), said, by=BY
    )


def test_each_claim_has_its_own_outcome(house: House) -> None:
    """AK-05, AO-05: rectified, erased, statement added and refused, side by side in one request."""
    case_id = begun(house)
    request_id = house.case(case_id).request_id(Right.RECTIFICATION)
    rectifying = house.installation.rectifying
    name = claim(house, case_id, "name", Wish.RECTIFY, "Kari Testesen")
    note = claim(house, case_id, "note", Wish.ERASE)
    more = claim(house, case_id, "note", Wish.SUPPLEMENT, "Det gjaldt bare en kveld.")
    phone = claim(house, case_id, "phone", Wish.RECTIFY, "99999902")

    for one in (name, note, more):
        rectifying.accept(request_id, one, by=BY)
    rectifying.refuse(request_id, phone, words="Nummeret er det du selv oppga.", by=BY)
    rectifying.approve(request_id, by=BY)
    house.worker.drain()

    claims = house.installation.register.rectification(request_id).claims
    assert [claims[one].outcome for one in (name, note, more, phone)] == [
        ClaimOutcome.RECTIFIED,
        ClaimOutcome.ERASED,
        ClaimOutcome.STATEMENT_ADDED,
        ClaimOutcome.REFUSED,
    ]
    (_, held) = house.systems.system(NORWAY, "ticketing").held[0]
    assert (held.fields["name"], held.fields["phone"]) == ("Kari Testesen", TICKETS["phone"])
    assert not held.fields["note"]
    assert "bare en kveld" in str(held.fields["notes"])
    assert asked(house, case_id, Right.RECTIFICATION).status is Status.CLOSED
    letter = next(m for m in house.mails() if m.kind is LetterKind.PARTIAL_REFUSAL)
    text = " ".join(letter.text.split())
    assert "Nummeret er det du selv oppga." in text
    assert "Datatilsynet" in text


def test_a_refused_claim_about_no_record_is_answered_too(house: House) -> None:
    """B.1 row 12(4): the letter gives the reasons, and the case does not stop unanswered."""
    case_id = begun(house)
    request_id = house.case(case_id).request_id(Right.RECTIFICATION)
    rectifying = house.installation.rectifying
    said = Said("profile", "name", ClaimGround.WRONG, Wish.RECTIFY, "Kari Testesen", None)
    one = rectifying.claim(request_id, said, by=BY)
    rectifying.refuse(request_id, one, words="Navnet står ikke hos oss.", by=BY)
    rectifying.approve(request_id, by=BY)
    house.worker.drain()

    letter = next(m for m in house.mails() if m.kind is LetterKind.PARTIAL_REFUSAL)
    assert "Navnet står ikke hos oss." in " ".join(letter.text.split())
    assert asked(house, case_id, Right.RECTIFICATION).status is Status.CLOSED


def test_what_it_was_and_became_is_sealed_and_in_no_event(house: House) -> None:
    """B.1 row 16: field-level before and after, kept out of the permanent log in clear."""
    case_id = begun(house)
    request = asked(house, case_id, Right.RECTIFICATION)
    one = claim(house, case_id, "name", Wish.RECTIFY, "Kari Testesen")
    house.installation.rectifying.accept(request.id, one, by=BY)
    house.installation.rectifying.approve(request.id, by=BY)
    house.worker.drain()

    (shown,) = house.installation.rectifying.shown(request)
    assert (shown.before, shown.after) == (TICKETS["name"], "Kari Testesen")
    rows = house.installation.database.fetch(
        "SELECT convert_from(state, 'utf8') AS s FROM trettio.log"
    )
    log = "".join(row["s"] for row in rows)
    assert "Testesen" not in log
    assert "Testsen" not in log


def test_a_contested_fact_is_restricted_meanwhile(house: House) -> None:
    """Art. 18(1)(a): at every system, from the claim on, and looked at by the system itself."""
    case_id = begun(house)
    request_id = house.case(case_id).request_id(Right.RECTIFICATION)

    claim(house, case_id, "name", Wish.RECTIFY, "Kari Testesen")
    house.worker.drain()

    restriction = house.installation.register.restriction(request_id)
    assert restriction.ground is RestrictionGround.ACCURACY_CONTESTED
    assert restriction.systems["ticketing"].at is At.RESTRICTED
    assert restriction.systems["mailing"].at is At.NOT_HELD
    assert restriction.systems["web"].waits_for == "restrict-by-hand"
    assert KARI in house.systems.system(NORWAY, "ticketing").restricted


def test_a_value_that_is_not_there_afterwards_is_not_believed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id = begun(house)
    request_id = house.case(case_id).request_id(Right.RECTIFICATION)
    one = claim(house, case_id, "name", Wish.RECTIFY, "Kari Testesen")
    system = house.systems.system(NORWAY, "ticketing")
    monkeypatch.setattr(system, "find", lambda *_, **__: iter([r for _, r in HELD]))
    HELD[:] = list(system.held)

    house.installation.rectifying.accept(request_id, one, by=BY)
    house.installation.rectifying.approve(request_id, by=BY)
    house.worker.drain()

    assert plan(house, case_id, Right.RECTIFICATION).systems["ticketing"].waits_for == "refused"
    assert house.installation.register.rectification(request_id).claims[one].outcome is None
    assert asked(house, case_id, Right.RECTIFICATION).status is Status.APPROVED


HELD: list[tuple[str, Record]] = []


def test_what_no_call_can_change_is_done_by_a_person_who_looks_again(house: House) -> None:
    case_id = begun(house)
    request_id = house.case(case_id).request_id(Right.RECTIFICATION)
    house.systems.system(NORWAY, "ticketing").fixed = frozenset({"name"})
    one = claim(house, case_id, "name", Wish.RECTIFY, "Kari Testesen")
    house.installation.rectifying.accept(request_id, one, by=BY)
    house.installation.rectifying.approve(request_id, by=BY)
    house.worker.drain()
    state = plan(house, case_id, Right.RECTIFICATION).systems["ticketing"]
    assert state.waits_for == "rectify-by-hand"

    with pytest.raises(DomainError, match="look again"):
        house.installation.rectifying.done_by_hand(
            request_id, "ticketing", looked_again=False, by=BY
        )
    house.installation.rectifying.done_by_hand(request_id, "ticketing", looked_again=True, by=BY)
    house.worker.drain()

    assert asked(house, case_id, Right.RECTIFICATION).status is Status.CLOSED


def test_nothing_is_approved_while_a_claim_waits_or_there_is_none(house: House) -> None:
    case_id = begun(house)
    request_id = house.case(case_id).request_id(Right.RECTIFICATION)
    with pytest.raises(NotAllowedNow, match="no claim"):
        house.installation.rectifying.approve(request_id, by=BY)
    with pytest.raises(NotAllowedNow, match="each claim"):
        house.installation.deciding.approve(request_id, by=BY)

    claim(house, case_id, "name", Wish.RECTIFY, "Kari Testesen")
    with pytest.raises(NotAllowedNow, match="1 claims wait"):
        house.installation.rectifying.approve(request_id, by=BY)


def test_a_field_the_record_does_not_have_is_named_by_those_it_has(house: House) -> None:
    case_id = begun(house)

    with pytest.raises(DomainError, match="phone"):
        claim(house, case_id, "nickname", Wish.RECTIFY, "Kaja")


def test_a_corrected_address_is_found_again_under_the_new_one(house: House) -> None:
    case_id = begun(house)
    request_id = house.case(case_id).request_id(Right.RECTIFICATION)
    one = claim(house, case_id, "email", Wish.RECTIFY, "ny@person.example")
    house.installation.rectifying.accept(request_id, one, by=BY)
    house.installation.rectifying.approve(request_id, by=BY)
    house.worker.drain()

    assert asked(house, case_id, Right.RECTIFICATION).status is Status.CLOSED


def test_claims_of_a_protected_person_show_no_place(house: House) -> None:
    """E-10: neither in a field that names one, nor in the words of a claim about another."""
    case_id = begun(house, address="Fjellveien 7, 5003 Bergen", note="Bor i Fjellveien 7")
    request_id = house.case(case_id).request_id(Right.RECTIFICATION)
    claim(house, case_id, "address", Wish.RECTIFY, "Strandgaten 9, 5004 Bergen")
    note = claim(house, case_id, "note", Wish.RECTIFY, "Bor ikke i Fjellveien 7")
    claim(house, case_id, "name", Wish.RECTIFY, "Kari Testesen")
    rectifying = house.installation.rectifying
    rectifying.refuse(request_id, note, words="Fjellveien 7 er det du oppga.", by=BY)
    request = asked(house, case_id, Right.RECTIFICATION)
    assert "Strandgaten" in str(rectifying.shown(request))

    house.installation.representing.protect(case_id, reason="said-by-the-person", by=BY)

    shown = rectifying.shown(request)
    assert "Fjellveien" not in str(shown)
    assert "Strandgaten" not in str(shown)
    assert [one.should_be for one in shown] == [HIDDEN, f"Bor ikke i {HIDDEN}", "Kari Testesen"]


def test_who_writes_a_protected_address_by_hand_sees_what_to_write(house: House) -> None:
    """E-10: shown to the hand that needs it, and hidden again when it is done."""
    case_id = begun(house, address="Fjellveien 7, 5003 Bergen")
    request_id = house.case(case_id).request_id(Right.RECTIFICATION)
    house.systems.system(NORWAY, "ticketing").fixed = frozenset({"address"})
    one = claim(house, case_id, "address", Wish.RECTIFY, "Strandgaten 9, 5004 Bergen")
    house.installation.representing.protect(case_id, reason="said-by-the-person", by=BY)
    rectifying = house.installation.rectifying

    def should_be() -> str:
        (shown,) = rectifying.shown(asked(house, case_id, Right.RECTIFICATION))
        assert "Fjellveien" not in str(shown)
        return shown.should_be

    assert should_be() == HIDDEN
    rectifying.accept(request_id, one, by=BY)
    rectifying.approve(request_id, by=BY)
    house.worker.drain()
    assert should_be() == "Strandgaten 9, 5004 Bergen"

    rectifying.done_by_hand(request_id, "ticketing", looked_again=True, by=BY)
    assert should_be() == HIDDEN
