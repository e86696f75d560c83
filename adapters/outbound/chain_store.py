"""What is kept of the evidence chain in PostgreSQL: links, signed statements, how far it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import psycopg
import structlog
from psycopg import Connection
from psycopg.rows import TupleRow

from adapters.outbound.checkpoints import Statement
from adapters.outbound.database import Database
from domain.evidence_chain import Link

LINK_BYTES = 40
BEHIND = timedelta(minutes=1)
"""How long an event may wait to be folded before somebody is told."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class State:
    """How far the chain is, and what holds it up."""

    position: int
    behind: int
    signed_position: int
    signed_at: datetime | None
    stopped: str | None

    @property
    def warnings(self) -> list[str]:
        if self.stopped is not None:
            return [f"the evidence chain stands still: {self.stopped}"]
        if self.behind:
            return [
                f"the evidence chain lacks {self.behind} events: run trettio serve or follow, and"
                " look into its log"
            ]
        return []


def state(database: Database) -> State:
    row = database.fetch(
        "SELECT c.position, c.stopped, (SELECT count(*) FROM trettio.log"
        " WHERE notification_id > c.position AND recorded_at < clock_timestamp() - %s)"
        " AS behind FROM trettio.chain c",
        [BEHIND],
    )[0]
    last = last_statement(database.connection)
    return State(
        position=row["position"],
        behind=row["behind"],
        signed_position=last.position if last else 0,
        signed_at=last.at if last else None,
        stopped=row["stopped"],
    )


def standing(database: Database) -> tuple[int, UUID | None, str | None]:
    """Position and incarnation of the log, and why the chain stands still, if it does."""
    ((position, incarnation, stopped),) = database.ask(
        "SELECT position, incarnation, stopped FROM trettio.chain"
    )
    return position, incarnation, stopped


def say(database: Database, reason: str | None) -> None:
    """Leave word why the chain stands still, or that it goes on."""
    try:
        database.ask("UPDATE trettio.chain SET stopped = %s", [reason])
    except psycopg.Error:  # who asks for health learns that the database is away
        log.exception("chain_cannot_say")


# Links


@dataclass(frozen=True, slots=True)
class Run:
    """Links that are kept in one row: all that follow a position, up to the last of them."""

    after: int
    links: Sequence[Link]

    @property
    def upto(self) -> int:
        return self.links[-1].position

    @property
    def kept(self) -> bytes:
        return b"".join(one.position.to_bytes(8, "big") + one.digest for one in self.links)


def keep(connection: Connection[TupleRow], runs: Sequence[Run]) -> None:
    if not runs:
        return
    connection.execute(
        "INSERT INTO trettio.chain_links (after, upto, links)"
        " SELECT * FROM unnest(%b::bigint[], %b::bigint[], %b::bytea[])",
        [[one.after for one in runs], [one.upto for one in runs], [one.kept for one in runs]],
    )


def unsigned(connection: Connection[TupleRow], position: int) -> int:
    """How many links follow a position: that of the last statement, which covers none of them."""
    row = connection.execute(
        "SELECT coalesce(sum(length(links)), 0) / %s FROM trettio.chain_links WHERE after >= %s",
        [LINK_BYTES, position],
    ).fetchone()
    return int(row[0]) if row else 0


def links(
    database: Database, *, after: int = 0, upto: int | None = None
) -> Iterator[tuple[int, bytes]]:
    """The links as they were kept, each with its position."""
    while True:
        rows = database.ask(
            "SELECT links FROM trettio.chain_links WHERE after >= %s ORDER BY after LIMIT 64",
            [after],
        )
        if not rows:
            return
        for (kept,) in rows:
            for place in range(0, len(kept), LINK_BYTES):
                position = int.from_bytes(kept[place : place + 8], "big")
                if upto is not None and position > upto:
                    return
                yield position, bytes(kept[place + 8 : place + LINK_BYTES])
            after = position


# Statements


def statements(database: Database, *, after: int = 0) -> list[Statement]:
    return [Statement.of(line) for line in lines(database, after=after)]


def lines(database: Database, *, after: int = 0) -> list[str]:
    rows = database.ask(
        "SELECT line FROM trettio.statements WHERE number > %s ORDER BY number", [after]
    )
    return [line for (line,) in rows]


def last_statement(connection: Connection[TupleRow]) -> Statement | None:
    row = connection.execute(
        "SELECT line FROM trettio.statements ORDER BY number DESC LIMIT 1"
    ).fetchone()
    return Statement.of(row[0]) if row else None


def insert(connection: Connection[TupleRow], made: Sequence[Statement]) -> None:
    if not made:
        return
    connection.execute(
        "INSERT INTO trettio.statements (number, kind, position, line)"
        " SELECT * FROM unnest(%s::bigint[], %s::text[], %s::bigint[], %s::text[])",
        [
            [one.number for one in made],
            [one.kind.value for one in made],
            [one.position for one in made],
            [one.line for one in made],
        ],
    )
