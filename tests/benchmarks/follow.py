"""How fast read models follow the log: a catch-up over a long history, alone and all together.

python -m tests.benchmarks.follow [EVENTS]
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

from eventsourcing.persistence import StoredEvent
from rich.console import Console
from rich.table import Table

from adapters.embedded_postgres import EmbeddedPostgres
from adapters.outbound.database import Database, migrate
from adapters.outbound.recorder import LogRecorder
from adapters.outbound.views import READ_MODELS, Views
from domain.aggregate import Aggregate
from projections import case_file, dashboard, deadline_worklist
from projections.projection import civil_dates
from services.follower import BATCH, Follower
from services.register import Register
from tests.support.histories import CONTROLLERS, History, opened_register, source_of


def fill(database: Database, register: Register, events: int) -> History:
    """A history of that many events, written straight into the log."""
    recorder, stored, written = LogRecorder(database), list[StoredEvent](), 0

    def save(aggregates: Sequence[Aggregate]) -> None:
        for aggregate in aggregates:
            stored.extend(map(register.mapper.to_stored_event, aggregate.collect_events()))

    history = History(1, save)
    while written < events:
        history.step()
        history.at -= timedelta(minutes=30)  # many cases side by side, as in a busy office
        if len(stored) > 500:
            written += len(recorder.insert_events(stored))
            stored.clear()
    return history


def main(events: int) -> None:
    out = Console()
    with (
        tempfile.TemporaryDirectory() as home,
        EmbeddedPostgres(Path(home)) as server,
        Database(server.url) as database,
    ):
        migrate(database)
        with opened_register(database) as register:
            with out.status(f"writing {events:,} events"):
                history = fill(database, register, events)
            _follow(out, database, register)
            _query(out, database, history)


def _follow(out: Console, database: Database, register: Register) -> None:
    table = Table("what", "events", "seconds", "events/s")
    source, position, began = source_of(database, register), 0, time.perf_counter()
    while (read := source.read(position, BATCH)[1]) > position:
        position = read
    _row(table, "reading and decoding", position, began)
    for projection in READ_MODELS:
        views = Views(database, [projection])
        views.views[0].create()
        began = time.perf_counter()
        Follower(source, views.views).drain()
        _row(table, f"{projection.name} alone", position, began)
    views = Views(database)
    for view in views.views:
        view.create()
    began = time.perf_counter()
    Follower(source, views.views).drain()
    _row(table, "all four together", position, began)
    began = time.perf_counter()
    views.rebuild("deadline_worklist", source)
    _row(table, "deadline_worklist rebuilt", position, began)
    out.print(table)


def _query(out: Console, database: Database, history: History) -> None:
    controllers, today = list(CONTROLLERS), civil_dates(history.at)
    case_id = history.requests[0].case_id
    table = Table("query", "median ms", f"of {len(history.requests):,} requests")
    queries: dict[str, Callable[[], object]] = {
        "work list, first 100": lambda: deadline_worklist.entries(database, controllers),
        "inbox, first 100": lambda: deadline_worklist.inbox(database, controllers),
        "case file": lambda: case_file.timeline(database, case_id),
        "dashboard": lambda: dashboard.measures(database, controllers, today),
    }
    for name, query in queries.items():
        times = []
        for _ in range(20):
            began = time.perf_counter()
            query()
            times.append(time.perf_counter() - began)
        table.add_row(name, f"{sorted(times)[10] * 1000:.1f}")
    out.print(table)


def _row(table: Table, what: str, events: int, began: float) -> None:
    seconds = time.perf_counter() - began
    table.add_row(what, f"{events:,}", f"{seconds:.1f}", f"{events / seconds:,.0f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
