"""Controller: which profile was in force when, and what was decided about its findings.

Promise, deadlines and grounds follow the profile in force at receipt; systems, recipients,
contacts and letter texts the one in force when the step is taken (AK-27, AO-20).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import lru_cache
from hashlib import sha256
from uuid import UUID, uuid5

from eventsourcing.domain import event

from domain.aggregate import Aggregate, AggregateCreated
from domain.errors import DomainError, NotAllowedNow
from domain.personal import PersonalRef
from domain.staff import human, named

NAMESPACE = UUID("3a5d3f7e-7b0e-4f0c-8f31-0d1b6f0f7a52")


class FindingAnswer(Enum):
    """What a controller answers to a finding; its words lie in the vault."""

    DECIDED = "decided"
    LAW_PREVAILS = "law-prevails"
    POLICY_WILL_CHANGE = "policy-will-change"
    POLICY_IS_RIGHT = "policy-is-right"
    ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class DecidedFinding:
    """A decision about a finding. `about` is a digest of what was asked; none was kept at first.

    `answer` is a code, or what somebody wrote before there were codes.
    """

    answer: str
    words: PersonalRef | None
    profile: str
    about: str
    by: str
    at: datetime


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
            aggregate.adoptions = (*aggregate.adoptions, (self.timestamp, self.digest))

    class FindingDecided(Event):
        TOPIC = "controller.finding-decided"
        code: str
        decision: str
        by: str
        profile: str = ""
        words: PersonalRef | None = None
        about: str = ""

        def apply(self, aggregate: Controller) -> None:
            decided = DecidedFinding(
                self.decision, self.words, self.profile, self.about, self.by, self.timestamp
            )
            aggregate.decided = {**aggregate.decided, self.code: decided}

    # State

    @event(Registered)
    def __init__(self, name: str, timestamp: datetime) -> None:
        self.name, self.registered_at = name, timestamp
        self.documents: dict[str, str] = {}
        self.in_force: str | None = None
        self.adoptions: tuple[tuple[datetime, str], ...] = ()
        self.decided: dict[str, DecidedFinding] = {}

    @staticmethod
    def create_id(name: str) -> UUID:
        return controller_id(name)

    def in_force_at(self, moment: datetime) -> str | None:
        """The profile that was in force at a moment; for what came before all of them, the first.

        What a policy promised when somebody wrote is what they may rely on (AK-27, AO-20).
        """
        then = [digest for adopted_at, digest in self.adoptions if adopted_at <= moment]
        return then[-1] if then else next((digest for _, digest in self.adoptions), None)

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

    def decide_finding(
        self,
        *,
        code: str,
        answer: FindingAnswer,
        words: PersonalRef,
        about: str,
        by: str,
        at: datetime,
    ) -> None:
        """What the controller says about a finding of the profile in force, and who said it."""
        if self.in_force is None:
            raise NotAllowedNow("no profile is in force: adopt one first")
        self.trigger_event(
            self.FindingDecided,
            code=code,
            decision=answer.value,
            words=words,
            about=about,
            by=human(by),
            profile=self.in_force,
            timestamp=at,
        )


@lru_cache
def controller_id(name: str) -> UUID:
    return uuid5(NAMESPACE, name)
