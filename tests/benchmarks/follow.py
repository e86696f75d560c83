"""How fast read models follow the log and are rebuilt, how late they are, and how they are read.

python -m tests.benchmarks.follow [EVENTS] [REQUESTS]

The log is a random history of 20,000 events told again about other cases until it is large enough;
most requests in it stay open, which is the worst that a work list can meet.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import structlog
from rich.console import Console
from rich.table import Table

from adapters.embedded_postgres import EmbeddedPostgres
from adapters.outbound.database import Database, migrate
from adapters.outbound.recorder import LogRecorder
from adapters.outbound.views import Views
from domain.case import reference
from projections import board, case_file, figures, incoming, worklist
from projections.projection import civil_dates
from services.follower import Follower
from tests.benchmarks.figures import Figure, at_least, at_most
from tests.benchmarks.population import BASE_EVENTS, Population, again
from tests.support.histories import BEGIN, CONTROLLERS, opened_register, source_of

ONE = "deadline_worklist"
APPENDS_PER_SECOND = 500
TIMES = 200
FOLLOW = "from tests.benchmarks.follow import follow; follow()"


def measure(
    url: str,
    *,
    events: int,
    requests: int,
    seconds: float,
    base: int = BASE_EVENTS,
    times: int = TIMES,
) -> Iterator[Figure]:
    """Everything about the reading side, against one empty database."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    try:
        with Database(url) as database:
            migrate(database)
            with opened_register(database) as register:
                population = Population(url, register.mapper, base=base)
                views, source = Views(database), source_of(database, register)
                views.prepare(source)
                with _following(url) as follower:
                    yield _lag(database, population, seconds)
                    yield _idle(database, follower, seconds)
                told = population.tell(events)
                for aim, names in ((40_000, [ONE]), (20_000, [])):
                    began = time.perf_counter()
                    views.rebuild_all(source, names)
                    rate = told / (time.perf_counter() - began)
                    what = f"rebuild of {names[0] if names else 'all views'}"
                    yield at_least(f"{what} from {told:,} events", aim, rate, "events/s")
                while population.requests < requests:
                    population.tell(1)
                views.rebuild_all(source)
            database.connection.execute("VACUUM ANALYZE")
            yield from _queries(database, population.requests, times)
    finally:
        structlog.reset_defaults()


def _lag(database: Database, population: Population, seconds: float) -> Figure:
    """From the end of a save to all views showing it, by a watcher that looks every millisecond."""
    recorder, saved = LogRecorder(database), list[tuple[int, float]]()
    seen: list[tuple[int, float]] = []
    done = Event()

    def watch() -> None:
        while not done.is_set():
            (row,) = database.fetch("SELECT min(position) AS position FROM views.positions")
            seen.append((row["position"], time.perf_counter()))
            time.sleep(0.001)

    watcher = threading.Thread(target=watch)
    watcher.start()
    began = time.perf_counter()
    history = again(population.base, 0)
    for number in range(int(seconds * APPENDS_PER_SECOND)):
        time.sleep(max(0.0, began + number / APPENDS_PER_SECOND - time.perf_counter()))
        (position,) = recorder.insert_events([next(history)])
        saved.append((position, time.perf_counter()))
    while not seen or seen[-1][0] < saved[-1][0]:
        time.sleep(0.01)
    done.set()
    watcher.join()
    lags, looks = [], iter(seen)
    shown, at = next(looks)
    for position, moment in saved:
        while shown < position:
            shown, at = next(looks)
        lags.append(max(0.0, at - moment) * 1000)
    rate = len(saved) / (saved[-1][1] - began)
    return at_most(f"follower lag at {rate:.0f} appends/s, p99", 50, _p99(lags), "ms")


def _idle(database: Database, follower: int, seconds: float) -> Figure:
    def used() -> float:
        fields = Path(f"/proc/{follower}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")

    before = used()
    time.sleep(seconds)
    return at_most("idle follower, of one core", 2, (used() - before) / seconds * 100, "%")


def _queries(database: Database, requests: int, times: int) -> Iterator[Figure]:
    controllers, today = list(CONTROLLERS), civil_dates(BEGIN)
    everything = board.Selection(tuple(controllers))
    first = worklist.entries(database, controllers)
    case_id = first[0].case_id
    asked: Sequence[tuple[str, float, Callable[[], object]]] = (
        ("work list", 20, lambda: worklist.entries(database, controllers)),
        (
            "work list, next page",
            20,
            lambda: worklist.entries(database, controllers, after=first[-1]),
        ),
        (
            "work list, one person's",
            20,
            lambda: worklist.entries(database, controllers, assigned_to="staff-2"),
        ),
        (
            "work list, one turn",
            20,
            lambda: worklist.entries(database, controllers, turn="subject"),
        ),
        ("inbox", 20, lambda: incoming.inbox(database, controllers)),
        (
            "case by reference",
            20,
            lambda: incoming.case_called(database, controllers, reference(case_id)),
        ),
        ("case file", 20, lambda: case_file.timeline(database, case_id)),
        ("dashboard", 100, lambda: figures.figures(database, everything, today)),
    )
    for what, aim, query in asked:
        query()
        took = []
        for _ in range(times):
            began = time.perf_counter()
            query()
            took.append((time.perf_counter() - began) * 1000)
        yield at_most(f"{what} at {requests:,} requests, p99", aim, _p99(took), "ms")


def _p99(values: Sequence[float]) -> float:
    return sorted(values)[int(0.99 * (len(values) - 1))]


@contextmanager
def _following(url: str) -> Iterator[int]:
    process = subprocess.Popen([sys.executable, "-c", FOLLOW, url], env={**os.environ})
    time.sleep(2)
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(timeout=30)


def follow() -> None:
    """The process of the follower."""
    with Database(sys.argv[1]) as database, opened_register(database) as register:
        Follower(source_of(database, register), Views(database).views).run(Event())


def main(events: int, requests: int) -> None:
    with tempfile.TemporaryDirectory() as home, EmbeddedPostgres(Path(home)) as server:
        table = Table("what", "aim", "figure", "ratio")
        for one in measure(server.url, events=events, requests=requests, seconds=10):
            table.add_row(one.what, one.aim, one.figure, f"{one.ratio:.2f}")
        table.caption = f"load average {os.getloadavg()[0]:.1f}"
    Console(width=120).print(table)


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    main(*(given + [1_000_000, 100_000][len(given) :]))
