"""Marketing stops at systems that are told: what nothing carries any more goes there, too.

As where a connector is called: stopped first, then searched, erased record by record, and searched
again before it is believed (Art. 7(3), 21(3)).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID, uuid5

from pydantic import TypeAdapter

from domain.instruction import InstructedRecord, Instruction, Verb
from domain.personal import PersonalRef
from domain.request import DataSubjectRequest
from domain.vocabulary import Compartment, Decision, Outcome
from services.holds import GONE
from services.ports import Record, Result, Sealed, Vault
from services.told_holds import NOT_DONE, NOTHING_CHANGED, STILL_THERE, UNACCOUNTED
from services.withdrawing import Withdrawing

KEYS = TypeAdapter(dict[UUID, str])


@dataclass(frozen=True, slots=True)
class Next:
    """What the system is asked after this; the keys of what is to go are sealed."""

    verb: Verb
    records: tuple[InstructedRecord, ...] = ()
    sealed: Sealed | None = None


@dataclass(frozen=True, slots=True)
class Doubted:
    """Why a person has to look."""

    reason: str


class ToldStops:
    """What follows from each answer of a system that was told of a stop."""

    def __init__(self, vault: Vault, withdrawing: Withdrawing) -> None:
        self._vault, self._withdrawing = vault, withdrawing

    def keys(self, ref: PersonalRef) -> Mapping[UUID, str]:
        """Raises `Erased` when the case's content is gone."""
        return KEYS.validate_json(self._vault.open(ref))

    def after_stop(
        self, request: DataSubjectRequest, instruction: Instruction, *, held: bool
    ) -> Next | Outcome:
        if not held:
            return Outcome.NOT_FOUND
        if self._withdrawing.ending(request, instruction.system):
            return Next(Verb.FIND)
        return Outcome.SUPPRESSED

    def after_search(
        self, request: DataSubjectRequest, instruction: Instruction, records: Iterable[Record]
    ) -> Next | Outcome:
        told, keys = [], {}
        for record, decision in self._withdrawing.going(request, instruction.system, records):
            record_id = uuid5(instruction.id, f"{record.kind}/{record.key}")
            told.append(InstructedRecord(record_id, record.kind, decision))
            keys[record_id] = record.key
        if not told:
            return Outcome.SUPPRESSED
        sealed = self._vault.seal(request.case_id, Compartment.PACKAGE, KEYS.dump_json(keys))
        return Next(Verb.ERASE, tuple(told), sealed)

    def after_erasure(
        self, instruction: Instruction, results: Mapping[UUID, Result]
    ) -> Next | Doubted:
        outcomes = [one.outcome for one in results.values()]
        if set(results) != {one.record_id for one in instruction.records}:
            return Doubted(UNACCOUNTED)
        if any(one not in GONE for one in outcomes):
            return Doubted(NOT_DONE)
        if all(one is Outcome.NOT_FOUND for one in outcomes):
            return Doubted(NOTHING_CHANGED)
        return Next(Verb.READ_BACK)

    def after_second_search(
        self, request: DataSubjectRequest, instruction: Instruction, records: Iterable[Record]
    ) -> Outcome | Doubted:
        left = self._withdrawing.going(request, instruction.system, records)
        if any(decision is Decision.ERASE for _, decision in left):
            return Doubted(STILL_THERE)
        return Outcome.ERASED
