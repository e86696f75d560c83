"""DataSubjectRequest: one right, asked once, with its own clock and its own outcome.

The rules below cannot be got round by any caller: no personal data before identity (Art. 12(6)),
no closing without the letter that explains what was kept or refused (Art. 12(4)), no refusal
without a human name, no extension without its notice in time (Art. 12(3)).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import Enum
from typing import Any
from uuid import UUID

from eventsourcing.domain import event

from domain.aggregate import Aggregate, AggregateCreated
from domain.calendar import Calendar, calendar_named
from domain.case import request_id
from domain.deadlines import (
    Deadlines,
    NoticeWindow,
    Pause,
    act_by,
    deadlines,
    extension_notice,
    received_on,
)
from domain.errors import DomainError, NotAllowedNow
from domain.identity_providers import Assurance
from domain.ladder import doubt_named, require_proportionate
from domain.many import by_id, gathered
from domain.personal import PersonalRef, code
from domain.staff import human, named, two_people
from domain.values import (
    Decisions,
    Found,
    FoundRecord,
    LetterSent,
    RecordDecision,
    SystemOutcome,
)
from domain.vocabulary import (
    Channel,
    Compartment,
    ConsultedAbout,
    Country,
    Decision,
    ExtensionReason,
    IdentityMethod,
    Language,
    Outcome,
    Right,
)
from domain.vocabulary import Missed as Missed
from domain.vocabulary import PauseReason as PauseReason
from domain.vocabulary import RefusalGround as RefusalGround

MOST_IDENTITY_FAILURES = 10
"""So many wrong codes, over all letters: after them only a person verifies identity."""


MOST_QUESTION_REMINDERS = 2


@dataclass(frozen=True, slots=True)
class Consultation:
    """One question to the officer, and what became of it."""

    question: PersonalRef
    about: ConsultedAbout
    asked_at: datetime
    by: str
    advice: PersonalRef | None = None
    advised_by: str | None = None
    followed: bool | None = None


class Status(Enum):
    RECEIVED = "received"
    VERIFIED = "verified"
    COLLECTED = "collected"
    APPROVED = "approved"
    ANSWERED = "answered"
    FULFILLED = "fulfilled"
    REFUSED = "refused"
    REFERRED = "referred"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"

    @property
    def is_open(self) -> bool:
        """Whether the clock still runs: nothing has been answered yet."""
        return self in {
            Status.RECEIVED,
            Status.VERIFIED,
            Status.COLLECTED,
            Status.APPROVED,
            Status.REFUSED,
        }


class DataSubjectRequest(Aggregate):
    TOPIC = "request"

    # Events

    class Event(Aggregate.Event):
        pass

    class Received(Event, AggregateCreated):
        TOPIC = "request.received"
        case_id: UUID
        controller: str
        profile_version: str
        country: Country
        right: Right
        channel: Channel
        language: Language
        requester: PersonalRef
        received_at: datetime
        received_on: date
        promise_days: int | None
        dates: Deadlines
        act_by: date | None = None
        not_in_policy: bool = False
        archive_first: bool = False

    class ReceiptCorrected(Event):
        TOPIC = "request.receipt-corrected"
        received_at: datetime
        received_on: date
        dates: Deadlines
        act_by: date | None
        reason: str
        by: str
        proof: PersonalRef | None = None

        def apply(self, aggregate: DataSubjectRequest) -> None:
            if self.received_on != aggregate.received_on:
                aggregate.earlier_receipts = (*aggregate.earlier_receipts, aggregate.received_on)
            aggregate.received_at, aggregate.received_on = self.received_at, self.received_on
            aggregate.dates, aggregate.act_by = self.dates, self.act_by

    class Reclassified(Event):
        TOPIC = "request.reclassified"
        right: Right
        controller: str
        profile_version: str
        promise_days: int | None
        dates: Deadlines
        act_by: date | None
        not_in_policy: bool
        by: str

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.right, aggregate.controller = self.right, self.controller
            aggregate.profile_version = self.profile_version
            aggregate.promise_days = self.promise_days
            aggregate.dates, aggregate.act_by = self.dates, self.act_by
            aggregate.not_in_policy = self.not_in_policy

    class Referred(Event):
        TOPIC = "request.referred"
        to: str
        by: str

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.status = Status.REFERRED
            aggregate.drop()

    class Linked(Event):
        TOPIC = "request.linked"
        to: UUID
        by: str

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.linked = (*aggregate.linked, self.to)

    class Acknowledged(Event):
        TOPIC = "request.acknowledged"
        sent: LetterSent

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.acknowledged = True
            aggregate.letters = (*aggregate.letters, self.sent)

    class IdentityRequested(Event):
        TOPIC = "request.identity-requested"
        method: IdentityMethod
        reason: str

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.identity_requested_at = self.timestamp
            aggregate.put_question(PauseReason.IDENTITY, self.timestamp)

    class IdentityVerified(Event):
        TOPIC = "request.identity-verified"
        method: IdentityMethod
        person: PersonalRef
        by: str | None = None
        assurance: Assurance | None = None
        proof: PersonalRef | None = None

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.status = Status.VERIFIED
            aggregate.identity = self.method
            aggregate.requester = self.person

    class VerificationNotNeeded(Event):
        TOPIC = "request.verification-not-needed"
        reason: str
        by: str | None = None

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.status = Status.VERIFIED
            aggregate.identity_waived = self.reason

    class IdentityFailed(Event):
        TOPIC = "request.identity-failed"
        method: IdentityMethod
        reason: str

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.identity_failures += 1

    class AuthorityAwaited(Event):
        TOPIC = "request.authority-awaited"
        person: PersonalRef

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.authority_awaited = True
            aggregate.requester = self.person

    class AuthoritySettled(Event):
        TOPIC = "request.authority-settled"
        accepted: bool

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.authority_awaited = not self.accepted

    class ClarificationRequested(Event):
        TOPIC = "request.clarification-requested"
        question: PersonalRef
        by: str
        reason: str = "scope-unclear"

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.clarification_requested = True
            aggregate.question = self.question
            aggregate.put_question(PauseReason.SCOPE, self.timestamp)

    class Clarified(Event):
        TOPIC = "request.clarified"
        answer: PersonalRef

    class PauseOpened(Event):
        TOPIC = "request.pause-opened"
        reason: PauseReason
        on: date

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.open_pauses = {**aggregate.open_pauses, self.reason: self.on}
            aggregate.questions_put_on = {self.reason: self.on, **aggregate.questions_put_on}

    class PauseEnded(Event):
        TOPIC = "request.pause-ended"
        reason: PauseReason
        on: date
        dates: Deadlines

        def apply(self, aggregate: DataSubjectRequest) -> None:
            opened = aggregate.open_pauses[self.reason]
            aggregate.open_pauses = {
                reason: on for reason, on in aggregate.open_pauses.items() if reason != self.reason
            }
            aggregate.pauses = (*aggregate.pauses, Pause(opened, self.on))
            aggregate.ledger = (*aggregate.ledger, (self.reason, opened, self.on))
            aggregate.dates = self.dates
            aggregate.forget_question(self.reason)

    class SuspensionReliedOn(Event):
        """The controller counts the pauses, against the careful default (B.2.5, B.7)."""

        TOPIC = "request.suspension-relied-on"
        question: PersonalRef
        reason: str
        dates: Deadlines
        by: str

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.suspension_relied_on = True
            aggregate.dates = self.dates

    class QuestionReminded(Event):
        """The person was reminded of a question of ours that is not answered."""

        TOPIC = "request.question-reminded"
        reason: PauseReason
        number: int

        def apply(self, aggregate: DataSubjectRequest) -> None:
            before = aggregate.question_reminders.get(self.reason, ())
            on = received_on(self.timestamp, aggregate.country)
            aggregate.question_reminders = {
                **aggregate.question_reminders,
                self.reason: (*before, on),
            }

    class SilenceNoticed(Event):
        """Neither reminder was answered: a person decides what follows, never a machine."""

        TOPIC = "request.silence-noticed"
        reason: PauseReason

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.silent_about = aggregate.silent_about | {self.reason}

    class Assigned(Event):
        TOPIC = "request.assigned"
        to: str
        by: str

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.assigned_to = self.to

    class OfficerConsulted(Event):
        TOPIC = "request.officer-consulted"
        question: PersonalRef
        advice: PersonalRef | None
        by: str
        about: ConsultedAbout = ConsultedAbout.OTHER

        def apply(self, aggregate: DataSubjectRequest) -> None:
            asked = Consultation(self.question, self.about, self.timestamp, self.by, self.advice)
            aggregate.consultations = {**aggregate.consultations, self.question: asked}

    class OfficerAdvised(Event):
        TOPIC = "request.officer-advised"
        question: PersonalRef
        advice: PersonalRef
        by: str

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.know_of(self.question, advice=self.advice, advised_by=self.by)

    class AdviceWeighed(Event):
        """Whether the controller followed the advice; where not, why is kept in the vault."""

        TOPIC = "request.advice-weighed"
        question: PersonalRef
        followed: bool
        reasons: PersonalRef | None
        by: str

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.know_of(self.question, followed=self.followed)

    class ExtensionDecided(Event):
        """A person decided to take two more months; they begin when the notice has left."""

        TOPIC = "request.extension-decided"
        reasons: str
        late_warning: bool
        by: str

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.extension_decided_by = self.by
            aggregate.extension_reasons = _reasons_in(self.reasons)

    class DeadlineExtended(Event):
        TOPIC = "request.deadline-extended"
        reasons: str
        notice: PersonalRef
        notice_sent_on: date
        dates: Deadlines
        late_warning: bool
        by: str

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.dates = self.dates
            aggregate.notice_sent_on = self.notice_sent_on
            aggregate.extension_reasons = _reasons_in(self.reasons)

    class DeadlineRecomputed(Event):
        TOPIC = "request.deadline-recomputed"
        dates: Deadlines
        old: Deadlines | None = None

        def apply(self, aggregate: DataSubjectRequest) -> None:
            if self.old is not None:
                aggregate.earlier_dates = (*aggregate.earlier_dates, self.old)
            aggregate.dates = self.dates

    class DataCollected(Event):
        TOPIC = "request.data-collected"
        found: Found

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.status = Status.COLLECTED
            aggregate.found = by_id(self.found)
            aggregate.matches = {
                record_id: theirs
                for record_id, theirs in aggregate.matches.items()
                if record_id in aggregate.found
            }
            aggregate.collected_at = self.timestamp

    class MatchConfirmed(Event):
        TOPIC = "request.match-confirmed"
        record_id: UUID
        reason: str
        by: str

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.matches = {**aggregate.matches, self.record_id: True}

    class MatchRejected(Event):
        TOPIC = "request.match-rejected"
        record_id: UUID
        reason: str
        by: str

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.matches = {**aggregate.matches, self.record_id: False}

    class Approved(Event):
        TOPIC = "request.approved"
        decisions: Decisions
        profile_version: str
        by: str
        note: PersonalRef | None = None
        full_cards: bool = False

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.full_cards = self.full_cards
            aggregate.status = Status.APPROVED
            aggregate.decisions = by_id(self.decisions)
            aggregate.approved_by = self.by
            aggregate.approval_note = self.note

    class AnswerSent(Event):
        TOPIC = "request.answer-sent"
        sent: LetterSent
        profile_version: str

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.status_before_answer = aggregate.status
            aggregate.status = Status.ANSWERED
            aggregate.letters = (*aggregate.letters, self.sent)
            aggregate.answer = self.sent
            aggregate.answered_at = self.timestamp
            aggregate.fetched_at = None
            aggregate.fulfilled_at = None
            aggregate.delivery_failed = None

    class AnswerFetched(Event):
        TOPIC = "request.answer-fetched"
        status: Status

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.status = self.status
            aggregate.delivery_failed = None
            aggregate.answered_at = aggregate.answered_at or self.timestamp
            aggregate.fetched_at = aggregate.fetched_at or self.timestamp

    class DeliveryFailed(Event):
        TOPIC = "request.delivery-failed"
        reason: str

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.status = aggregate.status_before_answer
            aggregate.delivery_failed = self.reason
            aggregate.answered_at = None

    class Fulfilled(Event):
        TOPIC = "request.fulfilled"
        in_part: bool
        outcomes: tuple[SystemOutcome, ...]

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.status = Status.FULFILLED
            aggregate.fulfilled_at = self.timestamp
            aggregate.in_part = self.in_part
            aggregate.outcomes = self.outcomes

    class Refused(Event):
        TOPIC = "request.refused"
        ground: RefusalGround
        by: str
        second: str | None
        reasons: PersonalRef
        code: str = ""

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.status = Status.REFUSED
            aggregate.refusal = self.ground
            aggregate.drop()

    class Withdrawn(Event):
        TOPIC = "request.withdrawn"

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.status = Status.WITHDRAWN
            aggregate.drop()

    class ReminderDue(Event):
        TOPIC = "request.reminder-due"
        reminder: str
        on: date
        to: str | None = None

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.reminders = aggregate.reminders | {self.reminder}

    class TargetMissed(Event):
        TOPIC = "request.target-missed"
        due_on: date

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.missed = aggregate.missed | {Missed.TARGET}

    class PromiseMissed(Event):
        TOPIC = "request.promise-missed"
        due_on: date

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.missed = aggregate.missed | {Missed.PROMISE}

    class StatutoryMissed(Event):
        TOPIC = "request.statutory-missed"
        due_on: date

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.missed = aggregate.missed | {Missed.STATUTORY}

    class Closed(Event):
        TOPIC = "request.closed"
        by: str | None

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.status = Status.CLOSED
            aggregate.closed_at = self.timestamp

    class Reopened(Event):
        TOPIC = "request.reopened"
        reason: str
        status: Status
        anew: bool
        by: str | None

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.status = self.status
            aggregate.closed_at = None
            aggregate.archived = False
            aggregate.destroyed = frozenset()
            if self.anew:
                aggregate.refusal, aggregate.dropped = None, False
                aggregate.answer, aggregate.answered_at = None, None

    class IdentifiersTaken(Event):
        """More to find the person by than when nobody could be found (Art. 11(2))."""

        TOPIC = "request.identifiers-taken"
        person: PersonalRef
        by: str

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.requester = self.person

    class SuppressedAgain(Event):
        """Somebody had imported the person anew; marketing was stopped again (GK-15)."""

        TOPIC = "request.suppressed-again"
        system: str

    class RecordsArchived(Event):
        """The archive has received found records, so that the system's own copy may go (B.4)."""

        TOPIC = "request.records-archived"
        records: tuple[UUID, ...]
        receipt: PersonalRef
        by: str

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.archived_records = aggregate.archived_records | set(self.records)

    class HandedToArchive(Event):
        TOPIC = "request.handed-to-archive"
        receipt: PersonalRef
        by: str

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.archived = True

    class DisclosureReported(Event):
        TOPIC = "request.disclosure-reported"
        report: PersonalRef
        by: str
        known_at: datetime | None = None
        tell_authority_by: datetime | None = None

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.disclosed = True
            aggregate.tell_authority_by = self.tell_authority_by

    class ContentDestroyed(Event):
        TOPIC = "request.content-destroyed"
        compartment: Compartment

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.destroyed = aggregate.destroyed | {self.compartment}

    class Ended(Event):
        TOPIC = "request.ended"

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.ended = True

    # State

    @event(Received)
    def __init__(
        self,
        case_id: UUID,
        controller: str,
        profile_version: str,
        country: Country,
        right: Right,
        channel: Channel,
        language: Language,
        requester: PersonalRef,
        received_at: datetime,
        received_on: date,
        promise_days: int | None,
        dates: Deadlines,
        act_by: date | None,
        not_in_policy: bool,
        timestamp: datetime,
        archive_first: bool = False,
    ) -> None:
        self.recorded_at = timestamp
        self.case_id, self.controller, self.country = case_id, controller, country
        self.profile_version, self.promise_days = profile_version, promise_days
        self.right, self.channel, self.language = right, channel, language
        self.requester = requester
        self.received_at, self.received_on = received_at, received_on
        self.dates, self.act_by, self.not_in_policy = dates, act_by, not_in_policy
        self.archive_first = archive_first
        self.status = Status.RECEIVED
        self.dropped = False
        self.acknowledged = False
        self.identity: IdentityMethod | None = None
        self.identity_waived: str | None = None
        self.identity_requested_at: datetime | None = None
        self.identity_failures = 0
        self.authority_awaited = False
        self.open_pauses: dict[PauseReason, date] = {}
        self.pauses: tuple[Pause, ...] = ()
        self.ledger: tuple[tuple[PauseReason, date, date], ...] = ()
        self.suspension_relied_on = False
        self.questions_put_on: dict[PauseReason, date] = {}
        self.question_reminders: dict[PauseReason, tuple[date, ...]] = {}
        self.silent_about: frozenset[PauseReason] = frozenset()
        self.earlier_receipts: tuple[date, ...] = ()
        self.earlier_dates: tuple[Deadlines, ...] = ()
        self.consultations: Mapping[PersonalRef, Consultation] = {}
        self.extension_decided_by: str | None = None
        self.extension_reasons: tuple[ExtensionReason, ...] = ()
        self.clarification_requested = False
        self.question: PersonalRef | None = None
        self.notice_sent_on: date | None = None
        self.assigned_to: str | None = None
        self.linked: tuple[UUID, ...] = ()
        self.collected_at: datetime | None = None
        self.found: Mapping[UUID, FoundRecord] = {}
        self.matches: dict[UUID, bool] = {}
        self.decisions: Mapping[UUID, RecordDecision] = {}
        self.approved_by: str | None = None
        self.full_cards = False
        self.approval_note: PersonalRef | None = None
        self.letters: tuple[LetterSent, ...] = ()
        self.answer: LetterSent | None = None
        self.status_before_answer = Status.RECEIVED
        self.outcomes: tuple[SystemOutcome, ...] = ()
        self.in_part = False
        self.refusal: RefusalGround | None = None
        self.delivery_failed: str | None = None
        self.answered_at: datetime | None = None
        self.fetched_at: datetime | None = None
        self.fulfilled_at: datetime | None = None
        self.closed_at: datetime | None = None
        self.reminders: frozenset[str] = frozenset()
        self.missed: frozenset[Missed] = frozenset()
        self.destroyed: frozenset[Compartment] = frozenset()
        self.archived = False
        self.archived_records: frozenset[UUID] = frozenset()
        self.disclosed = False
        self.tell_authority_by: datetime | None = None
        self.ended = False

    @staticmethod
    def create_id(case_id: UUID, right: Right) -> UUID:
        return request_id(case_id, right)

    @classmethod
    def may_begin(cls, facts: dict[str, Any]) -> None:
        """The dates of a request are counted, not given: from its receipt, by a known calendar."""
        arrived, day, country = facts["received_at"], facts["received_on"], facts["country"]
        calendar = calendar_named(facts["dates"].calendar)
        _require_arrival(arrived, day, country, facts["timestamp"])
        _require_country(calendar, country)
        if facts["dates"] != deadlines(day, calendar, facts["promise_days"]):
            raise DomainError("the dates do not follow from the receipt: count them from it")
        if facts.get("act_by") != _act_by(facts["right"], day, calendar):
            raise DomainError("the day to act by does not follow from the receipt: count it")

    @property
    def is_identified(self) -> bool:
        return self.identity is not None or self.identity_waived is not None

    @property
    def failed_too_often(self) -> bool:
        """Whether codes prove nothing any more, because they could have been guessed."""
        return self.identity_failures >= MOST_IDENTITY_FAILURES

    @property
    def awaits_clarification(self) -> bool:
        return PauseReason.SCOPE in self.open_pauses

    @property
    def extended(self) -> bool:
        return self.notice_sent_on is not None

    def dates_on(self, today: date) -> Deadlines:
        """The dates as they stand on a day: while a pause is relied on, they still move."""
        return self.both_worlds_on(today) if self.suspension_relied_on else self.dates

    def both_worlds_on(self, today: date) -> Deadlines:
        """The dates with what the pauses would give if they ended that day (B.2.5)."""
        if not self.open_pauses:
            return self.dates
        return self._dates(calendar_named(self.dates.calendar), pauses=self.pauses_on(today))

    def pauses_on(self, today: date) -> tuple[Pause, ...]:
        """Every time the person kept us waiting; what goes on still ends on that day."""
        still = (Pause(on, max(on, today)) for on in self.open_pauses.values())
        return (*self.pauses, *still)

    def aim_on(self, today: date) -> date:
        """The day to aim for, as it stands on a day."""
        return self.dates_on(today).aim(relied=self.suspension_relied_on)

    @property
    def explained(self) -> frozenset[Outcome]:
        """What the answer gave the reasons for, unless it never arrived (Art. 12(4))."""
        if self.answer is None or self.delivery_failed is not None:
            return frozenset()
        return frozenset(self.answer.explains)

    @property
    def still_kept(self) -> frozenset[Compartment]:
        """The compartments of the vault that still hold something of this request."""
        kept = {Compartment.UPLOAD, Compartment.PACKAGE, Compartment.CORRESPONDENCE}
        if any(d.decision is Decision.KEEP for d in self.decisions.values()) or any(
            outcome.outcome is Outcome.KEPT for outcome in self.outcomes
        ):
            kept.add(Compartment.HOLD)
        return frozenset(kept - self.destroyed)

    @property
    def undecided_matches(self) -> Found:
        """Weak matches that still wait for a person."""
        return gathered(
            record
            for record in self.found.values()
            if record.needs_a_person and record.record_id not in self.matches
        )

    @property
    def own_records(self) -> Found:
        """The records that are the person's: strong matches and confirmed weak ones."""
        return gathered(
            record
            for record in self.found.values()
            if self.matches.get(record.record_id, record.match.is_strong)
        )

    # Commands that concern receiving

    def correct_receipt(
        self,
        *,
        received_at: datetime,
        received_on: date,
        calendar: Calendar,
        reason: str,
        by: str,
        at: datetime,
        proof: PersonalRef | None = None,
    ) -> None:
        """The earliest proven arrival counts (EDPB 01/2022, 159); the old one stays in the log.

        To put it later as well takes a person, a reason and what shows it: all in the event.
        """
        if self.ended:
            raise NotAllowedNow(f"request {self.id} has ended")
        _require_arrival(received_at, received_on, self.country, at)
        if (received_at, received_on) == (self.received_at, self.received_on):
            return
        if received_on > self.received_on:
            human(by)
            if proof is None:
                raise DomainError("a later receipt gives us more time: give what shows the day")
        self.trigger_event(
            self.ReceiptCorrected,
            received_at=received_at,
            received_on=received_on,
            dates=self._dates(calendar, received_on=received_on),
            act_by=_act_by(self.right, received_on, calendar),
            reason=code(reason),
            by=named(by),
            proof=proof,
            timestamp=at,
        )

    def reclassify(
        self,
        *,
        right: Right,
        controller: str,
        by: str,
        at: datetime,
        profile_version: str | None = None,
        promise_days: int | None = None,
        not_in_policy: bool = False,
    ) -> None:
        """A wrong right or controller is put right; the receipt stays where it was.

        Another controller promised something else, so its profile must be named with it.
        """
        self._require(Status.RECEIVED)
        if controller == self.controller:
            profile_version, promise_days = self.profile_version, self.promise_days
        elif not profile_version:
            raise DomainError("say which profile of the other controller was in force at receipt")
        calendar = calendar_named(self.dates.calendar)
        self.trigger_event(
            self.Reclassified,
            right=right,
            controller=controller,
            profile_version=profile_version,
            promise_days=promise_days,
            dates=self._dates(calendar, promise_days=promise_days),
            act_by=_act_by(right, self.received_on, calendar),
            not_in_policy=not_in_policy,
            by=named(by),
            timestamp=at,
        )

    def refer(self, *, to: str, by: str, at: datetime) -> None:
        self.require_undecided()
        self.trigger_event(self.Referred, to=to, by=named(by), timestamp=at)

    def link(self, *, to: UUID, by: str, at: datetime) -> None:
        if to == self.id:
            raise DomainError("a request cannot be linked to itself")
        if to not in self.linked:
            self.trigger_event(self.Linked, to=to, by=named(by), timestamp=at)

    def acknowledge(self, *, sent: LetterSent, at: datetime) -> None:
        if not self.acknowledged:
            self.trigger_event(self.Acknowledged, sent=sent, timestamp=at)

    def assign(self, *, to: str, by: str, at: datetime) -> None:
        if named(to) != self.assigned_to:
            self.trigger_event(self.Assigned, to=to, by=named(by), timestamp=at)

    def consult_officer(
        self,
        *,
        question: PersonalRef,
        advice: PersonalRef | None = None,
        about: ConsultedAbout = ConsultedAbout.OTHER,
        by: str,
        at: datetime,
    ) -> None:
        """The officer advises and never decides (Art. 38(6))."""
        if question not in self.consultations:
            self.trigger_event(
                self.OfficerConsulted,
                question=question,
                advice=advice,
                about=about,
                by=named(by),
                timestamp=at,
            )

    def advise(self, *, question: PersonalRef, advice: PersonalRef, by: str, at: datetime) -> None:
        """Record what the officer advised; whoever asked does not answer."""
        asked = self._asked(question)
        if asked.advice is not None:
            raise NotAllowedNow("the officer has answered that question: ask a new one")
        if human(by) == asked.by:
            raise DomainError("whoever asks the officer cannot be the officer: another answers")
        self.trigger_event(
            self.OfficerAdvised, question=question, advice=advice, by=by, timestamp=at
        )

    def weigh_advice(
        self,
        *,
        question: PersonalRef,
        followed: bool,
        reasons: PersonalRef | None = None,
        by: str,
        at: datetime,
    ) -> None:
        """Say whether the advice was followed. The controller decides; where it differs, why."""
        asked = self._asked(question)
        if asked.advice is None:
            raise NotAllowedNow("the officer has not answered yet: record the advice first")
        self._require_not_officer(asked, by)
        if not followed and reasons is None:
            raise DomainError("say why the advice of the officer is not followed")
        if asked.followed is not followed:
            self.trigger_event(
                self.AdviceWeighed,
                question=question,
                followed=followed,
                reasons=reasons,
                by=by,
                timestamp=at,
            )

    # Commands that concern identity

    def request_identity(self, *, method: IdentityMethod, reason: str, at: datetime) -> None:
        """Ask for what is needed and no more; the reason is recorded each time (Art. 12(6))."""
        self._require(Status.RECEIVED)
        self._require_provable(method)
        require_proportionate(
            method,
            doubt_named(code(reason)),
            lighter_failed=self.identity_requested_at is not None,
        )
        self.trigger_event(self.IdentityRequested, method=method, reason=reason, timestamp=at)
        self.open_pause(reason=PauseReason.IDENTITY, on=self._today(at), at=at)

    def verify_identity(
        self,
        *,
        method: IdentityMethod,
        person: PersonalRef,
        by: str | None = None,
        assurance: Assurance | None = None,
        proof: PersonalRef | None = None,
        at: datetime,
    ) -> None:
        if self.identity is not None:
            return
        self._require(Status.RECEIVED)
        self._require_provable(method)
        if method.needs_a_person:
            named(by)
        self._end_pause(PauseReason.IDENTITY, at)
        self.trigger_event(
            self.IdentityVerified,
            method=method,
            person=person,
            by=by,
            assurance=assurance,
            proof=proof,
            timestamp=at,
        )

    def waive_verification(self, *, reason: str, by: str | None = None, at: datetime) -> None:
        """Where an answer tells nothing about anybody nobody is asked; else a person says why."""
        self._require(Status.RECEIVED)
        if self.right.is_statutory and not self.right.acts_at_once:
            human(by)
        self._end_pause(PauseReason.IDENTITY, at)
        self.trigger_event(self.VerificationNotNeeded, reason=code(reason), by=by, timestamp=at)

    def fail_identity(self, *, method: IdentityMethod, reason: str, at: datetime) -> None:
        """A proof that was none. Past the limit no more are recorded: anybody can send them."""
        self._require(Status.RECEIVED)
        if not self.failed_too_often:
            self.trigger_event(
                self.IdentityFailed, method=method, reason=code(reason), timestamp=at
            )

    def await_authority(self, *, person: PersonalRef, at: datetime) -> None:
        """Somebody asks for somebody else: nothing is looked for or sent before they may."""
        self._require(Status.RECEIVED)
        self.trigger_event(self.AuthorityAwaited, person=person, timestamp=at)

    def settle_authority(self, *, accepted: bool, at: datetime) -> None:
        if not self.authority_awaited:
            return
        self._end_pause(PauseReason.AUTHORITY, at)
        self.trigger_event(self.AuthoritySettled, accepted=accepted, timestamp=at)

    def request_clarification(
        self, *, question: PersonalRef, by: str, at: datetime, reason: str = "scope-unclear"
    ) -> None:
        """Ask what is meant (recital 63); what is not in question is collected meanwhile."""
        self._require_open()
        self.trigger_event(
            self.ClarificationRequested,
            question=question,
            reason=code(reason),
            by=named(by),
            timestamp=at,
        )
        self.open_pause(reason=PauseReason.SCOPE, on=self._today(at), at=at)

    def clarify(self, *, answer: PersonalRef, at: datetime) -> None:
        if not self.clarification_requested:
            raise NotAllowedNow("nothing was asked: add the message to the case instead")
        self.trigger_event(self.Clarified, answer=answer, timestamp=at)
        self._end_pause(PauseReason.SCOPE, at)

    # Commands that concern the clock

    def open_pause(self, *, reason: PauseReason, on: date, at: datetime) -> None:
        """From the day the person was asked; waiting for anybody else is no pause (B.2.5)."""
        self._require_open()
        asked = {
            PauseReason.IDENTITY: self.identity_requested_at is not None,
            PauseReason.SCOPE: self.clarification_requested,
            PauseReason.AUTHORITY: True,
        }
        if not asked[reason]:
            raise NotAllowedNow(f"nobody has asked the person about {reason.value}: ask first")
        self._require_past(on, at)
        if reason not in self.open_pauses:
            self.trigger_event(self.PauseOpened, reason=reason, on=on, timestamp=at)

    def end_pause(self, *, reason: PauseReason, on: date, calendar: Calendar, at: datetime) -> None:
        if reason not in self.open_pauses:
            return
        self._require_past(on, at)
        pauses = (*self.pauses, Pause(self.open_pauses[reason], on))
        dates = self._dates(calendar, pauses=pauses)
        self.trigger_event(self.PauseEnded, reason=reason, on=on, dates=dates, timestamp=at)

    def rely_on_suspension(
        self, *, question: PersonalRef, reason: str, by: str, at: datetime
    ) -> None:
        """Count the pauses after all: decided by the controller, the officer heard before (B.7).

        Until then alarms, lists and breaches go by the dates without them (EDPB 01/2022, 159).
        """
        self._require_open()
        if self.suspension_relied_on:
            return
        if not self.pauses and not self.open_pauses:
            raise NotAllowedNow("nobody has kept us waiting: there is no pause to rely on")
        asked = self._asked(question)
        if asked.about is not ConsultedAbout.SUSPENSION or asked.advice is None:
            raise NotAllowedNow(
                "consult the officer about the suspension first, and record the advice: "
                "the controller may rely on a pause only after that"
            )
        self._require_not_officer(asked, by)
        self.trigger_event(
            self.SuspensionReliedOn,
            question=question,
            reason=code(reason),
            dates=self._dates(calendar_named(self.dates.calendar)),
            by=by,
            timestamp=at,
        )

    def remind_of_question(self, *, reason: PauseReason, at: datetime) -> None:
        """The next of two reminders to the person; a third would be pestering."""
        self._require_open()
        number = len(self.question_reminders.get(reason, ())) + 1
        if reason not in self.open_pauses or number > MOST_QUESTION_REMINDERS:
            raise NotAllowedNow(f"there is nothing more to remind of about {reason.value}")
        self.trigger_event(self.QuestionReminded, reason=reason, number=number, timestamp=at)

    def notice_silence(self, *, reason: PauseReason, at: datetime) -> None:
        """Both reminders are unanswered; what follows is for a person to decide (Art. 12(4))."""
        if len(self.question_reminders.get(reason, ())) < MOST_QUESTION_REMINDERS:
            raise NotAllowedNow(f"the person has not been reminded twice about {reason.value}")
        if self.status.is_open and reason not in self.silent_about:
            self.trigger_event(self.SilenceNoticed, reason=reason, timestamp=at)

    def decide_extension(
        self, *, reasons: tuple[ExtensionReason, ...], calendar: Calendar, by: str, at: datetime
    ) -> None:
        """Decide to take two more months; they are taken when the notice has left in time."""
        self._require_open()
        if self.extended or self.extension_decided_by is not None:
            raise NotAllowedNow(f"request {self.id} has been extended already")
        _require_reasons(reasons)
        _require_country(calendar, self.country)
        window = extension_notice(self.received_on, self._today(at), calendar)
        self._require_in_time(window)
        self.trigger_event(
            self.ExtensionDecided,
            reasons=_as_code(reasons),
            late_warning=window is NoticeWindow.WARN,
            by=human(by),
            timestamp=at,
        )

    def extend_deadline(
        self,
        *,
        reasons: tuple[ExtensionReason, ...],
        notice: PersonalRef,
        notice_sent_on: date,
        calendar: Calendar,
        by: str,
        at: datetime,
    ) -> None:
        """Two more months, for complexity and number, with notice in the first (Art. 12(3)).

        It is recorded within that month too: a notice remembered later is no notice.
        """
        self._require_open()
        if self.extended:
            raise NotAllowedNow(f"request {self.id} has been extended already")
        _require_reasons(reasons)
        self._require_past(notice_sent_on, at)
        _require_country(calendar, self.country)
        window = extension_notice(self.received_on, notice_sent_on, calendar)
        self._require_in_time(window)
        self._require_in_time(extension_notice(self.received_on, self._today(at), calendar))
        self.trigger_event(
            self.DeadlineExtended,
            reasons=_as_code(reasons),
            notice=notice,
            notice_sent_on=notice_sent_on,
            dates=self._dates(calendar, notice_sent_on=notice_sent_on),
            late_warning=window is NoticeWindow.WARN,
            by=named(by),
            timestamp=at,
        )

    def recompute_deadlines(self, *, calendar: Calendar, at: datetime) -> None:
        """A new calendar version moves open requests; old and new dates are in the event."""
        _require_country(calendar, self.country)
        if not self.status.is_open or calendar.name == self.dates.calendar:
            return
        self.trigger_event(
            self.DeadlineRecomputed, dates=self._dates(calendar), old=self.dates, timestamp=at
        )

    def remind(self, *, reminder: str, on: date, at: datetime, to: str | None = None) -> None:
        """Each reminder once; `to` is whose turn it is, where somebody has the request."""
        if self.status.is_open and reminder not in self.reminders:
            self.trigger_event(self.ReminderDue, reminder=reminder, on=on, to=to, timestamp=at)

    def miss(self, *, today: date, at: datetime) -> None:
        """Record each date that has passed without an answer, once, against that date."""
        if not self.status.is_open:
            return
        dates, relied = self.dates_on(today), self.suspension_relied_on
        late = (
            (Missed.TARGET, dates.aim(relied=relied), self.TargetMissed),
            (Missed.PROMISE, dates.promise_due, self.PromiseMissed),
            (Missed.STATUTORY, dates.last_day(relied=relied), self.StatutoryMissed),
        )
        for missed, due_on, event_class in late:
            if due_on is not None and today > due_on and missed not in self.missed:
                self.trigger_event(event_class, due_on=due_on, timestamp=at)

    # Commands that concern deciding

    def collect_data(self, *, found: Found, at: datetime) -> None:
        """Everything the systems hold. Until it is approved they may be searched again."""
        self._require(Status.VERIFIED, Status.COLLECTED)
        self._require_authority()
        if len({record.record_id for record in found}) < len(found):
            raise DomainError("the same record was found twice: name it once")
        self.trigger_event(self.DataCollected, found=found, timestamp=at)

    def confirm_match(self, *, record_id: UUID, reason: str, by: str, at: datetime) -> None:
        self._match(record_id, self.MatchConfirmed, reason=reason, by=by, at=at)

    def reject_match(self, *, record_id: UUID, reason: str, by: str, at: datetime) -> None:
        self._match(record_id, self.MatchRejected, reason=reason, by=by, at=at)

    def approve(
        self,
        *,
        decisions: Decisions,
        profile_version: str,
        by: str,
        note: PersonalRef | None = None,
        full_cards: bool = False,
        looked_at: frozenset[UUID] = frozenset(),
        at: datetime,
    ) -> None:
        """A person approves what will be done, record by record; none of the person's is missed.

        `looked_at` are the records in which a person has looked for others (Art. 15(4)).
        """
        self._require(Status.COLLECTED)
        if self.undecided_matches:
            raise NotAllowedNow(
                f"{len(self.undecided_matches)} matches wait: confirm or reject each of them first"
            )
        self.require_looked_at(looked_at)
        decided = [decision.record_id for decision in decisions]
        own = {record.record_id for record in self.own_records}
        if len(set(decided)) < len(decided):
            raise DomainError("there are two decisions about one record: take one")
        if set(decided) != own if self.right is Right.ERASURE else set(decided) - own:
            raise DomainError("the decisions must cover exactly the records that are theirs")
        if any(d.decision is Decision.KEEP and not (d.ground and d.law) for d in decisions):
            raise DomainError("nothing is kept without a ground and its law: name them, or erase")
        self.trigger_event(
            self.Approved,
            decisions=decisions,
            profile_version=profile_version,
            by=human(by),
            note=note,
            full_cards=full_cards,
            timestamp=at,
        )

    def require_looked_at(self, looked_at: frozenset[UUID]) -> None:
        """No copy leaves while what may be about others was neither covered nor cleared."""
        if not self.right.gives_a_copy:
            return
        unread = sum(
            record.mentions_others and record.record_id not in looked_at
            for record in self.own_records
        )
        if unread:
            raise NotAllowedNow(
                f"{unread} records may be about other people too: cover what is, or clear them"
            )

    def refuse(
        self,
        *,
        ground: RefusalGround,
        reasons: PersonalRef,
        by: str,
        second: str | None = None,
        code: str = "",
        at: datetime,
    ) -> None:
        """No refusal without a human name; Art. 12(5) needs two, Art. 12(2) a question first."""
        self.require_undecided()
        if ground.needs_two_people:
            two_people(by, second)
        elif self.right is Right.OBJECTION_TO_MARKETING and ground.weighs_interests:
            raise DomainError("an objection to marketing is absolute (Art. 21(3)): act on it")
        if ground is RefusalGround.CANNOT_IDENTIFY and (
            self.identity is not None or self.identity_requested_at is None
        ):
            raise DomainError("only who was asked for proof and gave none cannot be identified")
        if ground is RefusalGround.NO_RESPONSE and not self.silent_about:
            raise DomainError("nobody is silent before two reminders: wait for the second one")
        self.trigger_event(
            self.Refused,
            ground=ground,
            reasons=reasons,
            by=human(by),
            second=second,
            code=code,
            timestamp=at,
        )

    # Commands that concern answering

    def send_answer(self, *, sent: LetterSent, profile_version: str, at: datetime) -> None:
        """Record that the answer left. No answer leaves before identity is settled."""
        if not self.is_identified and self.refusal is None:
            raise NotAllowedNow(f"request {self.id} has no verified identity: no data may leave")
        if self.authority_awaited and self.refusal is None:
            raise NotAllowedNow(
                f"request {self.id} is made for another: nothing leaves before they may"
            )
        if not sent.kind.answers:
            raise DomainError(f"a letter of kind {sent.kind.value} answers nothing")
        if self.right.acts_at_once:
            self._require(Status.VERIFIED, Status.APPROVED, Status.REFUSED)
        else:
            self._require(Status.APPROVED, Status.REFUSED)
        if self.refusal is not None and Outcome.REFUSED not in sent.explains:
            raise DomainError("the answer to a refused request says why it was refused")
        self.trigger_event(
            self.AnswerSent, sent=sent, profile_version=profile_version, timestamp=at
        )

    def fetch_answer(self, *, at: datetime) -> None:
        """The person has it, perhaps after we had given up hope: then the answer counts again."""
        if self.answer is None:
            raise NotAllowedNow(f"request {self.id} has no answer to fetch")
        status = self.status
        if self.delivery_failed is not None:
            status = Status.FULFILLED if self.fulfilled_at else Status.ANSWERED
        self.trigger_event(self.AnswerFetched, status=status, timestamp=at)

    def fail_delivery(self, *, reason: str, at: datetime) -> None:
        """A bounce, or a link nobody opened: the person has no answer, so the clock runs on."""
        if self.answer is None:
            raise NotAllowedNow(f"request {self.id} has not been answered")
        if self.fetched_at is not None or self.delivery_failed is not None:
            return
        if self.status is Status.CLOSED:
            self._reopen(self.status_before_answer, reason=reason, anew=False, by=None, at=at)
        self.trigger_event(self.DeliveryFailed, reason=code(reason), timestamp=at)

    def fulfil(self, *, outcomes: tuple[SystemOutcome, ...], at: datetime) -> None:
        """Done, in full or in part; nothing kept may be left unexplained (Art. 12(4))."""
        self._require(Status.ANSWERED)
        if self.refusal is not None:
            raise NotAllowedNow(f"request {self.id} was refused: it is closed, not fulfilled")
        self._require_complete(outcomes)
        self._require_explained({told for o in outcomes for told in o.to_explain})
        self.trigger_event(
            self.Fulfilled,
            in_part=any(o.to_explain for o in outcomes),
            outcomes=outcomes,
            timestamp=at,
        )

    def withdraw(self, *, at: datetime) -> None:
        """The person takes it back. An erasure that was ordered is answered all the same."""
        self.require_undecided()
        self.trigger_event(self.Withdrawn, timestamp=at)

    def close(self, *, at: datetime, by: str | None = None) -> None:
        """Closed means answered: nothing is fulfilled, and no refusal answered, unexplained."""
        if self.status is Status.CLOSED:
            return
        if self.refusal is not None:
            self._require(Status.ANSWERED)
        else:
            self._require(Status.FULFILLED, Status.REFERRED, Status.WITHDRAWN)
        self.trigger_event(self.Closed, by=by, timestamp=at)

    def reopen(self, *, reason: str, at: datetime, by: str | None = None) -> None:
        """Back to work; the receipt, and with it the clock, is the old one."""
        self._require(Status.CLOSED)
        self._reopen(self._back_to_work(), reason=reason, anew=True, by=by, at=at)

    # Commands that come afterwards

    def suppress_again(self, *, system: str, at: datetime) -> None:
        self.trigger_event(self.SuppressedAgain, system=system, timestamp=at)

    def take_identifiers(self, *, person: PersonalRef, by: str, at: datetime) -> None:
        self._require(Status.RECEIVED)
        self.trigger_event(self.IdentifiersTaken, person=person, by=named(by), timestamp=at)

    def archive_records(
        self, *, records: tuple[UUID, ...], receipt: PersonalRef, by: str, at: datetime
    ) -> None:
        """The archive's receipt for records that only it may have disposed of (E-05)."""
        self._require(Status.COLLECTED)
        own = {record.record_id for record in self.own_records}
        if not records or set(records) - own:
            raise DomainError("name the records that the archive has received, among the person's")
        self.trigger_event(
            self.RecordsArchived, records=records, receipt=receipt, by=human(by), timestamp=at
        )

    def hand_to_archive(self, *, receipt: PersonalRef, by: str, at: datetime) -> None:
        self._require(Status.CLOSED)
        if not self.archived:
            self.trigger_event(self.HandedToArchive, receipt=receipt, by=named(by), timestamp=at)

    def report_disclosure(
        self,
        *,
        report: PersonalRef,
        by: str,
        at: datetime,
        known_at: datetime | None = None,
        tell_authority_by: datetime | None = None,
    ) -> None:
        """An answer reached somebody it was not for: a breach, with its day (Art. 33)."""
        self.trigger_event(
            self.DisclosureReported,
            report=report,
            by=named(by),
            known_at=known_at,
            tell_authority_by=tell_authority_by,
            timestamp=at,
        )

    def destroy_content(self, *, compartment: Compartment, at: datetime) -> None:
        """Record that a compartment of the vault is gone; the facts here stay readable."""
        self._require(Status.CLOSED)
        if self.archive_first and not self.archived:
            raise NotAllowedNow(f"request {self.id} goes to the archive before anything of it goes")
        if compartment not in self.destroyed:
            self.trigger_event(self.ContentDestroyed, compartment=compartment, timestamp=at)

    def end(self, *, at: datetime) -> None:
        """Nothing left to do or to keep."""
        self._require(Status.CLOSED)
        if self.still_kept:
            words = ", ".join(sorted(compartment.value for compartment in self.still_kept))
            raise NotAllowedNow(f"request {self.id} still has content to destroy: {words}")
        if not self.ended:
            self.trigger_event(self.Ended, timestamp=at)

    # Rules

    def drop(self) -> None:
        """Used by events only: no system is asked for this request any more."""
        self.dropped = True
        self.answer, self.answered_at, self.delivery_failed = None, None, None

    def put_question(self, reason: PauseReason, at: datetime) -> None:
        """Used by events only: asked anew, the person has as long to answer as at first."""
        self.forget_question(reason)
        self.questions_put_on = {**self.questions_put_on, reason: received_on(at, self.country)}

    def forget_question(self, reason: PauseReason) -> None:
        """Used by events only: answered, or asked anew."""
        self.questions_put_on = {r: on for r, on in self.questions_put_on.items() if r != reason}
        self.question_reminders = {r: n for r, n in self.question_reminders.items() if r != reason}
        self.silent_about = self.silent_about - {reason}

    def know_of(self, question: PersonalRef, **more: Any) -> None:
        """Used by events only: what became of a question to the officer."""
        known = replace(self.consultations[question], **more)
        self.consultations = {**self.consultations, question: known}

    def _asked(self, question: PersonalRef) -> Consultation:
        if question not in self.consultations:
            raise NotAllowedNow("the officer has not been consulted about this: ask first")
        return self.consultations[question]

    @staticmethod
    def _require_not_officer(asked: Consultation, by: str) -> None:
        if human(by) == asked.advised_by:
            raise DomainError("the officer advises and does not decide (Art. 38(6)): another does")

    def _require_in_time(self, window: NoticeWindow) -> None:
        if window is NoticeWindow.REFUSED:
            raise DomainError(
                f"the notice had to be sent by {self.dates.statutory_due}; it is too late to extend"
            )

    def _require(self, *allowed: Status) -> None:
        if self.status not in allowed:
            raise NotAllowedNow(f"request {self.id} is {self.status.value}")

    def _require_open(self) -> None:
        if not self.status.is_open or self.refusal is not None:
            raise NotAllowedNow(f"request {self.id} is {self.status.value}")

    def require_undecided(self) -> None:
        """Nothing has been answered, and no erasure ordered."""
        self._require_open()
        if self.right is Right.ERASURE and self.status is Status.APPROVED:
            raise NotAllowedNow(f"the erasure of request {self.id} has been ordered: answer it")

    def _require_provable(self, method: IdentityMethod) -> None:
        if method is IdentityMethod.CODE_TO_ADDRESS and self.failed_too_often:
            raise NotAllowedNow("too many wrong codes: let a person verify identity another way")

    def _require_authority(self) -> None:
        if self.authority_awaited:
            raise NotAllowedNow("it is made for somebody else: settle first whether they may")

    def _require_past(self, on: date, at: datetime) -> None:
        if not self.received_on <= on <= self._today(at):
            raise DomainError(f"{on} is before the receipt or still to come: give the true day")

    def _require_complete(self, outcomes: tuple[SystemOutcome, ...]) -> None:
        """What was approved to be kept or blocked may not be reported as anything else."""
        told = {(o.system, o.category, o.outcome) for o in outcomes}
        for record_id, decision in self.decisions.items():
            as_decided = _OUTCOME_OF.get(decision.decision)
            found = self.found[record_id]
            if as_decided and (found.system, found.category, as_decided) not in told:
                raise DomainError(f"the outcomes leave out what is {as_decided.value}: report it")

    def _require_explained(self, outcomes: set[Outcome]) -> None:
        silent = outcomes - self.explained
        if silent:
            words = ", ".join(sorted(outcome.value for outcome in silent))
            raise NotAllowedNow(f"the letter that explains what was {words} has not been sent")

    def _match(
        self,
        record_id: UUID,
        event_class: type[MatchConfirmed] | type[MatchRejected],
        *,
        reason: str,
        by: str,
        at: datetime,
    ) -> None:
        self._require(Status.COLLECTED)
        if record_id not in self.found:
            raise DomainError("there is no such record in this request")
        confirmed = event_class is self.MatchConfirmed
        if self.matches.get(record_id) is confirmed:
            return
        self.trigger_event(
            event_class, record_id=record_id, reason=code(reason), by=named(by), timestamp=at
        )

    def _end_pause(self, reason: PauseReason, at: datetime) -> None:
        calendar = calendar_named(self.dates.calendar)
        self.end_pause(reason=reason, on=self._today(at), calendar=calendar, at=at)

    def _back_to_work(self) -> Status:
        """As far back as the work has to be done again, and no farther."""
        if not self.is_identified:
            return Status.RECEIVED
        if self.collected_at is None:
            return Status.VERIFIED
        if self.right is Right.ERASURE and self.decisions:
            return Status.APPROVED  # what is erased cannot be decided again
        return Status.COLLECTED

    def _reopen(
        self, status: Status, *, reason: str, anew: bool, by: str | None, at: datetime
    ) -> None:
        gone = self.destroyed & {Compartment.PACKAGE, Compartment.CORRESPONDENCE}
        if gone or self.ended:
            raise NotAllowedNow(
                f"the content of request {self.id} is destroyed: receive a new one and link the two"
            )
        self.trigger_event(
            self.Reopened,
            reason=code(reason),
            status=status,
            anew=anew,
            by=by,
            timestamp=at,
        )

    def today(self, at: datetime) -> date:
        """The civil date where the controller is."""
        return self._today(at)

    def _today(self, at: datetime) -> date:
        """The civil date, but none before what has happened: clocks of processes may differ."""
        return max(received_on(at, self.country), self.received_on, *self.open_pauses.values())

    def _dates(self, calendar: Calendar, **changes: Any) -> Deadlines:
        """A fold over facts: whatever order they became known in, the dates are the same."""
        _require_country(calendar, self.country)
        facts: dict[str, Any] = {
            "received_on": self.received_on,
            "promise_days": self.promise_days,
            "pauses": self.pauses,
            "notice_sent_on": self.notice_sent_on,
            **changes,
        }
        day, notice = facts["received_on"], facts["notice_sent_on"]
        return deadlines(
            day,
            calendar,
            facts["promise_days"],
            pauses=facts["pauses"],
            extension=notice is not None
            and extension_notice(day, notice, calendar) is not NoticeWindow.REFUSED,
        )


