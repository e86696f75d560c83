"""Instruction: one thing that a connected system is told, until it has answered (Art. 17, 19, 28).

It says which records, by ids that mean nothing elsewhere, and what is to become of them. Whom it
is about stands in no event: the system fetches that, and every fetch is recorded.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any
from uuid import UUID, uuid5

from eventsourcing.domain import event

from domain.aggregate import Aggregate, AggregateCreated
from domain.errors import DomainError, NotAllowedNow
from domain.many import Many
from domain.personal import PersonalRef, code
from domain.staff import named
from domain.vocabulary import Decision, Outcome, Right

OF_TASKS = UUID("5c9e6c3a-3d0b-5f0a-9a39-6d6d1c7f1e02")
"""The namespace in which a task's key becomes the id of what is told for it."""


class Verb(Enum):
    """What a connected system is told to do."""

    FIND = "find"
    ERASE = "erase"
    READ_BACK = "read-back"
    SUPPRESS = "suppress"
    RECTIFY = "rectify"
    RESTRICT = "restrict"
    UNRESTRICT = "unrestrict"
    INFORM = "inform"


class InstructionPurpose(Enum):
    """What it is for: a person's request, a trial about nobody, or an erasure told once more."""

    REQUEST = "request"
    TEST = "test"
    REPLAY = "replay"


class Contract(Enum):
    """How a system is told."""

    KAFKA = "kafka"
    WEBHOOK = "webhook"
    OPENDSR = "opendsr"
    HTTPS = "https"
    PERSON = "person"

    @property
    def is_delivered(self) -> bool:
        """Whether a worker has to bring it there: others follow the log, or come and ask."""
        return self in {Contract.WEBHOOK, Contract.OPENDSR}


class Via(Enum):
    """By which door an answer came."""

    KAFKA = "kafka"
    HTTPS = "https"
    LINK = "link"
    OPENDSR = "opendsr"
    WEBHOOK = "webhook"


class Said(Enum):
    """What a system answers as a whole."""

    NOTHING_HELD = "nothing-held"
    FOUND = "found"
    DONE = "done"
    NEEDS_PERSON = "needs-person"
    TRY_LATER = "try-later"


@dataclass(frozen=True, slots=True)
class InstructedRecord:
    """One record to act on, and how: its key in that system lies in the vault."""

    record_id: UUID
    kind: str
    decision: Decision
    keep_fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TreatedKind:
    """How every record of a kind was treated, where an old erasure is told again."""

    kind: str
    decision: Decision
    keep_fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Counted:
    """How many records had one outcome."""

    outcome: Outcome
    count: int


InstructedRecords = tuple[InstructedRecord, ...] | Many[InstructedRecord]


