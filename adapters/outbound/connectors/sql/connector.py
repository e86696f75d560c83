"""An organisation's own database: PostgreSQL, MariaDB or MySQL, without code (Art. 15-18, 21).

Configuration: `url` ("postgresql://USER@HOST/DATABASE" or "mariadb://USER@HOST/DATABASE"),
`password` (in the environment), and `mapping`: a TOML file that says which tables hold whom, by
its full path or by its name in this system's folder of exports. `tls` = "off" lets a connection
to another machine be unprotected; `ca` is a file of certificates where the system's do not do.
`digest_key` (in the environment) is for mappings that write digests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from urllib.parse import urlsplit

import structlog

from adapters.outbound.connectors import Configuration, Misconfigured, connector, need
from adapters.outbound.connectors.sql import mapping as mappings
from adapters.outbound.connectors.sql.changes import SUPPRESS_BY_HAND, Changing
from adapters.outbound.connectors.sql.engine import CommitLost, Engine, Session, Statements
from adapters.outbound.connectors.sql.mariadb import MariaDB
from adapters.outbound.connectors.sql.plan import Plan, plan
from adapters.outbound.connectors.sql.postgresql import PostgreSQL
from adapters.outbound.connectors.sql.search import Search, everybody
from adapters.outbound.connectors.sql.treatment import Treating
from domain.vocabulary import Outcome
from services.ports import (
    AwaitsPerson,
    Correction,
    Identifier,
    NotSetUp,
    Person,
    Record,
    Refused,
    Result,
    Treatment,
    Unavailable,
)

SHORTEST_KEY = 32
_HERE = {"", "localhost", "127.0.0.1", "::1"}
_ENGINES: dict[str, Callable[[str, str | None, str | None], Engine]] = {
    "postgresql": PostgreSQL,
    "postgres": PostgreSQL,
    "mariadb": MariaDB,
    "mysql": MariaDB,
}

log = structlog.get_logger()


@connector("sql")
class Sql:
    def __init__(
        self,
        configuration: Configuration,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        url = need(configuration, "url", of="sql")
        password = configuration.get("password") or None
        self.engine = _engine(url, password, configuration)
        self._file = _file(configuration)
        self._mapping = mappings.read(self._file)
        self._read_as = _version(self._file)
        self._reading = Lock()
        self._secret = _secret(configuration)
        self._clock = clock

    # Find

    def find(self, person: Person, *, fresh_after: datetime | None = None) -> Iterator[Record]:
        """Every row that is or may be the person's; rows that refer to others come first."""
        if not any(identifier.value.strip() for identifier in person.identifiers):
            return
        with self.engine.reading() as session, _set_up():
            search = Search(self.engine, session, self._plan(session), person, self._clock())
            yield from search.records()

    def people(self) -> Iterator[tuple[Identifier, ...]]:
        """Everybody in every table that the mapping says holds whom."""
        with self.engine.reading() as session, _set_up():
            yield from everybody(self.engine, session, self._plan(session))

    # Change

    def erase(self, person: Person, treatment: Treatment, *, key: str) -> Result:
        """All rows of the record in one transaction; what a lost answer hides is looked up."""
        try:
            with self.engine.writing() as session, _set_up():
                outcome = self.treat(session, treatment)
                session.commit()
        except CommitLost:
            with self.engine.writing() as session, _set_up():
                kind = self._plan(session).kind(treatment.kind)
                if kind is None:
                    raise
                treating = Treating(self.engine, session, self._secret)
                outcome = treating.outcome_seen(kind, treatment)
            if outcome is Outcome.KEPT:
                raise Unavailable("the transaction was undone when the connection broke") from None
        return Result(outcome)

    def treat(self, session: Session, treatment: Treatment) -> Outcome:
        """The treatment without its end, so that a rehearsal can undo it."""
        kind = self._plan(session).kind(treatment.kind)
        if kind is None:
            raise Refused("the record's kind is none that the mapping names")
        done = Treating(self.engine, session, self._secret).treat(kind, treatment)
        log.info("sql_treated", kind=kind.name, outcome=done.outcome.value, rows=done.rows)
        return done.outcome

    def suppress(self, person: Person, *, key: str) -> Result:
        if not self._current().suppress:
            raise AwaitsPerson(SUPPRESS_BY_HAND)
        if not any(identifier.value.strip() for identifier in person.identifiers):
            return Result(Outcome.NOT_FOUND)
        with self._changing() as changing:
            return changing.suppress(person)

    def rectify(self, person: Person, correction: Correction, *, key: str) -> Result:
        with self._changing() as changing:
            return changing.rectify(correction)

    def restrict(self, person: Person, *, key: str) -> Result:
        with self._changing() as changing:
            return changing.restrict(person, self._clock())

    def is_restricted(self, person: Person) -> bool:
        with self.engine.reading() as session, _set_up():
            changing = Changing(self.engine, session, self._plan(session))
            return changing.is_restricted(person, self._clock())

    def unrestrict(self, person: Person, *, key: str) -> Result:
        with self._changing() as changing:
            return changing.unrestrict(person, self._clock())

    @contextmanager
    def _changing(self) -> Iterator[Changing]:
        """A transaction that is committed at the end; to repeat any of these does no harm."""
        with self.engine.writing() as session, _set_up():
            yield Changing(self.engine, session, self._plan(session))
            session.commit()

    # Rehearse

    def rehearse(self, person: Person) -> tuple[Plan, Statements, dict[str, int]]:
        """Search and erase without effect: the statements, and how many records of each kind."""
        statements, records = Statements(), dict[str, int]()
        with self.engine.writing(statements) as session, _set_up():
            laid = self._plan(session)
            search = Search(self.engine, session, laid, person, self._clock())
            for record in list(search.records()):
                records[record.kind] = records.get(record.kind, 0) + 1
                if record.match.is_strong:
                    self.treat(session, Treatment(record.key, record.kind))
        return laid, statements, records

    # The mapping

    def _plan(self, session: Session) -> Plan:
        """The mapping laid on the database as it is now: tables may have come since."""
        return plan(self._current(), session.catalogue())

    def _current(self) -> mappings.Mapping:
        """The file as it is now; whoever corrects it need not restart anything."""
        with self._reading, _set_up():
            version = _version(self._file)
            if version != self._read_as:
                self._mapping = mappings.read(self._file)
                self._read_as = version
            return self._mapping


