"""Whether log, vault, keys, tasks and read models fit together (Art. 5(2) and 32).

`check(database, vault, mapper)` answers a list of `Misfit`, empty when everything fits. It may run
while the installation works: what it compares is seen in one snapshot. Whatever can be large stays
in the database, in temporary tables, so memory does not grow with the log.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, LiteralString
from uuid import UUID

import psycopg
import structlog
from eventsourcing.persistence import Mapper, Notification
from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Composed, Identifier

from adapters.outbound.database import Database
from adapters.outbound.log_source import LogSource
from adapters.outbound.recorder import Batch, LogReader
from adapters.outbound.vault import PostgresVault
from adapters.outbound.view_tables import VIEWS
from adapters.outbound.views import READ_MODELS, PostgresView
from domain.case import Case
from domain.controller import Controller
from domain.many import Many
from domain.personal import PersonalRef
from domain.vocabulary import Compartment
from projections.projection import Column, Projection, Recorded

PAGE = 2_000
EXAMPLES = 5
PATIENCE = timedelta(hours=1)
ASIDE = "pg_temp"  # tables there are seen by nobody else, and go with the connection

COMPARTMENT_OF: Mapping[str, Compartment] = {
    "attachments": Compartment.UPLOAD,
    "content": Compartment.PACKAGE,
    "package": Compartment.PACKAGE,
    "keys": Compartment.HOLD,
    "reason": Compartment.HOLD,
    "tell": Compartment.HOLD,
    "number": Compartment.UPLOAD,
    "answers": Compartment.UPLOAD,
}
"""Where the text behind a reference lies, by the field that holds it; else in correspondence."""

FORGOTTEN = "forgotten"
"""The field that names content which was destroyed by itself, in the save of the same event."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Misfit:
    """Something that does not fit: a code, how often, what it means and asks for, some ids."""

    kind: str
    count: int
    words: str
    examples: tuple[str, ...]


def check(
    database: Database,
    vault: PostgresVault,
    mapper: Mapper[UUID],
    *,
    projections: Sequence[Projection] = READ_MODELS,
    patience: timedelta = PATIENCE,
    progress: Callable[[int], None] | None = None,
) -> list[Misfit]:
    """Compare everything with everything else; nothing is changed.

    `patience` is how long a lease may be over, or a key unused, before that is a misfit. Examples
    are ids of cases, keys, rows and tasks, or positions: they tell nothing about a person.
    """
    with closing(psycopg.connect(database.conninfo("trettio-check"), autocommit=True)) as own:
        for statement in _ASIDE:
            own.execute(statement)
        own.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        own.execute("SET LOCAL transaction_timeout = 0")
        comparison = _Comparison(own, database, mapper, projections)
        # A key is noted before it is destroyed, so the file is read after the snapshot was taken.
        _copy(own, "COPY noted FROM STDIN", ((key_id,) for key_id in vault.noted()))
        comparison.run(progress)
        own.execute("ANALYZE refs, whose, noted")
        found = [
            *comparison.misfits,
            *(misfit for rule in RULES for misfit in rule.misfits(own, patience)),
            *_controllers(own, comparison.controllers),
            *_keys_that_stay_shut(own, vault),
        ]
        own.execute("COMMIT")
        return [*found, *_keys_that_still_stand(own)]


# What the database can judge by itself


@dataclass(frozen=True, slots=True)
class Rule:
    """One query; its rows are the ids of what does not fit."""

    kind: str
    words: str
    sql: LiteralString

    def misfits(self, connection: Connection[TupleRow], patience: timedelta) -> Iterator[Misfit]:
        yield from _counted(
            connection, self.kind, self.words, SQL(self.sql), {"patience": patience}
        )


def _counted(
    connection: Connection[TupleRow],
    kind: str,
    words: str,
    query: SQL | Composed,
    values: Mapping[str, Any] | None = None,
) -> Iterator[Misfit]:
    row = connection.execute(
        SQL(
            "WITH found (id) AS MATERIALIZED ({}) SELECT (SELECT count(*) FROM found),"
            " ARRAY(SELECT id::text FROM found ORDER BY 1 LIMIT {})"
        ).format(query, EXAMPLES),
        values,
    ).fetchone()
    if row and row[0]:
        yield Misfit(kind, row[0], words, tuple(row[1]))


