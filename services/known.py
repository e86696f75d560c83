"""Known: aggregates as last read or saved, so that only what is newer has to be read again.

What is kept is never handed out, only copies of it: a command that fails leaves nothing behind.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TypeVar
from uuid import UUID

from domain.aggregate import Aggregate

MOST = 1_000

A = TypeVar("A", bound=Aggregate)


class Known:
    """The aggregates of one process that were used last, for all its threads."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: OrderedDict[UUID, Aggregate] = OrderedDict()
        self._lock = Lock()

    def get(self, aggregate_id: UUID) -> Aggregate | None:
        """A copy, of whatever version was seen last; somebody may have changed it since."""
        with self._lock:
            kept = self._kept.get(aggregate_id)
            if kept is None:
                return None
            self._kept.move_to_end(aggregate_id)
        return copy_of(kept)

    def keep(self, aggregate: Aggregate) -> None:
        """Keep a copy as it is now, unless a newer one is known."""
        with self._lock:
            kept = self._kept.get(aggregate.id)
            if kept is not None and kept.version >= aggregate.version:
                return
            self._kept[aggregate.id] = copy_of(aggregate)
            self._kept.move_to_end(aggregate.id)
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def forget(self, aggregate_id: UUID) -> None:
        with self._lock:
            self._kept.pop(aggregate_id, None)


def copy_of(aggregate: A) -> A:
    """One that can change by itself: events replace what they change, and change nothing in it."""
    copy = object.__new__(type(aggregate))
    copy.__dict__.update(aggregate.__dict__, _pending_events=[])
    return copy
