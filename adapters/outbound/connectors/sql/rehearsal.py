"""What a mapping would do, tried on one person and undone; and the least that a user must be given.

What is shown has placeholders where values stand, so that it can be passed on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.outbound.connectors.sql.catalogue import Place
from adapters.outbound.connectors.sql.connector import Sql
from adapters.outbound.connectors.sql.plan import Plan
from services.ports import Person


@dataclass(frozen=True, slots=True)
class Statement:
    text: str
    times: int
    rows: int


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """How many records there are, what was said to the database, and what it must allow."""

    records: dict[str, int]
    statements: tuple[Statement, ...]
    grants: tuple[str, ...]


def rehearse(connector: Sql, person: Person) -> Rehearsal:
    """Search and erase in one transaction that is undone."""
    laid, said, records = connector.rehearse(person)
    return Rehearsal(
        records,
        tuple(Statement(text, len(rows), sum(rows)) for text, rows in said.said.items()),
        tuple(_grants(connector, laid)),
    )


def _grants(connector: Sql, laid: Plan) -> Iterator[str]:
    rights: dict[Place, set[str]] = {}
    for kind in laid.kinds:
        for node in kind.root.all():
            given = rights.setdefault(node.table.place, set())
            # To lock a row takes the right to change it, also where it is only erased.
            given |= {"SELECT", "UPDATE"}
            is_root = node is kind.root
            fates = {kind.said.erase} - {"anonymise"} if is_root else {node.on_erase}
            if fates & {"delete", "delete-if-free", "erase"} or (
                not is_root and node.on_anonymise == "erase"
            ):
                given.add("DELETE")
        for key in kind.dangers:
            rights.setdefault(key.child, set()).add("SELECT")
    for stop in laid.stops:
        given = rights.setdefault(stop.table.place, set())
        given |= {"SELECT", "UPDATE"} | ({"INSERT"} if stop.said.insert else set())
    for place, given in rights.items():
        yield connector.engine.grants(
            place, [right for right in ("SELECT", "INSERT", "UPDATE", "DELETE") if right in given]
        )
