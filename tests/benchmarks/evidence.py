"""How fast the evidence chain is folded, and how fast a whole log is verified against it.

python -m tests.benchmarks.evidence [EVENTS]
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from adapters.embedded_postgres import EmbeddedPostgres
from adapters.outbound.database import Database, migrate
from tests.benchmarks.figures import Figure, at_least
from tests.support.chained import Chained

STATE = (
    'convert_to(\'{"timestamp":{"_type_":"datetime_iso","_data_":"2026-02-01T08:00:00+00:00"},'
    '"note":"\' || repeat(md5(n::text), 6) || \'","class_version":1}\', \'UTF8\')'
)


def measure(url: str, events: int) -> Iterator[Figure]:
    """Both, against one empty database."""
    with Database(url) as database, tempfile.TemporaryDirectory() as home:
        migrate(database)
        database.connection.execute(
            "INSERT INTO trettio.log (originator_id, originator_version, topic, state, recorded_at)"
            f" SELECT gen_random_uuid(), 1, 'request.received', {STATE}, '2026-02-01'"
            " FROM generate_series(1, %s) AS n".encode(),
            [events],
        )
        chained = Chained(database, Path(home), every_links=256)
        began = time.perf_counter()
        chained.fold()
        rate = events / (time.perf_counter() - began)
        yield at_least(f"evidence chain folds {events:,} events", 20_000, rate, "events/s")
        began = time.perf_counter()
        verdict = chained.verify()
        rate = verdict.events / (time.perf_counter() - began)
        if verdict.faults:
            raise AssertionError(verdict.faults[:3])
        yield at_least(f"trettio verify of {events:,} events", 20_000, rate, "events/s")


if __name__ == "__main__":
    with (
        tempfile.TemporaryDirectory() as server_home,
        EmbeddedPostgres(Path(server_home)) as server,
    ):
        for figure in measure(server.url, int(sys.argv[1]) if len(sys.argv) > 1 else 200_000):
            print(f"{figure.what}: {figure.figure} (aim {figure.aim})")
