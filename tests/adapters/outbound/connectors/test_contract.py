"""Every connector keeps the port's promise, whatever its system does (Art. 5(1)(f), 15, 17, 32).

A connector that is not in the kit fails here: `tests/support/connector_kit.py` says what to add.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from pathlib import Path
from traceback import format_exception
from typing import Any, TypeVar
from urllib.parse import quote, quote_plus

import pytest
import structlog
import urllib3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.outbound import connectors, http
from domain.vocabulary import IdentifierKind, Outcome
from services import dossier
from services.ports import (
    AwaitsPerson,
    Connector,
    Garbled,
    Identifier,
    Person,
    Record,
    Refused,
    Result,
    Treatment,
    Unavailable,
)
from tests.support import connector_kit, sql_worlds
from tests.support import wire as troubles
from tests.support.connector_kit import Somebody, World
from tests.support.people import NOBODY, somebody
from tests.support.wire import ENDLESS, HUGE_FLOAT, Trouble, Wire, says, tampers, wire_to

T = TypeVar("T")
PortError = Unavailable | Refused | AwaitsPerson

KARI = Somebody("Kari.Zwyx@post.example", "Kari Zwyxdal", "+4740000017")
STRANGER = Somebody("ola.qvarx@post.example", "Ola Qvarxvik", "+4740000023")
# Nearly hers, and yet another mailbox.
NEIGHBOUR = Somebody("kari.zwyx+news@post.example", "Karin Zwyxdalen", "+4740000031")

REMAINS = {Outcome.RESIDUAL, Outcome.MANUAL}

KIT = {**connector_kit.KIT, **sql_worlds.WORLDS}
EVERY = sorted(KIT)
FINDING = [name for name in EVERY if KIT[name].finds]
OVER_HTTP = [name for name in EVERY if KIT[name].over_http]
IN_PAGES = [name for name in OVER_HTTP if KIT[name].more_than_a_page]
FROM_FILES = [name for name in EVERY if KIT[name].from_files]


Deed = Callable[["Case"], object]


@dataclass
class Case:
    """A connector, its system and the wire between, with Kari between two strangers."""

    world: World
    connector: Connector
    wire: Wire
    records: list[Record] = field(default_factory=list)
    counted: dict[object, list[str]] = field(default_factory=dict)

    def find(self, who: Somebody = KARI) -> list[Record]:
        return list(self.connector.find(who.person))

    def theirs(self, who: Somebody = KARI) -> list[Record]:
        return [record for record in self.find(who) if record.match.is_strong]

    def erase(self, records: Sequence[Record] | None = None) -> dict[str, Result]:
        return {
            record.key: self.connector.erase(
                KARI.person, Treatment(record.key, record.kind), key=f"task/{record.key}"
            )
            for record in (self.records if records is None else records)
        }

    def suppress(self) -> Result:
        return self.connector.suppress(KARI.person, key="task")

    def calls(self, deed: Deed) -> list[str]:
        """The methods of the calls that it takes; the system is put back as it was."""
        if deed not in self.counted:
            kept = self.world.kept()
            self.wire.again()
            tried(partial(deed, self))
            self.counted[deed] = [method for method, _ in self.wire.seen]
            self.world.put_back(kept)
            assert self.counted[deed], "it makes no call, so that no trouble can be tried on it"
        return self.counted[deed]

    def under(self, trouble: Trouble, number: int, deed: Deed) -> object:
        """What comes of it when call `number` meets a trouble; the system is put back then."""
        kept = self.world.kept()
        self.wire.again({number: trouble})
        try:
            return tried(partial(deed, self))
        finally:
            self.wire.again()
            self.world.put_back(kept)


def tried(act: Callable[[], T]) -> T | PortError:
    """What comes of it. Only the port's own errors are an answer, and they name nobody."""
    try:
        return act()
    except (Unavailable, Refused, AwaitsPerson) as error:
        require_no_name(error)
        return error


def require_no_name(error: Exception) -> None:
    """Neither in its words nor in what a log would show of it."""
    assert named_in("".join(format_exception(error)) + repr(vars(error))) == []


def named_in(text: str) -> list[str]:
    """What in a text says who somebody is."""
    folded = text.casefold()
    return sorted(mark for mark in MARKS if mark in folded)


def _marks() -> set[str]:
    marks = {"zwyx", "qvarx"}
    for one in (KARI, STRANGER, NEIGHBOUR):
        for said in (one.email, one.phone, one.phone.removeprefix("+47")):
            marks |= {form.casefold() for form in (said, quote(said), quote_plus(said))}
    return marks


MARKS = _marks()


