"""Follower: feeds recorded events, in order, to whatever follows them.

One loop reads and decodes once for all views. Each view folds its batch and writes its rows with
its position in one transaction; whoever holds the row of a position is the one that runs it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from threading import Event
from typing import Protocol

import structlog

from projections.projection import Recorded as Recorded

BATCH = 1_000
GATHER_SECONDS = 0.015
"""How long events are let gather: a batch of three costs as much as one of thirty."""
REST_SECONDS = 1.0
"""How long a view is left alone that another runner has, or that has just failed."""

log = structlog.get_logger()


class Log(Protocol):
    """Reads the log in order and never past a gap that may still fill."""

    def read(self, after: int, limit: int) -> tuple[Sequence[Recorded], int]:
        """The events after a position, and the position up to which all is read."""
        ...


class View(Protocol):
    """A read model: its name, its position, and how it takes a batch."""

    @property
    def name(self) -> str: ...

    def position(self) -> int: ...

    def take(self, events: Sequence[Recorded], after: int, upto: int) -> bool:
        """Write rows and position together; False when another runner has it, or had it."""
        ...


class AnotherLog(Exception):
    """The log is not the one that was followed: whoever follows it must start anew."""


class FollowerFailed(Exception):
    """Some views could not be brought up to date; the message names them."""


class Follower:
    """Keeps every view up to date. Any number may run; each view is run by one of them."""

    def __init__(self, source: Log, views: Sequence[View], *, batch: int = BATCH) -> None:
        self._source, self._views, self._batch = source, tuple(views), batch
        self._resting: dict[str, float] = {}
        self._more = False
        self.failing: dict[str, str] = {}
        """The views that failed when last tried, and with what kind of error."""

    def run(self, stop: Event, *, idle_seconds: float = 0.03) -> None:
        """Follow until told to stop. Raises `AnotherLog`: to try again would not help."""
        while not stop.is_set():
            try:
                busy = self.step()
            except AnotherLog:
                raise
            except Exception:  # the database may be away; positions did not move
                log.exception("follower_stumbled")
                stop.wait(REST_SECONDS)
                continue
            if not self._more:
                stop.wait(GATHER_SECONDS if busy else idle_seconds)

    def drain(self) -> None:
        """Bring every view up to the end of the log, unless another runner has it."""
        while self.step():
            pass
        if self.failing:
            raise FollowerFailed(", ".join(f"{view}: {e}" for view, e in self.failing.items()))

    def step(self) -> bool:
        """Let every view take one batch; True when any of them moved.

        Views that stand at the same position share one reading, so a view that is far behind
        holds up none of the others.
        """
        now = time.monotonic()
        together: dict[int, list[View]] = {}
        for view in self._views:
            if self._resting.get(view.name, now) <= now:
                together.setdefault(view.position(), []).append(view)
        moved = self._more = False
        for start, views in sorted(together.items()):
            events, upto = self._source.read(start, self._batch)
            self._more = self._more or len(events) >= self._batch
            if upto > start:
                for view in views:
                    moved = self._take(view, events, start, upto) or moved
        return moved

    def _take(self, view: View, events: Sequence[Recorded], start: int, upto: int) -> bool:
        try:
            taken = view.take(events, start, upto)
        except Exception as error:
            log.exception("view_stumbled", view=view.name, position=start)
            self.failing[view.name] = type(error).__name__
            taken = False
        else:
            self.failing.pop(view.name, None)
        if not taken:
            self._resting[view.name] = time.monotonic() + REST_SECONDS
        return taken
