"""How fast instructions reach Kafka: the lag at a steady rate, and the rate with many waiting.

The rate is told against kafka-python's bare producer, which sends the very same bytes in the same
run; the lag is from the commit in PostgreSQL until a consumer has the message.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from uuid import uuid4

import orjson
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from adapters.at_work import little_garbage
from adapters.contract.messages import INSTRUCTIONS
from adapters.outbound.database import Database, migrate
from adapters.outbound.kafka.message import HEADERS
from adapters.outbound.kafka.sender import BATCH_BYTES
from adapters.publishing import Publishing
from adapters.settings import Settings
from tests.benchmarks.figures import Figure, at_least, at_most
from tests.support.bus import instruction, save, settings_of, with_topics, writing
from tests.support.kafka import Broker
from tests.support.processes import wait_until

PER_SECOND = 200
LAG_AIM_MS, RATE_AIM = 500, 0.6
PARTITIONS = 3
TOGETHER = 50
TURNS = 4
BARE = "bare"
ROOT = Path(__file__).parents[2]


def measure(
    running: Broker, url: str, home: Path, *, count: int, seconds: float
) -> Iterator[Figure]:
    with Database(url) as database:
        migrate(database)
        settings = settings_of(running, url, TRETTIO_HOME=str(home))
        with_topics(running, settings, partitions=PARTITIONS)
        with little_garbage():  # as every process of ours
            ours, bare = rates(running, settings, database, count)
        what = "instructions published, against kafka-python's bare producer"
        yield at_least(what, RATE_AIM, ours / bare)
        lags = lag(running, settings, database, seconds)
        p99 = sorted(lags)[int(len(lags) * 0.99)] * 1000
        what = f"publication lag at {PER_SECOND} instructions/s, p99"
        yield at_most(what, LAG_AIM_MS, p99, "ms")


def rates(
    running: Broker, settings: Settings, database: Database, count: int
) -> tuple[float, float]:
    """Messages a second by the publisher, and by a producer that has them ready; in turns."""
    running.create(BARE, partitions=PARTITIONS)
    follower, publisher = Publishing(settings, database).follower()
    producer = KafkaProducer(**running.client, acks="all", batch_size=BATCH_BYTES)
    producer.partitions_for(BARE)
    ours = bare = 0.0
    try:
        with writing(database) as register:
            save(register, instruction())
        follower.drain()  # connected
        for turn in range(TURNS + 1):
            with writing(database) as register:
                for _ in range(count // TURNS // TOGETHER):
                    save(register, *(instruction() for _ in range(TOGETHER)))
            begins = ends_of(running)
            began = time.perf_counter()
            follower.drain()
            of_ours = time.perf_counter() - began
            messages = list(between(running, begins, ends_of(running)))
            began = time.perf_counter()
            for key, value in messages:
                producer.send(BARE, value, key, HEADERS)
            producer.flush()
            if turn:  # the first one warms the broker
                ours, bare = ours + of_ours, bare + time.perf_counter() - began
    finally:
        publisher.close()
        producer.close()
    return count / ours, count / bare


def lag(running: Broker, settings: Settings, database: Database, seconds: float) -> list[float]:
    """Seconds from each commit until a consumer had it, with a publisher of its own."""
    found: dict[int, float] = {}
    begun, stop = Event(), Event()

    def consume() -> None:
        with consuming(running) as consumer:
            for partition, end in ends_of(running).items():
                consumer.seek(partition, end)
            begun.set()
            while not stop.is_set():
                for records in consumer.poll(timeout_ms=100).values():
                    now = time.time()
                    for record in records:
                        found[int(orjson.loads(record.value)["logposition"])] = now

    with publisher_of(settings) as process, writing(database) as register:
        consumer = Thread(target=consume)
        consumer.start()
        begun.wait()
        sql = "SELECT 1 FROM trettio.processes WHERE pid = %s"
        wait_until(lambda: database.fetch(sql, [process.pid]), what="a publisher is at work")
        save(register, instruction())
        wait_until(lambda: found, what="it publishes")
        found.clear()
        began = time.monotonic()
        offered = 0
        while offered < seconds * PER_SECOND:
            save(register, instruction(uuid4()))
            offered += 1
            time.sleep(max(0.0, began + offered / PER_SECOND - time.monotonic()))
        wait_until(lambda: len(found) >= offered, what="all have arrived")
        stop.set()
        consumer.join()
    committed = {
        row["notification_id"]: row["recorded_at"].timestamp()
        for row in database.fetch("SELECT notification_id, recorded_at FROM trettio.log")
    }
    return [at - committed[position] for position, at in found.items()]


@contextmanager
def publisher_of(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    assert settings.database_url is not None
    process = subprocess.Popen(
        [Path(sys.executable).with_name("trettio"), "publish", "--only-publish"],
        env={
            "PATH": os.environ.get("PATH", ""),
            "PYTHONPATH": str(ROOT),
            "TRETTIO_HOME": str(settings.home),
            "TRETTIO_DATABASE_URL": settings.database_url.get_secret_value(),
            "TRETTIO_KAFKA": str(settings.kafka),
        },
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


@contextmanager
def consuming(running: Broker) -> Iterator[KafkaConsumer]:
    consumer = KafkaConsumer(**running.client, group_id=None, enable_auto_commit=False)
    try:
        consumer.assign([TopicPartition(INSTRUCTIONS, number) for number in range(PARTITIONS)])
        yield consumer
    finally:
        consumer.close(autocommit=False)


def ends_of(running: Broker) -> dict[TopicPartition, int]:
    with consuming(running) as consumer:
        ends: dict[TopicPartition, int] = consumer.end_offsets(list(consumer.assignment()))
        return ends


def between(
    running: Broker, begins: dict[TopicPartition, int], ends: dict[TopicPartition, int]
) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of what was published meanwhile."""
    with consuming(running) as consumer:
        for partition, begin in begins.items():
            consumer.seek(partition, begin)
        while any(consumer.position(one) < end for one, end in ends.items()):
            for records in consumer.poll(timeout_ms=200).values():
                yield from ((record.key, record.value) for record in records)
