"""Sends messages and waits until Kafka has acknowledged every one of them.

The producer is idempotent and asks all replicas, so each partition has our messages in order and
without a gap, whatever is lost on the way. What it cannot know is what an earlier producer had sent
when it was killed: so each begins by reading the end of every partition, and leaves out what is
there. Where that may not be read everything is sent again, which is harmless: ids do not change.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import orjson
import structlog

from adapters.outbound.kafka.message import HEADERS, Message
from adapters.outbound.kafka.position import Trouble

if TYPE_CHECKING:
    from kafka import KafkaConsumer, KafkaProducer, TopicPartition

DELIVERY_MILLISECONDS = 5_000
"""So long Kafka may take over one batch; the row of the position is held meanwhile."""
LINGER_MILLISECONDS = 50
LOOK_SECONDS = 2.5
BATCH_BYTES = 128 * 1024
"""A hundred instructions of one partition go in one request."""

log = structlog.get_logger()


class NotSent(Exception):
    """Kafka has not acknowledged all of it, and why."""

    def __init__(self, trouble: Trouble, reason: str) -> None:
        super().__init__(reason)
        self.trouble, self.reason = trouble, reason


class Sender:
    """One connection of a publisher to Kafka; after any failure it is made anew."""

    def __init__(self, options: Mapping[str, Any], topics: Sequence[str], *, at_most: int) -> None:
        """`at_most` is how many messages are ever sent before they are acknowledged."""
        self._options, self._topics, self._at_most = options, tuple(topics), at_most
        self._producer: KafkaProducer | None = None
        self._there: set[str] | None = None

    def connect(self) -> None:
        """Reach Kafka if need be. Nothing has been sent, so nobody need be kept away meanwhile."""
        if self._producer is not None:
            return
        from kafka import KafkaProducer

        with _sending():
            self._producer = KafkaProducer(
                **self._options,
                acks="all",
                enable_idempotence=True,
                delivery_timeout_ms=DELIVERY_MILLISECONDS,
                request_timeout_ms=DELIVERY_MILLISECONDS - 500,
                max_block_ms=DELIVERY_MILLISECONDS,
                batch_size=BATCH_BYTES,
                # Large requests cost least; the end of what there is to send is never waited for.
                linger_ms=LINGER_MILLISECONDS,
                allow_auto_create_topics=False,
                metrics_enabled=False,
            )

    def send(self, messages: Iterable[Message], *, after: int) -> None:
        """Send what is not there yet, and wait until Kafka has it.

        Nobody else may be publishing. `after` is the position up to which all was acknowledged.
        """
        assert self._producer is not None, "connect first"
        try:
            with _sending():
                if self._there is None:
                    self._there = self._already_there(after)
                there = self._there
                new = (one for one in messages if one.id not in there) if there else messages
                self._send(self._producer, new)
        except BaseException:
            self.drop()
            raise

    def drop(self) -> None:
        """Forget the connection: what became of what was under way is looked up the next time."""
        producer, self._producer, self._there = self._producer, None, None
        if producer is not None:
            with suppress(Exception):
                producer.close(timeout=0)

    def _send(self, producer: KafkaProducer, messages: Iterable[Message]) -> None:
        sent = [producer.send(m.topic, m.value, m.key, HEADERS) for m in messages]
        producer.flush(timeout=DELIVERY_MILLISECONDS / 1000 + 1)
        for future in sent:
            if not future.succeeded():
                raise future.exception or TimeoutError

    def _already_there(self, after: int) -> set[str]:
        """The ids of messages beyond a position, from the end of every partition."""
        from kafka.errors import AuthorizationError

        try:
            with self._reader() as reader:
                return set(self._beyond(reader, after))
        except AuthorizationError:
            log.warning("topics_not_readable", hint="what may be there already is sent again")
            return set()

    @contextmanager
    def _reader(self) -> Iterator[KafkaConsumer]:
        from kafka import KafkaConsumer

        reader = KafkaConsumer(
            **self._options,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            allow_auto_create_topics=False,
            metrics_enabled=False,
        )
        try:
            yield reader
        finally:
            reader.close(autocommit=False, timeout_ms=500)

    def _beyond(self, reader: KafkaConsumer, after: int) -> Iterator[str]:
        partitions = self._partitions()
        milliseconds = int(LOOK_SECONDS * 1000)
        ends = reader.end_offsets(partitions, timeout_ms=milliseconds)
        begins = reader.beginning_offsets(partitions, timeout_ms=milliseconds)
        open_ones = [one for one in partitions if ends[one] > begins[one]]
        if not open_ones:
            return
        reader.assign(open_ones)
        for one in open_ones:
            # Twice what can be under way: what was sent again lies there twice.
            reader.seek(one, max(begins[one], ends[one] - 2 * self._at_most))
        deadline = time.monotonic() + LOOK_SECONDS
        while any(reader.position(one) < ends[one] for one in open_ones):
            if time.monotonic() > deadline:
                raise NotSent(Trouble.KAFKA_AWAY, "the ends of the topics were not read in time")
            for records in reader.poll(timeout_ms=200).values():
                for record in records:
                    told = _told(record.value)
                    if told is not None and told[1] > after:
                        yield told[0]

    def _partitions(self) -> list[TopicPartition]:
        from kafka import TopicPartition

        assert self._producer is not None
        return [
            TopicPartition(topic, number)
            for topic in self._topics
            for number in sorted(self._producer.partitions_for(topic))
        ]


@contextmanager
def _sending() -> Iterator[None]:
    from kafka.errors import AuthorizationError, KafkaError

    try:
        yield
    except AuthorizationError as error:
        raise NotSent(Trouble.NOT_ALLOWED, type(error).__name__) from error
    except (KafkaError, OSError) as error:
        raise NotSent(Trouble.KAFKA_AWAY, type(error).__name__) from error


def _told(value: bytes | None) -> tuple[str, int] | None:
    """Id and position of a message, if it is one of ours."""
    try:
        said = orjson.loads(value or b"")
        return str(said["id"]), int(said["logposition"])
    except (ValueError, KeyError, TypeError):
        return None
