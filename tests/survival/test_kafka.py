"""The bus under fire: publishers killed, the broker restarted, readers rebalanced, nothing lost.

Issue 6: every instruction arrives, per-request order holds, every receipt counts once, and nothing
is published twice under another id, while 200 instructions a second are offered.
TRETTIO_KAFKA_ROUNDS asks for more kills than the usual 20.
"""

from __future__ import annotations

import json
import os
import random
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4, uuid5

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from adapters.contract.messages import INSTRUCTIONS, RECEIPTS
from adapters.outbound.recorder import incarnation
from domain.instruction import Instruction
from domain.vocabulary import IdentifierKind, Language, Right
from services.ports import Identifier
from services.register import Register
from tests.support.asking import BY, received
from tests.support.bus import Read, held, instruction, save, with_topics, writing
from tests.support.house import House, open_house
from tests.support.kafka import Broker
from tests.support.nursery import nursery
from tests.support.processes import Process, wait_until
from tests.support.told import MAILING, tell

pytestmark = pytest.mark.survival

ROUNDS = int(os.environ.get("TRETTIO_KAFKA_ROUNDS", "20"))
PER_SECOND = 200
TOGETHER = 40
"""So many are saved at once, and one of them belongs to a real case."""
REQUESTS = 40
ROOT = Path(__file__).parents[2]


# What is offered


@dataclass
class Offering:
    """Instructions about a few requests, and real objections to marketing, at a steady rate."""

    house: House
    chance: random.Random
    stop: threading.Event = field(default_factory=threading.Event)
    open: list[Instruction] = field(default_factory=list)
    offered: int = 0
    seconds: float = 0.0
    failed: list[Exception] = field(default_factory=list)

    def run(self) -> None:
        try:
            with writing(self.house.installation.database) as register:
                self._offer(register, [uuid4() for _ in range(REQUESTS)])
        except Exception as error:
            self.failed.append(error)
            raise

    def _offer(self, register: Register, requests: Sequence[UUID]) -> None:
        began = time.monotonic()
        while not self.stop.is_set():
            given = [instruction(self.chance.choice(requests)) for _ in range(TOGETHER - 1)]
            if self.open and self.chance.random() < 0.2:
                again = register.instruction(self.open.pop().id)
                again.repeat(by=BY, reason="asked-for", at=again.given_at)
                given[0] = again
            save(register, *given)
            self.open = [*self.open, given[-1]][-50:]
            self._object(f"Hei {self.offered}")
            self.offered += TOGETHER
            ahead = began + self.offered / PER_SECOND - time.monotonic()
            if ahead > 0:
                self.stop.wait(ahead)
        self.seconds = time.monotonic() - began

    def _object(self, text: str) -> None:
        address = Identifier(IdentifierKind.EMAIL, f"{len(text)}.{self.offered}@person.example")
        self.house.installation.intake.confirm(
            received(self.house, text),
            rights=(Right.OBJECTION_TO_MARKETING,),
            language=Language.NB,
            identifiers=(address,),
            by=BY,
        )
        self.house.worker.drain()


# Who answers