@pytest.fixture
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Case]:
    name: str = request.param
    made = KIT[name](tmp_path)
    if made.needs:
        made.given = request.getfixturevalue(made.needs)
    with (
        made as world,
        wire_to(world.url) as wire,
        structlog.testing.capture_logs() as lines,
    ):
        for one in (STRANGER, KARI, NEIGHBOUR):
            world.plant(one)
        case = Case(
            world, connectors.build(world.connector or name, world.configuration(wire.url)), wire
        )
        if world.finds:
            case.records = case.theirs()
        wire.again()
        yield case
        assert bool(lines) >= world.over_http
        assert named_in(repr(lines)) == []


every = pytest.mark.parametrize("case", EVERY, indirect=True)
finding = pytest.mark.parametrize("case", FINDING, indirect=True)
over_http = pytest.mark.parametrize("case", OVER_HTTP, indirect=True)
in_pages = pytest.mark.parametrize("case", IN_PAGES, indirect=True)
from_files = pytest.mark.parametrize("case", FROM_FILES, indirect=True)
DEEDS: tuple[Deed, ...] = (Case.find, Case.erase, Case.suppress)
over_http_deeds = pytest.mark.parametrize(
    ("case", "deed"),
    [
        pytest.param(name, deed, id=f"{name}-{deed.__name__}")
        for name in OVER_HTTP
        for deed in DEEDS
        if deed is not Case.suppress or KIT[name].suppresses_over_http
    ],
    indirect=["case"],
)


# The kit


@pytest.mark.parametrize("name", connectors.names())
def test_every_connector_is_in_the_kit(name: str) -> None:
    assert name in KIT, f"write a World for {name!r} into KIT of tests/support/connector_kit.py"


def test_the_kit_has_no_connector_that_is_not_there() -> None:
    assert {world.connector or name for name, world in KIT.items()} <= set(connectors.names())


# Finding


BLANK = Person(tuple(Identifier(kind, " ", verified=True) for kind in IdentifierKind))


@finding
@pytest.mark.parametrize("nobody", [NOBODY, BLANK], ids=["nothing", "blanks"])
def test_a_person_without_identifiers_costs_no_call(case: Case, nobody: Person) -> None:
    assert list(case.connector.find(nobody)) == []
    tried(partial(case.connector.suppress, nobody, key="k"))

    assert case.wire.seen == []


@finding
def test_what_is_found_can_be_sealed_and_opened_again(case: Case) -> None:
    assert case.records
    assert len({(record.kind, record.key) for record in case.records}) == len(case.records)
    for record in case.find():
        require_sound(record)


def require_sound(record: Record) -> None:
    """Plain JSON values, days and text: what the vault gives back is what went in."""
    sealed = dossier.SealedRecord("system", record)
    assert dossier.RECORD.validate_json(dossier.RECORD.dump_json(sealed)) == sealed
    assert record.key
    assert json.dumps(dict(record.fields), allow_nan=False)
    assert {type(day) for day in record.anchors.values()} <= {date}
    assert not any(isinstance(day, datetime) for day in record.anchors.values())


@finding
def test_a_stranger_is_never_found_by_something_proven(case: Case) -> None:
    shown = repr(case.records).casefold()

    assert KARI.email.casefold() in shown
    for other in ("qvarx", NEIGHBOUR.email, "karin"):
        assert other not in shown


@finding
def test_many_pages_are_read_to_the_end(case: Case) -> None:
    other = Somebody("many.records@post.example", "Many Records", "+4740000041")
    case.world.plant(other, records=case.world.more_than_a_page)

    found = case.theirs(other)

    assert len({record.key for record in found}) == len(found) >= case.world.more_than_a_page


@in_pages
def test_pages_that_stand_still_are_no_answer(case: Case) -> None:
    case.world.plant(KARI, records=case.world.more_than_a_page)
    case.wire.always = troubles.always_the_same_page()

    assert isinstance(tried(case.find), Refused)


@over_http
def test_pages_without_an_end_are_no_answer(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[type(case.connector).__module__], "MOST_PAGES", 20)
    bodies = (json.dumps(case.world.next_page(n)).encode() for n in range(10_000))
    case.wire.always = lambda asked: says(200, next(bodies))(asked)

    assert isinstance(tried(case.find), Refused)
    assert len(case.wire.seen) == 20


SPECIAL = [
    ("o'brien+test@post.example", "Siobhán O'Brien"),
    ("kåre.ødegård@post.example", 'Kåre "Kalle" \\ Ødegård'),
    ("a/b?c#d&e=f%2e@post.example", "Robert'); DROP TABLE orders;--"),
    ('"to rom"@post.example', "  Anne-Lise   Vik  "),
    ("..@post.example", ".."),
    ("*@post.example", "%"),
    ("søk@blåbær.example", "李 小龍 🎻"),
    (f"{'x' * 180}@post.example", "=HYPERLINK(0)"),
    ("MIXED.Case@Post.Example", "{name} %s $1"),
]


