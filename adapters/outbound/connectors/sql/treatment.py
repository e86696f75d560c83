"""Erases or anonymises one record: all its tables in one transaction, every row counted (Art. 17).

A row is locked, changed by its key and looked at again; a number that does not come out undoes
the whole. "Zero rows" is the answer that nothing is there, and never that something was done.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from adapters.outbound.connectors.sql.engine import STILL_REFERRED_TO, Engine, Row, Session
from adapters.outbound.connectors.sql.mapping import Fate
from adapters.outbound.connectors.sql.plan import Kind, Node, require_said
from adapters.outbound.connectors.sql.search import equal, linked_values, rows_below, selected
from adapters.outbound.connectors.sql.values import read_bit, values_of, written
from domain.vocabulary import Outcome
from services.ports import Refused, Treatment

OTHERWISE = "the database did otherwise than it was told, and everything was undone"


@dataclass(frozen=True, slots=True)
class Done:
    """What became of it, and how many rows that took."""

    outcome: Outcome
    rows: int = 0


@dataclass(frozen=True, slots=True)
class _Step:
    node: Node
    rows: tuple[Row, ...]
    fate: Fate
    condition: tuple[object, ...] = ()
    """What the linked columns of these rows equal."""


class Treating:
    """One treatment in one transaction, which the caller commits or undoes."""

    def __init__(self, engine: Engine, session: Session, secret: bytes | None) -> None:
        self._engine, self._session, self._secret = engine, session, secret

    def treat(self, kind: Kind, treatment: Treatment) -> Done:
        root = kind.root
        row = self._locked(root, treatment.key)
        if row is None:
            return Done(Outcome.NOT_FOUND)
        whole = not treatment.anonymise and kind.said.erase != "anonymise"
        if whole and kind.said.erase == "delete-if-free":
            whole = not self._is_referred_to(kind, row)
        keep = frozenset(treatment.keep_fields)
        fate: Fate = "erase" if whole else "anonymise"
        steps = [*self._below(root, row, fate, keep), _Step(root, (row,), fate)]
        if whole:
            self._require_no_cascade(kind, steps)
        for step in steps:
            if step.fate == "anonymise":
                require_said(step.node, keep)
        changed = sum(self._do(step, keep) for step in steps)
        for step in steps:
            self._look_again(step)
        return Done(Outcome.ERASED if whole else Outcome.ANONYMISED, changed)

    def outcome_seen(self, kind: Kind, treatment: Treatment) -> Outcome:
        """What is true now, after an answer was lost: gone, anonymised, or as it was (KEPT)."""
        row = self._locked(kind.root, treatment.key)
        if row is None:
            return Outcome.ERASED
        if not treatment.anonymise and kind.said.erase == "delete":
            return Outcome.KEPT
        news = self._news(kind.root, row, frozenset(treatment.keep_fields))
        held = dict(zip(kind.root.columns, row, strict=True))
        is_so = all(held[name] == value for name, value in news.items())
        return Outcome.ANONYMISED if is_so else Outcome.KEPT

    # What there is

    def _locked(self, root: Node, key: str) -> Row | None:
        statement = f"{selected(self._engine, root)} WHERE {equal(self._engine, root.key)}"
        found = self._session.rows(f"{statement} FOR UPDATE", values_of(key, root.key))
        if len(found) > 1:
            raise Refused(f"the key of {root.table.name!r} is not unique: correct the mapping")
        if not found:
            return None
        return tuple(map(read_bit, root.table.columns.values(), found[0]))

    def _below(self, node: Node, row: Row, fate: Fate, keep: frozenset[str]) -> Iterator[_Step]:
        """The deepest first, so that no row is left without what it refers to."""
        for child in node.children:
            becomes = child.on_erase if fate == "erase" else child.on_anonymise
            if becomes == "keep" or (fate == "anonymise" and child.name in keep):
                continue
            rows = rows_below(self._engine, self._session, child, node, row, lock=True)
            if becomes in {"erase", "anonymise"}:
                for one in rows:
                    yield from self._below(child, one, becomes, keep)
            condition = linked_values(node, row, child.link)
            if rows and condition is not None:
                yield _Step(child, tuple(rows), becomes, tuple(condition))

    def _is_referred_to(self, kind: Kind, row: Row) -> bool:
        return any(self._referring(kind, kind.root, row, cascading=False))

    def _require_no_cascade(self, kind: Kind, steps: list[_Step]) -> None:
        """What the database would erase along with it belongs to a record that is not asked for."""
        for step in steps:
            if step.fate == "erase":
                for row in step.rows:
                    if any(self._referring(kind, step.node, row, cascading=True)):
                        raise Refused(STILL_REFERRED_TO)

    def _referring(self, kind: Kind, node: Node, row: Row, *, cascading: bool) -> Iterator[bool]:
        for key in kind.dangers:
            if key.parent != node.table.place or (cascading and not key.cascades):
                continue
            link = tuple(zip(key.columns, key.parent_columns, strict=True))
            values = linked_values(node, row, link)
            if values is not None:
                condition = equal(self._engine, key.columns)
                yield self._count(key.child, condition, values) > 0

    # What is done

    def _do(self, step: _Step, keep: frozenset[str]) -> int:
        node, done = step.node, 0
        table = self._engine.quoted(*node.table.place)
        where = equal(self._engine, node.key)
        for row in step.rows:
            held = dict(zip(node.columns, row, strict=True))
            key = [held[name] for name in node.key]
            if step.fate == "erase":
                met = self._session.change(f"DELETE FROM {table} WHERE {where}", key)  # noqa: S608
            else:
                news = self._news(node, row, keep if not node.link else frozenset())
                if step.fate == "unlink":
                    news = {own: None for own, _ in node.link}
                if not news:
                    continue
                sets = ", ".join(f"{self._engine.quoted(name)} = %s" for name in news)
                met = self._session.change(
                    f"UPDATE {table} SET {sets} WHERE {where}",  # noqa: S608 (quoted names)
                    [*news.values(), *key],
                )
                self._require_written(node, news, key)
            if met != 1:
                raise Refused(OTHERWISE)
            done += met
        return done

    def _news(self, node: Node, row: Row, keep: frozenset[str]) -> Mapping[str, object]:
        held = dict(zip(node.columns, row, strict=True))
        place = ".".join(node.table.place)
        return {
            name: written(write, held[name], self._secret, f"{place}.{name}")
            for name, write in node.writes.items()
            if name not in keep
        }

    def _require_written(self, node: Node, news: Mapping[str, object], key: list[object]) -> None:
        """A trigger may have put back what was there."""
        tests = [equal(self._engine, node.key)]
        values = list(key)
        for name, value in news.items():
            quoted = self._engine.quoted(name)
            if value is None:
                tests.append(f"{quoted} IS NULL")
            else:
                tests.append(self._engine.same(quoted))
                values.append(value)
        if self._count(node.table.place, " AND ".join(tests), values) != 1:
            raise Refused(OTHERWISE)

    def _look_again(self, step: _Step) -> None:
        """Nothing may have come in meanwhile, and nothing may have been spared."""
        if step.fate == "erase":
            node = step.node
            if step.condition:
                where, values = equal(self._engine, [own for own, _ in node.link]), step.condition
            else:
                held = dict(zip(node.columns, step.rows[0], strict=True))
                where, values = equal(self._engine, node.key), tuple(held[k] for k in node.key)
            if self._count(node.table.place, where, list(values)):
                raise Refused(OTHERWISE)

    def _count(self, place: tuple[str, str], condition: str, values: list[object]) -> int:
        table = self._engine.quoted(*place)
        statement = f"SELECT count(*) FROM {table} WHERE {condition}"  # noqa: S608 (quoted names)
        return int(str(self._session.rows(statement, values)[0][0]))