@contextmanager
def _set_up() -> Iterator[None]:
    """What does not fit is a thing for whoever runs this, and then it goes on by itself."""
    try:
        yield
    except Misconfigured as error:
        raise NotSetUp(str(error)) from None


def _engine(url: str, password: str | None, configuration: Configuration) -> Engine:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        raise Misconfigured("sql's 'url' is no address") from None
    make = _ENGINES.get(parts.scheme)
    if make is None:
        raise Misconfigured("sql's 'url' begins with postgresql:// or mariadb://")
    tls = configuration.get("tls", "").strip().lower()
    if tls not in {"", "on", "off"}:
        raise Misconfigured("sql's 'tls' is on or off; unless told, it is on to other machines")
    protected = tls == "on" or (tls == "" and host not in _HERE)
    certificates = configuration.get("ca", "").strip() or "system"
    return make(url, password, certificates if protected else None)


def _file(configuration: Configuration) -> Path:
    said = Path(need(configuration, "mapping", of="sql")).expanduser()
    return said if said.is_absolute() else Path(configuration.get("folder", ".")) / said


def _version(file: Path) -> tuple[int, int]:
    try:
        found = file.stat()
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_size)


def _secret(configuration: Configuration) -> bytes | None:
    said = configuration.get("digest_key", "").strip()
    if said and len(said) < SHORTEST_KEY:
        raise Misconfigured(f"sql's 'digest_key' needs {SHORTEST_KEY} characters or more")
    return said.encode() or None
