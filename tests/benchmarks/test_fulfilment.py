"""The benchmark of fulfilment runs; how fast it is is not asserted here."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.fulfilment import measure


def test_every_way_can_be_measured(database_url: str, tmp_path: Path) -> None:
    measured = list(measure(database_url, tmp_path / "home", 2, 2))

    assert [one.what for one in measured] == [
        "erasure, one process",
        "access, one process",
        "erasure, work apart",
    ]
    assert all(one.rate > 0 and one.cpu_ms > 0 for one in measured)
