"""What connected systems were asked for each request, and how far each has come (Art. 19)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, LiteralString
from uuid import UUID

from domain.fulfilment import Fulfilment, SystemStatus
from domain.request import DataSubjectRequest
from domain.values import PlannedSystem
from domain.vocabulary import Action
from projections.figures import percentile
from projections.projection import Projection, Reader, Row, Rows, Table, Tally, when


@dataclass(slots=True, kw_only=True)
class Asked(Row):
    """One system that was asked on behalf of one request."""

    fulfilment_id: Annotated[UUID, "The fulfilment"]
    system: Annotated[str, "The system, by its id in the profile; recipients begin with recipient:"]
    request_id: Annotated[UUID, "The request"]
    case_id: Annotated[UUID, "The case"]
    controller: Annotated[str, "The controller, by the id of its profile"]
    role: Annotated[str, "What the system is to the controller: processor, internal, …"]
    delivery: Annotated[str, "How it is told: connector, file, person, …"]
    connector: Annotated[str, "Which connector speaks to it"]
    action: Annotated[str, "What it was asked to do last: find, erase, suppress, …"]
    state: Annotated[str, "Where it stands: asked, unavailable, waiting-for-person, done, …"]
    since: Annotated[datetime, "When it came into this state"]
    attempts: Annotated[int, "How often it has been tried in vain since it was asked"] = 0
    next_try_at: Annotated[datetime | None, "When it is tried, or looked at, again"] = None
    waits_for: Annotated[str | None, "What a person must do, as a code"] = None
    reason: Annotated[str | None, "Why it did not answer, as a code"] = None
    records_found: Annotated[int | None, "How many records it said it may hold"] = None
    unexpected: Annotated[int, "How many of them were still there after erasure"] = 0
    outcome: Annotated[str | None, "What became of an action on the person as a whole"] = None
    dropped: Annotated[bool, "Whether the request needs no system any more"] = False
    failures: Annotated[int, "How often it failed, over all actions"] = 0
    failed_at: Annotated[datetime | None, "When it failed last"] = None
    answered_at: Annotated[datetime | None, "When it answered last"] = None
    asked_at: Annotated[datetime, "When it was asked first"]
    asked_month: Annotated[date, "The first day of that month, by UTC"] = date.min
    hours_taken: Annotated[
        int | None, "Whole hours from then until it had done what it was asked; days as 24"
    ] = None
    failures_by_month: Annotated[
        dict[str, int], "How often it failed in each month (YYYY-MM, by UTC)"
    ] = field(default_factory=dict)

    def settle(self) -> None:
        self.asked_month = self.asked_at.date().replace(day=1)
        self.hours_taken = None
        if self.state in _AT_REST:
            hours = int((self.since - self.asked_at).total_seconds()) // 3600
            # Beyond two days nobody counts hours, and whole days are far fewer to tell apart.
            self.hours_taken = hours if hours < 48 else hours // 24 * 24

    def to(self, state: SystemStatus, since: datetime) -> None:
        self.state, self.since = state.value, since
        self.next_try_at = self.waits_for = self.reason = None


@dataclass(frozen=True, slots=True)
class Failures:
    """How reliably one system of one controller answers, and how long it takes."""

    controller: str
    system: str
    asked: int
    failures: int
    unavailable_now: int
    waiting_for_person: int
    open: int
    failed_at: datetime | None
    answered_at: datetime | None
    suspended_at: datetime | None
    """Since when it is only probed, because it kept failing whatever it was asked."""
    median_hours: float | None = None
    ninety_percent_hours: float | None = None


_AT_REST = frozenset({SystemStatus.FOUND.value, SystemStatus.DONE.value})

ASKED = Table(
    "connector_tasks",
    Asked,
    key=("fulfilment_id", "system"),
    found_by=("fulfilment_id", "request_id"),
    comment="One row per request and system: what it was asked, and how far it has come",
    indexes=(
        "(controller, system, state)",
        "(controller, state, since) WHERE NOT dropped AND state NOT IN ('found', 'done')",
        "(controller, system, failed_at) WHERE failures > 0",
    ),
    tallies=(
        Tally(
            "connector_answers",
            alike=("controller", "system", "asked_month", "state", "dropped", "hours_taken"),
            sums=("failures",),
            comment="How many requests stand alike at a system, and how long it took",
        ),
    ),
)


Request = DataSubjectRequest


class ConnectorTasks(Projection):
    name = "connector_tasks"
    tables = (ASKED,)

    @when(Fulfilment.Planned)
    def planned(self, event: Fulfilment.Planned, rows: Rows) -> None:
        for plan in event.systems:
            rows.add(
                ASKED,
                Asked(
                    fulfilment_id=event.originator_id,
                    system=plan.system,
                    request_id=event.request_id,
                    case_id=event.case_id,
                    controller=event.controller,
                    role=plan.role.value,
                    delivery=plan.delivery.value,
                    connector=plan.connector,
                    action=plan.action.value,
                    state=SystemStatus.ASKED.value,
                    since=event.timestamp,
                    asked_at=event.timestamp,
                ),
            )

    @when(Fulfilment.Replanned)
    def replanned(self, event: Fulfilment.Replanned, rows: Rows) -> None:
        known = {asked.system: asked for asked in rows.changing(ASKED, event.originator_id)}
        for asked in known.values():
            asked.dropped = True
        for plan in event.systems:
            found = known.get(plan.system)
            if found is not None:
                found.to(SystemStatus.ASKED, event.timestamp)
                found.action, found.attempts, found.dropped = plan.action.value, 0, False
                found.records_found = found.outcome = None
                found.asked_at = event.timestamp
            else:
                for beside in list(known.values())[:1]:
                    rows.add(ASKED, _beside(beside, plan, event.originator_id, event.timestamp))

    @when(Fulfilment.LineAdded)
    def line_added(self, event: Fulfilment.LineAdded, rows: Rows) -> None:
        for beside in list(rows.of(ASKED, event.originator_id))[:1]:
            rows.add(ASKED, _beside(beside, event.line, event.originator_id, event.timestamp))

    @when(Fulfilment.Instructed)
    def instructed(self, event: Fulfilment.Instructed, rows: Rows) -> None:
        for asked in rows.changing(ASKED, event.originator_id, system=event.system):
            asked.to(SystemStatus.ASKED, event.timestamp)
            asked.action, asked.attempts = event.action.value, 0

    @when(Fulfilment.Answered)
    def answered(self, event: Fulfilment.Answered, rows: Rows) -> None:
        for asked in rows.changing(ASKED, event.originator_id, system=event.system):
            asked.answered_at = event.timestamp
            if event.late:
                continue
            asked.attempts = 0
            if event.action is Action.FIND:
                asked.to(SystemStatus.FOUND, event.timestamp)
                asked.records_found = len(event.found)
            elif event.action is Action.ERASE:
                asked.to(SystemStatus.TREATED, event.timestamp)
            else:
                asked.to(SystemStatus.DONE, event.timestamp)
                asked.outcome = event.outcome.value if event.outcome else None

    @when(Fulfilment.PendingAtVendor)
    def pending_at_vendor(self, event: Fulfilment.PendingAtVendor, rows: Rows) -> None:
        for asked in rows.changing(ASKED, event.originator_id, system=event.system):
            asked.to(SystemStatus.PENDING_AT_VENDOR, event.timestamp)
            asked.next_try_at = event.not_before

    @when(Fulfilment.Unavailable)
    def unavailable(self, event: Fulfilment.Unavailable, rows: Rows) -> None:
        for asked in rows.changing(ASKED, event.originator_id, system=event.system):
            failing = asked.state == SystemStatus.UNAVAILABLE.value
            asked.to(SystemStatus.UNAVAILABLE, asked.since if failing else event.timestamp)
            asked.attempts, asked.next_try_at = event.attempt, event.next_try_at
            asked.reason = event.reason
            asked.failures, asked.failed_at = asked.failures + 1, event.timestamp
            month = f"{event.timestamp:%Y-%m}"
            so_far = asked.failures_by_month
            asked.failures_by_month = {**so_far, month: so_far.get(month, 0) + 1}

    @when(Fulfilment.Escalated)
    def escalated(self, event: Fulfilment.Escalated, rows: Rows) -> None:
        for asked in rows.changing(ASKED, event.originator_id, system=event.system):
            asked.to(SystemStatus.WAITING_FOR_PERSON, event.timestamp)
            asked.waits_for = event.reason

    @when(Fulfilment.ReadBack)
    def read_back(self, event: Fulfilment.ReadBack, rows: Rows) -> None:
        for asked in rows.changing(ASKED, event.originator_id, system=event.system):
            asked.unexpected, asked.attempts = len(event.unexpected), 0
            asked.answered_at = event.timestamp
            if not event.unexpected:
                asked.to(SystemStatus.DONE, event.timestamp)

    @when(Request.Withdrawn, Request.Referred, Request.Refused)
    def dropped(self, event: Request.Event, rows: Rows) -> None:
        for asked in rows.changing(ASKED, event.originator_id):
            asked.dropped = True

    @when(Request.TakenBack)
    def taken_back(self, event: Request.TakenBack, rows: Rows) -> None:
        for asked in rows.changing(ASKED, event.originator_id):
            asked.dropped = False

    @when(Request.Reopened)
    def reopened(self, event: Request.Reopened, rows: Rows) -> None:
        for asked in rows.changing(ASKED, event.originator_id):
            asked.dropped = asked.dropped and not event.anew


def _beside(beside: Asked, plan: PlannedSystem, fulfilment: UUID, at: datetime) -> Asked:
    """One more line of the same request."""
    return Asked(
        fulfilment_id=fulfilment,
        system=plan.system,
        request_id=beside.request_id,
        case_id=beside.case_id,
        controller=beside.controller,
        role=plan.role.value,
        delivery=plan.delivery.value,
        connector=plan.connector,
        action=plan.action.value,
        state=SystemStatus.ASKED.value,
        since=at,
        asked_at=at,
    )


# Queries


def of_request(sql: Reader, request_id: UUID) -> list[Asked]:
    found = sql.fetch(
        "SELECT * FROM views.connector_tasks WHERE request_id = %s ORDER BY system", [request_id]
    )
    return [Asked(**row) for row in found]


def waiting_for_people(sql: Reader, controllers: Sequence[str], *, limit: int = 100) -> list[Asked]:
    """What people have to do in or for connected systems, the oldest first."""
    found = sql.fetch(
        "SELECT * FROM views.connector_tasks"
        " WHERE state = 'waiting-for-person' AND NOT dropped AND controller = ANY(%s)"
        " ORDER BY since, request_id, system LIMIT %s",
        [list(controllers), limit],
    )
    return [Asked(**row) for row in found]


def waiting_for_owner(
    sql: Reader, systems: Collection[tuple[str, str]], *, limit: int
) -> list[Asked]:
    """What people have to do in these systems, by controller and system; the oldest first."""
    found = sql.fetch(
        "SELECT * FROM views.connector_tasks"
        " WHERE state = 'waiting-for-person' AND NOT dropped"
        " AND (controller, system) IN (SELECT * FROM unnest(%s::text[], %s::text[]))"
        " ORDER BY since, request_id, system LIMIT %s",
        [[one for one, _ in systems], [one for _, one in systems], limit],
    )
    return [Asked(**row) for row in found]


def failures(
    sql: Reader,
    controllers: Sequence[str],
    *,
    system: str | None = None,
    month: date | None = None,
    since: date | None = None,
) -> list[Failures]:
    """Per system: how often it failed, how long it took, and what waits for it now.

    With a month, or since one, of what was asked then; what waits now is told whenever asked.
    """
    params = {"controllers": list(controllers), "system": system, "month": month, "since": since}
    hours: dict[tuple[str, str], dict[int, int]] = {}
    for row in sql.fetch(_HOURS, params):
        taken = hours.setdefault((row["controller"], row["system"]), {})
        taken[row["hours_taken"]] = int(row["number"])
    found = sql.fetch(_FAILURES, params)
    return [
        Failures(
            **row,
            median_hours=percentile(hours.get((row["controller"], row["system"]), {}), 0.5),
            ninety_percent_hours=percentile(hours.get((row["controller"], row["system"]), {}), 0.9),
        )
        for row in found
    ]


_OF_THEN: LiteralString = """
    controller = ANY(%(controllers)s) AND number <> 0
    AND (%(system)s::text IS NULL OR system = %(system)s::text)
