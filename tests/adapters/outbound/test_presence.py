"""A process says that it is at work as long as it is, and is taken for dead when it is silent."""

from __future__ import annotations

import os
import socket
import threading
import time

import pytest

from adapters.outbound import presence
from adapters.outbound.database import Database
from adapters.outbound.presence import Presence, seen


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "BEAT_SECONDS", 0.02)


def _silent_for(database: Database, interval: str) -> None:
    database.fetch("UPDATE trettio.processes SET seen_at = seen_at - %s::interval", [interval])


def test_a_process_is_seen_while_it_is_at_work_and_not_after(database: Database) -> None:
    with Presence(database, ["work", "follow"], master_keys=lambda: ["a", "b"]).kept_up():
        (process,) = seen(database.connection)
        assert (process.roles, process.master_keys) == (("work", "follow"), ("a", "b"))
        assert (process.host, process.pid) == (socket.gethostname(), os.getpid())
        assert str(process) == f"work+follow on {process.host} (process {process.pid})"

    assert seen(database.connection) == []


@pytest.mark.usefixtures("often")
def test_it_says_so_again_and_again_with_the_keys_it_knows_then(database: Database) -> None:
    known = ["a"]
    with Presence(database, ["work"], master_keys=lambda: known).kept_up():
        known.insert(0, "b")
        _silent_for(database, "1 hour")
        deadline = time.monotonic() + 20
        while not (found := seen(database.connection)) and time.monotonic() < deadline:
            time.sleep(0.01)

    assert [process.master_keys for process in found] == [("b", "a")]


@pytest.mark.usefixtures("often")
def test_a_process_that_lost_a_thread_falls_silent(database: Database) -> None:
    died = threading.Event()
    process = Presence(
        database, ["work"], master_keys=lambda: ["a"], is_well=lambda: not died.is_set()
    )
    with process.kept_up():
        died.set()
        time.sleep(0.1)
        _silent_for(database, "1 hour")
        time.sleep(0.2)

        assert seen(database.connection) == []


def test_one_that_was_killed_is_taken_for_dead_and_forgotten(database: Database) -> None:
    Presence(database, ["work"], master_keys=lambda: ["a"]).beat()
    _silent_for(database, "46 seconds")
    assert seen(database.connection) == []

    _silent_for(database, "1 day")
    Presence(database, ["web"], master_keys=lambda: ["a"]).beat()
    assert [row["roles"] for row in database.fetch("SELECT roles FROM trettio.processes")] == [
        ["web"]
    ]
