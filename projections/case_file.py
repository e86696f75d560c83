"""The case file: everything that happened in a case, step by step, without content (Art. 5(2)).

A line says what happened, when and by whom, with codes, dates and counts. What people wrote is in
the vault and is not repeated here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from inspect import isclass
from typing import Annotated, Any
from uuid import UUID

import domain.case
import domain.folder
import domain.identity_providers
import domain.instruction
import domain.rectification
import domain.representation
import domain.request
import domain.restriction
import domain.vocabulary
from domain.balancing import Balancing
from domain.belonging import KINDS
from domain.case import Case
from domain.deadlines import Deadlines
from domain.disclosure import Disclosures
from domain.erasure_wish import ErasureWish
from domain.errand import Errand
from domain.folder import Folder
from domain.fulfilment import Fulfilment
from domain.hold import Hold
from domain.information import Information
from domain.instruction import Instruction
from domain.portability import DirectTransfer
from domain.rectification import Claim, Rectification
from domain.redaction import Redaction
from domain.refusal import Refusal
from domain.representation import Representation
from domain.request import DataSubjectRequest
from domain.restriction import Restriction
from domain.values import LetterSent, Passage, PlannedSystem, QueuedLetter, Told
from domain.withdrawal import Withdrawal
from projections.projection import Projection, Reader, Recorded, Row, Rows, Table


@dataclass(slots=True, kw_only=True)
class Member(Row):
    """One aggregate of a case."""

    aggregate_id: Annotated[UUID, "The case itself, or what belongs to it"]
    case_id: Annotated[UUID, "The case it belongs to"]
    request_id: Annotated[UUID | None, "The request it belongs to, if to one"] = None
    kind: Annotated[str, "The first word of its topics"]
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


Request = DataSubjectRequest


class CaseFile(Projection):
    name = "case_file"
    version = 4
    tables = (MEMBERS, LINES)

    def concerns(self, topic: str) -> bool:
        return topic.partition(".")[0] in KINDS

    def apply(self, recorded: Recorded, rows: Rows) -> None:
        event, said = recorded.body, recorded.body.as_json
        begins = MEMBERSHIPS.get(recorded.topic)
        member = begins(event) if begins is not None else None
        if member is not None:
            rows.add(MEMBERS, member)
        if recorded.topic == Request.Reclassified.TOPIC:
            for known in rows.changing(MEMBERS, recorded.originator_id):
                known.subject_right = event.right.value
        for known in rows.of(MEMBERS, recorded.originator_id):
            rows.add(
                LINES,
                Line(
                    position=recorded.position,
                    case_id=known.case_id,
                    request_id=known.request_id,
                    happened_at=event.timestamp,
                    topic=recorded.topic,
                    done_by=said.get("by"),
                    facts=facts(said),
                ),
            )


def _case(event: Case.Arrived) -> Member:
    return Member(aggregate_id=event.originator_id, case_id=event.originator_id, kind="case")


def _request(event: Request.Received) -> Member:
    return Member(
        aggregate_id=event.originator_id,
        case_id=event.case_id,
        request_id=event.originator_id,
        kind="request",
        subject_right=event.right.value,
    )


def _beside(kind: str) -> Callable[[Any], Member]:
    """Of what is kept beside a request."""
    return lambda event: Member(
        aggregate_id=event.originator_id,
        case_id=event.case_id,
        request_id=event.request_id,
        kind=kind,
    )


def _of_case(kind: str) -> Callable[[Any], Member]:
    """Of what concerns all requests of a case."""
    return lambda event: Member(aggregate_id=event.originator_id, case_id=event.case_id, kind=kind)


def _instruction(event: Instruction.Given) -> Member | None:
    """A trial, and what is erased again after a restore, belong to no case."""
    return _beside(Instruction.TOPIC)(event) if event.case_id is not None else None


MEMBERSHIPS: Mapping[str, Callable[[Any], Member | None]] = {
    Case.Arrived.TOPIC: _case,
    Request.Received.TOPIC: _request,
    Fulfilment.Planned.TOPIC: _beside(Fulfilment.TOPIC),
    Hold.Placed.TOPIC: _beside(Hold.TOPIC),
    Errand.Begun.TOPIC: _beside(Errand.TOPIC),
    Instruction.Given.TOPIC: _instruction,
    Redaction.Begun.TOPIC: _beside(Redaction.TOPIC),
    DirectTransfer.Asked.TOPIC: _beside(DirectTransfer.TOPIC),
    ErasureWish.Said.TOPIC: _beside(ErasureWish.TOPIC),
    Refusal.Proposed.TOPIC: _beside(Refusal.TOPIC),
    Rectification.Begun.TOPIC: _beside(Rectification.TOPIC),
    Restriction.Set.TOPIC: _beside(Restriction.TOPIC),
    Balancing.Opened.TOPIC: _beside(Balancing.TOPIC),
    Information.Begun.TOPIC: _beside(Information.TOPIC),
    Withdrawal.Made.TOPIC: _beside(Withdrawal.TOPIC),
    Representation.Claimed.TOPIC: _of_case(Representation.TOPIC),
    Disclosures.Begun.TOPIC: _of_case(Disclosures.TOPIC),
    Folder.Begun.TOPIC: _of_case(Folder.TOPIC),
}


# What a line says of an event

WORDS = frozenset(
    {"system", "reason", "ground", "how", "to", "controller", "category", "reminder", "second"}
)
"""The fields of type str that hold codes or staff ids; all other text stays out."""

_CODE = re.compile(r"[a-z0-9][a-z0-9:._-]{0,79}").fullmatch
_ELSEWHERE = frozenset({"timestamp", "by"})
_ENUMS = frozenset(
    kind.__name__
    for module in (
        domain.case,
        domain.folder,
        domain.identity_providers,
        domain.instruction,
        domain.rectification,
        domain.representation,
        domain.request,
        domain.restriction,
        domain.vocabulary,
    )
    for kind in vars(module).values()
    if isclass(kind) and issubclass(kind, Enum)
)
_TOLD_AS_THEY_ARE = _ENUMS | {"date", "datetime_iso"}
_TOLD_BY_PART = frozenset(
    kind.__name__ for kind in (Claim, Deadlines, QueuedLetter, LetterSent, Passage, Told)
)


def facts(said: Mapping[str, Any]) -> dict[str, Any]:
    """The codes, dates and counts of an event, from its fields as JSON says them."""
    told: dict[str, Any] = {}
    for name, value in said.items():
        if name not in _ELSEWHERE:
            _tell(told, name, value)
    return told


def _tell(told: dict[str, Any], name: str, value: Any) -> None:
    kind = type(value)
    if kind is dict and "_type_" in value:
        what, data = value["_type_"], value["_data_"]
        if what in _TOLD_AS_THEY_ARE:
            told[name] = data
        elif what in _TOLD_BY_PART:
            for part, inner in data.items():
                _tell(told, part, inner)
        elif what == "frozenset":
            told[name] = _counted(data)
        elif what == "many":
            told[name] = data["count"]
    elif kind is str:
        if name in WORDS and _CODE(value):
            told[name] = value
    elif kind is int or kind is bool:
        told[name] = value
    elif kind is list:
        told[name] = _counted(value)
    elif kind is dict:
        told[name] = len(value)


def _counted(values: Sequence[Any]) -> Any:
    """Codes one by one; of anything else only how many there are."""
    kinds = {value.get("_type_", "") if type(value) is dict else "" for value in values}
    if kinds and kinds <= _ENUMS:
        return [value["_data_"] for value in values]
    if kinds == {PlannedSystem.__name__}:
        return [value["_data_"]["system"] for value in values]
    return len(values)


# Queries


def members(sql: Reader, case_id: UUID) -> tuple[UUID, ...]:
    """Every aggregate of a case that has begun, as far as the log has been followed."""
    rows = sql.fetch(
        "SELECT aggregate_id FROM views.case_members WHERE case_id = %s ORDER BY aggregate_id",
        [case_id],
    )
    return tuple(row["aggregate_id"] for row in rows)


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