"""
_THEN: LiteralString = """
    (%(month)s::date IS NULL OR asked_month = %(month)s::date)
    AND (%(since)s::date IS NULL OR asked_month >= %(since)s::date)
"""
_HOURS: LiteralString = (
    "SELECT controller, system, hours_taken, sum(number) AS number FROM views.connector_answers"  # noqa: S608
    " WHERE hours_taken IS NOT NULL AND " + _OF_THEN + " AND " + _THEN + " GROUP BY 1, 2, 3"
)
_FAILURES: LiteralString = (
    "SELECT controller, system, asked, alike.failures, unavailable_now, waiting_for_person, open,"  # noqa: S608
    " (SELECT t.failed_at FROM views.connector_tasks t WHERE t.controller = alike.controller"
    "  AND t.system = alike.system AND t.failures > 0 ORDER BY t.failed_at DESC LIMIT 1)"
    " AS failed_at,"
    " lane.answered_at, lane.suspended_at"
    " FROM (SELECT controller, system,"
    "  coalesce(sum(number) FILTER (WHERE counts), 0)::bigint AS asked,"
    "  coalesce(sum(failures) FILTER (WHERE counts), 0)::bigint AS failures,"
    "  coalesce(sum(number) FILTER (WHERE open AND state = 'unavailable'), 0)::bigint"
    "   AS unavailable_now,"
    "  coalesce(sum(number) FILTER (WHERE open AND state = 'waiting-for-person'), 0)::bigint"
    "   AS waiting_for_person,"
    "  coalesce(sum(number) FILTER (WHERE open), 0)::bigint AS open"
    "  FROM views.connector_answers,"
    "   LATERAL (SELECT NOT dropped AND state NOT IN ('found', 'done') AS open, "
    + _THEN
    + " AS counts) said WHERE "
    + _OF_THEN
    + " GROUP BY controller, system) alike"
    " LEFT JOIN views.systems_failing lane USING (controller, system)"
    " ORDER BY controller, system"
)
