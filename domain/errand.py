"""Errand: what a person without an account was asked to do, by a link (GDPR Art. 19, 24, 28).

An owner of a system or an organiser answers for what is theirs. Who they are is an id: the address
is the profile's, or lies in the vault.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from uuid import UUID, uuid5

from eventsourcing.domain import event

from domain.aggregate import Aggregate, AggregateCreated
from domain.errors import DomainError, NotAllowedNow
from domain.personal import PersonalRef, code
from domain.staff import human
from domain.vocabulary import Action

FIRST_CHASER_DAYS = 5
CHASER_DAYS = 4
CHASERS_BEFORE_ESCALATION = 2


class ErrandAnswer(Enum):
    """What somebody answered through a link."""

    FOUND = "found"
    NOTHING_HELD = "nothing-held"
    DONE = "done"
    KEPT = "kept"


class ErrandEnd(Enum):
    """Why a link opens nothing any more."""

    ANSWERED = "answered"
    ELSEWHERE = "answered-elsewhere"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Sending:
    """One mail with the link: the first, a chaser, or one that a member of staff sent again."""

    at: datetime
    by: str | None


class Errand(Aggregate):
    TOPIC = "errand"

    # Events

    class Event(Aggregate.Event):
        pass

    class Begun(Event, AggregateCreated):
        TOPIC = "errand.begun"
        controller: str
        case_id: UUID
        request_id: UUID
        system: str
        action: Action
        holder: UUID
        number: int
        begun_on: date
        ends_on: date

    class Sent(Event):
        """A mail with the link has left. Chasers are counted, what staff send again is not."""

        TOPIC = "errand.sent"
        number: int
        by: str | None = None

        def apply(self, aggregate: Errand) -> None:
            aggregate.sent = (*aggregate.sent, Sending(self.timestamp, self.by))
            aggregate.chasers = max(aggregate.chasers, self.number)

    class Opened(Event):
        """Whoever holds the link proved the address and saw what is asked."""

        TOPIC = "errand.opened"

        def apply(self, aggregate: Errand) -> None:
            aggregate.opened_at = aggregate.opened_at or self.timestamp

    class Answered(Event):
        TOPIC = "errand.answered"
        said: ErrandAnswer
        ground: str | None = None
        until: date | None = None
        note: PersonalRef | None = None

        def apply(self, aggregate: Errand) -> None:
            aggregate.said, aggregate.answered_at = self.said, self.timestamp
            aggregate.ground, aggregate.until = self.ground, self.until
            aggregate.answer_note = self.note
            aggregate.ended = ErrandEnd.ANSWERED

    class Disowned(Event):
        """Not me: ask somebody else. Who that is waits for a handler, and is never written to."""

        TOPIC = "errand.disowned"
        note: PersonalRef

        def apply(self, aggregate: Errand) -> None:
            aggregate.disowned = self.note

    class Redirected(Event):
        """A handler has confirmed another address; earlier links open nothing any more."""

        TOPIC = "errand.redirected"
        holder: UUID
        address: PersonalRef
        by: str

        def apply(self, aggregate: Errand) -> None:
            aggregate.holder, aggregate.address = self.holder, self.address
            aggregate.disowned = None
            aggregate.opened_at = None

    class Escalated(Event):
        TOPIC = "errand.escalated"
        reason: str

        def apply(self, aggregate: Errand) -> None:
            aggregate.escalated_at = self.timestamp

    class Ended(Event):
        TOPIC = "errand.ended"
        how: ErrandEnd
        by: str | None = None

        def apply(self, aggregate: Errand) -> None:
            aggregate.ended = self.how

    # State

    @event(Begun)
    def __init__(
        self,
        controller: str,
        case_id: UUID,
        request_id: UUID,
        system: str,
        action: Action,
        holder: UUID,
        number: int,
        begun_on: date,
        ends_on: date,
        timestamp: datetime,
    ) -> None:
        self.controller, self.case_id, self.request_id = controller, case_id, request_id
        self.system, self.action = system, action
        self.holder = self.first_holder = holder
        self.number = number
        self.begun_on, self.ends_on = begun_on, ends_on
        self.begun_at = timestamp
        self.sent: tuple[Sending, ...] = ()
        self.chasers = 0
        self.opened_at: datetime | None = None
        self.said: ErrandAnswer | None = None
        self.answered_at: datetime | None = None
        self.ground: str | None = None
        self.until: date | None = None
        self.answer_note: PersonalRef | None = None
        self.disowned: PersonalRef | None = None
        self.address: PersonalRef | None = None
        self.escalated_at: datetime | None = None
        self.ended: ErrandEnd | None = None

    @staticmethod
    def create_id(request_id: UUID, system: str, action: Action, holder: UUID, number: int) -> UUID:
        """The same question to the same person is one errand; `number` counts those answered."""
        return errand_id(request_id, system, action, holder, number)

    @property
    def is_open(self) -> bool:
        return self.ended is None

    @property
    def next_on(self) -> date | None:
        """The day on which something is due next: a mail, a chaser, or the link's end."""
        if not self.is_open:
            return None
        if not self.sent:
            return self.begun_on
        if self.disowned is not None:
            return self.ends_on + timedelta(days=1)
        return min(chaser_on(self.begun_on, self.chasers + 1), self.ends_on + timedelta(days=1))

    # Commands

    def send(self, *, on: date, by: str | None = None, at: datetime) -> None:
        """The link has left by mail; without anybody's name it is the first mail or a chaser."""
        self._require_open()
        if by is not None:
            human(by)
        number = self.chasers
        if by is None and self.sent:
            # A process that slept catches up with one mail, never with several at once.
            while on >= chaser_on(self.begun_on, number + 1):
                number += 1
            if number == self.chasers:
                return
        self.trigger_event(self.Sent, number=number, by=by, timestamp=at)

    @property
    def is_to_escalate(self) -> bool:
        """Whether as many chasers as there are went unanswered, and nobody was told yet."""
        return self.chasers > CHASERS_BEFORE_ESCALATION and self.escalated_at is None

    def escalate(self, *, reason: str, at: datetime) -> None:
        """The handler sees to it from here; the link still works."""
        self._require_open()
        if self.escalated_at is None:
            self.trigger_event(self.Escalated, reason=code(reason), timestamp=at)

    def open(self, *, at: datetime) -> None:
        self._require_open()
        self.trigger_event(self.Opened, timestamp=at)

    def answer(
        self,
        *,
        said: ErrandAnswer,
        ground: str | None = None,
        until: date | None = None,
        note: PersonalRef | None = None,
        at: datetime,
    ) -> None:
        self._require_open()
        if said is ErrandAnswer.KEPT and not ground:
            raise DomainError("say on which ground it is kept", key="why-kept")
        self.trigger_event(
            self.Answered, said=said, ground=ground, until=until, note=note, timestamp=at
        )

    def disown(self, *, note: PersonalRef, at: datetime) -> None:
        self._require_open()
        self.trigger_event(self.Disowned, note=note, timestamp=at)

    def redirect(self, *, holder: UUID, address: PersonalRef, by: str, at: datetime) -> None:
        """Ask somebody else, whom a person has confirmed."""
        self._require_open()
        self.trigger_event(
            self.Redirected, holder=holder, address=address, by=human(by), timestamp=at
        )

    def end(self, *, how: ErrandEnd, by: str | None = None, at: datetime) -> None:
        """The link opens nothing any more. What has ended stays as it ended."""
        if how is ErrandEnd.WITHDRAWN:
            human(by)
        if self.is_open:
            self.trigger_event(self.Ended, how=how, by=by, timestamp=at)

    # Rules

    def _require_open(self) -> None:
        if self.ended is not None:
            raise NotAllowedNow(f"this link has ended: {self.ended.value}", key="link-ended")


def errand_id(request_id: UUID, system: str, action: Action, holder: UUID, number: int) -> UUID:
    return uuid5(request_id, f"errand/{system}/{action.value}/{holder}/{number}")


def chaser_on(begun_on: date, number: int) -> date:
    """The day of a chaser: the fifth, and every four after."""
    return begun_on + timedelta(days=FIRST_CHASER_DAYS + (number - 1) * CHASER_DAYS)


def holder_name(holder: UUID) -> str:
    """Who answered, as an event says it: an id, never a name."""
    return f"{HOLDER}{holder.hex[:12]}"


HOLDER = "by-link:"
