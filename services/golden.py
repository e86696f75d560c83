"""The golden person: whom a system is tried with, made up, under a domain that holds no mailbox.

A controller may name one of its own in a system's options, so that there is something to find.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from domain.policy import System
from domain.vocabulary import IdentifierKind
from services.matching import normal
from services.ports import Identifier, Person

OPTION = "golden_person"
GOLDEN = "golden.person@trettio.example"


def golden_address(system: System) -> str:
    return system.options.get(OPTION, "").strip() or GOLDEN


def golden_person(system: System) -> Person:
    return Person((Identifier(IdentifierKind.EMAIL, golden_address(system), verified=True),))


def strangers(shown: Iterable[Mapping[str, object]], person: Person) -> int:
    """How many records show an address, and none that is the golden person's."""
    theirs = {normal(one.kind, one.value) for one in person.identifiers}
    return sum(1 for fields in shown if _is_anothers(fields, theirs))


def _is_anothers(fields: Mapping[str, object], theirs: set[str]) -> bool:
    addresses = {normal(IdentifierKind.EMAIL, text) for text in _texts(fields) if "@" in text}
    return bool(addresses) and not addresses & theirs


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
