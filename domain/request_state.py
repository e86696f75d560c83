"""What is known of a request: every field of it, and what any of its rules may ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any
from uuid import UUID

from domain.aggregate import Aggregate
from domain.calendar import Calendar
from domain.deadlines import (
    Deadlines,
    NoticeWindow,
    Pause,
    deadlines,
    extension_notice,
    received_on,
)
from domain.errors import DomainError, NotAllowedNow
from domain.personal import PersonalRef
from domain.values import FoundRecord, LetterSent, RecordDecision, SystemOutcome
from domain.vocabulary import (
    Channel,
    Compartment,
    ConsultedAbout,
    Country,
    ExtensionReason,
    IdentityMethod,
    Language,
    Missed,
    PauseReason,
    RefusalGround,
    Right,
)


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


@dataclass(frozen=True, slots=True)
class Breach:
    """One disclosure to the wrong person, and how far it has been dealt with."""

    report: PersonalRef
    known_at: datetime | None
    tell_by: datetime | None
    by: str
    letter: UUID | None = None
    categories: tuple[str, ...] = ()
    records: int = 0
    link_withdrawn: bool = False
    fetched_at: datetime | None = None
    notes: tuple[PersonalRef, ...] = ()
    authority_told_at: datetime | None = None
    authority_reasons: PersonalRef | None = None
    authority_settled: bool = False
    person_told: bool | None = None
    person_reasons: PersonalRef | None = None

    @property
    def is_settled(self) -> bool:
        """Whether both questions of Art. 33 and 34 are answered, and the facts written down."""
        return self.authority_settled and self.person_told is not None and bool(self.notes)


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


class Event(Aggregate.Event):
    pass


class RequestState(Aggregate):
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
        self.own_receipt = (received_at, received_on)
        self.dates, self.act_by, self.not_in_policy = dates, act_by, not_in_policy
        self.archive_first = archive_first
        self.status = Status.RECEIVED
        self.dropped = False
        self.acknowledged = False
        self.identity: IdentityMethod | None = None
        self.identity_waived: str | None = None
        self.identity_requested_at: datetime | None = None
        self.identity_asked_by: IdentityMethod | None = None
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
        self.question_reason: str | None = None
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
        self.breaches: Mapping[UUID, Breach] = {}
        self.ended = False
        self.begun_anew_at: datetime | None = None

    # Rules

    def drop(self) -> None:
        """Used by events only: no system is asked for this request any more."""
        self.dropped = True
        self.answer, self.answered_at, self.delivery_failed = None, None, None

    def forget_found(self, at: datetime) -> None:
        """Used by events only: what was searched for is searched for anew."""
        self.found, self.matches, self.decisions = {}, {}, {}
        self.collected_at = self.approved_by = self.approval_note = None
        self.begun_anew_at = at

    def require_undecided(self) -> None:
        """Nothing has been answered, and no erasure ordered."""
        self._require_open()
        if self.right is Right.ERASURE and self.status is Status.APPROVED:
            raise NotAllowedNow(f"the erasure of request {self.id} has been ordered: answer it")

    def _require(self, *allowed: Status) -> None:
        if self.status not in allowed:
            raise NotAllowedNow(f"request {self.id} is {self.status.value}", key="not-now")

    def _require_open(self) -> None:
        if not self.status.is_open or self.refusal is not None:
            raise NotAllowedNow(f"request {self.id} is {self.status.value}", key="not-now")

    def _require_past(self, on: date, at: datetime) -> None:
        if not self.received_on <= on <= self._today(at):
            raise DomainError(f"{on} is before the receipt or still to come: give the true day")

    def today(self, at: datetime) -> date:
        """The civil date where the controller is."""
        return self._today(at)

    def _today(self, at: datetime) -> date:
        """The civil date, but none before what has happened: clocks of processes may differ."""
        return max(received_on(at, self.country), self.received_on, *self.open_pauses.values())

    def _dates(self, calendar: Calendar, **changes: Any) -> Deadlines:
        """A fold over facts: whatever order they became known in, the dates are the same."""
        require_country(calendar, self.country)
        facts: dict[str, Any] = {
            "received_on": self.received_on,
            "promise_days": self.promise_days,
            "pauses": self.pauses,
            "notice_sent_on": self.notice_sent_on,
            "right": self.right,
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
            statutory=facts["right"].is_statutory,
        )


def require_country(calendar: Calendar, country: Country) -> None:
    if calendar.country is not country:
        raise DomainError(f"calendar {calendar.name} is not the one of {country.value}")
