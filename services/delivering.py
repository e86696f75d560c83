"""Delivering: brings instructions to systems that are called, and writes down each try.

That a system took an instruction in is no answer: that comes as a receipt of its own. A try that is
cut off at any line is made again under the same id.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from domain.instruction import Contract, Instruction
from services.ports import Also, Clock, Task, Tasks
from services.register import Register, again_on_conflict

DELIVER: Final = "deliver"
GONE: Final = "endpoint-gone"
NOT_DELIVERED: Final = "not-delivered"
LOOK_AGAIN_SECONDS = 3_600.0
"""How soon what waits for an address to be opened again looks by itself."""

NextPause = Callable[[int, float | None], float | None]
"""Seconds until the try after this one, given its number from 1 and the system's wish; None: no
more."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Try:
    """What came of one try. `code` says it in a word; `status` is the system's, if it answered.

    `wish` is for how many seconds it wants to be left alone; `gone` that it never wants to be
    called again. `then` is saved with a delivery.
    """

    code: str
    delivered: bool = False
    status: int | None = None
    milliseconds: int = 0
    wish: float | None = None
    gone: bool = False
    then: tuple[Also, ...] = ()


class EndpointGone(Exception):
    """The system's address said before that it is gone; nobody has opened it again."""


class Carrier(Protocol):
    """One way of telling a system."""

    def carry(self, instruction: Instruction) -> Try:
        """Try once. What went wrong is in the answer; raises `EndpointGone` without trying."""
        ...


class Deliveries(Protocol):
    """Every try of every delivery, for people to see; nothing personal."""

    def tries(self, instruction: Instruction) -> int:
        """How often it was tried since it was given, or last repeated."""
        ...

    def tried(
        self, instruction: Instruction, number: int, tried: Try, next_in: float | None
    ) -> tuple[Also, ...]: ...


class Delivering:
    def __init__(
        self,
        register: Register,
        tasks: Tasks,
        deliveries: Deliveries,
        carriers: Mapping[Contract, Carrier],
        next_pause: NextPause,
        clock: Clock,
    ) -> None:
        self._register, self._tasks, self._deliveries = register, tasks, deliveries
        self._carriers, self._next_pause, self._clock = carriers, next_pause, clock

    def deliver(self, task: Task) -> None:
        """Try once, and plan the next try where this one failed."""
        instruction = self._register.find_instruction(task.subject_id)
        if instruction is None or not instruction.may_be_fetched(self._clock()):
            self._register.save_all([], [self._tasks.done(task)])
            return
        number = self._deliveries.tries(instruction) + 1
        try:
            tried = self._carriers[instruction.delivery].carry(instruction)
        except EndpointGone:
            self._tasks.put_off(task, seconds=LOOK_AGAIN_SECONDS, reason=GONE)
            return
        log.info(
            "delivery_tried",
            instruction=str(instruction.id),
            system=instruction.system,
            number=number,
            code=tried.code,
            status=tried.status,
        )
        if tried.delivered:
            noted = self._deliveries.tried(instruction, number, tried, None)
            self._register.save_all([], [*noted, *tried.then, self._tasks.done(task)])
        elif tried.gone:
            self._register.save_all([], self._deliveries.tried(instruction, number, tried, None))
            self._tasks.put_off(task, seconds=LOOK_AGAIN_SECONDS, reason=GONE)
            self._escalate(task, reason=GONE)
        else:
            self._try_again(task, instruction, number, tried)

    def _try_again(self, task: Task, instruction: Instruction, number: int, tried: Try) -> None:
        pause = self._next_pause(number, tried.wish)
        noted = self._deliveries.tried(instruction, number, tried, pause)
        if pause is None:
            self._escalate(task, reason=NOT_DELIVERED, also=(*noted, self._tasks.done(task)))
            return
        self._register.save_all([], noted)
        self._tasks.put_off(task, seconds=pause, reason=tried.code)

    @again_on_conflict
    def _escalate(self, task: Task, *, reason: str, also: tuple[Also, ...] = ()) -> None:
        """A person is told; what the system answers nonetheless is as welcome as before."""
        instruction = self._register.instruction(task.subject_id)
        instruction.escalate(reason=reason, at=self._clock())
        self._register.save_all([instruction], list(also))
