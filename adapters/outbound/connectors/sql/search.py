"""Whose a row is: asked for in the forms in which databases hold identifiers, then compared anew.

What the database is asked may find too much, for it knows nothing of e-mail addresses; every row
is compared by `services.matching` before it counts, as in every other connector.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain

from adapters.outbound.connectors.sql.catalogue import Sort, Table
from adapters.outbound.connectors.sql.engine import Engine, Row, Session, Values
from adapters.outbound.connectors.sql.mapping import Columns, Identifiers
from adapters.outbound.connectors.sql.plan import Kind, Node, Plan, column_of
from adapters.outbound.connectors.sql.values import (
    MASKED,
    day,
    is_so,
    key_of,
    moment,
    plain,
    read_bit,
    without_strangers,
)
from domain.vocabulary import IdentifierKind, Match
from services.matching import Level, Matcher, normal, normal_name
from services.ports import Identifier, Person, Record, Refused

MOST_PARENTS = 10_000
MOST_BELOW = 10_000
"""Rows of one table below one record; more is not one record."""
LONGEST_IDENTIFIER = 1_000
_LARGEST_NUMBER = 2**63

_DIGITS = {IdentifierKind.PHONE, IdentifierKind.NATIONAL_NUMBER}

Conditions = Iterator[tuple[str, Values]]


class Search:
    """One search for one person."""

    def __init__(
        self, engine: Engine, session: Session, plan: Plan, person: Person, now: datetime
    ) -> None:
        self._engine, self._session, self._plan = engine, session, plan
        self._person, self._matcher, self._now = person, Matcher(person), now
        self._known: dict[str, list[tuple[Row, Level]]] = {}
        """Of the kinds through which others are found: their rows."""

    def records(self) -> Iterator[Record]:
        """What belongs to others comes first: the order in which it can be erased."""
        for kind in self._plan.kinds:
            if self._plan.has_dependents(kind):
                self._known[kind.name] = self._bounded(kind)
        for kind in reversed(self._plan.kinds):
            for row, level in self._known.get(kind.name) or self.rows(kind):
                yield self._record(kind, row, level)

    def rows(self, kind: Kind) -> Iterator[tuple[Row, Level]]:
        """Rows of the kind's own table, each once, with how they match."""
        seen: set[str] = set()
        table = kind.root.table
        for own, linked in chain(self._by_link(kind), self._by_identifier(kind)):
            key = _key(kind.root, own)
            if key in seen:
                continue
            level = self._level(kind, own)
            if linked is not None and (level is None or not level[0].is_strong):
                level = linked
            if level is not None:
                seen.add(key)
                yield tuple(map(read_bit, table.columns.values(), own)), level

    def _bounded(self, kind: Kind) -> list[tuple[Row, Level]]:
        found = []
        for number, one in enumerate(self.rows(kind)):
            if number == MOST_PARENTS:
                raise Refused(f"more than {MOST_PARENTS} records of kind {kind.name!r}")
            found.append(one)
        return found

    def _by_identifier(self, kind: Kind) -> Iterator[tuple[Row, None]]:
        table = kind.root.table
        conditions = asked(self._engine, table, kind.said.identifiers, self._person)
        for condition, values in conditions:
            statement = f"{selected(self._engine, kind.root)} WHERE {condition}"
            for row in self._session.stream(statement, values):
                yield row, None

    def _by_link(self, kind: Kind) -> Iterator[tuple[Row, Level]]:
        if kind.of is None:
            return
        for parent, (match, by) in self._known[kind.of.name]:
            level = (Match.LINKED_RECORD if match.is_strong else match, by)
            values = linked_values(kind.of.root, parent, kind.link)
            if values is None:
                continue
            condition = equal(self._engine, [own for own, _ in kind.link])
            statement = f"{selected(self._engine, kind.root)} WHERE {condition}"
            for row in self._session.stream(statement, values):
                yield row, level

    def _level(self, kind: Kind, row: Row) -> Level | None:
        said = dict(zip(kind.root.columns, row, strict=True))
        return level_of(self._matcher, kind.said.identifiers, said)

    # Records

    def _record(self, kind: Kind, row: Row, level: Level) -> Record:
        match, matched_by = level
        held = dict(zip(kind.root.columns, row, strict=True))
        masked: set[str] = set()
        keep = list(self._person.all(IdentifierKind.NATIONAL_NUMBER))
        numbers = kind.said.identifiers.national_number
        if match.is_strong and numbers is not None:
            keep += [str(held[name]) for name in numbers.columns if held[name]]
        fields = self._fields(kind.root, row, keep, masked)
        for child in kind.root.children:
            below = self._below(child, kind.root, row, keep, masked)
            if below:
                fields[child.name] = below
        came = (moment(held[column]) for column in kind.said.since)
        anchors = {name: day(held[column]) for name, column in kind.said.anchors.items()}
        return Record(
            key=_key(kind.root, row),
            kind=kind.name,
            match=match,
            matched_by=matched_by,
            fields=fields,
            anchors={name: held_day for name, held_day in anchors.items() if held_day},
            flags=frozenset(
                name
                for name, flag in kind.said.flags.items()
                if is_so(flag, held[flag.column], self._now)
            ),
            masked=tuple(sorted(masked)),
            since=max(filter(None, came), default=None),
        )

    def _fields(
        self, node: Node, row: Row, keep: Sequence[str], masked: set[str]
    ) -> dict[str, object]:
        fields: dict[str, object] = {}
        for name, value in zip(node.columns, row, strict=True):
            if name not in node.shown or value is None or value == "":
                continue
            said = plain(value)
            shown = MASKED if name in node.masked else without_strangers(said, keep)
            if shown != said:
                masked.add(name)
            fields[name] = shown
        return fields

    def _below(
        self, node: Node, parent: Node, row: Row, keep: Sequence[str], masked: set[str]
    ) -> list[object]:
        found: list[object] = []
        for one in rows_below(self._engine, self._session, node, parent, row):
            fields = self._fields(node, one, keep, masked)
            for child in node.children:
                below = self._below(child, node, one, keep, masked)
                if below:
                    fields[child.name] = below
            if fields:
                found.append(fields)
        return found


