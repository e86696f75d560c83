"""The dashboard: how each request stands against its dates, and how many stand alike (Art. 12(3)).

Dates are civil dates of the controller's country. What is over is counted in tallies as it comes to
be over, so that figures cost as little after years as in the first month (`projections.figures`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Annotated
from uuid import UUID

from domain.deadlines import Deadlines, add_months, received_on
from domain.fulfilment import Fulfilment, fulfilment_id
from domain.request import DataSubjectRequest, Status
from domain.vocabulary import Country
from projections.projection import Projection, Row, Rows, Table, Tally, when


@dataclass(slots=True, kw_only=True)
class Kept(Row):
    """One request, and how it stands against its dates."""

    request_id: Annotated[UUID, "The request"]
    case_id: Annotated[UUID, "The case it came with"]
    fulfilment_id: Annotated[UUID, "Its fulfilment, whether planned yet or not"]
    controller: Annotated[str, "Which controller was asked, by the id of its profile"]
    subject_right: Annotated[str, "Which right is used: access, erasure, …"]
    channel: Annotated[str, "How it came: mail, portal, phone, post, desk or api"]
    country: Annotated[str, "Whose civil date counts: NO or SE"]
    received_on: Annotated[date, "The civil date of receipt"]
    received_month: Annotated[date, "The first day of the month of receipt"] = date.min
    month_due: Annotated[
        date | None, "Last day of the month of Art. 12(3), without extension; none for a courtesy"
    ]
    statutory_due: Annotated[
        date | None, "Last day by Art. 12(3), that of the extension if extended"
    ]
    promise_due: Annotated[date | None, "Last day by the controller's own promise"] = None
    target_due: Annotated[date, "The day to aim for, that of the extension if extended"]
    suspension_relied_on: Annotated[bool, "Whether the controller counts the pauses"] = False
    clock_runs: Annotated[bool, "Whether no answer has been given yet"] = True
    answered_on: Annotated[date | None, "The civil date on which the answer left"] = None
    closed: Annotated[bool, "Whether it was answered and closed"] = False
    ended: Annotated[bool, "Whether nothing of it is left to do or keep"] = False
    outcome: Annotated[str, "in-full, in-part, refused, referred or withdrawn; open before"] = (
        "open"
    )
    systems: Annotated[list[str], "The systems of its plan, by their ids in the profile"] = field(
        default_factory=list
    )
    extended_on: Annotated[date | None, "When the person was told of an extension"] = None
    extended_for: Annotated[str | None, "Why, as codes with a stroke between them"] = None
    refused_on: Annotated[date | None, "The civil date on which it was refused"] = None
    refused_for: Annotated[str | None, "On which ground it was refused, as a code"] = None
    refused_by_law: Annotated[str | None, "The provision the refusal relies on, as a code"] = None
    days_taken: Annotated[int | None, "Days from receipt to answer"] = None
    risk_days: Annotated[int, "Days from the target to an answer that came after it"] = 0
    statutory_kept: Annotated[bool | None, "Whether the answer kept `statutory_due`"] = None
    promise_kept: Annotated[bool | None, "Whether the answer kept `promise_due`"] = None
    target_kept: Annotated[bool | None, "Whether the answer kept `target_due`"] = None
    month_kept: Annotated[bool | None, "Whether the answer came within one month"] = None
    three_months_kept: Annotated[bool | None, "Whether it came within three months"] = None

    def take_dates(self, dates: Deadlines) -> None:
        self.month_due, self.promise_due = dates.statutory_due, dates.promise_due
        self.statutory_due = dates.last_day(relied=self.suspension_relied_on)
        self.target_due = dates.aim(relied=self.suspension_relied_on)

    def settle(self) -> None:
        self.received_month = self.received_on.replace(day=1)
        answered = self.answered_on
        self.days_taken = (answered - self.received_on).days if answered else None
        self.risk_days = max(0, (answered - self.target_due).days) if answered else 0
        self.statutory_kept = self._kept(self.statutory_due)
        self.promise_kept = self._kept(self.promise_due)
        self.target_kept = self._kept(self.target_due)
        self.month_kept = self._kept(self.month_due)
        self.three_months_kept = self._kept(
            add_months(self.received_on, 3) if self.month_due else None
        )

    def _kept(self, due: date | None) -> bool | None:
        return None if due is None or self.answered_on is None else self.answered_on <= due


KEPT = Table(
    "dashboard",
    Kept,
    key=("request_id",),
    found_by=("request_id", "fulfilment_id"),
    comment="One row per request: its dates, and when it was answered",
    indexes=(
        # With all that a list is narrowed down by, so that requests are chosen without their rows.
        "(controller, received_on, request_id) INCLUDE (subject_right, received_month, channel,"
        " outcome, clock_runs, answered_on, target_due, promise_due, statutory_due, target_kept,"
        " promise_kept, statutory_kept, country, systems)",
        "(controller, received_month, subject_right)",
        "(controller, target_due) WHERE clock_runs",
        "(controller, extended_on) WHERE extended_on IS NOT NULL",
        "(controller, refused_on) WHERE refused_on IS NOT NULL",
        "(controller, answered_on) WHERE answered_on IS NOT NULL",
    ),
    tallies=(
        Tally(
            "dashboard_over",
            alike=(
                *("controller", "received_month", "subject_right", "channel", "systems"),
                *("outcome", "clock_runs", "closed", "ended"),
                *("statutory_kept", "promise_kept", "target_kept"),
                *("month_kept", "three_months_kept"),
            ),
            sums=("risk_days",),
            having="answered_on IS NOT NULL OR NOT clock_runs",
            comment="How many requests that are over, or were answered once, stand alike",
        ),
        Tally(
            "dashboard_days",
            alike=(
                *("controller", "received_month", "subject_right", "channel", "systems"),
                "days_taken",
            ),
            having="days_taken IS NOT NULL",
            comment="How many requests were answered after so many days",
        ),
    ),
)

Request = DataSubjectRequest


class Dashboard(Projection):
    name = "dashboard"
    tables = (KEPT,)

    @when(Request.Received)
    def received(self, event: Request.Received, rows: Rows) -> None:
        kept = Kept(
            request_id=event.originator_id,
            case_id=event.case_id,
            fulfilment_id=fulfilment_id(event.originator_id),
            controller=event.controller,
            subject_right=event.right.value,
            channel=event.channel.value,
            country=event.country.value,
            received_on=event.received_on,
            month_due=event.dates.statutory_due,
            statutory_due=event.dates.statutory_due,
            target_due=event.dates.target_due,
        )
        kept.take_dates(event.dates)
        rows.add(KEPT, kept)

    @when(Request.ReceiptCorrected)
    def receipt_corrected(self, event: Request.ReceiptCorrected, rows: Rows) -> None:
        for kept in rows.changing(KEPT, event.originator_id):
            kept.received_on = event.received_on
            kept.take_dates(event.dates)

    @when(Request.Reclassified)
    def reclassified(self, event: Request.Reclassified, rows: Rows) -> None:
        for kept in rows.changing(KEPT, event.originator_id):
            kept.subject_right, kept.controller = event.right.value, event.controller
            kept.take_dates(event.dates)

    @when(Request.SuspensionReliedOn)
    def suspension_relied_on(self, event: Request.SuspensionReliedOn, rows: Rows) -> None:
        for kept in rows.changing(KEPT, event.originator_id):
            kept.suspension_relied_on = True
            kept.take_dates(event.dates)

    @when(Request.PauseEnded, Request.DeadlineRecomputed)
    def dated_anew(
        self, event: Request.PauseEnded | Request.DeadlineRecomputed, rows: Rows
    ) -> None:
        for kept in rows.changing(KEPT, event.originator_id):
            kept.take_dates(event.dates)

    @when(Request.DeadlineExtended)
    def deadline_extended(self, event: Request.DeadlineExtended, rows: Rows) -> None:
        for kept in rows.changing(KEPT, event.originator_id):
            kept.take_dates(event.dates)
            kept.extended_on, kept.extended_for = event.notice_sent_on, event.reasons

    @when(Request.AnswerSent)
    def answer_sent(self, event: Request.AnswerSent, rows: Rows) -> None:
        for kept in rows.changing(KEPT, event.originator_id):
            kept.clock_runs = False
            kept.answered_on = received_on(event.timestamp, Country(kept.country))

    @when(Request.AnswerFetched)
    def answer_fetched(self, event: Request.AnswerFetched, rows: Rows) -> None:
        for kept in rows.changing(KEPT, event.originator_id):
            kept.clock_runs = event.status.is_open
            if kept.answered_on is None:
                kept.answered_on = received_on(event.timestamp, Country(kept.country))

    @when(Request.DeliveryFailed)
    def delivery_failed(self, event: Request.DeliveryFailed, rows: Rows) -> None:
        for kept in rows.changing(KEPT, event.originator_id):
            kept.clock_runs, kept.answered_on = True, None

    @when(Request.TakenBack)
    def taken_back(self, event: Request.TakenBack, rows: Rows) -> None:
        for kept in rows.changing(KEPT, event.originator_id):
            kept.clock_runs, kept.answered_on, kept.outcome = True, None, "open"
            kept.refused_on = kept.refused_for = kept.refused_by_law = None

    @when(Request.IdentityRevoked)
    def identity_revoked(self, event: Request.IdentityRevoked, rows: Rows) -> None:
        for kept in rows.changing(KEPT, event.originator_id):
            kept.clock_runs, kept.answered_on = True, None

    @when(Request.Unlinked)
    def unlinked(self, event: Request.Unlinked, rows: Rows) -> None:
        for kept in rows.changing(KEPT, event.originator_id):
            kept.received_on = event.received_on
            kept.take_dates(event.dates)

    @when(Request.Fulfilled)
    def fulfilled(self, event: Request.Fulfilled, rows: Rows) -> None:
        for kept in rows.changing(KEPT, event.originator_id):
            kept.outcome = "in-part" if event.in_part else "in-full"

    @when(Request.Refused)
    def refused(self, event: Request.Refused, rows: Rows) -> None:
        _dropped(event, rows, Status.REFUSED)
        for kept in rows.changing(KEPT, event.originator_id):
            kept.refused_on = received_on(event.timestamp, Country(kept.country))
            kept.refused_for, kept.refused_by_law = event.ground.value, event.code or None

    @when(Request.Referred)
    def referred(self, event: Request.Referred, rows: Rows) -> None:
        _dropped(event, rows, Status.REFERRED)

    @when(Request.Withdrawn)
    def withdrawn(self, event: Request.Withdrawn, rows: Rows) -> None:
        _dropped(event, rows, Status.WITHDRAWN)

    @when(Request.Closed)
    def was_closed(self, event: Request.Closed, rows: Rows) -> None:
        for kept in rows.changing(KEPT, event.originator_id):
            kept.closed = True

    @when(Request.Ended)
    def has_ended(self, event: Request.Ended, rows: Rows) -> None:
        for kept in rows.changing(KEPT, event.originator_id):
            kept.ended = True

    @when(Request.Reopened)
    def reopened(self, event: Request.Reopened, rows: Rows) -> None:
        for kept in rows.changing(KEPT, event.originator_id):
            kept.clock_runs = event.status.is_open
            kept.closed = False
            if event.anew:
                kept.answered_on, kept.outcome = None, "open"
                kept.refused_on = kept.refused_for = kept.refused_by_law = None

    # Systems

    @when(Fulfilment.Planned, Fulfilment.Replanned)
    def planned(self, event: Fulfilment.Planned | Fulfilment.Replanned, rows: Rows) -> None:
        for kept in rows.changing(KEPT, event.originator_id):
            kept.systems = sorted(plan.system for plan in event.systems)


def _dropped(event: Request.Event, rows: Rows, status: Status) -> None:
    for kept in rows.changing(KEPT, event.originator_id):
        kept.clock_runs, kept.answered_on = status.is_open, None
        kept.outcome = status.value
