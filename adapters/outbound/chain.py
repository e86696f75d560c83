"""The evidence chain on PostgreSQL: follows the log, signs how far it is, never parks (Art. 5(2)).

Whoever holds the chain's one row folds; links, head and statement share a transaction that is on
the disk before anybody hears of it. Where something does not fit it stops, says why in the row for
`/health` to tell, and looks again every minute: to go on past a fault would sign it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice
from threading import Event
from typing import LiteralString, cast
from uuid import UUID

import structlog
from eventsourcing.persistence import Notification

from adapters.outbound.chain_store import (
    Run,
    insert,
    keep,
    last_statement,
    say,
    standing,
    statements,
    unsigned,
)
from adapters.outbound.checkpoints import CheckpointFile, Kind, Statement, signed
from adapters.outbound.database import Database, DatabaseNotUsable
from adapters.outbound.master_keys import WrongMasterKey
from adapters.outbound.recorder import LogEndsBefore, LogReader, LogReplaced, incarnation
from adapters.outbound.signing_keys import Keys, SigningKeys
from domain.evidence_chain import Entry, folded, links_of
from services.ports import Clock

BATCH = 4_000
EVERY_LINKS = 256
"""So many links at most stand between two statements: a proof carries them all."""
EVERY = timedelta(minutes=5)
IDLE_SECONDS = 0.5
STOPPED_SECONDS = 60.0
STUMBLED_SECONDS = 5.0

_WAIT: LiteralString = "SELECT position, head FROM trettio.chain FOR UPDATE"
_ELECT: LiteralString = f"{_WAIT} SKIP LOCKED"

log = structlog.get_logger()


class ChainStopped(Exception):
    """The chain must not go on; the message is one line that says what to do."""


class Chain:
    """Folds the log into links and signs where it stands. One serves one thread."""

    def __init__(
        self,
        database: Database,
        keys: Keys,
        file: CheckpointFile,
        clock: Clock,
        *,
        every_links: int = EVERY_LINKS,
        every: timedelta = EVERY,
    ) -> None:
        self.database, self.file = database, file
        self._keys, self._clock = keys, clock
        self._reader = LogReader(database)
        self._every_links, self._every = every_links, every

    # Following

    def run(self, stop: Event) -> None:
        """Follow until told to stop."""
        while not stop.is_set():
            pause = IDLE_SECONDS
            try:
                if self.step():
                    continue
            except ChainStopped as stopped:
                log.error("chain_stopped", reason=str(stopped))  # noqa: TRY400 (it says it all)
                pause = STOPPED_SECONDS
                say(self.database, str(stopped))
            except Exception:  # the database may be away; nothing was lost
                log.exception("chain_stumbled")
                pause = STUMBLED_SECONDS
            stop.wait(pause)

    def drain(self, *, sign: bool = False) -> None:
        """Fold all there is; with `sign` the end of it is signed, so that it can be proven."""
        while self.step():
            pass
        if sign:
            self._fold([], None, sign=True)
            self._write_file()

    def step(self) -> bool:
        """Fold one batch, if nobody else is at it; True when the chain moved."""
        start, before, stopped = standing(self.database)
        if before not in {None, self._incarnation()}:
            raise ChainStopped(
                "the log was restored from a backup: run trettio replay --self, which records that"
            )
        try:
            batch = self._reader.read(start, BATCH)
        except LogReplaced:
            raise ChainStopped("the log was restored from a backup: start again") from None
        except LogEndsBefore:
            raise ChainStopped(_ends_before(start)) from None
        moved = False
        if batch.notifications or self._is_due(start):
            entries = self._entries(batch.notifications, start)
            moved = self._fold(entries, start, sign=False)
        self._write_file()
        if stopped is not None:
            say(self.database, None)
        return moved

    def _entries(self, notifications: Sequence[Notification], start: int) -> list[Entry]:
        if not notifications:
            return []
        recorded: dict[int, datetime] = dict(
            self.database.ask(
                "SELECT notification_id, recorded_at FROM trettio.log"
                " WHERE notification_id > %s AND notification_id <= %s",
                [start, notifications[-1].id],
            )
        )
        return [
            Entry(
                one.id,
                cast(UUID, one.originator_id),
                one.originator_version,
                one.topic,
                recorded[one.id],
                one.state,
            )
            for one in notifications
        ]

    def _fold(self, entries: Sequence[Entry], start: int | None, *, sign: bool) -> bool:
        """Write links and statements, unless somebody else has moved the chain meanwhile."""
        connection = self.database.connection
        with connection.transaction():
            connection.execute("SET LOCAL synchronous_commit = on")
            row = connection.execute(_WAIT if sign else _ELECT).fetchone()
            if row is None or start not in {None, row[0]}:
                return False
            position, head = row
            last = last_statement(connection)
            keys, here = self._usable(last), self._incarnation()
            made: list[Statement] = []
            runs: list[Run] = []
            if last is None or last.key != keys.current.fingerprint:
                last = self._signed(keys, here, Kind.KEY, last, position, head)
                made.append(last)
            free = self._every_links - unsigned(connection, last.position)
            links = links_of(position, entries)
            while some := list(islice(links, free)):
                runs.append(Run(position, some))
                position, head = some[-1].position, folded(head, some)
                free -= len(some)
                if free == 0:
                    last = self._signed(keys, here, Kind.CHECKPOINT, last, position, head)
                    made.append(last)
                    free = self._every_links
            if position > last.position and (sign or self._clock() >= last.at + self._every):
                made.append(self._signed(keys, here, Kind.CHECKPOINT, last, position, head))
            # Each in one statement: a long log is folded at the speed of the digests.
            keep(connection, runs)
            insert(connection, made)
            connection.execute(
                "UPDATE trettio.chain SET position = %s, head = %s, incarnation = %s,"
                " updated_at = clock_timestamp()",
                [position, head, here],
            )
            return bool(position > row[0])

    def _is_due(self, position: int) -> bool:
        """Whether what is folded already has waited long enough for a signature."""
        last = last_statement(self.database.connection)
        return (
            last is not None and last.position < position and self._clock() >= last.at + self._every
        )

    # Signing

    def _usable(self, last: Statement | None) -> SigningKeys:
        """The keys as given now; one that took another's place must have that one beside it."""
        try:
            keys = self._keys()
        except WrongMasterKey as error:
            raise ChainStopped(str(error)) from None
        if last is not None and keys.find(last.key) is None:
            raise ChainStopped(
                f"the signing key {keys.current.fingerprint[:16]} is given here, and the chain is"
                f" signed with {last.key[:16]}: give that one too, after the new one"
            )
        return keys

    def _signed(
        self,
        keys: SigningKeys,
        here: UUID,
        kind: Kind,
        last: Statement | None,
        position: int,
        head: bytes,
    ) -> Statement:
        is_new = kind is Kind.KEY and last is not None
        return signed(
            keys.current,
            kind=kind,
            after=last,
            incarnation=here,
            position=position,
            head=head,
            at=self._clock(),
            vouching=keys.find(last.key) if is_new and last is not None else None,
        )

    def _incarnation(self) -> UUID:
        return incarnation(self.database)

    # The file outside the database

    def _write_file(self) -> None:
        """Bring the file up to the database; a file that knows more is not written over."""
        self._require_what_the_file_knows()
        known = self.file.last()
        number = Statement.of(known).number if known is not None else 0
        missing = statements(self.database, after=number)
        if missing:
            try:
                self.file.append(missing)
            except OSError as error:
                raise ChainStopped(
                    f"the file of checkpoints {self.file.path} cannot be written"
                    f" ({error.strerror}): correct that, or TRETTIO_CHECKPOINTS"
                ) from None

    def _require_what_the_file_knows(self) -> None:
        try:
            line = self.file.last()
            outside = Statement.of(line) if line is not None else None
        except OSError as error:
            raise ChainStopped(
                f"the file of checkpoints {self.file.path} cannot be read ({error.strerror})"
            ) from None
        except (ValueError, KeyError, TypeError):
            raise ChainStopped(
                f"the last line of {self.file.path} cannot be read: put a copy of it back"
            ) from None
        if outside is None:
            return
        rows = self.database.ask(
            "SELECT line, (SELECT position FROM trettio.chain) FROM trettio.statements"
            " WHERE number = %s",
            [outside.number],
        )
        if not rows or rows[0][0] != outside.line:
            raise ChainStopped(_differs(outside, self.file))

    def require_same_log(self) -> None:
        """Refuse to serve a log that ends before what the file outside it has seen."""
        try:
            self._require_what_the_file_knows()
        except ChainStopped as stopped:
            raise DatabaseNotUsable(str(stopped)) from None

    # Restores

    def resume(self) -> int:
        """After a restore: admit in a signed statement what is gone, and go on from what is here.

        Answers up to which position the log had been signed before, or 0 where nothing is lost.
        """
        lost = 0
        known = {one.number: one.line for one in statements(self.database)}
        outside = [Statement.of(line) for line in self.file.lines()]
        if any(known.get(one.number, one.line) != one.line for one in outside):
            raise ChainStopped(
                f"{self.file.path} and the database hold different statements under one number:"
                " put back the copy of the file that belongs to this database"
            )
        connection = self.database.connection
        with connection.transaction():
            row = connection.execute(
                "SELECT position, head, incarnation FROM trettio.chain FOR UPDATE"
            ).fetchone()
            if row is None:
                raise ChainStopped("the chain's own row is missing: restore the database again")
            position, head, before = row
            more = [one for one in outside if one.number not in known]
            if more:
                lost = max(one.position for one in more)
                insert(connection, more)
                if before == self._incarnation():
                    # Set back where it stands: whoever follows the log has to notice all the same.
                    connection.execute(
                        "UPDATE trettio.incarnation SET id = gen_random_uuid(),"
                        " began_at = clock_timestamp()"
                    )
            elif before in {None, self._incarnation()}:
                return 0
            row = connection.execute("SELECT id FROM trettio.incarnation").fetchone()
            last = last_statement(connection)
            if row is not None and last is not None:
                keys = self._usable(last)
                made = signed(
                    keys.find(last.key) or keys.current,
                    kind=Kind.RESTORED,
                    after=last,
                    incarnation=row[0],
                    position=position,
                    head=head,
                    at=self._clock(),
                )
                insert(connection, [made])
                connection.execute("UPDATE trettio.chain SET incarnation = %s", [row[0]])
        self._reader = LogReader(self.database)
        self._write_file()
        return lost


_WHAT_TO_DO = (
    "the database was restored, or its end was cut off. Restore a newer backup; if there is none,"
    " put the file destroyed-keys back and run trettio replay --self, which records the loss"
)


def _ends_before(position: int) -> str:
    return f"the log ends before position {position}, which the chain has seen: {_WHAT_TO_DO}"


def _differs(outside: Statement, file: CheckpointFile) -> str:
    return (
        f"{file.path} knows a checkpoint of {outside.at:%Y-%m-%d %H:%M} UTC at position"
        f" {outside.position} that the database does not: {_WHAT_TO_DO}"
    )
