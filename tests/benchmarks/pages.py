"""How fast the server makes each page when it holds 100,000 requests, and how heavy each page is.

python -m tests.benchmarks.pages [REQUESTS] [TIMES]

The log is the random history that `follow` reads too; most requests in it stay open, which is the
worst that a list can meet. Nothing is sent anywhere: what is measured is the application alone.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog
from fastapi.testclient import TestClient
from rich.console import Console
from rich.table import Table

from adapters.embedded_postgres import EmbeddedPostgres
from adapters.outbound.database import Database, migrate
from adapters.outbound.views import Views
from domain.vocabulary import Country
from tests.benchmarks.figures import Figure, at_most
from tests.benchmarks.population import BASE_EVENTS, Population
from tests.support.histories import opened_register, source_of
from tests.support.house import NORWAY, SWEDEN, House, open_house
from tests.support.steps import reveal
from tests.support.visitors import ask

SERVED = {NORWAY: Country.NO, SWEDEN: Country.SE}
P95_AIM_MS, WEIGHT_AIM_KB = 100.0, 60.0


@dataclass(frozen=True)
class Timed:
    """One page, asked for so often."""

    what: str
    milliseconds: list[float]
    cpu_ms: float
    """Of this process alone, each time; where others use the machine too it says more."""
    bytes: int

    def percentile(self, share: float) -> float:
        return sorted(self.milliseconds)[int(share * (len(self.milliseconds) - 1))]


def measure(requests: int, times: int, *, base: int = BASE_EVENTS) -> Iterator[Timed]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    try:
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder)
            with EmbeddedPostgres(home / "database") as server:
                _populate(server.url, requests, base)
                with open_house(server.url, home / "home") as house:
                    for what, browser, address in _pages(house):
                        yield _timed(what, browser, address, times)
    finally:
        structlog.reset_defaults()


def _populate(url: str, requests: int, base: int) -> None:
    with Database(url) as database:
        migrate(database)
        with opened_register(database) as register:
            population = Population(url, register.mapper, base=base, controllers=SERVED)
            while population.requests < requests:
                population.tell(1)
            views, source = Views(database), source_of(database, register)
            views.prepare(source)
            views.rebuild_all(source)
        database.connection.execute("VACUUM ANALYZE")


def _pages(house: House) -> Iterator[tuple[str, TestClient, str]]:
    """Whose browser opens what: the lists of everybody's, one case, and one person's own."""
    desk, person = house.staff(), house.visitor()
    case_id = ask(house, "access")
    case = f"/desk/cases/{case_id}"
    reveal(desk, case)
    waiting = house.receive("Slett alt dere har om meg.")
    yield "work list", desk, "/desk"
    yield "work list, one right", desk, "/desk?right=erasure"
    yield "work list, one controller and right", desk, f"/desk?controller={NORWAY}&right=access"
    yield "all requests", desk, "/desk/cases"
    yield "inbox", desk, "/desk/inbox"
    yield "message in the inbox", desk, f"/desk/inbox/{waiting}"
    yield "case", desk, case
    yield "holds", desk, "/desk/holds"
    yield "board", desk, "/board"
    yield "board, all time", desk, "/board?period=all"
    yield "what waits, from the board", desk, "/board/now/by-hand"
    yield "portal", person, f"/c/{NORWAY}"
    yield "follow", person, house.link("follow")


def _timed(what: str, browser: TestClient, address: str, times: int) -> Timed:
    taken = []
    size = 0
    used = time.process_time()
    for _ in range(times + 1):
        began = time.perf_counter()
        answer = browser.get(address)
        taken.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 200, (address, answer.status_code)
        size = len(answer.content)
    used = (time.process_time() - used) * 1000 / (times + 1)
    return Timed(what, taken[1:], used, size)


def figures(requests: int, times: int, *, base: int = BASE_EVENTS) -> Iterator[Figure]:
    for one in measure(requests, times, base=base):
        what = f"{one.what}, {requests:,} requests"
        yield at_most(f"{what}, p95", P95_AIM_MS, one.percentile(0.95), "ms")
        yield at_most(f"{what}, HTML", WEIGHT_AIM_KB, one.bytes / 1000, "kB")


def main() -> None:
    given = [int(one) for one in sys.argv[1:]]
    requests, times = (*given, *(100_000, 60)[len(given) :])
    table = Table("page", "p50 ms", "p95 ms", "CPU ms", "kB")
    for one in measure(requests, times):
        row = (
            one.what,
            f"{one.percentile(0.5):.1f}",
            f"{one.percentile(0.95):.1f}",
            f"{one.cpu_ms:.1f}",
            f"{one.bytes / 1000:.1f}",
        )
        Console(stderr=True).print(*row)
        table.add_row(*row)
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
