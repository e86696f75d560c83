"""DataSubjectRequest: one right, asked once, with its own clock and its own outcome.

The rules below cannot be got round by any caller: no personal data before identity (Art. 12(6)),
no closing without the letter that explains what was kept or refused (Art. 12(4)), no refusal
without a human name, no extension without its notice in time (Art. 12(3)).
"""

from __future__ import annotations

from datetime import date, datetime
from enum import Enum
from uuid import UUID

from eventsourcing.domain import event

from domain.aggregate import Aggregate, AggregateCreated
from domain.calendar import Calendar
from domain.case import request_id
from domain.deadlines import Deadlines, NoticeWindow, Pause, deadlines, extension_notice
from domain.errors import DomainError, NotAllowedNow
from domain.personal import PersonalRef
from domain.values import FoundRecord, LetterSent, RecordDecision, SystemOutcome
from domain.vocabulary import (
    Channel,
    Compartment,
    Country,
    IdentityMethod,
    Language,
    Outcome,
    Right,
)


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


class PauseReason(Enum):
    """Why the person is asked something; never a reason to silence an alarm (EDPB 01/2022, 159)."""

    IDENTITY = "identity"
    SCOPE = "scope"
    AUTHORITY = "authority"


class RefusalGround(Enum):
    UNFOUNDED = "manifestly-unfounded"
    EXCESSIVE = "excessive"
    CANNOT_IDENTIFY = "cannot-identify"
    NATIONAL_EXCEPTION = "national-exception"
    NOT_ENTITLED = "conditions-not-met"

    @property
    def needs_two_people(self) -> bool:
        """Art. 12(5): the controller bears the burden of demonstrating it."""
        return self in {RefusalGround.UNFOUNDED, RefusalGround.EXCESSIVE}


