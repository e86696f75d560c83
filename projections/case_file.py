"""The case file: everything that happened in a case, step by step, without content (Art. 5(2)).

A line says what happened, when and by whom, with codes, dates and counts. What people wrote is in
the vault and is not repeated here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from enum import Enum
from typing import Annotated, Any
from uuid import UUID

from domain.case import Case
from domain.deadlines import Deadlines
from domain.fulfilment import Fulfilment
from domain.hold import Hold
from domain.request import DataSubjectRequest
from domain.values import LetterSent, PlannedSystem, QueuedLetter, Told
from projections.projection import Projection, Reader, Recorded, Row, Rows, Table, Unreadable

KINDS = ("case", "request", "fulfilment", "hold")
"""The first words of the topics that belong to cases."""


@dataclass(slots=True, kw_only=True)
class Member(Row):
    """One aggregate of a case."""

    aggregate_id: Annotated[UUID, "The case itself, a request, a fulfilment or a hold"]
    case_id: Annotated[UUID, "The case it belongs to"]
    request_id: Annotated[UUID | None, "The request it belongs to, if to one"] = None
    kind: Annotated[str, "case, request, fulfilment or hold"]
    subject_right: Annotated[str | None, "Which right a request uses"] = None


@dataclass(slots=True, kw_only=True)
class Line(Row):
    """One line of the timeline."""

    position: Annotated[int, "The event's place in the log"]
    case_id: Annotated[UUID, "The case"]
    request_id: Annotated[UUID | None, "The request it concerns, if one"] = None
    happened_at: Annotated[datetime, "The moment the event was decided"]
    topic: Annotated[str, "What happened, by its public name"]
    done_by: Annotated[str | None, "Staff id, if a person did it"] = None
    facts: Annotated[dict[str, Any], "Codes, dates and counts; never content"] = field(
        default_factory=dict
    )


@dataclass(frozen=True, slots=True)
class Timeline:
    """A case with its requests, by right, and all that happened in it."""

    case_id: UUID
    requests: Mapping[str, UUID]
    lines: tuple[Line, ...]


MEMBERS = Table(
    "case_members",
    Member,
    key=("aggregate_id",),
    found_by=("aggregate_id",),
    comment="Which aggregates belong to which case",
    indexes=("(case_id)",),
)
LINES = Table(
    "case_file",
    Line,
    key=("position",),
    comment="The timeline of every case: one row per event, without content",
    indexes=("(case_id, position)",),
)


class CaseFile(Projection):
    name = "case_file"
    tables = (MEMBERS, LINES)

    def concerns(self, topic: str) -> bool:
        return topic.partition(".")[0] in KINDS

    def apply(self, recorded: Recorded, rows: Rows) -> None:
        if not self.concerns(recorded.topic):
            return
        event = recorded.body
        if event is None:
            raise Unreadable(recorded.topic)
        member = _member(event)
        if member is not None:
            rows.add(MEMBERS, member)
        if isinstance(event, DataSubjectRequest.Reclassified):
            for known in rows.changing(MEMBERS, event.originator_id):
                known.subject_right = event.right.value
        for known in rows.of(MEMBERS, event.originator_id):
            rows.add(
                LINES,
                Line(
                    position=recorded.position,
                    case_id=known.case_id,
                    request_id=known.request_id,
                    happened_at=event.timestamp,
                    topic=recorded.topic,
                    done_by=getattr(event, "by", None),
                    facts=facts(event),
                ),
            )


def _member(event: object) -> Member | None:
    match event:
        case Case.Arrived():
            return Member(
                aggregate_id=event.originator_id, case_id=event.originator_id, kind="case"
            )
        case DataSubjectRequest.Received():
            return Member(
                aggregate_id=event.originator_id,
                case_id=event.case_id,
                request_id=event.originator_id,
                kind="request",
                subject_right=event.right.value,
            )
        case Fulfilment.Planned() | Hold.Placed():
            return Member(
                aggregate_id=event.originator_id,
                case_id=event.case_id,
                request_id=event.request_id,
                kind="hold" if isinstance(event, Hold.Placed) else "fulfilment",
            )
    return None


# What a line says of an event

WORDS = frozenset(
    {"system", "reason", "ground", "how", "to", "controller", "category", "reminder", "second"}
)
"""The fields of type str that hold codes or staff ids; all other text stays out."""

_CODE = re.compile(r"[a-z0-9][a-z0-9:._-]{0,79}")


def facts(event: object) -> dict[str, Any]:
    """The codes, dates and counts of an event."""
    said: dict[str, Any] = {}
    for name, value in vars(event).items():
        if name not in _ELSEWHERE:
            said.update(_fact(name, value))
    return said


_ELSEWHERE = frozenset({"originator_id", "originator_version", "timestamp", "by"})


def _fact(name: str, value: object) -> Iterator[tuple[str, Any]]:
    match value:
        case Enum():
            yield name, value.value
        case bool() | int():
            yield name, value
        case date():
            yield name, value.isoformat()
        case str():
            if name in WORDS and _CODE.fullmatch(value):
                yield name, value
        case tuple() | frozenset() | list() | dict():
            yield name, _counted(value)
        case Deadlines() | QueuedLetter() | LetterSent() | Told():
            for part in fields(value):
                yield from _fact(part.name, getattr(value, part.name))


def _counted(values: Any) -> Any:
    """Codes one by one; of anything else only how many there are."""
    if values and all(isinstance(value, Enum) for value in values):
        return [value.value for value in values]
    if values and all(isinstance(value, PlannedSystem) for value in values):
        return [value.system for value in values]
    return len(values)


# Queries


def timeline(sql: Reader, case_id: UUID) -> Timeline | None:
    """All that happened in a case; None where there is no such case."""
    members = sql.fetch(
        "SELECT kind, aggregate_id, subject_right FROM views.case_members WHERE case_id = %s"
        " ORDER BY subject_right",
        [case_id],
    )
    if not members:
        return None
    lines = sql.fetch(
        "SELECT * FROM views.case_file WHERE case_id = %s ORDER BY position", [case_id]
    )
    return Timeline(
        case_id=case_id,
        requests={
            row["subject_right"]: row["aggregate_id"] for row in members if row["kind"] == "request"
        },
        lines=tuple(Line(**row) for row in lines),
    )
