"""Replay: erasures that a restored system is told of again, so that they hold (Art. 17(1), 5(2)).

Nothing newer than an erasure is touched: a person who came back stays. Every step is an event, so
that a replay that was cut off goes on, and that it can be shown what came of it.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from eventsourcing.domain import event

from domain.aggregate import Aggregate, AggregateCreated
from domain.errors import DomainError, NotAllowedNow
from domain.personal import code
from domain.staff import human, named


class Replay(Aggregate):
    TOPIC = "replay"

    # Events

    class Event(Aggregate.Event):
        pass

    class Begun(Event, AggregateCreated):
        TOPIC = "replay.begun"
        controller: str
        system: str
        since: date
        erasures: int
        by: str
        reason: str

    class Told(Event):
        """The system was told of all of them; it answers as it does."""

        TOPIC = "replay.told"
        count: int

        def apply(self, aggregate: Replay) -> None:
            aggregate.told, aggregate.finished_at = self.count, self.timestamp

    class Repeated(Event):
        """One erasure was repeated here; `spared` is newer than it, `kept` stays by law."""

        TOPIC = "replay.repeated"
        erasure: UUID
        erased: int
        spared: int
        kept: int

        def apply(self, aggregate: Replay) -> None:
            aggregate.repeated = aggregate.repeated | {self.erasure}
            aggregate.erased += self.erased
            aggregate.spared += self.spared
            aggregate.kept += self.kept

    class PersonNeeded(Event):
        """What no machine can tell or do here; somebody repeats it by hand, and says so."""

        TOPIC = "replay.person-needed"
        reason: str
        count: int

        def apply(self, aggregate: Replay) -> None:
            aggregate.waits_for = self.reason
            aggregate.waiting = self.count

    class Done(Event):
        """Everything that the system lists was looked through, or somebody has seen to it."""

        TOPIC = "replay.done"
        looked_at: int
        by: str | None = None

        def apply(self, aggregate: Replay) -> None:
            aggregate.looked_at = max(aggregate.looked_at, self.looked_at)
            aggregate.finished_at, aggregate.waits_for = self.timestamp, None
            aggregate.settled_by = self.by

    # State

    @event(Begun)
    def __init__(
        self,
        controller: str,
        system: str,
        since: date,
        erasures: int,
        by: str,
        reason: str,
        timestamp: datetime,
    ) -> None:
        self.controller, self.system, self.since = controller, system, since
        self.erasures, self.by, self.reason = erasures, by, reason
        self.begun_at = timestamp
        self.told = 0
        self.repeated: frozenset[UUID] = frozenset()
        self.erased, self.spared, self.kept = 0, 0, 0
        self.waits_for: str | None = None
        self.waiting = 0
        self.looked_at = 0
        self.finished_at: datetime | None = None
        self.settled_by: str | None = None

    @staticmethod
    def create_id() -> UUID:
        """The same backup may be put back twice."""
        return uuid4()

    @classmethod
    def may_begin(cls, facts: dict[str, Any]) -> None:
        named(facts["controller"])
        named(facts["system"])
        human(facts["by"])
        code(facts["reason"])
        if facts["since"] > facts["timestamp"].date():
            raise DomainError(
                "the day of the backup has not come: name the day that it was made on"
            )

    # Commands

    def tell(self, *, count: int, at: datetime) -> None:
        """Once: the same replay tells nothing twice."""
        if self.finished_at is None:
            self.trigger_event(self.Told, count=count, timestamp=at)

    def repeat(self, *, erasure: UUID, erased: int, spared: int, kept: int, at: datetime) -> None:
        if erasure not in self.repeated:
            self.trigger_event(
                self.Repeated,
                erasure=erasure,
                erased=erased,
                spared=spared,
                kept=kept,
                timestamp=at,
            )

    def ask_person(self, *, reason: str, count: int, at: datetime) -> None:
        if self.waits_for != reason or self.waiting != count:
            self.trigger_event(self.PersonNeeded, reason=code(reason), count=count, timestamp=at)

    def finish(self, *, looked_at: int, at: datetime) -> None:
        if self.finished_at is None and self.waits_for is None:
            self.trigger_event(self.Done, looked_at=looked_at, timestamp=at)

    def settle(self, *, by: str, at: datetime) -> None:
        """Somebody has repeated by hand what no machine could."""
        if self.waits_for is None:
            raise NotAllowedNow("this replay waits for nobody")
        self.trigger_event(self.Done, looked_at=self.looked_at, by=human(by), timestamp=at)
