"""Every connector finds and erases exactly whom it should (Art. 5(1)(f), 15, 17)."""

from __future__ import annotations

import json
import sys
from functools import partial

import pytest

from adapters.connector_kit import wire as troubles
from adapters.connector_kit.case import (
    BLANK,
    KARI,
    NEIGHBOUR,
    NOBODY,
    REMAINS,
    STRANGER,
    Case,
    every,
    finding,
    in_pages,
    named_in,
    over_http,
    require_sound,
    somebody,
    tried,
)
from adapters.connector_kit.case import case as case
from adapters.connector_kit.wire import Trouble, says
from adapters.connector_kit.world import Somebody
from domain.vocabulary import Outcome
from services.ports import (
    Person,
    Refused,
    Treatment,
    Unavailable,
)

# Finding


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
