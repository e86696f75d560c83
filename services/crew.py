"""Crew: the workers of one process, and who looks after them.

Leases of what takes long are renewed, so that it is not done twice at once; a worker that waits for
a slow system is stood in for, so that it keeps no other system waiting.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Thread
from time import monotonic
from uuid import uuid4

import structlog

from services.ports import Tasks
from services.worker import LEASE_SECONDS, NOT_SET_UP, Worker

LOOK_EVERY_SECONDS = 0.5
RENEW_AFTER_SECONDS = LEASE_SECONDS / 3
LONGEST_IN_HAND_SECONDS = 6 * 3_600.0
"""After that somebody else may try: a thread that hangs for ever keeps no task for ever."""
SLOW_SECONDS = 1.5
MOST_STAND_INS = 24
PURGE_EVERY_SECONDS = 86_400.0
PATIENCE_SECONDS = 8.0
"""At the end. Container engines kill after ten seconds."""
ONLY_ASK = frozenset({"find", "read-back"})
"""What changes nothing in any system may be begun by another while the end of this one is near."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Member:
    worker: Worker
    thread: Thread

    @property
    def waits(self) -> bool:
        """Whether it has been at one task so long that a system must be keeping it."""
        now = monotonic()
        return any(now - held.since > SLOW_SECONDS for held in list(self.worker.in_hand.values()))


class Crew:
    """So many workers at work, and a stand-in for each that waits, up to `MOST_STAND_INS`."""

    def __init__(self, size: int, hire: Callable[[str], Worker], tasks: Tasks) -> None:
        self._size, self._hire, self._tasks = size, hire, tasks
        self._members: list[Member] = []
        self._name, self._hired = uuid4().hex[:12], 0
        self._purge_at = monotonic()

    @property
    def size(self) -> int:
        """How many are at work now."""
        return sum(member.thread.is_alive() for member in self._members)

    def run(self, stop: Event) -> None:
        """Look after the workers until told to stop; then see them off."""
        begun = False
        while not stop.is_set():
            try:
                self.look(stop)
                if not begun:  # whoever runs this may have set up what was missing
                    self._tasks.hurry(reason=NOT_SET_UP)
                    begun = True
                self._purge()
            except Exception:  # the database may be away; leases run out, nothing is lost
                log.exception("crew_stumbled")
            stop.wait(LOOK_EVERY_SECONDS)
        self._see_off()

    def look(self, stop: Event) -> None:
        """Have as many at work as there should be, and renew what they hold."""
        self._members = [member for member in self._members if member.thread.is_alive()]
        waiting = sum(member.waits for member in self._members)
        wanted = self._size + min(waiting, MOST_STAND_INS)
        for place, member in enumerate(self._members):
            member.worker.wanted = place < wanted
        while len(self._members) < wanted:
            self._members.append(self._hire_one(stop))
        self._renew()

    def _hire_one(self, stop: Event) -> Member:
        self._hired += 1
        name = f"worker-{self._hired}-{self._name}"  # whoever holds a lease is one of all processes
        worker = self._hire(name)
        # Killed in the middle is what workers are made for: none of them keeps the process alive.
        thread = Thread(target=worker.run, args=(stop,), name=name, daemon=True)
        thread.start()
        return Member(worker, thread)

    def _renew(self) -> None:
        now = monotonic()
        old = [
            held
            for member in self._members
            for held in list(member.worker.in_hand.values())
            if now - held.leased > RENEW_AFTER_SECONDS
            and now - held.since < LONGEST_IN_HAND_SECONDS
        ]
        if old:
            self._tasks.renew([held.task for held in old], lease_seconds=LEASE_SECONDS)
            for held in old:
                held.leased = now

    def _purge(self) -> None:
        if monotonic() >= self._purge_at and not self._tasks.purge():
            self._purge_at = monotonic() + PURGE_EVERY_SECONDS

    def _see_off(self) -> None:
        """What is in hand is finished; what waits for a slow system is left to others."""
        ends = monotonic() + PATIENCE_SECONDS
        for member in self._members:
            member.thread.join(timeout=max(0.0, ends - monotonic()))
        for member in self._members:
            if member.thread.is_alive():
                log.warning("worker_still_busy", worker=member.thread.name)
                self._hand_over(member.worker)

    def _hand_over(self, worker: Worker) -> None:
        """Others need not wait for the lease of what only asks; the rest may be under way."""
        try:
            for held in list(worker.in_hand.values()):
                if held.task.kind in ONLY_ASK:
                    self._tasks.put_off(held.task, seconds=0.0, reason="handed-over")
        except Exception:  # the database may be away; leases run out
            log.exception("crew_stumbled")
