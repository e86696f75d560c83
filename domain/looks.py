"""Looks: who of the controller read whose personal data, what of it and what for (Art. 5(2), 29).

Ids and codes only: never what was seen. One look an hour for each member of staff, purpose, way and
kind of thing: a page that is loaded again tells nothing new.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid5

from eventsourcing.domain import event

from domain.aggregate import Aggregate, AggregateCreated
from domain.staff import named
from domain.vocabulary import Content, Door, Purpose

SAME_LOOK = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Look:
    """One look, as it is accounted for."""

    staff_id: str
    what: tuple[Content, ...]
    purpose: Purpose
    way: Door
    at: datetime


class Looks(Aggregate):
    """Every look at what belongs to one case, or to one controller as a whole."""

    TOPIC = "looks"

    # Events

    class Event(Aggregate.Event):
        pass

    class Begun(Event, AggregateCreated):
        TOPIC = "looks.begun"
        subject_id: UUID
        controller: str

    class Shown(Event):
        TOPIC = "looks.shown"
        by: str
        what: tuple[Content, ...]
        purpose: Purpose
        way: Door

        def apply(self, aggregate: Looks) -> None:
            look = Look(self.by, tuple(self.what), self.purpose, self.way, self.timestamp)
            aggregate.looks = (*aggregate.looks, look)

    # State

    @event(Begun)
    def __init__(self, subject_id: UUID, controller: str, timestamp: datetime) -> None:
        self.begun_at = timestamp
        self.subject_id, self.controller = subject_id, controller
        self.looks: tuple[Look, ...] = ()

    @staticmethod
    def create_id(subject_id: UUID) -> UUID:
        return looks_id(subject_id)

    @classmethod
    def may_begin(cls, facts: dict[str, Any]) -> None:
        named(facts["controller"])

    # Commands

    def show(
        self, what: Collection[Content], *, by: str, purpose: Purpose, way: Door, at: datetime
    ) -> None:
        """Record what is about to be shown, as far as it was not a moment ago."""
        known = {
            one
            for look in self.looks
            if (look.staff_id, look.purpose, look.way) == (by, purpose, way)
            and look.at <= at < look.at + SAME_LOOK
            for one in look.what
        }
        new = tuple(one for one in Content if one in what and one not in known)
        if new:
            self.trigger_event(
                self.Shown, by=named(by), what=new, purpose=purpose, way=way, timestamp=at
            )


@lru_cache(maxsize=4_096)
def looks_id(subject_id: UUID) -> UUID:
    return uuid5(subject_id, "looks")