def _require_reasons(reasons: tuple[ExtensionReason, ...]) -> None:
    """Complexity and number, both (Art. 12(3), EDPB 01/2022, 162-164)."""
    if any(reason.is_complexity for reason in reasons) and any(r.is_number for r in reasons):
        return
    raise DomainError(
        "much work alone extends nothing: name what makes the request complex, and that there are "
        "several requests, or answer within the month"
    )


def _as_code(reasons: tuple[ExtensionReason, ...]) -> str:
    return "/".join(sorted({reason.value for reason in reasons}))


def _reasons_in(words: str) -> tuple[ExtensionReason, ...]:
    """The reasons that an event names; those of before there was a list are passed over."""
    known = {reason.value: reason for reason in ExtensionReason}
    return tuple(known[word] for word in words.split("/") if word in known)


_OUTCOME_OF = {
    Decision.KEEP: Outcome.KEPT,
    Decision.BLOCK_AND_REFER: Outcome.BLOCKED_ARCHIVE,
    Decision.REFER: Outcome.REFERRED,
}


def _act_by(right: Right, received_on: date, calendar: Calendar) -> date | None:
    return act_by(received_on, calendar) if right.acts_at_once else None


def _require_arrival(
    arrived: datetime, received_on_day: date, country: Country, at: datetime
) -> None:
    if arrived > at:
        raise DomainError("nothing arrives later than now: check the moment of receipt")
    if received_on(arrived, country) != received_on_day:
        raise DomainError("the day of receipt is not the local day of its moment: count it anew")


def _require_country(calendar: Calendar, country: Country) -> None:
    if calendar.country is not country:
        raise DomainError(f"calendar {calendar.name} is not the one of {country.value}")
