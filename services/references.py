"""References: ids in one system's records by which another system is asked (Art. 15; law E-11).

Payment parties cannot be searched by a person, and nobody should: what they hold is looked up by
the order or payment ids that the person's own records name, and by no others. A system's option
`ids_from` says where those stand: "shop/order/payment_id, shop/order" is a field, then the key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from domain.fulfilment import Fulfilment, SystemStatus
from domain.policy import System
from domain.vocabulary import Action, IdentifierKind, Match
from services import dossier
from services.controllers import Controllers
from services.ports import Identifier, NotSetUp, Person, Unavailable, Vault
from services.register import Register

IDS_FROM = "ids_from"
AWAITS_RECORDS = "awaits-other-records"
"""Why a search is put off: the systems whose records name the ids have not answered yet."""


@dataclass(frozen=True, slots=True)
class Source:
    """A place where ids stand: a field of one kind of record, or no field for the record's key."""

    system: str
    kind: str
    field: str

    def ids_in(self, key: str, fields: Mapping[str, object]) -> Iterator[str]:
        if not self.field:
            yield key
            return
        yield from _texts(fields, self.field.split("."))


class References:
    """Adds to a person what other systems' records say about them."""

    def __init__(self, register: Register, vault: Vault, controllers: Controllers) -> None:
        self._register, self._vault, self._controllers = register, vault, controllers

    def added(self, person: Person, request_id: UUID, controller: str, system: str) -> Person:
        """The person with the ids that `system` is asked by; `Unavailable` while some may come."""
        sources = self._sources(controller, system)
        if not sources:
            return person
        fulfilment = self._register.fulfilment(request_id)
        for source in sources:
            state = fulfilment.systems.get(source.system)
            if state is not None and state.action is Action.FIND and _is_searching(state.status):
                raise Unavailable(AWAITS_RECORDS)
        found = dict.fromkeys(self._ids(fulfilment, sources))
        return Person((*person.identifiers, *found))

    def feeds(self, controller: str, system: str) -> bool:
        """Whether another system waits for what this one finds."""
        systems = self._controllers.in_force(controller).systems
        return any(source.system == system for one in systems for source in sources_of(one))

    def _sources(self, controller: str, system: str) -> tuple[Source, ...]:
        systems = self._controllers.in_force(controller).systems
        known = next((one for one in systems if one.id == system), None)
        return sources_of(known) if known is not None else ()

    def _ids(self, fulfilment: Fulfilment, sources: Iterable[Source]) -> Iterator[Identifier]:
        """An id is as certain as the record it stands in; a name alone unlocks nothing."""
        wanted: dict[tuple[str, str], list[Source]] = {}
        for source in sources:
            wanted.setdefault((source.system, source.kind), []).append(source)
        found = [
            record
            for record in fulfilment.found
            if (record.system, record.kind) in wanted and record.match is not Match.SAME_NAME
        ]
        contents = self._vault.open_each(record.content for record in found)
        for record, content in zip(found, contents, strict=True):
            held = dossier.RECORD.validate_json(content).record
            for source in wanted[record.system, record.kind]:
                for text in source.ids_in(held.key, held.fields):
                    yield Identifier(
                        IdentifierKind.ORDER_NUMBER, text, verified=record.match.is_strong
                    )


def sources_of(system: System) -> tuple[Source, ...]:
    """Where a system's ids come from, as its option says; a `NotSetUp` says what is wrong."""
    return tuple(
        _source(part.strip(), system.id)
        for part in system.options.get(IDS_FROM, "").split(",")
        if part.strip()
    )


def _source(text: str, system: str) -> Source:
    parts = text.split("/")
    if len(parts) not in {2, 3} or not all(parts) or parts[0] == system:
        raise NotSetUp(f"{system}'s {IDS_FROM!r} must be like other-system/kind/field: {text!r}")
    return Source(parts[0], parts[1], "".join(parts[2:]))


def _is_searching(status: SystemStatus) -> bool:
    return status in {
        SystemStatus.ASKED,
        SystemStatus.UNAVAILABLE,
        SystemStatus.WAITING_FOR_PERSON,
    }


def _texts(value: object, steps: list[str]) -> Iterator[str]:
    """What stands at a place, through lists and all."""
    if isinstance(value, list):
        for one in value:
            yield from _texts(one, steps)
    elif steps and isinstance(value, Mapping):
        yield from _texts(value.get(steps[0]), steps[1:])
    elif not steps and isinstance(value, str | int) and not isinstance(value, bool):
        text = str(value).strip()
        if text:
            yield text
