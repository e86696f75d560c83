"""The benchmark of the reading side runs; how fast it is is not asserted here."""

from __future__ import annotations

from tests.benchmarks.follow import measure


def test_everything_about_read_models_can_be_measured(database_url: str) -> None:
    figures = list(measure(database_url, events=400, requests=20, seconds=0.1, base=400, times=2))

    told = [one.what.partition(" at ")[0].partition(" from ")[0] for one in figures]
    assert told == [
        "follower lag",
        "idle follower, of one core",
        "rebuild of deadline_worklist",
        "rebuild of all views",
        "work list",
        "work list, next page",
        "work list, one person's",
        "work list, one turn",
        "inbox",
        "case by reference",
        "case file",
        "dashboard",
    ]
    assert all(one.ratio > 0 for one in figures)
