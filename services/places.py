"""Protected identity: where somebody lives, stays or fetches anything is shown nowhere (E-10).

A record is shown without its places: whole fields by their names, and the same words wherever
else they stand in it. What is hidden stays in the system it came from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from domain.vocabulary import IdentifierKind
from services.ports import Identifier, Record

HIDDEN = "•••"
SHORTEST = 4
"""Shorter words stand in too many other places to be looked for."""

_NAMES = """
    address addresses adresse adresser adress adresser addr street gate gata vei veg road house
    city town zip zipcode postal postcode postcodes postnummer postnr poststed postadress ort
    place places sted stad plats location locations venue region county state country land
    municipality kommune kommun pickup hentested delivery leveranse leverans utlevering
    utleveringssted ombud shipping shop store branch lat lng lon latitude longitude geo geoip
    ip timezone hall arena scene
"""
_PLACES = frozenset(_NAMES.split())
_NO_PLACES = frozenset({"email", "mail", "epost", "web", "url", "status", "method"})
"""With one of these in its name a field is an address on the net, or a state and no place."""
_STATES = frozenset({"state", "country", "land"})
_MONEY = frozenset(
    [
        "payment",
        "payments",
        "card",
        "cards",
        "refund",
        "refunds",
        "charge",
        "charges",
        "transaction",
        "transactions",
        "betaling",
        "betalinger",
        "betalingar",
        "kort",
        "refusjon",
        "refusjonar",
        "refusjoner",
        "återbetalning",
        "kortbetalning",
    ]
)
"""Inside one of these a state is how a payment stands, and a country the one of a bank."""
_IDENTIFIERS = frozenset({IdentifierKind.POSTAL_ADDRESS, IdentifierKind.IP_ADDRESS})


def without_places(record: Record, also: Iterable[str] = ()) -> Record:
    """The record as it is shown; `also` are words that name a place of the person's."""
    secret = {*also, *_values(record.fields)}
    return replace(record, fields=dict(_hidden(record.fields, _pattern(secret))))


def secrets_in(record: Record) -> Iterator[str]:
    """The texts of a record that name a place."""
    return _values(record.fields)


def hide(text: str, places: Iterable[str]) -> str:
    """A text without these places."""
    pattern = _pattern(set(places))
    return pattern.sub(HIDDEN, text) if pattern else text


def places_of(identifiers: Iterable[Identifier]) -> tuple[str, ...]:
    return tuple(one.value for one in identifiers if one.kind in _IDENTIFIERS)


def shown_identifiers(identifiers: Iterable[Identifier]) -> tuple[Identifier, ...]:
    return tuple(
        replace(one, value=HIDDEN) if one.kind in _IDENTIFIERS else one for one in identifiers
    )


def is_place(name: str, inside: str = "") -> bool:
    """Whether a field names a place, by its name and that of the field right around it."""
    words = _words(name)
    if words & _NO_PLACES:
        return False
    return bool(words & (_PLACES - _STATES if _words(inside) & _MONEY else _PLACES))


def hidden_paths(before: object, after: object, path: str = "") -> Iterator[str]:
    """The paths of the fields that `without_places` has hidden, or something in them."""
    match before, after:
        case Mapping(), Mapping():
            for name, inner in before.items():
                under = f"{path}.{name}" if path else str(name)
                yield from hidden_paths(inner, after[str(name)], under)
        case list() | tuple(), list():
            nested = any(isinstance(inner, Mapping | list | tuple) for inner in before)
            for number, (inner, shown) in enumerate(zip(before, after, strict=True)):
                yield from hidden_paths(inner, shown, f"{path}.{number}" if nested else path)
        case _ if before != after:
            yield path


def _words(name: str) -> set[str]:
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)
    return set(re.findall(r"[a-zæøåäö]+", parted.lower()))


def _values(value: object, inside: str = "", *, hidden: bool = False) -> Iterator[str]:
    """The texts that stand under the name of a place, at any depth."""
    match value:
        case Mapping():
            for name, inner in value.items():
                theirs = hidden or is_place(str(name), inside)
                yield from _values(inner, str(name), hidden=theirs)
        case list() | tuple() | set() | frozenset():
            for inner in value:
                yield from _values(inner, inside, hidden=hidden)
        case str() if hidden:
            yield value


def _hidden(
    fields: Mapping[str, object], pattern: re.Pattern[str] | None, inside: str = ""
) -> Iterator[tuple[str, object]]:
    for name, value in fields.items():
        hides = is_place(name, inside) and value
        yield name, HIDDEN if hides else _masked(value, pattern, name)


def _masked(value: object, pattern: re.Pattern[str] | None, inside: str) -> object:
    match value:
        case Mapping():
            return dict(_hidden({str(k): v for k, v in value.items()}, pattern, inside))
        case list() | tuple() | set() | frozenset():
            return [_masked(inner, pattern, inside) for inner in value]
        case str() if pattern:
            return pattern.sub(HIDDEN, value)
        case _:
            return value


def _pattern(secret: set[str]) -> re.Pattern[str] | None:
    """The texts themselves and their lines, the longest first."""
    parts = {part.strip() for text in secret for part in (text, *re.split(r"[,;\n]", text))}
    known = sorted((part for part in parts if len(part) >= SHORTEST), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, known)), re.IGNORECASE) if known else None
