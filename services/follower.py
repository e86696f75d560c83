"""Follower: feeds recorded events, in order, to whatever follows them.

One loop reads and decodes once for all views. Each view folds its batch and writes its rows with
its position in one transaction; whoever holds the row of a position is the one that runs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Event
from typing import Protocol
from uuid import UUID

import structlog

BATCH = 500

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Recorded:
    """One event of the log with its place in it. `body` is None where it cannot be read."""

    position: int
    recorded_at: datetime
    originator_id: UUID
    originator_version: int
    topic: str
    body: object | None


class Log(Protocol):
    """Reads the log in order and never past a gap that may still fill."""

    def read(self, after: int, limit: int) -> tuple[Sequence[Recorded], int]:
        """The events after a position, and the position up to which all is read."""
        ...


class View(Protocol):
    """A read model: its name, its position, and how it takes a batch."""

    name: str

    def position(self) -> int: ...

    def take(self, events: Sequence[Recorded], after: int, upto: int) -> bool:
        """Write rows and position together; False when another runner has it, or had it."""
        ...


class Follower:
    """Keeps every view up to date."""

    def __init__(self, source: Log, views: Sequence[View]) -> None:
        self._source, self._views = source, tuple(views)

    def run(self, stop: Event, *, idle_seconds: float = 0.1) -> None:
        while not stop.is_set():
            try:
                busy = self.step()
            except Exception:  # the database may be away; positions did not move
                log.exception("follower_stumbled")
                busy = False
                stop.wait(1.0)
            if not busy:
                stop.wait(idle_seconds)

    def drain(self) -> None:
        """Bring every view up to the end of the log."""
        while self.step():
            pass

    def step(self) -> bool:
        """Read once from where the slowest view stands; True when any view moved."""
        positions = {view.name: view.position() for view in self._views}
        start = min(positions.values())
        events, upto = self._source.read(start, BATCH)
        if upto <= start:
            return False
        moved = False
        for view in self._views:
            mine = positions[view.name]
            if upto > mine:
                fresh = [event for event in events if event.position > mine]
                moved = view.take(fresh, mine, upto) or moved
        return moved
