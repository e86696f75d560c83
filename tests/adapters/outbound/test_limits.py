"""How often somebody does something is counted once for all processes, and forgotten."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from adapters.outbound.database import Database
from adapters.outbound.limits import PostgresLimits
from services.ports import Limit

HOUR = timedelta(hours=1)


def limit(who: str = "192.0.2.1", *, what: str = "network", most: int = 3) -> Limit:
    return Limit(what, who, most, HOUR)


def test_what_is_spent_says_for_how_long(database: Database) -> None:
    limits = PostgresLimits(database, b"k" * 32)
    assert [limits.spend((limit(),)) for _ in range(3)] == [None] * 3
    wait = limits.spend((limit(), limit("somebody else")))
    assert wait is not None
    assert timedelta(0) < wait <= HOUR
    assert limits.spend((limit("somebody else"),)) is None
    assert limits.spend((limit(what="another"),)) is None


def test_several_at_once_spend_no_more_than_there_is(database: Database) -> None:
    limits = PostgresLimits(database, b"k" * 32)
    both = (limit(most=10), limit("controller", what="controller", most=100))
    with ThreadPoolExecutor(4) as several:
        waits = list(several.map(lambda order: limits.spend(both[::order]), [1, -1] * 10))
    assert waits.count(None) == 10


def test_nobody_is_named_and_what_is_over_goes(database: Database) -> None:
    limits = PostgresLimits(database, b"k" * 32)
    limits.spend((limit("kari.testesen@person.example"),))
    assert limits.purge() == 0
    (row,) = database.fetch("SELECT * FROM trettio.limits")
    assert b"kari" not in bytes(row["token"])
    with database.transaction() as connection:
        connection.execute("UPDATE trettio.limits SET ends_at = clock_timestamp()")
    assert limits.purge() == 1
