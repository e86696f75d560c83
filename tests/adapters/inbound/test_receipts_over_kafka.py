"""A receipt over Kafka has one effect or a clear refusal, whatever comes and however often."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from eventsourcing.persistence import OperationalError

from adapters.contract.messages import RECEIPTS
from adapters.inbound.kafka.positions import ReceiptPositions
from adapters.inbound.kafka.taking import MOST_TRIES, MovedByAnother, Place, Taking, TryLater
from adapters.outbound.recorder import LogRecorder
from adapters.outbound.trial import Missing, Tried
from domain.fulfilment import SystemStatus
from domain.vocabulary import Right
from services.golden import GOLDEN
from tests.support.asking import plan, verified
from tests.support.house import NORWAY, House, open_house
from tests.support.kills import Killed, kill_once
from tests.support.told import MAILING, ToldSystem, nothing_saved, tell

TOPIC_ID = UUID(int=7)


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    with open_house(database_url, tmp_path) as house:
        yield house


@pytest.fixture
def mailing(house: House) -> ToldSystem:
    return tell(house, "kafka")


@pytest.fixture
def case(house: House, mailing: ToldSystem) -> UUID:
    return verified(house, Right.ACCESS)


@pytest.fixture
def told(house: House, mailing: ToldSystem, case: UUID) -> UUID:
    house.work()
    (told,) = mailing.open()
    return told


class Partition:
    """One partition's worth of receipts, read by somebody who may be somebody else each time."""

    def __init__(self, house: House, topic_id: UUID = TOPIC_ID) -> None:
        self.house = house
        self.positions = ReceiptPositions(house.installation.database, RECEIPTS, topic_id)
        self.positions.begin(0, first=0, end=0)
        self.taking = self.reader()

    def reader(self) -> Taking:
        opened = self.house.installation
        return Taking(opened.database, opened.register, opened.instructions, self.positions)

    def take(self, value: bytes | None, offset: int | None = None) -> None:
        at = self.at if offset is None else offset
        self.taking.take(Place(0, at, at), value)

    @property
    def at(self) -> int:
        (row,) = self.house.installation.database.fetch(
            "SELECT next_offset FROM trettio.receipt_positions"
        )
        return int(row["next_offset"])

    def refusals(self) -> list[tuple[str, str | None]]:
        rows = self.house.installation.database.fetch(
            "SELECT reason, system FROM trettio.refused_receipts ORDER BY message_offset"
        )
        return [(row["reason"], row["system"]) for row in rows]


def receipt(told: UUID, outcome: str = "nothing-held", **more: Any) -> bytes:
    data = {
        "receipt": str(uuid4()),
        "instruction": str(told),
        "controller": NORWAY,
        "system": MAILING,
        "outcome": outcome,
        **more,
    }
    return json.dumps(
        {
            "specversion": "1.0",
            "id": str(uuid4()),
            "source": "/mailing",
            "type": "trettio.receipt.v1",
            "subject": str(told),
            "data": data,
        }
    ).encode()


def status(house: House, case: UUID) -> SystemStatus:
    return plan(house, case, Right.ACCESS).systems[MAILING].status


def test_a_receipt_delivered_again_sent_again_or_late_has_one_effect(
    house: House, told: UUID, case: UUID
) -> None:
    partition = Partition(house)
    said = receipt(told)
    assert status(house, case) is SystemStatus.ASKED
    partition.take(said)

    assert status(house, case) is not SystemStatus.ASKED
    instruction = house.installation.register.instruction(told)
    assert instruction.answered_at is not None
    with nothing_saved(house):
        with pytest.raises(MovedByAnother):
            partition.take(said, offset=0)  # a reader that does not know how far we are
        partition.take(said)  # the system sent it once more
    before = house.events()
    partition.take(receipt(told))  # another answer, when nobody waits for one
    assert house.events() == before + 1
    assert partition.at == 3
    assert partition.refusals() == []


def test_a_trial_is_answered_over_kafka_and_shows_whom_it_found_over_https(
    house: House, mailing: ToldSystem
) -> None:
    """Issue 6: before it goes live, its round trip and its matches are shown."""
    trials = house.installation.trials
    partition = Partition(house)
    assert trials.attempt(NORWAY, MAILING).tried is Tried.WAITS
    for told in mailing.open():
        partition.take(receipt(told, "nothing-held"))
    nobody = trials.state(NORWAY, MAILING)
    assert nobody is not None
    assert (nobody.tried, nobody.matches, nobody.is_over) == (Tried.ANSWERS, 0, True)
    assert nobody.missing == (Missing.GOLDEN_PERSON,)
    assert nobody.milliseconds > 0

    mailing.hold(GOLDEN, "g1")
    trials.attempt(NORWAY, MAILING)
    search, _ = mailing.open()
    partition.take(receipt(search, "found"))  # a bus carries nobody's data, not even of nobody
    assert partition.refusals() == [("senseless", MAILING)]
    mailing.obey_all()
    good = trials.state(NORWAY, MAILING)
    assert good is not None
    assert (good.tried, good.matches, good.missing) == (Tried.ANSWERS, 1, ())


