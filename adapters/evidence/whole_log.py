"""Checks the whole log against its chain, and this against every signed statement (Art. 5(2)).

Everything is seen in one snapshot, so the installation may go on working meanwhile. What decides is
`log_check.py` and the program that authorities run, `trettio_verify.py`; here they are only given
what they read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow

from adapters.evidence.log_check import check_log
from adapters.evidence.trettio_verify import (
    Event,
    Fault,
    check_statements,
    read_statements,
)
from adapters.outbound.chain_store import BEHIND, LINK_BYTES
from adapters.outbound.checkpoints import CheckpointFile, number_of
from adapters.outbound.database import Database

PAGE = 5_000
MOST_FAULTS = 1_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was looked at, and what is wrong."""

    events: int
    statements: int
    signed_upto: int
    faults: tuple[Fault, ...]


def verify_log(
    database: Database,
    file: CheckpointFile,
    trusted: Collection[str],
    *,
    progress: Callable[[int], None] | None = None,
) -> Verdict:
    # Statements reach the database first, so whatever the file knows now is in the snapshot.
    outside = file.lines()
    counted = _Counted(progress)
    with closing(psycopg.connect(database.conninfo("trettio-verify"), autocommit=True)) as own:
        own.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        own.execute("SET LOCAL transaction_timeout = 0")
        inside = [
            line for (line,) in own.execute("SELECT line FROM trettio.statements ORDER BY number")
        ]
        faults = list(_compared(inside, outside, file))
        statements, unreadable = read_statements(max(inside, outside, key=len))
        faults += unreadable
        faults += check_statements(statements, trusted, whole=True)[1]
        for fault in check_log(counted.events(_events(own)), _links(own), statements):
            faults.append(fault)
            if len(faults) >= MOST_FAULTS:
                break
    signed_upto = max((one["position"] for one in statements), default=0)
    return Verdict(counted.count, len(statements), signed_upto, tuple(faults))


def _compared(
    inside: Sequence[str], outside: Sequence[str], file: CheckpointFile
) -> Iterator[Fault]:
    """Both keep the same lines; the file may lack the last ones, the database none."""
    known = {number_of(line): line for line in inside}
    for line in outside:
        number = number_of(line)
        if number not in known:
            what = f"it stands in {file.path}, and not in the database"
            yield Fault(f"statement {number}", what)
        elif known[number] != line:
            what = f"in {file.path} it says something else than in the database"
            yield Fault(f"statement {number}", what)


def _events(connection: Connection[TupleRow]) -> Iterator[Event]:
    """The log as far as it is folded, and whatever should have been folded long ago."""
    with connection.cursor("events", scrollable=False) as cursor:
        cursor.itersize = PAGE
        cursor.format = psycopg.pq.Format.BINARY
        cursor.execute(
            "SELECT notification_id, originator_id, originator_version, topic, recorded_at, state"
            " FROM trettio.log WHERE notification_id <= (SELECT position FROM trettio.chain)"
            " OR recorded_at < clock_timestamp() - %s ORDER BY notification_id",
            [BEHIND],
        )
        for position, aggregate, version, topic, recorded_at, state in cursor:
            yield Event(position, aggregate, version, topic, recorded_at, bytes(state))


def _links(connection: Connection[TupleRow]) -> Iterator[tuple[int, bytes]]:
    with connection.cursor("links", scrollable=False) as cursor:
        cursor.itersize = 64
        cursor.format = psycopg.pq.Format.BINARY
        cursor.execute("SELECT links FROM trettio.chain_links ORDER BY after")
        for (kept,) in cursor:
            for place in range(0, len(kept), LINK_BYTES):
                position = int.from_bytes(kept[place : place + 8], "big")
                yield position, bytes(kept[place + 8 : place + LINK_BYTES])


class _Counted:
    """Counts the events on their way."""

    def __init__(self, progress: Callable[[int], None] | None) -> None:
        self.count, self._progress = 0, progress

    def events(self, events: Iterator[Event]) -> Iterator[Event]:
        for event in events:
            self.count += 1
            if self._progress is not None and self.count % PAGE == 0:
                self._progress(self.count)
            yield event
