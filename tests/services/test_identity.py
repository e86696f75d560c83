"""A code proves the address it was sent to, a passport what stands in it, and neither any more."""

from __future__ import annotations

from typing import Any

import pytest
from eventsourcing.persistence import IntegrityError

from domain.errors import DomainError, NotAllowedNow
from domain.ladder import Doubt
from domain.request import MOST_IDENTITY_FAILURES, Status
from domain.vocabulary import IdentifierKind, IdentityMethod, LetterKind, Match, Right
from services import dossier
from services.fulfilment import person_of
from services.ports import CodeCheck, Identifier
from tests.support.asking import BY, asked, confirmed, received, verified
from tests.support.house import KARI, NORWAY, House

WHO = (
    Identifier(IdentifierKind.EMAIL, KARI),
    Identifier(IdentifierKind.PHONE, "+47 00 00 00 00"),
    Identifier(IdentifierKind.NAME, "Kari Testesen"),
    Identifier(IdentifierKind.ORDER_NUMBER, "A1B2C"),
)


def proven(house: House, case_id: Any) -> set[IdentifierKind]:
    person = person_of(house.installation.vault, asked(house, case_id, Right.ACCESS))
    return {one.kind for one in person.identifiers if one.verified}


def ask(house: House, case_id: Any) -> str:
    house.installation.identity.ask(case_id, reason="unknown-sender", by=BY)
    house.worker.drain()
    return house.newest_code()


def wrong(code: str) -> str:
    return f"{(int(code.replace(' ', '')) + 1) % 10**8:08d}"


def test_a_code_proves_the_address_it_was_sent_to_and_nothing_else(house: House) -> None:
    case_id = confirmed(house, Right.ACCESS, Right.ERASURE, identifiers=WHO)
    code = ask(house, case_id)

    assert house.installation.identity.check_code(case_id, code) is CodeCheck.RIGHT

    assert proven(house, case_id) == {IdentifierKind.EMAIL}
    assert asked(house, case_id, Right.ACCESS).status is Status.VERIFIED
    assert asked(house, case_id, Right.ERASURE).status is Status.VERIFIED
    assert house.installation.identity.check_code(case_id, code) is CodeCheck.SPENT


@pytest.mark.parametrize(
    "method", [IdentityMethod.IN_PERSON, IdentityMethod.DOCUMENT_SEEN, IdentityMethod.EID]
)
def test_a_passport_opens_nothing_filed_under_an_address(
    house: House, method: IdentityMethod
) -> None:
    """Whoever shows a passport of their own and names a stranger's address gets nothing of it."""
    case_id = confirmed(house, Right.ACCESS, identifiers=WHO)

    house.installation.identity.verify_by_hand(case_id, method=method, by=BY)

    assert proven(house, case_id) == {IdentifierKind.NAME}


def test_knowing_an_order_proves_the_order(house: House) -> None:
    case_id = confirmed(house, Right.ACCESS, identifiers=WHO)

    house.installation.identity.verify_by_hand(
        case_id, method=IdentityMethod.ORDER_KNOWLEDGE, by=BY
    )

    assert IdentifierKind.ORDER_NUMBER in proven(house, case_id)
    assert IdentifierKind.PHONE not in proven(house, case_id)


def test_somebody_has_to_have_seen_it(house: House) -> None:
    case_id = confirmed(house, Right.ACCESS)
    identity = house.installation.identity

    with pytest.raises(DomainError, match="say who checked"):
        identity.verify_by_hand(case_id, method=IdentityMethod.IN_PERSON, by="")
    with pytest.raises(DomainError, match="checked by entering it"):
        identity.verify_by_hand(case_id, method=IdentityMethod.CODE_TO_ADDRESS, by=BY)


