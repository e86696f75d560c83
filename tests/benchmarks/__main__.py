"""Everything that is measured, in one table.

python -m tests.benchmarks [--quick] [--markdown]

`--quick` shows that all of it runs; its figures are of too few requests to mean much. Each part has
a database of its own.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from adapters.bootstrap import installation
from adapters.embedded_postgres import EmbeddedPostgres
from adapters.settings import Settings
from tests.benchmarks import case, evidence, follow, fulfilment, kafka, memory, requests
from tests.benchmarks.figures import Figure, at_least, at_most
from tests.support.kafka import broker


def measured(*, quick: bool) -> Iterator[Figure]:
    yield from _appends(320 if quick else 16_000)
    yield from _fulfilment(32 if quick else 2_000)
    yield from _requests(64 if quick else 4_000)
    with _database() as (url, _):
        if quick:
            few = {"events": 2_000, "requests": 200, "base": 1_000, "times": 20}
            yield from follow.measure(url, seconds=1, **few)
        else:
            yield from follow.measure(url, events=1_000_000, requests=100_000, seconds=20)
    with (
        _database() as (url, home),
        tempfile.TemporaryDirectory() as folder,
        broker(Path(folder)) as running,
    ):
        count, seconds = (500, 2) if quick else (20_000, 20)
        yield from kafka.measure(running, url, home, count=count, seconds=seconds)
    with _database() as (url, _):
        yield from evidence.measure(url, 2_000 if quick else 200_000)
    with _database() as (url, home):
        yield memory.idle(url, home)
    with _database() as (url, home):
        yield memory.large(url, home, 500 if quick else 50_000)


def _appends(count: int) -> Iterator[Figure]:
    with _database() as (url, home):
        settings = Settings.model_validate({"home": home, "database_url": url})
        with installation(settings, with_migrations=True) as opened:
            for threads in case.WRITERS:
                for aim, sealed in ((0.8, False), (0.6, True)):
                    one = case.appends(opened, url, count, threads, sealed=sealed)
                    assert one.baseline is not None
                    what = f"{one.what}, against a plain INSERT"
                    yield at_least(what, aim, one.rate / one.baseline)


def _fulfilment(count: int) -> Iterator[Figure]:
    aims = {"erasure, one process": 45, "access, one process": 80, "erasure, work apart": 60}
    with _database() as (url, home):
        for one in fulfilment.measure(url, home, count, 16):
            yield at_least(f"{one.what}, three systems over HTTP", aims[one.what], one.rate, "/s")
            if one.what == "erasure, one process":
                yield at_most("CPU of service and PostgreSQL, an erasure", 30, one.cpu_ms, "ms")
                per_call = one.cpu_ms * one.requests / one.calls
                yield at_most("CPU of both, an HTTP call", 0.5, per_call, "ms")
                held = one.memory / 1e6
                yield at_most("resident memory under the erasure load", 150, held, "MB")


def _requests(count: int) -> Iterator[Figure]:
    empty, real = requests.measure(count)
    what = f"POST /v1/requests, {requests.CLIENTS} clients"
    yield at_least(f"{what}, against an empty route", requests.RATIO_AIM, real.rate / empty.rate)
    yield at_most(f"{what}, p99", requests.P99_AIM_MS, real.percentile_ms(0.99), "ms")


@contextmanager
def _database() -> Iterator[tuple[str, Path]]:
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedPostgres(Path(folder) / "database") as server,
    ):
        yield server.url, Path(folder) / "home"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few requests: does all of it run?")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    given = parser.parse_args()
    head = ("what", "aim", "figure", "ratio")
    rows = []
    out = Console(stderr=True)
    for one in measured(quick=given.quick):
        rows.append((one.what, one.aim, one.figure, f"{one.ratio:.2f}"))
        out.print(f"{one.what}: {one.figure} ({one.aim})")
    if given.markdown:
        for row in (head, ("---",) * len(head), *rows):
            print("| " + " | ".join(row) + " |")
        return
    table = Table(*head, caption=f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}")
    for row in rows:
        table.add_row(*row)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
