"""The benchmark of Kafka runs; how fast it is is not asserted here."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.kafka import measure
from tests.support.kafka import Broker


def test_lag_and_rate_of_publication_can_be_measured(
    kafka: Broker, database_url: str, tmp_path: Path
) -> None:
    figures = list(measure(kafka, database_url, tmp_path, count=200, seconds=0.1))

    assert [one.what.partition(",")[0] for one in figures] == [
        "instructions published",
        "publication lag at 200 instructions/s",
    ]
    assert all(one.ratio > 0 for one in figures)
