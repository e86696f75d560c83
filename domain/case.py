"""Case: one intake, whatever its channel, and the requests that came of it.

One message may name several rights; each becomes a `DataSubjectRequest` of its own. They share
this case's id, its person and its identity check. Receipt is when the message reached the
controller (EDPB guidelines 01/2022, 159), which the sender cannot move.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid5

from eventsourcing.domain import event

from domain.aggregate import Aggregate, AggregateCreated
from domain.errors import DomainError, NotAllowedNow
from domain.personal import PersonalRef, code
from domain.staff import human
from domain.values import Evidence, QueuedLetter
from domain.vocabulary import Channel, Language, ReceiptSource, Right, TriageKind

NAMESPACE = UUID("7f0f6d5e-5a57-4a0e-9a51-7c1c3b5b6a10")


class CaseStatus(Enum):
    WAITING = "waiting"
    CONFIRMED = "confirmed"
    SET_ASIDE = "set-aside"


class Case(Aggregate):
    TOPIC = "case"

    # Events

    class Event(Aggregate.Event):
        pass

    class Arrived(Event, AggregateCreated):
        TOPIC = "case.arrived"
        controller: str
        channel: Channel
        received_at: datetime
        receipt_source: ReceiptSource
        message: PersonalRef
        attachments: tuple[PersonalRef, ...]
        proposed_kind: TriageKind
        proposed_rights: tuple[Right, ...]
        proposed_language: Language
        evidence: tuple[Evidence, ...]
        certain: bool
        backdated_because: str | None = None
        backdated_by: str | None = None
        proof_of_receipt: PersonalRef | None = None
        external_number: PersonalRef | None = None

    class Confirmed(Event):
        TOPIC = "case.confirmed"
        rights: tuple[Right, ...]
        language: Language
        person: PersonalRef
        by: str

        def apply(self, aggregate: Case) -> None:
            aggregate.status = CaseStatus.CONFIRMED
            aggregate.rights = self.rights
            aggregate.language = self.language
            aggregate.person = self.person

    class SetAside(Event):
        TOPIC = "case.set-aside"
        kind: TriageKind
        by: str | None

        def apply(self, aggregate: Case) -> None:
            aggregate.status = CaseStatus.SET_ASIDE
            aggregate.kind = self.kind

    class LetterQueued(Event):
        TOPIC = "case.letter-queued"
        letter: QueuedLetter

        def apply(self, aggregate: Case) -> None:
            aggregate.letters = {**aggregate.letters, self.letter.id: self.letter}

    class LetterLeft(Event):
        TOPIC = "case.letter-left"
        letter_id: UUID
        how: str
        by: str | None

        def apply(self, aggregate: Case) -> None:
            aggregate.left = {**aggregate.left, self.letter_id: self.timestamp}
            aggregate.failed = {
                letter_id: reason
                for letter_id, reason in aggregate.failed.items()
                if letter_id != self.letter_id
            }

    class LetterFailed(Event):
        TOPIC = "case.letter-failed"
        letter_id: UUID
        reason: str

        def apply(self, aggregate: Case) -> None:
            aggregate.failed = {**aggregate.failed, self.letter_id: self.reason}

    class Packed(Event):
        TOPIC = "case.packed"
        request_id: UUID
        package: PersonalRef

        def apply(self, aggregate: Case) -> None:
            aggregate.packages = {**aggregate.packages, self.request_id: self.package}

    class MessageAdded(Event):
        TOPIC = "case.message-added"
        message: PersonalRef
        received_at: datetime

        def apply(self, aggregate: Case) -> None:
            aggregate.messages = (*aggregate.messages, self.message)
            aggregate.received_at = min(aggregate.received_at, self.received_at)

    # State

    @event(Arrived)
    def __init__(
        self,
        id: UUID,  # noqa: A002 (the library's name)
        controller: str,
        channel: Channel,
        received_at: datetime,
        receipt_source: ReceiptSource,
        message: PersonalRef,
        attachments: tuple[PersonalRef, ...],
        proposed_kind: TriageKind,
        proposed_rights: tuple[Right, ...],
        proposed_language: Language,
        evidence: tuple[Evidence, ...],
        certain: bool,
        timestamp: datetime,
        backdated_because: str | None = None,
        backdated_by: str | None = None,
        proof_of_receipt: PersonalRef | None = None,
        external_number: PersonalRef | None = None,
    ) -> None:
        self.arrived_at = timestamp
        self.backdated_because, self.backdated_by = backdated_because, backdated_by
        self.proof_of_receipt, self.external_number = proof_of_receipt, external_number
        self.controller, self.channel = controller, channel
        self.received_at, self.receipt_source = received_at, receipt_source
        self.message, self.attachments = message, attachments
        self.kind, self.evidence, self.certain = proposed_kind, evidence, certain
        self.rights, self.language = proposed_rights, proposed_language
        self.person: PersonalRef | None = None
        self.messages: tuple[PersonalRef, ...] = (message,)
        self.letters: dict[UUID, QueuedLetter] = {}
        self.left: dict[UUID, datetime] = {}
        self.packages: dict[UUID, PersonalRef] = {}
        self.failed: dict[UUID, str] = {}
        self.status = CaseStatus.WAITING

    @classmethod
    def may_begin(cls, facts: dict[str, Any]) -> None:
        if facts["received_at"] > facts["timestamp"]:
            raise DomainError("nothing arrives later than now: check the moment of receipt")
        reason, by = facts.get("backdated_because"), facts.get("backdated_by")
        proof = facts.get("proof_of_receipt")
        if reason is None and by is None and proof is None:
            return
        # Whoever sets the clock back is asked for it later: why, by whom, and on what evidence.
        code(reason or "")
        human(by)
        if proof is None:
            raise DomainError("an earlier receipt needs its evidence: give what shows the day")

    @staticmethod
    def id_for(controller: str, fingerprint: str) -> UUID:
        """The same message to the same controller is the same case, however often it arrives."""
        return uuid5(NAMESPACE, f"{controller}/{fingerprint}")

    def request_id(self, right: Right) -> UUID:
        return request_id(self.id, right)

    @property
    def request_ids(self) -> tuple[UUID, ...]:
        if self.status is not CaseStatus.CONFIRMED:
            return ()
        return tuple(self.request_id(right) for right in self.rights)

    @property
    def reference(self) -> str:
        return reference(self.id)

    # Commands

    def confirm(
        self,
        *,
        rights: tuple[Right, ...],
        language: Language,
        person: PersonalRef,
        by: str,
        at: datetime,
    ) -> None:
        """A person says what the message asks. A case that was set aside may still be one."""
        if self.status is CaseStatus.CONFIRMED:
            raise NotAllowedNow(f"case {self.reference} is confirmed already")
        if not rights:
            raise DomainError("name at least one right, or set the message aside")
        self.trigger_event(
            self.Confirmed,
            rights=tuple(sorted(set(rights), key=list(Right).index)),
            language=language,
            person=person,
            by=human(by),
            timestamp=at,
        )

    def set_aside(self, *, kind: TriageKind, by: str | None, at: datetime) -> None:
        """Nothing to answer under the GDPR. Only machines' messages may go without a person."""
        if self.status is not CaseStatus.WAITING:
            raise NotAllowedNow(f"case {self.reference} is {self.status.value}")
        if kind is TriageKind.RIGHTS_REQUEST:
            raise DomainError("a request about somebody's rights is not set aside: confirm it")
        if kind is not TriageKind.AUTOMATIC:
            human(by)
        self.trigger_event(self.SetAside, kind=kind, by=by, timestamp=at)

    def queue_letter(self, *, letter: QueuedLetter, at: datetime) -> None:
        """A letter is written and waits to leave; the same one is queued once."""
        if letter.id not in self.letters:
            self.trigger_event(self.LetterQueued, letter=letter, timestamp=at)

    def letter_left(
        self, *, letter_id: UUID, how: str, by: str | None = None, at: datetime
    ) -> QueuedLetter | None:
        """Record that a letter left; None when that is known already."""
        self._require_letter(letter_id)
        if letter_id in self.left:
            return None
        self.trigger_event(self.LetterLeft, letter_id=letter_id, how=how, by=by, timestamp=at)
        return self.letters[letter_id]

    def letter_failed(self, *, letter_id: UUID, reason: str, at: datetime) -> None:
        """Nobody took it, or it came back: somebody must look, and perhaps send it again."""
        self._require_letter(letter_id)
        if self.failed.get(letter_id) != reason:
            self.trigger_event(self.LetterFailed, letter_id=letter_id, reason=reason, timestamp=at)

    def pack(self, *, request_id: UUID, package: PersonalRef, at: datetime) -> None:
        """The answer's package is made and sealed; a newer one takes its place."""
        self.trigger_event(self.Packed, request_id=request_id, package=package, timestamp=at)

    def add_message(self, *, message: PersonalRef, received_at: datetime, at: datetime) -> None:
        """More of the same, or the same by another way: the earliest arrival is the receipt.

        `received_at` is a proven arrival, never what a sender wrote.
        """
        if message in self.messages:
            return
        if received_at > at:
            raise DomainError("nothing arrives later than now: check the moment of receipt")
        self.trigger_event(
            self.MessageAdded, message=message, received_at=received_at, timestamp=at
        )

    # Rules

    def _require_letter(self, letter_id: UUID) -> None:
        if letter_id not in self.letters:
            raise DomainError("there is no such letter in this case")


@lru_cache(maxsize=4_096)
def request_id(case_id: UUID, right: Right) -> UUID:
    return uuid5(case_id, right.value)


def reference(case_id: UUID) -> str:
    """A short name people can say on the phone; it tells nothing about anybody."""
    value, name = case_id.int, ""
    while len(name) < 8:
        value, index = divmod(value, len(_ALPHABET))
        name += _ALPHABET[index]
    return f"{name[:4]}-{name[4:]}"


_ALPHABET = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # no I, no O: they are misheard
