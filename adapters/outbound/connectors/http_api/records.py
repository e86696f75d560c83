"""A row of an answer as a record of the person's, or as nobody's (Art. 12(6), 15)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from pydantic import JsonValue

from adapters.outbound.answers import held
from adapters.outbound.connectors.http_api.calls import holds
from adapters.outbound.connectors.http_api.description import Payer, Places, Shape, Shown
from adapters.outbound.connectors.http_api.pointers import (
    Missing,
    at,
    day_at,
    moment_at,
    text_at,
    texts_at,
)
from domain.vocabulary import IdentifierKind, Match
from services.matching import Matcher
from services.national_numbers import mask_national_numbers
from services.ports import Garbled, Identifier, Person, Record

Level = tuple[Match, IdentifierKind]

_WITHOUT_CENTS = frozenset({"bif", "clp", "isk", "jpy", "krw", "pyg", "vnd", "xaf", "xof", "xpf"})
_COVER = "*"
MASKED = "***"


def level_of(matcher: Matcher, places: Places, row: JsonValue) -> Level | None:
    """How a row matches what is known of the person; a row that names nobody makes no sense."""
    if all(isinstance(at(row, one), Missing) for each in places.values() for one in each):
        raise Garbled("answer has a row without any of the places that say whose it is")
    said = {kind: [t for one in each for t in texts_at(row, one)] for kind, each in places.items()}
    return matcher.level(
        emails=said.pop(IdentifierKind.EMAIL, ()),
        phones=said.pop(IdentifierKind.PHONE, ()),
        names=said.pop(IdentifierKind.NAME, ()),
        others=said,
    )


def linked(level: Level) -> Level:
    """What belongs to a record that is certainly theirs is theirs."""
    match, kind = level
    return (Match.LINKED_RECORD if match.is_strong else match), kind


def record_of(shape: Shape, row: JsonValue, level: Level, person: Person) -> Record:
    own = person.all(IdentifierKind.NATIONAL_NUMBER)
    fields = {name: _field(place, row, own) for name, place in shape.fields.items()}
    came = (moment_at(row, place) for place in shape.since)
    days = {name: day_at(row, place) for name, place in shape.dates.items()}
    match, matched_by = linked(level) if shape.linked else level
    masked: tuple[str, ...] = ()
    if shape.payer is not None and _is_anothers(shape.payer, row, person):
        masked = tuple(name for name in shape.payer.fields if fields[name] is not None)
        fields |= dict.fromkeys(masked, MASKED)
    return Record(
        key=text_at(row, shape.key),
        kind=shape.kind,
        match=match,
        matched_by=matched_by,
        fields=held(fields),
        anchors={name: day for name, day in days.items() if day is not None},
        flags=frozenset(name for name, flag in shape.flags.items() if holds(flag, row)),
        recipients=shape.recipients,
        masked=masked,
        since=max(filter(None, came), default=None),
    )


def identifiers_of(places: Places, row: JsonValue) -> tuple[Identifier, ...]:
    """Whatever a row says that somebody is found by."""
    return tuple(
        Identifier(kind, text)
        for kind, each in places.items()
        for place in each
        for text in texts_at(row, place)
        if text.strip()
    )


def _is_anothers(payer: Payer, row: JsonValue, person: Person) -> bool:
    """Whether somebody is named there, and it is not the person."""
    places = [one for each in payer.matches.values() for one in each]
    if not any(text for place in places for text in texts_at(row, place)):
        return False
    return level_of(Matcher(person), payer.matches, row) is None


def _field(place: str | Shown, row: JsonValue, own: Iterable[str]) -> JsonValue:
    shown = place if isinstance(place, Shown) else Shown(at=place)
    value = at(row, shown.at)
    if isinstance(value, Missing) or value is None:
        return None
    if shown.minor is not None:
        return _money(value, at(row, shown.minor), shown.at)
    if shown.mask is not None:
        return _covered(value, shown.mask, shown.at)
    return _without_numbers(value, tuple(own))


def _without_numbers(value: JsonValue, own: tuple[str, ...]) -> JsonValue:
    """Other people's national numbers do not belong into anybody's copy (E-10)."""
    match value:
        case str():
            return mask_national_numbers(value, keep=own)
        case list():
            return [_without_numbers(one, own) for one in value]
        case dict():
            return {name: _without_numbers(one, own) for name, one in value.items()}
        case _:
            return value


def _covered(value: JsonValue, how: str, place: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Garbled(f"answer has something else than a number or a text at {place}")
    text = str(value)
    tail = text[-2:] if how == "tail" and len(text) > 4 else ""
    return _COVER * 6 + tail


def _money(amount: JsonValue, currency: JsonValue | Missing, place: str) -> str | None:
    if isinstance(amount, bool) or not isinstance(amount, int):
        raise Garbled(f"answer has no amount in its smallest unit at {place}")
    if not isinstance(currency, str) or not currency.isascii() or not currency.isalpha():
        raise Garbled(f"answer has no currency for the amount at {place}")
    whole = currency.lower() in _WITHOUT_CENTS
    return f"{amount if whole else format(Decimal(amount).scaleb(-2), '.2f')} {currency.upper()}"
