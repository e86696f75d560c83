"""The benchmark of a case runs; how fast it is is not asserted here."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.case import THREADS, WRITERS, measure


def test_every_measurement_can_be_made(database_url: str, tmp_path: Path) -> None:
    measured = list(
        measure(
            database_url,
            tmp_path / "home",
            case_count=1,
            append_count=max(WRITERS),
            request_count=2 * THREADS,
        )
    )

    assert [one.what for one in measured] == [
        "cases, mail to closed, fake systems",
        *(
            f"appends{vault}, {threads} thread(s)"
            for threads in WRITERS
            for vault in ("", " with a vault row")
        ),
        "GET /health",
        "POST /v1/inbox",
    ]
    assert all(one.rate > 0 for one in measured)
