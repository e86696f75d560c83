"""Delivering: brings instructions to systems that are called, and writes down each try.

That a system took an instruction in is no answer: that comes as a receipt of its own. A try that is
cut off at any line is made again under the same id.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog

from domain.instruction import Instruction
from services.ports import Also, Refused, Task, Tasks
from services.register import Register

NextPause = Callable[[int, float | None], float | None]
"""Seconds until the try after this one, given its number from 1 and the system's wish; None: no
more."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Try:
    """What came of one try. `code` says it in a word; `status` is the system's, if it answered.

    `wish` is for how many seconds it wants to be left alone; `over` that no other try makes sense.
    `then` is saved with a delivery.
    """

    code: str
    delivered: bool = False
    status: int | None = None
    milliseconds: int = 0
    wish: float | None = None
    over: bool = False
    then: tuple[Also, ...] = ()


class Carrier(Protocol):
    """One way of telling a system."""

    def carry(self, instruction: Instruction) -> Try:
        """Try once. What went wrong is in the answer."""
        ...


class Deliveries(Protocol):
    """Every try of every delivery, for people to see; nothing personal."""

    def tries(self, instruction: Instruction) -> int:
        """How often it was tried since it was given, or last repeated."""
        ...

    def tried(
        self, instruction: Instruction, number: int, tried: Try, next_in: float | None
    ) -> Also: ...


class Delivering:
    """Keeps `services.instructing.Deliverer`."""

    def __init__(
        self,
        register: Register,
        tasks: Tasks,
        deliveries: Deliveries,
        carrier: Carrier,
        next_pause: NextPause,
    ) -> None:
        self._register, self._tasks, self._deliveries = register, tasks, deliveries
        self._carrier, self._next_pause = carrier, next_pause

    def deliver(self, task: Task, instruction: Instruction) -> None:
        """Try once, and plan the next try where this one failed; `Refused` after the last."""
        number = self._deliveries.tries(instruction) + 1
        tried = self._carrier.carry(instruction)
        log.info(
            "delivery_tried",
            instruction=str(instruction.id),
            number=number,
            code=tried.code,
            status=tried.status,
        )
        pause = None
        if not tried.delivered and not tried.over:
            pause = self._next_pause(number, tried.wish)
        noted = self._deliveries.tried(instruction, number, tried, pause)
        if tried.delivered:
            self._register.save_all([], [noted, *tried.then, self._tasks.done(task)])
            return
        self._register.save_all([], [noted])
        if pause is None:
            raise Refused(f"not delivered: {tried.code}")
        self._tasks.put_off(task, seconds=pause, reason=tried.code)
