"""One database: its connections, its checks, its schema."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import psycopg
import pytest

from adapters.outbound import database as module
from adapters.outbound.database import (
    Database,
    DatabaseNotUsable,
    Migration,
    Statement,
    migrate,
    migrations,
    require_current_schema,
    restore_is_settled,
    was_restored,
)
from adapters.outbound.recorder import incarnation
from tests.support.programs import dump, restore


def test_every_thread_has_a_connection_of_its_own(database: Database) -> None:
    seen = []
    thread = threading.Thread(target=lambda: seen.append(database.connection))
    thread.start()
    thread.join()

    assert seen[0] is not database.connection
    assert database.connection is database.connection


def test_a_connection_closes_when_its_thread_ends(database: Database) -> None:
    thread = threading.Thread(target=lambda: database.fetch("SELECT 1"))
    thread.start()
    thread.join()

    ours = "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database()"
    deadline = time.monotonic() + 5
    while database.fetch(ours)[0]["n"] > 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert database.fetch(ours)[0]["n"] == 1


def test_what_a_failure_kept_from_being_prepared_can_be_run_all_the_same(
    database: Database,
) -> None:
    """Statements are prepared when they come often; after a failure the server skips that."""
    often, refused = Statement("SELECT %s::integer", [1]), Statement("SELECT 1 / 0")
    for _ in range(5):
        database.run(often)
    with pytest.raises(psycopg.errors.DivisionByZero):
        database.run(refused, often)

    for _ in range(10):
        database.run(often)


def test_a_connection_lost_while_idle_is_opened_anew_unnoticed(
    database: Database, database_url: str
) -> None:
    database.fetch("SELECT 1")
    pid = database.connection.info.backend_pid
    with psycopg.connect(database_url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])

    assert database.fetch("SELECT 1 AS one") == [{"one": 1}]
    assert database.connection.info.backend_pid != pid


def test_a_connection_lost_at_work_is_opened_anew_on_next_use(database: Database) -> None:
    with pytest.raises(psycopg.OperationalError):
        database.fetch("SELECT pg_terminate_backend(pg_backend_pid())")

    assert database.fetch("SELECT 1 AS one") == [{"one": 1}]


def test_statements_run_together_or_not_at_all(database: Database) -> None:
    good = Statement("CREATE TABLE public.made (x int)")
    with pytest.raises(psycopg.errors.DivisionByZero):
        database.run(good, Statement("SELECT 1 / %s", (0,)))

    assert database.fetch("SELECT to_regclass('public.made') AS made") == [{"made": None}]
    database.run(good, Statement("INSERT INTO public.made VALUES (%s)", (1,)))
    assert database.fetch("SELECT x FROM public.made") == [{"x": 1}]


def test_a_pooled_transaction_is_rolled_back_with_its_block(database: Database) -> None:
    def begin_and_fail() -> None:
        with database.transaction() as connection:
            connection.execute("CREATE TABLE public.made (x int)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        begin_and_fail()

    assert database.fetch("SELECT to_regclass('public.made') AS made") == [{"made": None}]


def test_every_session_bounds_its_transactions(database: Database) -> None:
    assert database.fetch("SHOW transaction_timeout") == [{"transaction_timeout": "30s"}]
    with database.transaction() as connection:
        assert connection.execute("SHOW transaction_timeout").fetchone() == ("30s",)


@pytest.mark.parametrize("setting", ["off", "local", "remote_write"])
def test_a_database_that_may_lose_events_is_refused(database_url: str, setting: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = '{setting}'".encode())

    with (
        Database(database_url) as database,
        pytest.raises(DatabaseNotUsable, match="synchronous_commit is"),
    ):
        database.check()


def test_a_sequence_that_caches_positions_is_refused(database: Database) -> None:
    database.fetch("ALTER SEQUENCE trettio.log_notification_id_seq CACHE 10")

    with pytest.raises(DatabaseNotUsable, match=r"CACHE 1$"):
        database.check()


def test_an_unreachable_database_is_told_in_one_line() -> None:
    with (
        Database("postgresql://nobody@/none?host=/nonexistent") as database,
        pytest.raises(DatabaseNotUsable, match=r"^the database cannot be reached: [^\n]+$"),
    ):
        database.check()


# The schema


def test_an_empty_database_gets_the_whole_schema_once(empty_database_url: str) -> None:
    with Database(empty_database_url) as database:
        assert migrate(database) == migrations()
        assert migrate(database) == ()
        require_current_schema(database)


def test_nothing_to_migrate_costs_less_than_a_tenth_of_a_second(database: Database) -> None:
    database.fetch("SELECT 1")
    began = time.perf_counter()
    migrate(database)
    assert time.perf_counter() - began < 0.1


def test_two_processes_that_migrate_at_once_apply_everything_once(empty_database_url: str) -> None:
    applied: list[tuple[Migration, ...]] = []

    def run() -> None:
        with Database(empty_database_url) as database:
            applied.append(migrate(database))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(applied, key=len) == [(), (), (), migrations()]


def test_an_older_schema_is_told_in_one_line(empty_database_url: str) -> None:
    with (
        Database(empty_database_url) as database,
        pytest.raises(DatabaseNotUsable, match=r"from 0001 ground on; run: trettio migrate$"),
    ):
        require_current_schema(database)


def test_a_newer_schema_is_told_in_one_line(database: Database) -> None:
    database.fetch("INSERT INTO trettio.migrations VALUES (999, 'future', 'x')")

    for start in (migrate, require_current_schema):
        with pytest.raises(DatabaseNotUsable, match=r"version 999.*start a newer Trettio$"):
            start(database)


def test_a_migration_changed_after_release_is_refused(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *rest = migrations()
    changed = Migration(first.number, first.name, first.sql + "-- changed")
    monkeypatch.setattr(module, "migrations", lambda: (changed, *rest))

    with pytest.raises(DatabaseNotUsable, match="0001 ground was changed"):
        migrate(database)


def test_a_failing_migration_leaves_nothing_behind(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = migrations()[-1].number + 1
    broken = Migration(number, "broken", "CREATE TABLE trettio.half (x int); SELECT 1/0;")
    monkeypatch.setattr(module, "migrations", lambda: (*migrations(), broken))

    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate(database)

    assert database.fetch("SELECT to_regclass('trettio.half') AS half") == [{"half": None}]
    monkeypatch.undo()
    require_current_schema(database)


# Restores


def test_a_log_that_came_from_a_backup_is_noticed_once(
    database: Database, empty_database_url: str, tmp_path: Path
) -> None:
    """Design 6: positions of one history mean nothing in another."""
    require_current_schema(database)
    before = incarnation(database)
    require_current_schema(database)
    assert not was_restored(database)
    dump(database.url, tmp_path / "dump")
    restore(empty_database_url, tmp_path / "dump")

    with Database(empty_database_url) as restored:
        require_current_schema(restored)
        after = incarnation(restored)
        assert was_restored(restored)
        require_current_schema(restored)
        assert incarnation(restored) == after != before
        restore_is_settled(restored)
        require_current_schema(restored)
        assert not was_restored(restored)
    assert incarnation(database) == before


def test_an_ordinary_user_may_ask_where_the_log_lives(database: Database) -> None:
    database.fetch("CREATE ROLE plain")
    try:
        with database.transaction() as connection:
            connection.execute("SET LOCAL ROLE plain")
            row = connection.execute("SELECT system_identifier FROM pg_control_system()").fetchone()
    finally:
        database.fetch("DROP ROLE plain")
    assert row is not None