@dataclass
class Answering:
    """The system at the other end: answers twice, in another order, and with much nonsense."""

    broker: Broker
    chance: random.Random
    stop: threading.Event = field(default_factory=threading.Event)
    receipts: dict[UUID, set[str]] = field(default_factory=lambda: defaultdict(set))
    nonsense: int = 0

    def run(self) -> None:
        options = {**self.broker.client, "reconnect_backoff_max_ms": 500}
        consumer = KafkaConsumer(**options, group_id=None, auto_offset_reset="earliest")
        producer = KafkaProducer(**options, linger_ms=20)
        consumer.assign([TopicPartition(INSTRUCTIONS, number) for number in range(3)])
        waiting: list[tuple[bytes, bytes]] = []
        while not self.stop.is_set():
            for records in consumer.poll(timeout_ms=200).values():
                for record in records:
                    said = json.loads(record.value)["data"]
                    if said["system"] == MAILING:
                        waiting += self._answers(record.key, said)
            self.chance.shuffle(waiting)
            for _ in range(len(waiting) // 2 + 1 if waiting else 0):
                producer.send(RECEIPTS, *reversed(waiting.pop()))
        for left in waiting:
            producer.send(RECEIPTS, *reversed(left))
        producer.flush()
        producer.close()
        consumer.close(autocommit=False)

    def _answers(self, key: bytes, said: Mapping[str, Any]) -> Iterator[tuple[bytes, bytes]]:
        told = UUID(said["instruction"])
        if told in self.receipts:
            return
        for _ in range(2):
            receipt = str(uuid4())
            self.receipts[told].add(receipt)
            sent = _receipt(said, receipt)
            yield from [(key, sent)] * self.chance.choice([1, 2, 2])
        if self.chance.random() < 0.2:
            self.nonsense += 2
            yield key, b"\x00\x01"
            yield key, _receipt({**said, "system": "ticketing"}, str(uuid4()))


def _receipt(said: Mapping[str, Any], receipt: str) -> bytes:
    envelope = {"specversion": "1.0", "id": receipt, "source": "/m", "type": "trettio.receipt.v1"}
    data = {key: said[key] for key in ("instruction", "controller", "system")}
    return json.dumps(
        {**envelope, "data": {**data, "receipt": receipt, "outcome": "done"}}
    ).encode()


# The story


@contextmanager
def running(target: Any) -> Iterator[None]:
    thread = threading.Thread(target=target.run)
    thread.start()
    try:
        yield
    finally:
        target.stop.set()
        thread.join(timeout=60)
        assert not thread.is_alive()


def environment_of(house: House) -> dict[str, str]:
    settings = house.installation.settings
    assert settings.database_url is not None
    assert settings.kafka is not None
    return {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONPATH": str(ROOT),
        "TRETTIO_HOME": str(settings.home),
        "TRETTIO_DATABASE_URL": settings.database_url.get_secret_value(),
        "TRETTIO_KAFKA": settings.kafka,
        "TRETTIO_LOG": "json",
    }


@contextmanager
def readers_of(house: House, folder: Path) -> Iterator[list[Process]]:
    """Two processes that share the receipts."""
    program = str(Path(sys.executable).with_name("trettio"))
    command = [program, "publish", "--only-receipts"]
    readers = [
        Process(f"reader-{number}", command, environment_of(house), folder).start()
        for number in (1, 2)
    ]
    try:
        yield readers
    finally:
        for reader in readers:
            reader.abandon()


def wait_for(house: House, pid: int, log: Path) -> None:
    def is_at_work() -> bool:
        return bool(
            house.installation.database.fetch(
                "SELECT 1 FROM trettio.processes WHERE pid = %s", [pid]
            )
        )

    wait_until(is_at_work, what=f"process {pid} is at work, log {log}")


def test_every_instruction_arrives_in_order_and_every_receipt_counts_once(
    kafka: Broker, database_url: str, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    with (
        open_house(database_url, tmp_path / "home", kafka=kafka.address) as house,
        ExitStack() as up,
    ):
        with_topics(kafka, house.installation.settings)
        tell(house, "kafka")
        readers = up.enter_context(readers_of(house, tmp_path))
        ours = up.enter_context(
            nursery(["publish", "--only-publish"], environment_of(house), tmp_path)
        )
        publishers = [ours.start(), ours.start()]
        for reader in readers:
            wait_for(house, reader.pid, reader.log)
        offering, answering = Offering(house, chance), Answering(kafka, random.Random(seed))
        restarting = threading.Thread(target=kafka.restart)
        began = time.monotonic()
        with running(answering):
            with running(offering):
                for number in range(ROUNDS):
                    wait_for(house, publishers[0].pid, publishers[0].log)
                    time.sleep(chance.random() * 0.5)
                    publishers.pop(0).kill()
                    publishers.append(ours.start())
                    if number == ROUNDS // 3:
                        readers[0].kill()
                    if number == ROUNDS // 2:
                        restarting.start()
                restarting.join()
            wait_until(lambda: published(house), what="all is published")
            wait_until(lambda: len(answering.receipts) == objections(house), what="all are told")
        wait_until(lambda: everything_read(house, kafka), what="all receipts are read")
        took = time.monotonic() - began

        assert offering.failed == []
        told = held(kafka, INSTRUCTIONS)
        all_arrived_under_one_id_each(house, told)
        in_order_per_request(told)
        every_receipt_counted_once(house, answering)
        repeats = len(told) - len({one.id for one in told})
        print(
            f"seed {seed}: {ROUNDS} kills in {took:.0f} s,"
            f" {offering.offered / offering.seconds:.0f} instructions/s offered,"
            f" {len(told)} messages, {repeats} of them twice,"
            f" {sum(map(len, answering.receipts.values()))} receipts,"
            f" {answering.nonsense} refused"
        )


# What must be true


def published(house: House) -> bool:
    (row,) = house.installation.database.fetch(
        "SELECT position = (SELECT max(notification_id) FROM trettio.log) AS all"
        " FROM trettio.publications"
    )
    return bool(row["all"])


def objections(house: House) -> int:
    (row,) = house.installation.database.fetch(
        "SELECT count(*) AS count FROM trettio.instructions WHERE system = %s", [MAILING]
    )
    return int(row["count"])


def everything_read(house: House, broker: Broker) -> bool:
    consumer = KafkaConsumer(**broker.client)
    partitions = [TopicPartition(RECEIPTS, number) for number in range(3)]
    ends = {one.partition: end for one, end in consumer.end_offsets(partitions).items()}
    consumer.close(autocommit=False)
    read = {
        row["partition"]: row["next_offset"]
        for row in house.installation.database.fetch("SELECT * FROM trettio.receipt_positions")
    }
    return all(read.get(one, 0) == end for one, end in ends.items())


def all_arrived_under_one_id_each(house: House, told: Sequence[Read]) -> None:
    expected = {
        str(row["notification_id"])
        for row in house.installation.database.fetch(
            "SELECT notification_id FROM trettio.log"
            " WHERE topic IN ('instruction.given', 'instruction.repeated')"
        )
    }
    ids = {(one.said["logposition"], one.id) for one in told}
    assert {position for position, _ in ids} == expected
    ours = incarnation(house.installation.database)
    assert ids == {(position, str(uuid5(ours, position))) for position in expected}


def in_order_per_request(told: Sequence[Read]) -> None:
    """What is taken once by its id comes in the order of the log, all in one partition."""
    known: set[str] = set()
    last: dict[str, int] = {}
    partitions: dict[str, int] = {}
    for one in told:
        assert partitions.setdefault(one.key, one.partition) == one.partition
        if one.id in known:
            continue
        known.add(one.id)
        position = int(one.said["logposition"])
        assert last.get(one.key, 0) < position, f"{one.key}: {position} after {last[one.key]}"
        last[one.key] = position


def every_receipt_counted_once(house: House, answering: Answering) -> None:
    database = house.installation.database
    register = house.installation.register
    counted: Counter[str] = Counter()
    for told, receipts in answering.receipts.items():
        events = register.stored_events([told])[told]
        recorded: list[Any] = [register.mapper.to_domain_event(e) for e in events]
        answers = [e for e in recorded if isinstance(e, Instruction.Answered)]
        counted.update(str(e.receipt) for e in answers)
        assert {str(e.receipt) for e in answers} == receipts
        assert [e.late for e in answers].count(False) == 1
    assert set(counted.values()) == {1}
    (done,) = database.fetch(
        "SELECT count(*) AS count FROM trettio.log WHERE topic = 'fulfilment.answered'"
    )
    assert done["count"] == len(answering.receipts)
    (refused,) = database.fetch("SELECT count(*) AS count FROM trettio.refused_receipts")
    assert refused["count"] == answering.nonsense
