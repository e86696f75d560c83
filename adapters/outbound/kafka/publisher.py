"""The publisher: a follower of the log whose read model is what Kafka has.

At least once and in order: the position moves only when all up to it was acknowledged, and what was
sent before a crash is found in the topics. An event that cannot be published stops it, visibly: to
pass it by would break the order of its request, and nobody would be told.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from adapters.outbound.kafka.facts import Facts, Telling
from adapters.outbound.kafka.position import PublishedUpTo, Trouble
from adapters.outbound.kafka.sender import NotSent, Sender
from services.follower import Recorded

BATCH = 2_000

log = structlog.get_logger()


class Publisher:
    """Keeps `services.follower.View`; any number may run, and one of them publishes."""

    name = "kafka"

    def __init__(self, row: PublishedUpTo, facts: Facts, sender: Sender) -> None:
        self._row, self._facts, self._sender = row, facts, sender
        self._position: int | None = None
        self._said: tuple[Trouble, int | None] | None = None

    def position(self) -> int:
        if self._position is None:
            self._position = self._row.read()
        return self._position

    def take(self, events: Sequence[Recorded], after: int, upto: int) -> bool:
        """Publish what is public in these; False when another publisher has them, or in trouble."""
        self._position = None
        try:
            told = self._publish(events, after, upto)
        except NotSent as error:
            self._stopped(error.trouble, error.reason, after=after)
            return False
        except BaseException:
            # Perhaps it was sent and only not put down: then it will be found in the topics.
            self._sender.drop()
            raise
        if told is None:
            return False
        if told.poison is not None:
            self._stopped(Trouble.UNREADABLE, told.reason, at=told.poison)
            return False
        self._position = upto
        self._goes_on()
        return True

    def close(self) -> None:
        self._sender.drop()

    def _publish(self, events: Sequence[Recorded], after: int, upto: int) -> Telling | None:
        self._sender.connect()
        with self._row.held(after) as connection:
            if connection is None:
                return None
            telling = self._facts.of(events)
            self._sender.send(telling, after=after)
            last = upto if telling.poison is None else telling.poison - 1
            if last > after:
                self._row.move(connection, last, telling.count)
        return telling

    def _stopped(
        self, trouble: Trouble, reason: str, *, after: int | None = None, at: int | None = None
    ) -> None:
        self._row.say(trouble, after=after, at=at)
        if self._said != (trouble, at):
            log.error("publishing_stopped", trouble=trouble.value, reason=reason, position=at)
        self._said = trouble, at

    def _goes_on(self) -> None:
        if self._said is not None:
            log.info("publishing_goes_on")
        self._said = None