def test_what_makes_no_sense_is_refused_kept_as_that_and_passed(house: House, told: UUID) -> None:
    partition = Partition(house)
    nonsense: list[bytes | None] = [
        None,
        b"",
        b"\xff\xfe not JSON",
        b"[" * 100_000,
        b'{"specversion": "1.0"}',
        receipt(told, "erased-everything"),
        receipt(told, receipt="not an id"),
        receipt(told, "needs-person", reason="Kari Testesen ringte om dette"),
        receipt(uuid4()),
        receipt(told, system="ticketing"),
        receipt(told, "found"),
        receipt(told, "done", records=[{"record": str(uuid4()), "outcome": "erased"}]),
    ]
    with nothing_saved(house):
        for value in nonsense:
            partition.take(value)

    assert partition.at == len(nonsense)
    assert [reason for reason, _ in partition.refusals()] == [
        *["malformed"] * 8,
        *["unknown", "foreign", "senseless", "senseless"],
    ]
    assert [system for _, system in partition.refusals()][8:] == [None, MAILING, MAILING, MAILING]
    kept = str(house.installation.database.fetch("SELECT * FROM trettio.refused_receipts"))
    assert "Testesen" not in kept


def test_a_receipt_with_more_than_we_know_is_taken(house: House, told: UUID, case: UUID) -> None:
    """Additive evolution within .v1: what is unknown is passed over."""
    Partition(house).take(receipt(told, mood="excellent", counts={"looked": 3}))

    assert status(house, case) is not SystemStatus.ASKED


def test_a_database_that_is_away_passes_nothing_by(
    house: House, told: UUID, case: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    partition = Partition(house)
    said = receipt(told)
    with monkeypatch.context() as away:

        def fail(*_: object, **__: object) -> None:
            raise OperationalError("away")

        away.setattr(LogRecorder, "insert_events", fail)
        with pytest.raises(TryLater):
            partition.take(said)
    assert partition.at == 0

    partition.take(said)
    assert status(house, case) is not SystemStatus.ASKED
    assert partition.at == 1


def test_killed_between_reading_and_saving_or_after_it_counts_once(
    house: House, told: UUID, case: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Position and effect in one database transaction (issue 6)."""
    partition = Partition(house)
    said = receipt(told)
    with monkeypatch.context() as dying:
        kill_once(dying, "insert_events", LogRecorder)
        with pytest.raises(Killed):
            partition.take(said)
    assert partition.at == 0
    assert status(house, case) is SystemStatus.ASKED

    partition.taking = partition.reader()
    partition.take(said)
    after = house.events()
    assert partition.at == 1
    partition.take(said)
    assert house.events() == after


def test_a_bug_of_ours_holds_up_the_others_for_a_few_tries_only(
    house: House, told: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    partition = Partition(house)

    def bug(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(type(house.installation.instructions), "answer", bug)
    for _ in range(MOST_TRIES - 1):
        with pytest.raises(TryLater):
            partition.take(receipt(told))
    assert partition.at == 0
    partition.take(receipt(told))

    assert partition.at == 1
    assert partition.refusals() == [("failed", None)]


def test_where_to_read_on_follows_from_what_kafka_still_holds(house: House) -> None:
    database = house.installation.database
    positions = ReceiptPositions(database, RECEIPTS, TOPIC_ID)
    assert positions.begin(0, first=5, end=9) == 5
    database.run(positions.moved(0, after=5, to=8))
    assert positions.begin(0, first=5, end=9) == 8

    # Kafka dropped what nobody had read: that is said, and reading goes on behind it.
    assert positions.begin(0, first=20, end=30) == 20
    refused = database.fetch("SELECT reason, message_offset FROM trettio.refused_receipts")
    assert refused == [{"reason": "lost", "message_offset": 8}]

    # The topic ends before what was taken from it, or was made anew: read all; none counts twice.
    assert positions.begin(0, first=0, end=3) == 0
    database.run(positions.moved(0, after=0, to=2))
    anew = ReceiptPositions(database, RECEIPTS, UUID(int=8))
    assert anew.begin(0, first=0, end=50) == 0


def test_two_readers_that_both_believe_they_have_a_partition_cannot_both_move(
    house: House, told: UUID
) -> None:
    one = Partition(house)
    two = one.reader()
    one.take(receipt(told))

    with nothing_saved(house), pytest.raises(MovedByAnother):
        two.take(Place(0, 0, 0), receipt(told))
    with pytest.raises(MovedByAnother):
        two.take(replace(Place(0, 0, 0), end=9), b"malformed")
    assert one.refusals() == []