@finding
@pytest.mark.parametrize(("email", "name"), SPECIAL)
def test_special_characters_find_and_erase_exactly_their_owner(
    case: Case, email: str, name: str
) -> None:
    owner = Somebody(email, name, "+4740000047")
    before = case.theirs()
    case.world.plant(owner)

    found = case.theirs(owner)

    assert [record.kind for record in found] == [record.kind for record in before]
    for record in found:
        require_sound(record)
        case.connector.erase(owner.person, Treatment(record.key, record.kind), key="k")
    assert case.theirs() == before


@finding
@pytest.mark.parametrize("text", ["\x00", "a\r\nX-Other: b", "\ud800", "{email}", "a" * 100_000])
def test_nonsense_that_is_asked_for_is_not_found(case: Case, text: str) -> None:
    for person in (somebody(f"{text}@post.example"), somebody(name=text), somebody(phone=text)):
        found = tried(lambda who=person: list(case.connector.find(who)))  # type: ignore[misc]
        assert not isinstance(found, list) or found == []


# Erasing


@finding
def test_erasure_takes_the_person_and_nobody_else(case: Case) -> None:
    """What is found afterwards is what the results say remains."""
    others = {one.name: case.find(one) for one in (STRANGER, NEIGHBOUR)}
    traces = repr(case.world.kept()).casefold().count("qvarx")

    results = case.erase()

    said = {key: result.outcome for key, result in results.items()}
    assert {record.key for record in case.theirs()} <= {k for k in said if said[k] in REMAINS}
    assert {one.name: case.find(one) for one in (STRANGER, NEIGHBOUR)} == others
    assert repr(case.world.kept()).casefold().count("qvarx") == traces
    if not any(r.residuals or r.outcome in REMAINS for r in results.values()):
        assert KARI.email.casefold() not in repr(case.world.kept()).casefold()
    assert named_in(repr(results.values())) == []


@finding
def test_the_same_key_again_has_no_second_effect(case: Case) -> None:
    case.erase()
    once = case.world.kept()

    again = case.erase()

    assert case.world.kept() == once
    assert Outcome.ERASED not in {result.outcome for result in again.values()}


@every
def test_the_same_objection_again_has_no_second_effect(case: Case) -> None:
    first = tried(case.suppress)
    once = case.world.kept()

    again = tried(case.suppress)

    assert case.world.kept() == once
    assert repr(again) == repr(first)


@over_http
@pytest.mark.parametrize("trouble", [troubles.hangs_up, troubles.loses_the_reply])
@pytest.mark.parametrize("looks_again", [False, True])
def test_an_erasure_killed_anywhere_is_continued(
    case: Case, trouble: Trouble, looks_again: bool
) -> None:
    """Before or after the system acted, with the records of old or with those found anew."""
    before = case.world.kept()
    methods = case.calls(Case.erase)
    case.erase()
    whole, left = case.world.kept(), case.theirs()
    writing = [n for n, method in enumerate(methods) if method != "GET"]
    assert writing
    for number in writing:
        case.world.put_back(before)
        case.wire.again({number: trouble})
        assert isinstance(tried(case.erase), Unavailable)
        case.wire.again()

        case.erase(case.theirs() if looks_again else None)

        assert case.theirs() == left
        assert case.world.kept() == whole


# A system in trouble


@over_http_deeds
@pytest.mark.parametrize(
    ("trouble", "wish"),
    [
        (says(429, b'{"title": "slow down"}'), None),
        (says(429, retry_after="100"), 100.0),
        (says(503, retry_after="Fri, 01 Jan 2100 00:00:00 GMT"), 86_400.0),
        (says(503, retry_after="Mon, 01 Jan 2024 00:00:00 +99999999999999999999"), None),
        (says(500), None),
        (says(500, b"<html>Kari.Zwyx@post.example</html>", "text/html"), None),
        (troubles.hangs_up, None),
        (troubles.hangs_up_midway, None),
        (troubles.hangs_up_between_chunks, None),
    ],
)
def test_what_may_pass_is_tried_later(
    case: Case, deed: Deed, trouble: Trouble, wish: float | None
) -> None:
    """At whatever call it happens, nothing is passed over in silence."""
    for number, _ in enumerate(case.calls(deed)):
        error = case.under(trouble, number, deed)
        assert isinstance(error, Unavailable)
        assert error.retry_after == wish


@over_http_deeds
def test_a_silent_system_is_tried_later(
    case: Case, deed: Deed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "TIMEOUT", urllib3.Timeout(connect=1.0, read=0.1))
    name = next(name for name, world in KIT.items() if type(case.world) is world)
    case.connector = connectors.build(name, case.world.configuration(case.wire.url))
    for number in spread(case.calls(deed)):
        error = case.under(troubles.is_silent, number, deed)
        assert isinstance(error, Unavailable)


