"""Reads what connected systems answer, as one of a group that shares the partitions.

Where to read on is what PostgreSQL says, not Kafka: offsets are committed there afterwards, for
Kafka's own tools alone.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Event
from typing import TYPE_CHECKING, Any

import psycopg
import structlog

from adapters.contract.messages import RECEIPTS
from adapters.inbound.kafka.positions import ReceiptPositions
from adapters.inbound.kafka.taking import MovedByAnother, Place, Taking, TryLater
from adapters.outbound.kafka.connection import KafkaNotUsable, options, reaching
from adapters.outbound.kafka.topics import check_topics

if TYPE_CHECKING:
    from kafka import KafkaConsumer, TopicPartition

    from adapters.bootstrap import Installation

SESSION_MILLISECONDS = 10_000
"""So long a reader that was killed keeps its partitions from the others."""
POLL_MILLISECONDS = 500
AT_ONCE = 200
LATER_SECONDS = 1.0
RETRY_SECONDS = 3.0
TELL_SECONDS = 5.0

log = structlog.get_logger()


class ReceiptReader:
    """One reader of the group, in one thread."""

    def __init__(self, installation: Installation) -> None:
        self._settings, self._database = installation.settings, installation.database
        self._register, self._instructions = installation.register, installation.instructions
        self._said: str | None = None

    def run(self, stop: Event) -> None:
        """Read until told to stop; what is away is waited for."""
        while not stop.is_set():
            positions: ReceiptPositions | None = None
            try:
                topic_id = check_topics(self._settings)[RECEIPTS]
                positions = ReceiptPositions(self._database, RECEIPTS, topic_id)
                taking = Taking(self._database, self._register, self._instructions, positions)
                with reaching(self._settings), self._consumer() as consumer:
                    self._say(None, positions)
                    _Reading(consumer, positions, taking).run(stop)
            except KafkaNotUsable as error:
                self._say(str(error), positions)
            except (psycopg.Error, TryLater):
                log.warning("receipts_wait_for_the_database")
            except Exception:  # a receipt is never lost by that: it is read again
                log.exception("receipts_stumbled")
            stop.wait(RETRY_SECONDS)

    def _say(self, reason: str | None, positions: ReceiptPositions | None) -> None:
        if positions is not None:
            positions.say("kafka-away" if reason else None)
        if reason is not None and reason != self._said:
            log.error("receipts_cannot_be_read", reason=reason)
        self._said = reason

    @contextmanager
    def _consumer(self) -> Iterator[KafkaConsumer]:
        from kafka import KafkaConsumer

        consumer = KafkaConsumer(
            **options(self._settings),
            group_id=self._settings.kafka_group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            allow_auto_create_topics=False,
            session_timeout_ms=SESSION_MILLISECONDS,
            max_poll_records=AT_ONCE,
            metrics_enabled=False,
        )
        try:
            yield consumer
        finally:
            with suppress(Exception):
                consumer.close(autocommit=False, timeout_ms=2_000)


class _Reading:
    """What one connection to Kafka has been given to read, and how far it is there."""

    def __init__(
        self, consumer: KafkaConsumer, positions: ReceiptPositions, taking: Taking
    ) -> None:
        from kafka import ConsumerRebalanceListener

        at: dict[TopicPartition, int] = {}

        class Forgetting(ConsumerRebalanceListener):  # type: ignore[misc]  # kafka has no types
            """What comes back after a rebalance is asked of PostgreSQL anew."""

            def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
                for one in revoked:
                    at.pop(one, None)

            def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
                self.on_partitions_revoked(assigned)

            def on_partitions_lost(self, lost: Sequence[TopicPartition]) -> None:
                self.on_partitions_revoked(lost)

        self._consumer, self._positions, self._taking = consumer, positions, taking
        self._at, self._told_at = at, time.monotonic()
        consumer.subscribe([RECEIPTS], listener=Forgetting())

    def run(self, stop: Event) -> None:
        while not stop.is_set():
            for partition, records in self._consumer.poll(timeout_ms=POLL_MILLISECONDS).items():
                try:
                    self._take(partition, records, stop)
                except MovedByAnother:
                    self._at.pop(partition, None)
                except TryLater as error:
                    log.warning("receipt_waits", reason=str(error))
                    self._again(partition)
                    stop.wait(LATER_SECONDS)
            if time.monotonic() - self._told_at > TELL_SECONDS:
                self._tell()

    def _take(self, partition: TopicPartition, records: Sequence[Any], stop: Event) -> None:
        if partition not in self._at:
            self._begin(partition)
            return
        end = self._consumer.highwater(partition) or 0
        for record in records:
            if stop.is_set():
                return
            after = self._at.get(partition)
            if after is None:  # it was taken away from us meanwhile
                return
            if record.offset < after:
                continue
            place = Place(partition.partition, record.offset, after, end)
            self._taking.take(place, record.value)
            if partition in self._at:
                self._at[partition] = record.offset + 1

    def _begin(self, partition: TopicPartition) -> None:
        """Go where PostgreSQL says that we are; what was read before we knew is read again."""
        first = self._consumer.beginning_offsets([partition])[partition]
        end = self._consumer.end_offsets([partition])[partition]
        position = self._positions.begin(partition.partition, first=first, end=end)
        self._consumer.seek(partition, position)
        self._at[partition] = position

    def _again(self, partition: TopicPartition) -> None:
        position = self._at.get(partition)
        if position is not None and partition in self._consumer.assignment():
            self._consumer.seek(partition, position)

    def _tell(self) -> None:
        """Say how far we are: to whoever looks at the table, and to Kafka's own tools."""
        from kafka import OffsetAndMetadata

        self._told_at = time.monotonic()
        for partition in self._at:
            end = self._consumer.highwater(partition)
            if end is not None:
                self._positions.ends(partition.partition, end)
        offsets = {one: OffsetAndMetadata(at, "", -1) for one, at in self._at.items()}
        if offsets:
            with suppress(Exception):  # only told; nothing here reads it
                self._consumer.commit_async(offsets)