_ASIDE: tuple[LiteralString, ...] = (
    "CREATE TEMP TABLE refs (id uuid, aggregate_id uuid, compartment text, position bigint)",
    "CREATE TEMP TABLE whose (aggregate_id uuid, case_id uuid)",
    "CREATE TEMP TABLE noted (id uuid)",
    "CREATE TEMP TABLE forgotten (id uuid)",
)

RULES = (
    # The log
    Rule(
        "log-version-missing",
        "an aggregate's events are not numbered 1, 2, 3, …: events are lost; restore a backup",
        "SELECT originator_id FROM trettio.log GROUP BY originator_id"
        " HAVING min(originator_version) <> 1 OR max(originator_version) <> count(*)",
    ),
    Rule(
        "log-sequence-behind",
        "the log's sequence stands before its last position, so new events would come before"
        " old ones; run: SELECT setval('trettio.log_notification_id_seq',"
        " (SELECT max(notification_id) FROM trettio.log))",
        "SELECT last_value FROM trettio.log_notification_id_seq"
        " WHERE last_value < (SELECT max(notification_id) FROM trettio.log)",
    ),
    # The vault
    Rule(
        "row-lost",
        "an event refers to content that is not in the vault, and nobody destroyed it; restore it"
        " from a backup",
        "WITH missing AS MATERIALIZED (SELECT r.* FROM refs r"
        "  LEFT JOIN trettio.vault_rows v ON v.id = r.id WHERE v.id IS NULL),"
        " dated AS MATERIALIZED (SELECT m.id, m.compartment, w.case_id, l.recorded_at"
        "  FROM missing m JOIN trettio.log l ON l.notification_id = m.position"
        "  LEFT JOIN whose w ON w.aggregate_id = m.aggregate_id)"
        " SELECT DISTINCT id FROM dated WHERE NOT EXISTS (SELECT FROM trettio.destroyed_keys d"
        "  WHERE d.case_id = dated.case_id AND d.compartment = dated.compartment"
        "  AND d.destroyed_at >= dated.recorded_at)"
        " AND NOT EXISTS (SELECT FROM forgotten f WHERE f.id = dated.id)",
    ),
    Rule(
        "row-orphaned",
        "no event refers to this content in the vault",
        "SELECT v.id FROM trettio.vault_rows v LEFT JOIN refs r ON r.id = v.id WHERE r.id IS NULL",
    ),
    Rule(
        "row-misplaced",
        "content lies in another case or compartment than the event that refers to it, and would"
        " not end with it",
        "SELECT DISTINCT r.id FROM refs r JOIN whose w ON w.aggregate_id = r.aggregate_id"
        " JOIN trettio.vault_rows v ON v.id = r.id JOIN trettio.vault_keys k ON k.id = v.key_id"
        " WHERE k.case_id <> w.case_id OR k.compartment <> r.compartment",
    ),
    Rule(
        "row-without-key",
        "content in the vault has no key: nothing can open it",
        "SELECT v.id FROM trettio.vault_rows v LEFT JOIN trettio.vault_keys k ON k.id = v.key_id"
        " WHERE k.id IS NULL",
    ),
    # A key without rows in a case that exists is no misfit: it goes with its compartment.
    Rule(
        "key-orphaned",
        "a key of the vault belongs to no case: it opens nothing, and nothing would end it",
        "SELECT k.id FROM trettio.vault_keys k"
        " WHERE k.created_at < clock_timestamp() - %(patience)s AND NOT EXISTS"
        " (SELECT FROM trettio.log l WHERE l.originator_id = k.case_id)",
    ),
    Rule(
        "key-not-noted",
        "a key was destroyed that the file of destroyed keys does not name: a restored backup"
        " would bring its content back; restore that file",
        "SELECT d.id FROM trettio.destroyed_keys d LEFT JOIN noted n ON n.id = d.id"
        " WHERE d.id IS NOT NULL AND n.id IS NULL",
    ),
    Rule(
        "token-misplaced",
        "a token that finds a case would end with the key of another",
        "SELECT t.case_id FROM (SELECT case_id, key_id FROM trettio.match_tokens UNION ALL"
        " SELECT case_id, key_id FROM trettio.external_numbers) t LEFT JOIN trettio.vault_keys k"
        " ON k.id = t.key_id AND k.case_id = t.case_id WHERE k.id IS NULL",
    ),
    # Tasks, and everything else that is about an aggregate
    Rule(
        "lease-over",
        "a task's lease is long over and nobody took it: no worker is running, or none can",
        "SELECT key FROM trettio.tasks WHERE leased_by IS NOT NULL AND done_at IS NULL"
        " AND parked_at IS NULL AND next_at < clock_timestamp() - %(patience)s",
    ),
    Rule(
        "task-of-nobody",
        "a task is about something that the log does not know",
        "SELECT key FROM trettio.tasks t WHERE NOT EXISTS"
        " (SELECT FROM trettio.log l WHERE l.originator_id = t.subject_id)",
    ),
    Rule(
        "code-of-nobody",
        "a code was issued for something that the log does not know",
        "SELECT id FROM trettio.codes c WHERE NOT EXISTS"
        " (SELECT FROM trettio.log l WHERE l.originator_id = c.subject_id)",
    ),
    Rule(
        "link-of-nobody",
        "a link leads to something that the log does not know",
        "SELECT subject_id FROM trettio.links i WHERE NOT EXISTS"
        " (SELECT FROM trettio.log l WHERE l.originator_id = i.subject_id)",
    ),
    Rule(
        "thread-of-nobody",
        "a mail is filed under a case that the log does not know",
        "SELECT case_id FROM trettio.threads t WHERE NOT EXISTS"
        " (SELECT FROM trettio.log l WHERE l.originator_id = t.case_id)",
    ),
    Rule(
        "idempotency-key-open",
        "a request to the API was begun long ago and has no answer on record",
        "SELECT encode(sha256(convert_to(key, 'UTF8')), 'hex') FROM trettio.idempotency_keys"
        " WHERE response_status IS NULL AND created_at < clock_timestamp() - %(patience)s",
    ),
)