# Statements


def selected(engine: Engine, node: Node) -> str:
    columns = ", ".join(map(engine.quoted, node.columns))
    return f"SELECT {columns} FROM {engine.quoted(*node.table.place)}"  # noqa: S608 (quoted names)


def equal(engine: Engine, columns: Sequence[str]) -> str:
    return " AND ".join(f"{engine.quoted(column)} = %s" for column in columns)


def linked_values(parent: Node, row: Row, link: Sequence[tuple[str, str]]) -> list[object] | None:
    """What a linked row's columns must equal; None where the row refers to nothing."""
    held = dict(zip(parent.columns, row, strict=True))
    values = [held[theirs] for _, theirs in link]
    return None if any(value is None for value in values) else values


def rows_below(
    engine: Engine, session: Session, node: Node, parent: Node, row: Row, *, lock: bool = False
) -> list[Row]:
    """The rows of a child that belong to one row of its parent."""
    values = linked_values(parent, row, node.link)
    if values is None:
        return []
    condition = equal(engine, [own for own, _ in node.link])
    order = ", ".join(map(engine.quoted, node.key))
    statement = (
        f"{selected(engine, node)} WHERE {condition} ORDER BY {order} LIMIT {MOST_BELOW + 1}"
    )
    found = session.rows(statement + (" FOR UPDATE" if lock else ""), values)
    if len(found) > MOST_BELOW:
        raise Refused(f"more than {MOST_BELOW} rows of {node.table.name!r} below one record")
    return [tuple(map(read_bit, node.table.columns.values(), one)) for one in found]


def level_of(
    matcher: Matcher, identifiers: Identifiers, held: Mapping[str, object]
) -> Level | None:
    """How a row matches, by the columns that say whose it is."""
    said = _said(identifiers, held)
    names = said.pop(IdentifierKind.NAME, [])
    return matcher.level(
        emails=said.pop(IdentifierKind.EMAIL, ()),
        phones=said.pop(IdentifierKind.PHONE, ()),
        names=names,
        others=said,
    )


