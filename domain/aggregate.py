"""The base of every aggregate: its events have names and topics of their own choosing."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from eventsourcing.domain import AggregateCreated as AggregateCreated
from eventsourcing.domain import AggregateEvent, BaseAggregate


class Aggregate(BaseAggregate[UUID]):
    """State that changes only through events; commands decide, events record."""

    class Event(AggregateEvent):
        pass


def aware(at: datetime) -> datetime:
    """Refuse an instant without a zone before it gets into an event."""
    if at.tzinfo is None:
        raise ValueError("an instant needs a zone: pass an aware datetime")
    return at
