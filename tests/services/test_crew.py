"""Slow systems keep nobody else waiting, and what takes long is not done twice at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import pytest

from domain.fulfilment import SystemStatus
from domain.vocabulary import Right
from services import crew, worker
from services.crew import Crew
from services.ports import Person, Record
from tests.support.asking import Troubled, confirmed, plan
from tests.support.house import House


class Slow(Troubled):
    """A system that answers when it is allowed to."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.go = Event(), Event()

    def find(self, person: Person, **_: object) -> Iterator[Record]:
        self.asked.append("find")
        self.begun.set()
        assert self.go.wait(120)
        return iter(())


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds become tenths of a second."""
    for module, name, seconds in (
        (worker, "LEASE_SECONDS", 1.5),
        (crew, "LEASE_SECONDS", 1.5),
        (crew, "RENEW_AFTER_SECONDS", 0.2),
        (crew, "LOOK_EVERY_SECONDS", 0.05),
        (crew, "SLOW_SECONDS", 0.2),
    ):
        monkeypatch.setattr(module, name, seconds)


@contextmanager
def at_work(house: House, size: int) -> Iterator[Crew]:
    stop = Event()
    members = Crew(size, house.installation.worker, house.installation.tasks)
    thread = Thread(target=members.run, args=(stop,))
    thread.start()
    try:
        yield members
    finally:
        stop.set()
        thread.join()


def until(there: Callable[[], bool], seconds: float = 60) -> None:
    ends = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < ends, "it did not come to that"
        time.sleep(0.02)


@pytest.fixture
def slow(house: House) -> Iterator[Slow]:
    system = Slow()
    house.systems.made["fjordscenen", "mailing"] = system
    yield system
    system.go.set()


def _planned(house: House) -> Callable[[], dict[str, SystemStatus]]:
    case_id = confirmed(house, Right.ACCESS)
    house.installation.identity.ask(case_id, reason="unknown-sender", by="ola")
    house.worker.drain()
    house.installation.identity.check_code(case_id, house.newest_code())
    return lambda: {
        name: state.status for name, state in plan(house, case_id, Right.ACCESS).systems.items()
    }


def test_a_find_of_many_leases_is_done_by_one_worker_only(house: House, slow: Slow) -> None:
    states = _planned(house)
    with at_work(house, 1), at_work(house, 1):
        assert slow.begun.wait(60)
        time.sleep(2 * worker.LEASE_SECONDS)
        assert slow.asked == ["find"]
        slow.go.set()
        until(lambda: states()["mailing"] is SystemStatus.FOUND)

    assert slow.asked == ["find"]


def test_a_lease_is_not_renewed_for_ever(
    house: House, slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that hangs for good keeps its task from nobody."""
    monkeypatch.setattr(crew, "LONGEST_IN_HAND_SECONDS", 0.3)
    _planned(house)
    with at_work(house, 2):
        until(lambda: len(slow.asked) > 1)
        slow.go.set()


def test_a_worker_that_waits_is_stood_in_for(house: House, slow: Slow) -> None:
    """One silent system does not stop the others, even where there is one worker only."""
    states = _planned(house)
    with at_work(house, 1):
        assert slow.begun.wait(60)
        until(lambda: states()["ticketing"] is SystemStatus.FOUND)
        until(lambda: states()["payment"] is SystemStatus.FOUND)
        assert states()["mailing"] is SystemStatus.ASKED
        slow.go.set()
        until(lambda: states()["mailing"] is SystemStatus.FOUND)


def test_stand_ins_go_when_nobody_waits_any_more(house: House, slow: Slow) -> None:
    states = _planned(house)
    with at_work(house, 1) as members:
        assert slow.begun.wait(60)
        until(lambda: members.size == 2)
        slow.go.set()
        until(lambda: states()["mailing"] is SystemStatus.FOUND)
        until(lambda: members.size == 1)


def test_a_worker_that_died_is_replaced(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    whole, died = house.installation.fulfilments.record_found, Event()

    def killed(*args: Any, **named: Any) -> None:
        if died.is_set():
            return whole(*args, **named)
        died.set()
        raise Killed

    states = _planned(house)
    monkeypatch.setattr(house.installation.fulfilments, "record_found", killed)
    monkeypatch.setattr("threading.excepthook", lambda _: None)
    with at_work(house, 1):
        until(lambda: states()["ticketing"] is SystemStatus.FOUND)
    assert died.is_set()


def test_the_end_does_not_wait_for_a_silent_system(
    house: House, slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crew, "PATIENCE_SECONDS", 0.2)
    _planned(house)
    with at_work(house, 1):
        assert slow.begun.wait(60)
        began = time.monotonic()

    assert time.monotonic() - began < 5


def test_at_the_end_a_search_that_waits_is_handed_over_at_once(
    house: House, slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for the lease of a process that leaves, and leases of others stay theirs."""
    monkeypatch.setattr(crew, "PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr(worker, "LEASE_SECONDS", 600.0)
    sql = "SELECT leased_by FROM trettio.tasks WHERE system = 'mailing' AND leased_by IS NOT NULL"
    holders = []
    states = _planned(house)
    for _ in range(2):
        slow.begun.clear()
        with at_work(house, 1):
            assert slow.begun.wait(60)
            holders += [row["leased_by"] for row in house.installation.database.fetch(sql)]
        assert house.installation.database.fetch(sql) == []
    slow.go.set()
    with at_work(house, 1):
        until(lambda: states()["mailing"] is SystemStatus.FOUND, 30)

    assert len(set(holders)) == 2


def test_a_database_that_is_away_for_a_moment_stops_nobody(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = house.installation.tasks.purge
    answers: list[Exception] = [ConnectionError(), ConnectionError()]

    def away() -> int:
        if answers:
            raise answers.pop()
        return whole()

    monkeypatch.setattr(house.installation.tasks, "purge", away)
    states = _planned(house)
    with at_work(house, 1):
        until(lambda: states()["ticketing"] is SystemStatus.FOUND)
        until(lambda: not answers)