def _controllers(connection: Connection[TupleRow], registered: set[str]) -> Iterator[Misfit]:
    names = {name for (name,) in connection.execute("SELECT name FROM trettio.controllers")}
    odd = sorted(names ^ registered)
    if odd:
        words = "a controller is known to the log or to the list of controllers, but not to both"
        yield Misfit("controller-unknown", len(odd), words, tuple(odd[:EXAMPLES]))


def _keys_that_stay_shut(
    connection: Connection[TupleRow], vault: PostgresVault
) -> Iterator[Misfit]:
    shut, count = list[str](), 0
    with connection.cursor("keys") as cursor:
        cursor.execute(
            "SELECT id, case_id, compartment, master_key_id, wrapped FROM trettio.vault_keys"
        )
        for key in cursor:
            if not vault.opens(*key):
                count += 1
                shut = sorted([*shut, str(key[0])])[:EXAMPLES]
    if shut:
        words = "none of the master keys at hand opens this key of the vault; give the one that did"
        yield Misfit("key-shut", count, words, tuple(shut))


def _keys_that_still_stand(connection: Connection[TupleRow]) -> list[Misfit]:
    """Looked at thrice: whoever is destroying a key at this moment has noted it already."""
    words = (
        "content that was destroyed is back, because the database was restored;"
        " run: trettio replay --self"
    )
    query = SQL("SELECT DISTINCT k.id FROM trettio.vault_keys k JOIN noted n ON n.id = k.id")
    found: list[Misfit] = []
    for pause in (0.0, 0.2, 1.0):
        time.sleep(pause)
        found = list(_counted(connection, "key-stands", words, query))
        if not found:
            break
    return found


# What has to be read event by event


