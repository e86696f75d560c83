"""A mapping laid on a catalogue: which tables are read and changed, in what order, and by what key.

Whatever the mapping leaves open and the database would decide by itself is refused here, before
anything is asked: a table that nobody named may hold somebody else's rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from adapters.outbound.connectors import Misconfigured
from adapters.outbound.connectors.sql.catalogue import (
    Catalogue,
    Column,
    ForeignKey,
    Place,
    Sort,
    Table,
)
from adapters.outbound.connectors.sql.mapping import (
    DEEPEST,
    Child,
    Fate,
    Null,
    RecordMapping,
    Suppress,
    TableMapping,
    Write,
)
from adapters.outbound.connectors.sql.mapping import Mapping as Mapped

Link = tuple[tuple[str, str], ...]
"""Pairs of an own column and the column of the other table that it equals."""


@dataclass(frozen=True, slots=True)
class Node:
    """One table of a record, and what becomes of its rows."""

    table: Table
    name: str
    key: tuple[str, ...]
    link: Link
    on_erase: Fate
    on_anonymise: Fate
    shown: tuple[str, ...]
    masked: frozenset[str]
    writes: Mapping[str, Write]
    """What anonymising writes into which column."""
    unsaid: tuple[str, ...]
    """Columns that can hold no NULL and that nobody said what to write into."""
    children: tuple[Node, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.table.columns)

    def all(self) -> Iterator[Node]:
        yield self
        for child in self.children:
            yield from child.all()


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of record; `of` is the kind through which it is found."""

    said: RecordMapping
    root: Node
    of: Kind | None
    link: Link
    dangers: tuple[ForeignKey, ...]
    """Foreign keys of other records, with whose rows nothing may happen unasked."""

    @property
    def name(self) -> str:
        return self.said.kind


@dataclass(frozen=True, slots=True)
class Stop:
    """A table in which marketing is stopped."""

    said: Suppress
    table: Table


@dataclass(frozen=True, slots=True)
class Plan:
    kinds: tuple[Kind, ...]
    stops: tuple[Stop, ...]

    def kind(self, name: str) -> Kind | None:
        return next((kind for kind in self.kinds if kind.name == name), None)

    def has_dependents(self, kind: Kind) -> bool:
        return any(other.of is kind for other in self.kinds)


def plan(mapping: Mapped, catalogue: Catalogue) -> Plan:
    """What the mapping means in this database; `Misconfigured` where it does not fit."""
    maker = _Maker(mapping, catalogue)
    for said in mapping.record:
        maker.table(said, f"record {said.kind!r}")
    kinds: list[Kind] = []
    for said in mapping.record:
        of = next((kind for kind in kinds if kind.name == said.of), None)
        kinds.append(maker.kind(said, of))
    stops = []
    for stop in mapping.suppress:
        table = maker.table(stop, f"suppress {stop.table!r}")
        wanted = {
            *stop.set,
            *(c for _, columns in stop.identifiers.said() for c in columns.columns),
        }
        maker.require(table, wanted, f"suppress {stop.table!r}")
        stops.append(Stop(stop, table))
    return Plan(tuple(kinds), tuple(stops))


