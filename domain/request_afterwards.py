"""What may follow an answer: an archive, and the end of its content (Art. 5(1)(e), 89)."""

from __future__ import annotations

from datetime import datetime

from domain.errors import NotAllowedNow
from domain.personal import PersonalRef
from domain.request_state import Event, RequestState, Status
from domain.staff import named
from domain.vocabulary import Compartment, Decision, Outcome


class SuppressedAgain(Event):
    """Somebody had imported the person anew; marketing was stopped again (GK-15)."""

    TOPIC = "request.suppressed-again"
    system: str


class HandedToArchive(Event):
    TOPIC = "request.handed-to-archive"
    receipt: PersonalRef
    by: str

    def apply(self, aggregate: RequestAfterwards) -> None:
        aggregate.archived = True


class ContentDestroyed(Event):
    TOPIC = "request.content-destroyed"
    compartment: Compartment

    def apply(self, aggregate: RequestAfterwards) -> None:
        aggregate.destroyed = aggregate.destroyed | {self.compartment}


class Ended(Event):
    TOPIC = "request.ended"

    def apply(self, aggregate: RequestAfterwards) -> None:
        aggregate.ended = True


class RequestAfterwards(RequestState):
    @property
    def still_kept(self) -> frozenset[Compartment]:
        """The compartments of the vault that still hold something of this request."""
        kept = {Compartment.UPLOAD, Compartment.PACKAGE, Compartment.CORRESPONDENCE}
        if any(d.decision is Decision.KEEP for d in self.decisions.values()) or any(
            outcome.outcome is Outcome.KEPT for outcome in self.outcomes
        ):
            kept.add(Compartment.HOLD)
        return frozenset(kept - self.destroyed)

    # Commands

    def suppress_again(self, *, system: str, at: datetime) -> None:
        self.trigger_event(SuppressedAgain, system=system, timestamp=at)

    def hand_to_archive(self, *, receipt: PersonalRef, by: str, at: datetime) -> None:
        self._require(Status.CLOSED)
        if not self.archived:
            self.trigger_event(HandedToArchive, receipt=receipt, by=named(by), timestamp=at)

    def destroy_content(self, *, compartment: Compartment, at: datetime) -> None:
        """Record that a compartment of the vault is gone; the facts here stay readable."""
        self._require(Status.CLOSED)
        if self.archive_first and not self.archived:
            raise NotAllowedNow(f"request {self.id} goes to the archive before anything of it goes")
        if compartment not in self.destroyed:
            self.trigger_event(ContentDestroyed, compartment=compartment, timestamp=at)

    def end(self, *, at: datetime) -> None:
        """Nothing left to do or to keep."""
        self._require(Status.CLOSED)
        if self.still_kept:
            words = ", ".join(sorted(compartment.value for compartment in self.still_kept))
            raise NotAllowedNow(f"request {self.id} still has content to destroy: {words}")
        if not self.ended:
            self.trigger_event(Ended, timestamp=at)
