"""What is sent together happens together, whatever has been prepared and whatever fails."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from adapters.outbound.database import Database
from adapters.outbound.wire import MOST_PREPARED, MOST_VALUES


def test_values_come_back_as_what_they_were(database: Database) -> None:
    values = [uuid4(), 7, "é%", b"\x00", datetime.now(UTC), None, True, ["a", "b"]]
    places = "%s::uuid, %s::bigint, %s::text, %b::bytea, %s::timestamptz, %s::text, %s::bool"

    for _ in range(2):
        (row,) = database.ask(f"SELECT {places}, %s::text[], 'x%%'", values)
        assert row == (*values, "x%")

    named = "SELECT %(a)s::text || %(b)s::text || %(a)s::text, %(c)s::jsonb"
    found = database.ask(named, {"a": "1", "b": "2", "c": Jsonb({"k": [1]})})
    assert found == [("121", {"k": [1]})]
    with pytest.raises(psycopg.ProgrammingError, match="2 values wanted, 1 given"):
        database.ask("SELECT %s::text, %s::text", ["only"])


def test_everything_happens_or_nothing(database: Database) -> None:
    database.ask("CREATE TABLE things (id integer PRIMARY KEY)")
    insert = "INSERT INTO things VALUES (%s) RETURNING id"

    for _ in range(3):
        with pytest.raises(psycopg.errors.UniqueViolation) as caught:
            database.ask_each((insert, [1]), ("SELECT %s::text", ["new"]), (insert, [1]))
        assert caught.value.diag.constraint_name == "things_pkey"
        assert database.ask("SELECT count(*) FROM things") == [(0,)]

    assert database.ask_each((insert, [1]), ("SELECT max(id) FROM things", None)) == [[(1,)]] * 2


def test_what_the_server_has_forgotten_is_prepared_again(database: Database) -> None:
    question = "SELECT %s::integer"
    assert database.ask(question, [1]) == [(1,)]

    database.connection.execute("DEALLOCATE ALL")

    assert database.ask_each((question, [1]), (question, [2])) == [[(1,)], [(2,)]]


def test_few_statements_stay_prepared(database: Database) -> None:
    for number in range(MOST_PREPARED + 5):
        database.ask(f"SELECT {number}, %s::integer", [number])
    long = ", ".join(["%s"] * (MOST_VALUES + 1))
    database.ask(f"SELECT 1 WHERE 1 IN ({long})", list(range(MOST_VALUES + 1)))

    ((kept,),) = database.ask("SELECT count(*) FROM pg_prepared_statements")

    assert kept <= MOST_PREPARED + 1


def test_much_is_sent_while_much_is_answered(database: Database) -> None:
    """More than both directions' buffers hold: neither side may wait for the other."""
    much = "x" * 100_000
    answers = database.ask_each(*[("SELECT %s::text || %s::text", [much, much])] * 200)

    assert all(rows == [(much + much,)] for rows in answers)


def test_a_connection_that_is_lost_is_closed_and_opened_anew(database: Database) -> None:
    lost = database.wire.connection

    with pytest.raises(psycopg.OperationalError):
        database.ask("SELECT pg_terminate_backend(pg_backend_pid())")

    assert lost.closed
    assert database.ask("SELECT 1") == [(1,)]
