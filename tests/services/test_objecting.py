"""An objection is weighed by a person, purpose by purpose (Art. 21(1); GK-08, GK-15, GK-16)."""

from __future__ import annotations

from uuid import UUID

import pytest

from domain.errors import DomainError, NotAllowedNow
from domain.fulfilment import SystemStatus
from domain.request import Status
from domain.vocabulary import Decision, LetterKind, Right
from services.objecting import Weighing
from tests.support.asking import BY, asked, collected, hurry, plan, verified
from tests.support.house import KARI, NORWAY, House

PURPOSES = ("website", "customer-service", "statistics", "marketing")
STOP = tuple(Weighing(purpose, continues=False) for purpose in PURPOSES)


def objected(house: House) -> UUID:
    house.systems.system(NORWAY, "mailing").hold(KARI, "member", "m1")
    house.systems.system(NORWAY, "ticketing").hold(KARI, "customer", "c1")
    return collected(house, Right.OBJECTION)


def strike(house: House, case_id: UUID, weighings: tuple[Weighing, ...]) -> None:
    request_id = house.case(case_id).request_id(Right.OBJECTION)
    house.installation.objecting.strike(request_id, weighings, by=BY)
    house.worker.drain()


def test_it_opens_a_balance_over_every_purpose_that_rests_on_an_interest(house: House) -> None:
    """GK-16: purposes 1, 4, 5 and 6; contracts are not objected to."""
    case_id = verified(house, Right.OBJECTION)

    balancing = house.installation.register.balancing(
        house.case(case_id).request_id(Right.OBJECTION)
    )
    assert balancing.purposes == PURPOSES
    assert balancing.absolute == ("marketing",)


def test_what_stops_is_erased_where_no_contract_needs_it(house: House) -> None:
    """GK-08, GK-15: marketing data goes, the customer account of the contract stays."""
    case_id = objected(house)

    strike(house, case_id, STOP)

    request = asked(house, case_id, Right.OBJECTION)
    decided = {request.found[d.record_id].system: d.decision for d in request.decisions.values()}
    assert decided == {"mailing": Decision.ERASE}
    assert house.systems.system(NORWAY, "mailing").held == []
    assert len(house.systems.system(NORWAY, "ticketing").held) == 1
    assert request.status is Status.CLOSED
    letter = next(m for m in house.mails() if m.kind is LetterKind.OBJECTION_UPHELD)
    assert "Statistikk" in letter.text


def test_to_go_on_takes_compelling_grounds_and_they_stand_in_the_letter(house: House) -> None:
    case_id = objected(house)
    bare = (*STOP[:2], Weighing("statistics", continues=True), STOP[3])
    with pytest.raises(DomainError, match="compelling grounds"):
        strike(house, case_id, bare)

    words = "Tallene kreves av kulturdepartementet og kan ikke lages uten."
    strike(
        house, case_id, (*STOP[:2], Weighing("statistics", continues=True, words=words), STOP[3])
    )

    letter = next(m for m in house.mails() if m.kind is LetterKind.PARTIAL_REFUSAL)
    text = " ".join(letter.text.split())
    assert words in text
    assert "Statistikk" in text
    assert "Noe av det du ba om, har vi gjort." in text
    assert "Vi har ikke endret eller slettet noe" not in text
    assert "Datatilsynet" in text


def test_marketing_is_not_weighed(house: House) -> None:
    """Art. 21(3), AK-07: absolute, whatever grounds somebody writes down."""
    case_id = objected(house)

    with pytest.raises(DomainError, match="absolute"):
        strike(house, case_id, (*STOP[:3], Weighing("marketing", continues=True, words="Salg.")))


def test_every_purpose_is_weighed_once_and_by_a_person(house: House) -> None:
    case_id = objected(house)
    request_id = house.case(case_id).request_id(Right.OBJECTION)

    with pytest.raises(DomainError, match="each of these purposes once"):
        strike(house, case_id, STOP[:2])
    with pytest.raises(DomainError, match="machine"):
        house.installation.objecting.strike(request_id, STOP, by="trettio")
    with pytest.raises(NotAllowedNow, match="purpose by purpose"):
        house.installation.deciding.approve(request_id, by=BY)


def test_marketing_stops_where_nothing_is_held_too(house: House) -> None:
    """Art. 21(3): an address that is imported tomorrow is not written to either."""
    case_id = collected(house, Right.OBJECTION)

    strike(house, case_id, STOP)

    state = plan(house, case_id, Right.OBJECTION).systems["mailing"]
    assert (state.action.value, state.status) == ("suppress", SystemStatus.DONE)


def test_the_restriction_ends_with_the_decision_after_its_letter(house: House) -> None:
    case_id = objected(house)
    strike(house, case_id, STOP)
    hurry(house, destroying=False)

    kinds = [m.kind for m in house.mails()]
    assert kinds.count(LetterKind.RESTRICTION_LIFTED) == 1


def test_who_was_told_yes_is_not_told_that_all_goes_on_as_before(house: House) -> None:
    """GK-08, Art. 18(3): what is left is restricted no more; what stopped is not resumed."""
    case_id = objected(house)
    strike(house, case_id, STOP)
    hurry(house, destroying=False)

    letter = next(m for m in house.mails() if m.kind is LetterKind.RESTRICTION_LIFTED)
    text = " ".join(letter.text.split())
    assert "begynner vi ikke med igjen" in text
    assert "bruke opplysningene igjen" not in text
