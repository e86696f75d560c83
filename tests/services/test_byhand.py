"""A person's answer counts like a system's, in one save, with words in the vault only."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest

from domain.errors import DomainError, NotAllowedNow
from domain.fulfilment import SystemStatus
from domain.request import Status
from domain.vocabulary import Outcome, Right
from services import planning
from services.ports import AwaitsPerson, Result
from tests.support.asking import (
    BY,
    approve,
    asked,
    collected,
    look_everywhere,
    plan,
    trouble,
    verified,
)
from tests.support.house import KARI, House


@pytest.fixture
def by_hand(house: House) -> UUID:
    """An erasure that a person has to carry out in one system."""
    mailing = trouble(house, "mailing")
    mailing.hold(KARI, "member", "m1")
    case_id = collected(house, Right.ERASURE)
    mailing.troubles.append(AwaitsPerson("erase-by-hand"))
    approve(house, case_id, Right.ERASURE)
    assert plan(house, case_id, Right.ERASURE).systems["mailing"].waits_for == "erase-by-hand"
    return case_id


def erased(house: House, case_id: UUID, result: Result, *, looked_again: bool = True) -> None:
    request = asked(house, case_id, Right.ERASURE)
    (record,) = request.own_records
    house.installation.byhand.erased(
        request.id, "mailing", {record.record_id: result}, looked_again=looked_again, by=BY
    )
    house.worker.drain()


def test_erased_and_looked_again_is_one_save_and_answers(house: House, by_hand: UUID) -> None:
    """Between two saves a process may fall; then nobody would have looked again."""
    before = plan(house, by_hand, Right.ERASURE).version
    erased(house, by_hand, Result(Outcome.ERASED))

    fulfilment = plan(house, by_hand, Right.ERASURE)
    assert fulfilment.systems["mailing"].status is SystemStatus.DONE
    assert fulfilment.version == before + 3  # answered, read back, completed
    assert asked(house, by_hand, Right.ERASURE).status is Status.CLOSED


def test_what_was_kept_by_hand_is_told_with_law_and_last_day(house: House, by_hand: UUID) -> None:
    """Art. 12(4): kept is never told as erased."""
    kept = Result(Outcome.KEPT, ground="no.bokforing.primary", until=date(2031, 12, 31))
    erased(house, by_hand, kept)

    text = " ".join(house.mails()[-1].text.split())
    assert "bokføringsloven" in text.lower()
    assert "31. desember 2031" in text
    request = asked(house, by_hand, Right.ERASURE)
    assert request.in_part
    assert [(o.outcome, o.until) for o in request.outcomes] == [(Outcome.KEPT, date(2031, 12, 31))]


@pytest.mark.parametrize(
    ("result", "says"),
    [
        (Result(Outcome.REFUSED), "why it was refused"),
        (Result(Outcome.REFUSED, ground="legal_claim"), "why it was refused"),
        (Result(Outcome.KEPT), "needs its ground"),
        (Result(Outcome.KEPT, ground="might-be-useful"), "no ground for keeping"),
        (Result(Outcome.PENDING_AT_VENDOR), "nothing that somebody does"),
        (Result(Outcome.MANUAL), "nothing that somebody does"),
    ],
)
def test_what_the_letter_could_not_explain_is_not_taken(
    house: House, by_hand: UUID, result: Result, says: str
) -> None:
    with pytest.raises(DomainError, match=says):
        erased(house, by_hand, result)

    state = plan(house, by_hand, Right.ERASURE).systems["mailing"]
    assert state.status is SystemStatus.WAITING_FOR_PERSON


def test_without_a_second_look_nothing_is_done(house: House, by_hand: UUID) -> None:
    with pytest.raises(DomainError, match="look again"):
        erased(house, by_hand, Result(Outcome.ERASED), looked_again=False)


def test_the_same_answer_twice_is_one(house: House, by_hand: UUID) -> None:
    erased(house, by_hand, Result(Outcome.ERASED))

    with pytest.raises(NotAllowedNow, match="does not wait"):
        erased(house, by_hand, Result(Outcome.ERASED))


def test_a_search_by_hand_may_be_corrected_until_somebody_decides(house: House) -> None:
    case_id = collected(house, Right.ACCESS)
    request_id = asked(house, case_id, Right.ACCESS).id

    def nothing(reason: str) -> None:
        house.installation.byhand.found(request_id, "web", (), reason=reason, by=BY)

    nothing("searched-again")
    assert plan(house, case_id, Right.ACCESS).version > 0

    approve(house, case_id, Right.ACCESS)
    with pytest.raises(NotAllowedNow, match="does not wait"):
        nothing("too-late")


def test_nothing_found_needs_a_reason_that_names_nobody(house: House) -> None:
    case_id = verified(house, Right.ACCESS)
    request_id = asked(house, case_id, Right.ACCESS).id

    for reason in ("", "Kari Testesen står ikke her"):
        with pytest.raises(DomainError):
            house.installation.byhand.found(request_id, "web", (), reason=reason, by=BY)


def test_nobody_works_for_a_request_that_was_taken_back(house: House) -> None:
    case_id = verified(house, Right.ACCESS)
    house.installation.refusing.withdraw(asked(house, case_id, Right.ACCESS).id, by=BY)

    with pytest.raises(NotAllowedNow, match="does not wait"):
        house.installation.byhand.found(
            asked(house, case_id, Right.ACCESS).id, "web", (), reason="nothing-there", by=BY
        )


def test_an_unknown_system_is_said_to_be(house: House) -> None:
    case_id = verified(house, Right.ACCESS)

    with pytest.raises(DomainError, match="not part of this request"):
        house.installation.byhand.found(
            asked(house, case_id, Right.ACCESS).id, "nowhere", (), reason="nothing-there", by=BY
        )
    look_everywhere(house, case_id, Right.ACCESS)


def test_a_right_that_an_earlier_version_planned_by_hand_is_done_and_answered(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "SEARCHES", frozenset())
    case_id = verified(house, Right.RECTIFICATION)
    request_id = asked(house, case_id, Right.RECTIFICATION).id
    for system in plan(house, case_id, Right.RECTIFICATION).systems:
        house.installation.byhand.done(
            request_id, system, outcome=Outcome.RECTIFIED, reason="", by=BY
        )

    approve(house, case_id, Right.RECTIFICATION)

    assert asked(house, case_id, Right.RECTIFICATION).status is Status.CLOSED
