"""A log as large as wanted, from a random history of a few thousand events told again and again.

Every repetition has ids of its own, so its cases are other cases; what refers to what stays.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from uuid import UUID

import psycopg
from eventsourcing.persistence import Mapper, StoredEvent

from domain.aggregate import Aggregate
from domain.fulfilment import Fulfilment, fulfilment_id
from domain.refusal import Refusal
from domain.vocabulary import Country
from tests.support.histories import CONTROLLERS, History

BASE_EVENTS = 20_000
_ID = re.compile(rb'(?:(?<="uuid_hex","_data_":")|(?<="personal-ref","_data_":"))[0-9a-f]{32}')
_DERIVED: dict[str, Callable[[UUID], UUID]] = {
    Fulfilment.Planned.TOPIC: fulfilment_id,
    Refusal.Proposed.TOPIC: Refusal.create_id,
}
"""What begins with these has an id that follows from that of its request."""


class Population:
    """Writes events straight into the log, ever more of them."""

    def __init__(
        self,
        url: str,
        mapper: Mapper[UUID],
        *,
        base: int = BASE_EVENTS,
        controllers: Mapping[str, Country] = CONTROLLERS,
    ) -> None:
        self._url, self.base, self._told = url, _history(mapper, base, controllers), 0
        self.requests = 0

    def tell(self, events: int) -> int:
        """Add at least so many events; answers how many."""
        told = 0
        with psycopg.connect(self._url, autocommit=True) as connection:
            while told < events:
                self._told += 1
                with connection.cursor().copy(
                    "COPY trettio.log (originator_id, originator_version, topic, state)"
                    " FROM STDIN (FORMAT BINARY)"
                ) as copy:
                    copy.set_types(["uuid", "bigint", "text", "bytea"])
                    for one in again(self.base, self._told):
                        self.requests += one.topic == "request.received"
                        copy.write_row(
                            (one.originator_id, one.originator_version, one.topic, one.state)
                        )
                told += len(self.base)
            connection.execute("VACUUM ANALYZE trettio.log")
        return told


def _history(
    mapper: Mapper[UUID], events: int, controllers: Mapping[str, Country]
) -> list[StoredEvent]:
    stored: list[StoredEvent] = []

    def save(aggregates: Sequence[Aggregate]) -> None:
        for aggregate in aggregates:
            stored.extend(map(mapper.to_stored_event, aggregate.collect_events()))

    history = History(1, save, controllers)
    while len(stored) < events:
        history.step()
        history.at -= timedelta(minutes=30)  # many cases side by side, as in a busy office
    return stored


def again(base: Sequence[StoredEvent], number: int) -> Iterator[StoredEvent]:
    """The same events about other aggregates."""
    known: dict[bytes, bytes] = {}

    def other(said: bytes) -> bytes:
        if said not in known:
            known[said] = b"%08x" % (number * 0x9E3779B1 & 0xFFFFFFFF) + said[8:]
        return known[said]

    for event in base:
        if event.topic in _DERIVED:
            request = _ID.search(event.state)  # it is named first
            assert request is not None
            own = _DERIVED[event.topic](UUID(other(request[0]).decode()))
            known[event.originator_id.hex.encode()] = own.hex.encode()  # type: ignore[union-attr]
        yield StoredEvent(
            UUID(other(event.originator_id.hex.encode()).decode()),  # type: ignore[union-attr]
            event.originator_version,
            event.topic,
            _ID.sub(lambda found: other(found[0]), event.state),
        )
