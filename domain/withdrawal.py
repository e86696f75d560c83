"""Withdrawal: consent taken back, purpose by purpose, from its receipt on (Art. 7(3); AK-08).

It does not touch what was lawful before, and cancels no contract (AO-17).
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid5

from eventsourcing.domain import event

from domain.aggregate import Aggregate, AggregateCreated
from domain.errors import DomainError


class Withdrawal(Aggregate):
    TOPIC = "withdrawal"

    # Events

    class Event(Aggregate.Event):
        pass

    class Made(Event, AggregateCreated):
        TOPIC = "withdrawal.made"
        request_id: UUID
        case_id: UUID
        controller: str
        purposes: tuple[str, ...]
        effective_at: datetime

    # State

    @event(Made)
    def __init__(
        self,
        request_id: UUID,
        case_id: UUID,
        controller: str,
        purposes: tuple[str, ...],
        effective_at: datetime,
        timestamp: datetime,
    ) -> None:
        self.recorded_at = timestamp
        self.request_id, self.case_id, self.controller = request_id, case_id, controller
        self.purposes, self.effective_at = purposes, effective_at

    @staticmethod
    def create_id(request_id: UUID) -> UUID:
        return withdrawal_id(request_id)

    @classmethod
    def may_begin(cls, facts: dict[str, Any]) -> None:
        if facts["effective_at"] > facts["timestamp"]:
            raise DomainError("a consent is not withdrawn later than now: check the receipt")


@lru_cache(maxsize=4_096)
def withdrawal_id(request_id: UUID) -> UUID:
    return uuid5(request_id, "withdrawal")