def test_a_conflict_costs_no_second_try(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Saving is repeated when somebody was faster; trying the code is not."""
    case_id = confirmed(house, Right.ACCESS)
    code = ask(house, case_id)
    register = house.installation.register
    whole, conflicts = register.save_all, [IntegrityError(), IntegrityError()]

    def contested(*args: Any, **kwargs: Any) -> None:
        if conflicts:
            raise conflicts.pop()
        whole(*args, **kwargs)

    monkeypatch.setattr(register, "save_all", contested)

    assert house.installation.identity.check_code(case_id, wrong(code)) is CodeCheck.WRONG
    (row,) = house.installation.database.fetch("SELECT tries_left FROM trettio.codes")
    assert row["tries_left"] == 4
    assert asked(house, case_id, Right.ACCESS).identity_failures == 1


def test_guessing_over_many_letters_ends(house: House) -> None:
    case_id = confirmed(house, Right.ACCESS)
    identity = house.installation.identity
    for _ in range(2):
        code = ask(house, case_id)
        for _ in range(MOST_IDENTITY_FAILURES // 2):
            identity.check_code(case_id, wrong(code))

    assert identity.check_code(case_id, code) is CodeCheck.SPENT
    with pytest.raises(NotAllowedNow, match="let a person verify"):
        ask(house, case_id)


def test_nobody_is_asked_who_does_not_wait(house: House) -> None:
    """Once proven, asking again would collect proof for its own sake (Art. 12(6))."""
    case_id = verified(house, Right.ACCESS)

    with pytest.raises(NotAllowedNow, match="waits for proof"):
        ask(house, case_id)
    with pytest.raises(NotAllowedNow, match="waits for proof"):
        house.installation.identity.verify_by_hand(case_id, method=IdentityMethod.IN_PERSON, by=BY)


@pytest.mark.parametrize("doubt", Doubt)
def test_who_has_no_address_is_asked_by_post_and_for_no_more_than_the_doubt_takes(
    house: House, doubt: Doubt
) -> None:
    """B.2.8, Art. 12(6): a paper is offered to be shown only where nothing lighter may do."""
    case_id = confirmed(
        house, Right.ACCESS, identifiers=(Identifier(IdentifierKind.NAME, "Kari Testesen"),)
    )
    identity = house.installation.identity
    if doubt is Doubt.LIGHTER_PROOF_FAILED:
        with pytest.raises(DomainError, match="ask for that first"):
            identity.ask(case_id, reason=doubt.value, by=BY)
        identity.ask(case_id, reason=Doubt.OTHER_NAME.value, by=BY)

    identity.ask(case_id, reason=doubt.value, by=BY)
    house.worker.drain()

    assert [m.kind for m in house.mails() if m.kind.value.startswith("identity")] == []
    queued = list(house.case(case_id).letters.values())[-1]
    assert (queued.kind, queued.printed) == (LetterKind.IDENTITY_QUESTION, True)
    text = " ".join(house.installation.vault.open(queued.text).decode().split())
    assert "et kjøp" in text
    assert ("legitimasjon" in text) is doubt.is_grave
    assert asked(house, case_id, Right.ACCESS).identity_requested_at is not None


def test_the_code_letter_is_the_same_whether_the_person_is_known_or_not(house: House) -> None:
    """No answer of ours tells whether an address is known here (B.2.8)."""
    house.systems.system(NORWAY, "ticketing").hold(KARI, "customer", "c1")
    stranger = (Identifier(IdentifierKind.EMAIL, "ukjent@person.example"),)
    texts = []
    for number, who in enumerate((WHO, stranger)):
        case_id = confirmed(house, Right.ACCESS, identifiers=who, text=f"Hei {number}")
        code = ask(house, case_id)
        text = house.mails()[-1].text
        text = next(m.text for m in reversed(house.mails()) if m.kind.value == "identity-code")
        secret = house.link("prove")
        reference = house.case(case_id).reference
        texts.append(text.replace(code, "").replace(secret, "").replace(reference, ""))

    assert texts[0] == texts[1]


def test_a_right_code_joins_strong_matches_only(house: House) -> None:
    ticketing = house.systems.system(NORWAY, "ticketing")
    ticketing.hold(KARI, "customer", "c1")
    ticketing.hold(KARI, "customer", "c2", match=Match.SAME_NAME)

    case_id = verified(house, Right.ACCESS)

    found = house.installation.register.fulfilment(asked(house, case_id, Right.ACCESS).id).found
    assert sorted(one.needs_a_person for one in found) == [False, True]


def test_the_person_lies_in_the_vault(house: House) -> None:
    case_id = verified(house, Right.ACCESS)

    ref = asked(house, case_id, Right.ACCESS).requester
    person = dossier.PERSON.validate_json(house.installation.vault.open(ref))
    assert person.verified(IdentifierKind.EMAIL) == (KARI,)


def test_an_unconfirmed_message_has_nobody_to_ask(house: House) -> None:
    case_id = received(house)

    with pytest.raises(DomainError, match="confirm the case first"):
        ask(house, case_id)
