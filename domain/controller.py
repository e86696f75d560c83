"""Controller: which profile was in force when, and what was decided about its findings.

Promise, deadlines and grounds follow the profile in force at receipt; systems, recipients,
contacts and letter texts the one in force when the step is taken (AK-27, AO-20).
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from uuid import UUID, uuid5

from eventsourcing.domain import event

from domain.aggregate import Aggregate, AggregateCreated
from domain.errors import DomainError, NotAllowedNow
from domain.staff import human, named

NAMESPACE = UUID("3a5d3f7e-7b0e-4f0c-8f31-0d1b6f0f7a52")


class Controller(Aggregate):
    TOPIC = "controller"

    # Events

    class Event(Aggregate.Event):
        pass

    class Registered(Event, AggregateCreated):
        TOPIC = "controller.registered"
        name: str

    class ProfileAdopted(Event):
        TOPIC = "controller.profile-adopted"
        version: str
        digest: str
        document: str
        by: str

        def apply(self, aggregate: Controller) -> None:
            aggregate.documents = {**aggregate.documents, self.digest: self.document}
            aggregate.in_force = self.digest

    class FindingDecided(Event):
        TOPIC = "controller.finding-decided"
        code: str
        decision: str
        by: str
        profile: str = ""

        def apply(self, aggregate: Controller) -> None:
            aggregate.decided = {**aggregate.decided, self.code: self.decision}

    # State

    @event(Registered)
    def __init__(self, name: str, timestamp: datetime) -> None:
        self.name, self.registered_at = name, timestamp
        self.documents: dict[str, str] = {}
        self.in_force: str | None = None
        self.decided: dict[str, str] = {}

    @staticmethod
    def create_id(name: str) -> UUID:
        return controller_id(name)

    # Commands

    def adopt_profile(
        self, *, version: str, digest: str, document: str, by: str, at: datetime
    ) -> None:
        """Put a profile in force; earlier ones stay readable for the cases under them."""
        if digest != sha256(document.encode()).hexdigest():
            raise DomainError("the digest is not the SHA-256 of this document: compute it anew")
        if digest != self.in_force:
            self.trigger_event(
                self.ProfileAdopted,
                version=version,
                digest=digest,
                document=document,
                by=named(by),
                timestamp=at,
            )

    def decide_finding(self, *, code: str, decision: str, by: str, at: datetime) -> None:
        """What the controller says about a finding of the profile in force, and who said it."""
        if self.in_force is None:
            raise NotAllowedNow("no profile is in force: adopt one first")
        if not decision.strip():
            raise DomainError("a finding is decided in words: say what was decided, and why")
        if self.decided.get(code) != decision:
            self.trigger_event(
                self.FindingDecided,
                code=code,
                decision=decision,
                by=human(by),
                profile=self.in_force,
                timestamp=at,
            )


@lru_cache
def controller_id(name: str) -> UUID:
    return uuid5(NAMESPACE, name)
