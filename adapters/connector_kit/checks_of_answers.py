"""Whatever a system over HTTP answers, nobody is passed over in silence (Art. 15, 32)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.connector_kit.case import (
    KARI,
    Case,
    Deed,
    over_http,
    over_http_deeds,
    require_sound_if_any,
    spread,
    tried,
)
from adapters.connector_kit.case import case as case
from adapters.connector_kit.wire import HUGE_FLOAT, says, tampers

# A system that talks nonsense


BODIES = [b"", b"null", b"[]", b"{}", b"0", b'"Kari.Zwyx@post.example"', b"<html>", b"\xff\xfe\x00"]
BODIES += [b"[" * 100_000, b'{"a":' * 900 + b"1" + b"}" * 900, b"1" * 10_000, b'{"x": NaN}']


@over_http_deeds
def test_a_wrong_shape_is_no_answer(case: Case, deed: Deed) -> None:
    """Least of all the answer that there is nobody: who is not found is told that they are not."""
    kept = case.world.kept()
    usual = tried(partial(deed, case))
    case.world.put_back(kept)
    calls = case.calls(deed)
    for number, _ in enumerate(calls):
        for body in BODIES if number in spread(calls) else (b"{}",):
            came = case.under(says(200, body), number, deed)
            require_sound_if_any(came)
            if isinstance(came, list):
                assert isinstance(usual, list)
                assert len(came) >= len(usual) > 0, f"call {number}, answered {body[:20]!r}"


NASTY: list[Any] = [
    *(None, True, False, 0, -1, 1.5, 10**400, -(10**400), 1e308, HUGE_FLOAT, float("nan")),
    *("", " ", "x" * 30_000, "\ud800", "\x00", "..", "Europe", "Kari.Zwyx@post.example"),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-01T00:00:00"),
    *("2026-01-01", "?page=Kari.Zwyx", "http://[/?page=2", "?page=99999999999999999999"),
    *([], {}, [[]], [None], {"": None}, {"Kari.Zwyx@post.example": []}, [{}] * 3),
    *({"a": {"b": ["\ud800", float("inf")]}}, -62_135_596_800, 253_402_300_799, 10**15),
]

Change = Callable[[Any], Any]
_GONE = object()


def changed(document: Any, steps: Sequence[int], change: Change) -> Any:
    """The document with one place in it changed, found by walking those steps inwards."""
    if not steps or not isinstance(document, dict | list) or not document:
        return change(document)
    copy: Any = document.copy()
    places: list[Any] = list(copy) if isinstance(copy, dict) else list(range(len(copy)))
    place = places[steps[0] % len(places)]
    new = changed(copy[place], steps[1:], change)
    if new is _GONE:
        del copy[place]
    else:
        copy[place] = new
    return copy


def _twice(value: Any) -> Any:
    return value * 2 if isinstance(value, list | str) else [value, value]


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
documents = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=6
)
changes: st.SearchStrategy[Change] = st.one_of(
    st.sampled_from(NASTY).map(lambda new: lambda _: new),
    documents.map(lambda new: lambda _: new),
    st.just(lambda _: _GONE),
    st.just(_twice),
)
mutations = st.lists(
    st.tuples(st.lists(st.integers(0, 40), max_size=7), changes), min_size=1, max_size=3
)


def mutated(document: Any, mutation: list[tuple[list[int], Change]]) -> Any:
    for steps, change in mutation:
        document = changed(document, steps, change)
    return None if document is _GONE else document


@over_http_deeds
@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(at=st.integers(0, 1000), mutation=mutations)
def test_whatever_is_answered_ends_in_records_or_one_of_three_errors(
    case: Case,
    deed: Deed,
    at: int,
    mutation: list[tuple[list[int], Change]],
) -> None:
    calls = len(case.calls(deed))
    trouble = tampers(partial(mutated, mutation=mutation))
    require_sound_if_any(case.under(trouble, at % calls, deed))


MOMENTS = ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-01T00:00:00"]
NUMBERS = [10**400, -(10**400), 253_402_300_799, -62_135_596_800]
TEXTS = ["\ud800", "Europe", "-1", "Kari.Zwyx@post.example"]


def odd_for(value: object) -> list[Any]:
    """Values of the right type and of the wrong kind."""
    if isinstance(value, str):
        return MOMENTS if re.match(r"\d{4}-\d\d-\d\d", value) else TEXTS
    if isinstance(value, int) and not isinstance(value, bool):
        return NUMBERS
    return [HUGE_FLOAT] if isinstance(value, float) else []


def fields_of(document: Any) -> Iterator[tuple[str, Any]]:
    """The names and values of all fields, however deep."""
    if isinstance(document, dict):
        yield from document.items()
    inner = document.values() if isinstance(document, dict) else document
    for part in inner if isinstance(document, dict | list) else ():
        yield from fields_of(part)


def first_as(document: Any, name: str, odd: object) -> Any:
    """The document with the first field of that name holding something odd."""
    found = False

    def walk(part: Any) -> Any:
        nonlocal found
        if isinstance(part, list):
            return [walk(inner) for inner in part]
        if not isinstance(part, dict):
            return part
        copy = dict(part)
        if name in part and not found and type(part[name]) is not dict:
            copy[name], found = odd, True
        return {key: walk(value) for key, value in copy.items()}

    return walk(document)


@over_http_deeds
def test_odd_values_in_any_field_end_in_records_or_one_of_three_errors(
    case: Case, deed: Deed
) -> None:
    case.world.plant(KARI)
    odd: dict[tuple[str, str], tuple[str, Any]] = {}

    def learn(document: Any) -> Any:
        for name, value in fields_of(document):
            odd.update({(name, repr(value)): (name, value) for value in odd_for(value)})
        return document

    kept = case.world.kept()
    case.wire.always = tampers(learn)
    tried(partial(deed, case))
    assert odd or deed is not Case.find  # an erasure may be answered without a word
    for name, value in odd.values():
        case.world.put_back(kept)
        case.wire.again()
        case.wire.always = tampers(partial(first_as, name=name, odd=value))
        require_sound_if_any(tried(partial(deed, case)))


@over_http
def test_a_list_that_is_missing_is_not_an_empty_one(case: Case) -> None:
    """Whatever else was found: a field that was renamed must not pass for "nobody"."""
    usual = len(case.find())
    lists: set[str] = set()

    def learn(document: Any) -> Any:
        lists.update(name for name, value in fields_of(document) if isinstance(value, list))
        return document

    case.wire.always = tampers(learn)
    case.find()
    assert lists
    for name in sorted(lists):
        case.wire.again()
        case.wire.always = tampers(partial(without, name=name))
        came = tried(case.find)
        require_sound_if_any(came)
        assert not isinstance(came, list) or len(came) >= usual, name


def without(document: Any, name: str) -> Any:
    """The document without any field of that name."""
    if isinstance(document, list):
        return [without(part, name) for part in document]
    if not isinstance(document, dict):
        return document
    return {key: without(part, name) for key, part in document.items() if key != name}