class _Snapshot(LogReader):
    """The log as one transaction sees it; positions up to a follower's are final there."""

    def __init__(self, connection: Connection[TupleRow]) -> None:
        self._connection = connection

    def read(self, after: int, limit: int = PAGE) -> Batch:
        rows = self._connection.execute(
            "SELECT originator_id, originator_version, topic, state, notification_id"
            " FROM trettio.log WHERE notification_id > %s ORDER BY notification_id LIMIT %s",
            [after, limit],
        ).fetchall()
        self.page = [Notification(*row) for row in rows]
        return Batch(tuple(self.page), self.page[-1].id if self.page else after)


class _Comparison:
    """One reading of the log: whom it concerns, what it refers to, what the read models tell."""

    def __init__(
        self,
        connection: Connection[TupleRow],
        database: Database,
        mapper: Mapper[UUID],
        projections: Sequence[Projection],
    ) -> None:
        self._connection, self._mapper = connection, mapper
        self._snapshot = _Snapshot(connection)
        self._source = LogSource(self._snapshot, mapper)
        self._shadows = list(_shadows(connection, database, projections))
        outdated = sorted({p.name for p in projections} - {shadow.name for shadow in self._shadows})
        words = (
            "a read model follows another definition, or another log; start, and it is made anew"
        )
        self.misfits = (
            [Misfit("view-outdated", len(outdated), words, tuple(outdated))] if outdated else []
        )
        self.controllers: set[str] = set()
        self._unreadable: list[int] = []

    def run(self, progress: Callable[[int], None] | None) -> None:
        position = 0
        while True:
            events, position = self._source.read(position, PAGE)
            if not events:
                break
            self._note(self._snapshot.page)
            for shadow in self._shadows:
                self.misfits += shadow.follow(events)
            if progress is not None:
                progress(position)
        for shadow in self._shadows:
            self.misfits += shadow.compare(position)
        if self._unreadable:
            self.misfits.append(
                Misfit(
                    "event-unreadable",
                    len(self._unreadable),
                    "this program cannot read an event of the log; start the one that wrote it",
                    tuple(map(str, self._unreadable[:EXAMPLES])),
                )
            )

    def _note(self, page: Sequence[Notification]) -> None:
        read = [(one, event) for one in page if (event := self._event(one)) is not None]
        for _, event in read:
            if isinstance(event, Controller.Registered):
                self.controllers.add(event.name)
        _copy(
            self._connection,
            "COPY whose FROM STDIN",
            (
                (one.originator_id, case_id)
                for one, event in read
                if one.originator_version == 1 and (case_id := _case_of(event)) is not None
            ),
        )
        _copy(
            self._connection,
            "COPY forgotten FROM STDIN",
            (
                (ref.id,)
                for _, event in read
                if (ref := getattr(event, FORGOTTEN, None)) is not None
            ),
        )
        _copy(
            self._connection,
            "COPY refs FROM STDIN",
            (
                (ref.id, one.originator_id, compartment.value, one.id)
                for one, event in read
                for ref, compartment in references(
                    {name: value for name, value in vars(event).items() if name != FORGOTTEN}
                )
            ),
        )

    def _event(self, one: Notification) -> Any:
        try:
            return self._mapper.to_domain_event(one)
        except Exception as error:  # one event that makes no sense must not hide the others
            log.warning("event_unreadable", position=one.id, error=type(error).__name__)
            self._unreadable.append(one.id)
            return None


def _case_of(first: Any) -> UUID | None:
    if isinstance(first, Case.Arrived):
        return first.originator_id
    case_id: UUID | None = getattr(first, "case_id", None)
    return case_id


def references(value: Any, field: str = "") -> Iterator[tuple[PersonalRef, Compartment]]:
    """Every reference to the vault in an event, however deep, with the compartment it means."""
    if isinstance(value, PersonalRef):
        yield value, COMPARTMENT_OF.get(field, Compartment.CORRESPONDENCE)
    elif isinstance(value, tuple | list | frozenset | Many):
        for item in value:
            yield from references(item, field)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from references(item, str(name))
    elif dataclasses.is_dataclass(value):
        for part in dataclasses.fields(value):
            yield from references(getattr(value, part.name), part.name)


