"""Following the event log: everything once, in order, whatever writers do (Art. 5(2)).

The readers that lose events are kept here, to show that these tests would notice one.
"""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from eventsourcing.persistence import StoredEvent
from psycopg import Connection

from adapters.outbound.database import Database
from adapters.outbound.recorder import LogEndsBefore, LogReader, LogRecorder, LogReplaced
from tests.support.log_writers import BEFORE, INSERT, write_for

Read = Callable[[int], list[int]]

LOCKS = (
    "SELECT virtualtransaction FROM pg_locks WHERE relation = 'trettio.log'::regclass"
    " AND mode = 'RowExclusiveLock'"
)


@pytest.fixture
def reader(database: Database) -> LogReader:
    return LogReader(database)


@pytest.fixture
def writers(database_url: str) -> Iterator[Callable[[], Connection[Any]]]:
    """Opens connections on which a test writes by hand, step by step."""
    opened: list[Connection[Any]] = []

    def open_one() -> Connection[Any]:
        opened.append(psycopg.connect(database_url))
        return opened[-1]

    yield open_one
    for connection in opened:
        connection.close()


def _ids(database: Database) -> list[int]:
    rows = database.fetch("SELECT notification_id AS id FROM trettio.log ORDER BY 1")
    return [row["id"] for row in rows]


def _read(reader: LogReader, after: int = 0) -> list[int]:
    return [n.id for n in reader.read(after).notifications]


def _drain(reader: LogReader, after: int = 0, limit: int = 1000) -> list[int]:
    seen: list[int] = []
    while batch := reader.read(after, limit).notifications:
        seen += [n.id for n in batch]
        after = batch[-1].id
    return seen


def _write(connection: Connection[Any]) -> int:
    row = connection.execute(INSERT, [uuid4()]).fetchone()
    assert row is not None
    return int(row[0])


# Gaps


def test_an_empty_log_has_nothing_to_read(reader: LogReader) -> None:
    batch = reader.read(0)
    assert (batch.notifications, batch.position) == ((), 0)


def test_batches_join_without_seam(reader: LogReader, database: Database) -> None:
    recorder, matter = LogRecorder(database), uuid4()
    stored = [StoredEvent(matter, v, "topic", f"{v}".encode()) for v in range(1, 26)]
    recorder.insert_events(stored)

    assert _drain(reader, limit=10) == list(range(1, 26))
    batch = reader.read(20)
    assert batch.position == 25
    assert [n.originator_version for n in batch.notifications] == [21, 22, 23, 24, 25]
    assert batch.notifications[0].originator_id == matter
    assert batch.notifications[0].state == b"21"


def test_an_event_that_becomes_visible_late_is_waited_for(
    reader: LogReader, writers: Callable[[], Connection[Any]]
) -> None:
    slow, fast = writers(), writers()
    _write(slow)
    _write(fast)
    fast.commit()

    assert _read(reader) == []
    assert _read(reader) == []
    slow.commit()
    assert _read(reader) == [1, 2]


def test_a_gap_that_nobody_can_fill_any_more_is_passed(
    reader: LogReader, writers: Callable[[], Connection[Any]]
) -> None:
    slow, fast = writers(), writers()
    _write(slow)
    _write(fast)
    fast.commit()
    assert _read(reader) == []

    slow.rollback()
    assert _read(reader) == [2]


def test_events_before_the_gap_do_not_wait(
    reader: LogReader, writers: Callable[[], Connection[Any]]
) -> None:
    slow, fast = writers(), writers()
    _write(fast)
    fast.commit()
    _write(slow)
    _write(fast)
    fast.commit()

    assert _read(reader) == [1]
    assert _read(reader, 1) == []
    slow.commit()
    assert _read(reader, 1) == [2, 3]


def test_a_writer_that_comes_after_the_gap_does_not_stall_it(
    reader: LogReader, writers: Callable[[], Connection[Any]]
) -> None:
    first, second, third = writers(), writers(), writers()
    _write(first)
    _write(second)
    second.commit()
    assert _read(reader) == []

    _write(third)  # holds the lock when the first one has gone
    first.rollback()
    assert _read(reader) == [2]


