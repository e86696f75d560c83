"""Restriction: set everywhere, kept, seen to be kept, and not lifted unannounced (Art. 18)."""

from __future__ import annotations

from uuid import UUID

import pytest

from domain.errors import DomainError
from domain.request import Status
from domain.restriction import At, RestrictionGround
from domain.vocabulary import Compartment, Decision, LetterKind, Outcome, Right
from tests.support.asking import (
    BY,
    Clock,
    asked,
    collected,
    hurry,
    look_everywhere,
    verified,
)
from tests.support.house import KARI, NORWAY, House


def restricted(house: House, ground: RestrictionGround = RestrictionGround.LEGAL_CLAIM) -> UUID:
    """A restriction that was asked for, granted, and set in every system."""
    house.systems.system(NORWAY, "ticketing").hold(KARI, "customer", "c1")
    case_id = verified(house, Right.RESTRICTION)
    request_id = house.case(case_id).request_id(Right.RESTRICTION)
    house.installation.restrictions.restrict(request_id, ground=ground, by=BY)
    house.worker.drain()
    for system in ("customer-service", "web", "archive"):
        house.installation.restrictions.record(
            request_id, system, outcome=Outcome.RESTRICTED, by=BY
        )
    house.worker.drain()
    return case_id


def request_of(house: House, case_id: UUID) -> UUID:
    return house.case(case_id).request_id(Right.RESTRICTION)


def test_it_is_answered_only_when_every_system_is_restricted(house: House) -> None:
    """GK-07, Art. 18(3): set at each connector; where only a person can, a person says so."""
    house.systems.system(NORWAY, "ticketing").hold(KARI, "customer", "c1")
    case_id = verified(house, Right.RESTRICTION)
    request_id = request_of(house, case_id)

    house.installation.restrictions.restrict(request_id, ground=RestrictionGround.UNLAWFUL, by=BY)
    house.worker.drain()
    assert asked(house, case_id, Right.RESTRICTION).status is Status.APPROVED
    systems = house.installation.register.restriction(request_id).systems
    assert (systems["ticketing"].at, systems["mailing"].at) == (At.RESTRICTED, At.NOT_HELD)

    for system in ("customer-service", "web", "archive"):
        house.installation.restrictions.record(
            request_id, system, outcome=Outcome.RESTRICTED, by=BY
        )
    house.worker.drain()

    assert asked(house, case_id, Right.RESTRICTION).status is Status.CLOSED
    letter = next(m for m in house.mails() if m.kind is LetterKind.ANSWER)
    words = " ".join(letter.text.split())
    assert "vi tar vare på det, men bruker det ikke" in words
    assert "Vi sier fra til deg før begrensningen slutter." in words


def test_what_somebody_lifts_over_there_is_set_again(house: House) -> None:
    """Art. 18(2): kept, and seen to be kept."""
    case_id = restricted(house)
    system = house.systems.system(NORWAY, "ticketing")
    system.restricted.clear()

    hurry(house, destroying=False)

    assert KARI in system.restricted
    state = house.installation.register.restriction(request_of(house, case_id))
    assert state.systems["ticketing"].at is At.RESTRICTED


def test_nothing_of_a_restricted_person_is_erased(house: House) -> None:
    """Art. 18(2): a later erasure finds the record kept, whoever asks for it."""
    restricted(house)

    case_id = collected(house, Right.ERASURE, text="Slett alt")
    request = asked(house, case_id, Right.ERASURE)
    (preview,) = house.installation.deciding.preview(request, request.received_on)

    assert preview.verdict.decision is Decision.KEEP
    assert preview.verdict.asks == ("ask_person_about_restriction",)


def test_it_is_lifted_after_the_letter_and_the_stated_pause_and_not_before(
    house: House, clock: Clock
) -> None:
    """GK-07, Art. 18(3): warned before lifting."""
    case_id = restricted(house)
    request_id = request_of(house, case_id)
    system = house.systems.system(NORWAY, "ticketing")

    house.installation.restrictions.announce(request_id, by=BY)
    hurry(house, destroying=False)
    assert [m.kind for m in house.mails()].count(LetterKind.RESTRICTION_LIFTED) == 1
    assert house.installation.register.restriction(request_id).stands

    clock.forward(days=14)
    hurry(house, destroying=False)
    assert house.installation.register.restriction(request_id).stands
    assert KARI in system.restricted

    clock.forward(days=1)
    hurry(house, destroying=False)
    hurry(house, destroying=False)
    restriction = house.installation.register.restriction(request_id)
    assert not restriction.stands
    assert restriction.systems["ticketing"].at is At.LIFTED
    assert KARI not in system.restricted


def test_another_right_is_not_restricted_by_decision(house: House) -> None:
    case_id = collected(house, Right.ACCESS)

    with pytest.raises(DomainError, match="something else"):
        house.installation.restrictions.restrict(
            house.case(case_id).request_id(Right.ACCESS), ground=RestrictionGround.UNLAWFUL, by=BY
        )


def test_an_objection_restricts_at_once_and_until_it_is_decided(house: House) -> None:
    """GK-08, Art. 18(1)(d)."""
    house.systems.system(NORWAY, "ticketing").hold(KARI, "customer", "c1")
    case_id = verified(house, Right.OBJECTION)
    restriction = house.installation.register.restriction(
        house.case(case_id).request_id(Right.OBJECTION)
    )

    assert restriction.ground is RestrictionGround.OBJECTION_PENDING
    assert restriction.systems["ticketing"].at is At.RESTRICTED
    look_everywhere(house, case_id, Right.OBJECTION)
    assert asked(house, case_id, Right.OBJECTION).status is Status.COLLECTED


def test_a_restriction_that_stands_keeps_what_it_needs_to_be_kept(
    house: House, clock: Clock
) -> None:
    """Art. 18(2): without the identifiers nobody could look after it, or lift it."""
    case_id = restricted(house)
    clock.forward(days=4 * 366)

    hurry(house)

    request = asked(house, case_id, Right.RESTRICTION)
    assert Compartment.CORRESPONDENCE not in request.destroyed
    assert house.installation.vault.open(request.requester)
