"""The role that publishes: what it needs, and how it goes on when Kafka or the database is away.

It opens and seals nothing, so it needs no master key; a process of its own starts within a second.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from uuid import UUID

import structlog
from eventsourcing.persistence import Mapper

from adapters.at_work import Threads
from adapters.outbound.database import Database
from adapters.outbound.kafka.connection import KafkaAway, KafkaNotUsable, options
from adapters.outbound.kafka.facts import Facts
from adapters.outbound.kafka.position import PublishedUpTo, Trouble
from adapters.outbound.kafka.publisher import BATCH, Publisher
from adapters.outbound.kafka.sender import Sender
from adapters.outbound.kafka.topics import PUBLISHED, check_topics
from adapters.outbound.log_source import Decoder, LogSource
from adapters.outbound.recorder import LogReader
from adapters.outbound.taught import teach
from adapters.settings import Settings
from services.follower import AnotherLog, Follower
from services.register import EventTranscoder

RETRY_SECONDS = 3.0

log = structlog.get_logger()


class Publishing:
    """Carries the log to Kafka in one thread, for as long as it is let."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings, self._database = settings, database
        self._said: str | None = None

    def check(self) -> PublishedUpTo:
        """Raises `AnotherLog` or `KafkaNotUsable` with what to do before anything is published."""
        row = PublishedUpTo(self._database, Publisher.name)
        row.begin()
        try:
            check_topics(self._settings)
        except KafkaAway:
            row.say(Trouble.KAFKA_AWAY)
            raise
        except KafkaNotUsable:
            row.say(Trouble.TOPICS_NOT_USABLE)
            raise
        row.can_begin()
        return row

    def follower(self) -> tuple[Follower, Publisher]:
        """Ready to follow; raises what `check` raises."""
        row = self.check()
        transcoder = EventTranscoder()
        teach(transcoder)
        mapper: Mapper[UUID] = Mapper(transcoder)
        facts = Facts(self._database, row.incarnation, Decoder(mapper))
        sender = Sender(options(self._settings), PUBLISHED, at_most=BATCH)
        publisher = Publisher(row, facts, sender)
        source = LogSource(LogReader(self._database), mapper)
        return Follower(source, [publisher], batch=BATCH), publisher

    def run(self, stop: Event) -> None:
        """Publish until told to stop; raises `AnotherLog` when the log is replaced meanwhile."""
        while not stop.is_set():
            try:
                follower, publisher = self.follower()
            except (AnotherLog, KafkaNotUsable) as error:
                self._say(str(error))
                stop.wait(RETRY_SECONDS)
                continue
            except Exception:  # the database may be away; positions did not move
                log.exception("publishing_stumbled")
                stop.wait(RETRY_SECONDS)
                continue
            try:
                follower.run(stop)
            finally:
                publisher.close()

    def _say(self, reason: str) -> None:
        if self._said != reason:
            log.error("publishing_cannot_begin", reason=reason)
        self._said = reason


@contextmanager
def publishing_alone(settings: Settings, database: Database) -> Iterator[None]:
    """A process that does nothing else."""
    threads = Threads()
    threads.add_follower("publisher", Publishing(settings, database).run)
    with threads.at_work(database, ["publish"], master_keys=lambda: ()):
        yield


def follow_restored(database: Database) -> None:
    """Let publishing go on in a log that came from a backup."""
    PublishedUpTo(database, Publisher.name).follow_restored()