def test_a_prepared_transaction_holds_its_gap_open(
    reader: LogReader, writers: Callable[[], Connection[Any]], database: Database
) -> None:
    slow, fast = writers(), writers()
    _write(slow)
    slow.execute("PREPARE TRANSACTION 'later'")
    slow.close()
    _write(fast)
    fast.commit()

    assert _read(reader) == []
    assert _read(reader) == []
    database.fetch("COMMIT PREPARED 'later'")
    assert _read(reader) == [1, 2]


def test_a_transaction_prepared_after_its_gap_was_noticed_holds_it_open(
    reader: LogReader, writers: Callable[[], Connection[Any]], database: Database
) -> None:
    slow, fast = writers(), writers()
    _write(slow)
    _write(fast)
    fast.commit()
    assert _read(reader) == []
    slow.execute("PREPARE TRANSACTION 'later'")

    assert _read(reader) == []
    database.fetch("COMMIT PREPARED 'later'")
    assert _read(reader) == [1, 2]


def test_what_a_savepoint_took_back_holds_nothing_up_and_its_transaction_still_does(
    reader: LogReader, writers: Callable[[], Connection[Any]]
) -> None:
    slow, fast = writers(), writers()
    slow.execute(BEFORE)
    slow.execute("SAVEPOINT one")
    _write(slow)
    slow.execute("ROLLBACK TO one")
    _write(fast)
    fast.commit()
    assert _read(reader) == [2]

    _write(slow)
    _write(fast)
    fast.commit()
    assert _read(reader, 2) == []
    slow.commit()
    assert _read(reader, 2) == [3, 4]


def test_a_connection_killed_in_the_middle_leaves_a_gap_that_is_passed(
    reader: LogReader, writers: Callable[[], Connection[Any]], database: Database
) -> None:
    slow, fast = writers(), writers()
    _write(slow)
    _write(fast)
    fast.commit()
    assert _read(reader) == []

    database.fetch("SELECT pg_terminate_backend(%s, 5000)", [slow.info.backend_pid])
    assert _read(reader) == [2]


