"""pretix: correct an account, an order or a ticket, and mark what is not to be used (Art. 16, 18).

pretix knows no restriction: a line in the notes of the account and the comment of each order tells
everybody who opens them. It admits nobody and stops nobody at the door (Art. 18(2)).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

from adapters.outbound.http import Response
from domain.vocabulary import Outcome
from services.ports import AwaitsPerson, Correction, Person, Record, Result

MARK = "[Restricted, Art. 18 GDPR: keep, do not use]"
BY_HAND = "rectify-by-hand"
STATEMENT_NOT_HELD = "statement-not-held"

_PLACES = {
    "customer": "/customers/{id}/",
    "order": "/events/{event}/orders/{id}/",
    "ticket": "/events/{event}/orderpositions/{id}/",
}
_NOTED_IN = {"customer": "notes", "order": "comment"}
_FIELDS: Mapping[str, Mapping[str, str]] = {
    "customer": {
        "name": "name_parts",
        "email": "email",
        "phone": "phone",
        "notes": "notes",
        "locale": "locale",
    },
    "order": {"email": "email", "phone": "phone", "comment": "comment"},
    "ticket": {
        "attendee_name": "attendee_name_parts",
        "attendee_email": "attendee_email",
        "company": "company",
        "street": "street",
        "zipcode": "zipcode",
        "city": "city",
        "country": "country",
        "state": "state",
    },
}
_CANCELLED_TOO = {"include_canceled_positions": "true"}


class Send(Protocol):
    def __call__(
        self,
        method: str,
        template: str,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, object] | None = None,
        *,
        json: object | None = None,
        expect: tuple[int, ...] = (200,),
    ) -> Response: ...


class Changes:
    """What is changed in records that stay."""

    def __init__(self, send: Send, find: Callable[[Person], Iterator[Record]]) -> None:
        self._send, self._find = send, find

    def rectify(self, correction: Correction) -> Result:
        kind, path = _place(correction.key)
        writable = _FIELDS.get(kind)
        if writable is None or any(field not in writable for field in correction.fields):
            raise AwaitsPerson(BY_HAND)
        changes: dict[str, object] = {
            writable[field]: _value(writable[field], to) for field, to in correction.fields.items()
        }
        detail = ""
        if correction.statement:
            noted_in = _NOTED_IN.get(kind)
            if noted_in is None:
                detail = STATEMENT_NOT_HELD
            else:
                before = str(changes.get(noted_in) or self._read(kind, path).get(noted_in) or "")
                if correction.statement not in before:
                    changes[noted_in] = _with_line(before, correction.statement)
        if changes:
            self._write(kind, path, changes)
        return Result(Outcome.RECTIFIED, detail)

    # Restriction

    def restrict(self, person: Person) -> Result:
        marked = False
        for record in self._markable(person):
            marked = True
            if not _is_marked(record):
                kind, path = _place(record.key)
                self._write(kind, path, {_NOTED_IN[kind]: _with_line(self._note(record), MARK)})
        return Result(Outcome.RESTRICTED, "marked") if marked else Result(Outcome.NOT_FOUND)

    def is_restricted(self, person: Person) -> bool:
        return all(map(_is_marked, self._markable(person)))

    def unrestrict(self, person: Person) -> Result:
        for record in self._markable(person):
            if _is_marked(record):
                kind, path = _place(record.key)
                left = "\n".join(line for line in self._note(record).split("\n") if line != MARK)
                self._write(kind, path, {_NOTED_IN[kind]: left})
        return Result(Outcome.INFORMED, "mark-removed")

    def _markable(self, person: Person) -> Iterable[Record]:
        """What is certainly theirs and has room for a mark; a ticket stands in its order."""
        return [
            record
            for record in self._find(person)
            if record.kind in _NOTED_IN and record.match.is_strong
        ]

    def _note(self, record: Record) -> str:
        """The note as it stands over there: a record that was found has parts of it covered."""
        kind, path = _place(record.key)
        return str(self._read(kind, path).get(_NOTED_IN[kind]) or "")

    def _read(self, kind: str, path: Mapping[str, str]) -> Mapping[str, Any]:
        return self._send("GET", _PLACES[kind], path).object()

    def _write(self, kind: str, path: Mapping[str, str], changes: Mapping[str, object]) -> None:
        query = _CANCELLED_TOO if kind == "ticket" else None
        self._send("PATCH", _PLACES[kind], path, query, json=changes)


def _place(key: str) -> tuple[str, dict[str, str]]:
    """The sort of a record and where it stands, from its key."""
    kind, _, place = key.partition(":")
    event, _, name = place.partition("/") if "/" in place else ("", "", place)
    return kind, {"id": name, **({"event": event} if event else {})}


def _value(target: str, to: str | None) -> object:
    if target in {"name_parts", "attendee_name_parts"}:
        return {"_scheme": "full", "full_name": to} if to else {}
    if to:
        return to
    return "" if target in {"comment", "country"} else None


def _with_line(before: str, line: str) -> str:
    return f"{before}\n{line}" if before else line


def _is_marked(record: Record) -> bool:
    return MARK in str(record.fields.get(_NOTED_IN[record.kind]) or "").split("\n")
