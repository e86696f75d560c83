"""The dashboard: how a controller keeps its dates, per right, and where it is at risk.

The shares answered within one and three months are what 32 authorities asked 764 controllers for
in 2025. Dates are civil dates of the controller's country, so every query takes today's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil, inf
from typing import Annotated, Any, LiteralString
from uuid import UUID

from domain.deadlines import Deadlines, add_months, received_on
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

    def take_dates(self, dates: Deadlines) -> None:
        self.month_due, self.promise_due = dates.statutory_due, dates.promise_due
        self.statutory_due = dates.last_day(relied=self.suspension_relied_on)
        self.target_due = dates.aim(relied=self.suspension_relied_on)


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
    closed: int
    """Answered; something may still be kept. Over all time, whatever `since` says."""
    ended: int
    """Nothing is left to do or to keep."""


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

    @when(Request.SuspensionReliedOn)
    def suspension_relied_on(self, event: Request.SuspensionReliedOn, rows: Rows) -> None:
        for kept in rows.changing(KEPT, event.originator_id):
            kept.suspension_relied_on = True
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
    # To gather what is alike costs the database a fifth of what sums and medians of all do.
    alike = [_still_open(group, today) for group in sql.fetch(_OPEN, [list(controllers)])]
    alike += sql.fetch(_ANSWERED, {"controllers": list(controllers), "since": since})
    alike += sql.fetch(_OVER, [list(controllers)])
    groups: dict[tuple[str, str | None], list[dict[str, Any]]] = {}
    for group in alike:
        for right in (None, group["subject_right"]):
            groups.setdefault((group["controller"], right), []).append(group)
    ordered = sorted(groups.items(), key=lambda item: (item[0][0], item[0][1] or ""))
    return [_measured(controller, right, found) for (controller, right), found in ordered]


_OPEN: LiteralString = """
    SELECT controller, subject_right, outcome, country, answered_on IS NOT NULL AS answered,
        received_on, month_due, statutory_due, promise_due, target_due, count(*) AS requests
    FROM views.dashboard WHERE controller = ANY(%s) AND clock_runs
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
"""
_ANSWERED: LiteralString = """
    SELECT controller, subject_right, outcome, clock_runs,
        answered_on <= statutory_due AS statutory, answered_on <= promise_due AS promise,
        answered_on <= target_due AS target, answered_on <= month_due AS within_one_month,
        CASE WHEN month_due IS NOT NULL
            THEN answered_on <= received_on + interval '3 months' END AS within_three_months,
        answered_on - received_on AS days,
        greatest(answered_on - target_due, 0) AS risk_days, count(*) AS requests
    FROM views.dashboard
    WHERE controller = ANY(%(controllers)s) AND (answered_on IS NOT NULL OR NOT clock_runs)
      AND (clock_runs OR received_on >= coalesce(%(since)s::date, '-infinity'))
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
"""
"""Also those that were opened again after an answer, which are counted among the open ones too."""


_OVER: LiteralString = """
    SELECT controller, subject_right, sum(closed::integer)::bigint AS closed,
        sum(ended::integer)::bigint AS ended
    FROM views.dashboard WHERE controller = ANY(%s) AND closed GROUP BY 1, 2
"""


def _still_open(group: dict[str, Any], today: Today) -> dict[str, Any]:
    """What is open today, with the dates that it has missed unanswered."""
    day = today[Country(group["country"])]
    missed = {
        "statutory": group["statutory_due"],
        "promise": group["promise_due"],
        "target": group["target_due"],
        "within_one_month": group["month_due"],
        "within_three_months": add_months(group["received_on"], 3) if group["month_due"] else None,
    }
    if group["answered"]:
        missed = {}
    return {
        **group,
        **{name: False for name, due in missed.items() if due is not None and due < day},
        "days_left": (group["target_due"] - day).days,
        "past_promise": group["promise_due"] is not None and group["promise_due"] < day,
        "past_statutory": group["statutory_due"] is not None and group["statutory_due"] < day,
        "risk_days": max(0, (day - group["target_due"]).days) if missed else 0,
    }


_DATES = ("statutory", "promise", "target", "within_one_month", "within_three_months")


def _measured(controller: str, right: str | None, groups: Sequence[dict[str, Any]]) -> Measures:
    said: Counter[tuple[str, object]] = Counter()
    left: Counter[int] = Counter()
    days: Counter[int] = Counter()
    risk_days = 0
    for group in groups:
        if "ended" in group:
            said["closed", True] += group["closed"]
            said["ended", True] += group["ended"]
            continue
        requests = group["requests"]
        risk_days += requests * (group["risk_days"] or 0)
        for date_of in _DATES:
            said[date_of, group.get(date_of)] += requests
        if group.get("days") is not None:
            days[group["days"]] += requests
        if "days_left" in group:
            left[group["days_left"]] += requests
            said["past_promise", group["past_promise"]] += requests
            said["past_statutory", group["past_statutory"]] += requests
        if "days_left" in group or not group["clock_runs"]:
            said["received", True] += requests
            said["outcome", group["outcome"]] += requests

    def due_in(least: float, most: float = inf) -> int:
        return sum(requests for day, requests in left.items() if least <= day <= most)

    return Measures(
        controller=controller,
        subject_right=right,
        received=said["received", True],
        open=left.total(),
        open_late=due_in(-inf, -1),
        open_0_to_2_days=due_in(0, 2),
        open_3_to_7_days=due_in(3, 7),
        open_8_to_14_days=due_in(8, 14),
        open_15_days_or_more=due_in(15),
        past_promise=said["past_promise", True],
        past_statutory=said["past_statutory", True],
        **{date_of: Share(said[date_of, True], said[date_of, False]) for date_of in _DATES},
        median_days=_percentile(days, 0.5),
        ninety_percent_days=_percentile(days, 0.9),
        risk_days=risk_days,
        refused=said["outcome", "refused"],
        in_part=said["outcome", "in-part"],
        closed=said["closed", True],
        ended=said["ended", True],
    )


def _percentile(days: Counter[int], share: float) -> float | None:
    """As PostgreSQL's `percentile_cont`: between two answers, in proportion."""
    if not days:
        return None
    place = share * (days.total() - 1)
    lower, upper = (_at(days, int(place)), _at(days, ceil(place)))
    return lower + (upper - lower) * (place - int(place))


def _at(days: Counter[int], place: int) -> int:
    for number in sorted(days):
        place -= days[number]
        if place < 0:
            return number
    raise IndexError(place)
