"""Instructions: what connected systems were told, whether they looked, and what they answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from domain.instruction import Instruction
from projections.projection import Projection, Row, Rows, Table, when


@dataclass(slots=True, kw_only=True)
class Told(Row):
    """One instruction and where it stands."""

    instruction_id: Annotated[UUID, "The instruction"]
    controller: Annotated[str, "The controller, by the id of its profile"]
    system: Annotated[str, "The system that is told, by its id in the profile"]
    delivery: Annotated[str, "How it is told: kafka, webhook, opendsr, https or person"]
    verb: Annotated[str, "What it is told to do: find, erase, read-back, suppress, …"]
    purpose: Annotated[str, "request, replay, or test: about a golden person, and counts nowhere"]
    request_id: Annotated[UUID | None, "The request, where it is about one"]
    case_id: Annotated[UUID | None, "The case, where it is about one"]
    given_at: Annotated[datetime, "When it was told first"]
    due_on: Annotated[date, "The day by which an answer is aimed for"]
    ends_at: Annotated[datetime, "From when on nothing can be fetched for it"]
    told_at: Annotated[datetime, "When it was told last"]
    times_told: Annotated[int, "How often it was told"] = 1
    records: Annotated[int, "How many records it names"] = 0
    fetched_at: Annotated[datetime | None, "When the system fetched last whom it is about"] = None
    fetches: Annotated[int, "How often it fetched that"] = 0
    put_off_until: Annotated[datetime | None, "Until when the system asked for patience"] = None
    answered_at: Annotated[datetime | None, "When it answered"] = None
    via: Annotated[str | None, "By which door the answer came: kafka, https, webhook, …"] = None
    said: Annotated[str | None, "What it answered: nothing-held, found, done, needs-person"] = None
    late: Annotated[int, "How many answers came when nobody waited any more"] = 0
    escalated_at: Annotated[datetime | None, "When a person was told that no answer comes"] = None
    ended_at: Annotated[datetime | None, "When nobody waited for an answer any more"] = None
    ended_because: Annotated[str | None, "Why not, as a code"] = None


TOLD = Table(
    "instructions",
    Told,
    key=("instruction_id",),
    found_by=("instruction_id",),
    comment="One row per instruction to a connected system: told, fetched, answered",
    indexes=("(controller, system, given_at)", "(request_id)"),
)


class Instructions(Projection):
    name = "instructions"
    tables = (TOLD,)

    @when(Instruction.Given)
    def given(self, event: Instruction.Given, rows: Rows) -> None:
        rows.add(
            TOLD,
            Told(
                instruction_id=event.originator_id,
                controller=event.controller,
                system=event.system,
                delivery=event.delivery.value,
                verb=event.verb.value,
                purpose=event.purpose.value,
                request_id=event.request_id,
                case_id=event.case_id,
                given_at=event.timestamp,
                due_on=event.due_on,
                ends_at=event.ends_at,
                told_at=event.timestamp,
                records=len(event.records),
            ),
        )

    @when(Instruction.Fetched)
    def fetched(self, event: Instruction.Fetched, rows: Rows) -> None:
        for told in rows.changing(TOLD, event.originator_id):
            told.fetched_at, told.fetches = event.timestamp, event.number

    @when(Instruction.Answered)
    def answered(self, event: Instruction.Answered, rows: Rows) -> None:
        for told in rows.changing(TOLD, event.originator_id):
            if event.late:
                told.late += 1
            else:
                told.answered_at, told.via = event.timestamp, event.via.value
                told.said = event.said.value

    @when(Instruction.PutOff)
    def put_off(self, event: Instruction.PutOff, rows: Rows) -> None:
        for told in rows.changing(TOLD, event.originator_id):
            told.put_off_until = event.until

    @when(Instruction.Repeated)
    def repeated(self, event: Instruction.Repeated, rows: Rows) -> None:
        for told in rows.changing(TOLD, event.originator_id):
            told.told_at, told.times_told = event.timestamp, event.number + 1

    @when(Instruction.Escalated)
    def escalated(self, event: Instruction.Escalated, rows: Rows) -> None:
        for told in rows.changing(TOLD, event.originator_id):
            told.escalated_at = event.timestamp

    @when(Instruction.Ended)
    def ended(self, event: Instruction.Ended, rows: Rows) -> None:
        for told in rows.changing(TOLD, event.originator_id):
            told.ended_at, told.ended_because = event.timestamp, event.reason
