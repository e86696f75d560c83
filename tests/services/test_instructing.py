"""Systems that are told: each receipt has one effect, or a clear refusal (Art. 17, 19, 28)."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.fulfilment import SystemStatus
from domain.request import Status
from domain.vocabulary import Outcome, Right
from tests.support.asking import approve, asked, hurry, look_everywhere, plan, verified
from tests.support.house import KARI, House
from tests.support.told import MAILING, ToldSystem, nothing_saved, tell


@pytest.fixture
def mailing(house: House) -> ToldSystem:
    return tell(house)


def erasure(house: House, mailing: ToldSystem) -> tuple[UUID, UUID]:
    """An erasure that was approved: the case, and what the system was told to erase."""
    case_id = verified(house, Right.ERASURE)
    mailing.obey_all()
    look_everywhere(house, case_id, Right.ERASURE)
    approve(house, case_id, Right.ERASURE)
    (told,) = mailing.open()
    return case_id, told


def test_found_decided_erased_and_read_back_by_a_system_that_is_told(
    house: House, mailing: ToldSystem
) -> None:
    mailing.hold(KARI, "m1")
    case_id, told = erasure(house, mailing)
    shown = mailing.told(told)
    assert (shown["verb"], shown["purpose"]) == ("erase", "request")
    assert KARI not in str(shown)
    assert [record["decision"] for record in shown["records"]] == ["erase"]

    mailing.obey(told)
    house.work()
    assert mailing.held == {}
    (back,) = mailing.open()
    assert mailing.told(back)["verb"] == "read-back"
    assert plan(house, case_id, Right.ERASURE).systems[MAILING].status is SystemStatus.TREATED
    mailing.obey(back)
    hurry(house, destroying=False)

    request = asked(house, case_id, Right.ERASURE)
    assert request.status is Status.CLOSED
    assert [one.outcome for one in request.outcomes] == [Outcome.ERASED]


def test_the_same_receipt_again_changes_nothing(house: House, mailing: ToldSystem) -> None:
    mailing.hold(KARI, "m1")
    _, told = erasure(house, mailing)
    (record,) = mailing.claim(told)["records"]
    erased = [{"record": record["record"], "outcome": "erased"}]
    body: dict[str, Any] = {"receipt": str(uuid4()), "records": erased}
    assert mailing.say(told, "done", **body)["taken"] == "new"

    with nothing_saved(house):
        assert mailing.say(told, "done", **body)["taken"] == "again"
    assert mailing.say(told, "nothing-held")["taken"] == "late"


def test_zero_rows_where_some_were_found_are_a_persons_to_look_into(
    house: House, mailing: ToldSystem
) -> None:
    mailing.hold(KARI, "m1")
    case_id, told = erasure(house, mailing)

    assert mailing.say(told, "nothing-held")["taken"] == "new"

    state = plan(house, case_id, Right.ERASURE).systems[MAILING]
    assert (state.status, state.waits_for) == (SystemStatus.WAITING_FOR_PERSON, "nothing-changed")