class Missed(Enum):
    TARGET = "target"
    PROMISE = "promise"
    STATUTORY = "statutory"


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

    class ReceiptCorrected(Event):
        TOPIC = "request.receipt-corrected"
        received_at: datetime
        received_on: date
        dates: Deadlines
        reason: str
        by: str

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.received_at, aggregate.received_on = self.received_at, self.received_on
            aggregate.dates = self.dates

    class Reclassified(Event):
        TOPIC = "request.reclassified"
        right: Right
        controller: str
        by: str

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.right, aggregate.controller = self.right, self.controller

    class Referred(Event):
        TOPIC = "request.referred"
        to: str
        by: str

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.status = Status.REFERRED

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

    class IdentityVerified(Event):
        TOPIC = "request.identity-verified"
        method: IdentityMethod
        person: PersonalRef
        by: str | None = None

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

    class ClarificationRequested(Event):
        TOPIC = "request.clarification-requested"
        question: PersonalRef
        by: str

    class Clarified(Event):
        TOPIC = "request.clarified"
        answer: PersonalRef

    class PauseOpened(Event):
        TOPIC = "request.pause-opened"
        reason: PauseReason
        on: date

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.open_pauses = {**aggregate.open_pauses, self.reason: self.on}

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
            aggregate.dates = self.dates

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
            aggregate.extended = True

    class DeadlineRecomputed(Event):
        TOPIC = "request.deadline-recomputed"
        dates: Deadlines

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.dates = self.dates

    class DataCollected(Event):
        TOPIC = "request.data-collected"
        found: tuple[FoundRecord, ...]

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.status = Status.COLLECTED
            aggregate.found = {record.record_id: record for record in self.found}

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
        decisions: tuple[RecordDecision, ...]
        profile_version: str
        by: str
        note: PersonalRef | None = None

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.status = Status.APPROVED
            aggregate.decisions = {d.record_id: d for d in self.decisions}
            aggregate.approved_by = self.by
            aggregate.approval_note = self.note

    class AnswerSent(Event):
        TOPIC = "request.answer-sent"
        sent: LetterSent
        profile_version: str

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.status = Status.ANSWERED
            aggregate.letters = (*aggregate.letters, self.sent)
            aggregate.explained = aggregate.explained | frozenset(self.sent.explains)
            aggregate.answered_at = self.timestamp
            aggregate.delivery_failed = None

    class AnswerFetched(Event):
        TOPIC = "request.answer-fetched"

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.fetched_at = aggregate.fetched_at or self.timestamp

    class DeliveryFailed(Event):
        TOPIC = "request.delivery-failed"
        reason: str

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.delivery_failed = self.reason
            aggregate.status = Status.APPROVED

    class Fulfilled(Event):
        TOPIC = "request.fulfilled"
        in_part: bool
        outcomes: tuple[SystemOutcome, ...]

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.status = Status.FULFILLED
            aggregate.in_part = self.in_part
            aggregate.outcomes = self.outcomes

    class Refused(Event):
        TOPIC = "request.refused"
        ground: RefusalGround
        by: str
        second: str | None
        reasons: PersonalRef

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.status = Status.REFUSED
            aggregate.refusal = self.ground

    class Withdrawn(Event):
        TOPIC = "request.withdrawn"

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.status = Status.WITHDRAWN

    class ReminderDue(Event):
        TOPIC = "request.reminder-due"
        reminder: str
        on: date

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
            aggregate.status_before_closing = aggregate.status
            aggregate.status = Status.CLOSED
            aggregate.closed_at = self.timestamp

    class Reopened(Event):
        TOPIC = "request.reopened"
        reason: str
        by: str | None

        def apply(self, aggregate: DataSubjectRequest) -> None:
            aggregate.status = aggregate.status_before_closing
            aggregate.closed_at = None

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
    ) -> None:
        self.recorded_at = timestamp
        self.case_id, self.controller, self.country = case_id, controller, country
        self.profile_version, self.promise_days = profile_version, promise_days
        self.right, self.channel, self.language = right, channel, language
        self.requester = requester
        self.received_at, self.received_on = received_at, received_on
        self.dates, self.act_by, self.not_in_policy = dates, act_by, not_in_policy
        self.status = Status.RECEIVED
        self.status_before_closing = Status.RECEIVED
        self.acknowledged = False
        self.identity: IdentityMethod | None = None
        self.identity_waived: str | None = None
        self.identity_requested_at: datetime | None = None
        self.identity_failures = 0
        self.open_pauses: dict[PauseReason, date] = {}
        self.pauses: tuple[Pause, ...] = ()
        self.extended = False
        self.assigned_to: str | None = None
        self.linked: tuple[UUID, ...] = ()
        self.found: dict[UUID, FoundRecord] = {}
        self.matches: dict[UUID, bool] = {}
        self.decisions: dict[UUID, RecordDecision] = {}
        self.approved_by: str | None = None
        self.approval_note: PersonalRef | None = None
        self.letters: tuple[LetterSent, ...] = ()
        self.explained: frozenset[Outcome] = frozenset()
        self.outcomes: tuple[SystemOutcome, ...] = ()
        self.in_part = False
        self.refusal: RefusalGround | None = None
        self.delivery_failed: str | None = None
        self.answered_at: datetime | None = None
        self.fetched_at: datetime | None = None
        self.closed_at: datetime | None = None
        self.reminders: frozenset[str] = frozenset()
        self.missed: frozenset[Missed] = frozenset()
        self.destroyed: frozenset[Compartment] = frozenset()
        self.archived = False
        self.ended = False

    @staticmethod
    def create_id(case_id: UUID, right: Right) -> UUID:
        return request_id(case_id, right)

    @property
    def is_identified(self) -> bool:
        return self.identity is not None or self.identity_waived is not None

    @property
    def undecided_matches(self) -> tuple[FoundRecord, ...]:
        """Weak matches that still wait for a person."""
        return tuple(
            record
            for record in self.found.values()
            if record.needs_a_person and record.record_id not in self.matches
        )

    @property
    def own_records(self) -> tuple[FoundRecord, ...]:
        """The records that are the person's: strong matches and confirmed weak ones."""
        return tuple(
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
    ) -> None:
        """The earliest proven arrival counts (EDPB 01/2022, 159); the old one stays in the log."""
        _named(by)
        dates = self._dates(calendar, received_on=received_on)
        self.trigger_event(
            self.ReceiptCorrected,
            received_at=received_at,
            received_on=received_on,
            dates=dates,
            reason=reason,
            by=by,
            timestamp=at,
        )

    def reclassify(self, *, right: Right, controller: str, by: str, at: datetime) -> None:
        """A wrong right or controller is put right; the receipt stays where it was."""
        self._require(Status.RECEIVED)
        _named(by)
        self.trigger_event(
            self.Reclassified, right=right, controller=controller, by=by, timestamp=at
        )

    def refer(self, *, to: str, by: str, at: datetime) -> None:
        self._require_open()
        self.trigger_event(self.Referred, to=to, by=_named(by), timestamp=at)

    def link(self, *, to: UUID, by: str, at: datetime) -> None:
        if to == self.id:
            raise DomainError("a request cannot be linked to itself")
        if to not in self.linked:
            self.trigger_event(self.Linked, to=to, by=_named(by), timestamp=at)

    def acknowledge(self, *, sent: LetterSent, at: datetime) -> None:
        if not self.acknowledged:
            self.trigger_event(self.Acknowledged, sent=sent, timestamp=at)

    def assign(self, *, to: str, by: str, at: datetime) -> None:
        self.trigger_event(self.Assigned, to=to, by=_named(by), timestamp=at)

    # Commands that concern identity

    def request_identity(self, *, method: IdentityMethod, reason: str, at: datetime) -> None:
        """Ask for what is needed and no more; the reason is recorded each time (Art. 12(6))."""
        self._require(Status.RECEIVED)
        if not reason:
            raise DomainError("say why there is doubt about who is asking")
        self.trigger_event(self.IdentityRequested, method=method, reason=reason, timestamp=at)

    def verify_identity(
        self, *, method: IdentityMethod, person: PersonalRef, by: str | None = None, at: datetime
    ) -> None:
        if self.identity is not None:
            return
        self._require(Status.RECEIVED)
        self.trigger_event(self.IdentityVerified, method=method, person=person, by=by, timestamp=at)

    def waive_verification(self, *, reason: str, by: str | None = None, at: datetime) -> None:
        self._require(Status.RECEIVED)
        if not reason:
            raise DomainError("say why identity need not be verified")
        self.trigger_event(self.VerificationNotNeeded, reason=reason, by=by, timestamp=at)

    def fail_identity(self, *, method: IdentityMethod, reason: str, at: datetime) -> None:
        self._require(Status.RECEIVED)
        self.trigger_event(self.IdentityFailed, method=method, reason=reason, timestamp=at)

    # Commands that concern the clock

    def open_pause(self, *, reason: PauseReason, on: date, at: datetime) -> None:
        self._require_open()
        if reason not in self.open_pauses:
            self.trigger_event(self.PauseOpened, reason=reason, on=on, timestamp=at)

    def end_pause(self, *, reason: PauseReason, on: date, calendar: Calendar, at: datetime) -> None:
        if reason not in self.open_pauses:
            return
        pauses = (*self.pauses, Pause(self.open_pauses[reason], on))
        dates = self._dates(calendar, pauses=pauses)
        self.trigger_event(self.PauseEnded, reason=reason, on=on, dates=dates, timestamp=at)

    def extend_deadline(
        self,
        *,
        reasons: str,
        notice: PersonalRef,
        notice_sent_on: date,
        calendar: Calendar,
        by: str,
        at: datetime,
    ) -> None:
        """Two more months, for complexity and number, with notice in the first (Art. 12(3))."""
        self._require_open()
        if self.extended:
            raise NotAllowedNow(f"request {self.id} has been extended already")
        if not reasons:
            raise DomainError("the notice must give reasons: complexity and number of requests")
        window = extension_notice(self.received_on, notice_sent_on, calendar)
        if window is NoticeWindow.REFUSED:
            raise DomainError(
                f"the notice had to be sent by {self.dates.statutory_due}; it is too late to extend"
            )
        self.trigger_event(
            self.DeadlineExtended,
            reasons=reasons,
            notice=notice,
            notice_sent_on=notice_sent_on,
            dates=self._dates(calendar, extended=True),
            late_warning=window is NoticeWindow.WARN,
            by=_named(by),
            timestamp=at,
        )

    def recompute_deadlines(self, *, calendar: Calendar, at: datetime) -> None:
        """A new calendar version moves open requests; the old date stays in the log."""
        dates = self._dates(calendar)
        if self.status.is_open and dates != self.dates:
            self.trigger_event(self.DeadlineRecomputed, dates=dates, timestamp=at)

    def remind(self, *, reminder: str, on: date, at: datetime) -> None:
        """Each reminder once."""
        if self.status.is_open and reminder not in self.reminders:
            self.trigger_event(self.ReminderDue, reminder=reminder, on=on, timestamp=at)

    def miss(self, *, today: date, at: datetime) -> None:
        """Record each date that has passed without an answer, once, against that date."""
        if not self.status.is_open:
            return
        late = (
            (Missed.TARGET, self.dates.target_due, self.TargetMissed),
            (Missed.PROMISE, self.dates.promise_due, self.PromiseMissed),
            (
                Missed.STATUTORY,
                self.dates.extended_due or self.dates.statutory_due,
                self.StatutoryMissed,
            ),
        )
        for missed, due_on, event_class in late:
            if due_on is not None and today > due_on and missed not in self.missed:
                self.trigger_event(event_class, due_on=due_on, timestamp=at)

    # Commands that concern deciding

    def collect_data(self, *, found: tuple[FoundRecord, ...], at: datetime) -> None:
        self._require(Status.VERIFIED)
        self.trigger_event(self.DataCollected, found=found, timestamp=at)

    def confirm_match(self, *, record_id: UUID, reason: str, by: str, at: datetime) -> None:
        self._match(record_id, self.MatchConfirmed, reason=reason, by=by, at=at)

    def reject_match(self, *, record_id: UUID, reason: str, by: str, at: datetime) -> None:
        self._match(record_id, self.MatchRejected, reason=reason, by=by, at=at)

    def approve(
        self,
        *,
        decisions: tuple[RecordDecision, ...],
        profile_version: str,
        by: str,
        note: PersonalRef | None = None,
        at: datetime,
    ) -> None:
        """A person approves what will be done, record by record; none of the person's is missed."""
        self._require(Status.COLLECTED)
        _named(by)
        if self.undecided_matches:
            raise NotAllowedNow(
                f"{len(self.undecided_matches)} matches wait: confirm or reject each of them first"
            )
        if self.right is Right.ERASURE:
            own = {record.record_id for record in self.own_records}
            if {d.record_id for d in decisions} != own:
                raise DomainError("the decisions must cover exactly the records that are theirs")
        self.trigger_event(
            self.Approved,
            decisions=decisions,
            profile_version=profile_version,
            by=by,
            note=note,
            timestamp=at,
        )

    def refuse(
        self,
        *,
        ground: RefusalGround,
        reasons: PersonalRef,
        by: str,
        second: str | None = None,
        at: datetime,
    ) -> None:
        """No refusal without a human name; Art. 12(5) needs two."""
        self._require_open()
        _named(by)
        if ground.needs_two_people and (not second or second == by):
            raise DomainError("unfounded or excessive is decided by two people: name the second")
        self.trigger_event(
            self.Refused, ground=ground, reasons=reasons, by=by, second=second, timestamp=at
        )

    # Commands that concern answering

    def send_answer(self, *, sent: LetterSent, profile_version: str, at: datetime) -> None:
        """Record that the answer left. No answer leaves before identity is settled."""
        if not self.is_identified and self.refusal is None:
            raise NotAllowedNow(f"request {self.id} has no verified identity: no data may leave")
        if self.right.acts_at_once:
            self._require(Status.VERIFIED, Status.APPROVED, Status.REFUSED)
        else:
            self._require(Status.APPROVED, Status.REFUSED)
        self.trigger_event(
            self.AnswerSent, sent=sent, profile_version=profile_version, timestamp=at
        )

    def fetch_answer(self, *, at: datetime) -> None:
        if self.answered_at is None:
            raise NotAllowedNow(f"request {self.id} has no answer to fetch")
        self.trigger_event(self.AnswerFetched, timestamp=at)

    def fail_delivery(self, *, reason: str, at: datetime) -> None:
        """A bounce, or a link nobody opened: the person has no answer, so the clock runs on."""
        if self.answered_at is None:
            raise NotAllowedNow(f"request {self.id} has not been answered")
        if self.fetched_at is None and self.delivery_failed is None:
            self.trigger_event(self.DeliveryFailed, reason=reason, timestamp=at)

    def fulfil(self, *, outcomes: tuple[SystemOutcome, ...], at: datetime) -> None:
        """Done, in full or in part; nothing kept may be left unexplained (Art. 12(4))."""
        self._require(Status.ANSWERED)
        self._require_explained(outcomes)
        self.trigger_event(
            self.Fulfilled,
            in_part=any(o.to_explain for o in outcomes),
            outcomes=outcomes,
            timestamp=at,
        )

    def withdraw(self, *, at: datetime) -> None:
        self._require_open()
        self.trigger_event(self.Withdrawn, timestamp=at)

    def close(self, *, at: datetime, by: str | None = None) -> None:
        """Closed means answered. What was kept or refused must have been told, with the remedy."""
        if self.status is Status.CLOSED:
            return
        if self.refusal is not None and self.answered_at is None:
            raise NotAllowedNow(f"request {self.id} was refused, but no letter has said so")
        if self.refusal is None:
            self._require(Status.FULFILLED, Status.REFERRED, Status.WITHDRAWN)
        self._require_explained(self.outcomes)
        self.trigger_event(self.Closed, by=by, timestamp=at)

    def reopen(self, *, reason: str, at: datetime, by: str | None = None) -> None:
        """Back to work; the receipt, and with it the clock, is the old one."""
        self._require(Status.CLOSED)
        self.trigger_event(self.Reopened, reason=reason, by=by, timestamp=at)

    # Commands that come afterwards

    def hand_to_archive(self, *, receipt: PersonalRef, by: str, at: datetime) -> None:
        self._require(Status.CLOSED)
        self.trigger_event(self.HandedToArchive, receipt=receipt, by=_named(by), timestamp=at)

    def report_disclosure(self, *, report: PersonalRef, by: str, at: datetime) -> None:
        self.trigger_event(self.DisclosureReported, report=report, by=_named(by), timestamp=at)

    def destroy_content(self, *, compartment: Compartment, at: datetime) -> None:
        """Record that a compartment of the vault is gone; the facts here stay readable."""
        if compartment not in self.destroyed:
            self.trigger_event(self.ContentDestroyed, compartment=compartment, timestamp=at)

    def end(self, *, at: datetime) -> None:
        """Nothing left to do or to keep."""
        self._require(Status.CLOSED)
        if not self.ended:
            self.trigger_event(self.Ended, timestamp=at)

    # Rules

    def _require(self, *allowed: Status) -> None:
        if self.status not in allowed:
            raise NotAllowedNow(f"request {self.id} is {self.status.value}")

    def _require_open(self) -> None:
        if not self.status.is_open or self.refusal is not None:
            raise NotAllowedNow(f"request {self.id} is {self.status.value}")

    def _require_explained(self, outcomes: tuple[SystemOutcome, ...]) -> None:
        silent = {told for o in outcomes for told in o.to_explain} - self.explained
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
            event_class, record_id=record_id, reason=reason, by=_named(by), timestamp=at
        )

    def _dates(
        self,
        calendar: Calendar,
        *,
        received_on: date | None = None,
        pauses: tuple[Pause, ...] | None = None,
        extended: bool | None = None,
    ) -> Deadlines:
        return deadlines(
            received_on or self.received_on,
            calendar,
            self.promise_days,
            pauses=self.pauses if pauses is None else pauses,
            extension=self.extended if extended is None else extended,
        )


def _named(by: str) -> str:
    if not by or not by.strip():
        raise DomainError("a decision needs a human name: say who decides")
    return by
