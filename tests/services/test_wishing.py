"""Erasure of a part: some fields, one category, on named grounds; alone and after access."""

from __future__ import annotations

from uuid import UUID

import pytest

from domain.errors import DomainError, NotAllowedNow
from domain.request import Status
from domain.values import WishedErasure
from domain.vocabulary import Action, Decision, ErasureGround, LetterKind, Right
from services.deciding import Preview
from tests.support.asking import (
    BY,
    approve,
    asked,
    collected,
    hurry,
    look_everywhere,
    plan,
    verified,
)
from tests.support.asking import Clock as MovedClock
from tests.support.house import KARI, NORWAY, House

HELD = {"name": "Kari Testesen", "email": KARI, "phone": "40 00 00 00"}


def erasure(house: House, **facts: object) -> UUID:
    house.systems.system(NORWAY, "ticketing").hold(KARI, "customer", "c1", fields=HELD, **facts)
    house.systems.system(NORWAY, "mailing").hold(KARI, "member", "m1")
    return collected(house, Right.ERASURE)


def previews(house: House, case_id: UUID) -> dict[str, Preview]:
    request = asked(house, case_id, Right.ERASURE)
    today = house.installation.clock().date()
    shown = house.installation.deciding.preview(request, today)
    return {one.found.category: one for one in shown}


def test_one_field_goes_and_the_letter_says_which(house: House) -> None:
    case_id = erasure(house)
    request_id = asked(house, case_id, Right.ERASURE).id
    part = WishedErasure(category="profile", fields=("phone",))
    house.installation.wishing.say(request_id, [part], by=BY)

    decided = previews(house, case_id)
    assert decided["newsletter"].verdict.decision is Decision.LEAVE
    assert decided["profile"].verdict.keep_fields == ("name", "email")
    approve(house, case_id, Right.ERASURE)

    systems = plan(house, case_id, Right.ERASURE).systems
    assert systems["ticketing"].action is Action.ERASE
    assert systems["mailing"].action is Action.FIND  # nobody asked for that
    letter = next(m for m in house.mails() if m.kind is LetterKind.ANSWER)
    assert "telefon" in letter.text.lower()
    assert "nyhetsbrev" not in letter.text.lower()
    assert asked(house, case_id, Right.ERASURE).status is Status.CLOSED


def test_a_named_ground_is_examined_and_outweighs_what_the_contract_needs(house: House) -> None:
    """MU-12, Art. 17(1)(d): unlawful processing goes although a ticket is still open."""
    case_id = erasure(house, flags=frozenset({"open_ticket"}))
    request_id = asked(house, case_id, Right.ERASURE).id
    assert previews(house, case_id)["profile"].verdict.decision is Decision.KEEP

    part = WishedErasure(frozenset({ErasureGround.UNLAWFUL}))
    house.installation.wishing.say(request_id, [part], by=BY)

    verdict = previews(house, case_id)["profile"].verdict
    assert verdict.decision in {Decision.ERASE, Decision.ANONYMISE}
    assert verdict.met is ErasureGround.UNLAWFUL


def test_what_cannot_be_meant_is_refused(house: House) -> None:
    case_id = erasure(house)
    request_id = asked(house, case_id, Right.ERASURE).id
    wishing = house.installation.wishing
    with pytest.raises(DomainError, match="no category"):
        wishing.say(request_id, [WishedErasure(category="nowhere")], by=BY)
    approve(house, case_id, Right.ERASURE)
    with pytest.raises(NotAllowedNow):
        wishing.say(request_id, [WishedErasure()], by=BY)


def test_what_a_person_found_for_the_copy_is_not_looked_for_again(house: House) -> None:
    """Erasure after access: systems are asked anew, people are not; the order stays as it was."""
    case_id = verified(house, Right.ACCESS, Right.ERASURE)
    look_everywhere(house, case_id, Right.ACCESS)
    approve(house, case_id, Right.ACCESS)

    systems = plan(house, case_id, Right.ERASURE).systems
    waiting = {name for name, state in systems.items() if state.waits_for == "look-up"}
    assert waiting == set()
    assert asked(house, case_id, Right.ERASURE).status is Status.COLLECTED


def test_what_a_person_found_long_ago_is_looked_for_again(house: House, clock: MovedClock) -> None:
    case_id = verified(house, Right.ACCESS, Right.ERASURE)
    look_everywhere(house, case_id, Right.ACCESS)
    clock.forward(days=15)
    approve(house, case_id, Right.ACCESS)
    for _ in ("the answer", "its letter", "the searches"):
        hurry(house, destroying=False)

    systems = plan(house, case_id, Right.ERASURE).systems
    assert "look-up" in {state.waits_for for state in systems.values()}
