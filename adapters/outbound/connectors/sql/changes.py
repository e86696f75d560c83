"""Rows that stay and change: marketing stopped, fields corrected, rows marked (Art. 16, 18, 21)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from adapters.outbound.connectors.sql.engine import Engine, Session
from adapters.outbound.connectors.sql.plan import Kind, Node, Plan, Stop, column_of
from adapters.outbound.connectors.sql.search import Search, asked, equal, level_of
from adapters.outbound.connectors.sql.treatment import OTHERWISE
from adapters.outbound.connectors.sql.values import values_of
from domain.restriction import RESTRICT_BY_HAND, UNRESTRICT_BY_HAND
from domain.vocabulary import Outcome
from services.matching import Matcher, normal
from services.ports import AwaitsPerson, Correction, Person, Refused, Result
from services.rectifying import RECTIFY_BY_HAND, STATEMENT_NOT_HELD

SUPPRESS_BY_HAND = "suppress-by-hand"


class Changing:
    """Changes in one transaction, which the caller commits."""

    def __init__(self, engine: Engine, session: Session, plan: Plan) -> None:
        self._engine, self._session, self._plan = engine, session, plan

    # Marketing

    def suppress(self, person: Person) -> Result:
        if not self._plan.stops:
            raise AwaitsPerson(SUPPRESS_BY_HAND)
        met = sum(self._stop(stop, person) for stop in self._plan.stops)
        return Result(Outcome.SUPPRESSED if met else Outcome.NOT_FOUND)

    def _stop(self, stop: Stop, person: Person) -> int:
        columns = tuple(stop.table.columns)
        names = ", ".join(map(self._engine.quoted, columns))
        table = self._engine.quoted(*stop.table.place)
        matcher, met = Matcher(person), 0
        for condition, values in asked(self._engine, stop.table, stop.said.identifiers, person):
            statement = f"SELECT {names} FROM {table} WHERE {condition} FOR UPDATE"  # noqa: S608
            for row in self._session.rows(statement, values):
                held = dict(zip(columns, row, strict=True))
                if level_of(matcher, stop.said.identifiers, held) is None:
                    continue
                met += 1
                if stop.said.set:
                    key = _telling(stop, held)
                    self._write(stop.table.place, stop.said.set, key, at_least=1)
        return met + self._enter(stop, person)

    def _enter(self, stop: Stop, person: Person) -> int:
        """In a list of those not to be written to, whoever is not yet in it."""
        if not stop.said.insert:
            return 0
        kind, said = next(stop.said.identifiers.said())
        column = said.columns[0]
        held = {normal(kind, str(v)) for v in self._entered(stop, person, column)}
        table, entered = self._engine.quoted(*stop.table.place), 0
        for form in dict.fromkeys(normal(kind, value) for value in person.all(kind)):
            if not form or form in held:
                continue
            news = {column: form, **stop.said.set}
            names = ", ".join(map(self._engine.quoted, news))
            places = ", ".join(["%s"] * len(news))
            entered += self._session.change(
                f"INSERT INTO {table} ({names}) VALUES ({places})",  # noqa: S608 (quoted names)
                list(news.values()),
            )
        return entered

    def _entered(self, stop: Stop, person: Person, column: str) -> list[object]:
        table, name = self._engine.quoted(*stop.table.place), self._engine.quoted(column)
        found: list[object] = []
        for condition, values in asked(self._engine, stop.table, stop.said.identifiers, person):
            statement = f"SELECT {name} FROM {table} WHERE {condition}"  # noqa: S608 (quoted names)
            found += [row[0] for row in self._session.rows(statement, values)]
        return found

    # Fields

    def rectify(self, correction: Correction) -> Result:
        kind = self._plan.kind(correction.kind)
        if kind is None or not set(correction.fields) <= set(kind.said.rectify):
            raise AwaitsPerson(RECTIFY_BY_HAND)
        news: dict[str, object] = dict(correction.fields)
        if correction.statement and kind.said.statement:
            news[kind.said.statement] = correction.statement
        if any(
            value is None and not column_of(kind.root.table, name).nullable
            for name, value in news.items()
        ):
            raise AwaitsPerson(RECTIFY_BY_HAND)
        key = dict(zip(kind.root.key, values_of(correction.key, kind.root.key), strict=True))
        if news:
            self._write(kind.root.table.place, news, key)
        not_held = correction.statement and not kind.said.statement
        return Result(Outcome.RECTIFIED, STATEMENT_NOT_HELD if not_held else "")

    # Marks

    def restrict(self, person: Person, now: datetime) -> Result:
        marked = 0
        for kind, key in self._theirs(person, now, RESTRICT_BY_HAND):
            if kind.said.restrict is not None:
                self._write(kind.root.table.place, kind.said.restrict.set, key)
                marked += 1
        if not marked:
            return Result(Outcome.NOT_FOUND)
        if self._plan.stops:
            self.suppress(person)
        return Result(Outcome.RESTRICTED)

    def is_restricted(self, person: Person, now: datetime) -> bool:
        theirs = self._theirs(person, now, RESTRICT_BY_HAND)
        return bool(theirs) and all(
            kind.said.restrict is not None and self._is_held(kind.root, kind.said.restrict.set, key)
            for kind, key in theirs
        )

    def unrestrict(self, person: Person, now: datetime) -> Result:
        lifted = 0
        for kind, key in self._theirs(person, now, UNRESTRICT_BY_HAND):
            if kind.said.restrict is not None:
                self._write(kind.root.table.place, kind.said.restrict.lift, key)
                lifted += 1
        return Result(Outcome.COMPLETED if lifted else Outcome.NOT_FOUND)

    def _theirs(
        self, person: Person, now: datetime, by_hand: str
    ) -> list[tuple[Kind, dict[str, object]]]:
        """The person's rows by key; a person must act where one sort of them has no mark."""
        found = [
            (self._plan.kind(record.kind), record.key)
            for record in Search(self._engine, self._session, self._plan, person, now).records()
            if record.match.is_strong
        ]
        theirs = []
        for kind, key in found:
            if kind is None or kind.said.restrict is None:
                raise AwaitsPerson(by_hand)
            values = values_of(key, kind.root.key)
            theirs.append((kind, dict(zip(kind.root.key, values, strict=True))))
        return theirs

    # Writing

    def _write(
        self,
        place: tuple[str, str],
        news: Mapping[str, object],
        key: Mapping[str, object],
        *,
        at_least: int = 0,
    ) -> None:
        sets = ", ".join(f"{self._engine.quoted(name)} = %s" for name in news)
        statement = (
            f"UPDATE {self._engine.quoted(*place)} SET {sets}"  # noqa: S608 (quoted names)
            f" WHERE {equal(self._engine, list(key))}"
        )
        met = self._session.change(statement, [*news.values(), *key.values()])
        if met == 0:
            raise Refused("the record is not there any more")
        if met != 1 and not at_least:
            raise Refused(OTHERWISE)

    def _is_held(self, node: Node, news: Mapping[str, object], key: Mapping[str, object]) -> bool:
        tests = [equal(self._engine, list(key))]
        tests += [self._engine.same(self._engine.quoted(name)) for name in news]
        statement = (
            f"SELECT count(*) FROM {self._engine.quoted(*node.table.place)}"  # noqa: S608
            f" WHERE {' AND '.join(tests)}"
        )
        return self._session.rows(statement, [*key.values(), *news.values()]) == [(1,)]


def _telling(stop: Stop, held: Mapping[str, object]) -> dict[str, object]:
    """What tells the row: its key, or what it holds where the table has none."""
    names = stop.table.key or tuple(
        name for _, columns in stop.said.identifiers.said() for name in columns.columns
    )
    return {name: held[name] for name in names if held[name] is not None}
