"""The dashboard: how a controller keeps its dates, per right, and where it is at risk.

The shares answered within one and three months are what 32 authorities asked 764 controllers for
in 2025. Dates are civil dates of the controller's country, so every query takes today's.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated
from uuid import UUID

from domain.deadlines import Deadlines, received_on
from domain.request import DataSubjectRequest, Status
from domain.vocabulary import Country
from projections.projection import Projection, Reader, Row, Rows, Table, Today, when


@dataclass(slots=True, kw_only=True)
class Kept(Row):
    """One request, and how it stands against its dates."""

    request_id: Annotated[UUID, "The request"]
    controller: Annotated[str, "Which controller was asked, by the id of its profile"]
    subject_right: Annotated[str, "Which right is used: access, erasure, …"]
    country: Annotated[str, "Whose civil date counts: NO or SE"]
    received_on: Annotated[date, "The civil date of receipt"]
    month_due: Annotated[date, "Last day of the month of Art. 12(3), without extension"]
    statutory_due: Annotated[date, "Last day by Art. 12(3), that of the extension if extended"]
    promise_due: Annotated[date | None, "Last day by the controller's own promise"] = None
    target_due: Annotated[date, "The day to aim for, that of the extension if extended"]
    clock_runs: Annotated[bool, "Whether no answer has been given yet"] = True
    answered_on: Annotated[date | None, "The civil date on which the answer left"] = None
    outcome: Annotated[str, "in-full, in-part, refused, referred or withdrawn; open before"] = (
        "open"
    )

    def take_dates(self, dates: Deadlines) -> None:
        self.month_due, self.promise_due = dates.statutory_due, dates.promise_due
        self.statutory_due = dates.extended_due or dates.statutory_due
        self.target_due = dates.extended_target_due or dates.target_due


@dataclass(frozen=True, slots=True)
class Share:
    """How many answers came in time, of those of which it is known."""

    kept: int
    missed: int

    @property
    def ratio(self) -> float | None:
        known = self.kept + self.missed
        return self.kept / known if known else None


@dataclass(frozen=True, slots=True)
class Measures:
    """How one controller does with one right, or with all of them where `subject_right` is None."""

    controller: str
    subject_right: str | None
    received: int
    open: int
    open_late: int
    open_0_to_2_days: int
    open_3_to_7_days: int
    open_8_to_14_days: int
    open_15_days_or_more: int
    past_promise: int
    past_statutory: int
    statutory: Share
    promise: Share
    target: Share
    within_one_month: Share
    within_three_months: Share
    median_days: float | None
    ninety_percent_days: float | None
    risk_days: int
    """Days between the target and the answer, or today, of everything that came too late."""
    refused: int
    in_part: int


KEPT = Table(
    "dashboard",
    Kept,
    key=("request_id",),
    found_by=("request_id",),
    comment="One row per request: its dates, and when it was answered",
    indexes=("(controller, subject_right)",),
)

Request = DataSubjectRequest


class Dashboard(Projection):
    name = "dashboard"
    tables = (KEPT,)

    @when(Request.Received)
    def received(self, event: Request.Received, rows: Rows) -> None:
        kept = Kept(
            request_id=event.originator_id,
            controller=event.controller,
            subject_right=event.right.value,
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

    @when(Request.PauseEnded, Request.DeadlineExtended, Request.DeadlineRecomputed)
    def dated_anew(
        self,
        event: Request.PauseEnded | Request.DeadlineExtended | Request.DeadlineRecomputed,
        rows: Rows,
    ) -> None:
        for kept in rows.changing(KEPT, event.originator_id):
            kept.take_dates(event.dates)

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

    @when(Request.Fulfilled)
    def fulfilled(self, event: Request.Fulfilled, rows: Rows) -> None:
        for kept in rows.changing(KEPT, event.originator_id):
            kept.outcome = "in-part" if event.in_part else "in-full"

    @when(Request.Refused)
    def refused(self, event: Request.Refused, rows: Rows) -> None:
        _dropped(event, rows, Status.REFUSED)

    @when(Request.Referred)
    def referred(self, event: Request.Referred, rows: Rows) -> None:
        _dropped(event, rows, Status.REFERRED)

    @when(Request.Withdrawn)
    def withdrawn(self, event: Request.Withdrawn, rows: Rows) -> None:
        _dropped(event, rows, Status.WITHDRAWN)

    @when(Request.Reopened)
    def reopened(self, event: Request.Reopened, rows: Rows) -> None:
        for kept in rows.changing(KEPT, event.originator_id):
            kept.clock_runs = event.status.is_open
            if event.anew:
                kept.answered_on, kept.outcome = None, "open"


def _dropped(event: Request.Event, rows: Rows, status: Status) -> None:
    for kept in rows.changing(KEPT, event.originator_id):
        kept.clock_runs, kept.answered_on = status.is_open, None
        kept.outcome = status.value


# Queries


def measures(
    sql: Reader, controllers: Sequence[str], today: Today, *, since: date | None = None
) -> list[Measures]:
    """Per controller and right, and per controller over all rights.

    `since` leaves out what was received before, except what is still open. A request that is open
    after its date has missed it; one that was withdrawn or referred has no answer and counts
    nowhere.
    """
    found = sql.fetch(
        """
        WITH requests AS (
            SELECT r.*, t.today,
                coalesce(r.answered_on, CASE WHEN r.clock_runs THEN t.today END) AS until,
                (r.received_on + interval '3 months')::date AS three_months_due
            FROM views.dashboard r
            JOIN (SELECT key AS country, value::date AS today
                  FROM jsonb_each_text(%(today)s::jsonb)) t USING (country)
            WHERE r.controller = ANY(%(controllers)s)
              AND (r.clock_runs OR r.received_on >= coalesce(%(since)s::date, '-infinity'))
        )
        SELECT controller, subject_right, count(*) AS received,
            count(*) FILTER (WHERE clock_runs) AS open,
            count(*) FILTER (WHERE clock_runs AND target_due < today) AS open_late,
            count(*) FILTER (WHERE clock_runs AND target_due - today BETWEEN 0 AND 2)
                AS open_0_to_2_days,
            count(*) FILTER (WHERE clock_runs AND target_due - today BETWEEN 3 AND 7)
                AS open_3_to_7_days,
            count(*) FILTER (WHERE clock_runs AND target_due - today BETWEEN 8 AND 14)
                AS open_8_to_14_days,
            count(*) FILTER (WHERE clock_runs AND target_due - today >= 15)
                AS open_15_days_or_more,
            count(*) FILTER (WHERE clock_runs AND promise_due < today) AS past_promise,
            count(*) FILTER (WHERE clock_runs AND statutory_due < today) AS past_statutory,
            count(*) FILTER (WHERE answered_on <= statutory_due) AS statutory_kept,
            count(*) FILTER (WHERE until > statutory_due) AS statutory_missed,
            count(*) FILTER (WHERE answered_on <= promise_due) AS promise_kept,
            count(*) FILTER (WHERE until > promise_due) AS promise_missed,
            count(*) FILTER (WHERE answered_on <= target_due) AS target_kept,
            count(*) FILTER (WHERE until > target_due) AS target_missed,
            count(*) FILTER (WHERE answered_on <= month_due) AS month_kept,
            count(*) FILTER (WHERE until > month_due) AS month_missed,
            count(*) FILTER (WHERE answered_on <= three_months_due) AS three_months_kept,
            count(*) FILTER (WHERE until > three_months_due) AS three_months_missed,
            percentile_cont(0.5) WITHIN GROUP (ORDER BY answered_on - received_on)
                AS median_days,
            percentile_cont(0.9) WITHIN GROUP (ORDER BY answered_on - received_on)
                AS ninety_percent_days,
            coalesce(sum(until - target_due) FILTER (WHERE until > target_due), 0) AS risk_days,
            count(*) FILTER (WHERE outcome = 'refused') AS refused,
            count(*) FILTER (WHERE outcome = 'in-part') AS in_part
        FROM requests
        GROUP BY GROUPING SETS ((controller, subject_right), (controller))
        ORDER BY controller, subject_right NULLS FIRST
        """,
        {
            "controllers": list(controllers),
            "today": json.dumps({country.value: str(day) for country, day in today.items()}),
            "since": since,
        },
    )
    for row in found:
        for name, column in _SHARES.items():
            row[name] = Share(row.pop(f"{column}_kept"), row.pop(f"{column}_missed"))
    return [Measures(**row) for row in found]


_SHARES = {
    "statutory": "statutory",
    "promise": "promise",
    "target": "target",
    "within_one_month": "month",
    "within_three_months": "three_months",
}
