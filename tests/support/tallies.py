"""A read model that shows every event that was missed or taken twice, and a program that runs it.

python -m tests.support.tallies URL
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from threading import Event
from typing import Annotated, ClassVar
from uuid import UUID

from adapters.outbound.database import Database
from adapters.outbound.views import PostgresView
from projections.projection import Projection, Recorded, Row, Rows, Table
from services.follower import Follower
from tests.support.histories import opened_register, source_of


@dataclass(slots=True, kw_only=True)
class Tally(Row):
    aggregate_id: Annotated[UUID, "The aggregate"]
    counted: Annotated[int, "How many of its events were taken"] = 0
    version: Annotated[int, "The version of the last one"] = 0


@dataclass(slots=True, kw_only=True)
class Seen(Row):
    position: Annotated[int, "A position that was taken; twice would break the key"]


TALLIES = Table(
    "tallies", Tally, key=("aggregate_id",), found_by=("aggregate_id",), comment="Counts"
)
SEEN = Table("seen", Seen, key=("position",), comment="Positions")


class Tallies(Projection):
    """Counts upwards, so that an event taken twice cannot hide behind an upsert."""

    name = "tallies"
    tables = (TALLIES, SEEN)
    trouble: ClassVar[frozenset[int]] = frozenset()
    """Positions at which it fails."""
    seconds_per_event: ClassVar[float] = 0.0

    def concerns(self, topic: str) -> bool:
        return True

    def apply(self, recorded: Recorded, rows: Rows) -> None:
        time.sleep(self.seconds_per_event)
        if not rows.of(TALLIES, recorded.originator_id):
            rows.add(TALLIES, Tally(aggregate_id=recorded.originator_id))
        for tally in rows.changing(TALLIES, recorded.originator_id):
            tally.counted += 1
            if recorded.position in self.trouble:
                raise ValueError("after the row was changed already")
            tally.version = recorded.originator_version
        rows.add(SEEN, Seen(position=recorded.position))


class SlowTallies(Tallies):
    """Slow enough to be killed in the middle of a batch."""

    seconds_per_event = 0.002


def main(url: str) -> None:
    with Database(url) as database, opened_register(database) as register:
        view = PostgresView(SlowTallies(), database)
        Follower(source_of(database, register), [view], batch=10).run(Event())


if __name__ == "__main__":
    main(sys.argv[1])