class _Maker:
    def __init__(self, mapping: Mapped, catalogue: Catalogue) -> None:
        self._mapping, self._catalogue = mapping, catalogue
        self._roots = {self.place(record) for record in mapping.record}

    def place(self, said: TableMapping | Suppress) -> Place:
        schema = said.database_schema or self._mapping.database_schema or self._catalogue.schema
        return (schema, said.table)

    def table(self, said: TableMapping | Suppress, where: str) -> Table:
        place = self.place(said)
        table = self._catalogue.tables.get(place)
        if table is None:
            raise Misconfigured(
                f"sql: {where}: there is no table {place[1]!r} in schema {place[0]!r}, or the"
                " database's user may not see it"
            )
        if not table.transactional:
            raise Misconfigured(
                f"sql: {where}: {place[1]!r} knows no transactions: convert it to InnoDB"
            )
        return table

    def require(self, table: Table, columns: set[str], where: str) -> None:
        for column in sorted(columns - set(table.columns)):
            raise Misconfigured(f"sql: {where}: {table.name!r} has no column {column!r}")

    # Records

    def kind(self, said: RecordMapping, of: Kind | None) -> Kind:
        where = f"record {said.kind!r}"
        identifying = {c for _, s in said.identifiers.said() for c in (*s.columns, *s.parts)}
        table = self.table(said, where)
        named = {
            *identifying,
            *said.anchors.values(),
            *said.since,
            *(flag.column for flag in said.flags.values()),
            *said.rectify,
            *((said.statement,) if said.statement else ()),
            *(said.restrict.set if said.restrict else ()),
        }
        self.require(table, named, where)
        marks = frozenset(said.restrict.set) if said.restrict else frozenset[str]()
        root = self._node(said, where, link=(), fates=("erase", "anonymise"), spared=marks, path=())
        if identifying & set(root.key) and said.erase != "delete":
            raise Misconfigured(
                f"sql: {where}: its key itself says who somebody is, so that no row of it can be"
                ' anonymised: erase = "delete"'
            )
        if said.erase != "delete" and root.unsaid:
            raise Misconfigured(f"sql: {where}: {_unsaid(root)}")
        for column in said.rectify:
            if column in root.key:
                raise Misconfigured(f"sql: {where}: {column!r} is its key and stays as it is")
        link = self._link(said, table, of.root.table, where) if of is not None else ()
        return Kind(said, root, of, link, tuple(self._dangers(root)))

    def _dangers(self, root: Node) -> Iterator[ForeignKey]:
        for node in root.all():
            if node is not root and "erase" not in {node.on_erase, node.on_anonymise}:
                continue
            own = {(child.table.place, _own(child.link)) for child in node.children}
            for key in self._catalogue.referring_to(node.table.place):
                if (key.child, key.columns) not in own:
                    yield key

    # Tables

    def _node(
        self,
        said: TableMapping,
        where: str,
        *,
        link: Link,
        fates: tuple[Fate, Fate],
        spared: frozenset[str],
        path: tuple[Place, ...],
    ) -> Node:
        table = self.table(said, where)
        if len(path) > DEEPEST:
            raise Misconfigured(f"sql: {where}: foreign keys lead more than {DEEPEST} tables deep")
        key = said.key or table.key
        if not key:
            raise Misconfigured(
                f"sql: {where}: {table.name!r} has no primary key: name the columns that tell its"
                " rows apart with 'key'"
            )
        impersonal = set(table.columns) if "*" in said.impersonal else set(said.impersonal)
        named = {*key, *said.hide, *said.mask, *(said.show or ()), *said.anonymise, *impersonal}
        self.require(table, named, where)
        links = {c for k in self._catalogue.referring_from(table.place) for c in k.columns}
        fixed = {*key, *_own(link), *links, *impersonal, *spared}
        writes: dict[str, Write] = {}
        unsaid = []
        for column in table.columns.values():
            if column.name in said.anonymise:
                if column.name in key or column.generated:
                    raise Misconfigured(
                        f"sql: {where}: {column.name!r} is a key or computed: nothing can be"
                        " written into it"
                    )
                writes[column.name] = said.anonymise[column.name]
            elif column.name in fixed or column.generated:
                continue
            elif column.nullable:
                writes[column.name] = Null(null=True)
            else:
                unsaid.append(column.name)
        shown = said.show if said.show is not None else tuple(table.columns)
        may_go = "erase" in fates if path else getattr(said, "erase", "") != "anonymise"
        children = tuple(
            self._children(said, table, where, path=(*path, table.place), may_go=may_go)
        )
        return Node(
            table=table,
            name=(said.name if isinstance(said, Child) else None) or table.name,
            key=key,
            link=link,
            on_erase=fates[0],
            on_anonymise=fates[1],
            shown=tuple(name for name in shown if name not in said.hide),
            masked=frozenset(said.mask),
            writes=writes,
            unsaid=tuple(unsaid),
            children=children,
        )

    def _children(
        self,
        said: TableMapping,
        table: Table,
        where: str,
        *,
        path: tuple[Place, ...],
        may_go: bool,
    ) -> Iterator[Node]:
        taken: set[tuple[Place, tuple[str, ...]]] = set()
        for child in said.child:
            there = f"{where}, child {child.table!r}"
            place = self.place(child)
            link = self._link(child, self.table(child, there), table, there)
            taken.add((place, _own(link)))
            if child.on_erase in {"erase", "anonymise"} and place in path:
                raise Misconfigured(
                    f"sql: {there}: refers to itself, so that its rows may be somebody else's:"
                    ' on_erase = "unlink" or "keep"'
                )
            node = self._node(
                child,
                there,
                link=link,
                fates=(child.on_erase, child.on_anonymise),
                spared=frozenset(),
                path=path,
            )
            self._require_possible(node, table, there)
            yield node
        for key in self._catalogue.referring_to(table.place) if may_go else ():
            is_record = key.child in self._roots and key.child not in path
            if is_record or (key.child, key.columns) in taken:
                continue
            there = f"{where}, child {key.child[1]!r}"
            if said.follow is None or key.child in path:
                raise Misconfigured(
                    f"sql: {where}: rows of {key.child[1]!r} refer to {table.name!r}: add a child"
                    f" for it, linked by {', '.join(key.columns)}, that says what becomes of them"
                )
            found = Child.model_validate(
                {"table": key.child[1], "schema": key.child[0], "follow": said.follow}
            )
            node = self._node(
                found,
                there,
                link=tuple(zip(key.columns, key.parent_columns, strict=True)),
                fates=(said.follow, "keep" if said.follow == "keep" else "anonymise"),
                spared=frozenset(),
                path=path,
            )
            self._require_possible(node, table, there)
            yield node

    def _require_possible(self, node: Node, parent: Table, where: str) -> None:
        """What the mapping wants of a child must be what the database lets happen."""
        keys = [
            key
            for key in self._catalogue.referring_to(parent.place)
            if key.child == node.table.place and key.columns == _own(node.link)
        ]
        if node.on_erase in {"anonymise", "keep"} and any(key.cascades for key in keys):
            raise Misconfigured(
                f"sql: {where}: the database erases its rows with {parent.name!r} (ON DELETE"
                ' CASCADE): on_erase = "erase" or "unlink"'
            )
        if "unlink" in {node.on_erase, node.on_anonymise}:
            columns = node.table.columns
            held = [c for c in _own(node.link) if not columns[c].nullable or c in node.key]
            if held:
                raise Misconfigured(f"sql: {where}: {held[0]!r} can hold no NULL to unlink it")
        if node.on_erase == "anonymise" and node.unsaid:
            raise Misconfigured(f"sql: {where}: {_unsaid(node)}")

    def _link(self, said: Child | RecordMapping, table: Table, parent: Table, where: str) -> Link:
        if said.link:
            self.require(table, set(said.link), where)
            self.require(parent, set(said.link.values()), where)
            return tuple(said.link.items())
        keys = [
            key for key in self._catalogue.referring_from(table.place) if key.parent == parent.place
        ]
        if len(keys) != 1:
            many = "no foreign key" if not keys else f"{len(keys)} foreign keys"
            raise Misconfigured(
                f"sql: {where}: {many} from {table.name!r} to {parent.name!r}: say"
                ' link = { own_column = "its_column" }'
            )
        return tuple(zip(keys[0].columns, keys[0].parent_columns, strict=True))


def _own(link: Link) -> tuple[str, ...]:
    return tuple(own for own, _ in link)


def _unsaid(node: Node) -> str:
    column = node.unsaid[0]
    return (
        f"{node.table.name!r}.{column!r} can hold no NULL: say under 'anonymise' what to write, or"
        " name it under 'impersonal' if it says nothing about a person"
    )


def require_said(node: Node, keep: frozenset[str]) -> None:
    """Before a row is anonymised: whether every column that has to change can."""
    missing = [column for column in node.unsaid if column not in keep]
    if missing:
        raise Misconfigured(f"sql: {_unsaid(node)}")


def column_of(table: Table, name: str) -> Column:
    return table.columns.get(name) or Column(name, Sort.OTHER)
