"""A stop at a system that is told takes what nothing carries any more (Art. 7(3), 21(3))."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from adapters.outbound.connectors.told import Told
from domain.fulfilment import Fulfilment, SystemStatus
from domain.request import Status
from domain.vocabulary import Outcome, Right
from tests.services.test_withdrawing import ON_AN_INTEREST, withdrawn
from tests.support.asking import BY, asked, hurry, plan
from tests.support.house import KARI, NORWAY, ORGANISATIONS, House
from tests.support.stage import decide
from tests.support.told import MAILING, ToldSystem, client_of, told_document


@pytest.fixture
def mailing(house: House) -> ToldSystem:
    """Told, and its newsletter rests on consent alone."""
    document = (ORGANISATIONS / f"{NORWAY}.toml").read_text(encoding="utf-8")
    assert ON_AN_INTEREST in document
    consent = document.replace(ON_AN_INTEREST, 'bases = ["consent"]\nmarketing = true')
    house.installation.controllers.adopt(
        told_document(consent, "https").encode(), name=NORWAY, by=BY
    )
    decide(house.installation, NORWAY)
    house.systems.made[NORWAY, MAILING] = Told({})
    return ToldSystem(house, client_of(house, MAILING))


def stopped(house: House, mailing: ToldSystem) -> UUID:
    """A withdrawal, and the system has stopped: the case."""
    mailing.hold(KARI, "m1")
    case = withdrawn(house)
    house.work()
    (told,) = mailing.open()
    assert mailing.told(told)["verb"] == "suppress"
    mailing.say(told, "done")
    return case.id


def state(house: House, case_id: UUID) -> SystemStatus:
    return plan(house, case_id, Right.WITHDRAWAL).systems[MAILING].status


def outcomes(house: House, case_id: UUID) -> list[Outcome | None]:
    fulfilment = plan(house, case_id, Right.WITHDRAWAL)
    recorded = house.installation.register.events.get(fulfilment.id)
    answers = (one for one in recorded if isinstance(one, Fulfilment.Answered))
    return [one.outcome for one in answers if one.system == MAILING]


def test_it_is_stopped_then_searched_erased_and_searched_again(
    house: House, mailing: ToldSystem
) -> None:
    """OK-07, AO-17: what rested on consent alone goes where a system is told, too."""
    case_id = stopped(house, mailing)

    for verb in ("find", "erase", "read-back"):
        assert state(house, case_id) is not SystemStatus.DONE
        (told,) = mailing.open()
        shown = mailing.told(told)
        assert shown["verb"] == verb
        assert KARI not in str(shown)
        mailing.obey(told)
    hurry(house, destroying=False)

    assert mailing.held == {}
    assert mailing.open() == []
    assert state(house, case_id) is SystemStatus.DONE
    assert outcomes(house, case_id) == [Outcome.ERASED]
    assert asked(house, case_id, Right.WITHDRAWAL).status is Status.CLOSED


def test_what_is_still_there_in_the_second_search_is_a_persons_to_look_into(
    house: House, mailing: ToldSystem
) -> None:
    case_id = stopped(house, mailing)
    mailing.obey(mailing.open()[0])
    (told,) = mailing.open()
    (record,) = mailing.claim(told)["records"]
    assert record["key"] == "m1"
    receipt = str(uuid4())
    erased = [{"record": record["record"], "outcome": "erased"}]
    mailing.say(told, "done", receipt=receipt, records=erased)
    assert mailing.say(told, "done", receipt=receipt, records=erased)["taken"] == "again"
    (back,) = mailing.open()

    mailing.obey(back)  # it only said so

    found = plan(house, case_id, Right.WITHDRAWAL).systems[MAILING]
    assert (found.status, found.waits_for) == (
        SystemStatus.WAITING_FOR_PERSON,
        "still-there-after-erasure",
    )


def test_where_nothing_is_left_to_go_the_stop_alone_is_the_answer(
    house: House, mailing: ToldSystem
) -> None:
    case_id = stopped(house, mailing)
    mailing.held.clear()

    mailing.obey_all()

    assert state(house, case_id) is SystemStatus.DONE
    assert outcomes(house, case_id) == [Outcome.SUPPRESSED]
