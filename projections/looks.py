"""Looks: who read whose personal data, what kind of it and what for (GDPR Art. 5(2), 29, 32(4)).

One row per look, for whoever audits; of what was seen nothing is here but its kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, LiteralString
from uuid import UUID

from domain.controller import controller_id
from domain.looks import Looks
from projections.projection import Projection, Reader, Recorded, Row, Rows, Table


@dataclass(slots=True, kw_only=True)
class LookedInto(Row):
    """What looks of one account were at."""

    looks_id: Annotated[UUID, "The account"]
    case_id: Annotated[UUID | None, "The case that was looked into; none for a search of all"]
    controller: Annotated[str, "Whose it is, by the id of its profile"]


@dataclass(slots=True, kw_only=True)
class Looked(Row):
    """One look."""

    position: Annotated[int, "The event's place in the log"]
    looked_at: Annotated[datetime, "When"]
    staff_id: Annotated[str, "Who looked"]
    case_id: Annotated[UUID | None, "The case that was looked into; none for a search of all"]
    controller: Annotated[str, "Whose it is, by the id of its profile"]
    contents: Annotated[list[str], "What kinds of thing were shown"]
    purpose: Annotated[str, "What for"]
    way: Annotated[str, "By which door: desk, api or cli"]


ACCOUNTS = Table(
    "looked_into",
    LookedInto,
    key=("looks_id",),
    found_by=("looks_id",),
    comment="One row per case, or controller as a whole, whose personal data somebody looked at",
)
LOOKS = Table(
    "looks",
    Looked,
    key=("position",),
    comment="One row per look at personal data: who, what kind of thing, what for, by which door",
    indexes=(
        "(controller, looked_at, position)",
        "(controller, staff_id, looked_at, position)",
    ),
)


class LooksAtData(Projection):
    name = "looks"
    tables = (ACCOUNTS, LOOKS)

    def concerns(self, topic: str) -> bool:
        return topic in {Looks.Begun.TOPIC, Looks.Shown.TOPIC}

    def apply(self, recorded: Recorded, rows: Rows) -> None:
        if recorded.topic == Looks.Begun.TOPIC:
            rows.add(ACCOUNTS, _account(recorded.body))
            return
        for account in rows.of(ACCOUNTS, recorded.originator_id):
            rows.add(LOOKS, _look(recorded.position, recorded.body, account))


def _account(event: Looks.Begun) -> LookedInto:
    whole = event.subject_id == controller_id(event.controller)
    return LookedInto(
        looks_id=event.originator_id,
        case_id=None if whole else event.subject_id,
        controller=event.controller,
    )


def _look(position: int, event: Looks.Shown, account: LookedInto) -> Looked:
    return Looked(
        position=position,
        looked_at=event.timestamp,
        staff_id=event.by,
        case_id=account.case_id,
        controller=account.controller,
        contents=[one.value for one in event.what],
        purpose=event.purpose.value,
        way=event.way.value,
    )


# Queries


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which looks are asked for; None asks for all."""

    staff_id: str | None = None
    purpose: str | None = None
    since: datetime | None = None
    before: datetime | None = None


def looks_at(
    sql: Reader,
    controllers: Sequence[str],
    wanted: Wanted,
    *,
    after: int | None = None,
    limit: int,
) -> list[Looked]:
    """The newest first; `after` is the position of the last look of the page before."""
    where: LiteralString = "controller = served.controller"
    if wanted.staff_id is not None:
        where += " AND staff_id = %(staff_id)s"
    if wanted.purpose is not None:
        where += " AND purpose = %(purpose)s"
    if wanted.since is not None:
        where += " AND looked_at >= %(since)s"
    if wanted.before is not None:
        where += " AND looked_at < %(before)s"
    if after is not None:
        where += (
            " AND (looked_at, position) < (SELECT looked_at, position"
            " FROM views.looks WHERE position = %(after)s)"
        )
    found = sql.fetch(
        "SELECT look.* FROM unnest(%(controllers)s::text[]) served (controller), LATERAL ("  # noqa: S608
        f" SELECT * FROM views.looks WHERE {where}"
        " ORDER BY looked_at DESC, position DESC LIMIT %(limit)s) look"
        " ORDER BY looked_at DESC, position DESC LIMIT %(limit)s",
        {
            "controllers": sorted(set(controllers)),
            "staff_id": wanted.staff_id,
            "purpose": wanted.purpose,
            "since": wanted.since,
            "before": wanted.before,
            "after": after,
            "limit": limit,
        },
    )
    return [Looked(**row) for row in found]
