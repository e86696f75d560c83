"""The base of every aggregate: events have names and topics of their own, moments have a zone."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from eventsourcing.domain import AggregateCreated as AggregateCreated
from eventsourcing.domain import (
    AggregateEvent,
    BaseAggregate,
    CanInitAggregate,
    CanMutateAggregate,
)

from domain.errors import DomainError


class Aggregate(BaseAggregate[UUID]):
    """State that changes only through events; commands decide, events record."""

    class Event(AggregateEvent):
        pass

    @classmethod
    def may_begin(cls, facts: dict[str, Any]) -> None:
        """The rules for a first event, where there are any; replay does not ask them again."""

    @classmethod
    def _create(
        cls,
        event_class: type[CanInitAggregate[UUID]],
        *,
        id: UUID | None = None,  # noqa: A002 (the library's name)
        **facts: Any,
    ) -> Self:
        _require_instants(facts)
        cls.may_begin(facts)
        return super()._create(event_class, id=id, **facts)

    @property
    def is_unsaved(self) -> bool:
        """Everything that has happened to it is still pending, its beginning too."""
        return len(self.pending_events) == self.version

    def trigger_event(self, event_class: type[CanMutateAggregate[UUID]], **facts: Any) -> None:
        _require_instants(facts)
        super().trigger_event(event_class, **facts)


def _require_instants(facts: dict[str, Any]) -> None:
    # Left out, the library would read a clock; without a zone, nobody could say later which day.
    if facts.get("timestamp") is None:
        raise DomainError("an event needs the moment it happened: pass it")
    for name, value in facts.items():
        if isinstance(value, datetime) and value.utcoffset() is None:
            raise DomainError(f"{name} needs a time zone: give it as, for example, UTC")
