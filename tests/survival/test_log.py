"""The event log under everything at once: nothing missed, nothing twice, in order (Art. 5(2)).

Sixteen processes write, three follow, and PostgreSQL is killed in between, where the seed says.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import psycopg
import pytest

from adapters.embedded_postgres import EmbeddedPostgres
from adapters.outbound.database import Database, migrate
from adapters.outbound.recorder import LogReader
from tests.support import log_writers
from tests.support.log_writers import INSERT, KINDS, read_until, write_for

pytestmark = pytest.mark.survival

WRITERS, READERS, SECONDS = 16, 3, 14.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A server of this test's own. What is killed is a process, not the machine's memory."""
    settings = {"fsync": "off", "max_prepared_transactions": "50"}
    with EmbeddedPostgres(tmp_path, settings=settings) as server:
        with Database(server.url) as database:
            migrate(database)
        yield server


class Followers:
    """Readers that are killed and started again; their notes outlive them."""

    def __init__(self, processes: Any, url: str, folder: Path, starts: list[int]) -> None:
        self._processes, self._url, self.starts = processes, url, starts
        self.stop = folder / "stop"
        self.notes = [folder / f"reader-{number}" for number in range(len(starts))]
        self._running: list[BaseProcess] = []
        for notes, start in zip(self.notes, starts, strict=True):
            notes.write_text(f"{start}\n")
            self._running.append(self._start(notes))

    def _start(self, notes: Path) -> BaseProcess:
        process: BaseProcess = self._processes.Process(
            target=read_until, args=(self._url, notes, self.stop), daemon=True
        )
        process.start()
        return process

    def kill(self, number: int) -> None:
        self._running[number].kill()
        self._running[number].join()
        self._running[number] = self._start(self.notes[number])

    def finish(self, position: int) -> None:
        new = self.stop.with_suffix(".new")
        new.write_text(str(position))
        new.rename(self.stop)
        for process in self._running:
            process.join(60)
            assert process.exitcode == 0, "a reader did not reach the end of the log"

    def seen(self, number: int) -> list[int]:
        return [int(word) for word in self.notes[number].read_text().split()[1:]]


def test_nothing_is_missed_repeated_or_lost_whatever_is_killed(
    server: EmbeddedPostgres, tmp_path: Path, seed: int
) -> None:
    chance, url = random.Random(seed), server.url
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload([log_writers.__name__])
    told = [tmp_path / f"writer-{number}" for number in range(WRITERS)]
    writers = [
        processes.Process(target=write_for, args=(url, SECONDS, chance.random(), path), daemon=True)
        for path in told
    ]
    for writer in writers:
        writer.start()
    _wait_for(url, 200)
    middle = chance.randint(1, 200)
    followers = Followers(processes, url, tmp_path, [0, middle, 200])
    for trouble in _troubles(chance):
        time.sleep(chance.uniform(0.2, 1.2))
        if trouble == "reader":
            followers.kill(chance.randrange(READERS))
        elif trouble == "connection":
            _terminate_one(url, chance)
        elif trouble == "backend":
            _kill_backend(url, chance)
        else:
            _kill_server(server)
    for writer in writers:
        writer.join(60)
    _decide_what_was_left_prepared(url, chance)
    logged, ids = _logged(url)
    followers.finish(ids[-1])

    assert [writer.exitcode for writer in writers] == [0] * WRITERS
    for number, start in enumerate(followers.starts):
        assert followers.seen(number) == [i for i in ids if i > start]
    lines = [line for path in told for line in path.read_text().split()]
    saved = {line[1:] for line in lines if line[0] == "+"}
    assert saved <= logged, "something that was acknowledged is lost"
    assert not {line[1:] for line in lines if line[0] == "-"} & logged
    assert len(saved) > 500
    happened = Counter(line[1:] for line in lines if line[0] == "=")
    print(f"of what is rare: {dict(happened)}")
    assert set(happened) == KINDS, "something that a log has to stand never happened"
    assert ids[-1] > len(ids), "there were no gaps to pass"


def _troubles(chance: random.Random) -> list[str]:
    troubles = ["reader"] * 4 + ["connection"] * 5 + ["backend", "server"]
    chance.shuffle(troubles)
    return troubles


def test_a_transaction_prepared_before_a_crash_still_holds_its_gap_open(
    server: EmbeddedPostgres,
) -> None:
    """After the crash it has another virtual id, and the reader that noted the old one goes on."""
    with Database(server.url) as database:
        reader = LogReader(database)
        slow, fast = psycopg.connect(server.url), psycopg.connect(server.url)
        slow.execute(INSERT, [log_writers.CONTESTED[0]])
        fast.execute(INSERT, [log_writers.CONTESTED[1]])
        fast.commit()
        assert reader.read(0).notifications == ()
        slow.execute("PREPARE TRANSACTION 'later'")
        _kill_server(server)

        assert reader.read(0).notifications == ()
        assert reader.read(0).notifications == ()
        database.fetch("COMMIT PREPARED 'later'")
        assert [one.id for one in reader.read(0).notifications] == [1, 2]
        slow.close()
        fast.close()


def _wait_for(url: str, position: int) -> None:
    with Database(url) as database:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            (row,) = database.fetch("SELECT max(notification_id) AS last FROM trettio.log")
            if (row["last"] or 0) >= position:
                return
            time.sleep(0.02)
    raise AssertionError("the writers do not write")


def _backends(url: str) -> list[int]:
    """Those of the recorders and readers, which keep their connections."""
    with psycopg.connect(url, autocommit=True) as connection:
        rows = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'trettio-%' ORDER BY pid"
        ).fetchall()
    return [pid for (pid,) in rows]


def _terminate_one(url: str, chance: random.Random) -> None:
    chosen = chance.choice(_backends(url))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(%s)", [chosen])


def _kill_backend(url: str, chance: random.Random) -> None:
    """PostgreSQL then ends all connections and recovers by itself."""
    os.kill(chance.choice(_backends(url)), signal.SIGKILL)
    _wait_until_it_answers(url)


def _kill_server(server: EmbeddedPostgres) -> None:
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    while server.is_running:
        time.sleep(0.01)
    server.start()


def _wait_until_it_answers(url: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        time.sleep(0.1)
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            assert time.monotonic() < deadline, "PostgreSQL does not come back"
        else:
            return


def _decide_what_was_left_prepared(url: str, chance: random.Random) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for (name,) in connection.execute("SELECT gid FROM pg_prepared_xacts").fetchall():
            end = chance.choice(["COMMIT", "ROLLBACK"])
            connection.execute(f"{end} PREPARED '{name}'".encode())


def _logged(url: str) -> tuple[set[str], list[int]]:
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT originator_id::text, notification_id FROM trettio.log ORDER BY 2"
        ).fetchall()
    return {row[0] for row in rows}, [row[1] for row in rows]
