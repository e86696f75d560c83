"""Case: one intake, whatever its channel, and the requests that came of it.

One message may name several rights; each becomes a `DataSubjectRequest` of its own. They share
this case's id, its person and its identity check. Receipt is when the message reached the
controller (EDPB guidelines 01/2022, 159), which the sender cannot move.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import Enum
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid5

from eventsourcing.domain import event

from domain.aggregate import Aggregate, AggregateCreated
from domain.errors import DomainError, NotAllowedNow
from domain.personal import PersonalRef, code
from domain.staff import human, named
from domain.values import Evidence, QueuedLetter
from domain.vocabulary import Channel, DeliveryWay, Language, ReceiptSource, Right, TriageKind

POST = "post"
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
        recipient: str = ""
        elsewhere: PersonalRef | None = None
        as_processor: bool = False
        due_on: date | None = None

        def apply(self, aggregate: Case) -> None:
            aggregate.status = CaseStatus.SET_ASIDE
            aggregate.kind = self.kind
            aggregate.times_set_aside += 1
            aggregate.elsewhere = self.elsewhere
            aggregate.due_on, aggregate.settled_at = self.due_on, None

    class OutcomeSettled(Event):
        TOPIC = "case.outcome-settled"
        how: str
        by: str

        def apply(self, aggregate: Case) -> None:
            aggregate.settled_at = self.timestamp

    class OutcomeUndone(Event):
        TOPIC = "case.outcome-undone"
        reason: str
        by: str

        def apply(self, aggregate: Case) -> None:
            aggregate.status = CaseStatus.WAITING
            aggregate.due_on, aggregate.settled_at = None, None

    class RightAdded(Event):
        TOPIC = "case.right-added"
        right: Right
        message: PersonalRef
        received_at: datetime
        by: str

        def apply(self, aggregate: Case) -> None:
            aggregate.rights = _in_order({*aggregate.rights, self.right})

    class RightCorrected(Event):
        TOPIC = "case.right-corrected"
        was: Right
        right: Right
        by: str

        def apply(self, aggregate: Case) -> None:
            first = aggregate.taken_for.get(self.was, self.was)
            aggregate.taken_for = {
                right: taken
                for right, taken in aggregate.taken_for.items()
                if right is not self.was
            }
            if first is not self.right:
                aggregate.taken_for = {**aggregate.taken_for, self.right: first}
            aggregate.rights = _in_order({*aggregate.rights, self.right} - {self.was})

    class HandedOver(Event):
        TOPIC = "case.handed-over"
        controller: str
        case_id: UUID
        by: str

        def apply(self, aggregate: Case) -> None:
            aggregate.handed_over_to = self.case_id

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
        proof: PersonalRef | None = None

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

    class LetterRecalled(Event):
        """Somebody took back what they had written, before it left."""

        TOPIC = "case.letter-recalled"
        letter_id: UUID
        by: str

        def apply(self, aggregate: Case) -> None:
            aggregate.recalled = aggregate.recalled | {self.letter_id}
            aggregate.failed = {
                letter_id: reason
                for letter_id, reason in aggregate.failed.items()
                if letter_id != self.letter_id
            }

    class Packed(Event):
        TOPIC = "case.packed"
        request_id: UUID
        package: PersonalRef

        def apply(self, aggregate: Case) -> None:
            aggregate.packages = {**aggregate.packages, self.request_id: self.package}

    class IdentityProtected(Event):
        TOPIC = "case.identity-protected"
        reason: str
        by: str

        def apply(self, aggregate: Case) -> None:
            aggregate.protected = True

    class ProtectionEnded(Event):
        TOPIC = "case.protection-ended"
        reason: str
        by: str

        def apply(self, aggregate: Case) -> None:
            aggregate.protected = False

    class OrderSaid(Event):
        TOPIC = "case.order-said"
        answers: PersonalRef

        def apply(self, aggregate: Case) -> None:
            aggregate.order_said = self.answers
            aggregate.orders_tried += 1

    class OrderForgotten(Event):
        TOPIC = "case.order-forgotten"
        forgotten: PersonalRef

        def apply(self, aggregate: Case) -> None:
            aggregate.order_said = None

    class DocumentDestroyed(Event):
        TOPIC = "case.document-destroyed"
        forgotten: PersonalRef
        reason: str
        by: str

        def apply(self, aggregate: Case) -> None:
            aggregate.documents_destroyed = aggregate.documents_destroyed | {self.forgotten}

    class UnencryptedAllowed(Event):
        TOPIC = "case.unencrypted-allowed"
        request_id: UUID
        reason: str
        by: str

        def apply(self, aggregate: Case) -> None:
            aggregate.unencrypted = (*aggregate.unencrypted, self.request_id)

    class NumberTaken(Event):
        TOPIC = "case.number-taken"
        number: PersonalRef

        def apply(self, aggregate: Case) -> None:
            aggregate.number = self.number

    class NumberDropped(Event):
        TOPIC = "case.number-dropped"
        forgotten: PersonalRef

        def apply(self, aggregate: Case) -> None:
            aggregate.number = None

    class MessageAdded(Event):
        TOPIC = "case.message-added"
        message: PersonalRef
        received_at: datetime

        def apply(self, aggregate: Case) -> None:
            aggregate.messages = (*aggregate.messages, self.message)
            aggregate.arrivals = {**aggregate.arrivals, self.message: self.received_at}
            aggregate.received_at = min(aggregate.received_at, self.received_at)

    class AddressProven(Event):
        """Whoever asked controls the address that stands in this message (Art. 12(6))."""

        TOPIC = "case.address-proven"
        message: PersonalRef

        def apply(self, aggregate: Case) -> None:
            aggregate.address_proven = self.message

    class RepliesRead(Event):
        TOPIC = "case.replies-read"
        messages: int
        by: str

        def apply(self, aggregate: Case) -> None:
            aggregate.messages_read = self.messages

    class ReceiptCorrected(Event):
        TOPIC = "case.receipt-corrected"
        received_at: datetime
        reason: str
        proof: PersonalRef
        by: str

        def apply(self, aggregate: Case) -> None:
            aggregate.received_at = self.received_at
            aggregate.proof_of_receipt = self.proof

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
        self.arrivals: dict[PersonalRef, datetime] = {message: received_at}
        self.messages_read = 1
        self.letters: dict[UUID, QueuedLetter] = {}
        self.left: dict[UUID, datetime] = {}
        self.packages: dict[UUID, PersonalRef] = {}
        self.failed: dict[UUID, str] = {}
        self.recalled: frozenset[UUID] = frozenset()
        self.taken_for: dict[Right, Right] = {}
        self.times_set_aside = 0
        self.elsewhere: PersonalRef | None = None
        self.due_on: date | None = None
        self.settled_at: datetime | None = None
        self.handed_over_to: UUID | None = None
        self.protected = False
        self.unencrypted: tuple[UUID, ...] = ()
        self.number: PersonalRef | None = None
        self.order_said: PersonalRef | None = None
        self.orders_tried = 0
        self.documents_destroyed: frozenset[PersonalRef] = frozenset()
        self.address_proven: PersonalRef | None = None
        self.status = CaseStatus.WAITING

    @classmethod
    def may_begin(cls, facts: dict[str, Any]) -> None:
        if facts["received_at"] > facts["timestamp"]:
            raise DomainError(
                "nothing arrives later than now: check the moment of receipt", key="nobody-later"
            )
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
        """The request about a right; its id stays when it was first taken for another right."""
        return request_id(self.id, self.taken_for.get(right, right))

    @property
    def request_ids(self) -> tuple[UUID, ...]:
        if self.status is not CaseStatus.CONFIRMED:
            return ()
        return tuple(self.request_id(right) for right in self.rights)

    @property
    def reference(self) -> str:
        return reference(self.id)

    def waits_to_leave(self, letter_id: UUID) -> bool:
        """Whether a letter is written, has not left, and nobody has taken it back."""
        return (
            letter_id in self.letters
            and letter_id not in self.left
            and letter_id not in self.recalled
        )

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
            raise NotAllowedNow(
                f"case {self.reference} is confirmed already", key="confirmed-already"
            )
        if not rights:
            raise DomainError(
                "name at least one right, or set the message aside", key="name-a-right"
            )
        self.trigger_event(
            self.Confirmed,
            rights=_in_order(set(rights)),
            language=language,
            person=person,
            by=human(by),
            timestamp=at,
        )

    def set_aside(
        self,
        *,
        kind: TriageKind,
        by: str | None,
        at: datetime,
        recipient: str = "",
        elsewhere: PersonalRef | None = None,
        as_processor: bool = False,
        due_on: date | None = None,
    ) -> None:
        """Nothing to answer under the GDPR. Only machines' messages may go without a person.

        `elsewhere` is who deals with it instead, `recipient` its code where the profile has one.
        What is asked for under public-access law is due at once (`due_on`), never in a month.
        """
        if self.status is not CaseStatus.WAITING:
            raise NotAllowedNow(f"case {self.reference} is {self.status.value}")
        if kind is TriageKind.RIGHTS_REQUEST:
            raise DomainError(
                "a request about somebody's rights is not set aside: confirm it",
                key="rights-are-confirmed",
            )
        if kind is not TriageKind.AUTOMATIC:
            human(by)
        if as_processor and (kind is not TriageKind.OTHER_CONTROLLER or elsewhere is None):
            raise DomainError(
                "what came to a processor is its controller's: say whose it is",
                key="say-whose-it-is",
            )
        if (due_on is not None) is not (kind is TriageKind.DOCUMENT_ACCESS):
            raise DomainError("only document access has a day of its own, and it always has one")
        self.trigger_event(
            self.SetAside,
            kind=kind,
            by=by,
            recipient=code(recipient) if recipient else "",
            elsewhere=elsewhere,
            as_processor=as_processor,
            due_on=due_on,
            timestamp=at,
        )

    def settle_outcome(self, *, how: str, by: str, at: datetime) -> None:
        """What was set aside with a day of its own is done."""
        if self.status is not CaseStatus.SET_ASIDE or self.due_on is None:
            raise NotAllowedNow(f"nothing of case {self.reference} waits to be settled")
        if self.settled_at is None:
            self.trigger_event(self.OutcomeSettled, how=code(how), by=human(by), timestamp=at)

    def undo_outcome(self, *, reason: str, by: str, at: datetime) -> None:
        """It was something else after all. The receipt stays, and with it every date."""
        if self.handed_over_to is not None:
            raise NotAllowedNow(f"case {self.reference} was handed over: go on with that case")
        if self.status is not CaseStatus.SET_ASIDE:
            raise NotAllowedNow(f"case {self.reference} is {self.status.value}, not set aside")
        self.trigger_event(self.OutcomeUndone, reason=code(reason), by=human(by), timestamp=at)

    def add_right(self, *, right: Right, message: PersonalRef, by: str, at: datetime) -> None:
        """A right that was found in a message of the case later; it counts from that message."""
        self._require_confirmed()
        if message not in self.messages:
            raise DomainError("say in which message of the case the right was found")
        if right in self.rights:
            raise NotAllowedNow(f"case {self.reference} has a request about {right.value} already")
        if right in self.taken_for.values():
            raise NotAllowedNow(
                f"the request that was first taken for {right.value} is another one now:"
                " write the message down as a case of its own"
            )
        self.trigger_event(
            self.RightAdded,
            right=right,
            message=message,
            received_at=self.arrivals[message],
            by=human(by),
            timestamp=at,
        )

    def correct_right(self, *, was: Right, right: Right, by: str, at: datetime) -> None:
        """A request was taken for the wrong right; it stays the same request, of the same day."""
        self._require_confirmed()
        if was not in self.rights:
            raise DomainError(f"case {self.reference} has no request about {was.value}")
        if right in self.rights:
            raise NotAllowedNow(
                f"case {self.reference} has a request about {right.value} already:"
                " have the wrong one withdrawn"
            )
        first = self.taken_for.get(was, was)
        if right is not first and right in self.taken_for.values():
            raise NotAllowedNow(
                f"another request of the case was first taken for {right.value}: correct that first"
            )
        self.trigger_event(self.RightCorrected, was=was, right=right, by=human(by), timestamp=at)

    def hand_over(self, *, controller: str, case_id: UUID, by: str, at: datetime) -> None:
        """It was meant for another controller of this house, which has a case of its own now."""
        if self.handed_over_to is not None:
            return
        if controller == self.controller:
            raise DomainError("the case is with that controller already")
        self.trigger_event(
            self.HandedOver, controller=controller, case_id=case_id, by=human(by), timestamp=at
        )

    def queue_letter(self, *, letter: QueuedLetter, at: datetime) -> None:
        """A letter is written and waits to leave; the same one is queued once."""
        if letter.id not in self.letters:
            self.trigger_event(self.LetterQueued, letter=letter, timestamp=at)

    def letter_left(
        self,
        *,
        letter_id: UUID,
        how: str,
        by: str | None = None,
        proof: PersonalRef | None = None,
        at: datetime,
    ) -> QueuedLetter | None:
        """Record that a letter left; None when that is known already.

        One that came back may reach the person another way. What is handed over or read aloud
        needs a named person and what they saw (Art. 12(1)).
        """
        self._require_letter(letter_id)
        if letter_id in self.recalled:
            raise NotAllowedNow("this letter was taken back before it left: write another")
        if letter_id in self.left and (
            how == DeliveryWay.MAIL.value or letter_id not in self.failed
        ):
            return None
        if self.protected and how == POST:
            raise NotAllowedNow("a protected identity gets no post: hand the letter over in person")
        if any(way.value == how and way.meets_the_person for way in DeliveryWay):
            human(by)
            if proof is None:
                raise DomainError("write down how the person showed who they are, and when it was")
        self.trigger_event(
            self.LetterLeft, letter_id=letter_id, how=how, by=by, proof=proof, timestamp=at
        )
        return self.letters[letter_id]

    def letter_failed(self, *, letter_id: UUID, reason: str, at: datetime) -> None:
        """Nobody took it, or it came back: somebody must look, and perhaps send it again."""
        self._require_letter(letter_id)
        if letter_id not in self.recalled and self.failed.get(letter_id) != reason:
            self.trigger_event(self.LetterFailed, letter_id=letter_id, reason=reason, timestamp=at)

    def recall_letter(self, *, letter_id: UUID, by: str, at: datetime) -> None:
        """Take a letter back that has not left; one that has is put right by another letter."""
        self._require_letter(letter_id)
        if letter_id in self.left:
            raise NotAllowedNow(
                "this letter has left already: write one that puts it right", key="letter-has-left"
            )
        if letter_id not in self.recalled:
            self.trigger_event(self.LetterRecalled, letter_id=letter_id, by=human(by), timestamp=at)

    def pack(self, *, request_id: UUID, package: PersonalRef, at: datetime) -> None:
        """The answer's package is made and sealed; a newer one takes its place."""
        self.trigger_event(self.Packed, request_id=request_id, package=package, timestamp=at)

    def protect_identity(self, *, reason: str, by: str, at: datetime) -> None:
        """Hide where the person lives, stays or fetches anything, and send nothing there (E-10)."""
        if not self.protected:
            self.trigger_event(
                self.IdentityProtected, reason=code(reason), by=human(by), timestamp=at
            )

    def end_protection(self, *, reason: str, by: str, at: datetime) -> None:
        if self.protected:
            self.trigger_event(
                self.ProtectionEnded, reason=code(reason), by=human(by), timestamp=at
            )

    def say_order(self, *, answers: PersonalRef, at: datetime) -> None:
        """The person says what they know of an order, to be compared and forgotten."""
        self.trigger_event(self.OrderSaid, answers=answers, timestamp=at)

    def forget_order(self, *, at: datetime) -> None:
        if self.order_said is not None:
            self.trigger_event(self.OrderForgotten, forgotten=self.order_said, timestamp=at)

    def destroy_document(
        self, *, attachment: PersonalRef, reason: str, by: str, at: datetime
    ) -> None:
        """A copy of an identity document is seen and not kept (EDPB 01/2022, 77 to 79)."""
        if attachment not in self.attachments:
            raise DomainError("there is no such attachment in this case")
        if attachment not in self.documents_destroyed:
            self.trigger_event(
                self.DocumentDestroyed,
                forgotten=attachment,
                reason=code(reason),
                by=named(by),
                timestamp=at,
            )

    def allow_unencrypted(self, *, request_id: UUID, reason: str, by: str, at: datetime) -> None:
        """Have the copy go as an attachment by plain mail: somebody's decision, never a default.

        The next answer that is written follows it; one that has left stays what it was.
        """
        if request_id not in self.request_ids:
            raise DomainError("there is no such request in this case")
        if self.protected:
            raise NotAllowedNow("a protected identity gets nothing unencrypted: hand it over")
        if request_id not in self.unencrypted:
            self.trigger_event(
                self.UnencryptedAllowed,
                request_id=request_id,
                reason=code(reason),
                by=human(by),
                timestamp=at,
            )

    def take_number(self, *, number: PersonalRef, at: datetime) -> None:
        """A national number to match with, until every system was searched; then it goes (E-10)."""
        self.trigger_event(self.NumberTaken, number=number, timestamp=at)

    def drop_number(self, *, at: datetime) -> None:
        if self.number is not None:
            self.trigger_event(self.NumberDropped, forgotten=self.number, timestamp=at)

    def add_message(self, *, message: PersonalRef, received_at: datetime, at: datetime) -> None:
        """More of the same, or the same by another way: the earliest arrival is the receipt.

        `received_at` is a proven arrival, never what a sender wrote.
        """
        if message in self.messages:
            return
        if received_at > at:
            raise DomainError(
                "nothing arrives later than now: check the moment of receipt", key="nobody-later"
            )
        self.trigger_event(
            self.MessageAdded, message=message, received_at=received_at, timestamp=at
        )

    def prove_address(self, *, at: datetime) -> None:
        """The address of the first message answers a code, before anybody has read what it asks."""
        if self.status is CaseStatus.WAITING and self.address_proven is None:
            self.trigger_event(self.AddressProven, message=self.message, timestamp=at)

    def read_replies(self, *, by: str, at: datetime) -> None:
        """Somebody has read all that was written so far; nothing is left to do about it."""
        if self.messages_read < len(self.messages):
            self.trigger_event(
                self.RepliesRead, messages=len(self.messages), by=human(by), timestamp=at
            )

    def correct_receipt(
        self, *, received_at: datetime, reason: str, proof: PersonalRef, by: str, at: datetime
    ) -> None:
        """It reached the controller at another moment than was recorded; the old one stays."""
        if received_at > at:
            raise DomainError(
                "nothing arrives later than now: check the moment of receipt", key="nobody-later"
            )
        if received_at == self.received_at:
            return
        self.trigger_event(
            self.ReceiptCorrected,
            received_at=received_at,
            reason=code(reason),
            proof=proof,
            by=human(by),
            timestamp=at,
        )

    # Rules

    def _require_confirmed(self) -> None:
        if self.status is not CaseStatus.CONFIRMED:
            raise NotAllowedNow(f"case {self.reference} is {self.status.value}: confirm it first")

    def _require_letter(self, letter_id: UUID) -> None:
        if letter_id not in self.letters:
            raise DomainError("there is no such letter in this case")


def _in_order(rights: set[Right]) -> tuple[Right, ...]:
    return tuple(sorted(rights, key=list(Right).index))


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
