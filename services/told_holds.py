"""Holds at systems that are told: searched, erased and searched again, by receipts (Art. 17(3)).

Each answer plans the next question, in one save; the worker asks it, so that a restriction that
was set meanwhile is seen first. Keys and identifiers come from the hold's own compartment: of the
case nothing else may be left by then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from domain.hold import Hold
from domain.instruction import InstructedRecord, Instruction, Verb
from domain.values import KnownResidual, RecordOutcome
from domain.vocabulary import Decision, Outcome
from services import dossier
from services.held import Held
from services.holds import GONE, Holds, nothing_was_there, release_task
from services.ports import Clock, Person, Record, Result, Tasks
from services.register import MakeAlong, Register, again_on_conflict

UNACCOUNTED: Final = "records-unaccounted-for"
NOT_DONE: Final = "refused-over-there"
NOTHING_CHANGED: Final = "nothing-changed"
STILL_THERE: Final = "still-there-after-erasure"
DONE: Final = GONE | {Outcome.PENDING_AT_VENDOR}


class ToldHolds:
    """What a hold's system is asked next, and what its answers lead to."""

    def __init__(
        self, register: Register, tasks: Tasks, held: Held, holds: Holds, clock: Clock
    ) -> None:
        self._register, self._tasks = register, tasks
        self._held, self._holds, self._clock = held, holds, clock

    # What it is told

    def verb(self, hold: Hold) -> Verb:
        if not hold.searched:
            return Verb.FIND
        return Verb.ERASE if hold.unanswered else Verb.READ_BACK

    def records(self, hold: Hold) -> tuple[InstructedRecord, ...]:
        """What is to go, and how."""
        keys = self.keys(hold)
        return tuple(self._instructed(hold, one, keys[one]) for one in hold.unanswered)

    def _instructed(self, hold: Hold, record_id: UUID, key: dossier.SealedKey) -> InstructedRecord:
        fields = self._holds.kept_beside(hold, key)[1]
        if self._holds.anonymises(hold, key.kind):
            decision = Decision.ANONYMISE
        else:
            decision = Decision.KEEP if fields else Decision.ERASE
        return InstructedRecord(record_id, key.kind, decision, fields)

    def person(self, hold: Hold) -> Person:
        return Person(self._held.keys(hold).identifiers)

    def keys(self, hold: Hold) -> Mapping[UUID, dossier.SealedKey]:
        """Raises `Erased` when the hold's content is gone."""
        return dict(zip(hold.records, self._held.keys(hold).records, strict=True))

    def is_wanted(self, instruction: Instruction) -> bool:
        """Whether an answer would have an effect: nobody erased it by hand meanwhile."""
        hold = self._register.hold(_hold_id(instruction))
        return not hold.stands and not hold.erased and self.verb(hold) is instruction.verb

    # What it answers

    def needs_person(
        self, instruction: Instruction, *, reason: str, along: MakeAlong | None = None
    ) -> None:
        hold_id = _hold_id(instruction)
        if along is None:
            self._holds.ask_person(hold_id, reason=reason)
        else:
            self._holds.ask_person(hold_id, reason=reason, along=along)

    def found(
        self, instruction: Instruction, records: Sequence[Record], *, along: MakeAlong
    ) -> None:
        """What is there: who has come back since keeps it, and what is gone needs no erasure."""
        hold = self._register.hold(_hold_id(instruction))
        outcomes = tuple(self._settled(hold, records))
        if len(outcomes) == len(hold.records) and nothing_was_there(outcomes):
            self._holds.ask_person(hold.id, reason=NOTHING_CHANGED, doubted=True, along=along)
            return
        self._go_on(hold.id, outcomes, along)

    def _settled(self, hold: Hold, records: Iterable[Record]) -> Iterator[RecordOutcome]:
        request = self._register.request(hold.request_id)
        there = {(one.kind, one.key): one for one in records}
        for record_id, key in self.keys(hold).items():
            record = there.get((key.kind, key.key))
            stays = self._holds.stays(hold, request, record_id, key, record)
            if stays is not None:
                yield stays
            elif record is None:
                yield RecordOutcome(record_id, Outcome.NOT_FOUND, "already-gone")

    def erased(
        self, instruction: Instruction, results: Mapping[UUID, Result], *, along: MakeAlong
    ) -> None:
        hold = self._register.hold(_hold_id(instruction))
        outcomes = tuple(_outcome(record_id, result) for record_id, result in results.items())
        doubt = _doubt(hold, outcomes)
        if doubt is not None:
            self._holds.ask_person(hold.id, reason=doubt, doubted=True, along=along)
            return
        waits = [one.not_before for one in results.values() if one.not_before is not None]
        self._go_on(hold.id, outcomes, along, not_before=max(waits, default=None))

    @again_on_conflict
    def _go_on(
        self,
        hold_id: UUID,
        outcomes: tuple[RecordOutcome, ...],
        along: MakeAlong,
        *,
        not_before: datetime | None = None,
    ) -> None:
        now = self._clock()
        hold = self._register.hold(hold_id)
        hold.system_answers(outcomes=outcomes, at=now)
        following = release_task(
            hold.id,
            hold.controller,
            hold.system,
            f"told/{hold.version}",
            at=max(now, not_before) if not_before is not None else now,
        )
        more = along()
        also = [*more.also, self._tasks.add(following)]
        self._register.save_all([hold, *more.aggregates], also)

    @again_on_conflict
    def read_back(
        self, instruction: Instruction, records: Sequence[Record], *, along: MakeAlong
    ) -> None:
        """Believed when the second search shows nothing of what was erased."""
        now = self._clock()
        hold = self._register.hold(_hold_id(instruction))
        keys = self.keys(hold)
        gone = {
            (keys[one.record_id].kind, keys[one.record_id].key)
            for one in hold.answers
            if one.outcome in DONE and not self._holds.kept_beside(hold, keys[one.record_id])[1]
        }
        if gone & {(one.kind, one.key) for one in records}:
            self._holds.ask_person(hold.id, reason=STILL_THERE, doubted=True, along=along)
            return
        hold.erase_at_release(outcomes=hold.answers, at=now)
        more = along()
        also = [*more.also, *self._holds.what_follows(hold, now)]
        self._register.save_all([hold, *more.aggregates], also)


def _hold_id(instruction: Instruction) -> UUID:
    assert instruction.hold_id is not None
    return instruction.hold_id


def _doubt(hold: Hold, outcomes: tuple[RecordOutcome, ...]) -> str | None:
    """Why an answer to the erasure cannot be taken as it is."""
    if {one.record_id for one in outcomes} != set(hold.unanswered):
        return UNACCOUNTED
    if any(one.outcome not in DONE for one in outcomes):
        return NOT_DONE  # the law's day is over: what is to stay longer, a person looks into
    return NOTHING_CHANGED if nothing_was_there(outcomes) else None


def _outcome(record_id: UUID, result: Result) -> RecordOutcome:
    return RecordOutcome(
        record_id,
        result.outcome,
        result.detail,
        ground=result.ground,
        until=result.until,
        residuals=tuple(KnownResidual(r.what, r.why, r.until) for r in result.residuals),
    )