class _Shadow:
    """A read model made anew from the log, to lay beside the one that people read."""

    def __init__(self, connection: Connection[TupleRow], view: PostgresView, position: int) -> None:
        self._connection, self._view, self._position = connection, view, position
        self.name = view.projection.name
        self._compared = False
        self._parked: dict[UUID, int] = dict(
            connection.execute(
                "SELECT aggregate_id, position FROM views.parked WHERE view = %s",
                [view.projection.name],
            ).fetchall()
        )

    def follow(self, events: Sequence[Recorded]) -> Iterator[Misfit]:
        """Take events up to where the read model stands."""
        if self._compared:
            return
        concerns = self._view.projection.concerns
        taken = [
            event
            for event in events
            if event.position <= self._position
            and concerns(event.topic)
            and not self._is_parked(event)
        ]
        try:
            self._view.apply(self._connection, taken)
        except Exception as error:  # then it cannot be compared, whatever the reason
            self._compared = True
            words = f"the read model cannot be made anew ({type(error).__name__})"
            yield self._misfit("view-broken", words, str(taken[0].position))

    def compare(self, end: int) -> Iterator[Misfit]:
        name = self.name
        if self._position > end:
            words = "the read model stands beyond the end of the log; run: trettio rebuild " + name
            yield self._misfit("view-beyond-log", words, str(self._position))
        if self._parked:
            words = "a read model could not follow some aggregates; run: trettio rebuild " + name
            parked = sorted(map(str, self._parked))
            yield Misfit("view-parked", len(parked), words, tuple(parked[:EXAMPLES]))
        if self._compared:
            return
        words = "rows differ from what the log tells; run: trettio rebuild " + name
        for table in self._view.projection.tables:
            yield from self._laid_beside(table.name, table.key, table.columns, words)
            for tally in table.tallies:
                columns = table.counted_by(tally)
                yield from self._laid_beside(tally.name, tally.alike, columns, words)

    def _laid_beside(
        self, name: str, key: Sequence[str], columns: Sequence[Column], words: str
    ) -> Iterator[Misfit]:
        statement = _differing(name, key, columns)
        yield from _counted(self._connection, "view-differs", f"{name}: {words}", statement)

    def _is_parked(self, event: Recorded) -> bool:
        since = self._parked.get(event.originator_id)
        return since is not None and since <= event.position

    def _misfit(self, kind: str, words: str, example: str) -> Misfit:
        return Misfit(kind, 1, f"{self.name}: {words}", (example,))


def _shadows(
    connection: Connection[TupleRow], database: Database, projections: Sequence[Projection]
) -> Iterator[_Shadow]:
    """One per read model that has followed this log; the others are made anew at a start."""
    known = {
        (view, definition): position
        for view, definition, position in connection.execute(
            "SELECT view, definition, position FROM views.positions"
            " WHERE incarnation = (SELECT id FROM trettio.incarnation)"
        )
    }
    for projection in projections:
        view = PostgresView(projection, database, schema=ASIDE)
        position = known.get((projection.name, view.definition))
        if position is not None:
            view.tables.make(connection)
            yield _Shadow(connection, view, position)


def _differing(name: str, key: Sequence[str], columns: Sequence[Column]) -> Composed:
    """The keys of rows that are in one of the two tables only."""
    names = SQL(", ").join(Identifier(column.name) for column in columns)
    live, shadow = Identifier(VIEWS, name), Identifier(ASIDE, name)
    # A tally keeps what has come to nothing, which a new one does not know.
    is_tally = any(column.name == "number" for column in columns)
    tells = SQL(" WHERE number <> 0" if is_tally else "")
    only = SQL("SELECT {names} FROM {one}{tells} EXCEPT ALL SELECT {names} FROM {other}{tells}")
    return SQL("SELECT concat_ws('/', {}) FROM (({}) UNION ({})) AS differing").format(
        SQL(", ").join(map(Identifier, key)),
        only.format(names=names, one=live, other=shadow, tells=tells),
        only.format(names=names, one=shadow, other=live, tells=tells),
    )


def _copy(
    connection: Connection[TupleRow], statement: LiteralString, rows: Iterable[tuple[Any, ...]]
) -> None:
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
