"""The benchmark of a case runs; how fast it is is not asserted here."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.case import THREADS, measure


def test_every_measurement_can_be_made(database_url: str, tmp_path: Path) -> None:
    measured = list(
        measure(
            database_url,
            tmp_path / "home",
            case_count=1,
            append_count=2 * THREADS,
            request_count=2 * THREADS,
        )
    )

    assert [one.what for one in measured] == [
        "cases, mail to closed, fake systems",
        "appends, 1 thread(s)",
        "appends, 4 thread(s)",
        "GET /health",
        "POST /v1/inbox",
    ]
    assert all(one.rate > 0 for one in measured)
