"""What is corrected or marked in records that stay, as a file describes it (Art. 16, 18)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from copy import deepcopy

from pydantic import JsonValue

from adapters.outbound.connectors.http_api import description as described
from adapters.outbound.connectors.http_api.calls import holds
from adapters.outbound.connectors.http_api.deeds import Deeds, value_at
from adapters.outbound.connectors.http_api.pointers import Missing, text_at
from adapters.outbound.connectors.http_api.templates import body_of
from domain.vocabulary import Outcome
from services.ports import AwaitsPerson, Correction, Garbled, Person, Record, Refused, Result

RECTIFY_BY_HAND = "rectify-by-hand"
RESTRICT_BY_HAND = "restrict-by-hand"
UNRESTRICT_BY_HAND = "unrestrict-by-hand"
STATEMENT_NOT_HELD = "statement-not-held"

Theirs = Callable[[Person, Collection[str]], Iterator[Record]]


class Changes:
    """`theirs` finds what of some kinds is certainly the person's."""

    def __init__(self, description: described.Description, deeds: Deeds, theirs: Theirs) -> None:
        self._rectify, self._restrict = description.rectify, description.restrict
        self._deeds, self._theirs = deeds, theirs

    def rectify(self, correction: Correction) -> Result:
        way = self._rectify.get(correction.kind)
        if way is None or not correction.fields.keys() <= way.fields.keys():
            raise AwaitsPerson(RECTIFY_BY_HAND)
        if correction.fields:
            seen = self._deeds.look(way.look, correction.key, None)
            if isinstance(seen, Missing):
                raise Refused("the record is not there any more")
            values = _values(correction.key, way.look, seen)
            body = body_of(way.deed.body or {}, values, lambda place: value_at(seen, place))
            for name, text in correction.fields.items():
                body = _written(body, way.fields[name].split("/"), text or "")
            self._require(way.deed, values, seen, "rectified", body)
        return Result(Outcome.RECTIFIED, STATEMENT_NOT_HELD if correction.statement else "")

    def restrict(self, person: Person) -> Result:
        if not self._restrict:
            raise AwaitsPerson(RESTRICT_BY_HAND)
        marked = 0
        for record, way in self._to_mark(person):
            seen = self._deeds.look(way.look, record.key, person)
            if isinstance(seen, Missing):
                continue
            marked += 1
            if not holds(way.marked, seen):
                values = _values(record.key, way.look, seen)
                self._require(way.mark, values, seen, "restricted")
        return Result(Outcome.RESTRICTED, "marked") if marked else Result(Outcome.NOT_FOUND)

    def is_restricted(self, person: Person) -> bool:
        if not self._restrict:
            raise AwaitsPerson(RESTRICT_BY_HAND)
        return all(
            isinstance(seen := self._deeds.look(way.look, record.key, person), Missing)
            or holds(way.marked, seen)
            for record, way in self._to_mark(person)
        )

    def unrestrict(self, person: Person) -> Result:
        if not self._restrict:
            raise AwaitsPerson(UNRESTRICT_BY_HAND)
        for record, way in self._to_mark(person):
            seen = self._deeds.look(way.look, record.key, person)
            if not isinstance(seen, Missing) and holds(way.marked, seen):
                values = _values(record.key, way.look, seen)
                self._require(way.unmark, values, seen, "restricted")
        return Result(Outcome.INFORMED, "mark-removed")

    def _to_mark(self, person: Person) -> Iterator[tuple[Record, described.Restriction]]:
        for record in list(self._theirs(person, self._restrict.keys())):
            yield record, self._restrict[record.kind]

    def _require(
        self,
        deed: described.Deed,
        values: dict[str, str],
        seen: JsonValue,
        wanted: str,
        body: JsonValue = None,
    ) -> None:
        """Only the outcome that was asked for is one; the services look again themselves."""
        rule, response = self._deeds.once(deed, values, seen, key=None, body=body)
        if rule.then != wanted:
            raise Refused(f"it was not {wanted} (status {response.status})")


def _values(key: str, look: described.LookFirst, seen: JsonValue) -> dict[str, str]:
    return {described.KEY: key, **{n: text_at(seen, place) for n, place in look.takes.items()}}


def _written(body: JsonValue, steps: list[str], text: str) -> JsonValue:
    """The body with one text in it, however deep its place is."""
    whole: JsonValue = deepcopy(body)
    part = whole
    for step in steps[:-1]:
        if not isinstance(part, dict):
            raise Garbled("the body has no place for this field")
        part = part.setdefault(step, {})
    if not isinstance(part, dict):
        raise Garbled("the body has no place for this field")
    part[steps[-1]] = text
    return whole