def _said(identifiers: Identifiers, held: Mapping[str, object]) -> dict[IdentifierKind, list[str]]:
    """What a row's columns say that somebody is found by."""
    said: dict[IdentifierKind, list[str]] = {}
    for kind, columns in identifiers.said():
        values = [str(held[name]) for name in columns.columns if held[name] is not None]
        if columns.parts:
            values = [" ".join(str(held[part]) for part in columns.parts if held[part] is not None)]
        said[kind] = values
    return said


# Everybody


def everybody(engine: Engine, session: Session, plan: Plan) -> Iterator[tuple[Identifier, ...]]:
    """Whom the rows of every kind are about that says so itself; a few rows at a time."""
    for kind in plan.kinds:
        identifiers = kind.said.identifiers
        named = [c for _, one in identifiers.said() for c in (*one.columns, *one.parts)]
        columns = tuple(dict.fromkeys(named))
        if not columns:
            continue
        quoted = ", ".join(map(engine.quoted, columns))
        place = engine.quoted(*kind.root.table.place)
        statement = f"SELECT {quoted} FROM {place}"  # noqa: S608 (quoted names)
        for row in session.stream(statement, ()):
            said = _said(identifiers, dict(zip(columns, row, strict=True)))
            yield tuple(
                Identifier(kind, value)
                for kind, values in said.items()
                for value in values
                if value.strip()
            )


# What is asked for


def asked(engine: Engine, table: Table, identifiers: Identifiers, person: Person) -> Conditions:
    """One condition for every column, so that each can use an index of its own."""
    for kind, columns in identifiers.said():
        values = [
            value
            for value in person.all(kind)
            if len(value) <= LONGEST_IDENTIFIER and _can_be_held(value)
        ]
        forms = sorted({form for value in values for form in _forms(kind, value, columns)})
        if not forms:
            continue
        if columns.parts:
            parts = [column_of(table, name) for name in columns.parts]
            yield engine.is_one_of(engine.joined(parts), forms)
        for name in columns.columns:
            column = column_of(table, name)
            if column.sort is Sort.WHOLE_NUMBER:
                numbers = sorted({int(f) for f in forms if _is_number(f)})
                if numbers:
                    yield engine.is_one_of(engine.quoted(name), numbers)
            elif columns.stored == "normal":
                yield engine.is_one_of(engine.quoted(name), forms)
            elif kind in _DIGITS:
                yield engine.is_one_of(engine.digits(column), forms)
            else:
                yield engine.is_one_of(engine.folded(column), forms)


def _can_be_held(value: str) -> bool:
    """No text column holds a NUL or half a character, and no driver would send them."""
    return "\0" not in value and not any("\ud800" <= c <= "\udfff" for c in value)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) < _LARGEST_NUMBER


def _forms(kind: IdentifierKind, value: str, columns: Columns) -> set[str]:
    """The forms in which a column may hold it."""
    form = normal(kind, value)
    if columns.stored == "normal":
        return {form} if form else set()
    if kind is IdentifierKind.PHONE:
        return _phone_forms(form)
    if kind is IdentifierKind.NATIONAL_NUMBER:
        return {form} if form else set()
    said = value.strip()
    forms = {said, said.lower(), form, *_unicode_domain(form)}
    if kind is IdentifierKind.NAME:
        words = said.replace(",", " ").split()
        for order in (words, words[-1:] + words[:-1]):
            forms |= {" ".join(order).lower(), ", ".join([order[0], *order[1:2]]).lower()}
        forms.add(normal_name(value))
    return {form for form in forms if form.strip()}


def _phone_forms(form: str) -> set[str]:
    """Digits only: with the country, with the sign for abroad, and as written at home."""
    digits = form.removeprefix("+")
    if not digits:
        return set()
    forms = {digits, f"00{digits}"}
    if form.startswith("+47"):
        forms.add(digits[2:])
    if form.startswith("+46"):
        forms |= {f"0{digits[2:]}", f"460{digits[2:]}", f"00460{digits[2:]}", digits[2:]}
    return forms


def _unicode_domain(address: str) -> set[str]:
    local, at, domain = address.rpartition("@")
    if not at or "xn--" not in domain:
        return set()
    try:
        return {f"{local}@{domain.encode('ascii').decode('idna')}"}
    except UnicodeError:
        return set()


def _key(node: Node, row: Row) -> str:
    held = dict(zip(node.columns, row, strict=True))
    return key_of([held[name] for name in node.key])
