"""Figures that were asked for already: good until the read model has taken another event."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Any

from adapters.outbound.database import Database
from projections.board import Selection
from projections.figures import Figures, figures
from projections.projection import Today

MOST = 200


class Remembered:
    """What one process has worked out; every answer is as fresh as one that is worked out anew."""

    def __init__(self) -> None:
        self._known: OrderedDict[Any, Figures] = OrderedDict()
        self._lock = Lock()

    def figures(self, database: Database, selection: Selection, today: Today) -> Figures:
        # Asked first: whatever is taken meanwhile can only make the figures newer than their name.
        stands = database.fetch(
            "SELECT position, incarnation, definition FROM views.positions WHERE view = 'dashboard'"
        )
        name = (*stands[0].values(), selection, *sorted(today.values())) if stands else None
        with self._lock:
            known = self._known.get(name)
            if known is not None:
                self._known.move_to_end(name)
                return known
        found = figures(database, selection, today)
        with self._lock:
            self._known[name] = found
            while len(self._known) > MOST:
                self._known.popitem(last=False)
        return found