def test_the_commit_between_the_two_statements_is_not_missed(
    reader: LogReader,
    writers: Callable[[], Connection[Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slow, fast = writers(), writers()
    _write(slow)
    _write(fast)
    fast.commit()
    settle = reader._settle

    def commit_first(seen: int) -> bool:
        slow.commit()
        return settle(seen)

    monkeypatch.setattr(reader, "_settle", commit_first)
    assert _read(reader) == [1, 2]


def test_a_position_beyond_the_log_stops_the_follower(
    reader: LogReader, database: Database
) -> None:
    LogRecorder(database).insert_events([StoredEvent(uuid4(), 1, "topic", b"")])

    assert reader.read(1).position == 1
    with pytest.raises(LogEndsBefore, match="position 2 lies beyond the end of the log, 1"):
        reader.read(2)


def test_a_log_that_was_restored_stops_its_follower_even_if_it_has_grown_beyond(
    reader: LogReader, database: Database
) -> None:
    recorder = LogRecorder(database)
    recorder.insert_events([StoredEvent(uuid4(), 1, "topic", b"")])
    assert reader.read(0).position == 1
    recorder.insert_events([StoredEvent(uuid4(), 1, "topic", b"") for _ in range(3)])
    database.fetch("UPDATE trettio.incarnation SET id = gen_random_uuid()")

    assert reader.read(1).position == 4
    with pytest.raises(LogReplaced, match="start this process anew"):
        reader.read(4)
    assert LogReader(database).read(4).position == 4


# Readers that lose events


def _by_position_alone(database: Database) -> Read:
    """What the library does once its table lock is gone."""

    def read(after: int) -> list[int]:
        return [i for i in _ids(database) if i > after]

    return read


def _by_snapshot(database: Database) -> Read:
    """Takes a gap for settled once every transaction below the snapshot's xmax has ended."""
    horizon: list[int] = []

    def read(after: int) -> list[int]:
        row = database.fetch(
            "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xmin,"
            " pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS xmax,"
            " array(SELECT notification_id FROM trettio.log ORDER BY 1) AS ids"
        )[0]
        ids = [i for i in row["ids"] if i > after]
        if ids != list(range(after + 1, after + 1 + len(ids))):
            horizon.append(row["xmax"])
            return ids if row["xmin"] >= horizon[0] else []
        return ids

    return read


def _without_second_reading(database: Database, between: Callable[[], None]) -> Read:
    """Takes what it has read for final when it then finds nobody writing."""

    def read(after: int) -> list[int]:
        ids = [i for i in _ids(database) if i > after]
        between()
        return [] if database.fetch(LOCKS) else ids

    return read


def _rows_and_locks_at_once(database: Database) -> Read:
    """One statement: its rows are as old as its start, its locks are not."""

    def read(after: int) -> list[int]:
        row = database.fetch(
            f"WITH rows AS MATERIALIZED (SELECT array(SELECT notification_id FROM trettio.log"
            f" ORDER BY 1) AS ids), pause AS MATERIALIZED (SELECT ids, pg_sleep(0.4) FROM rows)"
            f" SELECT ids, (SELECT count(*) FROM ({LOCKS}) l WHERE ids IS NOT NULL) AS held"
            f" FROM pause"
        )[0]
        return [] if row["held"] else [i for i in row["ids"] if i > after]

    return read


def test_reading_by_position_alone_loses_an_event(
    database: Database, writers: Callable[[], Connection[Any]]
) -> None:
    slow, fast = writers(), writers()
    read = _by_position_alone(database)
    _write(slow)
    _write(fast)
    fast.commit()
    assert read(0) == [2]
    slow.commit()
    assert read(2) == []


def test_reading_by_snapshot_loses_an_event_once_a_vault_row_was_written_first(
    database: Database, writers: Callable[[], Connection[Any]], reader: LogReader
) -> None:
    fast, slow = writers(), writers()
    fast.execute(BEFORE)  # the lower transaction id
    slow.execute(BEFORE)
    _write(slow)  # the lower position
    _write(fast)
    fast.commit()

    assert _by_snapshot(database)(0) == [2]
    assert _read(reader) == []
    slow.commit()
    assert _read(reader) == [1, 2]


def test_not_reading_again_loses_an_event(
    database: Database, writers: Callable[[], Connection[Any]]
) -> None:
    slow, fast = writers(), writers()
    _write(slow)
    _write(fast)
    fast.commit()

    assert _without_second_reading(database, slow.commit)(0) == [2]


def test_reading_rows_and_locks_in_one_statement_loses_an_event(
    database: Database, writers: Callable[[], Connection[Any]]
) -> None:
    slow, fast = writers(), writers()
    _write(slow)
    _write(fast)
    fast.commit()
    commit = threading.Timer(0.15, slow.commit)
    commit.start()

    assert _rows_and_locks_at_once(database)(0) == [2]
    commit.join()


# The race


def test_racing_writers_cannot_make_a_follower_miss_or_repeat_an_event(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    """Saves with a row written first, conflicts, rollbacks, savepoints, prepared, killed."""
    spawn = multiprocessing.get_context("spawn")
    writing = [
        spawn.Process(target=write_for, args=(database_url, 3.0, n, tmp_path / str(n)))
        for n in range(4)
    ]
    for writer in writing:
        writer.start()

    reader, seen, after = LogReader(database), list[int](), 0
    while any(writer.is_alive() for writer in writing):
        batch = reader.read(after, limit=50)
        seen += [n.id for n in batch.notifications]
        after = batch.position
        if not batch.notifications:
            time.sleep(0.001)
    seen += _drain(reader, after)

    assert [writer.exitcode for writer in writing] == [0] * len(writing)
    assert seen == _ids(database)
    assert len(seen) > 200
    assert seen[-1] > len(seen), "there were no gaps to pass"
