"""Evidence: what a record says of whose it is, beside what the person has said (Art. 12(6)).

Nothing here decides: a person looks at both sides, and the marks only save them the searching.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from domain.vocabulary import IdentifierKind
from services.matching import may_be_same_name, normal
from services.ports import Person
from services.redacting import leaves


class Agreement(Enum):
    """How both sides stand to each other."""

    SAME = "same"
    SIMILAR = "similar"
    DIFFERENT = "different"
    ONLY_RECORD = "only-record"
    ONLY_PERSON = "only-person"


@dataclass(frozen=True, slots=True)
class Compared:
    """One kind of identifier: what the person said, what the record says, and how they agree."""

    kind: IdentifierKind
    said: tuple[str, ...]
    held: tuple[str, ...]
    agreement: Agreement


_NAMED = {
    IdentifierKind.EMAIL: r"e[-_ ]?mail.*|e[-_ ]?post.*|mail|.*[-_. ]e?mail(_address)?",
    IdentifierKind.PHONE: r".*(phone|mobile?|telefon|tlf|cellular).*|tel",
    IdentifierKind.NAME: (
        r"((full|customer|attendee|holder|invoice|cardholder|billing|shipping)[-_ ]?)?"
        r"(name|navn|namn)|cardholder|holder"
    ),
    IdentifierKind.BIRTH_DATE: r".*(birth|fødsel|födelse|fodsel|fodelse).*",
    IdentifierKind.CUSTOMER_NUMBER: r"(customer|kunde?)([-_ ]?(number|no|id|nr|nummer))?",
    IdentifierKind.ORDER_NUMBER: (
        r"(order|bestilling|ordre|beställning)([-_ ]?(number|no|id|nr|nummer|code))?|code"
    ),
    IdentifierKind.POSTAL_ADDRESS: (
        r".*(street|postal|zip|city|adresse|adress|postnummer)|address.*"
    ),
}
_FIRST = re.compile(r"(first|given)[-_ ]?name|fornavn|förnamn|fornamn", re.IGNORECASE)
_LAST = re.compile(r"(last|family)[-_ ]?name|surname|etternavn|efternamn", re.IGNORECASE)
_PATTERNS = {kind: re.compile(words, re.IGNORECASE) for kind, words in _NAMED.items()}


def kind_named(name: str) -> IdentifierKind | None:
    """What a field or a column of this name usually holds."""
    return next((kind for kind, words in _PATTERNS.items() if words.fullmatch(name.strip())), None)


def compare(person: Person, fields: Mapping[str, object]) -> tuple[Compared, ...]:
    """Each kind of identifier that either side has, the telling ones first."""
    held = _held(fields)
    lines = []
    for kind in _NAMED:
        said, found = person.all(kind), tuple(dict.fromkeys(held.get(kind, ())))
        if said or found:
            lines.append(Compared(kind, said, found, _agreement(kind, said, found)))
    return tuple(lines)


def _held(fields: Mapping[str, object]) -> dict[IdentifierKind, list[str]]:
    held: dict[IdentifierKind, list[str]] = {}
    first, last = [], []
    for leaf in leaves(fields):
        value = str(leaf.value).strip() if isinstance(leaf.value, str | int) else ""
        if not value:
            continue
        name = _last_word(leaf.path)
        if _FIRST.fullmatch(name):
            first.append(value)
        elif _LAST.fullmatch(name):
            last.append(value)
        else:
            kind = kind_named(name)
            if kind is not None:
                held.setdefault(kind, []).append(value)
    if first or last:
        held.setdefault(IdentifierKind.NAME, []).append(" ".join([*first[:1], *last[:1]]))
    return held


def _last_word(path: str) -> str:
    """The name that tells what a value is: numbers count places in a list."""
    return next((part for part in reversed(path.split(".")) if not part.isdecimal()), path)


def _agreement(kind: IdentifierKind, said: tuple[str, ...], held: tuple[str, ...]) -> Agreement:
    if not said:
        return Agreement.ONLY_RECORD
    if not held:
        return Agreement.ONLY_PERSON
    forms = {normal(kind, one) for one in said}
    if any(normal(kind, one) in forms for one in held):
        return Agreement.SAME
    if any(_similar(kind, one, other) for one in said for other in held):
        return Agreement.SIMILAR
    return Agreement.DIFFERENT


def _similar(kind: IdentifierKind, said: str, held: str) -> bool:
    if kind is IdentifierKind.NAME:
        return may_be_same_name(said, held)
    if kind is IdentifierKind.POSTAL_ADDRESS:
        ours, theirs = set(_words(said)), set(_words(held))
        return bool(theirs) and (theirs <= ours or ours <= theirs)
    return False


def _words(text: str) -> Iterator[str]:
    yield from re.findall(r"\w+", text.casefold())
