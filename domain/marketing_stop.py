"""Marketing stopped with one click, without a case (Art. 7(3), 21(3); RFC 8058, GK-18).

Whoever clicks in a mail proves nothing and is asked nothing: every system that sends marketing
stops, the same day. Where one cannot do that by itself, a person finds it in the inbox.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from eventsourcing.domain import event

from domain.aggregate import Aggregate, AggregateCreated
from domain.vocabulary import Outcome


class MarketingStop(Aggregate):
    TOPIC = "marketing-stop"

    # Events

    class Event(Aggregate.Event):
        pass

    class Asked(Event, AggregateCreated):
        TOPIC = "marketing-stop.asked"
        controller: str
        systems: tuple[str, ...]

    class SystemStopped(Event):
        TOPIC = "marketing-stop.system-stopped"
        system: str
        outcome: Outcome

        def apply(self, aggregate: MarketingStop) -> None:
            aggregate.stopped = {**aggregate.stopped, self.system: self.outcome}

    class HandedOver(Event):
        TOPIC = "marketing-stop.handed-over"
        case_id: UUID
        reason: str

        def apply(self, aggregate: MarketingStop) -> None:
            aggregate.case_id = self.case_id

    class StoppedAgain(Event):
        TOPIC = "marketing-stop.stopped-again"
        system: str

    # State

    @event(Asked)
    def __init__(
        self,
        id: UUID,  # noqa: A002 (the library's name)
        controller: str,
        systems: tuple[str, ...],
        timestamp: datetime,
    ) -> None:
        self.controller, self.systems, self.asked_at = controller, systems, timestamp
        self.stopped: dict[str, Outcome] = {}
        self.case_id: UUID | None = None

    @property
    def is_done(self) -> bool:
        """Every system has stopped, or a person sees to it in a case."""
        return self.case_id is not None or set(self.systems) <= set(self.stopped)

    # Commands

    def stop_at(self, *, system: str, outcome: Outcome, at: datetime) -> None:
        """A system stopped; that it did so again says nothing new."""
        if system not in self.stopped:
            self.trigger_event(self.SystemStopped, system=system, outcome=outcome, timestamp=at)

    def hand_over(self, *, case_id: UUID, reason: str, at: datetime) -> None:
        """A person sees to the rest; one case is enough for that."""
        if self.case_id is None:
            self.trigger_event(self.HandedOver, case_id=case_id, reason=reason, timestamp=at)

    def stop_again(self, *, system: str, at: datetime) -> None:
        """They had been imported anew, and were stopped anew (GK-15)."""
        self.trigger_event(self.StoppedAgain, system=system, timestamp=at)