@over_http_deeds
def test_an_answer_that_only_drips_is_tried_later(
    case: Case, deed: Deed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "LONGEST_ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(http, "LOOK_EVERY_SECONDS", 0.05)
    for number in spread(case.calls(deed)):
        error = case.under(troubles.drips, number, deed)
        assert isinstance(error, Unavailable)


@over_http_deeds
def test_a_page_for_people_is_no_answer_and_no_refusal(case: Case, deed: Deed) -> None:
    """While a system is being mended it may show one, and no person should have to look."""
    methods = case.calls(deed)
    for number in (n for n in spread(methods) if methods[n] == "GET"):
        for body in (b"<html>We are back soon</html>", b"[]"):
            error = case.under(says(200, body, "text/html"), number, deed)
            assert isinstance(error, Garbled)


@over_http_deeds
def test_a_refusal_with_no_sense_is_an_answer_or_for_a_person(case: Case, deed: Deed) -> None:
    for number in spread(case.calls(deed)):
        for status in (204, 400, 401, 404, 405, 409, 410):
            for body in (b"", b"<html>Kari.Zwyx@post.example"):
                require_sound_if_any(case.under(says(status, body), number, deed))


@over_http_deeds
def test_403_never_passes_for_an_answer(case: Case, deed: Deed) -> None:
    for number, _ in enumerate(case.calls(deed)):
        error = case.under(says(403, b"", "text/html"), number, deed)
        assert isinstance(error, Unavailable | Refused)


@over_http_deeds
def test_no_redirect_is_followed(case: Case, deed: Deed) -> None:
    with wire_to(case.world.url) as elsewhere:
        for number in spread(case.calls(deed)):
            for status in (300, 301, 302, 303, 307, 308):
                redirect = says(status, b"{}", location=f"{elsewhere.url}/Kari.Zwyx")
                assert isinstance(case.under(redirect, number, deed), Refused)

        assert elsewhere.seen == []


@over_http
def test_links_in_an_answer_lead_nowhere_else(case: Case) -> None:
    case.world.plant(KARI, records=case.world.more_than_a_page)
    found = case.theirs()
    with wire_to(case.world.url) as elsewhere:
        case.wire.always = tampers(
            lambda said: json.loads(json.dumps(said).replace(case.world.url, elsewhere.url))
        )

        assert case.theirs() == found
        assert elsewhere.seen == []


@over_http_deeds
@pytest.mark.parametrize("trouble", [troubles.never_stops, troubles.inflates])
def test_a_huge_answer_is_refused_and_not_kept(
    case: Case,
    deed: Deed,
    trouble: Trouble,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http, "LARGEST_ANSWER", 512 * 1024)
    for number in spread(case.calls(deed)):
        case.under(trouble, number, deed)
        tracemalloc.start()
        error = case.under(trouble, number, deed)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert isinstance(error, Refused)
        assert most < ENDLESS / 16


def spread(calls: Sequence[object]) -> list[int]:
    """The first, the last and two calls between: where every call would take too long."""
    return sorted({n * (len(calls) - 1) // 3 for n in range(4)})


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


def require_sound_if_any(came: object) -> None:
    for record in came if isinstance(came, list) else []:
        require_sound(record)


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


# Files


@from_files
@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    place=st.integers(0, 10_000),
    length=st.integers(0, 40),
    bytes_=st.binary(max_size=20)
    | st.sampled_from(
        [b"\xff\xfe", b"\x00", b'"', b"\r", b"sep=\n", b";" * 3_000, b"\xef\xbb\xbf"]
    ),
)
def test_whatever_is_in_a_file_ends_in_records_or_one_of_three_errors(
    case: Case, place: int, length: int, bytes_: bytes
) -> None:
    whole = case.world.kept()
    start = place % (len(whole) + 1)
    case.world.put_back(whole[:start] + bytes_ + whole[start + length :])
    require_sound_if_any(tried(case.find))
    case.world.put_back(whole)


@from_files
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_huge_line_is_refused_and_not_kept(case: Case, end: bytes) -> None:
    for start in (b"", case.world.kept()):
        case.world.put_back(start + b"x" * (ENDLESS // 4) + end)
        tracemalloc.start()
        assert isinstance(tried(case.find), Refused)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert most < ENDLESS / 8


@from_files
def test_a_file_that_goes_away_is_asked_for_again(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(_: Path) -> os.stat_result:
        raise FileNotFoundError(2, "No such file", KARI.email)

    monkeypatch.setattr(Path, "lstat", gone)

    assert isinstance(tried(case.find), Unavailable | AwaitsPerson)
