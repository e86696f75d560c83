"""Holds: what is kept of erasures, why, until when, and what became of it (Art. 17(3))."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from domain.hold import Hold
from projections.projection import Projection, Reader, Row, Rows, Table, when


@dataclass(slots=True, kw_only=True)
class OnHold(Row):
    """One hold and where it stands."""

    hold_id: Annotated[UUID, "The hold"]
    request_id: Annotated[UUID, "The request whose erasure leaves this"]
    case_id: Annotated[UUID, "The case"]
    controller: Annotated[str, "The controller, by the id of its profile"]
    system: Annotated[str, "The system that holds the records"]
    category: Annotated[str, "The category of data, by its id in the profile"]
    ground: Annotated[str, "Why it stays, as a code"]
    records: Annotated[int, "How many records the hold names"]
    placed_at: Annotated[datetime, "When it was placed"]
    release_on: Annotated[date | None, "The last day on which it stands; none: a person ends it"]
    review_on: Annotated[date | None, "When a person looks again whether it must stand"]
    owner: Annotated[str, "Who answers for it, a staff id; empty where the law alone does"]
    state: Annotated[str, "standing, released, waiting-for-person or erased"] = "standing"
    waits_for: Annotated[str | None, "What a person must do, as a code"] = None
    tells: Annotated[bool, "Whether the person asked to be told when it ends"] = False
    released_on: Annotated[date | None, "The civil date on which it was released"] = None
    erased_at: Annotated[datetime | None, "When what it kept was erased and read back"] = None
    told_at: Annotated[datetime | None, "When the person was told"] = None


ON_HOLD = Table(
    "holds",
    OnHold,
    key=("hold_id",),
    found_by=("hold_id",),
    comment="One row per hold: what is kept, why, until when, and what became of it",
    indexes=("(controller, state, release_on)", "(case_id)"),
)


class Holds(Projection):
    name = "holds"
    tables = (ON_HOLD,)

    @when(Hold.Placed)
    def placed(self, event: Hold.Placed, rows: Rows) -> None:
        rows.add(
            ON_HOLD,
            OnHold(
                hold_id=event.originator_id,
                request_id=event.request_id,
                case_id=event.case_id,
                controller=event.controller,
                system=event.system,
                category=event.category,
                ground=event.ground,
                records=len(event.records),
                placed_at=event.timestamp,
                release_on=event.release_on,
                review_on=event.review_on,
                owner=event.owner,
                tells=event.tell is not None,
            ),
        )

    @when(Hold.EndStated, Hold.Prolonged)
    def dated(self, event: Hold.EndStated | Hold.Prolonged, rows: Rows) -> None:
        for hold in rows.changing(ON_HOLD, event.originator_id):
            hold.release_on = event.until

    @when(Hold.Reviewed)
    def reviewed(self, event: Hold.Reviewed, rows: Rows) -> None:
        for hold in rows.changing(ON_HOLD, event.originator_id):
            hold.review_on = event.review_on

    @when(Hold.Released)
    def released(self, event: Hold.Released, rows: Rows) -> None:
        for hold in rows.changing(ON_HOLD, event.originator_id):
            hold.state, hold.released_on = "released", event.on

    @when(Hold.PersonAsked)
    def person_asked(self, event: Hold.PersonAsked, rows: Rows) -> None:
        for hold in rows.changing(ON_HOLD, event.originator_id):
            hold.state, hold.waits_for = "waiting-for-person", event.reason

    @when(Hold.ErasedAtRelease)
    def erased(self, event: Hold.ErasedAtRelease, rows: Rows) -> None:
        for hold in rows.changing(ON_HOLD, event.originator_id):
            hold.state, hold.waits_for, hold.erased_at = "erased", None, event.timestamp

    @when(Hold.SubjectTold)
    def told(self, event: Hold.SubjectTold, rows: Rows) -> None:
        for hold in rows.changing(ON_HOLD, event.originator_id):
            hold.told_at = event.timestamp


# Queries


def of_controllers(
    sql: Reader,
    controllers: Sequence[str],
    *,
    open_only: bool = True,
    after: tuple[date, UUID] | None = None,
    limit: int = 200,
) -> list[OnHold]:
    """What is kept, the day on which it goes or is looked at first; without a day last."""
    day, hold_id = after or (None, None)
    found = sql.fetch(
        """
        SELECT * FROM views.holds
        WHERE controller = ANY(%(controllers)s) AND (NOT %(open)s OR state <> 'erased')
          AND (%(day)s::date IS NULL OR (least(coalesce(release_on, review_on, 'infinity'),
               coalesce(review_on, release_on, 'infinity')), hold_id)
               > (%(day)s::date, %(hold_id)s::uuid))
        ORDER BY least(coalesce(release_on, review_on, 'infinity'),
            coalesce(review_on, release_on, 'infinity')), hold_id
        LIMIT %(limit)s
        """,
        {
            "controllers": list(controllers),
            "open": open_only,
            "day": day,
            "hold_id": hold_id,
            "limit": limit,
        },
    )
    return [OnHold(**row) for row in found]


def of_case(sql: Reader, case_id: UUID) -> list[OnHold]:
    found = sql.fetch(
        "SELECT * FROM views.holds WHERE case_id = %s ORDER BY placed_at, hold_id", [case_id]
    )
    return [OnHold(**row) for row in found]


def due(sql: Reader, today: date) -> list[OnHold]:
    """What stood through its last day before `today`: the latest civil date there is anywhere."""
    found = sql.fetch(
        "SELECT * FROM views.holds WHERE state = 'standing' AND release_on < %s"
        " ORDER BY release_on, hold_id",
        [today],
    )
    return [OnHold(**row) for row in found]
