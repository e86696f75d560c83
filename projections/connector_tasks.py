"""What connected systems were asked for each request, and how far each has come (Art. 19)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from domain.fulfilment import Fulfilment, SystemStatus
from domain.request import DataSubjectRequest
from domain.values import PlannedSystem
from domain.vocabulary import Action
from projections.projection import Projection, Reader, Row, Rows, Table, when


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

    def to(self, state: SystemStatus, since: datetime) -> None:
        self.state, self.since = state.value, since
        self.next_try_at = self.waits_for = self.reason = None


@dataclass(frozen=True, slots=True)
class Failures:
    """How reliably one system of one controller answers."""

    controller: str
    system: str
    failures: int
    unavailable_now: int
    waiting_for_person: int
    open: int
    failed_at: datetime | None
    answered_at: datetime | None
    suspended_at: datetime | None
    """Since when it is only probed, because it kept failing whatever it was asked."""


ASKED = Table(
    "connector_tasks",
    Asked,
    key=("fulfilment_id", "system"),
    found_by=("fulfilment_id", "request_id"),
    comment="One row per request and system: what it was asked, and how far it has come",
    indexes=("(controller, system, state)",),
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


def failures(sql: Reader, controllers: Sequence[str]) -> list[Failures]:
    """Per system: how often it failed, and what waits for it now."""
    found = sql.fetch(
        """
        SELECT controller, system, sum(asked.failures)::bigint AS failures,
            count(*) FILTER (WHERE open AND state = 'unavailable') AS unavailable_now,
            count(*) FILTER (WHERE open AND state = 'waiting-for-person') AS waiting_for_person,
            count(*) FILTER (WHERE open) AS open,
            max(failed_at) AS failed_at, max(asked.answered_at) AS answered_at,
            max(lane.suspended_at) AS suspended_at
        FROM views.connector_tasks asked
            LEFT JOIN views.systems_failing lane USING (controller, system),
            LATERAL (SELECT NOT dropped AND state NOT IN ('found', 'done') AS open) still
        WHERE controller = ANY(%s)
        GROUP BY controller, system ORDER BY controller, system
        """,
        [list(controllers)],
    )
    return [Failures(**row) for row in found]
