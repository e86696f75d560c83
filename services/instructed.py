"""What an instruction and its receipt say by themselves: which step it is, when to look again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from domain.fulfilment import Fulfilment
from domain.instruction import Instruction, Said, Verb
from domain.vocabulary import Action, Outcome
from services.ports import Result
from services.receipts_of_systems import Receipt

VERBS: Mapping[str, Verb] = {
    verb.value: verb
    for verb in (
        Verb.FIND,
        Verb.ERASE,
        Verb.READ_BACK,
        Verb.SUPPRESS,
        Verb.RECTIFY,
        Verb.RESTRICT,
        Verb.UNRESTRICT,
    )
}
"""What a worker's task says, by its kind."""

OF_STOPS = frozenset({Verb.SUPPRESS, Verb.FIND, Verb.ERASE, Verb.READ_BACK})
CHASE_AFTER = timedelta(days=3)
ANONYMISED_THERE = "anonymised-over-there"

_BY_VERB = {Verb.FIND: Action.FIND, Verb.RECTIFY: Action.RECTIFY}


def awaits(fulfilment: Fulfilment, instruction: Instruction) -> bool:
    if instruction.verb is Verb.READ_BACK:
        return fulfilment.awaits_read_back(instruction.system)
    action = _BY_VERB.get(instruction.verb, Action.ERASE)
    return fulfilment.awaits(instruction.system, action)


def is_stop(instruction: Instruction) -> bool:
    """Whether it is part of a marketing stop, from the stop itself to the second search."""
    right = instruction.right
    at_once = right is not None and right.acts_at_once and instruction.hold_id is None
    return at_once and instruction.verb in OF_STOPS


def what_is_asked(instruction: Instruction) -> tuple[str, Verb, UUID | None]:
    return instruction.system, instruction.verb, instruction.hold_id


def last_told(instruction: Instruction) -> datetime:
    return instruction.repeated_at or instruction.given_at


def look_at(instruction: Instruction) -> datetime | None:
    """When to look at it again although nothing has come; None where nobody waits."""
    if not instruction.is_open:
        return None
    told = last_told(instruction)
    if instruction.put_off_until is not None and instruction.put_off_until > told:
        return instruction.put_off_until
    if instruction.escalated_at is not None or instruction.request_id is None:
        return instruction.ends_at
    on_the_day = datetime.combine(instruction.due_on, time(12), UTC)
    chased = told + CHASE_AFTER
    return min(chased, on_the_day) if on_the_day > told else chased


def results_of(receipt: Receipt, instruction: Instruction) -> Mapping[UUID, Result]:
    """By record; who holds nothing any more says of each that it is not there."""
    if receipt.outcome is Said.NOTHING_HELD:
        return {one.record_id: Result(Outcome.NOT_FOUND) for one in instruction.records}
    return {
        record_id: replace(result, detail=ANONYMISED_THERE)
        if result.outcome is Outcome.ANONYMISED and not result.detail
        else result
        for record_id, result in receipt.records.items()
    }