class Instruction(Aggregate):
    TOPIC = "instruction"

    # Events

    class Event(Aggregate.Event):
        pass

    class Given(Event, AggregateCreated):
        TOPIC = "instruction.given"
        controller: str
        system: str
        delivery: Contract
        verb: Verb
        purpose: InstructionPurpose
        request_id: UUID | None
        case_id: UUID | None
        right: Right | None
        key: str
        due_on: date
        ends_at: datetime
        erased_before: datetime | None
        records: InstructedRecords
        hold_id: UUID | None = None
        """The hold whose records are to go, for they lie in its own compartment."""
        kinds: tuple[TreatedKind, ...] = ()
        sealed: PersonalRef | None = None
        """The keys of the records that go with a marketing stop: no plan names those."""

    class Fetched(Event):
        """The system has seen whom it is about, with its own token."""

        TOPIC = "instruction.fetched"
        by: str
        number: int

        def apply(self, aggregate: Instruction) -> None:
            aggregate.fetched_at = self.timestamp
            aggregate.fetches = self.number

    class Answered(Event):
        TOPIC = "instruction.answered"
        receipt: UUID
        via: Via
        said: Said
        counts: tuple[Counted, ...]
        digest: str
        late: bool = False
        strangers: int = 0
        """Of a trial: how many records were shown that are not the golden person's."""

        def apply(self, aggregate: Instruction) -> None:
            aggregate.receipts = aggregate.receipts | {self.receipt}
            if not self.late:
                aggregate.answered_at = self.timestamp
                aggregate.said = self.said
                aggregate.shown = sum(one.count for one in self.counts)
                aggregate.strangers = self.strangers

    class PutOff(Event):
        """The system cannot act yet, and says when to ask again; that is no answer."""

        TOPIC = "instruction.put-off"
        receipt: UUID
        via: Via
        until: datetime

        def apply(self, aggregate: Instruction) -> None:
            aggregate.receipts = aggregate.receipts | {self.receipt}
            aggregate.put_off_until = self.until

    class Repeated(Event):
        """It is told once more, under the same id: by somebody, or because no answer came."""

        TOPIC = "instruction.repeated"
        number: int
        by: str
        reason: str

        def apply(self, aggregate: Instruction) -> None:
            aggregate.repeats = self.number
            aggregate.repeated_at = self.timestamp
            if self.reason == NOT_ANSWERED:
                aggregate.chased += 1

    class Escalated(Event):
        """A person is told that the system does not answer; an answer is still welcome."""

        TOPIC = "instruction.escalated"
        reason: str

        def apply(self, aggregate: Instruction) -> None:
            aggregate.escalated_at = self.timestamp

    class Ended(Event):
        """Nobody waits for an answer any more."""

        TOPIC = "instruction.ended"
        reason: str

        def apply(self, aggregate: Instruction) -> None:
            aggregate.ended_at = self.timestamp

    # State

    @event(Given)
    def __init__(
        self,
        controller: str,
        system: str,
        delivery: Contract,
        verb: Verb,
        purpose: InstructionPurpose,
        request_id: UUID | None,
        case_id: UUID | None,
        right: Right | None,
        key: str,
        due_on: date,
        ends_at: datetime,
        erased_before: datetime | None,
        records: InstructedRecords,
        timestamp: datetime,
        hold_id: UUID | None = None,
        kinds: tuple[TreatedKind, ...] = (),
        sealed: PersonalRef | None = None,
    ) -> None:
        self.controller, self.system = controller, system
        self.delivery, self.verb, self.purpose = delivery, verb, purpose
        self.request_id, self.case_id, self.right = request_id, case_id, right
        self.key, self.due_on, self.ends_at = key, due_on, ends_at
        self.erased_before, self.records, self.kinds = erased_before, records, kinds
        self.hold_id, self.sealed = hold_id, sealed
        self.given_at = timestamp
        self.fetched_at: datetime | None = None
        self.fetches = 0
        self.answered_at: datetime | None = None
        self.said: Said | None = None
        self.shown, self.strangers = 0, 0
        self.receipts: frozenset[UUID] = frozenset()
        self.put_off_until: datetime | None = None
        self.repeats, self.chased = 0, 0
        self.repeated_at: datetime | None = None
        self.escalated_at: datetime | None = None
        self.ended_at: datetime | None = None

    @staticmethod
    def create_id(key: str) -> UUID:
        return instruction_id(key)

    @classmethod
    def may_begin(cls, facts: dict[str, Any]) -> None:
        named(facts["controller"])
        named(facts["system"])
        if facts["ends_at"] <= facts["timestamp"]:
            raise DomainError("an instruction ends after it was given: give it a later end")
        if facts["purpose"] is InstructionPurpose.REPLAY:
            if facts["erased_before"] is None or not facts.get("kinds") or facts["records"]:
                raise DomainError("an old erasure is told by its moment and its kinds of record")
        elif bool(facts["records"]) != (facts["verb"] is Verb.ERASE):
            raise DomainError("what is to be erased is said record by record, and nothing else")

    @property
    def is_open(self) -> bool:
        """Whether an answer is still waited for."""
        return self.answered_at is None and self.ended_at is None

    def may_be_fetched(self, at: datetime) -> bool:
        return self.is_open and at < self.ends_at

    # Commands

    def fetch(self, *, by: str, at: datetime) -> None:
        """Repeatable until it is answered, and not after its end (claim check)."""
        if not self.may_be_fetched(at):
            raise ClaimEnded("this instruction has been answered or is over: nothing to fetch")
        self.trigger_event(self.Fetched, by=named(by), number=self.fetches + 1, timestamp=at)

    def answer(
        self,
        *,
        receipt: UUID,
        via: Via,
        said: Said,
        counts: tuple[Counted, ...],
        digest: str,
        wanted: bool,
        strangers: int = 0,
        at: datetime,
    ) -> Taken:
        """A receipt counts once. What comes when nobody waits for it is late, and kept as that."""
        if receipt in self.receipts:
            return Taken.AGAIN
        if said is Said.TRY_LATER:
            raise DomainError("an answer that puts off says until when: put it off")
        late = not self.is_open or not wanted
        self.trigger_event(
            self.Answered,
            receipt=receipt,
            via=via,
            said=said,
            counts=counts,
            digest=digest,
            late=late,
            strangers=strangers,
            timestamp=at,
        )
        return Taken.LATE if late else Taken.NEW

    def put_off(self, *, receipt: UUID, via: Via, until: datetime, at: datetime) -> Taken:
        """The system asks for patience: it is told again after that."""
        if receipt in self.receipts:
            return Taken.AGAIN
        if not self.is_open:
            return Taken.LATE
        self.trigger_event(self.PutOff, receipt=receipt, via=via, until=until, timestamp=at)
        return Taken.NEW

    def repeat(self, *, by: str, reason: str, at: datetime) -> None:
        if not self.may_be_fetched(at):
            raise NotAllowedNow("this instruction has been answered or is over: give a new one")
        self.trigger_event(
            self.Repeated,
            number=self.repeats + 1,
            by=named(by),
            reason=code(reason),
            timestamp=at,
        )

    def escalate(self, *, reason: str, at: datetime) -> None:
        if self.is_open and self.escalated_at is None:
            self.trigger_event(self.Escalated, reason=code(reason), timestamp=at)

    def end(self, *, reason: str, at: datetime) -> None:
        if self.is_open:
            self.trigger_event(self.Ended, reason=code(reason), timestamp=at)


class Taken(Enum):
    """What became of a receipt."""

    NEW = "new"
    AGAIN = "again"
    LATE = "late"


class ClaimEnded(NotAllowedNow):
    """It was answered, its time is over, or what it would show has been destroyed."""


NOT_ANSWERED = "not-answered"
"""Why a system is told once more without anybody's wish."""


def instruction_id(task_key: str) -> UUID:
    """The same task always gives the same instruction."""
    return uuid5(OF_TASKS, task_key)
