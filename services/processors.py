"""Processors that are asked by OpenDSR: how far they are, until that answers the instruction.

That a processor says an erasure is completed is its word, and recorded as that: what proves it is
the access request that follows and finds nothing, or a person who says so (Art. 28(3)(h)).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol
from uuid import uuid5

import structlog

from domain.instruction import Instruction, Said, Verb, Via
from domain.vocabulary import Outcome
from services.instructing import Instructions
from services.ports import Clock, Refused, Result, Task, Tasks, Unavailable
from services.receipts_of_systems import FoundThere, Receipt
from services.register import Register

ASK: Final = "ask-processor"
FIRST_AFTER = timedelta(minutes=5)
LONGEST_PAUSE = timedelta(hours=6)
AS_IT_SAYS: Final = "completed-says-processor"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Finished:
    """What a processor says in the end. `found` is None where it says nothing that can be read.

    `problem` is a code where a person must look.
    """

    found: Sequence[FoundThere] | None = None
    problem: str = ""


class Processors(Protocol):
    """Every processor of every controller that speaks OpenDSR."""

    def finished(self, instruction: Instruction) -> Finished | None:
        """What it says in the end; None while it works on it."""
        ...

    def cancel(self, instruction: Instruction) -> None:
        """Take back what nobody waits for any more, if it is not too late for that."""
        ...


def asking(instruction: Instruction, now: Clock) -> Task:
    """The task that asks how far a processor is."""
    return Task(
        key=f"{instruction.id}/{ASK}/{instruction.repeats}",
        kind=ASK,
        subject_id=instruction.id,
        due_at=now() + FIRST_AFTER,
        controller=instruction.controller,
        system=instruction.system,
    )


class AskingProcessors:
    def __init__(
        self,
        register: Register,
        tasks: Tasks,
        instructions: Instructions,
        processors: Processors,
        clock: Clock,
    ) -> None:
        self._register, self._tasks, self._instructions = register, tasks, instructions
        self._processors, self._clock = processors, clock

    def ask(self, task: Task) -> None:
        """Ask once; what is finished is the answer, and what is not is asked for again later."""
        instruction = self._register.instruction(task.subject_id)
        if not instruction.is_open:
            self._take_back(instruction)
            self._register.save_all([], [self._tasks.done(task)])
            return
        finished = self._processors.finished(instruction)
        if finished is None:
            pause = FIRST_AFTER.total_seconds() * 2.0 ** min(task.attempts - 1, 20)
            seconds = min(pause, LONGEST_PAUSE.total_seconds())
            self._tasks.put_off(task, seconds=seconds, reason="works-on-it")
            return
        self.take(instruction, finished)
        self._register.save_all([], [self._tasks.done(task)])

    def hurry(self, instruction: Instruction) -> None:
        """The processor says that there is news: what it is, is asked, and soon."""
        if instruction.is_open:
            self._register.save_all([], self._tasks.again(asking(instruction, self._clock)))

    def take(self, instruction: Instruction, finished: Finished) -> None:
        """Record what a processor said in the end, as the one receipt that it gives."""
        self._instructions.answer(
            receipt_of(instruction, finished),
            controller=instruction.controller,
            system=instruction.system,
            via=Via.OPENDSR,
        )

    def _take_back(self, instruction: Instruction) -> None:
        if instruction.answered_at is not None:
            return
        try:
            self._processors.cancel(instruction)
        except (Unavailable, Refused) as error:
            log.warning("processor_not_cancelled", error=type(error).__name__)


def receipt_of(instruction: Instruction, finished: Finished) -> Receipt:
    receipt = uuid5(instruction.id, "opendsr")
    if finished.problem:
        return Receipt(receipt, instruction.id, Said.NEEDS_PERSON, problem=finished.problem)
    if instruction.verb is Verb.ERASE:
        erased = Result(Outcome.ERASED, detail=AS_IT_SAYS)
        records = {one.record_id: erased for one in instruction.records}
        return Receipt(receipt, instruction.id, Said.DONE, records=records)
    if finished.found:
        return Receipt(receipt, instruction.id, Said.FOUND, found=tuple(finished.found))
    return Receipt(receipt, instruction.id, Said.NOTHING_HELD)
