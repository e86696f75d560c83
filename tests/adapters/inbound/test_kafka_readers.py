"""Readers of receipts against a real broker: where they begin, and what they pass on."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from kafka import KafkaProducer

from adapters.contract.messages import RECEIPTS
from adapters.inbound.kafka.receipts import ReceiptReader
from domain.vocabulary import Right
from tests.support.asking import verified
from tests.support.bus import with_topics
from tests.support.house import NORWAY, House, open_house
from tests.support.kafka import Broker
from tests.support.processes import wait_until
from tests.support.told import MAILING, tell


@contextmanager
def reading(house: House) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=ReceiptReader(house.installation).run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=30)
        assert not thread.is_alive()


def produce(broker: Broker, values: Sequence[bytes]) -> None:
    producer = KafkaProducer(**broker.client)
    for value in values:
        producer.send(RECEIPTS, value, b"the same key")
    producer.flush()
    producer.close()


def taken(house: House) -> int:
    (row,) = house.installation.database.fetch(
        "SELECT coalesce(sum(taken), 0) AS taken FROM trettio.receipt_positions"
    )
    return int(row["taken"])


def test_a_reader_goes_on_where_postgresql_says_whatever_kafka_believes(
    kafka: Broker, database_url: str, tmp_path: Path
) -> None:
    with open_house(database_url, tmp_path, kafka=kafka.address) as house:
        with_topics(kafka, house.installation.settings)
        mailing = tell(house, "kafka")
        verified(house, Right.ACCESS)
        house.work()
        (told,) = mailing.open()
        answer = {
            "receipt": str(uuid4()),
            "instruction": str(told),
            "controller": NORWAY,
            "system": MAILING,
            "outcome": "nothing-held",
        }
        envelope = {"specversion": "1.0", "id": "1", "source": "/m", "type": "trettio.receipt.v1"}
        said = json.dumps({**envelope, "data": answer}).encode()

        produce(kafka, [said, b"nonsense", said])
        with reading(house):
            wait_until(lambda: taken(house) == 3, what="three are taken")
        assert house.installation.register.instruction(told).answered_at is not None

        events = house.events()
        produce(kafka, [said])
        house.installation.database.fetch(
            "UPDATE trettio.receipt_positions SET next_offset = 1 WHERE next_offset = 3"
        )
        with reading(house):
            wait_until(lambda: taken(house) == 6, what="three are read, two of them once more")
        assert house.events() == events
        (refused,) = house.installation.database.fetch(
            "SELECT count(*) AS count FROM trettio.refused_receipts"
        )
        assert refused["count"] == 1
