"""The log as followers read it: in order, without gaps, each event decoded once for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import structlog
from eventsourcing.persistence import Mapper, Notification

from adapters.outbound.recorder import LogReader
from projections.projection import Recorded

log = structlog.get_logger()


class LogSource:
    """Keeps `services.follower.Log` over a `LogReader`; like it, one serves one thread."""

    def __init__(self, reader: LogReader, mapper: Mapper[UUID]) -> None:
        self._reader, self._mapper = reader, mapper

    def read(self, after: int, limit: int) -> tuple[Sequence[Recorded], int]:
        batch = self._reader.read(after, limit)
        return [self._recorded(one) for one in batch.notifications], batch.position

    def _recorded(self, one: Notification) -> Recorded:
        assert isinstance(one.originator_id, UUID)
        return Recorded(
            one.id, one.originator_id, one.originator_version, one.topic, self._decoded(one)
        )

    def _decoded(self, one: Notification) -> Any:
        try:
            return self._mapper.to_domain_event(one)
        except Exception as error:  # whatever is wrong with one event must not stop the others
            log.warning(
                "event_unreadable", position=one.id, topic=one.topic, error=type(error).__name__
            )
            return None
